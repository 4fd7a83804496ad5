//! The dependency graph of an agreement, found in its text.
//!
//! It comes about in two steps. [`read_clause`] says all that one clause alone tells; the reading can be stored, and stays
//! good as long as [`ClauseReading::is_of`] says so. [`link`] puts the readings together. So after an edit only the edited
//! clause is read again, and the graph is the same as if every clause had been.

mod addresses;
mod circles;
mod dictionary;
mod linking;
mod model;
mod names;
mod undefined;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hash;

use rust_decimal::{Decimal, RoundingStrategy};
use uuid::Uuid;

pub use self::model::{
    Agreement, Clause, Edge, Graph, Node, NodeKind, NodeRef, TermUse, Variable, Warning, WarningKind,
};
pub use crate::text::{ClauseReading, read_clause};

/// Reads every clause of an agreement and links them.
#[must_use]
pub fn extract(agreement: &Agreement) -> Graph {
    let read: Vec<(Clause, ClauseReading)> =
        agreement.clauses.iter().map(|clause| (clause.clone(), read_clause(&clause.title, &clause.body))).collect();
    link(&read, &agreement.variables)
}

/// A variable decides what its clause says.
const BOUND: u8 = 5;
/// Two variables of one clause are read together.
const BESIDE: u8 = 2;

/// Links clauses that have been read. The bodies are not looked at.
#[must_use]
pub fn link(clauses: &[(Clause, ClauseReading)], variables: &[Variable]) -> Graph {
    let mut nodes: Vec<Node> = clauses.iter().filter_map(|(clause, _)| clause_node(clause)).collect();
    nodes.extend(variables.iter().filter_map(variable_node));
    let places: HashMap<NodeRef, usize> = nodes.iter().enumerate().map(|(at, node)| (node.of, at)).collect();

    let links = linking::Links::find(clauses);
    let mut ties: BTreeMap<(usize, usize), u8> = BTreeMap::new();
    let mut connect = |source: NodeRef, target: NodeRef, weight: u8| {
        if let (Some(&source), Some(&target)) = (places.get(&source), places.get(&target)) {
            ties.insert((source, target), weight);
        }
    };
    let clause_ref = |at: usize| NodeRef::Clause(clauses[at].0.id);
    for ((on, at), weight) in links.ties {
        connect(clause_ref(on), clause_ref(at), weight);
    }
    let mut last: HashMap<Uuid, NodeRef> = HashMap::new();
    for variable in variables {
        let node = NodeRef::Variable(variable.id);
        connect(node, NodeRef::Clause(variable.clause_id), BOUND);
        // Each with the one before: enough to connect them, and a long clause does not become a knot.
        if let Some(before) = last.insert(variable.clause_id, node) {
            connect(before, node, BESIDE);
        }
    }
    let edge = |((source, target), weight): ((usize, usize), u8)| Edge {
        source: nodes[source].of,
        target: nodes[target].of,
        weight,
    };
    let edges = ties.into_iter().map(edge).collect();
    let warnings = links.flaws.into_iter().map(|flaw| Warning {
        of: clause_ref(flaw.clause),
        kind: flaw.kind,
        subject: flaw.subject,
        message: flaw.message,
    });
    // Of clauses without a node nothing is said.
    let warnings = warnings.filter(|warning| places.contains_key(&warning.of)).collect();
    let uses = links.uses.into_iter().map(|found| TermUse {
        term: found.term,
        defined_in: clauses[found.home].0.id,
        used_in: clauses[found.clause].0.id,
        count: found.count,
    });
    let mut graph = Graph { nodes, edges, uses: uses.collect(), warnings, integrity: Decimal::ONE };
    let drifting = clauses.iter().filter(|(clause, _)| clause.drifts).map(|(clause, _)| NodeRef::Clause(clause.id));
    let moved = variables.iter().filter(|variable| variable.drifts).map(|variable| NodeRef::Variable(variable.id));
    graph.set_drift(&drifting.chain(moved).collect());
    graph
}

