//! Live connections: GraphQL over WebSocket (`graphql-transport-ws`) and over server-sent events, in distinct and in single
//! connections. All are ways to the same [`operations::Operations`].
//!
//! The protocols: <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md> and
//! <https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md>. async-graphql's own WebSocket resolves each message
//! anew for each subscriber and keeps the request for as long as it lasts; here both are shared (see the store's hub).

mod nats;
mod operations;
mod sse;
mod ws;

use std::{sync::Arc, time::Duration};

use aether_store::{
    Store,
    live::{Hub, Outbox},
};
use async_nats::ServerAddr;
use axum::{Router, http::HeaderName};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::http::App;

pub(crate) use self::ws::upgrade;

/// The cursor behind which a stream of events is resumed.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The token of a single connection.
pub(crate) const STREAM_TOKEN: HeaderName = HeaderName::from_static("x-graphql-event-stream-token");

/// How many subscriptions begin at once. When a gateway has restarted, all its clients come back in the same second: they wait
/// for each other here, and not for connections to the database, which have little patience and are needed for other things.
const BEGINNING: usize = 4;

/// What live connections share.
pub struct Live {
    /// How long a WebSocket may take to say who it is.
    pub init_timeout: Duration,
    /// How often a connection is asked whether it is still there.
    pub keep_alive: Duration,
    beginning: Semaphore,
    stopping: CancellationToken,
    reserved: sse::Reserved,
}

impl Live {
    /// Live connections that are closed once this is cancelled.
    pub fn new(stopping: CancellationToken) -> Self {
        Self {
            init_timeout: Duration::from_secs(5),
            keep_alive: Duration::from_secs(25),
            beginning: Semaphore::new(BEGINNING),
            stopping,
            reserved: sse::Reserved::default(),
        }
    }
}

/// Publishes to the hub's subscribers what is committed, for as long as it is polled: as PostgreSQL has it or, if there are
/// servers of NATS, as these bring it.
pub async fn publish(hub: Arc<Hub>, store: Store, nats: Vec<ServerAddr>) {
    let outbox = Outbox::new(store);
    if nats.is_empty() {
        return hub.run(outbox).await;
    }
    match nats::Nats::connect(nats, outbox.clone()).await {
        Ok(nats) => hub.run(nats).await,
        Err(error) => {
            tracing::error!(?error, "NATS is not used: events are read from PostgreSQL");
            hub.run(outbox).await;
        }
    }
}

/// The routes of server-sent events.
pub(crate) fn events() -> Router<Arc<App>> {
    Router::new().route(
        "/graphql/stream",
        axum::routing::get(sse::open)
            .post(sse::operate)
            .put(sse::reserve)
            .delete(sse::complete)
            .fallback(crate::http::only_post),
    )
}
