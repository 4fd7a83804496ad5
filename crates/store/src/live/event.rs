//! An event of the outbox.

use std::{collections::HashMap, sync::LazyLock};

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    model::{Model, Type},
    rows::Row,
    sql::Sql,
};

/// One change of one thing, as the outbox has it; serialized, it is for other gateways only.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    pub(super) sequence: i64,
    pub(super) at: String,
    pub(super) topic: String,
    pub(super) aggregate_id: Uuid,
    pub(super) organization_id: Option<Uuid>,
    pub(super) workspace_id: Option<Uuid>,
    pub(super) kind: String,
    pub(super) changed_fields: Vec<String>,
    pub(super) actor_id: Option<Uuid>,
    pub(super) about: About,
}

/// What an event is about.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct About {
    /// The row's kind: `drift_item`.
    #[serde(rename = "type")]
    ty: Option<String>,
    /// The row.
    pub(super) id: Option<Uuid>,
    /// Labels by column, as they are since the change.
    facets: HashMap<String, String>,
    /// Labels by column, as they were before it, where it changed them.
    was: HashMap<String, String>,
    /// The row as it was when it was deleted, by column.
    pub(super) row: Option<Map<String, Value>>,
}

/// What is selected of the outbox, for [`Event::read`].
pub(super) const COLUMNS: &str = "e.sequence, e.at, e.topic, e.aggregate_id, e.organization_id, e.workspace_id, e.kind, \
     to_json(e.changed_fields)::text, e.actor_id, e.payload";

impl Event {
    pub(super) fn read(row: Row<'_>) -> Result<Self> {
        let unreadable = |_| Error::internal("an event that cannot be read");
        let at: DateTime<FixedOffset> = row.at(1)?;
        Ok(Self {
            sequence: row.at(0)?,
            at: at.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Micros, true),
            topic: row.at(2)?,
            aggregate_id: row.at(3)?,
            organization_id: row.at(4)?,
            workspace_id: row.at(5)?,
            kind: row.at(6)?,
            changed_fields: serde_json::from_str(&row.at::<String>(7)?).map_err(unreadable)?,
            actor_id: row.at(8)?,
            about: serde_json::from_value(row.at(9)?).map_err(unreadable)?,
        })
    }

    /// Its number: events are told in this order.
    pub fn sequence(&self) -> i64 {
        self.sequence
    }

    /// The type of the row that it is about, if that is a type of the graph.
    pub(super) fn ty(&self) -> Option<&'static Type> {
        static TYPES: LazyLock<HashMap<String, &'static Type>> =
            LazyLock::new(|| Model::get().types.iter().map(|ty| (ty.one_word(), ty)).collect());
        TYPES.get(self.about.ty.as_deref()?).copied()
    }

    /// The row that it is about, if its type is of the graph.
    pub(super) fn row(&self) -> Option<(&'static Type, Uuid)> {
        Some((self.ty()?, self.about.id?))
    }

    /// Whether the row has one of these values in the column since the change, or had one before it: whoever watches what is
    /// open must hear when it is closed.
    pub(super) fn has(&self, column: &str, labels: &[String]) -> bool {
        [&self.about.facets, &self.about.was]
            .into_iter()
            .filter_map(|values| values.get(column))
            .any(|v| labels.contains(v))
    }

    /// The value of the column since the change.
    pub(super) fn facet(&self, column: &str) -> Option<&str> {
        self.about.facets.get(column).map(String::as_str)
    }
}

/// `SELECT … FROM event_outbox e WHERE `
pub(super) fn select() -> Sql {
    let mut sql = Sql::new();
    sql.push("SELECT ").push(COLUMNS).push(" FROM event_outbox e WHERE ");
    sql
}
