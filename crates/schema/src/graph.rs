//! The root of the graph: for each type one field by id and one connection, and `node` for all.
//!
//! async-graphql validates, introspects and dispatches; from a root field down, the selection is planned as a whole and
//! its answer comes from the store as JSON (see `plan`), so no resolver runs per row.

use std::{
    borrow::Cow,
    collections::HashMap,
    marker::PhantomData,
    sync::{Arc, LazyLock},
};

use aether_store::{
    Error, Result,
    model::{Model, Type},
    read::{Reader, plan::Fetch},
};
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, Name, ObjectType, OutputType, Positioned, ServerResult, Value,
    indexmap::IndexMap,
    parser::types::{Field, OperationType},
    registry::{MetaType, Registry},
};
use async_graphql_value::RAW_VALUE_TOKEN;
use parking_lot::Mutex;
use sea_orm::EntityName;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    change,
    error::at,
    node,
    plan::Planner,
    sales::stalled,
    selection::{Selected, collect},
    types,
};

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
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let Some(root) = root(ctx.item.node.name.node.as_str()) else { return Ok(None) };
        let answer = ctx.data_unchecked::<Answers>().of(ctx.item.node.response_key().node.as_str());
        let answer = answer.get_or_init(|| resolve_root(ctx, root)).await.clone();
        // Every root field may be null, so that one which fails leaves the others' answers whole.
        Ok(Some(answer.unwrap_or_else(|error| {
            ctx.add_error(ctx.set_error_path(at(error, ctx.item.pos)));
            Value::Null
        })))
    }
}

impl ObjectType for Graph {}

/// The answers of one request by response key: a key that stands in several places of the root is answered once.
#[derive(Default)]
pub(crate) struct Answers(Mutex<HashMap<String, Arc<OnceCell<Result<Value>>>>>);

impl Answers {
    fn of(&self, key: &str) -> Arc<OnceCell<Result<Value>>> {
        self.0.lock().entry(key.to_owned()).or_default().clone()
    }
}

async fn resolve_root(ctx: &Context<'_>, root: Root) -> Result<Value> {
    let env = ctx.query_env;
    let key = ctx.item.node.response_key().node.as_str();
    // The same response key may stand in several places of the root; all are read as one.
    let selected = match env.operation.node.ty {
        OperationType::Query => collect(env, &[&env.operation.node.selection_set.node], "Query")?
            .into_iter()
            .find(|selected| selected.key == key),
        _ => None,
    }
    .unwrap_or(Selected { key, field: ctx.item, sets: vec![&ctx.item.node.selection_set.node] });
    let planner = Planner::new(ctx);
    let fetch = match root {
        Root::List(ty) => planner.list(ty, None, &selected)?,
        Root::Stalled(ty) => planner.list(ty, Some(stalled::filter(ty, &selected.arguments(env))?), &selected)?,
        Root::One(ty) => {
            let id = match selected.arguments(env).get("id") {
                Some(Value::String(id)) => id.parse().map_err(|_| Error::invalid("id", "This is no UUID."))?,
                _ => return Err(Error::invalid("id", "An id is needed.")),
            };
            planner.one(ty, id, &selected.sets)?
        }
        Root::Node => {
            let (ty, id) = match selected.arguments(env).get("nodeId") {
                Some(Value::String(id)) => node::decode(id)?,
                _ => return Err(Error::invalid("nodeId", "A nodeId is needed.")),
            };
            planner.one(ty, id, &selected.sets)?
        }
    };
    fetched(ctx.data_unchecked::<Arc<Reader>>(), &fetch).await
}

/// The answer as a value that is written out as it is.
async fn fetched(reader: &Reader, fetch: &Fetch) -> Result<Value> {
    let json = reader.fetch(fetch).await?;
    Ok(match json.as_str() {
        "null" => Value::Null,
        _ => Value::Object(IndexMap::from([(Name::new(RAW_VALUE_TOKEN), Value::String(json))])),
    })
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
        let resolve = async || {
            let planner = Planner::new(ctx);
            let fetch = planner.one(Self::ty(), self.id, &[&ctx.item.node])?;
            let reader = self.reader.as_ref().unwrap_or_else(|| ctx.data_unchecked::<Arc<Reader>>());
            fetched(reader, &fetch).await
        };
        resolve().await.map_err(|error| ctx.set_error_path(at(error, field.pos)))
    }
}

/// Whether the registry's entry is a stand-in.
pub(crate) fn is_stand_in(ty: &MetaType) -> bool {
    matches!(ty, MetaType::Object { fields, .. } if fields.is_empty())
}
