//! Resuming behind a cursor, and what happens to who cannot keep up.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::Socket;
use crate::support::Gateway;

const EVENTS: &str = "subscription($after: String) { budgetChanged(after: $after) { cursor kind budget { version } } }";

/// Events about the budgets of a name: so many of each.
async fn flood(gateway: &Gateway, times: u32) {
    gateway
        .execute(&format!(
            "INSERT INTO event_outbox (topic, aggregate_type, aggregate_id, organization_id, kind, payload)
             SELECT 'budget', 'budget', b.id, b.organization_id, 'updated', jsonb_build_object('type', 'budget', 'id', b.id)
               FROM generate_series(1, {times}) n, budgets b WHERE b.name LIKE 'Replayed%'"
        ))
        .await;
}

fn create(version: u32) -> String {
    format!(
        "mutation {{ createBudget(input: {{ name: \"Replayed\", fiscalYear: 2063, version: \"{version}\" }}) {{ id }} }}"
    )
}

#[tokio::test]
async fn behind_a_cursor_comes_what_was_missed_and_then_what_happens_without_gap_or_repetition() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let start = cfo.data("{ eventCursor }").await["eventCursor"].clone();
    for version in 0..5 {
        cfo.query(&create(version)).await.ok();
    }
    let mut socket = Socket::of(&cfo, &gateway).await;
    socket.subscribe("r", EVENTS, json!({ "after": start })).await;
    // While what was missed is sent, more happens.
    let writing = async {
        for version in 5..25 {
            cfo.query(&create(version)).await.ok();
        }
    };
    let reading = async {
        let mut messages = Vec::new();
        for _ in 0..25 {
            messages.push(socket.message("r").await);
        }
        messages
    };
    let ((), messages) = tokio::join!(writing, reading);
    let versions: Vec<_> = messages.iter().map(|message| message["budget"]["version"].clone()).collect();
    assert_eq!(versions, (0..25).map(|version| json!(version.to_string())).collect::<Vec<_>>());
    socket.quiet().await;

    // Behind any of them comes the rest, on whatever connection.
    let mut again = Socket::of(&cfo, &gateway).await;
    again.subscribe("r", EVENTS, json!({ "after": messages[19]["cursor"] })).await;
    for message in &messages[20..] {
        assert_eq!(again.message("r").await, *message);
    }
    again.quiet().await;
}

#[tokio::test]
async fn a_cursor_that_is_too_old_or_of_elsewhere_says_what_to_do() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let old = cfo.data("{ eventCursor }").await["eventCursor"].clone();
    cfo.query(&create(1)).await.ok();
    gateway
        .execute("UPDATE event_outbox SET at = at - interval '30 days'; SELECT trim_events(interval '7 days')")
        .await;
    let mut socket = Socket::of(&cfo, &gateway).await;
    socket.subscribe("old", EVENTS, json!({ "after": old })).await;
    assert_eq!(socket.refusal("old").await, "CURSOR_EXPIRED");
    let now = cfo.data("{ eventCursor }").await["eventCursor"].clone();
    socket.subscribe("now", EVENTS, json!({ "after": now })).await;
    let elsewhere = Gateway::demo().await;
    // Test databases are copies of one.
    elsewhere.execute("UPDATE event_streams SET id = gen_random_uuid()").await;
    let foreign = elsewhere.cfo().await.data("{ eventCursor }").await["eventCursor"].clone();
    for wrong in [foreign, json!("nonsense"), json!("")] {
        socket.subscribe("wrong", EVENTS, json!({ "after": wrong })).await;
        assert_eq!(socket.refusal("wrong").await, "VALIDATION_FAILED", "{wrong}");
    }
    cfo.query(&create(2)).await.ok();
    assert_eq!(socket.message("now").await["budget"]["version"], "2");
}

#[tokio::test]
async fn who_cannot_keep_up_is_cut_off_and_resumes_without_a_gap() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let long = "x".repeat(180);
    gateway
        .execute(&format!(
            "INSERT INTO budgets (organization_id, name, fiscal_year, version)
             SELECT o.id, 'Replayed{long}', 2064, n::text FROM organizations o, generate_series(1, 100) n WHERE slug = 'aether-demo'"
        ))
        .await;
    let start = cfo.data("{ eventCursor }").await["eventCursor"].clone();
    let query = "subscription($after: String) { budgetChanged(after: $after) { cursor budget { version
NAMES } } }";
    let names: String = (0..35).map(|n| format!("n{n}: name ")).collect();
    let query = &query.replace("NAMES", &names);
    let mut slow = Socket::of(&cfo, &gateway).await;
    slow.subscribe("s", query, json!({})).await;
    slow.settle().await;
    // 10,000 messages of 6 KiB are more than the sockets and the queue hold.
    flood(&gateway, 100).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let (mut got, mut last) = (Vec::new(), start);
    let code = loop {
        match slow.next().await {
            Ok(message) => {
                let message = &message["payload"]["data"]["budgetChanged"];
                got.push(message["cursor"].clone());
                last = message["cursor"].clone();
            }
            Err(code) => break code,
        }
    };
    assert!(code == 1013 || code == 1006, "{code}");
    assert!(got.len() < 10_000, "{} messages fit", got.len());
    // The rest comes at the pace at which it is taken.
    let mut resumed = Socket::of(&cfo, &gateway).await;
    resumed.subscribe("s", query, json!({ "after": last })).await;
    while got.len() < 10_000 {
        got.push(resumed.message("s").await["cursor"].clone());
    }
    resumed.quiet().await;
    let distinct: BTreeSet<String> = got.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), 10_000, "each once");
}
