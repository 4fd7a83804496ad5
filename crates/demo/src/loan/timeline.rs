//! What happens in a workspace from its first day to today: the order in which everything comes about.

use aether_domain::drift::TermKind;
use aether_domain::term;
use serde_json::json;

use super::agreement::Settled;
use super::simulator::{Act, Asked, ClauseState, Settlement, Simulator, VariableState};
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

/// Goes through the whole timeline and fills every table.
pub(super) fn simulate(simulator: &mut Simulator) {
    let creator = simulator.parties.creator();
    let after = json!({ "name": simulator.agreement.name, "currency": simulator.agreement.currency, "amount": simulator.agreement.amount.to_string() });
    simulator.record(creator, &Act::new("WORKSPACE_CREATE", ("workspace", simulator.workspace)).after(after));
    let mut members = members::invite(simulator);

    simulator.go(0.04);
    import(simulator);
    let mut changes = changes(simulator);
    simulator.go(0.07);
    let rules = simulator.parties.rules.to_json();
    simulator.record(
        creator,
        &Act::new("GOVERNANCE_UPDATED", ("workspace", simulator.workspace)).before(json!({})).after(rules),
    );
    let governed = simulator.now;
    members::change_roles(simulator, &mut members, 0.09);
    sync(simulator, 0.10);
    for variable in &mut simulator.variables {
        variable.agreed = simulator.now;
    }
    let mut record = golden::Record::new(simulator);
    golden::export(simulator, &mut record, 0.13);
    golden::publish(simulator, &mut record, 0.14);

    let (settled, open): (Vec<Change>, Vec<Change>) = changes
        .extract_if(.., |change| !markup::proposes(simulator, change))
        .partition(|change| change.outcome.is_some() || !deviates(simulator, change));
    open_and_settle(simulator, settled);
    members::remove(simulator, &mut members, 0.45);
    if simulator.parties.published_midway {
        golden::publish(simulator, &mut record, 0.48);
    }
    lock_for_good(simulator, 0.50);
    markup::sessions(simulator, &changes);
    for (number, change) in open.iter().enumerate() {
        simulator.go(0.76 + 0.03 * number as f64);
        let editor = editor(simulator, number);
        edit(simulator, editor, change);
    }
    ask_for_override(simulator, 0.86);
    tidy(simulator, 0.87);
    members::invite_late(simulator, &mut members, 0.88);
    sync(simulator, 0.93);
    let synced = simulator.now;
    graph::rows(simulator);
    if simulator.parties.published_lately {
        golden::export(simulator, &mut record, 0.95);
        golden::publish(simulator, &mut record, 0.95);
    }
    simulator.go(0.97);
    let export = Act::new("EXPORT_AUDIT", ("workspace", simulator.workspace)).after(json!({ "format": "csv" }));
    simulator.record(simulator.parties.risk, &export.because("Quarterly file review", "other"));
    simulator.leave();

    let host = simulator.people.organization(simulator.parties.host).id;
    let agreement = simulator.agreement;
    simulator.tables.workspaces(row![
        simulator.workspace,
        host,
        agreement.name.as_str(),
        agreement.currency.as_str(),
        rust_decimal::Decimal::new(agreement.amount * 100, 2),
        agreement.standard.as_str(),
        agreement.base_pdf_name.as_str(),
        synced,
        simulator.user(creator).id,
        simulator.parties.rules.to_json(),
        None::<chrono::DateTime<chrono::Utc>>,
        simulator.opened,
        synced.max(governed),
        3,
    ]);
    members::rows(simulator, &members);
    papers::documents(simulator);
    papers::drift(simulator);
    golden::rows(simulator, record);
}

