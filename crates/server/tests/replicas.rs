//! Several gateways on one database: each tells all subscribers of everything, whoever committed it; whose gateway is killed
//! resumes at another, and whose database hangs up just waits. Nobody misses anything, nobody is told twice.

mod program;

use std::{
    net::TcpStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, sleep},
    time::{Duration, Instant},
};

use aether_embedded::{Cluster, Settings};
use program::{Folder, Gateway, nexus, run};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, client::IntoClientRequest};

const GATEWAYS: usize = 3;
/// Subscribers at each gateway at first.
const SUBSCRIBERS: usize = 3;
const CLIENTS: usize = 3;
const SUBSCRIPTION: &str = "subscription($after: String) { budgetChanged(after: $after) { cursor budget { name } } }";

type Socket = WebSocket<TcpStream>;

/// Subscribes at a gateway; nothing if it is gone.
fn subscribe(port: u16, token: &str, after: &str) -> Option<Socket> {
    let mut request = format!("ws://127.0.0.1:{port}/graphql").into_client_request().ok()?;
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().ok()?);
    let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_millis(500))).ok()?;
    let (mut socket, _) = tungstenite::client(request, stream).ok()?;
    let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } });
    socket.send(Message::text(init.to_string())).ok()?;
    let subscribe = json!({ "type": "subscribe", "id": "b", "payload": { "query": SUBSCRIPTION, "variables": { "after": after } } });
    socket.send(Message::text(subscribe.to_string())).ok()?;
    Some(socket)
}

/// One who subscribes at a gateway, and at the next one when that is gone, until told to stop: the names in the order in which
/// they were told, and how often the gateway was changed.
fn listen(
    ports: &[u16],
    mut at: usize,
    token: &str,
    start: &str,
    told: &Mutex<Vec<String>>,
    stop: &AtomicBool,
) -> usize {
    let (mut after, mut moves) = (start.to_owned(), 0);
    while !stop.load(Ordering::Relaxed) {
        let Some(mut socket) = subscribe(ports[at % ports.len()], token, &after) else {
            at += 1;
            moves += 1;
            sleep(Duration::from_millis(20));
            continue;
        };
        while !stop.load(Ordering::Relaxed) {
            let text = match socket.read() {
                Ok(Message::Text(text)) => text,
                Ok(Message::Close(_)) => break,
                Ok(_) => continue,
                Err(tungstenite::Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
                Err(_) => break,
            };
            let message: Value = serde_json::from_str(&text).unwrap();
            match message["type"].as_str() {
                Some("next") => {
                    let change = &message["payload"]["data"]["budgetChanged"];
                    told.lock().unwrap().push(change["budget"]["name"].as_str().unwrap().to_owned());
                    after = change["cursor"].as_str().unwrap().to_owned();
                }
                // While the database is away, nobody can be subscribed.
                Some("error") => {
                    assert_eq!(message["payload"][0]["extensions"]["code"], "UNAVAILABLE", "{message}");
                    sleep(Duration::from_millis(100));
                    break;
                }
                _ => {}
            }
        }
    }
    moves
}

#[test]
fn whatever_becomes_of_gateways_and_connections_every_subscriber_is_told_everything_once_and_in_order() {
    let folder = Folder::new();
    let cluster = Cluster::start(Settings::persistent(folder.join("data")), &mut |_| {}).unwrap();
    cluster.ensure_database("replicas").unwrap();
    let url = cluster.url("replicas");
    let mut seed = nexus(&["seed"]);
    seed.env("DATABASE_URL", &url);
    let (done, _, err) = run(seed);
    assert!(done, "{err}");
    let gateways: Vec<Gateway> =
        (0..GATEWAYS).map(|_| Gateway::start(&["--max-connections", "6"], &[("DATABASE_URL", &url)])).collect();
    let ports: Vec<u16> = gateways.iter().map(|gateway| gateway.port).collect();
    let (token, _) = gateways[0].sign_in();
    let start = gateways[0].query("{ eventCursor }", Some(&token))["data"]["eventCursor"].as_str().unwrap().to_owned();
    let told: Vec<_> = (0..GATEWAYS * SUBSCRIBERS).map(|_| Arc::new(Mutex::new(Vec::new()))).collect();
    let (writing, listening) = (AtomicBool::new(false), AtomicBool::new(false));
    let moves = thread::scope(|scope| {
        let listeners: Vec<_> = told
            .iter()
            .enumerate()
            .map(|(n, told)| {
                let (ports, token, start, stop) = (&ports, &token, &start, &listening);
                scope.spawn(move || listen(ports, n, token, start, told, stop))
            })
            .collect();
        for client in 0..CLIENTS {
            let (gateways, token, stop) = (&gateways, &token, &writing);
            scope.spawn(move || {
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let name = format!("Replica {client}/{number}");
                    let create = format!(
                        "mutation {{ createBudget(input: {{ name: \"{name}\", fiscalYear: 2041, version: \"{name}\" }}) {{ id }} }}"
                    );
                    // Through any of them; one that is gone does not answer.
                    gateways[(client + number) % GATEWAYS].try_query(&create, Some(token));
                }
            });
        }
        sleep(Duration::from_secs(2));
        gateways[1].signal("KILL");
        sleep(Duration::from_secs(2));
        cluster
            .query(
                "replicas",
                "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE application_name = 'aether-nexus'",
            )
            .unwrap();
        sleep(Duration::from_secs(3));
        writing.store(true, Ordering::Relaxed);
        sleep(Duration::from_millis(500));
        // What there is in the end, in its order, everybody was told.
        let expected = cluster
            .query("replicas", "SELECT b.name FROM event_outbox e JOIN budgets b ON b.id = e.aggregate_id WHERE e.topic = 'budget' ORDER BY e.sequence")
            .unwrap();
        let began = Instant::now();
        while told.iter().any(|told| told.lock().unwrap().len() < expected.len())
            && began.elapsed() < Duration::from_secs(30)
        {
            sleep(Duration::from_millis(50));
        }
        // Whatever was told twice would still come.
        sleep(Duration::from_millis(1_500));
        listening.store(true, Ordering::Relaxed);
        for told in &told {
            assert_eq!(*told.lock().unwrap(), expected);
        }
        assert!(expected.len() > 30, "only {} changes: nothing was tested", expected.len());
        let moves: usize = listeners.into_iter().map(|listener| listener.join().unwrap()).sum();
        eprintln!(
            "{GATEWAYS} gateways, one killed; {} subscribers, {moves} moves; {} changes, each told to each once and in order",
            told.len(),
            expected.len()
        );
        moves
    });
    assert!(moves >= SUBSCRIBERS, "nobody had to move");
    drop(gateways);
    cluster.stop().unwrap();
}
