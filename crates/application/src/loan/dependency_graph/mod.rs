//! The dependency graph under change: kept true after every change of a term, and synchronized with the text on demand.

#![expect(clippy::disallowed_methods, reason = "one statement for all nodes that a change concerns")]

mod difference;
mod sync;

use aether_domain::graph;
use chrono::SecondsFormat;
use rust_decimal::Decimal;
use sea_orm::QueryResult;
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub use self::{
    difference::Counts,
    sync::{GraphWarning, Synced, synchronize},
};
use aether_store::{
    Error, Result,
    model::enum_value_name,
    sql::Sql,
    value::label,
    write::{Change, Done, Record, named},
};

use super::golden;

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

/// Brings what follows from values and drift up to date: nodes, the warnings of sensitive clauses that drift, the integrity,
/// and whether the golden record is ready. Two statements and one event, however many nodes change. Only the nodes of these
/// clauses are looked at; of all clauses if none are named. The workspace must have been entered.
pub async fn refresh(c: &Change, clauses: Option<&[Uuid]>) -> Result<GraphStanding> {
    let workspace = c.entered()?;
    let mut sql = Sql::new();
    sql.push("SELECT * FROM refresh_graph(").uuid(workspace).push(", ");
    match clauses {
        Some(clauses) => sql.uuids(clauses.to_vec()),
        None => sql.push("NULL"),
    };
    sql.push(")");
    let rows = c.run_sql(&sql).await?;
    let row = rows.first().ok_or_else(|| Error::internal("a function without an answer"))?;
    let count = |column: &str| -> Result<usize> {
        usize::try_from(row.try_get::<i64>("", column)?).map_err(|_| Error::internal("a count below zero"))
    };
    let integrity = graph::integrity(count("nodes")?, count("with_drift")?, count("with_warning")?);
    let record =
        row.try_get::<Option<Uuid>>("", "record_id")?.map(|id| GoldenRecord::read(row, id, integrity)).transpose()?;
    let record = record.filter(GoldenRecord::differs);
    let state_id = write_standing(c, workspace, integrity, record.as_ref()).await?;
    let standing = GraphStanding { state_id, before: row.try_get("", "score_before")?, integrity };
    record_standing(c, &standing);
    if let Some(record) = record {
        record.record(c);
    }
    Ok(standing)
}

/// Writes the integrity, and what becomes of the golden record by it, and tells the row of `graph_state`.
async fn write_standing(
    c: &Change,
    workspace: Uuid,
    integrity: Decimal,
    record: Option<&GoldenRecord>,
) -> Result<Uuid> {
    let mut sql = Sql::new();
    if let Some(record) = record {
        sql.push("WITH record AS (UPDATE golden_records SET integrity_score = ").decimal(integrity).push(", status = ");
        sql.text(record.status.1.clone()).push("::golden_record_status WHERE id = ").uuid(record.id).push(") ");
    }
    sql.push("INSERT INTO graph_state (workspace_id, integrity_score, last_computed_at) VALUES (")
        .uuid(workspace)
        .push(", ");
    sql.decimal(integrity).push(
        ", now()) ON CONFLICT (workspace_id) DO UPDATE SET integrity_score = excluded.integrity_score,
         last_computed_at = excluded.last_computed_at RETURNING id",
    );
    let written = c.run_sql(&sql).await?;
    let written = written.first().ok_or_else(|| Error::internal("an INSERT without a row"))?;
    Ok(written.try_get("", "id")?)
}

/// Gives variables of these clauses that have been bound a node, takes that of unbound ones away, and ties variables to their
/// clause and to each other. To be followed by [`refresh_graph`](Self::refresh_graph).
pub async fn link_variables(c: &Change, clauses: &[Uuid]) -> Result<()> {
    let mut sql = Sql::new();
    sql.push("SELECT link_variables(").uuid(c.entered()?).push(", ").uuids(clauses.to_vec()).push(")");
    c.run_sql(&sql).await?;
    Ok(())
}

/// Notes the new state: told to subscribers also where the integrity is the same, for values have changed.
fn record_standing(c: &Change, standing: &GraphStanding) {
    let now = c.now().to_utc().to_rfc3339_opts(SecondsFormat::Micros, true);
    let mut after = Map::from_iter([("lastComputedAt".to_owned(), now.into())]);
    let mut before = Map::new();
    if standing.before != Some(standing.integrity) {
        before.insert("integrityScore".into(), standing.before.map(score).into());
        after.insert("integrityScore".into(), score(standing.integrity).into());
    }
    c.record(Record {
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

/// The golden record of a graph: its score and status, before and after.
struct GoldenRecord {
    id: Uuid,
    score: (Decimal, Decimal),
    status: (String, String),
}

impl GoldenRecord {
    /// What becomes of the record with a graph of this integrity.
    fn read(row: &QueryResult, id: Uuid, integrity: Decimal) -> Result<Self> {
        let high_drift: i32 = row.try_get("", "high_drift")?;
        let status = golden::status(integrity, high_drift.try_into().unwrap_or_default());
        Ok(Self {
            id,
            score: (row.try_get("", "record_score_before")?, integrity),
            status: (row.try_get("", "status_before")?, label(&status)),
        })
    }

    fn differs(&self) -> bool {
        self.score.0 != self.score.1 || self.status.0 != self.status.1
    }

    /// Notes what became of it.
    fn record(self, c: &Change) {
        let (mut before, mut after) = (Map::new(), Map::new());
        let mut differs = |field: &str, was: Value, is: Value| {
            if was != is {
                before.insert(field.to_owned(), was);
                after.insert(field.to_owned(), is);
            }
        };
        differs("integrityScore", score(self.score.0).into(), score(self.score.1).into());
        differs("status", json!(enum_value_name(&self.status.0)), json!(enum_value_name(&self.status.1)));
        let (table, topic, id) = ("golden_records", "golden_record", self.id);
        let about = named(table, id);
        c.record(Record { table, topic, id, aggregate_id: id, done: Done::Updated, before, after, about });
    }
}

/// A score as the graph shows it: four decimals.
fn score(value: Decimal) -> String {
    format!("{value:.4}")
}
