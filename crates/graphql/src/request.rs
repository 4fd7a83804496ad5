//! Requests as they come, and responses as they go.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use aether_operation::Json;
use async_graphql::ServerError;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

/// How deep the JSON of variables may nest.
const DEEPEST: usize = 128;

/// A GraphQL request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The document.
    pub query: String,
    /// Which of its operations; none for the only one.
    pub operation_name: Option<String>,
    /// The variables, an object.
    pub variables: Option<Json>,
    /// Whether it came with a token that is good, as far as the token itself tells.
    pub is_signed_in: bool,
    /// `extensions.operationId`: what the client calls the operation on a stream.
    pub operation_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseShape<'a> {
    #[serde(borrow)]
    query: Cow<'a, str>,
    operation_name: Option<String>,
    #[serde(borrow)]
    variables: Option<&'a RawValue>,
    extensions: Option<Value>,
}

impl Request {
    /// A request for this document, without variables.
    pub fn new(query: impl Into<String>) -> Self {
        Self { query: query.into(), ..Self::default() }
    }

    /// The request in a JSON text, or why there is none.
    pub fn read(json: &str) -> Result<Self, String> {
        let none = |error| {
            format!("This is no GraphQL request: {error}. Send JSON, {{\"query\": \"…\", \"variables\": {{…}}}}.")
        };
        // Lists of fields would do for a structure, too.
        if !json.trim_start().starts_with('{') {
            return Err(
                "This is no GraphQL request. Send one JSON object, {\"query\": \"…\", \"variables\": {…}}.".into()
            );
        }
        let body: ResponseShape<'_> = serde_json::from_str(json).map_err(|error: serde_json::Error| none(error))?;
        let operation_id = body.extensions.as_ref().and_then(|extensions| extensions["operationId"].as_str());
        Ok(Self {
            query: body.query.into_owned(),
            operation_name: body.operation_name.filter(|name| !name.is_empty()),
            variables: body.variables.map(|raw| variables(raw.get())).transpose()?.flatten(),
            is_signed_in: false,
            operation_id: operation_id.map(str::to_owned),
        })
    }

    /// A request of parts, as a URL has them.
    pub fn of_parts(query: String, operation_name: Option<String>, json: Option<&str>) -> Result<Self, String> {
        Ok(Self {
            query,
            operation_name: operation_name.filter(|name| !name.is_empty()),
            variables: json.map(variables).transpose()?.flatten(),
            is_signed_in: false,
            operation_id: None,
        })
    }
}

fn variables(json: &str) -> Result<Option<Json>, String> {
    match Json::read(json, DEEPEST) {
        Ok(Json::Null) => Ok(None),
        Ok(object @ Json::Object(_)) => Ok(Some(object)),
        Ok(_) => Err("The variables are no JSON object. Send {\"name\": value, …}.".into()),
        Err(why) => Err(format!("The variables cannot be read: {why}")),
    }
}

/// What is answered to a request.
#[derive(Debug, Clone, Default)]
pub struct Response {
    data: Answer,
    /// What went wrong, each with its code.
    pub errors: Vec<ServerError>,
    /// What is told beside.
    pub extensions: BTreeMap<String, Value>,
}

/// The data of a response.
#[derive(Debug, Clone, Default)]
enum Answer {
    /// None: the request was refused before it was executed.
    #[default]
    Absent,
    /// Null: a field that is never null failed.
    Null,
    /// An object.
    Object(Data),
    /// An object that is asked for again and again.
    Ready(Arc<Ready>),
}

/// An object in JSON, as the beginning of its response: what is written once is what is sent.
#[derive(Debug, Clone)]
pub(crate) struct Data(Vec<u8>);

/// What a response with data begins with.
const BEGINNING: &[u8] = b"{\"data\":";

impl Data {
    /// One without fields.
    pub(crate) fn new() -> Self {
        Self([BEGINNING, b"{"].concat())
    }

    /// Begins a field, whose value is to be appended as JSON.
    pub(crate) fn field(&mut self, key: &str) -> &mut Vec<u8> {
        // No value ends like that.
        if self.0.last() != Some(&b'{') {
            self.0.push(b',');
        }
        self.0.push(b'"');
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(b"\":");
        &mut self.0
    }

    /// The object of this text.
    fn of(object: &str) -> Self {
        let fields = object.strip_suffix('}').unwrap_or(object);
        Self([BEGINNING, fields.as_bytes()].concat())
    }
}

/// Data that is kept, with its response as it is sent.
#[derive(Debug)]
pub struct Ready {
    data: Arc<str>,
    compressed: OnceLock<Vec<u8>>,
}

impl Ready {
    pub(crate) fn new(data: String) -> Self {
        Self { data: data.into(), compressed: OnceLock::new() }
    }

    /// About how much memory it takes.
    pub(crate) fn weight(&self) -> usize {
        self.data.len() + self.data.len() / 4
    }

    /// The whole response, compressed once.
    pub fn compressed(&self, compress: impl FnOnce(&str) -> Vec<u8>) -> &[u8] {
        self.compressed.get_or_init(|| compress(&format!("{{\"data\":{}}}", self.data)))
    }
}

impl Response {
    /// A request that was executed: its data, or nothing if a field that is never null failed.
    pub(crate) fn executed(data: Option<Data>, errors: Vec<ServerError>) -> Self {
        Self { data: data.map_or(Answer::Null, Answer::Object), errors, extensions: BTreeMap::new() }
    }

    /// A request that was answered once and is kept.
    pub(crate) fn ready(ready: Arc<Ready>) -> Self {
        Self { data: Answer::Ready(ready), ..Self::default() }
    }

