//! What live updates cost at least: a message that is posted to a channel goes to all its WebSockets, as it is. No protocol, no
//! checks, no database; the buffers are as small as the gateway's.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{
        Path, State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::get,
};
use tokio::sync::broadcast;

/// How many messages wait for a slow socket.
const QUEUE: usize = 256;

type Channels = Arc<Mutex<HashMap<u32, broadcast::Sender<Utf8Bytes>>>>;

/// `GET /broadcast/N` joins, `POST /broadcast/N` publishes to all who have.
pub fn router() -> Router {
    Router::new().route("/broadcast/{number}", get(join).post(publish)).with_state(Channels::default())
}

fn channel(channels: &Channels, number: u32) -> broadcast::Sender<Utf8Bytes> {
    let mut channels = channels.lock().unwrap_or_else(PoisonError::into_inner);
    channels.entry(number).or_insert_with(|| broadcast::channel(QUEUE).0).clone()
}

async fn join(State(channels): State<Channels>, Path(number): Path<u32>, upgrade: WebSocketUpgrade) -> Response {
    let messages = channel(&channels, number).subscribe();
    upgrade.read_buffer_size(2 * 1024).write_buffer_size(0).on_upgrade(|socket| pass_on(socket, messages))
}

async fn pass_on(mut socket: WebSocket, mut messages: broadcast::Receiver<Utf8Bytes>) {
    loop {
        let message = tokio::select! {
            received = socket.recv() => match received {
                Some(Ok(_)) => continue,
                _ => return,
            },
            message = messages.recv() => message,
        };
        // Who has missed something is cut off.
        let Ok(message) = message else { return };
        if socket.send(Message::Text(message)).await.is_err() {
            return;
        }
    }
}

async fn publish(State(channels): State<Channels>, Path(number): Path<u32>, message: String) {
    // In an empty channel nobody hears it.
    _ = channel(&channels, number).send(message.into());
}
