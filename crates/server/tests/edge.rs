//! The edge of the program: connections that do nothing beside users who do, large requests, and the end under a signal.

mod program;

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    thread::sleep,
    time::{Duration, Instant},
};

use program::{Folder, Gateway, fails, free_port, gather, nexus, signal};
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, client::IntoClientRequest};

const HALF_HEAD: &str = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Ty";
const HALF_BODY: &str = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{\"query\":";
const WHOLE: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// Half of what a connection of HTTP/2 begins with.
const HALF_PREFACE: &str = "PRI * HTTP/2.0\r\n";

/// Connects to a gateway from this address of the loopback network.
fn connect_from(address: &str, port: u16) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
        socket.connect(SocketAddr::new("127.0.0.1".parse().unwrap(), port)).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Everything that still comes on a connection until the gateway closes it, and how long that took.
fn until_closed(stream: &mut TcpStream) -> (String, Duration) {
    let (began, mut told) = (Instant::now(), Vec::new());
    match stream.read_to_end(&mut told) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("it is not closed: {error}"),
        // Closed, if not politely.
        _ => {}
    }
    (String::from_utf8(told).unwrap(), began.elapsed())
}

/// Whether the gateway has closed a connection.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = stream.read(&mut [0; 1024]);
    stream.set_nonblocking(false).unwrap();
    !matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// A live connection that has been acknowledged.
fn live(port: u16, token: &str) -> WebSocket<TcpStream> {
    let mut request = format!("ws://127.0.0.1:{port}/graphql").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let (mut socket, _) = tungstenite::client(request, stream).unwrap();
    let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } });
    socket.send(Message::text(init.to_string())).unwrap();
    assert_eq!(hear(&mut socket)["type"], "connection_ack");
    socket
}

