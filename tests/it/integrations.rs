//! Integrations: configured, never readable, synchronized from CSV over HTTP.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    case,
    mutations::{Case, May},
    support::{Gateway, User},
};

const EDITORS: May = May::Organization(&["CFO", "ADMIN"]);
const SECRET: &str = "Bearer s3cret-of-the-source";
const PATIENCE: Duration = Duration::from_millis(500);

/// An integration that the gateway reads by itself; what it connects with is never looked at here.
const INTEGRATION: &str = "INSERT INTO integrations (organization_id, name, type, provider, connection_config, status) \
     SELECT id, 'Test', 'DW', 'csv_http:' || gen_random_uuid(), '\\x01'::bytea, 'active' FROM organizations WHERE slug = 'aether-demo' \
     RETURNING id, row_version AS v";

const OFF: &str = "INSERT INTO integrations (organization_id, name, type, provider, connection_config, status, sync_enabled) \
     SELECT id, 'Test', 'DW', 'csv_http:' || gen_random_uuid(), '\\x01'::bytea, 'inactive', false FROM organizations WHERE slug = 'aether-demo' \
     RETURNING id, row_version AS v";

pub fn cases() -> Vec<Case> {
    vec![
        case!("configureIntegration", EDITORS, "SELECT 'other:' || gen_random_uuid() AS provider",
            "mutation($provider: String!) { configureIntegration(input: { name: \"New\", type: ERP, provider: $provider,
                config: { host: \"erp.example\" } }) { status } }"),
        case!(
            "editIntegration",
            EDITORS,
            INTEGRATION,
            "mutation($id: UUID!, $v: Int!) { editIntegration(id: $id, expectedVersion: $v, input: { name: \"Other\" }) { name } }"
        ),
        case!(
            "enableIntegration",
            EDITORS,
            OFF,
            "mutation($id: UUID!, $v: Int!) { enableIntegration(id: $id, expectedVersion: $v) { status } }"
        ),
        case!(
            "disableIntegration",
            EDITORS,
            INTEGRATION,
            "mutation($id: UUID!, $v: Int!) { disableIntegration(id: $id, expectedVersion: $v) { status } }"
        ),
        case!("triggerSync", EDITORS, INTEGRATION, "mutation($id: UUID!) { triggerSync(id: $id) { status } }"),
    ]
}

/// How the source answers once.
enum Reply {
    Csv(String),
    Status(u16),
    Page,
    Redirect,
    Never,
}

type Shared = Arc<(Mutex<VecDeque<Reply>>, Mutex<Vec<HeaderMap>>)>;

/// A system that serves a file.
struct Source {
    url: String,
    shared: Shared,
}

impl Source {
    async fn start() -> Self {
        let shared = Shared::default();
        let router = Router::new().route("/metrics.csv", get(answer)).with_state(shared.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/metrics.csv", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    fn next(&self, reply: Reply) {
        self.shared.0.lock().expect("no panic").push_back(reply);
    }

    fn asked(&self) -> Vec<HeaderMap> {
        self.shared.1.lock().expect("no panic").clone()
    }
}

async fn answer(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    shared.1.lock().expect("no panic").push(headers);
    let reply = shared.0.lock().expect("no panic").pop_front();
    match reply {
        Some(Reply::Csv(text)) => ([(header::CONTENT_TYPE, "text/csv")], text).into_response(),
        Some(Reply::Page) => ([(header::CONTENT_TYPE, "text/html")], format!("<html>{SECRET}</html>")).into_response(),
        Some(Reply::Redirect) => (StatusCode::FOUND, [(header::LOCATION, "http://169.254.169.254/")]).into_response(),
        Some(Reply::Status(status)) => (StatusCode::from_u16(status).expect("a status"), SECRET).into_response(),
        Some(Reply::Never) => std::future::pending().await,
        None => StatusCode::GONE.into_response(),
    }
}

const CONFIGURE: &str = "mutation($config: JSON!, $v: Int, $frequency: SyncFrequency) { configureIntegration(expectedVersion: $v, input: {
    name: \"Warehouse\", type: DW, provider: \"csv_http\", config: $config, syncFrequency: $frequency }) { id rowVersion status syncEnabled } }";

async fn configure(user: &User<'_>, source: &Source) -> Value {
    let config = json!({ "url": source.url, "kind": "metrics", "headers": { "Authorization": SECRET } });
    user.run(CONFIGURE, json!({ "config": config })).await.ok()["configureIntegration"].take()
}

async fn trigger(user: &User<'_>, id: &Value) -> Value {
    let trigger = "mutation($id: UUID!) { triggerSync(id: $id) { id status triggerType triggeredByUser { email } } }";
    user.run(trigger, json!({ "id": id })).await.ok()["triggerSync"].take()
}

/// The synchronization and its integration, as everybody sees them.
async fn seen(user: &User<'_>, sync: &Value) -> Value {
    let query = "query($id: UUID!) { integrationSync(id: $id) { status completedAt durationMs recordsRead recordsWritten recordsFailed
        errors logs { nodes { level message details } }
        integration { status consecutiveFailures lastSuccessfulSync lastSyncAttempt recordsSyncedTotal } } }";
    user.run(query, json!({ "id": sync["id"] })).await.ok()["integrationSync"].take()
}

