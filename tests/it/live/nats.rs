//! Events by way of NATS JetStream: told once and in order by every gateway, whoever relays them and whatever the broker loses.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::jetstream::{self, stream::Stream};
use futures::TryStreamExt;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Gateway, User};

/// Who has the turn to relay.
const TURN: &str = "SELECT coalesce(min(l.pid), 0) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
     WHERE l.locktype = 'advisory' AND (l.classid, l.objid) = (30, 2) AND l.granted AND d.datname = current_database()";

/// A server of its own, that remembers nothing: what it has is in memory.
struct Nats {
    port: u16,
    folder: PathBuf,
    server: Option<Child>,
}

impl Nats {
    /// One that does not run yet.
    fn absent() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
        Self { port, folder: std::env::temp_dir().join(format!("aether-nats-{}", Uuid::now_v7())), server: None }
    }

    /// One that runs.
    async fn running() -> Self {
        let mut nats = Self::absent();
        nats.start().await;
        nats
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    async fn start(&mut self) {
        let places = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
        let places: Vec<PathBuf> = [places, vec!["/usr/sbin".into(), "/usr/bin".into()]].concat();
        let program = places.into_iter().map(|place| place.join("nats-server")).find(|program| program.is_file());
        let program = program.expect("no nats-server here: install it with `apt-get install nats-server`");
        let server = Command::new(program)
            .args(["--jetstream", "--addr", "127.0.0.1", "--port", &self.port.to_string(), "--store_dir"])
            .arg(&self.folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.server = Some(server.expect("nats-server starts"));
        wait("nats-server to answer", async || async_nats::connect(self.url()).await.is_ok()).await;
    }

    fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().and_then(|()| server.wait()).expect("it dies");
        }
    }

    /// The one stream there is.
    async fn stream(&self) -> Option<Stream> {
        let jetstream = jetstream::new(async_nats::connect(self.url()).await.expect("a connection"));
        let names: Vec<String> = jetstream.stream_names().try_collect().await.expect("names of streams");
        assert!(names.len() <= 1, "{names:?}");
        jetstream.get_stream(names.first()?).await.ok()
    }

    /// How far each reader of the stream has been brought, and how far the stream goes.
    async fn read(&self) -> (Vec<u64>, u64) {
        let Some(stream) = self.stream().await else { return (Vec::new(), 0) };
        let info = stream.get_info().await.expect("a stream");
        let consumers: Vec<_> = stream.consumers().try_collect().await.expect("readers");
        (consumers.iter().map(|consumer| consumer.delivered.stream_sequence).collect(), info.state.last_sequence)
    }

    /// Waits until so many gateways read the stream.
    async fn joined(&self, readers: usize) {
        wait("the gateways to read the stream", async || self.read().await.0.len() == readers).await;
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            _ = server.kill().and_then(|()| server.wait());
        }
        _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Waits until it is so, and says what for if it never is.
