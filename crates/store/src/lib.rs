//! The only owner of database connections: who may see what, and how it is read.
//!
//! - [`policy`] and `scope`: the two permission matrices, and what they mean for a row
//! - [`model`]: the graph, declared once as data
//! - [`read`]: a plan in, the answer's JSON out, one statement per node of the plan
//! - [`merkle`]: the log that makes the audit trail tamper-evident
//! - [`session`]: signing in and out, the first writes of the gateway

pub mod actor;
mod audit;
mod database;
pub mod error;
pub mod merkle;
pub mod model;
pub mod policy;
pub mod read;
mod scope;
pub mod seal;
pub mod session;
mod sql;
pub mod token;
pub mod value;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use uuid::Uuid;

use self::{actor::Actors, read::Reader};
pub use self::{
    database::{Connect, Database, counting},
    error::{Error, Result},
    read::render::node_id,
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

    /// Makes the partitions of the coming months and refreshes the summaries, unless another gateway does so now.
    pub async fn keep_house(&self) -> Result<bool> {
        let transaction = self.database.begin().await?;
        // Held to the end of the transaction, and by one gateway at a time.
        let turn = "SELECT pg_try_advisory_xact_lock(hashtext('keep_house'))";
        let row = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, turn)).await?;
        if !row.map(|row| row.try_get_by_index::<bool>(0)).transpose()?.unwrap_or_default() {
            return Ok(false);
        }
        for step in [
            "SET LOCAL statement_timeout = '5min'",
            "SELECT refresh_kpi_summary()",
            "SELECT refresh_pipeline_summary()",
            // Last, for what a new partition locks stays locked to the end.
            "SELECT ensure_partitions(date_trunc('month', now())::date, (date_trunc('month', now()) + interval '3 months')::date)",
        ] {
            transaction.execute_unprepared(step).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// The pools.
    pub fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn actors(&self) -> &Actors {
        &self.actors
    }
}
