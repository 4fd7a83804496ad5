//! What happens in a workspace from its first day to today: the order in which everything comes about.

use aether_domain::drift::TermKind;
use aether_domain::term;
use serde_json::json;

use super::agreement::Settled;
use super::desk::{Act, ClauseState, Desk, Settlement, VariableState};
use super::{golden, graph, markup, members, papers};
use crate::copy::row;

/// A value that a variable is going to take, and what is going to become of the deviation.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// The position of the variable.
    pub(super) variable: usize,
    pub(super) to: String,
    /// `None` where the deviation is still open, or there is none.
    pub(super) outcome: Option<Settled>,
    pub(super) reason: String,
    pub(super) category: String,
}

/// Tells the whole story and fills every table.
pub(super) fn tell(desk: &mut Desk) {
    let creator = desk.cast.creator();
    let after = json!({ "name": desk.agreement.name, "currency": desk.agreement.currency, "amount": desk.agreement.amount.to_string() });
    desk.record(creator, &Act::new("WORKSPACE_CREATE", ("workspace", desk.workspace)).after(after));
    let mut members = members::invite(desk);

    desk.go(0.04);
    import(desk);
    let mut changes = changes(desk);
    desk.go(0.07);
    let rules = desk.cast.rules.document();
    desk.record(creator, &Act::new("GOVERNANCE_UPDATED", ("workspace", desk.workspace)).before(json!({})).after(rules));
    let governed = desk.now;
    members::change_roles(desk, &mut members, 0.09);
    sync(desk, 0.10);
    for variable in &mut desk.variables {
        variable.agreed = desk.now;
    }
    let mut record = golden::Record::new(desk);
    golden::export(desk, &mut record, 0.13);
    golden::publish(desk, &mut record, 0.14);

    let (settled, open): (Vec<Change>, Vec<Change>) = changes
        .extract_if(.., |change| !markup::proposes(desk, change))
        .partition(|change| change.outcome.is_some() || !deviates(desk, change));
    open_and_settle(desk, settled);
    members::remove(desk, &mut members, 0.45);
    if desk.cast.published_midway {
        golden::publish(desk, &mut record, 0.48);
    }
    lock_for_good(desk, 0.50);
    markup::sessions(desk, &changes);
    for (number, change) in open.iter().enumerate() {
        desk.go(0.76 + 0.03 * number as f64);
        let editor = editor(desk, number);
        edit(desk, editor, change);
    }
    ask_for_override(desk, 0.86);
    tidy(desk, 0.87);
    members::invite_late(desk, &mut members, 0.88);
    sync(desk, 0.93);
    let synced = desk.now;
    graph::rows(desk);
    if desk.cast.published_lately {
        golden::export(desk, &mut record, 0.95);
        golden::publish(desk, &mut record, 0.95);
    }
    desk.go(0.97);
    let export = Act::new("EXPORT_AUDIT", ("workspace", desk.workspace)).after(json!({ "format": "csv" }));
    desk.record(desk.cast.risk, &export.because("Quarterly file review", "other"));
    desk.leave();

    let host = desk.people.organization(desk.cast.host).id;
    let agreement = desk.agreement;
    desk.tables.workspaces(row![
        desk.workspace,
        host,
        agreement.name.as_str(),
        agreement.currency.as_str(),
        rust_decimal::Decimal::new(agreement.amount * 100, 2),
        agreement.standard.as_str(),
        agreement.base_pdf_name.as_str(),
        synced,
        desk.user(creator).id,
        desk.cast.rules.document(),
        None::<chrono::DateTime<chrono::Utc>>,
        desk.opened,
        synced.max(governed),
        3,
    ]);
    members::rows(desk, &members);
    papers::documents(desk);
    papers::drift(desk);
    golden::rows(desk, record);
}

