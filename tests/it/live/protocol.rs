//! The protocol `graphql-transport-ws`, word for word.

use std::time::Duration;

use aether_server::config::Cli;
use aether_store::identity::token::Tokens;
use clap::Parser;
use futures::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::Socket;
use crate::support::{Gateway, User, log::Log};

/// An access token of the user's session that is good for so long.
async fn token(user: &User<'_>, seconds: u64) -> String {
    let me = user.data("{ me { sessionId user { id } } }").await;
    let id = |value: &serde_json::Value| value.as_str().expect("an id").parse().expect("a UUID");
    let config = Cli::parse_from(["aether-nexus"]).config;
    let tokens = Tokens::new(config.jwt_secret.as_bytes(), Duration::from_secs(seconds), Duration::ZERO);
    let token = tokens.access(id(&me["me"]["user"]["id"]), id(&me["me"]["sessionId"]));
    token.unwrap_or_else(|_| panic!("it signs"))
}

fn init(token: &str) -> serde_json::Value {
    json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } })
}

#[tokio::test]
async fn every_close_code_of_the_protocol() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let mut other = Socket::speaking(&gateway, "").await;
    assert_eq!(other.closed().await, 4406);

    for nonsense in ["", "{", "[]", "{\"type\":\"hello\"}", "{\"type\":\"subscribe\",\"id\":\"a\"}"] {
        let mut socket = Socket::of(&cfo, &gateway).await;
        socket.text(nonsense).await;
        assert_eq!(socket.closed().await, 4400, "{nonsense}");
    }
    let mut socket = Socket::of(&cfo, &gateway).await;
    socket.0.send(Message::binary(vec![1])).await.expect("it takes a message");
    assert_eq!(socket.closed().await, 4400);

    let mut early = Socket::silent(&gateway).await;
    early.subscribe("a", "{ health { version } }", json!({})).await;
    assert_eq!(early.closed().await, 4401);

    let mut refused = Socket::silent(&gateway).await;
    refused.send(init("nonsense")).await;
    assert_eq!(refused.closed().await, 4403);

    let mut late = Socket::silent(&gateway).await;
    assert_eq!(late.closed().await, 4408);

    let mut twice = Socket::of(&cfo, &gateway).await;
    for _ in 0..2 {
        twice.subscribe("a", "subscription { budgetChanged { kind } }", json!({})).await;
    }
    assert_eq!(twice.closed().await, 4409);

    let mut again = Socket::of(&cfo, &gateway).await;
    again.send(json!({ "type": "connection_init" })).await;
    assert_eq!(again.closed().await, 4429);
}

#[tokio::test]
async fn a_token_that_ends_closes_the_connection_unless_a_fresh_one_was_sent() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let (short, long) = (token(&cfo, 3).await, token(&cfo, 600).await);
    let mut ends = Socket::silent(&gateway).await;
    ends.send(init(&short)).await;
    assert_eq!(ends.receive().await["type"], "connection_ack");
    let mut lasts = Socket::silent(&gateway).await;
    lasts.send(init(&short)).await;
    assert_eq!(lasts.receive().await["type"], "connection_ack");
    lasts.send(json!({ "type": "ping", "payload": { "authorization": format!("Bearer {long}") } })).await;
    let pong = lasts.receive().await;
    assert_eq!(pong["type"], "pong");
    assert!(pong["payload"]["expiresIn"].as_u64().expect("seconds") > 500);
    assert_eq!(ends.closed().await, 4403);
    lasts.subscribe("q", "{ me { user { name } } }", json!({})).await;
    assert_eq!(lasts.message("q").await["user"]["name"], "Sarah Chen");

    // Another session's token is another connection's.
    let analyst = gateway.sign_in("analyst@aether-demo.com", "aether-demo").await;
    let theirs = analyst.token.as_deref().expect("a token");
    assert_eq!(lasts.receive().await["type"], "complete");
    lasts.send(json!({ "type": "ping", "payload": { "authorization": format!("Bearer {theirs}") } })).await;
    assert_eq!(lasts.closed().await, 4403);
}

#[tokio::test]
async fn what_is_logged_of_a_subscription_has_the_request_that_began_it() {
    let gateway = Gateway::demo().await;
    // From before it begins: a span is one of whoever listened then.
    let log = Log::listen();
    let cfo = gateway.cfo().await;
    let mut socket = Socket::of(&cfo, &gateway).await;
    let subscription = "subscription Budgets { budgetChanged { budget { lineItems(first: 1) { nodes { id } } } } }";
    socket.subscribe("b", subscription, json!({})).await;
    socket.settle().await;
    gateway.execute("ALTER TABLE budget_line_items RENAME TO gone").await;
    cfo.query("mutation { createBudget(input: { name: \"Logged\", fiscalYear: 2066, version: \"a\" }) { id } }").await;
    let error = socket.receive().await;
    assert_eq!((&error["id"], &error["type"]), (&json!("b"), &json!("error")), "{error:#}");
    let id = error["payload"][0]["extensions"]["requestId"].as_str().expect("an id");
    let lines = log.lines("internal error");
    let [line] = &lines[..] else { panic!("{lines:#?}") };
    assert!(line.contains(&format!("request{{id={id} user=")) && line.contains("operation=\"Budgets\""), "{line}");
}