    /// The kept data, if the response is nothing else.
    pub fn as_ready(&self) -> Option<&Arc<Ready>> {
        match &self.data {
            Answer::Ready(ready) if self.errors.is_empty() && self.extensions.is_empty() => Some(ready),
            _ => None,
        }
    }

    /// A request that was refused before anything of it was executed.
    pub fn refused(errors: Vec<ServerError>) -> Self {
        Self { errors, ..Self::default() }
    }

    /// Whether the request was executed at all.
    pub fn was_executed(&self) -> bool {
        !matches!(self.data, Answer::Absent)
    }

    /// Takes back what was answered: the request failed as a whole.
    pub(crate) fn without_data(&mut self) {
        self.data = Answer::Null;
    }

    /// The data, for whoever looks into it.
    pub fn data(&self) -> Value {
        match &self.data {
            Answer::Absent | Answer::Null => Value::Null,
            Answer::Object(Data(text)) => {
                let object = [&text[BEGINNING.len()..], b"}"].concat();
                serde_json::from_slice(&object).unwrap_or_default()
            }
            Answer::Ready(ready) => serde_json::from_str(&ready.data).unwrap_or_default(),
        }
    }

    /// The response as JSON.
    pub fn to_json(&self) -> String {
        String::from_utf8(self.clone().into_bytes()).unwrap_or_default()
    }

    /// The response as JSON, as it is sent.
    pub fn into_bytes(self) -> Vec<u8> {
        let mut json = match self.data {
            Answer::Absent => b"{".to_vec(),
            Answer::Null => [BEGINNING, b"null"].concat(),
            Answer::Object(Data(mut text)) => {
                text.push(b'}');
                text
            }
            Answer::Ready(ready) => [BEGINNING, ready.data.as_bytes()].concat(),
        };
        let mut member = |name: &str, value: Result<Vec<u8>, serde_json::Error>| {
            if json.len() > 1 {
                json.push(b',');
            }
            json.push(b'"');
            json.extend_from_slice(name.as_bytes());
            json.extend_from_slice(b"\":");
            json.extend_from_slice(value.as_deref().unwrap_or(b"null"));
        };
        if !self.errors.is_empty() {
            member("errors", serde_json::to_vec(&self.errors));
        }
        if !self.extensions.is_empty() {
            member("extensions", serde_json::to_vec(&self.extensions));
        }
        json.push(b'}');
        json
    }

    /// The response to be kept for repeats of its request.
    ///
    /// Its data is kept as text: what keeps it has no order of fields.
    pub(crate) fn to_kept(&self) -> Value {
        let mut kept = match &self.data {
            Answer::Absent => json!({}),
            Answer::Null => json!({ "data": null }),
            Answer::Object(Data(text)) => {
                json!({ "data": format!("{}}}", String::from_utf8_lossy(&text[BEGINNING.len()..])) })
            }
            Answer::Ready(ready) => json!({ "data": &*ready.data }),
        };
        kept["errors"] = serde_json::to_value(&self.errors).unwrap_or_default();
        kept
    }

    /// The response that was kept.
    pub(crate) fn from_kept(mut kept: Value) -> Option<Self> {
        let errors = match kept["errors"].take() {
            Value::Null => Vec::new(),
            errors => serde_json::from_value(errors).ok()?,
        };
        let data = match kept.get("data") {
            None => Answer::Absent,
            Some(Value::Null) => Answer::Null,
            Some(Value::String(text)) => Answer::Object(Data::of(text)),
            // As it was kept by a gateway of before.
            Some(data) => Answer::Object(Data::of(&data.to_string())),
        };
        Some(Self { data, errors, extensions: BTreeMap::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_an_object_with_a_query() {
        let request = Request::read(
            r#"{"query": "{ a }", "operationName": "", "variables": {"x": 1.10}, "extensions": {"operationId": "7"}}"#,
        )
        .unwrap();
        assert_eq!((request.query.as_str(), request.operation_name.as_deref()), ("{ a }", None));
        assert_eq!(request.variables, Some(Json::Object(vec![("x".into(), Json::Number("1.10".into()))])));
        assert_eq!(request.operation_id.as_deref(), Some("7"));
        assert!(Request::read(r#"{"query": "{ a }", "variables": null}"#).unwrap().variables.is_none());
        for wrong in [
            "",
            "7",
            "null",
            "[\"{ a }\"]",
            "{}",
            r#"{"query": 7}"#,
            r#"{"query": "a", "variables": []}"#,
            "[{\"query\": \"a\"}]",
        ] {
            assert!(Request::read(wrong).is_err(), "{wrong}");
        }
        let deep = format!(r#"{{"query": "a", "variables": {{"a": {}{}}}}}"#, "[".repeat(128), "]".repeat(128));
        assert!(Request::read(&deep).is_err());
    }

    #[test]
    fn a_refused_request_has_no_data_and_a_failed_one_null() {
        assert_eq!(Response::refused(vec![]).to_json(), "{}");
        assert_eq!(Response::executed(None, vec![]).to_json(), r#"{"data":null}"#);
        let mut answered = Response::executed(Some(Data::new()), vec![ServerError::new("x", None)]);
        answered.extensions.insert("a".into(), 1.into());
        assert_eq!(answered.to_json(), r#"{"data":{},"errors":[{"message":"x"}],"extensions":{"a":1}}"#);
        let kept = Response::from_kept(answered.to_kept()).unwrap();
        assert_eq!(kept.to_json(), r#"{"data":{},"errors":[{"message":"x"}]}"#);
        assert!(!Response::from_kept(Response::refused(vec![]).to_kept()).unwrap().was_executed());
    }
}
