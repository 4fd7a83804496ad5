//! The only owner of database connections: who may see what, and how it is read.
//!
//! - [`policy`] and `scope`: the two permission matrices, and what they mean for a row
//! - [`model`]: the graph, declared once as data
//! - [`read`]: a plan in, the answer's JSON out, one statement per node of the plan
//! - [`write`]: the door, through which every change goes; [`session`] is signing in and out
//! - [`live`]: what is committed, told to those who subscribe
//! - [`merkle`]: the log that makes the audit trail tamper-evident

pub mod actor;
mod database;
pub mod error;
pub mod live;
pub mod model;
pub mod policy;
pub mod read;
mod rows;
mod scope;
pub mod seal;
mod sql;
pub mod token;
pub mod value;
pub mod write;

use uuid::Uuid;

use self::{actor::Actors, read::Reader};
pub use self::{
    database::{Connect, Database, counting},
    error::{Error, Result},
    read::json::node_id,
    rows::{FromCell, Row},
    write::{merkle, session},
};

/// The store: the pools and what is remembered between requests. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    database: Database,
    actors: Actors,
}

impl Store {
    /// A store over these pools.
    pub fn new(database: Database) -> Self {
        Self { database, actors: Actors::new() }
    }

    /// What a request of this session reads with.
    pub fn reader(&self, session: Result<Option<Uuid>>) -> Reader {
        Reader::new(self.clone(), session)
    }

    /// The pools.
    pub fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn actors(&self) -> &Actors {
        &self.actors
    }
}
