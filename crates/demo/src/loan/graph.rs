//! The dependency graph of a workspace, and the integrity that follows from it.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use uuid::Uuid;

use super::desk::Desk;
use crate::copy::row;

/// A variable decides what its clause says.
const BOUND: i32 = 5;
/// Two variables of one clause are read together.
const BESIDE: i32 = 2;

/// What the score is made of.
struct Health {
    /// Clauses and variables with unresolved drift.
    clauses: BTreeSet<usize>,
    variables: BTreeSet<usize>,
    /// Clauses whose text has a flaw, and sensitive ones with drift.
    warned: BTreeSet<usize>,
    /// How many nodes there are.
    nodes: usize,
}

impl Health {
    fn of(desk: &Desk) -> Self {
        let inside = |clause: &usize| desk.agreement.clauses[*clause].kind != "general";
        let variables: BTreeSet<usize> = (0..desk.variables.len()).filter(|&at| desk.variables[at].drifts).collect();
        let clauses: BTreeSet<usize> = variables.iter().map(|&at| desk.variables[at].at.0).filter(inside).collect();
        let sensitive = clauses.iter().copied().filter(|&clause| desk.agreement.clauses[clause].is_sensitive);
        let warned = desk.reading.flawed().into_iter().filter(inside).chain(sensitive).collect();
        let nodes = (0..desk.clauses.len()).filter(inside).count() + desk.variables.len();
        Self { clauses, variables, warned, nodes }
    }

    /// 1 − 0.30·(share with drift) − 0.20·(share with warnings), at least 0.
    fn integrity(&self) -> Decimal {
        let nodes = Decimal::from(self.nodes.max(1));
        let drift = Decimal::from(self.clauses.len() + self.variables.len()) / nodes;
        let warned = Decimal::from(self.warned.len()) / nodes;
        let score = Decimal::ONE - Decimal::new(30, 2) * drift - Decimal::new(20, 2) * warned;
        score.max(Decimal::ZERO).round_dp(4)
    }
}

/// The integrity at this moment.
pub(super) fn integrity(desk: &Desk) -> Decimal {
    Health::of(desk).integrity()
}

/// How many nodes and edges a sync finds.
pub(super) fn size(desk: &Desk) -> (usize, usize) {
    (Health::of(desk).nodes, edges(desk).len())
}

/// A node: a clause or a variable, by position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Clause(usize),
    Variable(usize),
}

fn edges(desk: &Desk) -> BTreeMap<(Node, Node), i32> {
    let inside = |clause: usize| desk.agreement.clauses[clause].kind != "general";
    let mut edges = BTreeMap::new();
    for (&(on, at), &weight) in &desk.reading.dependencies {
        if inside(on) && inside(at) {
            edges.insert((Node::Clause(on), Node::Clause(at)), weight);
        }
    }
    for (at, variable) in desk.variables.iter().enumerate() {
        if inside(variable.at.0) {
            edges.insert((Node::Variable(at), Node::Clause(variable.at.0)), BOUND);
        }
        // Each with the one before: enough to connect them, and a long clause does not become a knot.
        if variable.at.1 > 0 {
            edges.insert((Node::Variable(at - 1), Node::Variable(at)), BESIDE);
        }
    }
    edges
}

/// Fills the three tables of the graph, as the sync at this moment finds it.
pub(super) fn rows(desk: &mut Desk) {
    let health = Health::of(desk);
    let mut ids: BTreeMap<Node, Uuid> = BTreeMap::new();
    for at in 0..desk.clauses.len() {
        let clause = &desk.agreement.clauses[at];
        if clause.kind == "general" {
            continue;
        }
        let (id, state) = (desk.ids.at(desk.clauses[at].created), &desk.clauses[at]);
        ids.insert(Node::Clause(at), id);
        desk.tables.graph_nodes(row![
            id,
            desk.workspace,
            clause.title.as_str(),
            clause.kind.as_str(),
            state.id,
            None::<Uuid>,
            None::<&str>,
            health.clauses.contains(&at),
            health.warned.contains(&at),
            state.created,
            desk.now,
        ]);
    }
    for (at, variable) in desk.variables.iter().enumerate() {
        let source = &desk.agreement.clauses[variable.at.0].variables[variable.at.1];
        let id = desk.ids.at(variable.created);
        ids.insert(Node::Variable(at), id);
        desk.tables.graph_nodes(row![
            id,
            desk.workspace,
            source.label.as_str(),
            if source.kind == "ratio" { "covenant" } else { source.kind.as_str() },
            desk.clauses[variable.at.0].id,
            variable.id,
            variable.value.as_str(),
            health.variables.contains(&at),
            false,
            variable.created,
            desk.now,
        ]);
    }
    for ((source, target), weight) in edges(desk) {
        let id = desk.id();
        desk.tables.graph_edges(row![id, desk.workspace, ids[&source], ids[&target], weight, desk.now]);
    }
    let id = desk.ids.at(desk.opened);
    desk.tables.graph_state(row![id, desk.workspace, health.integrity(), desk.now]);
}
