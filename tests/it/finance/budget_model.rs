//! Random sequences of what several people do with a budget, compared with a model after every step: whoever does whatever in
//! whatever order, its total is the sum of its lines, and its status what the steps that counted made of it.

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Gateway, HOME, User, sequences};

/// CFO, finance manager, analyst, viewer.
const PEOPLE: [&str; 4] = [
    "sarah.chen@aether-demo.com",
    "finance.manager@aether-demo.com",
    "analyst@aether-demo.com",
    "viewer@aether-demo.com",
];
/// The first so many may draft …
const DRAFTERS: usize = 3;
/// … and the first so many approve.
const APPROVERS: usize = 2;

#[derive(Debug, Clone)]
enum Doing {
    /// Amounts in cents, by quarter.
    Add([i64; 4]),
    Edit {
        line: Index,
        quarter: usize,
        cents: i64,
    },
    Remove(Index),
    Rename,
    Submit,
    Approve,
    Reject,
    Lock,
    Copy,
}

#[derive(Debug, Clone)]
struct Step {
    who: usize,
    /// With a version that is not the budget's or line's.
    stale: bool,
    doing: Doing,
}

fn step() -> impl Strategy<Value = Step> {
    let cents = -1_000_000_i64..100_000_000;
    let doing = prop_oneof![
        4 => [cents.clone(), cents.clone(), cents.clone(), cents.clone()].prop_map(Doing::Add),
        3 => (any::<Index>(), 0..4_usize, cents).prop_map(|(line, quarter, cents)| Doing::Edit { line, quarter, cents }),
        2 => any::<Index>().prop_map(Doing::Remove),
        1 => Just(Doing::Rename),
        3 => Just(Doing::Submit),
        3 => Just(Doing::Approve),
        1 => Just(Doing::Reject),
        2 => Just(Doing::Lock),
        1 => Just(Doing::Copy),
    ];
    (prop_oneof![9 => 0..DRAFTERS, 1 => Just(3)], prop_oneof![9 => Just(false), 1 => Just(true)], doing)
        .prop_map(|(who, stale, doing)| Step { who, stale, doing })
}

/// A budget as it should be.
#[derive(Debug, Clone, PartialEq)]
struct Budget {
    id: Value,
    status: &'static str,
    submitted_by: Option<usize>,
    approved_by: Option<usize>,
    lines: Vec<[i64; 4]>,
}

fn money(cents: i64) -> String {
    format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100)
}

impl Budget {
    /// What a step must be answered, and whether it is of those that name a line.
    fn answer(&self, Step { who, stale, doing }: &Step) -> &'static str {
        let approves = matches!(doing, Doing::Approve | Doing::Reject | Doing::Lock);
        if *who >= if approves { APPROVERS } else { DRAFTERS } {
            return "FORBIDDEN";
        }
        let fits = match doing {
            Doing::Approve | Doing::Reject => self.status == "SUBMITTED",
            Doing::Lock => self.status == "APPROVED",
            Doing::Copy => return "",
            _ => self.status == "DRAFT",
        };
        let of_line = matches!(doing, Doing::Edit { .. } | Doing::Remove(_));
        match (*stale, fits) {
            (true, _) if !of_line => "CONFLICT",
            (_, false) => "PRECONDITION_FAILED",
            (true, true) => "CONFLICT",
            (false, true) if approves && self.submitted_by == Some(*who) => "FORBIDDEN",
            (false, true) => "",
        }
    }

    /// The budget as the gateway should show it.
    fn shown(&self) -> Value {
        let mut lines: Vec<_> = self.lines.iter().map(|quarters| quarters.map(money).join(" ")).collect();
        lines.sort();
        let total = self.lines.iter().flatten().sum();
        json!({
            "status": self.status, "totalAmount": money(total), "lines": lines,
            "submittedBy": self.submitted_by.map(|who| PEOPLE[who]), "approvedBy": self.approved_by.map(|who| PEOPLE[who]),
        })
    }
}

