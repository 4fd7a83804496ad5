//! The dependency graph under change: kept true after every change of a term, and synchronized with the text on demand.

mod difference;
mod sync;

use aether_domain::golden::READY_FROM;
use chrono::SecondsFormat;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub use self::{
    difference::Counts,
    sync::{GraphWarning, Synced},
};
use super::{
    Change,
    change::current,
    record::{Done, Record, named},
};
use crate::{
    error::{Error, Result},
    model::enum_value_name,
    sql::Sql,
};

/// How the graph of a workspace stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GraphStanding {
    /// The row of `graph_state`.
    pub state_id: Uuid,
    /// The integrity before, if it had been computed.
    pub before: Option<Decimal>,
    /// The integrity now, from 0 to 1.
    pub integrity: Decimal,
}

impl Change {
    /// Brings what follows from values and drift up to date: nodes, the warnings of sensitive clauses that drift, the integrity,
    /// and whether the golden record is ready. One statement and one event, however many nodes change. Only the nodes of these
    /// clauses are looked at; of all clauses if none are named. The workspace must have been entered.
    pub async fn refresh_graph(&self, clauses: Option<&[Uuid]>) -> Result<GraphStanding> {
        let workspace = self.entered()?;
        let mut sql = Sql::new();
        sql.push("SELECT * FROM refresh_graph(").uuid(workspace).push(", ");
        match clauses {
            Some(clauses) => sql.uuids(clauses.to_vec()),
            None => sql.push("NULL"),
        };
        sql.push(", ").decimal(READY_FROM).push(")");
        let rows = self.query(&sql).await?;
        let row = rows.first().ok_or_else(|| Error::internal("a function without an answer"))?;
        let standing = GraphStanding {
            state_id: row.try_get("", "state_id")?,
            before: row.try_get("", "score_before")?,
            integrity: row.try_get("", "score_after")?,
        };
        self.wrote_standing(&standing);
        if let Some(id) = row.try_get::<Option<Uuid>>("", "record_id")? {
            let score: Decimal = row.try_get("", "record_score_before")?;
            let (was, is): (String, String) = (row.try_get("", "status_before")?, row.try_get("", "status_after")?);
            self.wrote_record(id, (score, standing.integrity), (&was, &is));
        }
        Ok(standing)
    }

    /// Gives variables of these clauses that have been bound a node, takes that of unbound ones away, and ties variables to their
    /// clause and to each other. To be followed by [`refresh_graph`](Self::refresh_graph).
    pub async fn link_variables(&self, clauses: &[Uuid]) -> Result<()> {
        let mut sql = Sql::new();
        sql.push("SELECT link_variables(").uuid(self.entered()?).push(", ").uuids(clauses.to_vec()).push(")");
        self.query(&sql).await?;
        Ok(())
    }

    /// The workspace that the change is of.
    pub(in crate::write) fn entered(&self) -> Result<Uuid> {
        let membership = self.membership().ok_or_else(|| Error::internal("a change of no workspace"))?;
        Ok(membership.workspace.id)
    }

    /// Notes the new state: told to subscribers also where the integrity is the same, for values have changed.
    fn wrote_standing(&self, standing: &GraphStanding) {
        let now = self.now().to_utc().to_rfc3339_opts(SecondsFormat::Micros, true);
        let mut after = Map::from_iter([("lastComputedAt".to_owned(), now.into())]);
        let mut before = Map::new();
        if standing.before != Some(standing.integrity) {
            before.insert("integrityScore".into(), standing.before.map(score).into());
            after.insert("integrityScore".into(), score(standing.integrity).into());
        }
        self.note_record(Record {
            table: "graph_state",
            topic: "graph",
            id: standing.state_id,
            aggregate_id: standing.state_id,
            done: if standing.before.is_some() { Done::Updated } else { Done::Created },
            before,
            after,
            about: named("graph_state", standing.state_id),
        });
    }

    fn wrote_record(&self, id: Uuid, scores: (Decimal, Decimal), statuses: (&str, &str)) {
        let (mut before, mut after) = (Map::new(), Map::new());
        let mut differs = |field: &str, was: Value, is: Value| {
            if was != is {
                before.insert(field.to_owned(), was);
                after.insert(field.to_owned(), is);
            }
        };
        differs("integrityScore", score(scores.0).into(), score(scores.1).into());
        differs("status", json!(enum_value_name(statuses.0)), json!(enum_value_name(statuses.1)));
        if !after.is_empty() {
            let (table, topic) = ("golden_records", "golden_record");
            let about = named(table, id);
            self.note_record(Record { table, topic, id, aggregate_id: id, done: Done::Updated, before, after, about });
        }
    }

    fn note_record(&self, record: Record) {
        current(&mut self.log(), self.action()).records.push(record);
    }
}

/// A score as the graph shows it: four decimals.
fn score(value: Decimal) -> String {
    format!("{value:.4}")
}
