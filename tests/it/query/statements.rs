//! How many statements a request takes, whatever its rows; and that they fetch what was selected and nothing else.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aether_graphql::{Asker, Identity, Introspection, Limits, Request, Schema};
use aether_server::config::Cli;
use aether_store::{
    Connect, Database, Store, counting,
    identity::{Client, Sessions},
};
use clap::Parser;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
};

use crate::support::{Gateway, User};

/// Queries of several shapes, with the statements that each takes for any number of rows.
const SHAPES: [(&str, u64); 20] = [
    ("deals(first: $n) { nodes { id name value } }", 1),
    ("deals(first: $n) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { id } } nodes { stage } }", 1),
    ("deals(first: $n, filter: { owner: { role: { eq: ANALYST } }, history: { some: {} } }) { nodes { id } totalCount }", 1),
    ("deals(first: $n, filter: { owner: {} }) { nodes { owner { name email } } }", 2),
    ("deals(first: $n, filter: { owner: {} }) { nodes { owner { name organization { name } } organization { name } } }", 4),
    ("deals(first: $n) { nodes { history(first: 2) { totalCount nodes { fieldChanged } pageInfo { endCursor } } } }", 2),
    ("deals(first: $n) { nodes { history { totalCount } newest: history(first: 1) { nodes { id } } oldest: history(last: 1) { nodes { id } } } }", 4),
    (
        "deals(first: $n, filter: { owner: {}, history: { some: {} } }) { nodes {
            owner { name } organization { slug } history(first: 3) { nodes { changedByUser { email } deal { name } } } } }",
        6,
    ),
    ("vendors(first: $n) { totalCount nodes { name spends(first: 2) { nodes { amount vendor { name } } } } }", 3),
    ("departments(first: $n, filter: { children: { some: {} } }) { nodes { name children { nodes { name parent { code } } } } }", 3),
    (
        "budgets(first: $n, filter: { status: { in: [APPROVED, LOCKED] }, createdByUser: {} }) { nodes {
            submittedByUser { name } approvedByUser { name } createdByUser { name } } }",
        2,
    ),
    (
        "budgets(first: $n, filter: { status: { in: [APPROVED, LOCKED] }, createdByUser: {} }) { nodes {
            submittedByUser { name } approvedByUser { name email } createdByUser { id } } }",
        4,
    ),
    ("organizations(first: $n) { nodes { deals(first: 3) { nodes { history(first: 3) { nodes { id } } } } budgets(first: 1) { nodes { id } } } }", 4),
    // Siblings that finish in any order lead to the same type: nothing is merged by chance.
    (
        "organizations(first: $n) { nodes { deals(first: 3) { nodes { owner { name } } }
            budgets(first: 3) { nodes { createdByUser { name } } } vendors(first: 3) { nodes { organization { name } } } } }",
        7,
    ),
    // Figures and groups: a statement each, at the root and under any number of parents.
    ("deals(first: $n) { aggregate { count value { sum } } }", 1),
    ("deals(first: $n) { nodes { id } aggregate { count } groups(by: [{ owner: { name: {} } }], first: $n) { totalCount nodes { count } } }", 3),
    ("deals { groups(by: [{ createdAt: {} }], first: $n, fill: true) { nodes { prior { count } value { share running } } pageInfo { hasNextPage } } }", 1),
    ("deals { groups(by: [{ stage: {} }], first: $n) { nodes { rows(first: $n) { name owner { name } } } } }", 3),
    ("workspaces(first: $n) { nodes { clauses { aggregate { count } groups(by: [{ type: {} }], first: $n) { nodes { count rows { title } } } } } }", 4),
    ("a: deals(first: $n) { nodes { id } } b: vendors(first: $n) { nodes { id } } c: users(first: $n) { totalCount }", 3),
];

fn written(shape: &str) -> String {
    format!("query($n: Int) {{ {shape} }}")
}

async fn statements(user: &User<'_>, query: &str, variables: Value) -> u64 {
    let answer = user.run(query, variables).await;
    let count = answer.statements();
    answer.ok();
    count
}

