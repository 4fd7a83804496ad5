//! One subscriber: as little as can be, for ten thousand of them share the machine with what is measured.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures::{SinkExt, StreamExt};
use tokio::{net::TcpStream, sync::watch};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue, protocol::WebSocketConfig},
};

pub type Socket = WebSocketStream<TcpStream>;

/// A message that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Its number in the stream of events.
    pub sequence: i64,
    /// When, microseconds since 1970.
    pub at: u64,
}

/// All that a subscriber was told.
#[derive(Default)]
pub struct Told {
    pub receipts: Vec<Receipt>,
    /// Why the connection ended before it was to.
    pub cut: Option<String>,
}

/// Now, microseconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros().try_into().unwrap_or(u64::MAX))
}

/// Opens a WebSocket.
pub async fn connect(address: SocketAddr, path: &str, protocol: Option<&'static str>) -> Result<Socket> {
    let stream = TcpStream::connect(address).await.context("no connection")?;
    stream.set_nodelay(true)?;
    let mut request = format!("ws://{address}{path}").into_client_request()?;
    if let Some(protocol) = protocol {
        request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(protocol));
    }
    let config = WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0);
    let (socket, _) = client_async_with_config(request, stream, Some(config)).await.context("no WebSocket")?;
    Ok(socket)
}

/// Opens a WebSocket to the gateway, signed in, and subscribes.
pub async fn subscribe(address: SocketAddr, authorization: &str, subscribe: &str) -> Result<Socket> {
    let mut socket = connect(address, "/graphql", Some("graphql-transport-ws")).await?;
    let init = format!(r#"{{"type":"connection_init","payload":{{"authorization":"{authorization}"}}}}"#);
    socket.send(Message::text(init)).await?;
    match socket.next().await {
        Some(Ok(Message::Text(text))) if text.contains("connection_ack") => {}
        other => bail!("the gateway does not take the connection: {other:?}"),
    }
    socket.send(Message::text(subscribe)).await?;
    Ok(socket)
}

/// What all subscribers count together.
#[derive(Default)]
pub struct Counts {
    pub received: AtomicU64,
    /// Those who have received anything.
    pub started: AtomicU64,
}

/// Takes messages, and counts them where all are counted, until it is told to stop.
pub async fn listen(mut socket: Socket, counts: Arc<Counts>, mut stop: watch::Receiver<bool>) -> Told {
    let mut told = Told::default();
    loop {
        let received = tokio::select! {
            received = socket.next() => received,
            _ = stop.wait_for(|stop| *stop) => return told,
        };
        let at = now();
        let end = match received {
            Some(Ok(Message::Text(text))) => match sequence(&text) {
                Ok(sequence) => {
                    told.receipts.push(Receipt { sequence, at });
                    counts.received.fetch_add(1, Ordering::Relaxed);
                    if told.receipts.len() == 1 {
                        counts.started.fetch_add(1, Ordering::Relaxed);
                    }
                    continue;
                }
                Err(error) => error.to_string(),
            },
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(Some(frame)))) => format!("closed with {} {}", frame.code, frame.reason),
            Some(Ok(other)) => format!("unexpected: {other:?}"),
            Some(Err(error)) => error.to_string(),
            None => "closed".to_owned(),
        };
        told.cut = Some(end);
        return told;
    }
}

const CURSOR: &str = "\"cursor\":\"";

/// The number in a message's cursor, which is opaque to others than those who measure.
fn sequence(text: &str) -> Result<i64> {
    let cursor = text.split_once(CURSOR).and_then(|(_, rest)| rest.get(..16));
    let cursor = cursor.with_context(|| format!("not a message of the subscription: {text}"))?;
    let mut bytes = [0; 12];
    let length = BASE64_URL_SAFE_NO_PAD.decode_slice(cursor, &mut bytes)?;
    ensure!(length == 12, "a cursor of another kind: {cursor}");
    let [_, _, _, _, sequence @ ..] = bytes;
    Ok(i64::from_be_bytes(sequence))
}

/// The message with another number in its cursor, as long as before.
pub fn renumbered(text: &str, sequence: i64) -> Result<String> {
    let (before, rest) = text.split_once(CURSOR).context("a message without a cursor")?;
    let after = rest.get(16..).context("a cursor that is cut off")?;
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&sequence.to_be_bytes());
    Ok(format!("{before}{CURSOR}{}{after}", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_by_the_number_in_its_cursor() {
        let message = r#"{"id":"1","payload":{"data":{"c":{"cursor":"AAAAAAAAAAAAAAAA","at":"x"}}}}"#;
        assert_eq!(sequence(message).unwrap(), 0);
        let other = renumbered(message, 7_000_000_001).unwrap();
        assert_eq!((sequence(&other).unwrap(), other.len()), (7_000_000_001, message.len()));
        assert!(sequence(r#"{"type":"error","payload":[]}"#).is_err());
    }
}
