//! graphql-js is the judge: operations over the real schema, right and wrong, get the verdict that the reference gives.
//!
//! `AETHER_JUDGE=SEED:COUNT cargo test judge` asks about others. The one known difference is told in `tests/clients/judge.mjs`.

use std::{env, fs, path::Path, process::Command};

use aether_graphql::{Introspection, Limits, Request, Schema, error::code};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{
    Gateway,
    node::{installed, run},
};

const SEED: &str = "20261126";
const COUNT: &str = "3000";
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema.graphql");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    query: String,
    operation_name: Option<String>,
    variables: Value,
    verdict: String,
    #[serde(default)]
    message: String,
    coerced: Option<Value>,
}

#[tokio::test]
async fn graphql_js_gives_the_same_verdicts() {
    let chosen = env::var("AETHER_JUDGE").unwrap_or_else(|_| format!("{SEED}:{COUNT}"));
    let (seed, count) = chosen.split_once(':').expect("AETHER_JUDGE is SEED:COUNT");
    let mut node = Command::new("node");
    node.args(["judge.mjs", SCHEMA, seed, count]).current_dir(installed());
    let cases = run(node);
    let schema = Schema::new(Limits::default(), Introspection::Anybody);
    let (mut asked, mut accepted, mut differing) = (0, 0, Vec::new());
    for line in cases.lines() {
        let case: Case = serde_json::from_str(line).expect("a case");
        let (verdict, coerced, why) = judged(&schema, &case);
        let same = match (&coerced, &case.coerced) {
            (Some(ours), Some(theirs)) => alike(ours, theirs),
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        };
        // Which operation is meant is told with the document.
        let expected = if case.verdict == "operation" { "validation" } else { &case.verdict };
        // Where a definition of a type begins, one is refused; graphql-js reads on, and may find that it is none.
        let either = expected == "syntax" && why.ends_with("a document defines no types.");
        if (verdict != expected && !either) || !same {
            let Case { query, operation_name, variables, message, .. } = &case;
            differing.push(format!(
                "{query}\n  {operation_name:?} {variables}\n  graphql-js: {expected} {message} {:?}\n  the gateway: {verdict} {why} {coerced:?}",
                case.coerced
            ));
        }
        asked += 1;
        accepted += usize::from(verdict == "accepted");
    }
    assert_eq!(asked.to_string(), count, "the judge has judged all");
    assert!(accepted > asked / 5 && accepted < asked / 2, "{accepted} of {asked} are right: too many are alike");
    let shown: Vec<_> = differing.iter().take(5).map(String::as_str).collect();
    assert!(differing.is_empty(), "{} of {asked} differ:\n\n{}", differing.len(), shown.join("\n\n"));
}

/// What tools ask for is answered as graphql-js answers it, whatever the order of types.
#[tokio::test]
async fn graphql_js_tells_the_same_of_the_schema() {
    let gateway = Gateway::demo().await;
    let whole = include_str!("introspection.graphql");
    let one = "{ a: __type(name: \"DistributionInput\") { kind isOneOf inputFields { name defaultValue type { ...T } } }
        b: __type(name: \"Deal\") { fields(includeDeprecated: true) { name args { name defaultValue } type { ...T } } interfaces { name } }
        c: __type(name: \"Nothing\") { name } d: __type(name: \"Node\") { possibleTypes { name } } __schema { queryType { __typename name } } }
        fragment T on __Type { name kind ofType { name kind ofType { name kind } } }";
    for query in [whole, one] {
        let ours = gateway.stranger().data(query).await;
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("introspection.graphql");
        fs::write(&file, query).expect("a file");
        let mut node = Command::new("node");
        node.args(["judge.mjs", SCHEMA, "introspect"]).current_dir(installed());
        node.stdin(fs::File::open(&file).expect("a file"));
        let theirs: Value = serde_json::from_str(&run(node)).expect("JSON");
        assert_eq!(sorted(ours), sorted(theirs["data"].clone()));
    }
}

/// Lists of named things by their names. What describes introspection itself is left out, for graphql-js is ahead of the
/// specification there, and so are the directives that only schemas use.
fn sorted(mut json: Value) -> Value {
    match &mut json {
        Value::Array(items) => {
            items.retain(|item| {
                ![json!("deprecated"), json!("specifiedBy")].contains(&item["name"])
                    && !item["name"].as_str().is_some_and(|name| name.starts_with("__"))
            });
            *items = items.drain(..).map(sorted).collect();
            items.sort_by_key(|item| item["name"].to_string());
        }
        Value::Object(fields) => fields.values_mut().for_each(|value| *value = sorted(value.take())),
        _ => {}
    }
    json
}

/// The gateway's verdict, the variables as they were coerced, and what it says.
fn judged(schema: &Schema, case: &Case) -> (&'static str, Option<Value>, String) {
    let variables = case.variables.to_string();
    let request = Request::of_parts(case.query.clone(), case.operation_name.clone(), Some(&variables));
    let prepared = match schema.prepare(request.expect("a request")) {
        Ok(prepared) => prepared,
        Err(refused) => {
            let error = &refused.errors[0];
            let told = error.extensions.as_ref().and_then(|extensions| extensions.get("code")).cloned();
            let verdict = if told == Some(code::GRAPHQL_PARSE_FAILED.into()) { "syntax" } else { "validation" };
            return (verdict, None, error.message.clone());
        }
    };
    match schema.variables(&prepared) {
        Ok(coerced) => ("accepted", Some(coerced), String::new()),
        Err(refused) => ("variables", None, refused.errors[0].message.clone()),
    }
}

/// Whether two values are the same; an exact number of ours, which is text, may be a number of JavaScript.
fn alike(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(key, value)| theirs.get(key).is_some_and(|other| alike(value, other)))
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, other)| alike(one, other))
        }
        (Value::Number(ours), Value::Number(theirs)) => ours.as_f64() == theirs.as_f64(),
        (Value::String(ours), Value::Number(theirs)) => ours.parse::<f64>().ok() == theirs.as_f64(),
        (ours, theirs) => ours == theirs,
    }
}
