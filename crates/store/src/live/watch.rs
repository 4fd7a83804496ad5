//! What a subscription asks for, and the messages that answer it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures::future::try_join_all;
use uuid::Uuid;

use super::{cursor::Cursor, event::Event};
use crate::{
    Store,
    actor::live,
    error::{Error, Result},
    model::{Model, Type},
    read::{
        Reader,
        plan::{Body, Child, Fetch, Key, Slot, Template, Which},
    },
    scope::{self, Mask, Narrow, Scope},
    sql::Sql,
};

/// A message, as it is sent to every subscriber that it is for.
#[derive(Debug, Clone)]
pub struct Message {
    /// The JSON of a GraphQL response.
    pub json: Arc<str>,
    /// Where it stands in the stream.
    pub cursor: Cursor,
}

/// Whose events a subscription asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenant {
    /// A workspace's.
    Workspace(Uuid),
    /// The subscriber's organization's.
    Organization,
    /// The subscriber's organization's and those of all its workspaces.
    Everything,
}

/// What a subscription asks for. Those that ask the same share one.
pub struct Watch {
    /// What tells it from others: its operation with everything put in.
    pub key: String,
    /// Whose events.
    pub tenant: Tenant,
    /// Only events under these topics; all if there are none.
    pub topics: Vec<String>,
    /// Only events about rows of these tables; of any if there are none.
    pub tables: &'static [&'static str],
    /// Only events about this row.
    pub row: Option<Uuid>,
    /// Only events about rows that have or had one of these values in the column.
    pub facets: Vec<(&'static str, Vec<String>)>,
    /// The response key.
    pub field: Key,
    /// The fields of a message.
    pub parts: Vec<(Key, Part)>,
    /// What is selected of rows.
    pub objects: Vec<Object>,
    /// What is selected of the user who made the change, if anything.
    pub actor: Option<Object>,
}

/// A field of a message.
pub enum Part {
    /// JSON known beforehand.
    Literal(String),
    /// What happened.
    Kind,
    /// The names of the fields that changed.
    ChangedFields,
    /// Where the message stands in the stream.
    Cursor,
    /// When it happened.
    At,
    /// Under which topic.
    Topic,
    /// The GraphQL type of the row.
    Type,
    /// The id of the row.
    Id,
    /// The row, if it is of this type.
    Object(&'static Type),
    /// The row, of whatever type.
    Node,
    /// The user who made the change.
    Actor,
}

/// What is selected of a row of one type.
pub struct Object {
    fetch: Fetch,
    /// The slot of the id.
    key: usize,
}

impl Object {
    /// What this plan of one row selects.
    pub fn new(mut fetch: Fetch) -> Result<Self> {
        let id = fetch.ty.table.column("id").ok_or_else(|| Error::internal("a type without id"))?.0;
        let key = fetch.slot(Slot::Column(id));
        Ok(Self { fetch, key })
    }

    /// Nothing but whether the row is seen.
    fn bare(ty: &'static Type) -> Result<Self> {
        let mut fetch = Fetch::new(ty, Which::Id(Uuid::nil()));
        fetch.body = Body::One(Template(Vec::new()));
        Self::new(fetch)
    }
}

impl Watch {
    /// Whether the event is among those that are asked for, whoever asks.
    pub(super) fn wants(&self, event: &Event) -> bool {
        (self.topics.is_empty() || self.topics.contains(&event.topic))
            && (self.tables.is_empty() || event.ty().is_some_and(|ty| self.tables.contains(&ty.table.name)))
            && self.row.is_none_or(|row| event.about.id == Some(row))
            && self.facets.iter().all(|(column, labels)| event.has(column, labels))
    }

    /// Whether what a subscriber sees of it depends on nothing but roles and organizations, so that it need not be worked out
    /// for each user.
    pub(super) fn is_shared(&self) -> bool {
        let types_are = match self.tables {
            [] => false,
            tables => tables.iter().all(|table| {
                Model::get()
                    .by_table(table)
                    .is_some_and(|ty| is_alike(ty) && !self.objects.iter().any(|o| o.fetch.ty.id == ty.id))
                    || self
                        .objects
                        .iter()
                        .any(|object| object.fetch.ty.table.name == *table && sees_alike(&object.fetch))
            }),
        };
        types_are && self.actor.as_ref().is_none_or(|actor| self.meets_everybody() && tells_alike(&actor.fetch))
    }

