//! The columns of a file.

use serde_json::Value;

/// A column of a file: a value of a row, however deep it is nested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The response keys that lead to it.
    pub path: Vec<String>,
    /// What its values are.
    pub kind: ColumnKind,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    Boolean,
    /// Of 32 bits.
    Int,
    /// Of 64 bits, in JSON a string.
    BigInt,
    /// A binary floating-point number.
    Float,
    /// Exact, in JSON a string.
    Decimal,
    /// A day.
    Date,
    /// A moment, with microseconds.
    DateTime,
    /// A name, an id, a text.
    Text,
    /// Whatever else, as JSON.
    Json,
}

impl Column {
    /// Its name in the file.
    pub fn name(&self) -> String {
        self.path.join(".")
    }

    /// Its value in a row; null where something that leads to it is.
    pub(super) fn of<'a>(&self, row: &'a Value) -> &'a Value {
        self.path.iter().fold(row, |value, key| value.get(key).unwrap_or(&Value::Null))
    }
}
