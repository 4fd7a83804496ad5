//! What a graph is made from, and what it consists of.

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::drift::TermKind;

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
    /// Whether its own words have unresolved drift; that of its variables is added by [`link`](super::link).
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
    /// Whether it is a clause whose change is dangerous.
    pub is_sensitive: bool,
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

/// A defined term that another clause uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermUse {
    /// The term, as it is spelled where it is defined.
    pub term: String,
    /// The clause that defines it.
    pub defined_in: Uuid,
    /// The clause that uses it.
    pub used_in: Uuid,
    /// How often.
    pub count: u32,
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
    /// In the order of the clauses that use them, and of the terms.
    pub uses: Vec<TermUse>,
    /// In the order of the clauses.
    pub warnings: Vec<Warning>,
    /// The integrity score, from 0 to 1.
    pub integrity: Decimal,
}