    /// Whether those who make the changes are visible to all who may see the changes: members of a workspace see each other.
    fn meets_everybody(&self) -> bool {
        matches!(self.tenant, Tenant::Workspace(_))
    }

    /// The permission without which none of it is seen, if there is one.
    pub(super) fn permissions(&self) -> impl Iterator<Item = crate::policy::Permission> {
        let types = self.tables.iter().filter_map(|table| Model::get().by_table(table));
        types.flat_map(|ty| &ty.narrow).filter_map(|narrow| match narrow {
            Narrow::Requires(permission) => Some(*permission),
            _ => None,
        })
    }

    /// The messages for whoever reads, one for each of these events: none for what it does not see.
    pub(super) async fn messages(
        &self,
        store: &Store,
        reader: &Reader,
        stream: Uuid,
        events: &[&Event],
    ) -> Result<Vec<Option<Message>>> {
        let rows = reader.run(self.rows(store, reader, events)).await?;
        events.iter().map(|event| self.message(stream, event, &rows)).collect()
    }

    async fn rows(&self, store: &Store, reader: &Reader, events: &[&Event]) -> Result<Rows> {
        let mut wanted: HashMap<usize, HashSet<Uuid>> = HashMap::new();
        for (ty, id) in events.iter().filter_map(|event| event.row()) {
            wanted.entry(ty.id).or_default().insert(id);
        }
        let seen = wanted.into_iter().map(|(ty, ids)| async move {
            let ty = &Model::get().types[ty];
            let bare;
            let object = match self.objects.iter().find(|object| object.fetch.ty.id == ty.id) {
                Some(object) => object,
                None => {
                    bare = Object::bare(ty)?;
                    &bare
                }
            };
            let ids: Vec<Uuid> = ids.into_iter().collect();
            let seen = reader.fetch_each(&object.fetch, object.key, &ids).await?;
            let missing: Vec<Uuid> = ids.into_iter().filter(|id| !seen.contains_key(id)).collect();
            let gone = if missing.is_empty() {
                HashSet::new()
            } else {
                seen_before(store, reader, ty, missing, events).await?
            };
            Ok::<_, Error>((ty.id, Seen { rows: seen, gone }))
        });
        let actors = async {
            let Some(actor) = &self.actor else { return Ok(HashMap::new()) };
            let ids: HashSet<Uuid> = events.iter().filter_map(|event| event.actor_id).collect();
            if ids.is_empty() {
                return Ok(HashMap::new());
            }
            reader.fetch_each(&actor.fetch, actor.key, &ids.into_iter().collect::<Vec<_>>()).await
        };
        let (seen, actors) = futures::try_join!(try_join_all(seen), actors)?;
        let unnamed = match events.iter().any(|event| event.row().is_none()) {
            true => {
                let actor = reader.actor().await?;
                actor.confining_region().is_none() && actor.confining_department().is_none()
            }
            false => false,
        };
        Ok(Rows { seen: seen.into_iter().collect(), actors, unnamed })
    }

    fn message(&self, stream: Uuid, event: &Event, rows: &Rows) -> Result<Option<Message>> {
        let row = event.row();
        let object = match row {
            Some((ty, id)) => {
                let seen = rows.seen.get(&ty.id);
                match seen.and_then(|seen| seen.rows.get(&id)) {
                    Some(object) => Some(object),
                    None if seen.is_some_and(|seen| seen.gone.contains(&id)) => None,
                    None => return Ok(None),
                }
            }
            // What is about no row of the graph is a sum of many, over all regions and departments.
            None if rows.unnamed && event.about.id.is_none() => None,
            None => return Ok(None),
        };
        let cursor = Cursor::new(stream, event.sequence);
        let quoted =
            |text: &str| serde_json::to_string(text).map_err(|_| Error::internal("text that is no JSON string"));
        let null = || "null".to_owned();
        let mut out = String::from("{\"data\":{");
        out.push_str(&self.field.0);
        out.push('{');
        for (place, (key, part)) in self.parts.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            out.push_str(&key.0);
            out.push_str(&match part {
                Part::Literal(json) => json.clone(),
                Part::Kind => quoted(&event.kind.to_ascii_uppercase())?,
                Part::ChangedFields => serde_json::to_string(&event.changed_fields)
                    .map_err(|_| Error::internal("names that are no JSON"))?,
                Part::Cursor => quoted(&cursor.encode())?,
                Part::At => quoted(&event.at)?,
                Part::Topic => quoted(&event.topic.to_ascii_uppercase())?,
                Part::Type => row.map_or_else(null, |(ty, _)| format!("\"{}\"", ty.name)),
                Part::Id => row.map_or_else(null, |(_, id)| format!("\"{id}\"")),
                Part::Object(ty) if row.is_some_and(|(of, _)| of.id == ty.id) => object.cloned().unwrap_or_else(null),
                Part::Object(_) => null(),
                Part::Node => object.cloned().unwrap_or_else(null),
                Part::Actor => event.actor_id.and_then(|id| rows.actors.get(&id)).cloned().unwrap_or_else(null),
            });
        }
        out.push_str("}}}");
        Ok(Some(Message { json: out.into(), cursor }))
    }
}

