//! Live updates, as clients of both transports see them.

mod clients;
mod delivery;
mod held_up;
mod nats;
mod order;
mod protocol;
mod replay;
mod sight;
mod sse;

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::support::{Gateway, User};

/// How long anything may take to arrive; tests share the machine with each other.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long is waited for what must not come.
const QUIET: Duration = Duration::from_millis(700);

/// A client that speaks `graphql-transport-ws` by hand.
struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// A socket with this subprotocol that has said nothing yet.
    async fn speaking(gateway: &Gateway, protocol: &str) -> Self {
        let url = format!("{}/graphql", gateway.url.replace("http", "ws"));
        let mut request = url.into_client_request().expect("an address");
        if !protocol.is_empty() {
            request.headers_mut().insert("sec-websocket-protocol", protocol.parse().expect("a header"));
        }
        match connect_async(request).await {
            Ok((socket, _)) => Self(socket),
            Err(error) => panic!("no socket: {error}"),
        }
    }

    async fn silent(gateway: &Gateway) -> Self {
        Self::speaking(gateway, "graphql-transport-ws").await
    }

    /// A socket of this user.
    async fn of(user: &User<'_>, gateway: &Gateway) -> Self {
        let mut socket = Self::silent(gateway).await;
        let token = format!("Bearer {}", user.token.as_deref().expect("a token"));
        socket.send(json!({ "type": "connection_init", "payload": { "authorization": token } })).await;
        assert_eq!(socket.receive().await, json!({ "type": "connection_ack" }));
        socket
    }

    async fn send(&mut self, message: Value) {
        self.text(&message.to_string()).await;
    }

    async fn text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.expect("it takes a message");
    }

    /// Subscribes, and waits until that is so: a query behind it is answered only after it was begun.
    async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        self.send(json!({ "type": "subscribe", "id": id, "payload": { "query": query, "variables": variables } }))
            .await;
    }

    /// Waits until the hub knows of what was subscribed to: until then, what happens is not owed to it.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(400)).await;
    }

    /// What comes next, or how the socket was closed.
    async fn next(&mut self) -> Result<Value, u16> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("something comes");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(frame))) => return Err(frame.map_or(1005, |frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    async fn receive(&mut self) -> Value {
        self.next().await.unwrap_or_else(|code| panic!("closed with {code}"))
    }

    /// The code with which the socket is closed next.
    async fn closed(&mut self) -> u16 {
        match self.next().await {
            Err(code) => code,
            Ok(message) => panic!("not closed: {message}"),
        }
    }

    /// The next message of a subscription: what stands under its field.
    async fn message(&mut self, id: &str) -> Value {
        let next = self.receive().await;
        assert_eq!((&next["id"], &next["type"]), (&json!(id), &json!("next")), "{next:#}");
        assert!(next["payload"].get("errors").is_none(), "{next:#}");
        let data = next["payload"]["data"].as_object().expect("data");
        data.values().next().expect("a field").clone()
    }

    /// The code of the error that ends an operation.
    async fn refusal(&mut self, id: &str) -> String {
        let error = self.receive().await;
        assert_eq!((&error["id"], &error["type"]), (&json!(id), &json!("error")), "{error:#}");
        assert!(error["payload"][0]["extensions"]["requestId"].is_string(), "{error:#}");
        error["payload"][0]["extensions"]["code"].as_str().expect("a code").to_owned()
    }

    /// Nothing comes for a while.
    async fn quiet(&mut self) {
        if let Ok(message) = tokio::time::timeout(QUIET, self.next()).await {
            panic!("this was not to come: {message:?}");
        }
    }
}