fn clause_node(clause: &Clause) -> Option<Node> {
    Some(Node {
        of: NodeRef::Clause(clause.id),
        clause_id: clause.id,
        label: clause.title.clone(),
        kind: NodeKind::of(clause.kind)?,
        value: None,
        is_sensitive: clause.is_sensitive,
        has_drift: false,
        has_warning: false,
    })
}

fn variable_node(variable: &Variable) -> Option<Node> {
    Some(Node {
        of: NodeRef::Variable(variable.id),
        clause_id: variable.clause_id,
        label: variable.label.clone(),
        kind: NodeKind::of(variable.kind)?,
        value: Some(variable.value.clone()),
        is_sensitive: false,
        has_drift: false,
        has_warning: false,
    })
}

impl Graph {
    /// Sets which clauses and variables have unresolved drift, and all that follows from it: a clause drifts with its
    /// variables, sensitive clauses that drift are warned of, and the integrity is scored anew. Edges and what is said of
    /// the text do not depend on drift, so after a change of a value this is all there is to do.
    pub fn set_drift(&mut self, drifting: &HashSet<NodeRef>) {
        let moved = |node: &&Node| drifting.contains(&node.of);
        let clauses: HashSet<Uuid> = self.nodes.iter().filter(moved).map(|node| node.clause_id).collect();
        self.warnings.retain(|warning| warning.kind != WarningKind::SensitiveDrift);
        for node in &mut self.nodes {
            node.has_drift = match node.of {
                NodeRef::Clause(id) => clauses.contains(&id),
                variable @ NodeRef::Variable(_) => drifting.contains(&variable),
            };
            if node.is_sensitive && node.has_drift {
                self.warnings.push(Warning {
                    of: node.of,
                    kind: WarningKind::SensitiveDrift,
                    subject: String::new(),
                    message: "Is sensitive and has drift that nobody has settled.".to_owned(),
                });
            }
        }
        let places: HashMap<NodeRef, usize> = self.nodes.iter().enumerate().map(|(at, node)| (node.of, at)).collect();
        self.warnings.sort_by_key(|warning| places.get(&warning.of).copied());
        let warned: HashSet<NodeRef> = self.warnings.iter().map(|warning| warning.of).collect();
        for node in &mut self.nodes {
            node.has_warning = warned.contains(&node.of);
        }
        let count = |has: fn(&Node) -> bool| self.nodes.iter().filter(|node| has(node)).count();
        self.integrity = integrity(self.nodes.len(), count(|node| node.has_drift), count(|node| node.has_warning));
    }
}

/// The integrity score: 1 − 0.30·(share of nodes with drift) − 0.20·(share with warnings), at least 0, to four decimals,
/// halves rounded up as PostgreSQL does.
/// A graph without nodes has nothing wrong with it.
#[must_use]
pub fn integrity(nodes: usize, with_drift: usize, with_warning: usize) -> Decimal {
    let all = Decimal::from(nodes.max(1));
    let lost =
        (Decimal::new(30, 2) * Decimal::from(with_drift) + Decimal::new(20, 2) * Decimal::from(with_warning)) / all;
    (Decimal::ONE - lost).max(Decimal::ZERO).round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero)
}

/// Everything that a change of `start` may concern: what can be reached along the edges (source, target), each with its
/// distance in edges, nearest first. The start itself is left out, also where a circle leads back to it.
pub fn impact<N: Copy + Eq + Hash>(edges: impl IntoIterator<Item = (N, N)>, start: N) -> Vec<(N, u32)> {
    let mut targets: HashMap<N, Vec<N>> = HashMap::new();
    for (source, target) in edges {
        targets.entry(source).or_default().push(target);
    }
    let mut distances: HashMap<N, u32> = HashMap::from([(start, 0)]);
    let mut reached = Vec::new();
    let mut open = VecDeque::from([(start, 0)]);
    while let Some((node, distance)) = open.pop_front() {
        for &next in targets.get(&node).into_iter().flatten() {
            distances.entry(next).or_insert_with(|| {
                reached.push((next, distance + 1));
                open.push_back((next, distance + 1));
                distance + 1
            });
        }
    }
    reached
}