/// Brings the base agreement in, clause by clause, and binds its terms.
fn import(desk: &mut Desk) {
    let agent = desk.cast.agent;
    for (position, clause) in desk.agreement.clauses.iter().enumerate() {
        desk.blink();
        let id = desk.id();
        let after = json!({ "title": clause.title, "type": clause.kind.as_str(), "orderIndex": position + 1 });
        let by = desk.record(agent, &Act::new("CLAUSE_EDIT", ("clause", id)).after(after));
        let (created, edited) = (desk.now, (desk.now, by));
        let covenants = clause.covenants.iter().map(|_| desk.ids.at(created)).collect();
        desk.clauses.push(ClauseState { id, created, edited, locked: None, touched: created, version: 1, covenants });
    }
    desk.wait(20..60);
    for (clause, source) in desk.agreement.clauses.iter().enumerate() {
        for (at, variable) in source.variables.iter().enumerate() {
            desk.blink();
            let id = desk.id();
            // What stood there first: the oldest baseline, or the spelling that has never changed.
            let baseline = variable.settled.first().map_or(&variable.baseline_value, |first| &first.baseline);
            let kept = variable.settled.is_empty() && term::same(&variable.value, baseline);
            let value = if kept { &variable.value } else { baseline };
            let after = json!({ "label": variable.label, "value": value, "baselineValue": baseline });
            let by = desk.record(agent, &Act::new("VARIABLE_BIND", ("variable", id)).after(after));
            desk.variables.push(VariableState {
                id,
                at: (clause, at),
                value: value.clone(),
                baseline: baseline.clone(),
                agreed: desk.now,
                created: desk.now,
                edited: (desk.now, by),
                touched: desk.now,
                version: 1,
                drifts: false,
            });
        }
    }
}

/// Every change that leads from the imported values to those of today, in order.
fn changes(desk: &Desk) -> Vec<Change> {
    let mut changes = Vec::new();
    for (variable, state) in desk.variables.iter().enumerate() {
        let source = &desk.agreement.clauses[state.at.0].variables[state.at.1];
        let mut value = &state.value;
        for settled in &source.settled {
            changes.push(Change {
                variable,
                to: settled.current.clone(),
                outcome: Some(settled.clone()),
                reason: asked(&settled.category).to_owned(),
                category: settled.category.clone(),
            });
            value = if settled.status == "reverted" { &settled.baseline } else { &settled.current };
        }
        if *value != source.value {
            changes.push(Change {
                variable,
                to: source.value.clone(),
                outcome: None,
                reason: source.reason.clone().unwrap_or_else(|| "Back to the agreed value.".to_owned()),
                category: source.category.clone().unwrap_or_else(|| "other".to_owned()),
            });
        }
    }
    changes
}

/// Why a draft was changed that has been dealt with since.
fn asked(category: &str) -> &'static str {
    match category {
        "borrower_request" => "The borrower's treasury asked for it on the weekly call.",
        "market_conditions" => "Proposed by a lender during syndication.",
        "credit_update" => "Follows the updated credit paper.",
        "legal_requirement" => "Taken from counsel's mark-up of the last turn.",
        _ => "Carried over from the comparison with the precedent.",
    }
}

fn deviates(desk: &Desk, change: &Change) -> bool {
    !term::same(&change.to, &desk.variables[change.variable].baseline)
}

fn editor(desk: &Desk, number: usize) -> &'static str {
    desk.cast.editors[number % desk.cast.editors.len()]
}

/// The deviations that have come and gone before the first markup; the clause of the first one was locked until then.
fn open_and_settle(desk: &mut Desk, changes: Vec<Change>) {
    let Some(first) = changes.first() else { return };
    let clause = desk.variables[first.variable].at.0;
    lock(desk, clause, 0.15);
    desk.go(0.17);
    let (id, agent) = (desk.clauses[clause].id, desk.cast.agent);
    let unlocked = Act::new("SECTION_UNLOCKED", ("clause", id))
        .before(json!({ "isLocked": true }))
        .after(json!({ "isLocked": false }))
        .because("Reopened for comments on the first draft.", "other");
    desk.record(agent, &unlocked);
    desk.clauses[clause].locked = None;
    desk.clauses[clause].touched = desk.now;
    desk.clauses[clause].version += 1;
    for (number, change) in changes.iter().enumerate() {
        desk.go(0.18 + 0.04 * number as f64);
        let editor = editor(desk, number);
        if let Some(item) = edit(desk, editor, change) {
            desk.go(0.20 + 0.04 * number as f64);
            settle(desk, item, change);
        }
    }
}

/// Edits a variable by hand; returns the drift item that this opens.
fn edit(desk: &mut Desk, editor: &'static str, change: &Change) -> Option<usize> {
    let state = &desk.variables[change.variable];
    let act = Act::new("VARIABLE_EDIT", ("variable", state.id))
        .before(json!({ "value": state.value, "rowVersion": state.version }))
        .after(json!({ "value": change.to, "rowVersion": state.version + 1 }))
        .because(&change.reason, &change.category);
    let by = desk.record(editor, &act);
    desk.set(change.variable, &change.to, by)
}

