//! The dependency graph of an agreement, found in its text.
//!
//! It comes about in two steps. [`read_clause`] says all that one clause alone tells; the reading can be stored, and stays
//! good as long as [`ClauseReading::is_of`] says so. [`link`] puts the readings together. So after an edit only the edited
//! clause is read again, and the graph is the same as if every clause had been.

mod definitions;
mod edges;
mod warnings;

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::drift::TermKind;
pub use crate::text::{ClauseReading, read_clause};

/// A clause of an agreement, in the state to be linked.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// Its identifier.
    pub id: Uuid,
    /// Its title, with its number: `7.1 Interest and Margin`.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Its type. General clauses define terms and may be referred to, but have no place in the graph.
    pub kind: TermKind,
    /// Whether a change of it is dangerous.
    pub is_sensitive: bool,
    /// Whether its own words have unresolved drift; that of its variables is added by [`link`].
    pub drifts: bool,
}

/// A commercial term of a clause.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its identifier.
    pub id: Uuid,
    /// The clause it stands in.
    pub clause_id: Uuid,
    /// What it is called.
    pub label: String,
    /// Its type.
    pub kind: TermKind,
    /// Its current value.
    pub value: String,
    /// Whether it has unresolved drift.
    pub drifts: bool,
}

/// An agreement: clauses and variables, each in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Agreement {
    /// The clauses.
    pub clauses: Vec<Clause>,
    /// The variables.
    pub variables: Vec<Variable>,
}

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeRef {
    /// The clause of this identifier.
    Clause(Uuid),
    /// The variable of this identifier.
    Variable(Uuid),
}

/// The type of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// A commercial clause, or an amount, a rate or a fee.
    Financial,
    /// A covenant clause, or a limit or a ratio in one.
    Covenant,
    /// A definition clause, or a defined term.
    Definition,
    /// A clause that mainly refers to others.
    Xref,
}

impl NodeKind {
    /// The type of the node for a clause or a variable of this type; `None` for general clauses, which have no node.
    #[must_use]
    pub const fn of(kind: TermKind) -> Option<Self> {
        match kind {
            TermKind::Financial => Some(Self::Financial),
            TermKind::Covenant | TermKind::Ratio => Some(Self::Covenant),
            TermKind::Definition => Some(Self::Definition),
            TermKind::Xref => Some(Self::Xref),
            TermKind::General => None,
        }
    }

    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Financial => "financial",
            Self::Covenant => "covenant",
            Self::Definition => "definition",
            Self::Xref => "xref",
        }
    }
}

/// A node of the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it stands for.
    pub of: NodeRef,
    /// The clause it is, or stands in.
    pub clause_id: Uuid,
    /// The clause's title or the variable's label.
    pub label: String,
    /// Its type.
    pub kind: NodeKind,
    /// The variable's value.
    pub value: Option<String>,
    /// Whether it has unresolved drift, for a clause its variables' included.
    pub has_drift: bool,
    /// Whether there is a warning about it.
    pub has_warning: bool,
}

/// A dependency: what changes at the source concerns the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// What is depended upon.
    pub source: NodeRef,
    /// What depends.
    pub target: NodeRef,
    /// How strongly, from 1 to 5.
    pub weight: u8,
}

/// What a warning is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WarningKind {
    /// A reference to a clause that is not there.
    DanglingReference,
    /// A term that is used but never defined.
    UndefinedTerm,
    /// A term that is defined more than once.
    DuplicateDefinition,
    /// A term whose definition leads back to it.
    CircularDefinition,
    /// A sensitive clause with unresolved drift.
    SensitiveDrift,
}

impl WarningKind {
    /// As it is named in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DanglingReference => "DANGLING_REFERENCE",
            Self::UndefinedTerm => "UNDEFINED_TERM",
            Self::DuplicateDefinition => "DUPLICATE_DEFINITION",
            Self::CircularDefinition => "CIRCULAR_DEFINITION",
            Self::SensitiveDrift => "SENSITIVE_DRIFT",
        }
    }
}

/// Something a drafter should look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// The node it is about.
    pub of: NodeRef,
    /// What it is about.
    pub kind: WarningKind,
    /// The reference or the term; empty for drift.
    pub subject: String,
    /// A sentence for a person.
    pub message: String,
}

/// The graph of an agreement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// Clauses in their order, then variables in theirs.
    pub nodes: Vec<Node>,
    /// One for each pair of nodes at most, ordered by source and target as the nodes are.
    pub edges: Vec<Edge>,
    /// In the order of the clauses.
    pub warnings: Vec<Warning>,
    /// The integrity score, from 0 to 1.
    pub integrity: Decimal,
}

/// Reads every clause of an agreement and links them.
#[must_use]
pub fn extract(agreement: &Agreement) -> Graph {
    let read: Vec<(Clause, ClauseReading)> =
        agreement.clauses.iter().map(|clause| (clause.clone(), read_clause(&clause.title, &clause.body))).collect();
    link(&read, &agreement.variables)
}

/// Links clauses that have been read. The bodies are not looked at.
#[must_use]
pub fn link(clauses: &[(Clause, ClauseReading)], variables: &[Variable]) -> Graph {
    let _ = (clauses, variables);
    Graph::default()
}

/// The integrity score: 1 − 0.30·(share of nodes with drift) − 0.20·(share with warnings), at least 0, to four decimals.
/// A graph without nodes has nothing wrong with it.
#[must_use]
pub fn integrity(nodes: usize, with_drift: usize, with_warning: usize) -> Decimal {
    let all = Decimal::from(nodes.max(1));
    let lost =
        (Decimal::new(30, 2) * Decimal::from(with_drift) + Decimal::new(20, 2) * Decimal::from(with_warning)) / all;
    (Decimal::ONE - lost).max(Decimal::ZERO).round_dp(4)
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
