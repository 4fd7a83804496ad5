//! What can be wrong with the log, in sentences.

use std::fmt::{self, Display, Formatter};

use uuid::Uuid;

/// An audit row, as its leaf names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its table.
    pub source: String,
    /// Its identifier.
    pub id: Uuid,
}

/// The first thing that is wrong with the logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The tree, which is the identifier of an organization or a workspace; none for what is in no tree.
    pub tree: Option<Uuid>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The row is not what was sealed; the leaf is.
    RowAltered {
        /// The leaf's place.
        leaf: u64,
        /// The row.
        row: AuditRow,
    },
    /// The row was sealed and is gone.
    RowMissing {
        /// The leaf's place.
        leaf: u64,
        /// The row.
        row: AuditRow,
    },
    /// The leaf is neither what the row hashes to nor what the head was signed over.
    LeafAltered {
        /// The leaf's place.
        leaf: u64,
        /// The row.
        row: AuditRow,
        /// The size of the head.
        tree_size: u64,
    },
    /// Rows and leaves agree, and the head was signed over others.
    LeavesAltered {
        /// The first leaf that may be meant.
        from: u64,
        /// The leaf after the last that may be meant.
        to: u64,
        /// The size of the head.
        tree_size: u64,
    },
    /// There is no such leaf, although a head covers it.
    LeafMissing {
        /// The leaf's place.
        leaf: u64,
    },
    /// No head covers the leaf.
    LeafUnsigned {
        /// The leaf's place.
        leaf: u64,
    },
    /// The stored node is not what its leaves give.
    NodeAltered {
        /// Its height.
        level: u8,
        /// Its place.
        index: u64,
    },
    /// There are inner nodes that no leaves stand below.
    NodesLeftOver {
        /// How many there are.
        stored: u64,
        /// How many there should be.
        expected: u64,
    },
    /// The signature is not of the head.
    HeadAltered {
        /// The head's size.
        tree_size: u64,
    },
    /// The head is signed by a key that is not the gateway's.
    HeadByStranger {
        /// The head's size.
        tree_size: u64,
        /// The key.
        public_key: [u8; 32],
    },
    /// The log does not contain the head that is remembered elsewhere.
    Rewritten {
        /// The head's size.
        tree_size: u64,
    },
    /// The row was never sealed and does not wait to be: it came in past the gateway.
    RowUnsealed {
        /// The row.
        row: AuditRow,
    },
    /// The row waits to be sealed and is gone.
    PendingMissing {
        /// The row.
        row: AuditRow,
    },
}

impl Display for AuditRow {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "row {} of {}", self.id, self.source)
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.tree {
            Some(tree) => write!(f, "{} (Tree {tree}.)", self.problem),
            None => self.problem.fmt(f),
        }
    }
}

impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::RowAltered { leaf, row } => {
                write!(f, "The {row} was altered: it is not what was sealed as leaf {leaf}.")
            }
            Self::RowMissing { leaf, row } => write!(f, "The {row}, sealed as leaf {leaf}, is gone."),
            Self::LeafAltered { leaf, row, tree_size } => write!(
                f,
                "Leaf {leaf} of audit_leaves, of the {row}, was altered: the signed head of size {tree_size} has another."
            ),
            Self::LeavesAltered { from, to, tree_size } => write!(
                f,
                "A row of the audit trail was altered together with its leaf, one of {from} to {}: the signed head of size \
                 {tree_size} has another.",
                to - 1
            ),
            Self::LeafMissing { leaf } => write!(f, "Leaf {leaf} of audit_leaves is gone."),
            Self::LeafUnsigned { leaf } => write!(f, "Leaf {leaf} of audit_leaves is covered by no signed head."),
            Self::NodeAltered { level: 0, index } => write!(f, "Leaf {index} of audit_leaves is no hash."),
            Self::NodeAltered { level, index } => {
                write!(f, "Node {index} of level {level} of audit_nodes was altered: its leaves give another hash.")
            }
            Self::NodesLeftOver { stored, expected } => {
                write!(f, "audit_nodes has {stored} rows, and the leaves give {expected}.")
            }
            Self::HeadAltered { tree_size } => {
                write!(f, "The head of size {tree_size} of audit_tree_heads was altered: its signature is not of it.")
            }
            Self::HeadByStranger { tree_size, public_key } => {
                write!(f, "The head of size {tree_size} of audit_tree_heads is signed by the unknown key ")?;
                public_key.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                write!(f, ". If it is an earlier key of yours, add its secret to AETHER_AUDIT_SIGNING_KEYS.")
            }
            Self::Rewritten { tree_size } => {
                write!(f, "The log was rewritten: the known head of size {tree_size} has another root.")
            }
            Self::RowUnsealed { row } => {
                write!(f, "The {row} was never sealed and does not wait to be: it was put in past the triggers.")
            }
            Self::PendingMissing { row } => write!(f, "The {row} was deleted before it was sealed."),
        }
    }
}
