//! GraphQL over WebSocket: the protocol `graphql-transport-ws`.

use std::{borrow::Cow, net::SocketAddr, sync::Arc, time::Duration};

use aether_graphql::{Identity, Request};
use axum::{
    Extension,
    extract::{
        ConnectInfo, State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use tokio::time::{Instant, MissedTickBehavior};
use uuid::Uuid;

use super::operations::{Asked, ConnectionEvent, Operations};
use crate::http::{App, client, identity, only_post};

const PROTOCOL: &str = "graphql-transport-ws";
/// The largest message that a client may send.
const MOST_BYTES: usize = 1024 * 1024;
/// What is received before it is refused: whoever is cut off amid a message may not hear why.
const MOST_RECEIVED: usize = 4 * MOST_BYTES;
/// What is read at once; every connection has so much.
const READ_BUFFER: usize = 2 * 1024;
/// How long a connection that is closed may take to hear why.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a connection is closed.
struct Close(u16, String);

impl Close {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        // A close frame has room for 123 bytes.
        while reason.len() > 123 {
            reason.pop();
        }
        Self(code, reason)
    }

    fn bad_request(reason: &str) -> Self {
        Self::new(4400, reason)
    }

    fn forbidden(reason: &str) -> Self {
        Self::new(4403, reason)
    }
}

/// What a client says.
enum ClientMessage {
    ConnectionInit { payload: Option<Value> },
    Ping { payload: Option<Value> },
    Pong,
    Subscribe { id: String, request: Box<Request> },
    Complete { id: String },
}

/// What a client sends.
#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl ClientMessage {
    /// What a message says, if it is one of the protocol.
    fn read(text: &str) -> Option<Self> {
        let Sent { r#type, id, payload } = serde_json::from_str(text).ok()?;
        let json = || payload.map(|payload| serde_json::from_str(payload.get())).transpose().ok();
        Some(match &*r#type {
            "connection_init" => Self::ConnectionInit { payload: json()? },
            "ping" => Self::Ping { payload: json()? },
            "pong" => Self::Pong,
            "subscribe" => Self::Subscribe { id: id?, request: Box::new(Request::read(payload?.get()).ok()?) },
            "complete" => Self::Complete { id: id? },
            _ => return None,
        })
    }
}

/// Makes a WebSocket of a request.
pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else { return only_post().await };
    let client = client(peer, &headers, Uuid::now_v7());
    let authorization = headers.get(header::AUTHORIZATION).cloned();
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(MOST_RECEIVED)
        .max_frame_size(MOST_RECEIVED)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .on_upgrade(move |socket| async move {
            let mut connection = Connection { socket, operations: Operations::new(app, client), heard: Instant::now() };
            let Err(Close(code, reason)) = connection.serve(authorization).await;
            let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
            _ = tokio::time::timeout(FAREWELL, connection.part(close)).await;
        })
}

struct Connection {
    socket: WebSocket,
    operations: Operations,
    /// When the client was last heard of.
    heard: Instant,
}

/// Nothing: a connection is served until there is a reason not to.
enum Never {}

impl Connection {
    async fn serve(&mut self, authorization: Option<HeaderValue>) -> Result<Never, Close> {
        if self.socket.protocol().is_none_or(|protocol| protocol != PROTOCOL) {
            return Err(Close::new(4406, format!("Subprotocol not acceptable: use {PROTOCOL}")));
        }
        let late = tokio::time::sleep(self.operations.app().live.init_timeout);
        let payload = tokio::select! {
            init = self.init() => init?,
            () = late => return Err(Close::new(4408, "Connection initialisation timeout")),
        };
        let told = payload.as_ref().and_then(token).or(authorization);
        self.authorize(told.as_ref())?;
        self.send(json!({ "type": "connection_ack" }).to_string()).await?;
        self.converse().await
    }

    /// Waits for the client to say who it is.
    async fn init(&mut self) -> Result<Option<Value>, Close> {
        loop {
            match self.hear().await? {
                None | Some(ClientMessage::Pong) => {}
                Some(ClientMessage::ConnectionInit { payload }) => return Ok(payload),
                Some(ClientMessage::Ping { .. }) => self.send(json!({ "type": "pong" }).to_string()).await?,
                Some(ClientMessage::Subscribe { .. } | ClientMessage::Complete { .. }) => {
                    return Err(Close::new(4401, "Unauthorized"));
                }
            }
        }
    }

    async fn converse(&mut self) -> Result<Never, Close> {
        let keep_alive = self.operations.app().live.keep_alive;
        let mut ticks = tokio::time::interval(keep_alive);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.reset();
        let stopping = self.operations.app().live.stopping.clone();
        loop {
            tokio::select! {
                received = self.socket.recv() => {
                    if let Some(said) = self.understand(received)? {
                        self.answer(said).await?;
                    }
                }
                event = self.operations.next() => self.send_event(event).await?,
                _ = ticks.tick() => {
                    if self.heard.elapsed() > 3 * keep_alive {
                        return Err(Close::new(1001, "Nothing was heard for too long"));
                    }
                    self.pass(Message::Ping(Default::default())).await?;
                }
                () = stopping.cancelled() => {
                    return Err(Close::new(1012, "The gateway restarts: connect again, and resume with after"));
                }
            }
        }
    }

