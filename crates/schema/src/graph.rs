//! The root of the graph: for each type one field by id and one connection, and `node` for all.
//!
//! What they select is planned as a whole and answered by the store as JSON (see `plan`), so no resolver runs per row. The
//! same holds for rows that hand-written resolvers return.

use std::{
    borrow::Cow,
    collections::HashMap,
    marker::PhantomData,
    sync::{Arc, LazyLock},
};

use aether_operation::{Bound, Selected};
use aether_store::{
    Error, Result,
    model::{Model, Type},
    read::{Reader, plan::Fetch},
    write::Door,
};
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, Name, ObjectType, OutputType, Positioned, QueryPathSegment,
    ServerResult, Value,
    indexmap::IndexMap,
    parser::types::Field,
    registry::{MetaType, Registry},
};
use async_graphql_value::RAW_VALUE_TOKEN;
use sea_orm::EntityName;
use uuid::Uuid;

use crate::{change, error::at, execute::Id, node, plan::Planner, sales::stalled, types};

/// The part of the query root that the model gives.
#[derive(Default)]
pub(crate) struct Graph;

/// What a root field finds.
#[derive(Clone, Copy)]
enum Root {
    One(&'static Type),
    List(&'static Type),
    Stalled(&'static Type),
    Node,
}

fn root(name: &str) -> Option<Root> {
    static ROOTS: LazyLock<HashMap<&'static str, Root>> = LazyLock::new(|| {
        let mut roots = HashMap::from([("node", Root::Node)]);
        for ty in &Model::get().types {
            roots.insert(&ty.singular, Root::One(ty));
            roots.insert(ty.plural, Root::List(ty));
            if ty.table.name == "deals" {
                roots.insert(stalled::FIELD, Root::Stalled(ty));
            }
        }
        roots
    });
    ROOTS.get(name).copied()
}

impl OutputType for Graph {
    fn type_name() -> Cow<'static, str> {
        "Graph".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.types.entry("Graph".into()).or_insert_with(|| types::object("Graph", "", IndexMap::new()));
        change::register(registry);
        let fields = types::register(registry);
        registry.types.insert("Graph".into(), types::object("Graph", "", fields));
        Self::qualified_type_name()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        async_graphql::resolver_utils::resolve_container(ctx, self).await
    }
}

impl ContainerType for Graph {
    /// None of these: they are answered before async-graphql is asked (see `execute`).
    async fn resolve_field(&self, _: &Context<'_>) -> ServerResult<Option<Value>> {
        Ok(None)
    }
}

impl ObjectType for Graph {}

/// The plan of a field of the root, if the model has it, with the id of the row that it finds, if that is one.
pub(crate) fn planned(
    bound: &Bound<'_>,
    planner: &Planner<'_>,
    selected: &Selected<'_>,
) -> Option<Result<(Fetch, Option<Id>)>> {
    let root = root(selected.name())?;
    let plan = || {
        let arguments = planner.arguments(selected)?;
        match root {
            Root::List(ty) => Ok((planner.list(ty, None, selected)?, None)),
            Root::Stalled(ty) => Ok((planner.list(ty, Some(stalled::filter(ty, &arguments)?), selected)?, None)),
            Root::One(ty) => {
                let id = match arguments.get("id") {
                    Some(Value::String(id)) => id.parse().map_err(|_| Error::invalid("id", "This is no UUID."))?,
                    _ => return Err(Error::invalid("id", "An id is needed.")),
                };
                let id = match bound.operation().only_here(selected.field, "id") {
                    Some(name) => Id::Variable(name.into()),
                    None => Id::Given(id),
                };
                Ok((planner.one(ty, &selected.sets)?, Some(id)))
            }
            Root::Node => {
                let (ty, id) = match arguments.get("nodeId") {
                    Some(Value::String(id)) => node::decode(id)?,
                    _ => return Err(Error::invalid("nodeId", "A nodeId is needed.")),
                };
                Ok((planner.one(ty, &selected.sets)?, Some(Id::Given(id))))
            }
        }
    };
    Some(plan())
}

/// Whether this is the argument of a field of the root by which one row is found, whatever its value.
pub(crate) fn is_id(field: &str, argument: &str) -> bool {
    argument == "id" && matches!(root(field), Some(Root::One(_)))
}

