//! Answers, taken apart.

use serde_json::Value;

/// What the gateway answered.
#[derive(Debug)]
pub struct Answer {
    query: String,
    pub status: u16,
    pub body: Value,
}

impl Answer {
    pub async fn of(query: &str, response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let text = response.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        Self { query: query.to_owned(), status, body }
    }

    /// The first answer of a stream that has ended.
    pub async fn of_stream(query: &str, response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let text = response.text().await.expect("a body");
        let first = text.split("event: next\ndata: ").nth(1).and_then(|rest| rest.lines().next());
        let first = first.unwrap_or_else(|| panic!("no answer in the stream: {text}"));
        let body = serde_json::from_str(first).unwrap_or_else(|error| panic!("{error}: {text}"));
        Self { query: query.to_owned(), status, body }
    }

    /// The data of an answer without errors.
    pub fn ok(self) -> Value {
        assert!(self.body.get("errors").is_none(), "{}\n{:#}", self.query, self.body);
        self.body["data"].clone()
    }

    /// How many SQL statements it took.
    pub fn statements(&self) -> u64 {
        self.body["extensions"]["statements"].as_u64().expect("statements are exposed")
    }

    /// The code of the first error.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no code: {:#}", self.body))
    }

    /// The message of the first error.
    pub fn message(&self) -> &str {
        self.body["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("no message: {:#}", self.body))
    }
}
