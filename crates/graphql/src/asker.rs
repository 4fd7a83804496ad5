//! Who asks.

use std::time::Duration;

use aether_store::{
    Error, Store,
    identity::{Client, Sessions},
};
use uuid::Uuid;

/// Who a request says it is.
pub enum Identity {
    /// It does not say.
    Nobody,
    /// By a valid access token of this session.
    Session(Uuid),
    /// By something that is no valid access token.
    Refused(Error),
}

/// Who may ask what the schema is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Introspection {
    /// Anybody.
    Anybody,
    /// Whoever has signed in.
    SignedIn,
    /// Nobody.
    Off,
}

/// Who asks, from where, and with what.
pub struct Asker {
    /// The store.
    pub store: Store,
    /// The sessions.
    pub sessions: Sessions,
    /// Who the request says it is.
    pub identity: Identity,
    /// Where it comes from.
    pub client: Client,
    /// The key under which it may be repeated, with the hash of its body.
    pub idempotency: Option<(String, Vec<u8>)>,
    /// How long the request may take.
    pub patience: Duration,
}