const READ: &str = "query($id: UUID!) { budget(id: $id) { status totalAmount rowVersion submittedByUser { email } approvedByUser { email }
    lineItems(first: 100) { nodes { id rowVersion q1Amount q2Amount q3Amount q4Amount annualAmount } } } }";

/// A budget as the gateway shows it, and its versions: its own, and those of its lines by their amounts.
async fn read(user: &User<'_>, id: &Value) -> (Value, i64, Vec<(String, Value, i64)>) {
    let budget = user.run(READ, json!({ "id": id })).await.ok()["budget"].clone();
    let mut lines = Vec::new();
    for line in budget["lineItems"]["nodes"].as_array().expect("lines") {
        let quarters =
            ["q1Amount", "q2Amount", "q3Amount", "q4Amount"].map(|name| line[name].as_str().expect("an amount"));
        lines.push((quarters.join(" "), line["id"].clone(), line["rowVersion"].as_i64().expect("a version")));
    }
    lines.sort_by(|one, other| one.0.cmp(&other.0));
    let shown = json!({
        "status": budget["status"], "totalAmount": budget["totalAmount"],
        "lines": lines.iter().map(|line| &line.0).collect::<Vec<_>>(),
        "submittedBy": budget["submittedByUser"]["email"], "approvedBy": budget["approvedByUser"]["email"],
    });
    (shown, budget["rowVersion"].as_i64().expect("a version"), lines)
}

