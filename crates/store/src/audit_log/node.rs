//! The stored hashes of complete subtrees: leaves and inner nodes alike.

use std::collections::HashMap;

use aether_entity::catalog::Kind;
use uuid::Uuid;

use super::{
    hash, number,
    tree::{Hash, Part, Subtree, fold},
};
use crate::{
    error::{Error, Result},
    rows::{Row, Rows},
    sql::Sql,
};

/// Hashes by tree and subtree.
#[derive(Default)]
pub(super) struct Nodes(HashMap<(Uuid, Subtree), Hash>);

impl Nodes {
    /// The statement that finds the hashes of these subtrees of these trees.
    pub(super) fn find(subtrees: impl IntoIterator<Item = (Uuid, Subtree)>) -> Sql {
        let (mut leaf_trees, mut leaves) = (Vec::new(), Vec::new());
        let (mut trees, mut levels, mut indexes) = (Vec::new(), Vec::new(), Vec::new());
        for (tree, subtree) in subtrees {
            if subtree.level == 0 {
                leaf_trees.push(tree);
                leaves.push(subtree.index.to_string());
            } else {
                trees.push(tree);
                levels.push(subtree.level.to_string());
                indexes.push(subtree.index.to_string());
            }
        }
        let mut sql = Sql::new();
        sql.push("SELECT l.tree_id, 0 AS level, l.leaf_index AS place, l.leaf_hash AS hash FROM unnest(");
        sql.uuids(leaf_trees).push(", ").values(Kind::BigInt, leaves);
        sql.push(") AS w(tree, place) JOIN audit_leaves l ON l.tree_id = w.tree AND l.leaf_index = w.place UNION ALL ");
        sql.push("SELECT n.tree_id, n.level::integer, n.node_index, n.hash FROM unnest(");
        sql.uuids(trees).push(", ").values(Kind::Int, levels).push(", ").values(Kind::BigInt, indexes);
        sql.push(") AS w(tree, level, place) JOIN audit_nodes n ON n.tree_id = w.tree AND n.level = w.level AND n.node_index = w.place");
        sql
    }

    /// What the statement found.
    pub(super) fn found(rows: &Rows) -> Result<Self> {
        let node = |row: Row<'_>| {
            let level: i32 = row.get("level")?;
            let level = u8::try_from(level).map_err(|_| Error::internal("a node of the audit log out of bounds"))?;
            let subtree = Subtree { level, index: number(row, "place")? };
            Ok(((row.get("tree_id")?, subtree), hash(row, "hash")?))
        };
        Ok(Self(rows.iter().map(node).collect::<Result<_>>()?))
    }

    /// The hash of a subtree, where it was found.
    pub(super) fn get(&self, tree: Uuid, subtree: Subtree) -> Option<&Hash> {
        self.0.get(&(tree, subtree))
    }

    /// The hashes of a part's subtrees; none unless all were found.
    pub(super) fn hashes(&self, tree: Uuid, part: &Part) -> Option<Vec<Hash>> {
        part.iter().map(|subtree| self.get(tree, *subtree).copied()).collect()
    }

    /// The hash over a part.
    pub(super) fn fold(&self, tree: Uuid, part: &Part) -> Result<Hash> {
        let hashes = self.hashes(tree, part);
        let hashes = hashes
            .ok_or_else(|| Error::internal("a node of the audit log is missing: run `aether-nexus verify-audit`"))?;
        Ok(fold(&hashes))
    }
}
