//! The sources that the gateway itself can read: how they are configured, and when they are due.
//!
//! One so far: a CSV file that is fetched over HTTP.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::web_address::{self, MOST_LETTERS, Purpose};

/// The provider whose integrations are read from CSV over HTTP. What follows a colon tells several of them apart:
/// `csv_http:plan`.
pub const CSV_HTTP: &str = "csv_http";

/// The size of the longest file that is taken, in bytes.
pub const MOST_BYTES: usize = 10 * 1024 * 1024;

/// How many synchronizations in a row may fail before the integration itself counts as failed.
pub const MOST_FAILURES: i32 = 3;

/// How many headers a request may have.
const MOST_HEADERS: usize = 20;
/// Headers that the client sets by itself, or that would change what it asks.
const OWN_HEADERS: [&str; 8] =
    ["connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

/// What a file's address is for.
const FILE: Purpose = Purpose {
    absolute: "This is no absolute address. Give one such as https://files.example.com/metrics.csv.",
    schemes: "Files are fetched by HTTP. Give an address that begins with https:// or http://.",
    credentials: "The address must not hold a user name or a password. Give an Authorization header instead.",
    hosts: "Files are never fetched from link-local, metadata, multicast or unspecified addresses. Give another host.",
};

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Values of the metric series, in the columns that an import of metrics has.
    Metrics,
}

/// A CSV file that is fetched over HTTP. It may hold secrets, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct CsvOverHttp {
    /// Where the file is.
    pub url: Url,
    /// Headers of the request, such as an authorization.
    pub headers: BTreeMap<String, String>,
    /// What the file holds.
    pub content: Content,
}

/// The configuration as it is written.
#[derive(Deserialize)]
struct Written {
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    kind: Content,
}

/// Whether the gateway itself can read from this provider.
#[must_use]
pub fn is_built_in(provider: &str) -> bool {
    provider.split_once(':').map_or(provider, |(name, _)| name) == CSV_HTTP
}

impl CsvOverHttp {
    /// Reads a configuration: `{"url": "https://…", "headers": {"Authorization": "…"}, "kind": "metrics"}`.
    ///
    /// # Errors
    /// The field and a sentence that says what is wrong and what to do; neither repeats anything of the configuration.
    pub fn read(config: &Value) -> Result<Self, (&'static str, &'static str)> {
        let fields = config.as_object().ok_or(("", "The configuration must be a JSON object."))?;
        if fields.keys().any(|field| !matches!(field.as_str(), "url" | "headers" | "kind")) {
            return Err(("", "The configuration has an unknown field. It has url, headers and kind."));
        }
        if !matches!(fields.get("url"), Some(Value::String(_))) {
            return Err((".url", "The address of the file is needed, as a string."));
        }
        if fields.get("kind").and_then(Value::as_str) != Some("metrics") {
            return Err((".kind", "This must be what the file holds: \"metrics\"."));
        }
        let written = Written::deserialize(config)
            .map_err(|_| (".headers", "The headers must be an object of names with strings."))?;
        let url = web_address::read(&written.url, &FILE).map_err(|problem| (".url", problem))?;
        headers(&written.headers).map_err(|problem| (".headers", problem))?;
        Ok(Self { url, headers: written.headers, content: written.kind })
    }
}

fn headers(headers: &BTreeMap<String, String>) -> Result<(), &'static str> {
    if headers.len() > MOST_HEADERS {
        return Err("There are more than 20 headers.");
    }
    for (name, value) in headers {
        // RFC 9110, section 5.6.2: a token.
        let is_token = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err("A header has a name that is none in HTTP.");
        }
        if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err("A header is one that the gateway sets by itself, such as Host. Leave it out.");
        }
        if value.len() > MOST_LETTERS || !value.bytes().all(|c| matches!(c, b' '..=b'~' | b'\t')) {
            return Err("A header has a value with more than 2,000 characters, or with others than those of ASCII.");
        }
    }
    Ok(())
}

/// How often a source is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rhythm {
    /// So long after the last attempt.
    Every(Duration),
    /// At the times of a cron expression, in UTC.
    Cron(Box<Cron>),
}