/// Settles a drift item as its change says.
pub(super) fn settle(desk: &mut Desk, item: usize, change: &Change) {
    let Some(outcome) = &change.outcome else { return };
    let id = desk.drift[item].id;
    let before = json!({ "status": "unresolved", "baselineValue": outcome.baseline, "currentValue": outcome.current });
    let event =
        |name| Act::new(name, ("drift_item", id)).before(before.clone()).because(&outcome.reason, &outcome.category);
    let done = json!({ "status": outcome.status });
    let by = match outcome.status.as_str() {
        "approved" => desk.record(desk.cast.risk, &event("DRIFT_APPROVE").after(done)),
        "reverted" => desk.record(desk.cast.reverter, &event("DRIFT_REVERT").after(done)),
        _ if desk.cast.rules.risk_approval_required_for_override => {
            let asked = event("DRIFT_OVERRIDE").after(json!({ "status": "unresolved", "overridePending": true }));
            desk.record(desk.cast.agent, &asked);
            desk.wait(30..180);
            desk.record(desk.cast.risk, &event("DRIFT_APPROVE").after(done))
        }
        _ => desk.record(desk.cast.agent, &event("DRIFT_OVERRIDE").after(done)),
    };
    let now = desk.now;
    let variable = &mut desk.variables[change.variable];
    variable.drifts = false;
    variable.touched = now;
    if outcome.status == "overridden" {
        variable.baseline.clone_from(&outcome.current);
        variable.agreed = now;
        variable.version += 1;
    } else if outcome.status == "reverted" {
        variable.value.clone_from(&outcome.baseline);
        variable.edited = (now, by);
        variable.version += 1;
        let clause = &mut desk.clauses[variable.at.0];
        (clause.edited, clause.touched) = ((now, by), now);
        clause.version += 1;
    }
    let (reason, category) = (outcome.reason.clone(), outcome.category.clone());
    desk.drift[item].settled = Some(Settlement { status: outcome.status.clone(), by, at: now, reason, category });
}

fn lock(desk: &mut Desk, clause: usize, share: f64) {
    desk.go(share);
    let act = Act::new("SECTION_LOCKED", ("clause", desk.clauses[clause].id))
        .before(json!({ "isLocked": false }))
        .after(json!({ "isLocked": true }));
    let by = desk.record(desk.cast.agent, &act);
    let now = desk.now;
    let state = &mut desk.clauses[clause];
    (state.locked, state.touched) = (Some((now, by)), now);
    state.version += 1;
}

fn lock_for_good(desk: &mut Desk, share: f64) {
    let agreement = desk.agreement;
    for (clause, source) in agreement.clauses.iter().enumerate() {
        if source.is_locked {
            lock(desk, clause, share);
        }
    }
}

/// An override that waits for risk leaves its item unresolved.
fn ask_for_override(desk: &mut Desk, share: f64) {
    for item in 0..desk.drift.len() {
        let (clause, at) = desk.variables[desk.drift[item].variable].at;
        let source = &desk.agreement.clauses[clause].variables[at];
        if !source.override_pending || desk.drift[item].settled.is_some() {
            continue;
        }
        desk.go(share);
        let reason = source.reason.as_deref().unwrap_or_default();
        let act = Act::new("DRIFT_OVERRIDE", ("drift_item", desk.drift[item].id))
            .before(json!({ "status": "unresolved" }))
            .after(json!({ "status": "unresolved", "overridePending": true }))
            .because(reason, source.category.as_deref().unwrap_or("other"));
        desk.record(desk.cast.agent, &act);
    }
}

/// A clause of boilerplate is polished, which concerns nobody.
fn tidy(desk: &mut Desk, share: f64) {
    desk.go(share);
    let Some(clause) = desk.agreement.clauses.iter().rposition(|clause| clause.kind == TermKind::General) else {
        return;
    };
    let state = &desk.clauses[clause];
    let (before, after) = (json!({ "rowVersion": state.version }), json!({ "rowVersion": state.version + 1 }));
    let act = Act::new("CLAUSE_EDIT", ("clause", state.id)).before(before).after(after);
    let by = desk.record(editor(desk, 0), &act);
    let now = desk.now;
    let state = &mut desk.clauses[clause];
    (state.edited, state.touched) = ((now, by), now);
    state.version += 1;
}

fn sync(desk: &mut Desk, share: f64) {
    desk.go(share);
    let (nodes, edges) = graph::size(desk);
    let after = json!({ "nodes": nodes, "edges": edges, "integrityScore": graph::integrity(desk) });
    desk.record(desk.cast.agent, &Act::new("GRAPH_SYNC", ("workspace", desk.workspace)).after(after));
}
