//! What a change has done to rows, as audit rows and events tell it: the changed fields, before and after.

use aether_domain::golden;
use aether_entity::catalog::{self, Kind, Table};
use chrono::{SecondsFormat, Utc};
use heck::ToLowerCamelCase;
use sea_orm::{Iden, Iterable, ModelTrait, Value, sea_query::OptionEnum};
use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::{Writable, constraint::type_name};
use crate::{live::feed, model::enum_value_name};

/// What is kept of a secret: that it changed.
const SECRET: &str = "(secret)";
/// Columns with whole documents, of which the hash is kept: table and column.
const DOCUMENTS: [(&str, &str); 2] = [("golden_records", "schema_json"), ("golden_record_versions", "document")];
/// What is kept of what only its author reads: that it changed.
const PRIVATE: &str = "(private)";
/// Columns that only the author of a row reads, so that those who read the audit trail do not either.
const PRIVATE_COLUMNS: [(&str, &str); 3] =
    [("ai_conversations", "title"), ("ai_conversations", "summary"), ("ai_messages", "content")];
/// Columns that change with every edit and say nothing.
const NOISE: [&str; 2] = ["updated_at", "row_version"];
/// The column that says nothing of a row that is new or gone, but does where a change moves it.
const BEGAN: &str = "created_at";

/// What was done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// A new row.
    Created,
    /// An updated row.
    Updated,
    /// Updated, so that it is settled now.
    Resolved,
    /// A row that is gone.
    Deleted,
}

impl Done {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Resolved => "resolved",
            Self::Deleted => "deleted",
        }
    }
}

/// One row that was written.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its table.
    pub table: &'static str,
    /// The topic under which subscribers are told.
    pub topic: &'static str,
    /// Its id.
    pub id: Uuid,
    /// The id of the thing whose change this is.
    pub aggregate_id: Uuid,
    /// What was done to it.
    pub done: Done,
    /// The fields that changed, as they were.
    pub before: Map<String, Json>,
    /// The fields that changed, as they are.
    pub after: Map<String, Json>,
    /// What subscribers are told of it besides the names of the fields: see `crate::live`.
    pub about: Json,
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
        let mut done = done;
        for column in E::Column::iter() {
            let name = Iden::unquoted(&column).to_owned();
            let Some((_, known)) = table.column(&name) else { continue };
            if NOISE.contains(&known.name) || known.name == BEGAN && before.is_some() != after.is_some() {
                continue;
            }
            let old = before.map(|row| row.get(column));
            let new = after.map(|row| row.get(column));
            if old == new {
                continue;
            }
            if let (Done::Updated, Some(Json::String(state))) = (done, new.clone().map(|new| json(new, Kind::Text)))
                && feed::settles(table.name, known.name, &state)
            {
                done = Done::Resolved;
            }
            let field = known.name.to_lower_camel_case();
            let show = |value: Value| match json(value, known.kind) {
                Json::Null => Json::Null,
                _ if !known.readable => SECRET.into(),
                document if DOCUMENTS.contains(&(table.name, known.name)) => {
                    format!("sha256:{}", golden::hash(&document)).into()
                }
                _ if PRIVATE_COLUMNS.contains(&(table.name, known.name)) => PRIVATE.into(),
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
            about: about::<E>(table, before, row, id, done == Done::Deleted),
        })
    }

    /// The names of the fields that changed; none for a row that is new or gone.
    pub(super) fn changed_fields(&self) -> Vec<String> {
        match self.done {
            Done::Updated | Done::Resolved => self.after.keys().cloned().collect(),
            Done::Created | Done::Deleted => Vec::new(),
        }
    }
}

/// What every event of a row says of it.
pub fn named(table: &str, id: Uuid) -> Json {
    json!({ "type": type_name(table), "id": id })
}

/// What the event of a row says of it: its kind and id, the values that subscribers filter by, since the change and before it;
/// and of a row that is deleted all that decides who could see it.
fn about<E: Writable>(table: &Table, before: Option<&E::Model>, row: &E::Model, id: Uuid, deleted: bool) -> Json {
    let labels = |row: &E::Model| -> Map<String, Json> {
        let value = |name| Some((String::from(name), json(row.get(column::<E>(name)?), Kind::Text)));
        feed::facets(table.name).filter_map(value).filter(|(_, label)| label.is_string()).collect()
    };
    let facets = labels(row);
    let mut about = named(table.name, id);
    let was = before.map(labels).filter(|was| *was != facets);
    if let Some(was) = was {
        about["was"] = was.into();
    }
    if !facets.is_empty() {
        about["facets"] = facets.into();
    }
    if deleted {
        about["row"] = all_of::<E>(table, row);
    }
    about
}

/// A deleted row by column, but for what no client may ever see.
fn all_of<E: Writable>(table: &Table, row: &E::Model) -> Json {
    let readable = |column: &E::Column| {
        let (_, known) = table.column(Iden::unquoted(column)).filter(|(_, known)| known.readable)?;
        Some((known.name.to_owned(), json(row.get(*column), Kind::Text)))
    };
    Json::Object(E::Column::iter().filter_map(|column| readable(&column)).collect())
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
