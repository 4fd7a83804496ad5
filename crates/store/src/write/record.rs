//! What a change has done to rows, as audit rows and events tell it: the changed fields, before and after.

use aether_domain::golden;
use aether_entity::catalog::{self, Kind};
use chrono::{SecondsFormat, Utc};
use heck::ToLowerCamelCase;
use sea_orm::{Iden, Iterable, ModelTrait, Value, sea_query::OptionEnum};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::Writable;
use crate::model::enum_value_name;

/// What is kept of a secret: that it changed.
const SECRET: &str = "(secret)";
/// Columns with whole documents, of which the hash is kept: table and column.
const DOCUMENTS: [(&str, &str); 2] = [("golden_records", "schema_json"), ("golden_record_versions", "document")];
/// Columns that change with every edit and say nothing.
const NOISE: [&str; 3] = ["updated_at", "row_version", "created_at"];

/// What was done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Created,
    Updated,
    Deleted,
}

impl Done {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

/// One row that was written.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) table: &'static str,
    pub(super) topic: &'static str,
    pub(super) id: Uuid,
    pub(super) aggregate_id: Uuid,
    pub(super) done: Done,
    pub(super) before: Map<String, Json>,
    pub(super) after: Map<String, Json>,
}

impl Record {
    /// What became of a row; `None` when nothing that counts did.
    pub(super) fn new<E: Writable>(before: Option<&E::Model>, after: Option<&E::Model>) -> Option<Self> {
        let (row, done) = match (before, after) {
            (None, Some(row)) => (row, Done::Created),
            (Some(_), Some(row)) => (row, Done::Updated),
            (Some(row), None) => (row, Done::Deleted),
            (None, None) => return None,
        };
        let table = catalog::table(E::default().table_name())?;
        let (mut was, mut is) = (Map::new(), Map::new());
        for column in E::Column::iter() {
            let name = Iden::unquoted(&column).to_owned();
            let Some((_, known)) = table.column(&name) else { continue };
            if NOISE.contains(&known.name) {
                continue;
            }
            let old = before.map(|row| row.get(column));
            let new = after.map(|row| row.get(column));
            if old == new {
                continue;
            }
            let field = known.name.to_lower_camel_case();
            let show = |value: Value| match json(value, known.kind) {
                Json::Null => Json::Null,
                _ if !known.readable => SECRET.into(),
                document if DOCUMENTS.contains(&(table.name, known.name)) => {
                    format!("sha256:{}", golden::hash(&document)).into()
                }
                value => value,
            };
            // An empty field of a row that is new or gone says nothing.
            match (old.map(show), new.map(show)) {
                (Some(old), Some(new)) => {
                    was.insert(field.clone(), old);
                    is.insert(field, new);
                }
                (Some(old), None) if !old.is_null() => {
                    was.insert(field, old);
                }
                (None, Some(new)) if !new.is_null() => {
                    is.insert(field, new);
                }
                _ => {}
            }
        }
        if was.is_empty() && is.is_empty() {
            return None;
        }
        let id = uuid_of::<E>(row, "id")?;
        Some(Self {
            table: table.name,
            topic: E::TOPIC,
            id,
            aggregate_id: uuid_of::<E>(row, E::AGGREGATE).unwrap_or(id),
            done,
            before: was,
            after: is,
        })
    }

    /// The names of the fields that changed; none for a row that is new or gone.
    pub(super) fn changed_fields(&self) -> Vec<&str> {
        match self.done {
            Done::Updated => self.after.keys().map(String::as_str).collect(),
            Done::Created | Done::Deleted => Vec::new(),
        }
    }
}

/// The column of that name, if the table has it.
pub(super) fn column<E: Writable>(name: &str) -> Option<E::Column> {
    E::Column::iter().find(|column| Iden::unquoted(column) == name)
}

/// The identifier in a column of a row.
pub(super) fn uuid_of<E: Writable>(row: &E::Model, name: &str) -> Option<Uuid> {
    match row.get(column::<E>(name)?) {
        Value::Uuid(id) => id,
        _ => None,
    }
}

/// The whole number in a column of a row.
pub(super) fn int_of<E: Writable>(row: &E::Model, name: &str) -> Option<i32> {
    match row.get(column::<E>(name)?) {
        Value::Int(value) => value,
        _ => None,
    }
}

/// A value as the graph shows it.
fn json(value: Value, kind: Kind) -> Json {
    let enum_name = |label: &str| match kind {
        Kind::Enum(_) => enum_value_name(label).into(),
        _ => Json::from(label),
    };
    match value {
        Value::Bool(value) => value.into(),
        Value::TinyInt(value) => value.into(),
        Value::SmallInt(value) => value.into(),
        Value::Int(value) => value.into(),
        // Beyond 53 bits a number loses digits in most clients.
        Value::BigInt(value) => value.map(|value| value.to_string()).into(),
        Value::String(value) => value.map_or(Json::Null, |value| enum_name(&value)),
        Value::Enum(OptionEnum::Some(value)) => enum_name(&value.value),
        Value::Json(value) => value.map_or(Json::Null, |value| *value),
        Value::ChronoDate(value) => value.map(|date| date.to_string()).into(),
        Value::ChronoDateTimeWithTimeZone(value) => {
            value.map(|at| at.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Micros, true)).into()
        }
        Value::Uuid(value) => value.map(|id| id.to_string()).into(),
        Value::Decimal(value) => value.map(|value| value.to_string()).into(),
        Value::IpNetwork(value) => value.map(|address| address.ip().to_string()).into(),
        Value::Bytes(value) => value.map(|_| SECRET).into(),
        Value::Array(_, Some(items)) => items.into_iter().map(|item| json(item, kind)).collect(),
        _ => Json::Null,
    }
}
