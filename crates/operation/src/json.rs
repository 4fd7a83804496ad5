//! JSON with its numbers as they were written.
//!
//! A number of JSON is a text of any length; what reads it into 64 bits loses digits of money. Here it stays text until it is
//! known what it is for.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` and `false`
    Boolean(bool),
    /// A number, as it was written.
    Number(String),
    /// A string.
    String(String),
    /// A list.
    List(Vec<Json>),
    /// An object, in the order in which it was written.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a JSON text that nests at most so deep.
    pub fn read(text: &str, nesting: usize) -> Result<Self, String> {
        if nests_deeper(text, nesting) {
            return Err(format!("The variables are nested more than {nesting} levels deep. Nest them less."));
        }
        serde_json::from_str::<Tree>(text).map(|tree| tree.0).map_err(|error| error.to_string())
    }

    /// What an object has under a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }
}

/// Whether JSON nests deeper, told without reading it.
fn nests_deeper(text: &str, most: usize) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > most {
            return true;
        }
    }
    false
}

/// Reads values one by one as raw text, which shows what each is, and numbers by their text.
struct Tree(Json);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let wrong = D::Error::custom;
        Ok(Self(match raw.as_bytes().first() {
            Some(b'n') => Json::Null,
            Some(b't') => Json::Boolean(true),
            Some(b'f') => Json::Boolean(false),
            Some(b'"') => Json::String(serde_json::from_str(raw).map_err(wrong)?),
            Some(b'[') => Json::List(serde_json::from_str::<Items>(raw).map_err(wrong)?.0),
            Some(b'{') => Json::Object(serde_json::from_str::<Fields>(raw).map_err(wrong)?.0),
            _ => Json::Number(raw.to_owned()),
        }))
    }
}

struct Items(Vec<Json>);

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Reading)
    }
}

struct Fields(Vec<(String, Json)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ReadingFields)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Items;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items, A::Error> {
        let mut items = Vec::new();
        while let Some(Tree(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Items(items))
    }
}

struct ReadingFields;

impl<'de> Visitor<'de> for ReadingFields {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields: Vec<(String, Json)> = Vec::new();
        while let Some((name, Tree(value))) = map.next_entry::<String, Tree>()? {
            fields.push((name, value));
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_text() {
        let json = Json::read(r#"{"a": [1234567890123456.780, "1\u00e9\"]", null, true], "b": {}}"#, 3).unwrap();
        let list = [
            Json::Number("1234567890123456.780".into()),
            Json::String("1é\"]".into()),
            Json::Null,
            Json::Boolean(true),
        ];
        assert_eq!(json.get("a"), Some(&Json::List(list.into())));
        assert_eq!(json.get("b"), Some(&Json::Object(Vec::new())));
    }

    #[test]
    fn what_nests_too_deep_is_refused_and_what_is_no_json_too() {
        assert!(Json::read(&format!("{}{}", "[".repeat(64), "]".repeat(64)), 64).is_ok());
        assert!(Json::read(&format!("{}{}", "[".repeat(65), "]".repeat(65)), 64).is_err());
        assert!(Json::read("\"[[[[[[\"", 2).is_ok());
        for wrong in
            ["", "{", "01", "1.", "nul", "tru", "{\"a\":}", "[1,]", "\"\\ud800\"", "+1", "NaN", "falsey", "1 2"]
        {
            assert!(Json::read(wrong, 64).is_err(), "{wrong}");
        }
    }
}
