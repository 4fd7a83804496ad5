//! What a subscription asks for, and the messages that answer it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures::future::try_join_all;
use uuid::Uuid;

use super::{cursor::Cursor, event::Event, subscriber::SharedBy};
use crate::{
    Store,
    error::{Error, Result},
    model::{Mask, Model, Restriction, Scope, Type},
    read::{
        Reader,
        plan::{Child, Fetch, Key, ResponseShape, RowSelector, SelectedColumn, Selection, Template},
    },
    scope,
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
pub struct SubscriptionPlan {
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
    pub parts: Vec<(Key, MessageField)>,
    /// What is selected of rows.
    pub objects: Vec<Object>,
    /// What is selected of the user who made the change, if anything.
    pub actor: Option<Object>,
}

/// A field of a message.
pub enum MessageField {
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
    pub fn new(fetch: Fetch) -> Result<Self> {
        let id = SelectedColumn::Column(fetch.ty.id_column());
        let key = fetch.selected.iter().position(|column| *column == id);
        Ok(Self { key: key.ok_or_else(|| Error::internal("a plan of rows without their ids"))?, fetch })
    }

    /// Nothing but whether the row is seen.
    fn bare(ty: &'static Type) -> Result<Self> {
        let mut selection = Selection::new(ty);
        selection.column(SelectedColumn::Column(ty.id_column()));
        Self::new(selection.fetch(RowSelector::Id, ResponseShape::One(Template(Vec::new()))))
    }
}

impl SubscriptionPlan {
    /// Whether the event is among those that are asked for, whoever asks.
    pub(super) fn wants(&self, event: &Event) -> bool {
        (self.topics.is_empty() || self.topics.contains(&event.topic))
            && (self.tables.is_empty() || event.ty().is_some_and(|ty| self.tables.contains(&ty.table.name)))
            && self.row.is_none_or(|row| event.about.id == Some(row))
            && self.facets.iter().all(|(column, labels)| event.has(column, labels))
    }

    /// Whom what a subscriber sees of it depends on, so that it need not be worked out for each of them.
    pub(super) fn shared_by(&self) -> SharedBy {
        let in_workspace = matches!(self.tenant, Tenant::Workspace(_));
        let of_table = |table: &&str| {
            let Some(ty) = Model::get().by_table(table) else { return SharedBy::Nobody };
            let object = self.objects.iter().find(|object| object.fetch.ty.id == ty.id);
            // Which changed fields are named, and whether there is a message at all, goes by the masks of the type.
            row_alike(ty, in_workspace)
                .max(ty.masks.values().map(mask_alike).max().unwrap_or(SharedBy::Members))
                .max(object.map_or(SharedBy::Members, |object| told_alike(&object.fetch, in_workspace)))
        };
        // Of any table: some of them are seen by nobody alike.
        let rows = self.tables.iter().map(of_table).max().unwrap_or(SharedBy::Nobody);
        // Members of a workspace see all who ever were members of it, and only those make changes there.
        let actor = self.actor.as_ref().map_or(SharedBy::Members, |actor| match in_workspace {
            true => told_alike(&actor.fetch, in_workspace),
            false => SharedBy::Nobody,
        });
        rows.max(actor)
    }

    /// The permission without which none of it is seen, if there is one.
    pub(super) fn permissions(&self) -> impl Iterator<Item = crate::policy::Permission> {
        let types = self.tables.iter().filter_map(|table| Model::get().by_table(table));
        types.flat_map(|ty| &ty.restrictions).filter_map(|restriction| match restriction {
            Restriction::Requires(permission) => Some(*permission),
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
            let hidden = hidden_fields(reader, ty, events).await?;
            let gone = if missing.is_empty() {
                HashSet::new()
            } else {
                seen_before(store, reader, ty, missing, events).await?
            };
            Ok::<_, Error>((ty.id, Seen { rows: seen, gone, hidden }))
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
        let Some(changed_fields) = rows.changed_fields(event) else { return Ok(None) };
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
        out.push_str(self.field.written(true));
        out.push('{');
        for (place, (key, field)) in self.parts.iter().enumerate() {
            out.push_str(key.written(place == 0));
            out.push_str(&match field {
                MessageField::Literal(json) => json.clone(),
                MessageField::Kind => quoted(&event.kind.to_ascii_uppercase())?,
                MessageField::ChangedFields => {
                    serde_json::to_string(&changed_fields).map_err(|_| Error::internal("names that are no JSON"))?
                }
                MessageField::Cursor => quoted(&cursor.encode())?,
                MessageField::At => quoted(&event.at)?,
                MessageField::Topic => quoted(&event.topic.to_ascii_uppercase())?,
                MessageField::Type => row.map_or_else(null, |(ty, _)| format!("\"{}\"", ty.name)),
                MessageField::Id => row.map_or_else(null, |(_, id)| format!("\"{id}\"")),
                MessageField::Object(ty) if row.is_some_and(|(of, _)| of.id == ty.id) => {
                    object.cloned().unwrap_or_else(null)
                }
                MessageField::Object(_) => null(),
                MessageField::Node => object.cloned().unwrap_or_else(null),
                MessageField::Actor => event.actor_id.and_then(|id| rows.actors.get(&id)).cloned().unwrap_or_else(null),
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

impl Rows {
    /// The names of the changed fields that the reader may see; `None` when there are others only, for then nothing has happened
    /// as far as it is concerned.
    fn changed_fields<'e>(&self, event: &'e Event) -> Option<Vec<&'e str>> {
        let fields = event.changed_fields.iter().map(String::as_str);
        let Some((ty, id)) = event.row() else { return Some(fields.collect()) };
        let hidden = |field: &str| {
            let Some(seen) = self.seen.get(&ty.id) else { return false };
            seen.hidden.get(field).is_some_and(|shown_in| !shown_in.contains(&id))
        };
        let fields: Vec<_> = fields.filter(|field| !hidden(field)).collect();
        (!fields.is_empty() || event.changed_fields.is_empty()).then_some(fields)
    }
}

/// Rows of one type.
struct Seen {
    rows: HashMap<Uuid, String>,
    /// Those that are deleted, and that the reader would still see if they were not.
    gone: HashSet<Uuid>,
    /// Fields that only some see, with the rows in which the reader does.
    hidden: HashMap<String, HashSet<Uuid>>,
}

/// The changed fields of these events that are masked, each with the rows in which the reader sees it.
async fn hidden_fields(
    reader: &Reader,
    ty: &'static Type,
    events: &[&Event],
) -> Result<HashMap<String, HashSet<Uuid>>> {
    let of_type = || events.iter().filter(|event| event.row().is_some_and(|(of, _)| of.id == ty.id));
    let changed: HashSet<&str> = of_type().flat_map(|event| &event.changed_fields).map(String::as_str).collect();
    let columns = ty.columns().filter(|(field, column)| ty.is_masked(column.index) && changed.contains(&*field.name));
    let (fields, columns): (Vec<_>, Vec<_>) = columns.map(|(field, column)| (field.name.clone(), column.index)).unzip();
    if columns.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: HashSet<Uuid> = of_type().filter_map(|event| event.about.id).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let statement = |audience: aether_query::actor::Audience| {
        let mut sql = Sql::new();
        sql.push("SELECT t.id");
        for (place, column) in columns.iter().enumerate() {
            sql.push(", coalesce(");
            match scope::shown(ty, *column, "t".into(), audience) {
                Some(shown) => sql.append(&shown),
                None => sql.push("true"),
            };
            sql.push(", false) AS shown").number(place as u64);
        }
        sql.push(" FROM ").push(ty.table.name).push(" t WHERE t.id = ANY(").uuids(ids.clone()).push(")");
        sql
    };
    let mut shown: HashMap<String, HashSet<Uuid>> =
        fields.iter().map(|field| (field.clone(), HashSet::new())).collect();
    for row in reader.rooted(statement).await?.iter() {
        let Some(id) = row.at::<Option<Uuid>>(1)? else { continue };
        for (place, field) in fields.iter().enumerate() {
            if row.at::<bool>(2 + place)? {
                shown.entry(field.clone()).or_default().insert(id);
            }
        }
    }
    Ok(shown)
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
    let statement = |audience: aether_query::actor::Audience| {
        let mut sql = Sql::new();
        sql.push("SELECT t.id FROM jsonb_populate_recordset(NULL::")
            .push(ty.table.name)
            .push(", ")
            .json(rows.clone())
            .push(") t WHERE ");
        sql.append(&scope::condition(ty, "t".into(), audience));
        sql
    };
    let seen = reader.rooted(statement).await?;
    seen.iter().filter_map(|row| row.at::<Option<Uuid>>(1).transpose()).collect()
}

/// Who sees the same rows of the type: in one workspace, or in one organization.
fn row_alike(ty: &Type, in_workspace: bool) -> SharedBy {
    let scope = match ty.scope {
        // The users of an organization are seen by all of it, but by others too, each of whom sees some.
        _ if ty.table.name == "users" => SharedBy::Nobody,
        // Keys that carry the workspace keep all that hangs together in one.
        Scope::Workspace(_) if in_workspace => SharedBy::Members,
        Scope::Organization => SharedBy::Audience,
        _ => SharedBy::Nobody,
    };
    let narrowest = ty.restrictions.iter().map(|restriction| match restriction {
        Restriction::Own(_) | Restriction::SharedScenarios => SharedBy::Nobody,
        Restriction::NotForInvestors(..) => SharedBy::Role,
        Restriction::Region(_)
        | Restriction::Department(_)
        | Restriction::DepartmentName(_)
        | Restriction::AllRegions
        | Restriction::Requires(_) => SharedBy::Audience,
    });
    narrowest.max().unwrap_or(SharedBy::Members).max(scope)
}

/// Who sees the same of a column with this mask.
fn mask_alike(mask: &Mask) -> SharedBy {
    match mask {
        Mask::NotInvestors => SharedBy::Role,
        Mask::SameOrganization(_) => SharedBy::Audience,
        Mask::SelfOrManager => SharedBy::Nobody,
    }
}

/// Who of them is told the same of a row.
fn told_alike(fetch: &Fetch, in_workspace: bool) -> SharedBy {
    let columns = fetch.selected.iter().map(|column| match column {
        SelectedColumn::Column(index) => match fetch.ty.masks.get(index) {
            None => SharedBy::Members,
            Some(mask) => mask_alike(mask),
        },
        SelectedColumn::Rank | SelectedColumn::Snippet | SelectedColumn::Group(_) => SharedBy::Nobody,
    });
    let children = fetch
        .children
        .iter()
        .map(|Child { fetch, .. }| row_alike(fetch.ty, in_workspace).max(told_alike(fetch, in_workspace)));
    let beside = fetch.beside.iter().map(|fetch| told_alike(fetch, in_workspace));
    columns.chain(children).chain(beside).max().unwrap_or(SharedBy::Members)
}