/// The next message of a live connection, for which pings are nothing.
fn hear(socket: &mut WebSocket<TcpStream>) -> Value {
    loop {
        match socket.read().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// A stream of events that is open.
fn events(port: u16, token: &str) -> TcpStream {
    let body = json!({ "query": "subscription { dealChanged { cursor } }" }).to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = format!(
        "POST /graphql/stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\n\
         Authorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
    let mut told = String::new();
    while !told.contains("\r\n\r\n") {
        let mut buffer = [0; 1024];
        let read = stream.read(&mut buffer).unwrap();
        told.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    assert!(told.starts_with("HTTP/1.1 200 OK") && told.contains("text/event-stream"), "{told}");
    stream
}

/// A user's look-ups: the times that they took, sorted.
fn look_up(gateway: &Gateway, token: &str, times: usize) -> Vec<Duration> {
    let mut took: Vec<_> = (0..times)
        .map(|_| {
            let began = Instant::now();
            assert!(gateway.deals(token) > 0);
            began.elapsed()
        })
        .collect();
    took.sort();
    took
}

#[test]
fn hundreds_of_half_open_connections_keep_nobody_out_and_end() {
    const EACH: usize = 100;
    let folder = Folder::new();
    let gateway = Gateway::start(
        &["--data-dir", &folder.join("data")],
        &[
            ("AETHER_HEADER_TIMEOUT_SECONDS", "4"),
            ("AETHER_BODY_TIMEOUT_SECONDS", "4"),
            ("AETHER_IDLE_TIMEOUT_SECONDS", "6"),
            ("AETHER_MAX_CLIENT_CONNECTIONS", "600"),
            ("AETHER_MAX_CLIENT_CONNECTIONS_PER_ADDRESS", "250"),
        ],
    );
    let port = gateway.port;
    let (token, _) = gateway.sign_in();
    let alone = look_up(&gateway, &token, 40);
    let (mut socket, mut events) = (live(port, &token), events(port, &token));

    // Two attackers, each with more connections than one may have.
    let began = Instant::now();
    let (mut half_open, mut refused) = (Vec::new(), 0);
    for attacker in ["127.0.0.66", "127.0.0.67"] {
        for said in [HALF_HEAD, HALF_BODY, "", HALF_PREFACE] {
            for _ in 0..EACH {
                let mut stream = connect_from(attacker, port);
                _ = stream.write_all(said.as_bytes());
                half_open.push((said, stream));
            }
        }
    }
    // One connects from elsewhere, in the place of those that were refused.
    let beside = look_up(&gateway, &token, 40);
    assert!(began.elapsed() < Duration::from_secs(4), "the attack was over before: {:?}", began.elapsed());
    let [alone, slowest] = [&alone, &beside].map(|took| took[took.len() / 2]);
    assert!(beside.last().unwrap() < &Duration::from_secs(1), "{beside:?}");
    eprintln!("{} half-open connections; a look-up takes {alone:?} alone, {slowest:?} beside them", half_open.len());

    for (said, stream) in &mut half_open {
        let (told, _) = until_closed(stream);
        if told.starts_with("HTTP/1.1 503") {
            refused += 1;
        } else if *said == HALF_BODY {
            assert!(told.starts_with("HTTP/1.1 408") && told.contains("connection: close"), "{told}");
            assert!(told.contains("\"code\":\"TIMEOUT\"") && told.contains("cache-control: no-store"), "{told}");
        }
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(4 + 4), "the last was closed after {took:?}");
    eprintln!("{refused} were refused, the last of the others was closed after {took:?}");
    // Whoever was refused was reset or heard why; either way 250 of each had a place at most.
    assert!(gateway.err().contains("too many connections from one address"), "{}", gateway.err());

    // Connections that are kept have the time of idle ones, and no more.
    let mut kept = connect_from("127.0.0.68", port);
    kept.write_all(WHOLE.as_bytes()).unwrap();
    let (told, took) = until_closed(&mut kept);
    assert!(told.starts_with("HTTP/1.1 200") && told.ends_with("ok"), "{told}");
    assert!(took > Duration::from_secs(5) && took < Duration::from_secs(8), "{took:?}");

    // What is live was left alone by all of these times.
    assert!(began.elapsed() > Duration::from_secs(9), "{:?}", began.elapsed());
    socket.send(Message::text(json!({ "type": "ping" }).to_string())).unwrap();
    assert_eq!(hear(&mut socket)["type"], "pong");
    events.set_nonblocking(true).unwrap();
    let end = loop {
        match events.read(&mut [0; 1024]) {
            Ok(0) => break Some("closed".to_owned()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break None,
            Err(error) => break Some(error.to_string()),
        }
    };
    assert_eq!(end, None, "the stream of events has ended");
}

#[test]
fn one_who_drips_a_request_in_gains_nothing() {
    let folder = Folder::new();
    let gateway = Gateway::start(
        &["--data-dir", &folder.join("data"), "--demo-data", "false"],
        &[("AETHER_HEADER_TIMEOUT_SECONDS", "2"), ("AETHER_BODY_TIMEOUT_SECONDS", "2")],
    );
    for drop in ["X-A: b\r\n", "12345678"] {
        let mut stream = connect_from("127.0.0.66", gateway.port);
        let begin = if drop.starts_with('X') { "GET / HTTP/1.1\r\nHost: localhost\r\n" } else { HALF_BODY };
        stream.write_all(begin.as_bytes()).unwrap();
        let began = Instant::now();
        while !is_closed(&mut stream) && began.elapsed() < Duration::from_secs(8) {
            _ = stream.write_all(&drop.as_bytes()[..1.max(drop.len() / 8)]);
            sleep(Duration::from_millis(200));
        }
        let took = began.elapsed();
        assert!(took > Duration::from_secs(1) && took < Duration::from_secs(4), "{drop}: {took:?}");
    }
}

#[test]
fn a_request_that_is_too_large_is_answered_at_once_and_ends_its_connection() {
    let folder = Folder::new();
    let gateway = Gateway::start(&["--data-dir", &folder.join("data"), "--demo-data", "false"], &[]);
    let head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    // Announced: nothing of it has to come.
    let mut stream = connect_from("127.0.0.66", gateway.port);
    stream.write_all(format!("{head}Content-Length: 10000000000\r\n\r\n").as_bytes()).unwrap();
    let (told, took) = until_closed(&mut stream);
    let lower = told.to_ascii_lowercase();
    assert!(told.starts_with("HTTP/1.1 413") && told.contains("\"code\":\"BAD_REQUEST\""), "{told}");
    for header in ["connection: close", "cache-control: no-store", "x-content-type-options: nosniff"] {
        assert!(lower.contains(header), "{header}: {told}");
    }
    assert!(took < Duration::from_secs(2), "{took:?}");

    // Whoever sends it all before looking for an answer has one, and no broken connection.
    let mut stream = connect_from("127.0.0.66", gateway.port);
    stream.write_all(format!("{head}Content-Length: {}\r\n\r\n", 3 << 20).as_bytes()).unwrap();
    for _ in 0..3 << 4 {
        stream.write_all(&[b' '; 1 << 16]).unwrap();
        sleep(Duration::from_millis(2));
    }
    let (told, _) = until_closed(&mut stream);
    assert!(told.starts_with("HTTP/1.1 413"), "{told}");

    // Not announced: it is read as far as it may be, and no further.
    let mut stream = connect_from("127.0.0.66", gateway.port);
    stream.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x1_0000));
    let mut sent = 0;
    stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    while sent < 64 << 20 && stream.write_all(chunk.as_bytes()).is_ok() {
        sent += chunk.len();
    }
    assert!(sent < 32 << 20, "{sent} bytes were taken");
    assert!(is_closed(&mut stream), "the connection is open");

    // Other answers may be kept or not as they say, and are what they say they are.
    for (path, no_store) in
        [("/healthz", false), ("/graphql", true), ("/no-such-page", false), ("/graphql/stream", true)]
    {
        let mut stream = connect_from("127.0.0.66", gateway.port);
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())
            .unwrap();
        let told = until_closed(&mut stream).0.to_ascii_lowercase();
        assert!(told.contains("x-content-type-options: nosniff"), "{path}: {told}");
        assert_eq!(told.contains("cache-control: no-store"), no_store, "{path}: {told}");
    }
}

#[test]
fn a_signal_ends_the_gateway_soon_whoever_is_half_way_through_a_request() {
    let folder = Folder::new();
    let data = folder.join("data");
    let start = || Gateway::start(&["--data-dir", &data, "--demo-data", "false"], &[]);
    let stop = |gateway: Gateway| {
        let began = Instant::now();
        gateway.signal("TERM");
        assert_eq!(gateway.ended().code(), Some(0));
        began.elapsed()
    };
    // Its private PostgreSQL has to end as well.
    let alone = stop(start());
    let gateway = start();
    let mut open: Vec<_> = (0..100)
        .map(|number| {
            let said = [HALF_HEAD, HALF_BODY, "", WHOLE, HALF_PREFACE][number % 5];
            let mut stream = connect_from("127.0.0.66", gateway.port);
            stream.write_all(said.as_bytes()).unwrap();
            stream
        })
        .collect();
    // A WebSocket whose client does not answer any more, not even to a farewell.
    let mut request = format!("ws://127.0.0.1:{}/graphql", gateway.port).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let silent = tungstenite::client(request, connect_from("127.0.0.66", gateway.port)).unwrap();
    sleep(Duration::from_millis(300));
    let took = stop(gateway);
    eprintln!("it stops within {alone:?} alone, within {took:?} amid requests");
    assert!(took < alone + Duration::from_secs(2), "{took:?}, {alone:?} alone");
    assert!(open.iter_mut().all(is_closed));
    drop(silent);
}

#[test]
fn a_development_gateway_that_others_may_reach_says_so_loudly() {
    let folder = Folder::new();
    let said = |listen: &str| {
        let listen = format!("{listen}:{}", free_port());
        let mut child =
            nexus(&["--data-dir", &folder.join("data"), "--demo-data", "false", "--listen", &listen]).spawn().unwrap();
        let (out, err) = (gather(child.stdout.take().unwrap()), gather(child.stderr.take().unwrap()));
        let began = Instant::now();
        while !out.lock().unwrap().contains("Ctrl-C stops it.") && began.elapsed() < Duration::from_secs(120) {
            sleep(Duration::from_millis(20));
        }
        signal(child.id(), "TERM");
        assert!(child.wait().unwrap().success());
        (out.lock().unwrap().clone(), err.lock().unwrap().clone())
    };
    let (out, err) = said("0.0.0.0");
    assert!(out.contains("WARNING") && out.contains("AETHER_PROFILE=production"), "{out}");
    assert!(err.contains("WARN") && err.contains("others may reach"), "{err}");
    let (out, err) = said("127.0.0.1");
    assert!(!out.contains("WARNING") && !err.contains("others may reach"), "{out}{err}");
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    fails(
        nexus(&["--max-client-connections", "10", "--max-client-connections-per-address", "20"]),
        &["AETHER_MAX_CLIENT_CONNECTIONS_PER_ADDRESS", "AETHER_MAX_CLIENT_CONNECTIONS"],
    );
}
