//! Plans that are kept: an operation that came before, with the same variables, is neither planned again nor is its SQL written
//! again.
//!
//! The key is the operation and its variables as they were coerced, but for those that are nothing but the id of a row that the
//! root finds: all its lookups share one plan.

use std::{fmt::Write, sync::Arc};

use aether_operation::Bound;
use quick_cache::{Weighter, sync::Cache};

use crate::{execute::Planned, root_fields};

/// How many bytes of memory kept plans may take, about.
const BYTES: u64 = 64 * 1024 * 1024;
/// How many bytes of memory a byte of a document becomes when it is planned and its SQL is written, about.
const GROWTH: usize = 24;
/// About how many plans are kept. The cache has parts of 32 plans at least, and keeps nothing larger than a part.
const EXPECTED: usize = 128;
/// The longest variables of which a plan is kept.
const LONGEST: usize = 4 * 1024;

/// The plans.
pub(crate) struct Kept(Cache<Key, Arc<Planned>, Weight>);

/// What a kept plan weighs: its memory in bytes, about.
#[derive(Clone)]
struct Weight;

impl Weighter<Key, Arc<Planned>> for Weight {
    fn weight(&self, key: &Key, _: &Arc<Planned>) -> u64 {
        u64::try_from(key.size.saturating_mul(GROWTH).saturating_add(key.variables.len())).unwrap_or(u64::MAX)
    }
}

/// What a plan depends on.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    document: u64,
    size: usize,
    operation: Option<Box<str>>,
    variables: Box<str>,
}

impl Key {
    /// The key of an operation; none where it is not worth keeping.
    pub(crate) fn of(bound: &Bound<'_>) -> Option<Self> {
        let operation = bound.operation();
        let free: Vec<_> = operation
            .root_fields()
            .filter(|field| root_fields::is_id(&field.name, "id"))
            .filter_map(|field| operation.only_here(field, "id"))
            .collect();
        let mut variables = String::new();
        for (name, value) in bound.variables() {
            if !free.contains(&name) {
                _ = write!(variables, "{name}:{value},");
            }
            if variables.len() > LONGEST {
                return None;
            }
        }
        let name = operation.name().map(Into::into);
        Some(Self {
            document: operation.document(),
            size: operation.size(),
            operation: name,
            variables: variables.into(),
        })
    }
}

impl Kept {
    pub(crate) fn new() -> Self {
        Self(Cache::with_weighter(EXPECTED, BYTES, Weight))
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Planned>> {
        self.0.get(key)
    }

    pub(crate) fn keep(&self, key: Key, planned: Arc<Planned>) {
        self.0.insert(key, planned);
    }
}
