//! What goes wrong is told with a code, a request id and a sentence, whatever it is, and never with more than that.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::{Method, RequestBuilder, Response, header};
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, Gateway, cluster, log::Log};

const JSON: &str = "application/json";
const DEALS: &str = "{ deals(first: 1) { nodes { id name } } }";

fn post(gateway: &Gateway) -> RequestBuilder {
    gateway.http().post(format!("{}/graphql", gateway.url))
}

async fn body(response: Response) -> Value {
    let text = response.text().await.expect("a body");
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))
}

/// Every error has a code, a request id and a sentence.
fn told(body: &Value, code: &str) {
    let errors = body["errors"].as_array().unwrap_or_else(|| panic!("no errors: {body:#}"));
    for error in errors {
        assert_eq!(error["extensions"]["code"], code, "{body:#}");
        let id = error["extensions"]["requestId"].as_str().map(str::parse::<Uuid>);
        assert!(matches!(id, Some(Ok(_))), "{body:#}");
        assert!(error["message"].as_str().is_some_and(|message| message.len() > 10), "{body:#}");
    }
}

/// The answer names nothing of the database.
fn silent(answer: &Answer) {
    let text = answer.body.to_string();
    for word in
        ["SELECT", "deal_history", "relation", "aether_reader", "aether_writer", "ostgres", "sqlx", "pool", "role"]
    {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[tokio::test]
async fn what_is_no_graphql_says_so() {
    let gateway = Gateway::demo().await;
    for query in
        ["", "{", "{ a(\"\") }", "query query query", "{ deals(first: ) { nodes { id } } }", "\u{0}", "}{", "{ 🦀 }"]
    {
        let answer = gateway.stranger().query(query).await;
        assert_eq!(answer.status, 200, "{query}");
        told(&answer.body, "GRAPHQL_PARSE_FAILED");
    }
}

#[tokio::test]
async fn what_does_not_fit_the_schema_says_so() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let deep = |levels: usize| {
        format!(
            "{{ organizations {{ nodes {{ {} id {} }} }} }}",
            "users(first: 1) { nodes { organization { ".repeat(levels),
            "} } }".repeat(levels)
        )
    };
    let many: String = (0..2_100).map(|i| format!("a{i}: health {{ database }} ")).collect();
    for query in [
        "{ nothing }",
        "{ deals { nodes { nothing } } }",
        "{ deals(nothing: 1) { nodes { id } } }",
        "{ deals(first: \"ten\") { nodes { id } } }",
        "{ deal(id: \"no id\") { id } }",
        "{ deal { id } }",
        "{ deals }",
        "{ deals { nodes { id { id } } } }",
        "{ deals(filter: { nothing: 1 }) { nodes { id } } }",
        "{ health { ...Nobody } }",
        "{ health { ...A } } fragment A on Deal { id }",
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "{ health { ...A } } fragment A on Health { database ...A }",
        "query A { health { database } } query B { health { database } }",
        "query($first: Nothing) { deals(first: $first) { nodes { id } } }",
        "{ deals(first: $first) { nodes { id } } }",
        "{ health @nothing { database } }",
        "subscription { nothing }",
        "mutation { login { sessionId } }",
        "mutation { nothing }",
        &deep(12),
        &format!("{{ {many} }}"),
    ] {
        let answer = cfo.query(query).await;
        assert_eq!(answer.status, 200, "{query}");
        told(&answer.body, "GRAPHQL_VALIDATION_FAILED");
        assert_eq!(answer.body["data"], Value::Null);
    }
    cfo.data(&deep(6)).await;
    let variables = cfo.run("query($id: UUID!) { deal(id: $id) { id } }", json!({ "id": 7 })).await;
    told(&variables.body, "GRAPHQL_VALIDATION_FAILED");
}

#[tokio::test]
async fn bombs_are_defused_before_they_take_time() {
    let gateway = Gateway::demo().await;
    let doubling = |fragments: usize| -> String {
        let spreads = (0..fragments).map(|i| format!("fragment F{i} on Health {{ ...F{0} ...F{0} }} ", i + 1));
        format!(
            "{{ health {{ ...F0 }} }} {} fragment F{fragments} on Health {{ database }}",
            spreads.collect::<String>()
        )
    };
    let nest = |open: &str, inside: &str, close: &str, levels: usize| {
        format!("{}{inside}{}", open.repeat(levels), close.repeat(levels))
    };
    let aliases: String = (0..30_000).map(|i| format!("a{i}: __typename ")).collect();
    let began = Instant::now();
    for query in [
        doubling(30),
        doubling(20_000),
        nest("{ a ", "", "}", 100_000),
        nest("{ ... ", "{ health { database } }", "}", 50_000),
        format!("{{ health(x: {}) {{ database }} }}", nest("[", "", "]", 200_000)),
        format!("{{ health(x: {}) {{ database }} }}", nest("{a:", "1", "}", 100_000)),
        format!("query($a: {}) {{ health {{ database }} }}", nest("[", "Int", "]", 200_000)),
        format!("{{ {aliases} }}"),
        format!("{{ health {{ {} }} }}", "database ".repeat(100_000)),
    ] {
        let answer = gateway.stranger().query(&query).await;
        assert_eq!(answer.status, 200);
        let code = answer.code().to_owned();
        assert!(code.starts_with("GRAPHQL_"), "{code}");
        told(&answer.body, &code);
    }
    // Unoptimized, and with others at the machine; the first alone would take minutes otherwise.
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    gateway.stranger().data("{ health { database } }").await;

    let variables = nest("[", "1", "]", 10_000);
    let request =
        format!(r#"{{ "query": "query($a: Int) {{ health {{ database }} }}", "variables": {{ "a": {variables} }} }}"#);
    let response = post(&gateway).header(header::CONTENT_TYPE, JSON).body(request).send().await.expect("an answer");
    assert_eq!(response.status(), 400);
    told(&body(response).await, "BAD_REQUEST");

    let ids: Vec<_> = (0..20_000).map(|_| Uuid::new_v4()).collect();
    let query = "query($ids: [UUID!]) { deals(first: 1, filter: { id: { in: $ids } }) { nodes { id } } }";
    let answer = gateway.cfo().await.run(query, json!({ "ids": ids })).await;
    assert!(answer.body.get("errors").is_none() || answer.code() != "INTERNAL", "{}", answer.message());
}

#[tokio::test]
async fn what_is_no_request_has_a_status_and_a_code() {
    let gateway = Gateway::demo().await;
    let good = r#"{"query": "{ health { database } }"}"#;
    let bad = |body: &'static [u8]| post(&gateway).header(header::CONTENT_TYPE, JSON).body(body);
    let typed = |ty: &str| post(&gateway).header(header::CONTENT_TYPE, ty).body(good);
    let method = |method: Method| gateway.http().request(method, format!("{}/graphql", gateway.url));
    for (request, status) in [
        (bad(b""), 400),
        (bad(b"no JSON"), 400),
        (bad(b"{\"query\": "), 400),
        (bad(b"{\"query\": 7}"), 400),
        (bad(b"{\"query\": \"{ health { database } }\", \"variables\": 7}"), 400),
        (bad(b"[{\"query\": \"{ health { database } }\"}]"), 400),
        (bad(b"7"), 400),
        (bad(b"null"), 400),
        (bad(b"\"{ health { database } }\""), 400),
        (bad(b"{\"query\": \"\xff\"}"), 400),
        (bad(b"{\"query\": \"\\ud800\"}"), 400),
        (bad(b"\x1f\x8b\x08\x00").header(header::CONTENT_ENCODING, "gzip"), 400),
        (post(&gateway).body(good), 415),
        (typed("text/plain"), 415),
        (typed("application/x-www-form-urlencoded"), 415),
        (typed("multipart/form-data; boundary=x"), 415),
        (typed("application/jsonp"), 415),
        (typed("application/graphql"), 415),
        (post(&gateway).header(header::CONTENT_TYPE, JSON).body(vec![b' '; 1024 * 1024 + 1]), 413),
        (method(Method::GET), 405),
        (method(Method::GET).query(&[("query", "{ health { database } }")]), 405),
        (method(Method::PUT).header(header::CONTENT_TYPE, JSON).body(good), 405),
        (method(Method::DELETE), 405),
    ] {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), status, "{response:?}");
        let id = response.headers()["x-request-id"].to_str().expect("text").to_owned();
        let body = body(response).await;
        told(&body, "BAD_REQUEST");
        assert_eq!(body["errors"][0]["extensions"]["requestId"], id);
    }
    for ty in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        assert_eq!(body(typed(ty).send().await.expect("an answer")).await["data"]["health"]["database"], true);
    }
    let response = gateway.http().get(format!("{}/nothing", gateway.url)).send().await.expect("an answer");
    assert_eq!(response.status(), 404);
}