    async fn answer(&mut self, said: ClientMessage) -> Result<(), Close> {
        match said {
            ClientMessage::ConnectionInit { .. } => Err(Close::new(4429, "Too many initialisation requests")),
            ClientMessage::Pong => Ok(()),
            ClientMessage::Ping { payload } => {
                let mut pong = json!({ "type": "pong" });
                // A fresh token, before the first one ends.
                if let Some(token) = payload.as_ref().and_then(token) {
                    self.authorize(Some(&token))?;
                    let left = self.operations.left().unwrap_or_default();
                    pong["payload"] = json!({ "expiresIn": left.as_secs() });
                }
                self.send(pong.to_string()).await
            }
            ClientMessage::Subscribe { id, request } => {
                if id.is_empty() {
                    return Err(Close::bad_request("Invalid message: an operation needs an id"));
                }
                if self.operations.has(&id) {
                    return Err(Close::new(4409, format!("Subscriber for {id} already exists")));
                }
                self.operations.begin(id.into(), Asked::Request(request), None);
                Ok(())
            }
            ClientMessage::Complete { id } => {
                self.operations.end(&id);
                Ok(())
            }
        }
    }

    async fn send_event(&mut self, event: ConnectionEvent) -> Result<(), Close> {
        match event {
            ConnectionEvent::Next(id, message) => {
                let id = quoted(&id);
                let json = &message.json;
                self.send(format!("{{\"id\":{id},\"type\":\"next\",\"payload\":{json}}}")).await
            }
            ConnectionEvent::Answered(id, response) => {
                let (name, json) = (quoted(&id), response.to_json());
                self.send(format!("{{\"id\":{name},\"type\":\"next\",\"payload\":{json}}}")).await?;
                self.send(json!({ "id": &*id, "type": "complete" }).to_string()).await
            }
            ConnectionEvent::Failed(id, response) => {
                self.send(json!({ "id": &*id, "type": "error", "payload": response.errors }).to_string()).await
            }
            ConnectionEvent::TooSlow => Err(too_slow()),
            ConnectionEvent::Expired => Err(Close::forbidden("The access token has expired: connect with a fresh one")),
        }
    }

    /// Goes by a token from now on; without one, the connection is nobody's.
    fn authorize(&mut self, authorization: Option<&HeaderValue>) -> Result<(), Close> {
        match identity(self.operations.app(), authorization) {
            (Identity::Nobody, _) => Ok(()),
            (Identity::Session(_), Some(access)) if self.operations.authorize(access) => Ok(()),
            (Identity::Session(_), _) => {
                Err(Close::forbidden("The token is of another session: open another connection"))
            }
            (Identity::Refused(_), _) => {
                Err(Close::forbidden("The access token is not good: get another with login or refresh"))
            }
        }
    }

    async fn hear(&mut self) -> Result<Option<ClientMessage>, Close> {
        let received = self.socket.recv().await;
        self.understand(received)
    }

    /// What was said; none if it was nothing but a sign of life.
    fn understand(&mut self, received: Option<Result<Message, axum::Error>>) -> Result<Option<ClientMessage>, Close> {
        self.heard = Instant::now();
        let text = match received {
            None | Some(Ok(Message::Close(_))) => return Err(Close::new(1000, "")),
            // 1000 would have clients come back at once and say the same again.
            Some(Err(_)) => return Err(too_large()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(None),
            Some(Ok(Message::Binary(_))) => return Err(Close::bad_request("Invalid message: send text")),
            Some(Ok(Message::Text(text))) if text.len() > MOST_BYTES => return Err(too_large()),
            Some(Ok(Message::Text(text))) => text,
        };
        let said = ClientMessage::read(&text);
        said.map(Some).ok_or_else(|| Close::bad_request("Invalid message: see the protocol graphql-transport-ws"))
    }

    async fn send(&mut self, json: String) -> Result<(), Close> {
        self.pass(Message::Text(json.into())).await
    }

    /// Sends, unless the client takes so long that its queue overflows.
    async fn pass(&mut self, message: Message) -> Result<(), Close> {
        let queue = self.operations.queue();
        tokio::select! {
            sent = self.socket.send(message) => sent.map_err(|_| Close::new(1000, "")),
            () = queue.overflow() => Err(too_slow()),
        }
    }

    /// Says farewell and waits for the client's.
    async fn part(&mut self, close: Message) {
        // This fails if the client has said its farewell first, which reading on answers.
        _ = self.socket.send(close).await;
        while let Some(Ok(_)) = self.socket.recv().await {}
    }
}

fn too_large() -> Close {
    Close::new(1009, "The message is broken, or larger than 1 MiB")
}

fn too_slow() -> Close {
    Close::new(1013, "Messages came faster than they were taken: connect again, and resume with after")
}

fn quoted(text: &str) -> Value {
    Value::from(text)
}

/// The `Authorization` that a payload tells.
fn token(payload: &Value) -> Option<HeaderValue> {
    let fields = payload.as_object()?;
    let (_, value) = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
    Some(HeaderValue::from_str(value.as_str()?).unwrap_or_else(|_| HeaderValue::from_static("")))
}
