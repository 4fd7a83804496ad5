//! Reading the outbox in order.
//!
//! The order is that of the sequence: of two changes of one thing the second waits for the first one's row lock, and takes its
//! numbers after it. But a number can be taken early and committed late. So a read first asks for the last number that was
//! given and for the transactions that show the lock of writers of events (see the migration `0030_live`), waits until those have
//! ended, and only then reads up to that number: nothing can be committed there any more. A transaction that stays open
//! without having written events holds nothing up.

use std::time::Duration;

use aether_entity::catalog::Kind;
use uuid::Uuid;

use super::event::{self, Event};
use crate::{
    Store,
    error::{Error, Result},
    sql::Sql,
};

/// How many events are read at once.
pub(super) const AT_ONCE: u64 = 1_000;

/// Whose events are read.
pub(super) struct Of {
    pub(super) organization: Option<Uuid>,
    pub(super) workspaces: Vec<Uuid>,
}

/// What was read.
pub(super) struct Read {
    pub(super) events: Vec<Event>,
    /// There is nothing unread up to this number.
    pub(super) through: i64,
}

/// The stream of events of the database.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    pub(super) id: Uuid,
    pub(super) trimmed_through: i64,
    /// The last event there is.
    pub(super) last: i64,
}

impl Store {
    /// The stream of events, as far as it is settled now.
    pub(super) async fn stream(&self) -> Result<Stream> {
        let last = self.settle().await?;
        let mut sql = Sql::new();
        sql.push("SELECT id, trimmed_through, ")
            // The last event rather than the last number: a number that was given and never written may be given again.
            .push("coalesce((SELECT max(sequence) FROM event_outbox WHERE sequence <= ")
            .value(Kind::BigInt, last.to_string())
            .push("), trimmed_through) FROM event_streams");
        let rows = self.connections().ask(&sql).await?;
        let row = rows.first().ok_or_else(|| Error::internal("a database without a stream of events"))?;
        Ok(Stream { id: row.at(0)?, trimmed_through: row.at(1)?, last: row.at(2)? })
    }

    /// The next events behind this number: of everybody, or of some.
    pub(super) async fn events(&self, after: i64, of: Option<&Of>) -> Result<Read> {
        let through = self.settle().await?;
        if through <= after {
            return Ok(Read { events: Vec::new(), through });
        }
        let mut sql = event::select();
        sql.push("e.sequence > ")
            .value(Kind::BigInt, after.to_string())
            .push(" AND e.sequence <= ")
            .value(Kind::BigInt, through.to_string());
        if let Some(of) = of {
            sql.push(" AND (e.workspace_id = ANY(").uuids(of.workspaces.clone()).push(")");
            if let Some(organization) = of.organization {
                sql.push(" OR e.organization_id = ").uuid(organization);
            }
            sql.push(")");
        }
        sql.push(" ORDER BY e.sequence LIMIT ").number(AT_ONCE);
        let rows = self.connections().ask(&sql).await?;
        let events = rows.iter().map(Event::read).collect::<Result<Vec<_>>>()?;
        let cut = events.len() as u64 == AT_ONCE;
        let through = events.last().filter(|_| cut).map_or(through, |last| last.sequence);
        Ok(Read { events, through })
    }

    /// The last number that was given by now, once nothing up to it is outstanding.
    async fn settle(&self) -> Result<i64> {
        let mut sql = Sql::new();
        sql.push("SELECT last, to_json(writers)::text FROM event_head()");
        let rows = self.connections().ask(&sql).await?;
        let row = rows.first().ok_or_else(|| Error::internal("a function without an answer"))?;
        let last = row.at(0)?;
        let mut before = names(&row.at::<String>(1)?)?;
        let mut pause = Duration::from_millis(1);
        while !before.is_empty() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
            let mut sql = Sql::new();
            sql.push("SELECT to_json(outstanding_event_writers())::text");
            let rows = self.connections().ask(&sql).await?;
            let row = rows.first().ok_or_else(|| Error::internal("a function without an answer"))?;
            let now = names(&row.at::<String>(0)?)?;
            before.retain(|writer| now.contains(writer));
        }
        Ok(last)
    }

    /// The rows as they were when they were deleted, those of them that were.
    pub(super) async fn deleted(&self, aggregates: Vec<Uuid>) -> Result<Vec<Event>> {
        let mut sql = event::select();
        sql.push("e.kind = 'deleted' AND e.aggregate_id = ANY(").uuids(aggregates).push(")");
        self.connections().ask(&sql).await?.iter().map(Event::read).collect()
    }
}

fn names(json: &str) -> Result<Vec<String>> {
    serde_json::from_str(json).map_err(|_| Error::internal("names that cannot be read"))
}