#[tokio::test]
async fn a_request_takes_a_statement_for_each_level_whatever_its_rows() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    // The first request of a session reads its actor, too.
    assert_eq!(statements(&cfo, "{ deals { totalCount } }", json!({})).await, 2);
    for (shape, expected) in SHAPES {
        for rows in [1, 5, 50] {
            assert_eq!(
                statements(&cfo, &written(shape), json!({ "n": rows })).await,
                expected,
                "{rows} rows of {shape}"
            );
        }
    }
    // No rows, no relations to follow; nothing but counted, nothing but the count.
    assert_eq!(statements(&cfo, &written(SHAPES[7].0), json!({ "n": 0 })).await, 1);
    assert_eq!(statements(&cfo, "{ deals { totalCount nodes { id } } }", json!({})).await, 1);
    assert_eq!(statements(&cfo, "{ deals { __typename } }", json!({})).await, 1);
    // One row, by either of its ids.
    let deal = cfo.data("{ deals(first: 1, filter: { history: { some: {} } }) { nodes { id nodeId } } }").await["deals"]["nodes"][0].take();
    let one = "query($id: UUID!) { deal(id: $id) { name history { nodes { id } } } }";
    assert_eq!(statements(&cfo, one, json!({ "id": deal["id"] })).await, 2);
    let node = "query($id: ID!) { node(nodeId: $id) { ... on Deal { name history { nodes { id } } } nodeId } }";
    assert_eq!(statements(&cfo, node, json!({ "id": deal["nodeId"] })).await, 2);
    // What is refused beforehand costs nothing.
    assert_eq!(cfo.query("{ deals(first: 501) { nodes { id } } }").await.statements(), 0);
}

/// A wire to PostgreSQL that notes what a gateway sends over it.
struct Wire {
    url: String,
    executed: Arc<AtomicU64>,
    texts: Arc<Mutex<Vec<String>>>,
}

impl Wire {
    /// A wire to a test's database.
    async fn to(gateway: &Gateway) -> Self {
        let options = gateway.owner.get_postgres_connection_pool().connect_options();
        let directory = options.get_socket().expect("the cluster listens on a socket").clone();
        let socket = directory.join(format!(".s.PGSQL.{}", options.get_port()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let database = options.get_database().expect("a database");
        let wire = Self {
            url: format!("postgres://{}@127.0.0.1:{port}/{database}?sslmode=disable", options.get_username()),
            executed: Arc::default(),
            texts: Arc::default(),
        };
        let (executed, texts) = (wire.executed.clone(), wire.texts.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&socket).await.expect("the cluster is there");
                tokio::spawn(carry(client, server, executed.clone(), texts.clone()));
            }
        });
        wire
    }

    fn executed(&self) -> u64 {
        self.executed.load(Ordering::SeqCst)
    }
}

/// Carries both directions, and reads what the client says before the server hears it.
async fn carry(client: TcpStream, server: UnixStream, executed: Arc<AtomicU64>, texts: Arc<Mutex<Vec<String>>>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let (mut heard, mut bytes) = (Vec::new(), [0; 16 * 1024]);
    // The first message has no letter before its length.
    let mut letter = 0;
    // What a connection asks when it is opened is of no request.
    let mut is_own = false;
    while let Ok(count @ 1..) = from_client.read(&mut bytes).await {
        heard.extend_from_slice(&bytes[..count]);
        while let Some(length) = heard.get(letter..letter + 4) {
            let end = letter + u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
            if heard.len() < end {
                break;
            }
            let message: Vec<_> = heard.drain(..end).collect();
            match (letter, message[0]) {
                (1, b'E') => {
                    executed.fetch_add(u64::from(!std::mem::take(&mut is_own)), Ordering::SeqCst);
                }
                (1, b'Q') => {
                    let is_own = message[5..].starts_with(b"SELECT pg_backend_pid()");
                    executed.fetch_add(u64::from(!is_own), Ordering::SeqCst);
                }
                // Parse: the statement's name, then its text.
                (1, b'P') => {
                    let text = message[5..].split(|byte| *byte == 0).nth(1).expect("a text");
                    is_own = text == b"SELECT pg_backend_pid()";
                    texts.lock().expect("nobody panics").push(String::from_utf8_lossy(text).into_owned());
                }
                _ => {}
            }
            letter = 1;
        }
        if to_server.write_all(&bytes[..count]).await.is_err() {
            break;
        }
    }
}