/// Brings the base agreement in, clause by clause, and binds its terms.
fn import(simulator: &mut Simulator) {
    let agent = simulator.parties.agent;
    for (position, clause) in simulator.agreement.clauses.iter().enumerate() {
        simulator.blink();
        let id = simulator.id();
        let after = json!({ "title": clause.title, "type": clause.kind.as_str(), "orderIndex": position + 1 });
        let by = simulator.record(agent, &Act::new("CLAUSE_EDIT", ("clause", id)).after(after));
        let (created, edited) = (simulator.now, (simulator.now, by));
        let covenants = clause.covenants.iter().map(|_| simulator.ids.at(created)).collect();
        simulator.clauses.push(ClauseState {
            id,
            created,
            edited,
            locked: None,
            touched: created,
            version: 1,
            covenants,
        });
    }
    simulator.wait(20..60);
    for (clause, source) in simulator.agreement.clauses.iter().enumerate() {
        for (at, variable) in source.variables.iter().enumerate() {
            simulator.blink();
            let id = simulator.id();
            // What stood there first: the oldest baseline, or the spelling that has never changed.
            let baseline = variable.settled.first().map_or(&variable.baseline_value, |first| &first.baseline);
            let kept = variable.settled.is_empty() && term::same(&variable.value, baseline);
            let value = if kept { &variable.value } else { baseline };
            let after = json!({ "label": variable.label, "value": value, "baselineValue": baseline });
            let by = simulator.record(agent, &Act::new("VARIABLE_BIND", ("variable", id)).after(after));
            simulator.variables.push(VariableState {
                id,
                at: (clause, at),
                value: value.clone(),
                baseline: baseline.clone(),
                agreed: simulator.now,
                created: simulator.now,
                edited: (simulator.now, by),
                touched: simulator.now,
                version: 1,
                drifts: false,
            });
        }
    }
}

/// Every change that leads from the imported values to those of today, in order.
fn changes(simulator: &Simulator) -> Vec<Change> {
    let mut changes = Vec::new();
    for (variable, state) in simulator.variables.iter().enumerate() {
        let source = &simulator.agreement.clauses[state.at.0].variables[state.at.1];
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

fn deviates(simulator: &Simulator, change: &Change) -> bool {
    !term::same(&change.to, &simulator.variables[change.variable].baseline)
}

fn editor(simulator: &Simulator, number: usize) -> &'static str {
    simulator.parties.editors[number % simulator.parties.editors.len()]
}

/// The deviations that have come and gone before the first markup; the clause of the first one was locked until then.
fn open_and_settle(simulator: &mut Simulator, changes: Vec<Change>) {
    let Some(first) = changes.first() else { return };
    let clause = simulator.variables[first.variable].at.0;
    lock(simulator, clause, 0.15);
    simulator.go(0.17);
    let (id, agent) = (simulator.clauses[clause].id, simulator.parties.agent);
    let unlocked = Act::new("SECTION_UNLOCKED", ("clause", id))
        .before(json!({ "isLocked": true }))
        .after(json!({ "isLocked": false }))
        .because("Reopened for comments on the first draft.", "other");
    simulator.record(agent, &unlocked);
    simulator.clauses[clause].locked = None;
    simulator.clauses[clause].touched = simulator.now;
    simulator.clauses[clause].version += 1;
    for (number, change) in changes.iter().enumerate() {
        simulator.go(0.18 + 0.04 * number as f64);
        let editor = editor(simulator, number);
        if let Some(item) = edit(simulator, editor, change) {
            simulator.go(0.20 + 0.04 * number as f64);
            settle(simulator, item, change);
        }
    }
}

/// Edits a variable by hand; returns the drift item that this opens.
fn edit(simulator: &mut Simulator, editor: &'static str, change: &Change) -> Option<usize> {
    let state = &simulator.variables[change.variable];
    let act = Act::new("VARIABLE_EDIT", ("variable", state.id))
        .before(json!({ "value": state.value, "rowVersion": state.version }))
        .after(json!({ "value": change.to, "rowVersion": state.version + 1 }))
        .because(&change.reason, &change.category);
    let by = simulator.record(editor, &act);
    simulator.set(change.variable, &change.to, by)
}

/// Settles a drift item as its change says.
pub(super) fn settle(simulator: &mut Simulator, item: usize, change: &Change) {
    let Some(outcome) = &change.outcome else { return };
    let id = simulator.drift[item].id;
    let before = json!({ "status": "unresolved", "baselineValue": outcome.baseline, "currentValue": outcome.current });
    let event =
        |name| Act::new(name, ("drift_item", id)).before(before.clone()).because(&outcome.reason, &outcome.category);
    let done = json!({ "status": outcome.status });
    let by = match outcome.status.as_str() {
        "approved" => simulator.record(simulator.parties.risk, &event("DRIFT_APPROVE").after(done)),
        "reverted" => simulator.record(simulator.parties.reverter, &event("DRIFT_REVERT").after(done)),
        _ if simulator.parties.rules.risk_approval_required_for_override => {
            let asked = event("DRIFT_OVERRIDE").after(json!({ "status": "unresolved", "overridePending": true }));
            simulator.record(simulator.parties.agent, &asked);
            simulator.wait(30..180);
            simulator.record(simulator.parties.risk, &event("DRIFT_APPROVE").after(done))
        }
        _ => simulator.record(simulator.parties.agent, &event("DRIFT_OVERRIDE").after(done)),
    };
    let now = simulator.now;
    let variable = &mut simulator.variables[change.variable];
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
        let clause = &mut simulator.clauses[variable.at.0];
        (clause.edited, clause.touched) = ((now, by), now);
        clause.version += 1;
    }
    let (reason, category) = (outcome.reason.clone(), outcome.category.clone());
    simulator.drift[item].settled = Some(Settlement { status: outcome.status.clone(), by, at: now, reason, category });
}

