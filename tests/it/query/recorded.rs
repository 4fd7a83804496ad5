//! What is read is what was read before, byte for byte: 2,000 random operations as each of the eleven demo users.
//!
//! `recorded.txt.gz` has an operation on each line, and for each user the beginning of the SHA-256 of what it was answered: the text of
//! `data` as it was sent, a line feed, and the errors. It was recorded of the executor that went before this one (sqlx, a plan and SQL
//! written for each request), over the demo data of [`TODAY`]. Where an answer is to change, `AETHER_RECORD=1 cargo test recorded` writes
//! the file anew: look at what differs, and say why in the commit.

use std::{
    io::{Read, Write},
    sync::atomic::{AtomicUsize, Ordering},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use futures::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};

use crate::support::{Gateway, User};

const RECORDED: &[u8] = include_bytes!("recorded.txt.gz");
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/it/query/recorded.txt.gz");
/// The day on which the demo data ends.
const TODAY: chrono::NaiveDate = chrono::NaiveDate::from_ymd_opt(2026, 6, 30).expect("a day");
/// How many operations are asked at once.
const AT_ONCE: usize = 8;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    errors: Vec<Value>,
}

/// What an operation is answered, in twelve letters.
async fn digest(user: &User<'_>, operation: &str) -> String {
    let request = user.request(serde_json::json!({ "query": operation, "variables": {} }));
    let body = request.send().await.expect("an answer").text().await.expect("a body");
    let mut answer: Body<'_> =
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{operation}: {error}: {body}"));
    for error in &mut answer.errors {
        if let Some(extensions) = error["extensions"].as_object_mut() {
            extensions.remove("requestId");
        }
    }
    let errors = serde_json::to_string(&answer.errors).expect("JSON");
    let said = format!("{}\n{errors}", answer.data.map(RawValue::get).unwrap_or_default());
    hex::encode(Sha256::digest(said))[..12].to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_operations_are_answered_as_eleven_users_were_before() {
    let mut recorded = String::new();
    GzDecoder::new(RECORDED).read_to_string(&mut recorded).expect("a text");
    let gateway = Gateway::as_of(TODAY).await;
    let mut users = Vec::new();
    for login in aether_demo::logins() {
        users.push(gateway.sign_in(login.email, login.organization).await);
    }
    let answered = AtomicUsize::new(0);
    let lines = stream::iter(recorded.lines().map(|line| async {
        let (operation, before) = line.split_once('\t').expect("an operation and what it was answered");
        let mut now = Vec::new();
        for user in &users {
            now.push(digest(user, operation).await);
        }
        let before: Vec<&str> = before.split(' ').collect();
        answered.fetch_add(now.len(), Ordering::Relaxed);
        let differ: Vec<&str> = aether_demo::logins()
            .iter()
            .zip(before.iter().zip(&now))
            .filter(|(_, (a, b))| a != b)
            .map(|(who, _)| who.email)
            .collect();
        (
            format!("{operation}\t{}", now.join(" ")),
            (!differ.is_empty()).then(|| format!("{operation}\n  as {differ:?}")),
        )
    }));
    let lines: Vec<(String, Option<String>)> = lines.buffered(AT_ONCE).collect().await;
    if std::env::var_os("AETHER_RECORD").is_some() {
        let mut file = GzEncoder::new(Vec::new(), Compression::best());
        for (line, _) in &lines {
            writeln!(file, "{line}").expect("it fits");
        }
        std::fs::write(PATH, file.finish().expect("it ends")).expect("it is written");
    }
    assert_eq!(answered.into_inner(), 2_000 * 11);
    let differing: Vec<String> = lines.into_iter().filter_map(|(_, differs)| differs).collect();
    assert!(
        differing.is_empty(),
        "{} are answered otherwise:\n{}",
        differing.len(),
        differing[..differing.len().min(10)].join("\n")
    );
}
