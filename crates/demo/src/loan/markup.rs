//! Markups that are uploaded, and what is decided about each of their proposals.

use serde_json::json;

use super::agreement::Proposal;
use super::simulator::{Act, Simulator};
use super::timeline::{self, Change};
use crate::copy::row;

/// Where in the life of the workspace a session is uploaded; it is decided on two hundredths later.
const UPLOADS: [f64; 2] = [0.55, 0.70];

/// Whether the change comes from an applied proposal rather than from an edit by hand.
pub(super) fn proposes(simulator: &Simulator, change: &Change) -> bool {
    let (clause, _) = simulator.variables[change.variable].at;
    let title = &simulator.agreement.clauses[clause].title;
    simulator.agreement.sessions.iter().flat_map(|session| &session.items).any(|proposal| {
        proposal.decision == "applied"
            && proposal.clause == *title
            && proposal.variable.as_deref() == Some(simulator.label(change.variable))
            && proposal.proposed == change.to
    })
}

/// Uploads every markup and decides on its proposals; `changes` are the edits that come of it.
pub(super) fn sessions(simulator: &mut Simulator, changes: &[Change]) {
    for (session, share) in simulator.agreement.sessions.iter().zip(UPLOADS) {
        simulator.go(share);
        let (id, uploaded) = (simulator.id(), simulator.now);
        // There is no event for an upload; its decisions tell of it.
        let uploader = simulator.user(simulator.parties.reconciler).id;
        let mut items: Vec<Item> = session.items.iter().map(|proposal| Item::read(simulator, proposal)).collect();
        simulator.go(share + 0.02);
        let mut settle = Vec::new();
        for item in &mut items {
            if item.proposal.decision != "pending" {
                simulator.wait(3..15);
                settle.extend(item.decide(simulator, changes));
            }
        }
        let decided = items.iter().filter_map(|item| item.decided).max();
        let count = |decision| items.iter().filter(|item| item.proposal.decision == decision).count() as i64;
        simulator.tables.reconciliation_sessions(row![
            id,
            simulator.workspace,
            session.file_name.as_str(),
            session.file_type.as_str(),
            uploaded,
            uploader,
            items.len() as i64,
            count("applied"),
            count("rejected"),
            count("pending"),
            uploaded,
            decided.unwrap_or(uploaded),
            1 + (items.len() as i64 - count("pending")),
        ]);
        for item in items {
            item.row(simulator, id, uploaded);
        }
        simulator.go(share + 0.05);
        for (item, change) in settle {
            simulator.wait(10..50);
            timeline::settle(simulator, item, change);
        }
    }
}

/// A proposal next to what it was compared with.
struct Item<'a> {
    proposal: &'a Proposal,
    id: uuid::Uuid,
    clause: usize,
    variable: Option<usize>,
    baseline: String,
    current: String,
    decided: Option<chrono::DateTime<chrono::Utc>>,
}

impl<'a> Item<'a> {
    fn read(simulator: &mut Simulator<'a>, proposal: &'a Proposal) -> Self {
        let clause = simulator.agreement.clauses.iter().position(|clause| clause.title == proposal.clause);
        let clause = clause.expect("a markup is about a clause that is there");
        let variable = proposal.variable.as_ref().map(|label| {
            let all = 0..simulator.variables.len();
            let mut found = all.filter(|&at| simulator.variables[at].at.0 == clause && simulator.label(at) == label);
            found.next().expect("a markup is about a variable that is there")
        });
        let state = variable.map(|at| &simulator.variables[at]);
        let text = proposal.current.clone().unwrap_or_default();
        let (baseline, current) =
            state.map_or((text.clone(), text), |state| (state.baseline.clone(), state.value.clone()));
        Self { proposal, id: simulator.id(), clause, variable, baseline, current, decided: None }
    }

    /// Applies or rejects it; returns the drift that is to be settled for it.
    fn decide<'c>(&mut self, simulator: &mut Simulator, changes: &'c [Change]) -> Option<(usize, &'c Change)> {
        let reconciler = simulator.parties.reconciler;
        let applied = self.proposal.decision == "applied";
        let act = Act::new(if applied { "RECON_APPLY" } else { "RECON_REJECT" }, ("reconciliation_item", self.id))
            .before(json!({ "decision": "pending", "value": self.current }))
            .after(json!({ "decision": self.proposal.decision, "value": if applied { &self.proposal.proposed } else { &self.current } }))
            .because(
                self.proposal.reason.as_deref().unwrap_or_default(),
                self.proposal.category.as_deref().unwrap_or("other"),
            );
        let by = simulator.record(reconciler, &act);
        self.decided = Some(simulator.now);
        let variable = self.variable.filter(|_| applied)?;
        let item = simulator.set(variable, &self.proposal.proposed, by)?;
        let change = changes.iter().find(|change| change.variable == variable && change.outcome.is_some())?;
        Some((item, change))
    }

    fn row(self, simulator: &mut Simulator, session: uuid::Uuid, uploaded: chrono::DateTime<chrono::Utc>) {
        let by = self.decided.map(|_| simulator.user(simulator.parties.reconciler).id);
        simulator.tables.reconciliation_items(row![
            self.id,
            simulator.workspace,
            session,
            self.proposal.snippet.as_str(),
            simulator.clauses[self.clause].id,
            self.variable.map(|variable| simulator.variables[variable].id),
            self.proposal.confidence.as_str(),
            self.baseline,
            self.current,
            self.proposal.proposed.as_str(),
            self.proposal.decision.as_str(),
            self.decided.and(self.proposal.reason.as_deref()),
            by,
            self.decided,
            uploaded,
            self.decided.unwrap_or(uploaded),
            if self.decided.is_some() { 2 } else { 1 },
        ]);
    }
}
