//! The only owner of database connections: the executor through which every change goes, and reading beside it.
//!
//! - [`write`]: how changes are carried out; [`identity`]: signing in and out
//! - [`live`]: what is committed, told to those who subscribe
//! - [`audit_log`]: the log that makes the audit trail tamper-evident
//! - [`read`], [`model`], [`policy`], [`actor`]: how a query is answered, a crate of its own (`aether-query`)

pub mod audit_log;
mod database;
pub mod encryption;
mod exports;
pub mod identity;
pub mod live;
mod maintenance;
mod rotation;
pub mod write;

use std::sync::Arc;

/// Statements under construction.
pub use aether_query::sql;
use aether_query::{Source, actors::Actors, database::Connections, read::Reader, rows, scope};
pub use aether_query::{
    database::counting,
    error::{self, Error, Result},
    finance, model, policy, read,
    read::json::node_id,
    rows::{FromCell, Row},
    value,
};
use uuid::Uuid;

/// Who is asking.
pub mod actor {
    pub use aether_query::actor::Actor;
}

pub use self::database::{Connect, Database};

/// The store: the pools and what is remembered between requests. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    database: Arc<Database>,
    source: Source,
}

impl Store {
    /// A store over these pools.
    pub fn new(database: Database) -> Self {
        Self { source: Source::new(database.connections().clone()), database: Arc::new(database) }
    }

    /// What a request of this session reads with.
    pub fn reader(&self, session: Result<Option<Uuid>>) -> Reader {
        Reader::new(self.source.clone(), session)
    }

    /// The pools.
    pub fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn connections(&self) -> &Connections {
        self.source.connections()
    }

    pub(crate) fn actors(&self) -> &Actors {
        self.source.actors()
    }
}
