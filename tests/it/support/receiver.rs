//! A downstream system: takes deliveries over HTTP and answers as it is told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tokio::net::TcpListener;

/// How it answers one delivery.
#[derive(Clone, Copy)]
pub enum Reply {
    /// With this status; a redirect leads back here.
    Status(u16),
    /// Not at all, for a long time.
    Never,
}

/// What came in.
#[derive(Clone)]
pub struct Received {
    headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().expect("text")
    }

    /// Whether it is signed with this secret, as Standard Webhooks say.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let Some(claimed) = self.header("webhook-signature").strip_prefix("v1,") else { return false };
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
        mac.update(format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp")).as_bytes());
        mac.update(&self.body);
        BASE64_STANDARD.encode(mac.finalize().into_bytes()) == claimed
    }
}

struct Inner {
    received: Mutex<Vec<Received>>,
    replies: Mutex<VecDeque<Reply>>,
}

/// The system; it ends with the runtime of the test.
pub struct Receiver {
    pub url: String,
    inner: Arc<Inner>,
}

impl Receiver {
    /// One that answers like this, in turn, and then with 202.
    pub async fn new(replies: &[Reply]) -> Self {
        let inner =
            Arc::new(Inner { received: Mutex::default(), replies: Mutex::new(replies.iter().copied().collect()) });
        let router = Router::new().route("/records", post(take)).with_state(inner.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/records", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, inner }
    }

    pub fn received(&self) -> Vec<Received> {
        self.inner.received.lock().expect("unpoisoned").clone()
    }

    /// Waits until so many deliveries have come in.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        for _ in 0..600 {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("only {} of {count} deliveries came in", self.received().len());
    }
}

async fn take(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    inner.received.lock().expect("unpoisoned").push(Received { headers, body });
    let reply = inner.replies.lock().expect("unpoisoned").pop_front().unwrap_or(Reply::Status(202));
    match reply {
        Reply::Status(status) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [(header::LOCATION, "/records")], "it may say whatever it likes").into_response()
        }
        Reply::Never => {
            tokio::time::sleep(Duration::from_secs(3_600)).await;
            StatusCode::ACCEPTED.into_response()
        }
    }
}