async fn wait(what: &str, is: impl AsyncFn() -> bool) {
    for _ in 0..600 {
        if is().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited in vain for {what}");
}

/// What a subscriber was told of deals.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Value>>>);

impl Told {
    /// A subscriber from now on.
    async fn by(gateway: &Gateway) -> Self {
        let user = gateway.cfo().await;
        let cursor = user.data("{ eventCursor }").await["eventCursor"].as_str().expect("a cursor").to_owned();
        let query = format!("subscription {{ dealChanged(after: \"{cursor}\") {{ kind deal {{ id }} }} }}");
        let mut response = reqwest::Client::new()
            .post(format!("{}/graphql/stream", gateway.url))
            .header("accept", "text/event-stream")
            .bearer_auth(user.token.as_deref().expect("a token"))
            .json(&json!({ "query": query }))
            .send()
            .await
            .expect("a stream");
        assert_eq!(response.status(), 200);
        let told = Self::default();
        let telling = told.clone();
        tokio::spawn(async move {
            let mut text = String::new();
            while let Ok(Some(bytes)) = response.chunk().await {
                text.push_str(std::str::from_utf8(&bytes).expect("whole lines"));
                while let Some((line, rest)) = text.split_once('\n') {
                    if let Some(data) = line.strip_prefix("data:").map(str::trim).filter(|data| !data.is_empty()) {
                        let message: Value = serde_json::from_str(data).expect("JSON");
                        let change = &message["data"]["dealChanged"];
                        assert!(change.is_object(), "{message}");
                        telling.0.lock().expect("unpoisoned").push(json!([change["kind"], change["deal"]["id"]]));
                    }
                    text = rest.to_owned();
                }
            }
        });
        told
    }

    fn all(&self) -> Vec<Value> {
        self.0.lock().expect("unpoisoned").clone()
    }
}

/// What is to be told of deals: as they were committed, behind this number.
async fn truth(gateway: &Gateway, behind: &Value) -> Vec<Value> {
    let sql = format!(
        "SELECT jsonb_build_array(upper(kind), payload->>'id') AS told FROM event_outbox \
          WHERE sequence > {behind} AND topic = 'deal' AND payload->>'type' = 'deal' ORDER BY sequence"
    );
    gateway.rows(&sql).await.into_iter().map(|row| row["told"].clone()).collect()
}

async fn head(gateway: &Gateway) -> Value {
    gateway.value("SELECT coalesce(max(sequence), 0) FROM event_outbox").await
}

/// Makes so many deals.
async fn make(user: &User<'_>, count: usize) {
    for number in 0..count {
        let input = format!(
            "name: \"{number}\", region: EUROPE, segment: SMB, lob: SOFTWARE, value: \"10\", probability: \"5\""
        );
        user.data(&format!("mutation {{ createDeal(input: {{ {input} }}) {{ id }} }}")).await;
    }
}

/// Waits until each has been told as much as there is, then compares all of it.
async fn agree(gateway: &Gateway, behind: &Value, told: &[&Told]) {
    let truth = truth(gateway, behind).await;
    assert!(!truth.is_empty());
    for _ in 0..200 {
        if told.iter().all(|told| told.all().len() >= truth.len()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What is told twice comes late.
    tokio::time::sleep(Duration::from_millis(300)).await;
    for told in told {
        assert_eq!(told.all(), truth);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_gateway_is_brought_each_change_by_whichever_relays() {
    let nats = Nats::running().await;
    let flags = ["--nats-url", &nats.url()];
    let one = Gateway::with(&flags).await;
    nats.joined(1).await;
    wait("a gateway to relay", async || one.value(TURN).await != 0).await;
    let first = one.value(TURN).await;
    let two = one.another(&flags).await;
    nats.joined(2).await;
    let behind = head(&one).await;
    let (by_one, by_two) = (Told::by(&one).await, Told::by(&two).await);
    let (user_one, user_two) = (one.cfo().await, two.cfo().await);
    tokio::join!(make(&user_one, 10), make(&user_two, 10));
    agree(&one, &behind, &[&by_one, &by_two]).await;
    assert_eq!(one.value(TURN).await, first, "one gateway relays at a time");
    let (readers, last) = nats.read().await;
    assert!(last >= 20, "each event is a message: {last}");
    assert_eq!(readers, [last, last], "all of them are brought to both gateways");

    one.stop();
    make(&user_two, 10).await;
    agree(&two, &behind, &[&by_two]).await;
    wait("the other gateway to relay", async || ![json!(0), first.clone()].contains(&two.value(TURN).await)).await;
    let before = nats.read().await.1;
    make(&user_two, 10).await;
    agree(&two, &behind, &[&by_two]).await;
    let (readers, last) = nats.read().await;
    assert!(last >= before + 10, "{last} after {before}");
    // The broker has not forgotten the one that is gone.
    assert_eq!(readers.iter().filter(|read| **read == last).count(), 1, "{readers:?} of {last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_may_be_away_and_lose_everything() {
    let mut nats = Nats::absent();
    let flags = ["--nats-url", &nats.url()];
    let one = Gateway::with(&flags).await;
    let two = one.another(&flags).await;
    let behind = head(&one).await;
    let told = [Told::by(&one).await, Told::by(&two).await];
    let told: Vec<&Told> = told.iter().collect();
    let (user_one, user_two) = (one.cfo().await, two.cfo().await);
    // There is none yet.
    make(&user_one, 5).await;
    agree(&one, &behind, &told).await;
    // It comes, dies and comes back with nothing while changes are made.
    let changing = async { tokio::join!(make(&user_one, 60), make(&user_two, 60)) };
    let failing = async {
        for _ in 0..2 {
            nats.start().await;
            nats.joined(2).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            nats.kill();
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::join!(changing, failing);
    agree(&one, &behind, &told).await;
    // In the end it is used again.
    nats.start().await;
    nats.joined(2).await;
    // Who has the turn has yet to look where an empty stream begins: what is made before that is read in the outbox alone.
    wait("a gateway to relay", async || {
        make(&user_two, 1).await;
        nats.read().await.1 > 0
    })
    .await;
    make(&user_two, 10).await;
    agree(&one, &behind, &told).await;
    wait("the last events to be brought to both", async || {
        let (readers, last) = nats.read().await;
        last >= 10 && readers == [last, last]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_in_the_stream_is_read_in_the_outbox() {
    let nats = Nats::running().await;
    let flags = ["--nats-url", &nats.url()];
    let gateway = Gateway::with(&flags).await;
    nats.joined(1).await;
    wait("a gateway to relay", async || gateway.value(TURN).await != 0).await;
    let behind = head(&gateway).await;
    let told = Told::by(&gateway).await;
    let user = gateway.cfo().await;
    make(&user, 5).await;
    agree(&gateway, &behind, &[&told]).await;
    let mut stream = nats.stream().await.expect("the stream");
    let name = stream.info().await.expect("a stream").config.name.clone();
    let subject = stream.cached_info().config.subjects[0].clone();
    let jetstream = jetstream::new(async_nats::connect(nats.url()).await.expect("a connection"));
    for legible in [true, false] {
        gateway
            .execute(
                "INSERT INTO event_outbox (topic, aggregate_type, aggregate_id, organization_id, kind, payload) \
                 SELECT 'deal', 'deal', d.id, d.organization_id, 'updated', jsonb_build_object('type', 'deal', 'id', d.id) \
                   FROM deals d JOIN organizations o ON o.id = d.organization_id WHERE o.slug = 'aether-demo' LIMIT 3",
            )
            .await;
        // The last of the three comes without those before it, of which the gateway has not been told yet; or not to be read.
        let last = head(&gateway).await.as_i64().expect("a number");
        let message = stream.get_last_raw_message_by_subject(&subject).await.expect("a message");
        let mut message: Value = serde_json::from_slice(&message.payload).expect("JSON");
        message["sequence"] = last.into();
        message["previous"] = (last - 1).into();
        match legible {
            true => message["event"]["sequence"] = last.into(),
            false => message["event"] = "of another version".into(),
        }
        jetstream.publish(subject.clone(), message.to_string().into()).await.expect("sent").await.expect("stored");
        agree(&gateway, &behind, &[&told]).await;
    }
    // The stream goes, and whatever is in it.
    jetstream.delete_stream(&name).await.expect("deleted");
    make(&user, 10).await;
    agree(&gateway, &behind, &[&told]).await;
}
