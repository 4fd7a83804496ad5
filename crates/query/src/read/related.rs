//! What hangs off rows, through async-graphql's loader: all that the rows of one level need is asked for at once, and to-one
//! relations of one row that have the same statement are merged into one, so that `submittedByUser { name }`,
//! `approvedByUser { name }` and `createdByUser { name }` cost one.
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
use uuid::Uuid;

use crate::{
    actor::Actor,
    database::{Connections, Statement},
    error::{Error, Result},
    rows::Rows,
};

/// Rows that are wanted: by which statement, and for which keys. Each is one of its kind.
#[derive(Clone)]
pub(super) struct Lookup {
    /// Its number, different for each.
    pub(super) id: usize,
    pub(super) statement: Arc<Statement>,
    pub(super) keys: Arc<[Uuid]>,
    pub(super) actor: Arc<Actor>,
    /// The node of the plan off which it hangs: the same number for all its siblings.
    pub(super) parent: usize,
    /// Whether a key has many.
    pub(super) many: bool,
}

impl PartialEq for Lookup {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Lookup {}

impl Hash for Lookup {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.id);
    }
}

/// What was found: the rows, and for to-one relations the place of each key's row.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) rows: Arc<Rows>,
    pub(super) by_key: Arc<HashMap<Uuid, u32>>,
}

/// Finds rows by keys: the one loader for every primary and foreign key.
pub(super) struct ByKey(pub(super) Connections);

/// Lookups that are one statement.
struct Merged<'a> {
    first: &'a Lookup,
    keys: Arc<[Uuid]>,
    ids: Vec<usize>,
}

impl Loader<Lookup> for ByKey {
    type Value = Found;
    type Error = Error;

    async fn load(&self, lookups: &[Lookup]) -> Result<HashMap<Lookup, Found>> {
        let mut parents: Vec<Vec<&Lookup>> = Vec::new();
        for lookup in lookups {
            match parents.iter_mut().find(|siblings| siblings.iter().any(|known| known.parent == lookup.parent)) {
                Some(siblings) => siblings.push(lookup),
                None => parents.push(vec![lookup]),
            }
        }
        let found = try_join_all(parents.into_iter().map(|siblings| self.siblings(siblings))).await?;
        let by_id: HashMap<usize, Found> = found.into_iter().flatten().collect();
        let known = |lookup: &Lookup| by_id.get(&lookup.id).map(|found| (lookup.clone(), found.clone()));
        Ok(lookups.iter().filter_map(known).collect())
    }
}

impl ByKey {
    /// What the rows of one node need, at once.
    async fn siblings(&self, mut lookups: Vec<&Lookup>) -> Result<Vec<(usize, Found)>> {
        // In the order of the plan, whichever asked first.
        lookups.sort_unstable_by_key(|lookup| lookup.id);
        let mut all: Vec<Merged<'_>> = Vec::with_capacity(lookups.len());
        for lookup in lookups {
            let same = |merged: &&mut Merged<'_>| {
                !merged.first.many && !lookup.many && merged.first.statement == lookup.statement
            };
            match all.iter_mut().find(same) {
                Some(merged) => {
                    let mut keys = merged.keys.to_vec();
                    keys.extend(lookup.keys.iter());
                    keys.sort_unstable();
                    keys.dedup();
                    merged.keys = keys.into();
                    merged.ids.push(lookup.id);
                }
                None => all.push(Merged { first: lookup, keys: lookup.keys.clone(), ids: vec![lookup.id] }),
            }
        }
        let calls: Vec<_> =
            all.iter().map(|merged| merged.first.statement.call(Some(&merged.first.actor), &merged.keys)).collect();
        let answers = self.0.read(&calls).await?;
        let mut found = Vec::with_capacity(all.len());
        for (merged, rows) in all.iter().zip(answers) {
            let mut by_key = HashMap::new();
            if !merged.first.many {
                by_key.reserve(rows.len());
                for (place, row) in (0..).zip(rows.iter()) {
                    by_key.insert(row.at(0)?, place);
                }
            }
            let one = Found { rows: Arc::new(rows), by_key: Arc::new(by_key) };
            found.extend(merged.ids.iter().map(|id| (*id, one.clone())));
        }
        Ok(found)
    }
}
