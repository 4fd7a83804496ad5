//! Deliveries of what was published: signed, tried again, made once, whoever dies in between.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    loan::golden::{self, PUBLISH},
    mutations::IN_WORKSPACE,
    support::{
        Gateway, User, node,
        receiver::{Receiver, Reply},
    },
};

const SECRET: &str = "a-secret-between-the-two";
/// Pauses of 20 ms, 100 ms, 600 ms …
const HURRY: [&str; 2] = ["--delivery-retry-milliseconds", "20"];

/// A workspace with one connector that is READY and leads to the receiver, and the variables to publish with.
async fn connect(gateway: &Gateway, agent: &User<'_>, receiver: &Receiver) -> Value {
    connect_with(gateway, agent, receiver, SECRET).await
}

/// The same with this secret.
async fn connect_with(gateway: &Gateway, agent: &User<'_>, receiver: &Receiver, secret: &str) -> Value {
    gateway.execute("UPDATE downstream_connectors SET status = 'DISCONNECTED'").await;
    let variables = golden::ready(gateway).await;
    let input =
        json!({ "name": "Receiver", "type": "FINASTRA", "url": receiver.url, "secret": secret, "enabled": true });
    agent
        .run(
            "mutation($id: UUID!, $input: ConnectorInput!) { addConnector(workspaceId: $id, input: $input) { status } }",
            json!({ "id": variables["id"], "input": input }),
        )
        .await
        .ok();
    variables
}

async fn run(gateway: &Gateway, flags: &[&str]) -> tokio::task::JoinHandle<()> {
    tokio::spawn(gateway.courier(flags).await.run(std::future::pending()))
}

/// Waits until no delivery is pending but those of connectors that are not READY.
async fn settled(gateway: &Gateway) {
    let pending = "SELECT count(*) FROM connector_deliveries d JOIN downstream_connectors k ON k.id = d.connector_id
        WHERE d.status = 'pending' AND k.status = 'READY'";
    for _ in 0..600 {
        if gateway.value(pending).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("still pending: {:#?}", gateway.rows("SELECT * FROM connector_deliveries WHERE status = 'pending'").await);
}

const DELIVERIES: &str =
    "query($id: UUID!) { workspace(id: $id) { downstreamConnectors(filter: { name: { eq: \"Receiver\" } }) {
    nodes { lastSyncAt deliveries { nodes { id status attempts lastError deliveredAt nextAttemptAt version { version }
        log(orderBy: [{ field: ATTEMPT }]) { nodes { attempt responseStatus error durationMs } } } } } } } }";