/// Reads a cron expression of five fields: minute, hour, day of the month, month, day of the week.
///
/// # Errors
/// A sentence that says what is wrong and what to do.
pub fn read_cron(text: &str) -> Result<Rhythm, &'static str> {
    const PROBLEM: &str = "This is no cron expression of five fields: minute, hour, day of the month, month, day of the week. \
                           Give one such as `15 3 * * *`.";
    if text.split_whitespace().count() != 5 {
        return Err(PROBLEM);
    }
    Cron::from_str(text.trim()).map(|cron| Rhythm::Cron(Box::new(cron))).map_err(|_| PROBLEM)
}

impl Rhythm {
    /// When a source is due that was last tried at this time; `None` when it never will be.
    #[must_use]
    pub fn after(&self, last: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Every(pause) => last.checked_add_signed(TimeDelta::from_std(*pause).ok()?),
            Self::Cron(cron) => cron.find_next_occurrence(&last, false).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(config: Value) -> &'static str {
        match CsvOverHttp::read(&config) {
            Ok(_) => panic!("{config} is taken"),
            Err((field, message)) => {
                assert!(!message.contains("s3cret"), "{message}");
                field
            }
        }
    }

    #[test]
    fn configurations_are_read() {
        let config =
            json!({ "url": "https://files.example.com/m.csv", "kind": "metrics", "headers": { "X-Key": "s3cret" } });
        let Ok(read) = CsvOverHttp::read(&config) else { panic!("it is sound") };
        assert_eq!((read.url.as_str(), read.headers["X-Key"].as_str()), ("https://files.example.com/m.csv", "s3cret"));
        assert!(CsvOverHttp::read(&json!({ "url": "http://10.1.2.3/m.csv", "kind": "metrics" })).is_ok());
    }

    #[test]
    fn what_is_wrong_is_named_but_not_repeated() {
        assert_eq!(problem(json!("s3cret")), "");
        assert_eq!(problem(json!({ "url": "https://a.example/", "kind": "metrics", "s3cret": 1 })), "");
        assert_eq!(problem(json!({ "kind": "metrics" })), ".url");
        for url in [
            "ftp://a.example/s3cret",
            "/s3cret",
            "https://me:s3cret@a.example/",
            "http://169.254.169.254/s3cret",
            "http://[fe80::1]/s3cret",
            "file:///s3cret",
            "http://0/s3cret",
        ] {
            assert_eq!(problem(json!({ "url": url, "kind": "metrics" })), ".url", "{url}");
        }
        assert_eq!(problem(json!({ "url": "https://a.example/", "kind": "s3cret" })), ".kind");
        for headers in [
            json!("s3cret"),
            json!({ "X": 1 }),
            json!({ "a b": "s3cret" }),
            json!({ "Host": "s3cret" }),
            json!({ "X": "s3cret\r\nY: 1" }),
            json!({ "X": "s3crét" }),
        ] {
            assert_eq!(
                problem(json!({ "url": "https://a.example/", "kind": "metrics", "headers": headers })),
                ".headers"
            );
        }
    }

    #[test]
    fn providers_are_told_apart() {
        for (provider, is) in [("csv_http", true), ("csv_http:plan", true), ("csv_https", false), ("sap", false)] {
            assert_eq!(is_built_in(provider), is, "{provider}");
        }
    }

    #[test]
    fn a_source_is_due_by_its_rhythm() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
        let hourly = Rhythm::Every(Duration::from_secs(3_600));
        assert_eq!(hourly.after(at("2027-01-01T10:20:00Z")), Some(at("2027-01-01T11:20:00Z")));
        let cron = read_cron("15 3 * * *").expect("a cron expression");
        assert_eq!(cron.after(at("2027-01-01T03:15:00Z")), Some(at("2027-01-02T03:15:00Z")));
        assert_eq!(cron.after(at("2027-01-01T03:14:59Z")), Some(at("2027-01-01T03:15:00Z")));
        for wrong in ["", "* * * *", "@daily", "61 * * * *", "* * * * * *", "every day at 3 o'clock"] {
            assert!(read_cron(wrong).is_err(), "{wrong}");
        }
    }
}