#[tokio::test]
async fn a_request_keeps_the_id_that_it_came_with() {
    let gateway = Gateway::demo().await;
    let send = async |id: &str, query: &str| {
        let request = post(&gateway).header("X-Request-Id", id).json(&json!({ "query": query }));
        let response = request.send().await.expect("an answer");
        let echoed = response.headers()["x-request-id"].to_str().expect("text").to_owned();
        (echoed, body(response).await)
    };
    let id = Uuid::new_v4().to_string();
    let (echoed, body) = send(&id, "{ nothing }").await;
    assert_eq!((&echoed, &body["errors"][0]["extensions"]["requestId"]), (&id, &json!(id)));
    assert_eq!(send(&id, "{ health { database } }").await.0, id);
    let (made, body) = send("no uuid", "{ nothing }").await;
    assert!(made.parse::<Uuid>().is_ok());
    assert_eq!(body["errors"][0]["extensions"]["requestId"], made);

    // And the audit log has it.
    let login = r#"mutation { login(email: "nobody@aether-demo.com", password: "x", organization: "aether-demo") { sessionId } }"#;
    send(&id, login).await;
    let logged = format!("SELECT action FROM audit_logs WHERE request_id = '{id}'");
    assert_eq!(gateway.value(&logged).await, "LOGIN_FAILED");
}

