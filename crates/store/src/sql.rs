//! Statements under construction: text and bound values side by side.
//!
//! Identifiers come from the catalog and are `&'static str`; whatever a client sends is bound, never spliced. Values are
//! bound as text with a cast, so that one code path serves every column type; a client's value has been parsed before it
//! comes here, so the cast cannot fail.

use std::fmt::Write;

use aether_entity::catalog::Kind;
use sea_orm::Value;
use uuid::Uuid;

/// A piece of SQL with its bound values, or a whole statement.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sql {
    pub(crate) text: String,
    pub(crate) values: Vec<Value>,
}

impl Sql {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Appends trusted text: keywords, identifiers of the catalog.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends `alias.column`.
    pub(crate) fn column(&mut self, alias: &str, column: &'static str) -> &mut Self {
        let _ = write!(self.text, "{alias}.\"{column}\"");
        self
    }

    /// Appends a number that the gateway itself chose (a limit); such numbers shape the plan, so they stay in the text.
    pub(crate) fn number(&mut self, number: u64) -> &mut Self {
        let _ = write!(self.text, "{number}");
        self
    }

    fn bind(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        let _ = write!(self.text, "${}", self.values.len());
        self
    }

    /// Binds a UUID.
    pub(crate) fn uuid(&mut self, value: Uuid) -> &mut Self {
        self.bind(value.into())
    }

    /// Binds a list of UUIDs.
    pub(crate) fn uuids(&mut self, values: Vec<Uuid>) -> &mut Self {
        self.bind(values.into())
    }

    /// Binds bytes.
    pub(crate) fn bytes(&mut self, value: Vec<u8>) -> &mut Self {
        self.bind(value.into())
    }

    /// Binds JSON.
    pub(crate) fn json(&mut self, value: serde_json::Value) -> &mut Self {
        self.bind(value.into())
    }

    /// Binds an integer.
    pub(crate) fn int(&mut self, value: i32) -> &mut Self {
        self.bind(value.into())
    }

    /// Binds a decimal number.
    pub(crate) fn decimal(&mut self, value: rust_decimal::Decimal) -> &mut Self {
        self.bind(value.into())
    }

    /// Binds text.
    pub(crate) fn text(&mut self, value: impl Into<String>) -> &mut Self {
        self.bind(Value::from(value.into())).push("::text")
    }

    /// Binds the canonical text of a value of this kind.
    pub(crate) fn value(&mut self, kind: Kind, value: impl Into<String>) -> &mut Self {
        self.text(value);
        self.cast(kind)
    }

    /// Binds canonical texts as an array of this kind.
    pub(crate) fn values(&mut self, kind: Kind, values: Vec<String>) -> &mut Self {
        self.bind(values.into()).push("::text[]");
        if !matches!(kind, Kind::Text) {
            self.push("::").push(sql_type(kind)).push("[]");
        }
        self
    }

    /// Casts what came before to this kind's type.
    pub(crate) fn cast(&mut self, kind: Kind) -> &mut Self {
        if matches!(kind, Kind::Text) {
            return self;
        }
        self.push("::").push(sql_type(kind))
    }

    /// Appends another piece, renumbering its parameters.
    pub(crate) fn append(&mut self, other: &Sql) -> &mut Self {
        if other.values.is_empty() {
            return self.push(&other.text);
        }
        let offset = self.values.len();
        let mut rest = other.text.as_str();
        while let Some(at) = rest.find('$') {
            self.text.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: usize = rest[..digits].parse().unwrap_or_default();
            let _ = write!(self.text, "{}", number + offset);
            rest = &rest[digits..];
        }
        self.text.push_str(rest);
        self.values.extend(other.values.iter().cloned());
        self
    }
}

fn sql_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Uuid => "uuid",
        Kind::Text => "text",
        Kind::Boolean => "boolean",
        Kind::Int => "integer",
        Kind::BigInt => "bigint",
        Kind::Decimal => "numeric",
        Kind::Date => "date",
        Kind::Timestamp => "timestamptz",
        Kind::Json => "jsonb",
        Kind::Bytes => "bytea",
        Kind::Inet => "inet",
        Kind::Enum(definition) => definition.name,
        Kind::UuidList => "uuid[]",
        Kind::TextList => "text[]",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appending_renumbers_parameters() {
        let mut inner = Sql::new();
        inner.push("a = ").text("x").push(" AND b = ").int(1);
        let mut outer = Sql::new();
        outer.push("id = ").uuid(Uuid::nil()).push(" AND ").append(&inner);
        assert_eq!(outer.text, "id = $1 AND a = $2::text AND b = $3");
        assert_eq!(outer.values.len(), 3);
    }
}
