//! Rows that hand-written resolvers return: planned with the whole operation, and read through the selection as everything else is.

use std::{borrow::Cow, collections::HashMap, marker::PhantomData, sync::Arc};

use aether_operation::Selected;
use aether_store::{
    Error, Result,
    model::{Model, Type},
    read::{Reader, plan::Fetch},
    write::Executor,
};
use async_graphql::{
    ContextSelectionSet, Name, OutputType, Positioned, QueryPathSegment, ServerResult, Value, indexmap::IndexMap,
    parser::types::Field, registry::Registry,
};
use async_graphql_value::RAW_VALUE_TOKEN;
use sea_orm::EntityName;
use uuid::Uuid;

use crate::{error::at, meta, plan::Planner};

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
    Value::Object(IndexMap::from([(Name::new(RAW_VALUE_TOKEN), Value::String(json))]))
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
        registry.types.entry(name.into()).or_insert_with(|| meta::object(name, "", IndexMap::new()));
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
            if json == b"null" {
                // It was there a moment before.
                return Err(Error::NotFound(format!("There is no {} with this id any more.", Self::ty().name)));
            }
            String::from_utf8(json).map(raw).map_err(|_| Error::internal("an answer that is not UTF-8"))
        };
        read.await.map_err(|error| {
            ctx.data_unchecked::<Arc<Executor>>().fail_together();
            // What led to this row may be committed, and must not be sent again for want of an answer.
            let error = match ctx.data_unchecked::<Arc<Executor>>().has_committed() {
                true => error.after_commit(&Self::ty().singular, self.id),
                false => error,
            };
            ctx.set_error_path(at(error, field.pos))
        })
    }
}