fn counts(sync: &Value) -> [i64; 3] {
    ["recordsRead", "recordsWritten", "recordsFailed"].map(|field| sync[field].as_i64().expect("a number"))
}

const GOOD: &str =
    "date,metric_type,region,actual,currency\n2031-01,REVENUE,Test,100.50,USD\n2031-02,REVENUE,Test,110,USD\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_fetched_and_its_lines_become_metrics() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let source = Source::start().await;
    let integration = configure(&cfo, &source).await;
    assert_eq!((&integration["status"], &integration["syncEnabled"]), (&json!("ACTIVE"), &json!(true)));
    let id = &integration["id"];
    let sync = trigger(&cfo, id).await;
    assert_eq!((&sync["status"], &sync["triggerType"]), (&json!("RUNNING"), &json!("MANUAL")));
    assert_eq!(sync["triggeredByUser"]["email"], "sarah.chen@aether-demo.com");
    let again = cfo.run("mutation($id: UUID!) { triggerSync(id: $id) { id } }", json!({ "id": id })).await;
    assert_eq!(again.code(), "PRECONDITION_FAILED", "one at a time");

    source.next(Reply::Csv(GOOD.into()));
    let (one, other) = (gateway.synchronizer(&[], PATIENCE).await, gateway.synchronizer(&[], PATIENCE).await);
    let (one, other) = tokio::join!(one.round(), other.round());
    assert_eq!(one.expect("it works") + other.expect("it works"), 1, "one gateway carries it out");
    assert_eq!(source.asked().len(), 1);
    assert_eq!(source.asked()[0]["authorization"], SECRET);
    let ended = seen(&cfo, &sync).await;
    assert_eq!((&ended["status"], counts(&ended)), (&json!("SUCCESS"), [2, 2, 0]), "{ended:#}");
    assert_eq!(ended["integration"]["recordsSyncedTotal"], "2");
    assert!(ended["integration"]["lastSuccessfulSync"].is_string() && ended["completedAt"].is_string());
    assert_eq!(ended["logs"]["nodes"][0]["details"], json!({ "inserted": 2, "updated": 0, "unchanged": 0 }));
    let metrics = cfo.data("{ financialMetrics(filter: { region: { eq: \"Test\" } }, orderBy: [{ field: METRIC_DATE, direction: ASC }]) {
        nodes { metricDate actualValue sourceSystem } } }").await;
    assert_eq!(metrics["financialMetrics"]["nodes"][0]["actualValue"], "100.50");
    assert_eq!(metrics["financialMetrics"]["nodes"][1]["sourceSystem"], "csv_http");

    // Good lines are taken, bad ones told.
    let sync = trigger(&cfo, id).await;
    source.next(Reply::Csv(format!(
        "{GOOD}2031-03,REVENUE,Test,many,USD\n2031-13,PROFIT,Test,1,USD\n2031-04,REVENUE,Test,120\n"
    )));
    gateway.synchronizer(&[], PATIENCE).await.round().await.expect("it works");
    let ended = seen(&cfo, &sync).await;
    assert_eq!((&ended["status"], counts(&ended)), (&json!("PARTIAL"), [5, 2, 3]), "{ended:#}");
    let lines: Vec<_> =
        ended["errors"].as_array().expect("errors").iter().map(|e| (e["line"].clone(), e["field"].clone())).collect();
    assert_eq!(
        lines,
        [
            (json!(4), json!("actual")),
            (json!(5), json!("date")),
            (json!(5), json!("metric_type")),
            (json!(6), json!("currency"))
        ]
    );
    assert_eq!(ended["integration"]["recordsSyncedTotal"], "4");

    let trail = gateway
        .rows(
            "SELECT actor_type, actor_name, action, details FROM audit_logs WHERE action LIKE 'INTEGRATION%'
        AND timestamp > now() - interval '5 minutes' AND (details -> 'after') IS NOT NULL ORDER BY id",
        )
        .await;
    let told: Vec<_> = trail
        .iter()
        .map(|r| (r["actor_type"].as_str().unwrap_or_default(), r["action"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        told,
        [
            ("HUMAN", "INTEGRATION_CONFIGURE"),
            ("HUMAN", "INTEGRATION_SYNC"),
            ("SYSTEM", "INTEGRATION_SYNC_FINISH"),
            ("HUMAN", "INTEGRATION_SYNC"),
            ("SYSTEM", "INTEGRATION_SYNC_FINISH"),
        ]
    );
    assert_eq!(trail[2]["details"]["after"]["syncStatus"], "SUCCESS");
    let events =
        gateway.value("SELECT count(*) FROM event_outbox WHERE topic = 'integration' AND kind = 'updated'").await;
    assert!(events.as_i64().is_some_and(|events| events >= 4), "{events}");
}

/// In production, a source in the gateway's own network is read where a setting says so, and not by way of another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_production_private_sources_are_read_where_it_is_allowed_only() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let source = Source::start().await;
    let id = configure(&cfo, &source).await["id"].take();
    let production = ["--profile", "production", "--allowed-private-networks"];
    for (allowed, code) in [("10.0.0.0/8", json!("REFUSED_HOST")), ("127.0.0.1", Value::Null)] {
        let sync = trigger(&cfo, &id).await;
        source.next(Reply::Csv(GOOD.into()));
        let synchronizer = gateway.synchronizer(&[&production[..], &[allowed]].concat(), PATIENCE).await;
        assert_eq!(synchronizer.round().await.ok(), Some(1));
        let ended = seen(&cfo, &sync).await;
        assert_eq!(ended["errors"][0]["code"], code, "{ended:#}");
        if !code.is_null() {
            let message = ended["errors"][0]["message"].as_str().unwrap_or_default();
            assert!(message.contains("AETHER_ALLOWED_PRIVATE_NETWORKS"), "{message}");
            assert!(source.asked().is_empty());
        }
    }
    assert_eq!(source.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_counted_and_end_with_the_next_success() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let source = Source::start().await;
    let id = configure(&cfo, &source).await["id"].take();
    let synchronizer = gateway.synchronizer(&[], PATIENCE).await;
    let replies = [
        (Reply::Status(500), "HTTP_STATUS", 1, "ACTIVE"),
        (Reply::Page, "UNEXPECTED_CONTENT", 2, "ACTIVE"),
        (Reply::Never, "TIMEOUT", 3, "ERROR"),
        (Reply::Redirect, "HTTP_STATUS", 4, "ERROR"),
        (Reply::Csv("\u{1}garbage\n\n\"".into()), "UNEXPECTED_CONTENT", 5, "ERROR"),
        (Reply::Csv("x".repeat(10 * 1024 * 1024 + 1)), "TOO_LONG", 6, "ERROR"),
        (Reply::Csv("date,metric_type,actual\n2031-01,REVENUE,x\n".into()), "LINE_REFUSED", 7, "ERROR"),
    ];
    for (reply, code, failures, status) in replies {
        let sync = trigger(&cfo, &id).await;
        source.next(reply);
        assert_eq!(synchronizer.round().await.ok(), Some(1), "{code}");
        let ended = seen(&cfo, &sync).await;
        assert_eq!((&ended["status"], &ended["errors"][0]["code"]), (&json!("FAILED"), &json!(code)), "{ended:#}");
        let integration = &ended["integration"];
        assert_eq!(
            (&integration["consecutiveFailures"], &integration["status"]),
            (&json!(failures), &json!(status)),
            "{code}"
        );
        let levels: Vec<_> = ended["logs"]["nodes"].as_array().expect("logs").iter().map(|log| &log["level"]).collect();
        assert!(levels.contains(&&json!("ERROR")), "{ended:#}");
        assert!(!ended.to_string().contains("s3cret"), "{ended:#}");
    }
    let sync = trigger(&cfo, &id).await;
    source.next(Reply::Csv(GOOD.into()));
    synchronizer.round().await.expect("it works");
    let ended = seen(&cfo, &sync).await;
    assert_eq!(
        (&ended["integration"]["consecutiveFailures"], &ended["integration"]["status"]),
        (&json!(0), &json!("ACTIVE"))
    );
    unreadable(&gateway, &cfo, &source).await;
}

/// Nothing of the configuration is anywhere but encrypted: not in a row, not in the audit log, not in an event.
async fn unreadable(gateway: &Gateway, cfo: &User<'_>, source: &Source) {
    for table in
        ["integrations", "integration_syncs", "integration_logs", "audit_logs", "event_outbox", "idempotency_keys"]
    {
        for needle in ["s3cret", source.url.as_str()] {
            let found = gateway.value(&format!("SELECT count(*) FROM {table} t WHERE t::text LIKE '%{needle}%'")).await;
            assert_eq!(found, 0, "{needle} in {table}");
        }
    }
    let plain = gateway
        .value("SELECT count(*) FROM integrations WHERE position('s3cret'::bytea IN connection_config) > 0")
        .await;
    assert_eq!(plain, 0, "encrypted at rest");
    let told = gateway
        .value(
            "SELECT details -> 'after' ->> 'connectionConfig' FROM audit_logs WHERE action = 'INTEGRATION_CONFIGURE'
        ORDER BY id DESC LIMIT 1",
        )
        .await;
    assert_eq!(told, "(secret)");
    let read = cfo.query("{ integrations { nodes { connectionConfig } } }").await;
    assert_eq!(read.code(), "GRAPHQL_VALIDATION_FAILED");
    let config = json!({ "url": "ftp://s3cret.example/", "kind": "metrics" });
    let refused = cfo.run(CONFIGURE, json!({ "config": config })).await;
    assert_eq!(refused.body["errors"][0]["extensions"]["field"], "input.config.url");
    assert!(!refused.body.to_string().contains("s3cret"), "{:#}", refused.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_gateway_took_up_is_ended_and_cannot_be_written_twice() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let source = Source::start().await;
    let id = configure(&cfo, &source).await["id"].take();
    let sync = trigger(&cfo, &id).await;
    // One that waits for its source while its lease runs out.
    let slow = gateway.synchronizer(&[], Duration::from_secs(30)).await;
    source.next(Reply::Never);
    let hanging = tokio::spawn(async move { slow.round().await });
    let leased = "SELECT count(*) FROM integration_syncs WHERE leased_until > now()";
    while gateway.value(leased).await != 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let other = gateway.synchronizer(&[], PATIENCE).await;
    assert_eq!(other.round().await.ok(), Some(0), "the lease stands");
    gateway
        .execute(
            "UPDATE integration_syncs SET leased_until = now() - interval '1 second' WHERE leased_until IS NOT NULL",
        )
        .await;
    hanging.abort();
    assert_eq!(other.round().await.ok(), Some(1));
    let ended = seen(&cfo, &sync).await;
    assert_eq!((&ended["status"], &ended["errors"][0]["code"]), (&json!("FAILED"), &json!("ABANDONED")), "{ended:#}");
    assert_eq!(ended["integration"]["consecutiveFailures"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn synchronizations_follow_the_schedule() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let source = Source::start().await;
    let config = json!({ "url": source.url, "kind": "metrics" });
    let realtime = cfo.run(CONFIGURE, json!({ "config": config, "frequency": "REALTIME" })).await;
    assert_eq!(realtime.body["errors"][0]["extensions"]["field"], "input.syncFrequency");
    let made =
        cfo.run(CONFIGURE, json!({ "config": config, "frequency": "HOURLY" })).await.ok()["configureIntegration"]
            .take();
    let taken = cfo.run(CONFIGURE, json!({ "config": config })).await;
    assert_eq!(taken.code(), "CONFLICT", "another needs the version");
    let synchronizer = gateway.synchronizer(&[], PATIENCE).await;
    source.next(Reply::Csv(GOOD.into()));
    assert_eq!(synchronizer.round().await.ok(), Some(1), "a new one is due");
    assert_eq!(synchronizer.round().await.ok(), Some(0), "and then after an hour");
    let sync = gateway
        .rows(
            "SELECT trigger_type, triggered_by FROM integration_syncs s JOIN integrations i ON i.id = s.integration_id
        WHERE i.provider = 'csv_http'",
        )
        .await;
    assert_eq!((&sync[0]["trigger_type"], &sync[0]["triggered_by"]), (&json!("scheduled"), &Value::Null));
    let ago = "UPDATE integrations SET last_sync_attempt = now() - interval '61 minutes' WHERE provider = 'csv_http'";
    gateway.execute(ago).await;
    source.next(Reply::Csv(GOOD.into()));
    assert_eq!(synchronizer.round().await.ok(), Some(1));

    let v = gateway.value("SELECT row_version FROM integrations WHERE provider = 'csv_http'").await;
    let edit = "mutation($id: UUID!, $v: Int!, $s: String) { editIntegration(id: $id, expectedVersion: $v, input: { syncSchedule: $s }) {
        rowVersion syncSchedule } }";
    let wrong = cfo.run(edit, json!({ "id": made["id"], "v": v, "s": "sometimes" })).await;
    assert_eq!(wrong.body["errors"][0]["extensions"]["field"], "input.syncSchedule");
    let edited =
        cfo.run(edit, json!({ "id": made["id"], "v": v, "s": "* * * * *" })).await.ok()["editIntegration"].take();
    gateway
        .execute("UPDATE integrations SET last_sync_attempt = now() - interval '2 minutes' WHERE provider = 'csv_http'")
        .await;
    source.next(Reply::Csv(GOOD.into()));
    assert_eq!(synchronizer.round().await.ok(), Some(1), "the schedule goes before the frequency");

    assert!(edited["rowVersion"].is_i64());
    let v = gateway.value("SELECT row_version FROM integrations WHERE provider = 'csv_http'").await;
    let disable = "mutation($id: UUID!, $v: Int!) { disableIntegration(id: $id, expectedVersion: $v) { rowVersion status syncEnabled } }";
    let off = cfo.run(disable, json!({ "id": made["id"], "v": v })).await.ok()["disableIntegration"].take();
    assert_eq!((&off["status"], &off["syncEnabled"]), (&json!("INACTIVE"), &json!(false)));
    gateway.execute(ago).await;
    assert_eq!(synchronizer.round().await.ok(), Some(0), "switched off");
    let refused = cfo.run("mutation($id: UUID!) { triggerSync(id: $id) { id } }", json!({ "id": made["id"] })).await;
    assert_eq!(refused.code(), "PRECONDITION_FAILED");
    let sap = gateway
        .value(
            "SELECT i.id FROM integrations i JOIN organizations o ON o.id = i.organization_id
        WHERE provider = 'sap' AND o.slug = 'aether-demo'",
        )
        .await;
    let refused = cfo.run("mutation($id: UUID!) { triggerSync(id: $id) { id } }", json!({ "id": sap })).await;
    assert_eq!(refused.code(), "PRECONDITION_FAILED", "not read by the gateway");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_rotated() {
    const OLD: &str = "1:development-only-key-that-everybody-knows";
    const BOTH: &str = "1:development-only-key-that-everybody-knows,2:another-key-of-thirty-two-bytes-or-more";
    const NEW: &str = "2:another-key-of-thirty-two-bytes-or-more";
    let gateway = Gateway::with(&["--encryption-keys", OLD]).await;
    let cfo = gateway.cfo().await;
    let source = Source::start().await;
    let id = configure(&cfo, &source).await["id"].take();
    let by_key = "SELECT array_agg(DISTINCT get_byte(connection_config, 0)) FROM integrations";
    assert_eq!(gateway.value(by_key).await, json!([1]));
    assert_eq!(gateway.rotate_keys(&["--encryption-keys", NEW]).await, None, "the old key is needed once more");
    let rotated = gateway.rotate_keys(&["--encryption-keys", BOTH]).await.expect("all can be opened");
    assert!(rotated >= 9, "{rotated}");
    assert_eq!(gateway.value(by_key).await, json!([2]));
    assert_eq!(gateway.rotate_keys(&["--encryption-keys", BOTH]).await, Some(0), "nothing is left to do");
    let audited =
        gateway.value("SELECT count(*) FROM audit_logs WHERE action = 'KEYS_ROTATE' AND actor_type = 'SYSTEM'").await;
    assert!(audited.as_i64().is_some_and(|count| count >= 1), "{audited}");
    // The old key can be left out now.
    let sync = trigger(&cfo, &id).await;
    source.next(Reply::Csv(GOOD.into()));
    gateway.synchronizer(&["--encryption-keys", NEW], PATIENCE).await.round().await.expect("it works");
    assert_eq!(seen(&cfo, &sync).await["status"], "SUCCESS");
    assert_eq!(source.asked()[0]["authorization"], SECRET);
}
