//! Random sequences of what people do with terms, against a model that knows the rules and nothing of the database.

use aether_domain::drift::{TermKind, severity};
use aether_domain::term::same;
use serde_json::{Value, json};

use super::SharedWorkspace;
use crate::support::Gateway;

/// Spellings of the same, near, far, and no number at all.
const VALUES: [&str; 7] = ["4.00:1.00", "4.00x", "4.10:1.00", "4.30:1.00", "5.00:1.00", "to be agreed", "5x"];

/// The same numbers each time, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % most
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Item {
    status: &'static str,
    severity: &'static str,
    baseline: String,
    current: String,
    waits: bool,
}

/// A term as it should be.
#[derive(Debug, Clone, PartialEq)]
struct Term {
    value: String,
    baseline: String,
    items: Vec<Item>,
}

impl Term {
    fn open(&mut self) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| item.status == "unresolved")
    }

    fn edit(&mut self, to: &str) {
        let was = std::mem::replace(&mut self.value, to.to_owned());
        if was == to {
            return;
        }
        let grave = severity(TermKind::Ratio, &self.baseline, to).map(|severity| severity.as_str());
        match (self.open(), grave) {
            (Some(_), None) => self.items.retain(|item| item.status != "unresolved"),
            (Some(item), Some(severity)) => {
                (item.severity, item.current, item.waits) = (severity, to.to_owned(), false);
            }
            (None, Some(severity)) if !same(&was, to) => {
                let (baseline, current) = (self.baseline.clone(), to.to_owned());
                self.items.push(Item { status: "unresolved", severity, baseline, current, waits: false });
            }
            _ => {}
        }
    }

    /// What becomes of it when its open item is settled so.
    fn settle(&mut self, how: &str, risk_approves: bool) {
        let Some(item) = self.open() else { panic!("nothing to settle") };
        let (baseline, current) = (item.baseline.clone(), item.current.clone());
        match how {
            "overrideDrift" if risk_approves => item.waits = true,
            "overrideDrift" => (item.status, self.baseline) = ("overridden", current),
            "approveDrift" if item.waits => (item.status, item.waits, self.baseline) = ("overridden", false, current),
            "approveDrift" => item.status = "approved",
            _ => (item.status, item.waits, self.value) = ("reverted", false, baseline),
        }
    }
}

async fn stored(workspace: &SharedWorkspace<'_>, variable: &str) -> Term {
    let row =
        workspace.gateway.rows(&format!("SELECT value, baseline_value FROM variables WHERE id = '{variable}'")).await;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let known = |value: &Value| {
        let all = ["unresolved", "overridden", "reverted", "approved", "HIGH", "MEDIUM", "LOW"];
        all.into_iter().find(|known| value == known).expect("a label")
    };
    let items = workspace.items(variable).await.into_iter().map(|item| Item {
        status: known(&item["status"]),
        severity: known(&item["severity"]),
        baseline: text(&item["baseline_value"]),
        current: text(&item["current_value"]),
        waits: !item["override_requested_at"].is_null(),
    });
    Term { value: text(&row[0]["value"]), baseline: text(&row[0]["baseline_value"]), items: items.collect() }
}

#[tokio::test]
async fn random_sequences_leave_what_the_rules_say() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let mut terms = Vec::new();
    for at in 0..4 {
        let clause = workspace.clause("covenant", at == 0, "The ratio.").await;
        for _ in 0..=at % 2 {
            let id = workspace.bind(&clause, "Ratio", "RATIO", VALUES[0]).await;
            terms.push((id, Term { value: VALUES[0].into(), baseline: VALUES[0].into(), items: Vec::new() }));
        }
    }
    let mut dice = Dice(20_261_122);
    let (mut risk_approves, mut refused, mut settled) = (true, 0, 0);
    for step in 0..160 {
        let at = dice.below(terms.len());
        let (id, term) = &mut terms[at];
        match dice.below(9) {
            0 => {
                risk_approves = !risk_approves;
                workspace.rule("riskApprovalRequiredForOverride", risk_approves).await;
            }
            1..=4 => {
                let to = VALUES[dice.below(VALUES.len())];
                workspace.edit(if step % 2 == 0 { &workspace.agent } else { &workspace.legal }, id, to).await.ok();
                term.edit(to);
            }
            which => {
                let mutation = ["overrideDrift", "approveDrift", "revertDrift", "approveDrift"][which - 5];
                let user = if mutation == "approveDrift" { &workspace.risk } else { &workspace.agent };
                let Some(last) = workspace.items(id).await.pop() else { continue };
                let open = term.open().cloned();
                // Of those that are settled the last is tried again, which must be refused.
                let item = match &open {
                    Some(_) => workspace.open(id).await,
                    None => last["id"].as_str().expect("an id").to_owned(),
                };
                let answer = workspace.settle(user, mutation, &item, "Step").await;
                let waits = open.as_ref().is_some_and(|open| open.waits);
                if open.is_none() || waits && mutation == "overrideDrift" {
                    assert_eq!(answer.code(), "PRECONDITION_FAILED", "step {step}: {mutation}");
                    refused += 1;
                } else {
                    answer.ok();
                    term.settle(mutation, risk_approves);
                    settled += 1;
                }
            }
        }
        assert_eq!(stored(&workspace, &terms[at].0).await, terms[at].1, "step {step}");
        workspace.is_consistent().await;
    }
    for (id, term) in &terms {
        assert_eq!(stored(&workspace, id).await, *term);
        let drifts = term.items.iter().any(|item| item.status == "unresolved");
        assert_eq!(workspace.node(id).await["has_drift"], drifts);
    }
    assert!(refused > 3 && settled > 20, "{refused} refused, {settled} settled");
    // Whatever happened, text and graph still agree.
    let synced = workspace
        .agent
        .run(
            "mutation($w: UUID!) { syncGraph(workspaceId: $w) { changed { nodes } graphState { integrityScore } } }",
            json!({ "w": workspace.id }),
        )
        .await
        .ok();
    assert_eq!(synced["syncGraph"]["changed"]["nodes"], 0);
    workspace.is_consistent().await;
}