async fn deliveries(user: &User<'_>, variables: &Value) -> Value {
    let answer = user.run(DELIVERIES, json!({ "id": variables["id"] })).await.ok();
    answer["workspace"]["downstreamConnectors"]["nodes"][0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_is_signed_tried_again_and_made_once_by_two_gateways() {
    let gateway = Gateway::demo().await;
    // Neither an error nor a redirect is a delivery.
    let receiver = Receiver::new(&[Reply::Status(503), Reply::Status(307)]).await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let variables = connect(&gateway, &agent, &receiver).await;
    let couriers = [run(&gateway, &HURRY).await, run(&gateway, &HURRY).await];
    let published = agent.run(PUBLISH, variables.clone()).await.ok()["publishGoldenRecord"].clone();
    let received = receiver.wait_for(3).await;
    settled(&gateway).await;
    let ids: BTreeSet<_> = received.iter().map(|one| one.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 1, "all attempts name the same delivery");
    for one in &received {
        assert!(one.is_signed_with(SECRET) && !one.is_signed_with("another-secret-altogether"));
        assert_eq!(one.header("aether-event"), "golden_record.published");
        assert_eq!(one.header("content-type"), "application/json");
        assert_eq!(published["hash"], format!("{:x}", Sha256::digest(&one.body)));
        assert_eq!(serde_json::from_slice::<Value>(&one.body).expect("JSON"), published["document"]);
    }
    let connector = deliveries(&agent, &variables).await;
    let delivery = &connector["deliveries"]["nodes"][0];
    assert_eq!(ids.first().map(String::as_str), delivery["id"].as_str());
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("DELIVERED"), &json!(3)));
    assert_eq!((&delivery["lastError"], &delivery["nextAttemptAt"]), (&json!(null), &json!(null)));
    assert_eq!(delivery["version"]["version"], published["version"]["version"]);
    assert!(connector["lastSyncAt"].is_string() && delivery["deliveredAt"].is_string());
    let log = delivery["log"]["nodes"].as_array().expect("a log");
    let answers: Vec<_> = log.iter().map(|attempt| (&attempt["attempt"], &attempt["responseStatus"])).collect();
    assert_eq!(answers, [(&json!(1), &json!(503)), (&json!(2), &json!(307)), (&json!(3), &json!(202))]);
    assert!(log[0]["error"].as_str().expect("an error").contains("503") && log[2]["error"].is_null());

    // The audit log and the subscribers hear of it.
    let id = delivery["id"].as_str().expect("an id");
    let told =
        gateway.rows(&format!("SELECT action, actor_type, details FROM audit_logs WHERE resource_id = '{id}'")).await;
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["action"], &told[0]["actor_type"]), (&json!("CONNECTOR_DELIVERED"), &json!("SYSTEM")));
    assert_eq!(told[0]["details"]["after"]["attempts"], 3);
    let events = gateway
        .rows(&format!(
            "SELECT kind, payload->>'type' AS type, workspace_id FROM event_outbox WHERE topic = 'connector' AND actor_id IS NULL
                AND payload->>'id' = '{id}' ORDER BY sequence"
        ))
        .await;
    assert_eq!(events.len(), 6, "an attempt and a change, three times");
    assert!(events.iter().all(|event| event["workspace_id"] == variables["id"]));

    // It is never sent again: not by these couriers, not by new ones, not on request.
    couriers.iter().for_each(tokio::task::JoinHandle::abort);
    let again = run(&gateway, &HURRY).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(receiver.received().len(), 3);
    let answer = agent.run("mutation($id: UUID!) { redeliver(deliveryId: $id) { id } }", json!({ "id": id })).await;
    assert_eq!(answer.code(), "PRECONDITION_FAILED");
    again.abort();
}

