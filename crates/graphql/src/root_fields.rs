//! The fields of the root that the model gives: for each type one field by id and one connection, and `node` for all.
//!
//! What they select is planned as a whole and answered by the store as JSON (see `plan`), so no resolver runs per row.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use aether_operation::{Bound, Selected};
use aether_store::{
    Error, Result,
    model::{Model, Type},
    read::plan::Fetch,
};
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
    indexmap::IndexMap, parser::types::Field, registry::Registry,
};
use uuid::Uuid;

use crate::{meta, node, plan::Planner, run, sales::stalled, types};

/// The part of the query root that the model gives.
#[derive(Default)]
pub(crate) struct Fields;

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

impl OutputType for Fields {
    fn type_name() -> Cow<'static, str> {
        "ModelFields".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.types.entry("ModelFields".into()).or_insert_with(|| meta::object("ModelFields", "", IndexMap::new()));
        run::register(registry);
        let fields = types::register(registry);
        registry.types.insert("ModelFields".into(), meta::object("ModelFields", "", fields));
        Self::qualified_type_name()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        async_graphql::resolver_utils::resolve_container(ctx, self).await
    }
}

impl ContainerType for Fields {
    /// None of these: they are answered before async-graphql is asked (see `execute`).
    async fn resolve_field(&self, _: &Context<'_>) -> ServerResult<Option<Value>> {
        Ok(None)
    }
}

impl ObjectType for Fields {}

/// The plan of a field of the root, if the model has it, with the id of the row that it finds, if that is one.
pub(crate) fn planned(
    bound: &Bound<'_>,
    planner: &Planner<'_>,
    selected: &Selected<'_>,
) -> Option<Result<(Fetch, Option<RowId>)>> {
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
                    Some(name) => RowId::Variable(name.into()),
                    None => RowId::Given(id),
                };
                Ok((planner.one(ty, &selected.sets)?, Some(id)))
            }
            Root::Node => {
                let (ty, id) = match arguments.get("nodeId") {
                    Some(Value::String(id)) => node::decode(id)?,
                    _ => return Err(Error::invalid("nodeId", "A nodeId is needed.")),
                };
                Ok((planner.one(ty, &selected.sets)?, Some(RowId::Given(id))))
            }
        }
    };
    Some(plan())
}

/// Whether this is the argument of a field of the root by which one row is found, whatever its value.
pub(crate) fn is_id(field: &str, argument: &str) -> bool {
    argument == "id" && matches!(root(field), Some(Root::One(_)))
}

/// The id of a row that is asked for.
pub(crate) enum RowId {
    /// As it was given.
    Given(Uuid),
    /// The value of this variable, whatever it is this time.
    Variable(Box<str>),
}

impl RowId {
    pub(crate) fn of(&self, bound: &Bound<'_>) -> Result<Uuid> {
        match self {
            Self::Given(id) => Ok(*id),
            Self::Variable(name) => match bound.variable(name) {
                Some(Value::String(id)) => id.parse().map_err(|_| Error::invalid("id", "This is no UUID.")),
                _ => Err(Error::invalid("id", "An id is needed.")),
            },
        }
    }
}