/// What a reader sees of the rows that events are about.
struct Rows {
    seen: HashMap<usize, Seen>,
    actors: HashMap<Uuid, String>,
    /// Whether events are seen that are about no row.
    unnamed: bool,
}

/// Rows of one type.
struct Seen {
    rows: HashMap<Uuid, String>,
    /// Those that are deleted, and that the reader would still see if they were not.
    gone: HashSet<Uuid>,
}

/// Which of these rows, which are not seen now, are deleted and would be seen as they were at last.
async fn seen_before(
    store: &Store,
    reader: &Reader,
    ty: &'static Type,
    missing: Vec<Uuid>,
    events: &[&Event],
) -> Result<HashSet<Uuid>> {
    let about_missing = |event: &Event| event.about.id.is_some_and(|id| missing.contains(&id));
    let mut rows = HashMap::new();
    let mut unexplained = HashSet::new();
    for event in events.iter().filter(|event| about_missing(event)) {
        match &event.about.row {
            Some(row) => _ = rows.insert(event.about.id, row.clone()),
            None => _ = unexplained.insert(event.aggregate_id),
        }
    }
    // An event of a row that was deleted later.
    if !unexplained.is_empty() {
        for event in
            store.deleted(unexplained.into_iter().collect()).await?.into_iter().filter(|event| about_missing(event))
        {
            rows.extend(event.about.row.map(|row| (event.about.id, row)));
        }
    }
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = serde_json::Value::Array(rows.into_values().map(Into::into).collect());
    let statement = |actor: &crate::actor::Actor| {
        let mut sql = Sql::new();
        sql.push("SELECT g.live, t.id FROM (SELECT ")
            .append(&live(actor))
            .push(" AS live) g LEFT JOIN LATERAL (SELECT t.id FROM ");
        sql.push("jsonb_populate_recordset(NULL::")
            .push(ty.table.name)
            .push(", ")
            .json(rows.clone())
            .push(") t WHERE ");
        sql.append(&scope::condition(ty, "t", actor)).push(") t ON g.live");
        sql
    };
    let seen = reader.rooted(statement).await?;
    seen.iter().filter_map(|row| row.try_get_by_index::<Option<Uuid>>(1).transpose()).map(|id| Ok(id?)).collect()
}

/// Whether all who have the same roles and organization see the same rows of the type.
fn is_alike(ty: &Type) -> bool {
    let scope = matches!(ty.scope, Scope::Organization | Scope::Workspace(_));
    let narrow = ty.narrow.iter().all(|narrow| match narrow {
        Narrow::Own(_) | Narrow::SharedScenarios => false,
        Narrow::Region(_)
        | Narrow::Department(_)
        | Narrow::DepartmentName(_)
        | Narrow::AllRegions
        | Narrow::Requires(_)
        | Narrow::SettledForInvestors => true,
    });
    // The users of an organization are seen by all of it, but by others too, each of whom sees some.
    scope && narrow && ty.table.name != "users"
}

/// Whether all of them are told the same of a row.
fn tells_alike(fetch: &Fetch) -> bool {
    let columns = fetch.slots.iter().all(|slot| match slot {
        Slot::Column(index) => !matches!(fetch.ty.masks.get(index), Some(Mask::SelfOrManager)),
        Slot::Rank | Slot::Snippet => false,
    });
    columns && fetch.children.iter().all(|Child { fetch, .. }| sees_alike(fetch))
}

fn sees_alike(fetch: &Fetch) -> bool {
    is_alike(fetch.ty) && tells_alike(fetch)
}
