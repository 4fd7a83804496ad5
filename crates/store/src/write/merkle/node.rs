//! The stored hashes of complete subtrees: leaves and inner nodes alike.

use std::collections::HashMap;

use aether_entity::catalog::Kind;
use sea_orm::QueryResult;

use super::{
    hash, number,
    tree::{Hash, Part, Subtree, fold},
};
use crate::{
    error::{Error, Result},
    sql::Sql,
};

/// Hashes by subtree.
#[derive(Default)]
pub(super) struct Nodes(HashMap<Subtree, Hash>);

impl Nodes {
    /// The statement that finds the hashes of these subtrees.
    pub(super) fn find(subtrees: impl IntoIterator<Item = Subtree>) -> Sql {
        let (mut leaves, mut levels, mut indexes) = (Vec::new(), Vec::new(), Vec::new());
        for subtree in subtrees {
            if subtree.level == 0 {
                leaves.push(subtree.index.to_string());
            } else {
                levels.push(subtree.level.to_string());
                indexes.push(subtree.index.to_string());
            }
        }
        let mut sql = Sql::new();
        sql.push("SELECT 0 AS level, leaf_index AS place, leaf_hash AS hash FROM audit_leaves WHERE leaf_index = ANY(");
        sql.values(Kind::BigInt, leaves).push(") UNION ALL SELECT n.level::integer, n.node_index, n.hash FROM unnest(");
        sql.values(Kind::Int, levels).push(", ").values(Kind::BigInt, indexes);
        sql.push(") AS w(level, place) JOIN audit_nodes n ON n.level = w.level AND n.node_index = w.place");
        sql
    }

    /// What the statement found.
    pub(super) fn found(rows: &[QueryResult]) -> Result<Self> {
        let node = |row: &QueryResult| {
            let level: i32 = row.try_get("", "level")?;
            let level = u8::try_from(level).map_err(|_| Error::internal("a node of the audit log out of bounds"))?;
            Ok((Subtree { level, index: number(row, "place")? }, hash(row, "hash")?))
        };
        Ok(Self(rows.iter().map(node).collect::<Result<_>>()?))
    }

    /// The hash of a subtree, where it was found.
    pub(super) fn get(&self, subtree: &Subtree) -> Option<&Hash> {
        self.0.get(subtree)
    }

    /// The hashes of a part's subtrees.
    pub(super) fn hashes(&self, part: &Part) -> Result<Vec<Hash>> {
        let found: Option<Vec<_>> = part.iter().map(|subtree| self.get(subtree).copied()).collect();
        found.ok_or_else(|| Error::internal("a node of the audit log is missing: run `aether-nexus verify-audit`"))
    }

    /// The hash over a part.
    pub(super) fn fold(&self, part: &Part) -> Result<Hash> {
        Ok(fold(&self.hashes(part)?))
    }
}
