//! What changes in a row: fields that are absent, null or given.

use sea_orm::{ActiveValue, Set, Value};

/// A field of a column that can be empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Patch<T> {
    /// The column stays as it is.
    #[default]
    Absent,
    /// The column is emptied.
    Null,
    /// The column is set.
    Value(T),
}

impl<T> Patch<T> {
    /// Whether the column stays as it is.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if one is given.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// The same, taken out.
    pub fn take(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// What the column holds then: as it was if absent.
    pub fn or(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Absent => before,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }

    /// The same of another value.
    pub fn try_map<U, E>(self, to: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
        Ok(match self {
            Self::Absent => Patch::Absent,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(to(value)?),
        })
    }
}

/// What is given is set; what is none empties the column.
impl<T> From<Option<T>> for Patch<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Value)
    }
}

/// Sets a column that cannot be empty, if a value is given.
pub fn set<T: Into<Value>>(column: &mut ActiveValue<T>, value: Option<T>) {
    if let Some(value) = value {
        *column = Set(value);
    }
}

/// Sets a column that can be empty: absent leaves it, null empties it.
pub fn patch<T>(column: &mut ActiveValue<Option<T>>, value: Patch<T>)
where
    Option<T>: Into<Value>,
{
    match value {
        Patch::Absent => {}
        Patch::Null => *column = Set(None),
        Patch::Value(value) => *column = Set(Some(value)),
    }
}