/// In production, neither an address nor a name leads into the gateway's own network, unless a setting says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_production_private_addresses_are_delivered_to_where_it_is_allowed_only() {
    for (host, allowed) in [("127.0.0.1", "127.0.0.0/8"), ("localhost", "localhost")] {
        let gateway = Gateway::demo().await;
        let mut receiver = Receiver::new(&[]).await;
        receiver.url = receiver.url.replace("127.0.0.1", host);
        let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
        let variables = connect(&gateway, &agent, &receiver).await;
        let production = ["--profile", "production", HURRY[0], HURRY[1], "--allowed-private-networks"];
        let closed = run(&gateway, &[&production[..], &["10.0.0.0/8,other.internal"]].concat()).await;
        agent.run(PUBLISH, variables.clone()).await.ok();
        let log = loop {
            let delivery = deliveries(&agent, &variables).await["deliveries"]["nodes"][0].clone();
            match delivery["log"]["nodes"].as_array() {
                Some(log) if !log.is_empty() => break log.clone(),
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        let error = log[0]["error"].as_str().expect("an error");
        assert!(error.contains("is private") && error.contains("AETHER_ALLOWED_PRIVATE_NETWORKS"), "{host}: {error}");
        closed.abort();
        let _ = closed.await;
        assert!(receiver.received().is_empty(), "{host}");
        let sql = "UPDATE connector_deliveries SET next_attempt_at = now() WHERE status = 'pending'";
        gateway.execute(sql).await;
        let open = run(&gateway, &[&production[..], &[allowed]].concat()).await;
        receiver.wait_for(1).await;
        settled(&gateway).await;
        open.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_share_the_queue_and_nothing_is_sent_twice() {
    let gateway = Gateway::demo().await;
    let receiver = Receiver::new(&[]).await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let variables = connect(&gateway, &agent, &receiver).await;
    gateway
        .execute(
            "INSERT INTO downstream_connectors (workspace_id, name, type, status, url, encrypted_secret)
             SELECT workspace_id, name || n, type, status, url, encrypted_secret FROM downstream_connectors, generate_series(1, 59) n
              WHERE name = 'Receiver'",
        )
        .await;
    agent.run(PUBLISH, variables.clone()).await.ok();
    let couriers = [run(&gateway, &HURRY).await, run(&gateway, &HURRY).await, run(&gateway, &HURRY).await];
    settled(&gateway).await;
    let received = receiver.received();
    let ids: BTreeSet<_> = received.iter().map(|one| one.header("webhook-id").to_owned()).collect();
    assert_eq!((received.len(), ids.len()), (60, 60));
    assert!(received.iter().all(|one| one.is_signed_with(SECRET)));
    couriers.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_dies_while_sending_is_found_out_and_the_receiver_can_tell() {
    let gateway = Gateway::demo().await;
    let receiver = Receiver::new(&[Reply::Never]).await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let variables = connect(&gateway, &agent, &receiver).await;
    let first = run(&gateway, &HURRY).await;
    agent.run(PUBLISH, variables.clone()).await.ok();
    receiver.wait_for(1).await;
    first.abort();
    let _ = first.await;
    let second = run(&gateway, &HURRY).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(receiver.received().len(), 1, "the claim of the first one still holds");
    // A minute later.
    gateway
        .execute("UPDATE connector_deliveries SET next_attempt_at = now() WHERE status = 'pending' AND attempts = 1")
        .await;
    let received = receiver.wait_for(2).await;
    settled(&gateway).await;
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!(received[0].body, received[1].body);
    let delivery = deliveries(&agent, &variables).await["deliveries"]["nodes"][0].clone();
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("DELIVERED"), &json!(2)));
    let log = delivery["log"]["nodes"].as_array().expect("a log");
    assert!(log[0]["error"].as_str().expect("an error").contains("stopped before it knew"), "{log:?}");
    assert!(log[1]["error"].is_null());
    second.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_eight_attempts_a_delivery_is_given_up_until_somebody_asks_for_it() {
    let gateway = Gateway::demo().await;
    let receiver = Receiver::new(&[Reply::Status(500)]).await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let variables = connect(&gateway, &agent, &receiver).await;
    agent.run(PUBLISH, variables.clone()).await.ok();
    gateway
        .execute(&format!(
            "UPDATE connector_deliveries SET attempts = 7 WHERE status = 'pending' AND connector_id =
               (SELECT id FROM downstream_connectors WHERE name = 'Receiver' AND workspace_id = {IN_WORKSPACE});
             INSERT INTO delivery_attempts (workspace_id, delivery_id, attempt, error, duration_ms)
             SELECT workspace_id, id, n, 'It is down.', 1 FROM connector_deliveries, generate_series(1, 7) n WHERE attempts = 7"
        ))
        .await;
    let courier = run(&gateway, &HURRY).await;
    settled(&gateway).await;
    let failed = deliveries(&agent, &variables).await["deliveries"]["nodes"][0].clone();
    assert_eq!((&failed["status"], &failed["attempts"]), (&json!("FAILED"), &json!(8)));
    assert!(failed["lastError"].as_str().expect("an error").contains("500"));
    let told = gateway.rows("SELECT 1 AS n FROM audit_logs WHERE action = 'CONNECTOR_DELIVERY_FAILED'").await;
    assert_eq!(told.len(), 1);

    let redeliver = "mutation($id: UUID!) { redeliver(deliveryId: $id) { status } }";
    agent.run(redeliver, json!({ "id": failed["id"] })).await.ok();
    settled(&gateway).await;
    let delivered = deliveries(&agent, &variables).await["deliveries"]["nodes"][0].clone();
    assert_eq!((&delivered["status"], &delivered["attempts"]), (&json!("DELIVERED"), &json!(9)));
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    courier.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_goes_to_metadata_or_to_what_was_disconnected() {
    let gateway = Gateway::demo().await;
    let receiver = Receiver::new(&[]).await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let variables = connect(&gateway, &agent, &receiver).await;
    // An address that came into the table some other way.
    gateway
        .execute("UPDATE downstream_connectors SET url = 'http://169.254.169.254/latest' WHERE name = 'Receiver'")
        .await;
    agent.run(PUBLISH, variables.clone()).await.ok();
    let courier = run(&gateway, &["--delivery-retry-milliseconds", "60000"]).await;
    let mut delivery = Value::Null;
    for _ in 0..200 {
        delivery = deliveries(&agent, &variables).await["deliveries"]["nodes"][0].clone();
        if !delivery["lastError"].is_null() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(delivery["lastError"].as_str().expect("an error").contains("never go to"), "{delivery:#}");
    assert_eq!(delivery["status"], "PENDING");
    let connector =
        gateway.rows("SELECT id, row_version FROM downstream_connectors WHERE name = 'Receiver'").await.remove(0);
    let variables_of = json!({ "id": connector["id"], "v": connector["row_version"] });
    let disconnect =
        "mutation($id: UUID!, $v: Int!) { disconnectConnector(id: $id, expectedVersion: $v) { status rowVersion } }";
    let disconnected = agent.run(disconnect, variables_of.clone()).await.ok();
    assert_eq!(disconnected["disconnectConnector"]["status"], "DISCONNECTED");
    let delivery = deliveries(&agent, &variables).await["deliveries"]["nodes"][0].clone();
    assert_eq!((&delivery["status"], &delivery["nextAttemptAt"]), (&json!("FAILED"), &json!(null)));
    let redeliver = "mutation($id: UUID!) { redeliver(deliveryId: $id) { status } }";
    let answer = agent.run(redeliver, json!({ "id": delivery["id"] })).await;
    assert_eq!(answer.code(), "PRECONDITION_FAILED");
    let again = json!({ "id": connector["id"], "v": disconnected["disconnectConnector"]["rowVersion"] });
    assert_eq!(agent.run(disconnect, again).await.code(), "PRECONDITION_FAILED");
    assert_eq!(receiver.received().len(), 0);
    courier.abort();
}

/// Receivers verify with the library that they find published, whether the secret is text or written as the standard says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_published_library_verifies_what_is_delivered() {
    let standard = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    for (secret, format) in [(SECRET, "raw"), (standard, "whsec")] {
        let gateway = Gateway::demo().await;
        let receiver = Receiver::new(&[]).await;
        let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
        let variables = connect_with(&gateway, &agent, &receiver, secret).await;
        let courier = run(&gateway, &HURRY).await;
        agent.run(PUBLISH, variables).await.ok();
        let received = receiver.wait_for(1).await;
        settled(&gateway).await;
        courier.abort();
        let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let headers: serde_json::Map<_, _> =
            headers.into_iter().map(|name| (name.to_owned(), received[0].header(name).into())).collect();
        let body = String::from_utf8(received[0].body.to_vec()).expect("text");
        let verdicts = tokio::task::spawn_blocking(move || {
            let folder = node::installed();
            let delivery = std::env::temp_dir().join(format!("aether-delivery-{}.json", uuid::Uuid::now_v7()));
            std::fs::write(&delivery, json!({ "headers": headers, "body": body }).to_string()).expect("a file");
            let mut verify = std::process::Command::new("node");
            verify.args(["webhook.mjs", secret, format]).current_dir(&folder);
            verify.stdin(std::fs::File::open(&delivery).expect("a file"));
            let verdicts = node::run(verify);
            std::fs::remove_file(delivery).expect("the file goes");
            verdicts
        });
        let verdicts: Value = serde_json::from_str(&verdicts.await.expect("it ends")).expect("JSON");
        assert_eq!(
            verdicts,
            json!(["genuine", "No matching signature found", "Message timestamp too old"]),
            "{format}"
        );
    }
}