#[tokio::test]
async fn queries_and_mutations_go_over_the_socket_too() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let mut socket = Socket::of(&cfo, &gateway).await;
    socket.send(json!({ "type": "ping" })).await;
    assert_eq!(socket.receive().await, json!({ "type": "pong" }));
    let create = "mutation { createBudget(input: { name: \"Socket\", fiscalYear: 2065, version: \"a\" }) { name } }";
    socket.subscribe("m", create, json!({})).await;
    assert_eq!(socket.message("m").await["name"], "Socket");
    assert_eq!(socket.receive().await, json!({ "type": "complete", "id": "m" }));
    // An answered operation's id is free again.
    socket.subscribe("m", "{ nothing }", json!({})).await;
    assert_eq!(socket.refusal("m").await, "GRAPHQL_VALIDATION_FAILED");
    socket.subscribe("m", "subscription { a: budgetChanged { kind } b: dealChanged { kind } }", json!({})).await;
    assert_eq!(socket.refusal("m").await, "GRAPHQL_VALIDATION_FAILED");
    socket.subscribe("m", "subscription {", json!({})).await;
    assert_eq!(socket.refusal("m").await, "GRAPHQL_PARSE_FAILED");

    // Nobody in particular may sign in, and nothing else.
    let mut nobody = Socket::silent(&gateway).await;
    nobody.send(json!({ "type": "connection_init" })).await;
    assert_eq!(nobody.receive().await["type"], "connection_ack");
    nobody.subscribe("s", "subscription { budgetChanged { kind } }", json!({})).await;
    assert_eq!(nobody.refusal("s").await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_connection_has_so_many_operations_and_no_more() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let mut socket = Socket::of(&cfo, &gateway).await;
    for n in 0..=200 {
        socket.subscribe(&n.to_string(), "subscription { budgetChanged { kind } }", json!({})).await;
    }
    assert_eq!(socket.refusal("200").await, "PRECONDITION_FAILED");
    socket.send(json!({ "type": "complete", "id": "7" })).await;
    socket.subscribe("new", "{ me { user { name } } }", json!({})).await;
    assert_eq!(socket.message("new").await["user"]["name"], "Sarah Chen");
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_stopped() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    gateway
        .execute(
            "ALTER TABLE vendors ENABLE ROW LEVEL SECURITY;
             CREATE POLICY slow ON vendors FOR SELECT TO aether_reader USING ((SELECT pg_sleep(8))::text IS NOT NULL)",
        )
        .await;
    let at_work = async || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
                      AND application_name = 'aether-nexus' AND query LIKE '%FROM vendors%'";
        gateway.value(sql).await == json!(1)
    };
    let until = async |wanted: bool| {
        let begun = std::time::Instant::now();
        while at_work().await != wanted {
            assert!(begun.elapsed() < Duration::from_secs(5), "{wanted}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        begun.elapsed()
    };
    let mut socket = Socket::of(&cfo, &gateway).await;
    socket.subscribe("slow", "{ vendors(first: 1) { nodes { id } } }", json!({})).await;
    until(true).await;
    socket.send(json!({ "type": "complete", "id": "slow" })).await;
    let took = until(false).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    // The connection goes on, also under the same name.
    socket.subscribe("slow", "{ health { version } }", json!({})).await;
    let answer = socket.receive().await;
    assert_eq!((&answer["type"], &answer["id"]), (&json!("next"), &json!("slow")), "{answer:#}");
}

#[tokio::test]
async fn operations_of_an_open_connection_are_counted_as_requests() {
    let gateway = Gateway::with(&["--requests-per-minute", "20"]).await;
    let (cfo, agent) = (gateway.cfo().await, gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await);
    let (mut socket, mut other) = (Socket::of(&cfo, &gateway).await, Socket::of(&agent, &gateway).await);
    let mut answered = 0;
    let refused = loop {
        socket.subscribe(&answered.to_string(), "{ health { version } }", json!({})).await;
        let said = socket.receive().await;
        if said["type"] == "error" {
            break said;
        }
        assert_eq!(socket.receive().await["type"], "complete");
        answered += 1;
        assert!(answered <= 25, "nobody says no");
    };
    assert!(answered > 5, "{answered}");
    let extensions = &refused["payload"][0]["extensions"];
    assert_eq!(extensions["code"], "RATE_LIMITED", "{refused:#}");
    let wait = extensions["retryAfterSeconds"].as_u64().expect("seconds");
    assert!((1..=3).contains(&wait), "{refused:#}");
    assert_eq!(cfo.query("{ health { version } }").await.code(), "RATE_LIMITED", "one allowance for both");
    other.subscribe("a", "{ health { version } }", json!({})).await;
    assert_eq!(other.receive().await["type"], "next", "others go on");
    tokio::time::sleep(Duration::from_secs(wait)).await;
    socket.subscribe("again", "{ health { version } }", json!({})).await;
    assert_eq!(socket.receive().await["type"], "next", "the connection stays open");
}