/// The plans of rows that hand-written resolvers return, by the response keys that lead to them.
#[derive(Default)]
pub(crate) struct Plans(HashMap<Vec<String>, Fetch>);

impl Plans {
    /// Plans all rows that are selected below a field of the root.
    pub(crate) fn add(&mut self, planner: &Planner<'_>, selected: &Selected<'_>) -> Result<()> {
        self.add_under(planner, selected, &mut Vec::new())
    }

    fn add_under(&mut self, planner: &Planner<'_>, selected: &Selected<'_>, path: &mut Vec<String>) -> Result<()> {
        path.push(selected.key.to_owned());
        match Model::get().by_name(selected.ty()) {
            Some(ty) => _ = self.0.insert(path.clone(), planner.one(ty, &selected.sets)?),
            None if selected.sets.iter().all(|set| set.selections.is_empty()) => {}
            None => {
                for inner in planner.collect(&selected.sets, selected.ty())? {
                    self.add_under(planner, &inner, path)?;
                }
            }
        }
        path.pop();
        Ok(())
    }

    /// The plan of the row that is being resolved.
    fn of(&self, ctx: &ContextSelectionSet<'_>) -> Option<&Fetch> {
        let mut path = Vec::new();
        let mut node = ctx.path_node.as_ref();
        while let Some(step) = node {
            if let QueryPathSegment::Name(name) = step.segment {
                path.push(name.to_owned());
            }
            node = step.parent;
        }
        path.reverse();
        self.0.get(&path)
    }
}

/// JSON as a value that is written out as it is.
fn raw(json: String) -> Value {
    match json.as_str() {
        "null" => Value::Null,
        _ => Value::Object(IndexMap::from([(Name::new(RAW_VALUE_TOKEN), Value::String(json))])),
    }
}

/// A row that a hand-written resolver returns: read in full through the selection, as everything else is.
pub(crate) struct Row<T> {
    id: Uuid,
    reader: Option<Arc<Reader>>,
    ty: PhantomData<T>,
}

impl<T: EntityName + Default> Row<T> {
    /// The type of the graph whose table this is.
    fn ty() -> &'static Type {
        let table = T::default();
        let table = table.table_name();
        Model::get().by_table(table).unwrap_or_else(|| panic!("{table} is not in the graph"))
    }

    /// The row with this id, as the request's actor sees it.
    pub(crate) fn new(id: Uuid) -> Self {
        Self { id, reader: None, ty: PhantomData }
    }

    /// The same, as another session's actor sees it.
    pub(crate) fn seen_by(mut self, reader: Reader) -> Self {
        self.reader = Some(Arc::new(reader));
        self
    }
}

impl<T: EntityName + Default + Send + Sync> OutputType for Row<T> {
    fn type_name() -> Cow<'static, str> {
        Self::ty().name.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        // The type itself comes with the graph; until it is there, a stand-in keeps its place.
        let name = Self::ty().name;
        registry.types.entry(name.into()).or_insert_with(|| types::object(name, "", IndexMap::new()));
        Self::qualified_type_name()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let plans = ctx.data_unchecked::<Arc<Plans>>();
        let reader = self.reader.as_ref().unwrap_or_else(|| ctx.data_unchecked::<Arc<Reader>>());
        let read = async {
            let fetch = plans.of(ctx).ok_or_else(|| Error::internal("a row that was not planned"))?;
            let fetched = reader.fetch_one(fetch, self.id).await?;
            let mut json = Vec::new();
            reader.write(&mut json, fetch, fetched)?;
            String::from_utf8(json).map(raw).map_err(|_| Error::internal("an answer that is not UTF-8"))
        };
        read.await.map_err(|error| {
            ctx.data_unchecked::<Arc<Door>>().fail_together();
            // What led to this row may be committed, and must not be sent again for want of an answer.
            let error = match ctx.data_unchecked::<Arc<Door>>().has_committed() {
                true => error.after_commit(&Self::ty().singular, self.id),
                false => error,
            };
            ctx.set_error_path(at(error, field.pos))
        })
    }
}

/// Whether the registry's entry is a stand-in.
pub(crate) fn is_stand_in(ty: &MetaType) -> bool {
    matches!(ty, MetaType::Object { fields, .. } if fields.is_empty())
}
