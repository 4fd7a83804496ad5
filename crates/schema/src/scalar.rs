//! Scalars: what a kind of column is called in GraphQL, and what a client may write for it.

use aether_entity::catalog::Kind;
use aether_store::{model::enum_type_name, model::enum_value_name, value::canonical};
use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, Utc};

/// The scalars that are ours: name, description, specification.
pub(crate) const SCALARS: &[(&str, &str, Kind)] = &[
    ("UUID", "A UUID (RFC 9562), such as `019312d0-3c5a-7b6e-8f00-0242ac120002`.", Kind::Uuid),
    (
        "Decimal",
        "An exact decimal number, sent as a string so that no digit is lost: `\"1250000.50\"`. Numbers are taken too.",
        Kind::Decimal,
    ),
    ("BigInt", "A whole number of up to 64 bits, sent as a string. Numbers are taken too.", Kind::BigInt),
    ("Date", "A day, ISO 8601: `2026-11-22`.", Kind::Date),
    ("DateTime", "A moment, RFC 3339 in UTC with microseconds: `2026-11-22T09:30:00.000000Z`.", Kind::Timestamp),
    ("JSON", "Any JSON value.", Kind::Json),
];

/// The GraphQL type of a kind's values, without nullability.
pub(crate) fn type_name(kind: Kind) -> String {
    match kind {
        Kind::Uuid => "UUID".into(),
        Kind::Text | Kind::Inet | Kind::Bytes => "String".into(),
        Kind::Boolean => "Boolean".into(),
        Kind::Int => "Int".into(),
        Kind::BigInt => "BigInt".into(),
        Kind::Decimal => "Decimal".into(),
        Kind::Date => "Date".into(),
        Kind::Timestamp => "DateTime".into(),
        Kind::Json => "JSON".into(),
        Kind::Enum(definition) => enum_type_name(definition.name),
        Kind::UuidList => "[UUID!]".into(),
        Kind::TextList => "[String!]".into(),
    }
}

/// The input type that filters columns of a kind.
pub(crate) fn filter_name(kind: Kind) -> String {
    match kind {
        Kind::UuidList => "UUIDListFilter".into(),
        Kind::TextList => "StringListFilter".into(),
        Kind::Inet => "InetFilter".into(),
        kind => format!("{}Filter", type_name(kind)),
    }
}

/// The canonical text of a value as a client wrote it, or what is wrong with it.
pub(crate) fn parse(kind: Kind, value: &Value) -> Result<String, String> {
    let text = match (kind, value) {
        (Kind::Json, value) => {
            let json = value.clone().into_json().map_err(|_| "This is no JSON.".to_owned())?.to_string();
            // PostgreSQL's jsonb has no NUL.
            return if json.contains("\\u0000") { Err("JSON must not contain NUL.".into()) } else { Ok(json) };
        }
        (Kind::Enum(definition), Value::Enum(name)) => return label(definition, name),
        (Kind::Enum(definition), Value::String(name)) => return label(definition, name),
        (Kind::Boolean, Value::Boolean(value)) => value.to_string(),
        (Kind::Int | Kind::BigInt | Kind::Decimal, Value::Number(number)) => number.to_string(),
        (Kind::Int | Kind::Boolean, _) => return Err(format!("This is no {}.", type_name(kind))),
        (_, Value::String(text)) => text.clone(),
        _ => return Err(format!("This is no {}.", type_name(kind))),
    };
    canonical(kind, &text).ok_or_else(|| match kind {
        Kind::Text => "Text must not contain NUL characters.".into(),
        Kind::Inet => "This is no IP address.".into(),
        _ => format!("This is no {}.", type_name(kind)),
    })
}

fn label(definition: &aether_entity::catalog::Enum, name: &str) -> Result<String, String> {
    definition
        .values
        .iter()
        .find(|value| enum_value_name(value.label) == name)
        .map(|value| value.label.to_owned())
        .ok_or_else(|| format!("{name} is no value of {}.", enum_type_name(definition.name)))
}

/// A `BigInt` of a hand-written resolver.
pub(crate) struct BigInt(pub(crate) i64);

#[Scalar(name = "BigInt")]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = parse(Kind::BigInt, &value).map_err(InputValueError::custom)?;
        Ok(Self(text.parse().map_err(|_| InputValueError::custom("This is no BigInt."))?))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A `DateTime` of a hand-written resolver.
pub(crate) struct Moment(pub(crate) DateTime<Utc>);

#[Scalar(name = "DateTime")]
impl ScalarType for Moment {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = parse(Kind::Timestamp, &value).map_err(InputValueError::custom)?;
        Ok(Self(text.parse().map_err(|_| InputValueError::custom("This is no DateTime."))?))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_strings_are_decimals() {
        assert_eq!(parse(Kind::Decimal, &Value::from(12.5)).as_deref(), Ok("12.5"));
        assert_eq!(parse(Kind::Decimal, &Value::from("0.10")).as_deref(), Ok("0.10"));
        assert!(parse(Kind::Decimal, &Value::from("many")).is_err());
        assert!(parse(Kind::Int, &Value::from(1.5)).is_err());
    }
}