#[tokio::test]
async fn what_is_logged_of_a_request_has_its_id_its_user_and_its_operation() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    gateway.execute("ALTER TABLE deal_history RENAME TO gone").await;
    let log = Log::listen();
    let query = "query Changes { dealHistories(first: 1) { nodes { id } } } query Others { users { nodes { id } } }";
    let request = cfo.request(json!({ "query": query, "operationName": "Changes" }));
    let answer = Answer::of(query, request.send().await.expect("an answer")).await;
    told(&answer.body, "INTERNAL");
    let id = answer.body["errors"][0]["extensions"]["requestId"].as_str().expect("an id").to_owned();
    let lines = log.lines("internal error");
    let [line] = &lines[..] else { panic!("{lines:#?}") };
    let user = gateway.value("SELECT id FROM users WHERE email = 'sarah.chen@aether-demo.com'").await;
    let user = user.as_str().expect("an id");
    assert!(line.contains(&format!("request{{id={id} user={user} operation=\"Changes\"}}")), "{line}");
    assert!(line.contains("deal_history"), "the log says what was wrong: {line}");
}

#[tokio::test]
async fn a_failing_database_is_not_described_and_spares_the_other_fields() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    cfo.data(DEALS).await;
    gateway.execute("ALTER TABLE deal_history RENAME TO gone").await;
    let answer =
        cfo.query("{ changes: dealHistories(first: 1) { nodes { id } } deals(first: 1) { nodes { id } } }").await;
    told(&answer.body, "INTERNAL");
    silent(&answer);
    assert_eq!(answer.body["errors"][0]["path"], json!(["changes"]));
    assert_eq!(answer.body["data"]["changes"], Value::Null);
    assert_eq!(answer.body["data"]["deals"]["nodes"].as_array().map(Vec::len), Some(1));
    gateway.execute("ALTER TABLE gone RENAME TO deal_history").await;
    cfo.data("{ dealHistories(first: 1) { nodes { id } } }").await;
}

#[tokio::test]
async fn the_request_after_the_connections_broke_works() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let terminate = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'aether-nexus'";
    for at_once in [1, 12] {
        join_all((0..12).map(|_| cfo.data(DEALS))).await;
        assert_ne!(gateway.value(terminate).await, 0);
        join_all((0..at_once).map(|_| cfo.data(DEALS))).await;
        gateway.value(terminate).await;
        gateway.cfo().await.data(DEALS).await;
    }
}