/// Takes a step with the gateway and with the model; a copy becomes the budget that the next steps are about.
async fn take(people: &[User<'_>], budget: &mut Budget, step: &Step) -> Option<Budget> {
    let (_, version, lines) = read(&people[0], &budget.id).await;
    let version = if step.stale { version + 7 } else { version };
    let user = &people[step.who];
    // The model keeps its lines as the gateway shows them: ordered by their amounts, written out.
    budget.lines.sort_by_key(|quarters| quarters.map(money).join(" "));
    let at = |index: &Index| (!lines.is_empty()).then(|| index.index(lines.len()));
    let input = |cents: &[i64; 4]| {
        let [q1, q2, q3, q4] = cents.map(money);
        json!({ "category": "Any", "q1Amount": q1, "q2Amount": q2, "q3Amount": q3, "q4Amount": q4 })
    };
    let simple = |name: &str, more: &str| {
        format!("mutation($id: UUID!, $v: Int!) {{ done: {name}(id: $id, expectedVersion: $v{more}) {{ id }} }}")
    };
    let of_line = |index: usize| {
        let version = if step.stale { lines[index].2 + 7 } else { lines[index].2 };
        (lines[index].1.clone(), version)
    };
    let (operation, variables) = match &step.doing {
        Doing::Add(cents) => (
            "mutation($id: UUID!, $v: Int!, $lines: [BudgetLineInput!]!) { done: addBudgetLines(budgetId: $id, expectedVersion: $v, lines: $lines) { id } }".into(),
            json!({ "id": budget.id, "v": version, "lines": [input(cents)] }),
        ),
        Doing::Edit { line, quarter, cents } => {
            let (id, version) = of_line(at(line)?);
            let patch = json!({ format!("q{}Amount", quarter + 1): money(*cents) });
            (
                "mutation($id: UUID!, $v: Int!, $input: BudgetLinePatch!) { done: editBudgetLine(id: $id, expectedVersion: $v, input: $input) { id } }".into(),
                json!({ "id": id, "v": version, "input": patch }),
            )
        }
        Doing::Remove(line) => {
            let (id, version) = of_line(at(line)?);
            (simple("removeBudgetLine", ""), json!({ "id": id, "v": version }))
        }
        Doing::Rename => (simple("editBudget", ", input: { name: \"Renamed\" }"), json!({ "id": budget.id, "v": version })),
        Doing::Submit => (simple("submitBudget", ""), json!({ "id": budget.id, "v": version })),
        Doing::Approve => (simple("approveBudget", ""), json!({ "id": budget.id, "v": version })),
        Doing::Reject => (simple("rejectBudget", ", reason: \"No\""), json!({ "id": budget.id, "v": version })),
        Doing::Lock => (simple("lockBudget", ""), json!({ "id": budget.id, "v": version })),
        Doing::Copy => (
            "mutation($id: UUID!, $version: String!) { done: copyBudget(id: $id, version: $version) { id } }".into(),
            json!({ "id": budget.id, "version": Uuid::now_v7() }),
        ),
    };
    let expected = budget.answer(step);
    let answer = user.run(&operation, variables).await;
    let code = if answer.body.get("errors").is_some() { answer.code() } else { "" };
    assert_eq!(code, expected, "{step:?} of {budget:?}: {:#}", answer.body);
    if !expected.is_empty() {
        return None;
    }
    match &step.doing {
        Doing::Add(cents) => budget.lines.push(*cents),
        Doing::Edit { line, quarter, cents } => budget.lines[at(line)?][*quarter] = *cents,
        Doing::Remove(line) => drop(budget.lines.remove(at(line)?)),
        Doing::Rename => {}
        Doing::Submit => (budget.status, budget.submitted_by) = ("SUBMITTED", Some(step.who)),
        Doing::Approve => (budget.status, budget.approved_by) = ("APPROVED", Some(step.who)),
        Doing::Reject => (budget.status, budget.submitted_by) = ("DRAFT", None),
        Doing::Lock => budget.status = "LOCKED",
        Doing::Copy => {
            let id = answer.body["data"]["done"]["id"].clone();
            return Some(Budget {
                id,
                status: "DRAFT",
                submitted_by: None,
                approved_by: None,
                lines: budget.lines.clone(),
            });
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn totals_and_status_are_right_whatever_is_done() {
    let gateway = Gateway::demo().await;
    let mut people = Vec::new();
    for email in PEOPLE {
        people.push(gateway.sign_in(email, HOME).await);
    }
    let people = &people;
    sequences::each(24, vec(step(), 1..24), async |steps: Vec<Step>| {
        let created = people[0]
            .run(
                "mutation($version: String!) { createBudget(input: { name: \"Model\", fiscalYear: 2040, version: $version }) { id } }",
                json!({ "version": Uuid::now_v7() }),
            )
            .await
            .ok();
        let id = created["createBudget"]["id"].clone();
        let mut budgets =
            vec![Budget { id, status: "DRAFT", submitted_by: None, approved_by: None, lines: Vec::new() }];
        for step in &steps {
            let last = budgets.len() - 1;
            let copy = take(people, &mut budgets[last], step).await;
            budgets.extend(copy);
            // Those that were copied stay as they were, too.
            for budget in &budgets {
                assert_eq!(read(&people[0], &budget.id).await.0, budget.shown(), "after {step:?}");
            }
        }
    });
    let unequal = gateway
        .value("SELECT count(*) FROM budgets b WHERE total_amount <> (SELECT coalesce(sum(annual_amount), 0) FROM budget_line_items WHERE budget_id = b.id)")
        .await;
    assert_eq!(unequal, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_total_is_right_when_many_add_lines_at_once() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let budget = cfo
        .data("mutation { createBudget(input: { name: \"Race\", fiscalYear: 2041, version: \"v1\" }) { id } }")
        .await["createBudget"]["id"]
        .clone();
    let add = "mutation($id: UUID!, $v: Int!, $cents: Decimal!) { addBudgetLines(budgetId: $id, expectedVersion: $v, lines: [{ category: \"X\", q1Amount: $cents }]) { id } }";
    let version = json!(1);
    let calls = (0..8).map(|n| cfo.run(add, json!({ "id": budget, "v": version, "cents": format!("0.{}", n + 1) })));
    let answers = futures::future::join_all(calls).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.body.get("errors").is_none());
    assert_eq!(won.len(), 1, "two edits of one version");
    assert!(lost.iter().all(|answer| answer.code() == "CONFLICT"));
    let (shown, _, lines) = read(&cfo, &budget).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].0.split(' ').next(), shown["totalAmount"].as_str());
}