#[tokio::test]
async fn the_number_told_is_the_number_that_goes_over_the_wire() {
    let gateway = Gateway::demo().await;
    let _cfo = gateway.cfo().await;
    let session = gateway.value("SELECT id FROM user_sessions ORDER BY created_at DESC LIMIT 1").await;
    let session = session.as_str().and_then(|id| id.parse().ok()).expect("a session");
    let wire = Wire::to(&gateway).await;
    let connect = Connect { url: wire.url.clone(), max_connections: 4, statement_timeout: Duration::from_secs(30) };
    let Ok(database) = Database::connect(&connect).await else { panic!("no connection over the wire") };
    let (store, schema) = (Store::new(database), Schema::new(Limits::default(), Introspection::Anybody));
    let config = Cli::parse_from(["aether-nexus"]).config;
    let Ok(encryption) = config.encryption() else { panic!("no keys") };
    let asker = || Asker {
        store: store.clone(),
        sessions: Sessions::new(store.clone(), config.tokens(), encryption.clone()),
        identity: Identity::Session(session),
        client: Client { address: None, user_agent: None, device: None, request_id: uuid::Uuid::nil() },
        idempotency: None,
        patience: Duration::from_secs(30),
    };
    let prepared = |query: &str| {
        let request = Request::of_parts(query.to_owned(), None, Some("{\"n\": 5}")).expect("a request");
        schema.prepare(request).unwrap_or_else(|refused| panic!("{query}: {:?}", refused.errors))
    };
    for (shape, expected) in [("deals(first: $n) { totalCount }", 2)].into_iter().chain(SHAPES) {
        let before = wire.executed();
        let (answer, told) = counting(schema.execute(prepared(&written(shape)), asker())).await;
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
        assert_eq!((told, wire.executed() - before), (expected, expected), "{shape}");
    }
    // The search is said as its index has it.
    let search = prepared("{ clauses(search: \"interest\", first: 3) { nodes { title } } }");
    let answer = schema.execute(search, asker()).await;
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    let texts = wire.texts.lock().expect("nobody panics");
    let searched = "to_tsvector('english', t.\"body\") @@ websearch_to_tsquery('english', $";
    assert!(texts.last().is_some_and(|text| text.contains(searched)), "{:?}", texts.last());
    // And whatever a statement says, it reads.
    assert!(texts.iter().all(|text| text.starts_with("SELECT ")), "{texts:#?}");
}

#[tokio::test]
async fn only_what_is_selected_is_fetched() {
    let gateway = Gateway::demo().await;
    gateway
        .execute(
            "REVOKE SELECT (body) ON clauses FROM aether_reader;
             REVOKE SELECT (content, context_used) ON ai_messages FROM aether_reader;
             REVOKE SELECT (breakdown) ON vendor_spend FROM aether_reader;
             REVOKE SELECT (value, name) ON deals FROM aether_reader",
        )
        .await;
    let cfo = gateway.cfo().await;
    for query in [
        "{ clauses(first: 3) { totalCount edges { cursor node { id title type } } pageInfo { endCursor } } }",
        "{ workspaces { nodes { name clauses(first: 2, filter: { type: { ne: GENERAL } }) { totalCount nodes { title } } } } }",
        "{ variables(first: 3) { nodes { label clause { title orderIndex } } } }",
        "{ variables(first: 3, filter: { clause: { isSensitive: { eq: true } } }) { totalCount } }",
        "{ aiConversations(first: 3) { nodes { messages(first: 5) { totalCount nodes { id role citations { sourceName } } } } } }",
        "{ vendorSpends(first: 3) { nodes { amount vendor { name } } } }",
        "{ deals(first: 3, orderBy: { field: STAGE }) { totalCount edges { cursor } nodes { stage owner { name } history { nodes { deal { id } } } } } }",
    ] {
        cfo.data(query).await;
    }
    for query in [
        "{ clauses(first: 3) { nodes { body } } }",
        "{ workspaces { nodes { clauses { nodes { body } } } } }",
        "{ clauses(search: \"interest\") { totalCount } }",
        "{ clauses(filter: { body: { contains: \"interest\" } }) { nodes { id } } }",
        "{ clauses(orderBy: { field: BODY }) { nodes { id } } }",
        "{ variables(filter: { clause: { body: { contains: \"a\" } } }) { totalCount } }",
        "{ aiMessages { nodes { content } } }",
        "{ vendorSpends { nodes { breakdown } } }",
        "{ deals(first: 1) { nodes { name } } }",
        "{ deals(first: 1, filter: { history: { some: {} } }) { nodes { history { nodes { deal { value } } } } } }",
    ] {
        let answer = cfo.query(query).await;
        assert_eq!(answer.code(), "INTERNAL", "{query}");
        assert!(
            answer.body["data"].as_object().is_some_and(|data| data.values().all(Value::is_null)),
            "{:#}",
            answer.body
        );
        let error = &answer.body["errors"][0];
        assert_eq!(
            answer.message(),
            "Something went wrong inside the gateway. Try again; if it persists, report the request id.",
            "nothing of why"
        );
        let told: Vec<_> = error["extensions"].as_object().expect("extensions").keys().collect();
        assert_eq!(told, ["code", "requestId"], "{error:#}");
    }
}

#[tokio::test]
async fn a_root_field_written_twice_is_read_once() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    cfo.data("{ deals { totalCount } }").await;
    let answer =
        cfo.query("{ deals(first: 2) { nodes { id } } deals(first: 2) { nodes { name owner { name } } } }").await;
    assert_eq!(answer.statements(), 2);
    let data = answer.ok();
    assert!(data["deals"]["nodes"][0]["id"].is_string() && data["deals"]["nodes"][0]["name"].is_string(), "{data:#}");
}