#[tokio::test]
async fn a_database_out_of_reach_is_told_as_such_and_comes_back() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let name = gateway.value("SELECT current_database()").await.as_str().expect("a name").to_owned();
    let admin = cluster::connect("postgres").await;
    let let_in = async |whether: bool| {
        let sql = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {whether}");
        admin.execute_unprepared(&sql).await.expect("it is altered");
    };
    let_in(false).await;
    let terminate = format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'");
    admin.execute_unprepared(&terminate).await.expect("it is emptied");
    let answer = cfo.query(DEALS).await;
    told(&answer.body, "UNAVAILABLE");
    silent(&answer);
    let user = json!({ "email": "a@b.example", "password": "x", "organization": "aether-demo" });
    let login = "mutation($email: String!, $password: String!, $organization: String!) {
        login(email: $email, password: $password, organization: $organization) { sessionId }
    }";
    told(&gateway.stranger().run(login, user).await.body, "UNAVAILABLE");
    assert_eq!(gateway.stranger().data("{ health { database } }").await["health"]["database"], false);
    let ready = async || gateway.http().get(format!("{}/readyz", gateway.url)).send().await.expect("an answer");
    assert_eq!(ready().await.status(), 503);
    assert_eq!(gateway.http().get(format!("{}/healthz", gateway.url)).send().await.expect("an answer").status(), 200);
    let_in(true).await;
    cfo.data(DEALS).await;
    assert_eq!(ready().await.status(), 200);
}

#[tokio::test]
async fn a_statement_that_waits_too_long_is_stopped() {
    let gateway = Gateway::with(&["--statement-timeout-seconds", "1"]).await;
    let cfo = gateway.cfo().await;
    cfo.data(DEALS).await;
    let lock = gateway.owner.begin().await.expect("a transaction");
    lock.execute_unprepared("LOCK TABLE deals, refresh_tokens IN ACCESS EXCLUSIVE MODE").await.expect("a lock");
    let began = Instant::now();
    let query = "{ deals(first: 1) { nodes { id } } vendors(first: 1) { nodes { id } } }";
    let refresh = format!(r#"mutation {{ refresh(refreshToken: "{}") {{ sessionId }} }}"#, cfo.refresh_token);
    let (read, written) = tokio::join!(cfo.query(query), cfo.query(&refresh));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    told(&read.body, "TIMEOUT");
    silent(&read);
    assert_eq!(read.body["data"]["vendors"]["nodes"].as_array().map(Vec::len), Some(1));
    told(&written.body, "TIMEOUT");
    lock.rollback().await.expect("it is let go");
    cfo.data(query).await;
    cfo.data(&refresh).await;
}

#[tokio::test]
async fn pages_of_other_origins_may_not_call_unless_they_are_allowed() {
    let allowed = "https://desk.example.com";
    let gateway = Gateway::with(&["--allowed-origins", allowed]).await;
    let closed = Gateway::demo().await;
    let preflight = |gateway: &Gateway, origin: &str| {
        let request = gateway.http().request(Method::OPTIONS, format!("{}/graphql", gateway.url));
        request
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization,content-type")
            .send()
    };
    let request = |gateway: &Gateway, origin: &str| {
        post(gateway).header(header::ORIGIN, origin).json(&json!({ "query": "{ health { database } }" })).send()
    };
    let let_in = |response: Response| {
        let headers = response.headers();
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).map(|origin| origin.to_str().expect("text").to_owned())
    };
    for origin in ["https://evil.example", "null", "https://desk.example.com.evil.example", "http://desk.example.com"] {
        for gateway in [&gateway, &closed] {
            assert_eq!(let_in(preflight(gateway, origin).await.expect("an answer")), None, "{origin}");
            assert_eq!(let_in(request(gateway, origin).await.expect("an answer")), None, "{origin}");
        }
    }
    assert_eq!(let_in(request(&closed, allowed).await.expect("an answer")), None);
    assert_eq!(let_in(preflight(&gateway, allowed).await.expect("an answer")).as_deref(), Some(allowed));
    assert_eq!(let_in(request(&gateway, allowed).await.expect("an answer")).as_deref(), Some(allowed));
}