fn lock(simulator: &mut Simulator, clause: usize, share: f64) {
    simulator.go(share);
    let act = Act::new("SECTION_LOCKED", ("clause", simulator.clauses[clause].id))
        .before(json!({ "isLocked": false }))
        .after(json!({ "isLocked": true }));
    let by = simulator.record(simulator.parties.agent, &act);
    let now = simulator.now;
    let state = &mut simulator.clauses[clause];
    (state.locked, state.touched) = (Some((now, by)), now);
    state.version += 1;
}

fn lock_for_good(simulator: &mut Simulator, share: f64) {
    let agreement = simulator.agreement;
    for (clause, source) in agreement.clauses.iter().enumerate() {
        if source.is_locked {
            lock(simulator, clause, share);
        }
    }
}

/// An override that waits for risk leaves its item unresolved.
fn ask_for_override(simulator: &mut Simulator, share: f64) {
    for item in 0..simulator.drift.len() {
        let (clause, at) = simulator.variables[simulator.drift[item].variable].at;
        let source = &simulator.agreement.clauses[clause].variables[at];
        if !source.override_pending || simulator.drift[item].settled.is_some() {
            continue;
        }
        simulator.go(share);
        let reason = source.reason.as_deref().unwrap_or_default();
        let category = source.category.as_deref().unwrap_or("other");
        let act = Act::new("DRIFT_OVERRIDE", ("drift_item", simulator.drift[item].id))
            .before(json!({ "status": "unresolved" }))
            .after(json!({ "status": "unresolved", "overridePending": true }))
            .because(reason, category);
        let by = simulator.record(simulator.parties.agent, &act);
        let (reason, category) = (reason.to_owned(), category.to_owned());
        simulator.drift[item].asked = Some(Asked { by, at: simulator.now, reason, category });
    }
}

/// A clause of boilerplate is polished, which concerns nobody.
fn tidy(simulator: &mut Simulator, share: f64) {
    simulator.go(share);
    let Some(clause) = simulator.agreement.clauses.iter().rposition(|clause| clause.kind == TermKind::General) else {
        return;
    };
    let state = &simulator.clauses[clause];
    let (before, after) = (json!({ "rowVersion": state.version }), json!({ "rowVersion": state.version + 1 }));
    let act = Act::new("CLAUSE_EDIT", ("clause", state.id)).before(before).after(after);
    let by = simulator.record(editor(simulator, 0), &act);
    let now = simulator.now;
    let state = &mut simulator.clauses[clause];
    (state.edited, state.touched) = ((now, by), now);
    state.version += 1;
}

fn sync(simulator: &mut Simulator, share: f64) {
    simulator.go(share);
    let (nodes, edges) = graph::size(simulator);
    let after = json!({ "nodes": nodes, "edges": edges, "integrityScore": graph::integrity(simulator) });
    simulator.record(simulator.parties.agent, &Act::new("GRAPH_SYNC", ("workspace", simulator.workspace)).after(after));
}
