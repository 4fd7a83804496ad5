//! Scalars: what a kind of column is called in GraphQL, and what a client may write for it.

use aether_entity::catalog::Kind;
use aether_store::{
    model::enum_type_name,
    model::enum_value_name,
    value::{canonical, example},
};
use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, Utc};

/// The scalars that are ours: name, description, specification.
pub(crate) const SCALARS: &[(&str, &str, Kind)] = &[
    (
        "UUID",
        "A UUID in the form of RFC 9562, such as `019312d0-3c5a-7b6e-8f00-0242ac120002`; capital letters are taken too.",
        Kind::Uuid,
    ),
    (
        "Decimal",
        "An exact decimal number, sent as a string so that no digit is lost: `\"1250000.50\"`. Taken are digits with an optional \
         minus, fraction and exponent (`\"1.25e6\"`), and numbers; up to 28 digits, and of 29 those up to 79228162514264337593543950335.",
        Kind::Decimal,
    ),
    ("BigInt", "A whole number of up to 64 bits, sent as a string. Numbers are taken too.", Kind::BigInt),
    ("Date", "A day, as ISO 8601 and RFC 3339 write it: `2026-11-22`.", Kind::Date),
    (
        "DateTime",
        "A moment by RFC 3339, sent in UTC with microseconds: `2026-11-22T09:30:00.000000Z`. Taken are all with `T` and a zone, such as \
         `2026-11-22T10:30:00+01:00`.",
        Kind::Timestamp,
    ),
    ("JSON", "Any JSON value without the character NUL (U+0000).", Kind::Json),
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

/// The items of what may be a list: as GraphQL coerces, one is a list of one.
pub(crate) fn items(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        single => std::slice::from_ref(single),
    }
}

/// The canonical text of a value as a client wrote it, or what is wrong with it.
pub(crate) fn parse(kind: Kind, value: &Value) -> Result<String, String> {
    let text = match (kind, value) {
        (Kind::Json, value) => {
            let json = value.clone().into_json().map_err(|_| "This is no JSON.".to_owned())?;
            // PostgreSQL's jsonb has no NUL.
            return if has_nul(&json) { Err("JSON must not contain NUL.".into()) } else { Ok(json.to_string()) };
        }
        (Kind::Enum(definition), Value::Enum(name)) => return label(definition, name),
        (Kind::Enum(definition), Value::String(name)) => return label(definition, name),
        (Kind::Boolean, Value::Boolean(value)) => value.to_string(),
        (Kind::Int | Kind::BigInt | Kind::Decimal, Value::Number(number)) => number.to_string(),
        (Kind::Int | Kind::Boolean, _) => return Err(wrong(kind)),
        (_, Value::String(text)) => text.clone(),
        _ => return Err(wrong(kind)),
    };
    canonical(kind, &text).ok_or_else(|| wrong(kind))
}

/// What is told to those who wrote something else than a value of this kind.
pub(crate) fn wrong(kind: Kind) -> String {
    let is = match kind {
        Kind::Text => return "Text must not contain NUL characters.".into(),
        Kind::Inet => "This is no IP address.".into(),
        _ => format!("This is no {}.", type_name(kind)),
    };
    example(kind).map_or(is.clone(), |example| format!("{is} {example}"))
}

/// Whether a string or a name in it has the character itself; what only spells it, as `\\u0000` in a JSON string does, has not.
fn has_nul(json: &serde_json::Value) -> bool {
    match json {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(items) => items.iter().any(has_nul),
        serde_json::Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
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
        Ok(Self(text.parse().map_err(|_| InputValueError::custom(wrong(Kind::BigInt)))?))
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
        Ok(Self(text.parse().map_err(|_| InputValueError::custom(wrong(Kind::Timestamp)))?))
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
    #[test]
    fn what_is_wrong_shows_what_is_right() {
        let told = parse(Kind::Date, &Value::from("03.02.2024")).unwrap_err();
        assert_eq!(told, "This is no Date. Write a date as 2026-11-22.");
        let told = parse(Kind::Timestamp, &Value::from(1)).unwrap_err();
        assert_eq!(told, "This is no DateTime. Write a moment as 2026-11-22T09:30:00Z.");
    }

    #[test]
    fn json_has_no_nul_wherever_it_stands_but_may_spell_it() {
        let json = |text: &str| {
            let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
            parse(Kind::Json, &Value::from_json(value.clone()).expect("a value"))
                .map(|text| assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value))
        };
        // RFC 8259, section 7: a backslash is written \\ and NUL \u0000.
        for text in [r#""\\u0000""#, r#"{"a\\u0000":["\\\\u0000", null, 1.5]}"#, r#""\u0001""#] {
            assert_eq!(json(text), Ok(()), "{text}");
        }
        for text in [r#""\u0000""#, r#""a\\\u0000b""#, r#"{"a\u0000": 1}"#, r#"[{"a": ["\u0000"]}]"#] {
            assert_eq!(json(text), Err("JSON must not contain NUL.".into()), "{text}");
        }
    }
}
