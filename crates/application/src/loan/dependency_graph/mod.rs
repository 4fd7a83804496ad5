//! The dependency graph under change: kept true after every change of a term, and synchronized with the text on demand.

#![expect(clippy::disallowed_methods, reason = "one statement for all nodes that a change concerns")]

mod difference;
mod sync;

use aether_domain::golden::READY_FROM;
use chrono::SecondsFormat;
use rust_decimal::Decimal;
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
    write::{Change, Done, Record, named},
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

/// Brings what follows from values and drift up to date: nodes, the warnings of sensitive clauses that drift, the integrity,
/// and whether the golden record is ready. One statement and one event, however many nodes change. Only the nodes of these
/// clauses are looked at; of all clauses if none are named. The workspace must have been entered.
pub async fn refresh(c: &Change, clauses: Option<&[Uuid]>) -> Result<GraphStanding> {
    let workspace = c.entered()?;
    let mut sql = Sql::new();
    sql.push("SELECT * FROM refresh_graph(").uuid(workspace).push(", ");
    match clauses {
        Some(clauses) => sql.uuids(clauses.to_vec()),
        None => sql.push("NULL"),
    };
    sql.push(", ").decimal(READY_FROM).push(")");
    let rows = c.run_sql(&sql).await?;
    let row = rows.first().ok_or_else(|| Error::internal("a function without an answer"))?;
    let standing = GraphStanding {
        state_id: row.try_get("", "state_id")?,
        before: row.try_get("", "score_before")?,
        integrity: row.try_get("", "score_after")?,
    };
    record_standing(c, &standing);
    if let Some(id) = row.try_get::<Option<Uuid>>("", "record_id")? {
        let score: Decimal = row.try_get("", "record_score_before")?;
        let (was, is): (String, String) = (row.try_get("", "status_before")?, row.try_get("", "status_after")?);
        record_golden_record(c, id, (score, standing.integrity), (&was, &is));
    }
    Ok(standing)
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

fn record_golden_record(c: &Change, id: Uuid, scores: (Decimal, Decimal), statuses: (&str, &str)) {
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
        c.record(Record { table, topic, id, aggregate_id: id, done: Done::Updated, before, after, about });
    }
}

/// A score as the graph shows it: four decimals.
fn score(value: Decimal) -> String {
    format!("{value:.4}")
}
