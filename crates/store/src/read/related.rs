//! To-one relations, through async-graphql's loader: those of one row that have the same shape are merged into one
//! statement, so that `submittedByUser { name }`, `approvedByUser { name }` and `createdByUser { name }` cost one.
//!
//! Relations of different rows are not merged, although they could be when they happen to be asked for at once: how many
//! statements a query takes must not depend on which of its answers comes first.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::Arc,
};

use async_graphql::dataloader::Loader;
use futures::future::try_join_all;
use sea_orm::QueryResult;
use uuid::Uuid;

use crate::{
    database::Database,
    error::{Error, Result},
    sql::Sql,
};

/// A row of an answer; shared, for several parents may refer to it.
pub(super) type Row = Arc<QueryResult>;

/// A statement that lacks only its keys.
#[derive(PartialEq)]
pub(super) struct Shape {
    sql: Sql,
    /// The node of the plan that it hangs off.
    parent: usize,
    hash: u64,
}

impl Shape {
    pub(super) fn new(sql: Sql, parent: usize) -> Self {
        let mut hasher = std::hash::DefaultHasher::new();
        (&sql.text, parent).hash(&mut hasher);
        Self { hash: hasher.finish(), parent, sql }
    }
}

/// One row wanted: by which statement, and its key there.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) shape: Arc<Shape>,
    pub(super) key: Uuid,
}

impl PartialEq for Wanted {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && (Arc::ptr_eq(&self.shape, &other.shape) || self.shape == other.shape)
    }
}

impl Eq for Wanted {}

impl Hash for Wanted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.shape.hash.hash(state);
        self.key.hash(state);
    }
}

/// Finds rows by key: the one loader for every primary and foreign key.
pub(super) struct ByKey(pub(super) Database);

impl Loader<Wanted> for ByKey {
    type Value = Row;
    type Error = Error;

    async fn load(&self, wanted: &[Wanted]) -> Result<HashMap<Wanted, Row>> {
        let mut shapes: Vec<(Arc<Shape>, Vec<Uuid>)> = Vec::new();
        for Wanted { shape, key } in wanted {
            match shapes.iter_mut().find(|(known, _)| Arc::ptr_eq(known, shape) || known == shape) {
                Some((_, keys)) => keys.push(*key),
                None => shapes.push((shape.clone(), vec![*key])),
            }
        }
        let answers = try_join_all(shapes.into_iter().map(|(shape, keys)| async move {
            let mut sql = shape.sql.clone();
            sql.uuids(keys).push(")");
            let rows = self.0.read(&sql).await?;
            Ok::<_, Error>((shape, rows))
        }))
        .await?;
        let mut found = HashMap::with_capacity(wanted.len());
        for (shape, rows) in answers {
            for row in rows {
                let key = row.try_get_by_index::<Uuid>(0)?;
                found.insert(Wanted { shape: shape.clone(), key }, Arc::new(row));
            }
        }
        Ok(found)
    }
}
