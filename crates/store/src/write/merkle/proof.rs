//! What an auditor asks of the log: its newest head, that a row is in it, that it only grew.
//!
//! The tree holds hashes only, and each row has an id with 74 random bits in it, so no hash tells what a row says. Which
//! leaf belongs to a row is told to those who see the row.

use aether_entity::catalog::Kind;
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::{
    entry, hash,
    head::{self, TreeHead},
    node::Nodes,
    number,
    tree::{self, Hash, Part},
};
use crate::{
    Store,
    actor::{Actor, live},
    error::{Error, Result},
    model::{Model, Type},
    scope::condition,
    sql::Sql,
};

/// The proof that a row is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The place of the row's leaf.
    pub leaf_index: u64,
    /// The hash of the leaf, as it was sealed.
    pub leaf_hash: Hash,
    /// The content of the row, as it is now.
    pub content: String,
    /// The size of the tree that the proof is for.
    pub tree_size: u64,
    /// The audit path, from the leaf up.
    pub path: Vec<Hash>,
    /// The root that the path leads to.
    pub root_hash: Hash,
}

/// The proof that one tree begins with the leaves of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The hashes, from the leaves up.
    pub path: Vec<Hash>,
    /// The root of the smaller tree.
    pub first_root: Hash,
    /// The root of the larger tree.
    pub second_root: Hash,
}

impl Store {
    /// The newest signed head; none while nothing is sealed.
    pub async fn audit_tree_head(&self) -> Result<Option<TreeHead>> {
        let mut sql = Sql::new();
        sql.push("SELECT ").push(head::COLUMNS).push(" FROM audit_tree_heads ORDER BY tree_size DESC LIMIT 1");
        let rows = self.database().read(&sql).await?;
        Ok(rows.first().map(|row| TreeHead::from_query_result(row, "")).transpose()?)
    }

    /// The proof that an audit row is in the tree of this size, the newest head's unless said. None for a row that the actor
    /// does not see, or that is not sealed yet.
    ///
    /// # Errors
    /// `Invalid` for a `treeSize` that no head has reached, or that the row is not in.
    pub async fn audit_inclusion_proof(
        &self,
        actor: &Actor,
        id: Uuid,
        tree_size: Option<i64>,
    ) -> Result<Option<InclusionProof>> {
        let head = self.audit_tree_head().await?;
        let newest = head.map_or(0, |head| head.tree_size);
        let asked = tree_size.map(|size| within("treeSize", size, newest)).transpose()?;
        let rows = self.database().read(&leaf(actor, id)).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (leaf_index, leaf_hash) = (number(row, "leaf_index")?, hash(row, "leaf_hash")?);
        // Sealed after the head was read: the row's batch has its own.
        if leaf_index >= newest && asked.is_none() {
            return Ok(None);
        }
        let tree_size = asked.unwrap_or(newest);
        if leaf_index >= tree_size {
            let message = format!(
                "The row is not in the tree of {tree_size} rows; its place is {leaf_index}. Ask for a `treeSize` above that."
            );
            return Err(Error::invalid("treeSize", message));
        }
        let (path, root) = (tree::inclusion(leaf_index, tree_size), tree::root(tree_size));
        let nodes = self.nodes(path.iter().chain([&root])).await?;
        let path = path.iter().map(|part| nodes.fold(part)).collect::<Result<_>>()?;
        let content = entry::content(&row.try_get::<String>("", "source")?, &row.try_get::<String>("", "entry")?);
        Ok(Some(InclusionProof { leaf_index, leaf_hash, content, tree_size, path, root_hash: nodes.fold(&root)? }))
    }

    /// The proof that the tree of the second size begins with the leaves of the tree of the first.
    ///
    /// # Errors
    /// `Invalid` for sizes that are out of order or that no head has reached.
    pub async fn audit_consistency_proof(&self, first: i64, second: i64) -> Result<ConsistencyProof> {
        let head = self.audit_tree_head().await?;
        let newest = head.map_or(0, |head| head.tree_size);
        let second = within("second", second, newest)?;
        let first = within("first", first, newest)?;
        if first > second {
            return Err(Error::invalid("first", "`first` must not be larger than `second`."));
        }
        let (path, roots) = (tree::consistency(first, second), [tree::root(first), tree::root(second)]);
        let nodes = self.nodes(path.iter().chain(&roots)).await?;
        Ok(ConsistencyProof {
            path: path.iter().map(|part| nodes.fold(part)).collect::<Result<_>>()?,
            first_root: nodes.fold(&roots[0])?,
            second_root: nodes.fold(&roots[1])?,
        })
    }

    async fn nodes<'a>(&self, parts: impl Iterator<Item = &'a Part>) -> Result<Nodes> {
        let sql = Nodes::find(parts.flatten().copied());
        Nodes::found(&self.database().read(&sql).await?)
    }
}

/// The size of a tree, as a client asks for it.
fn within(field: &str, size: i64, newest: u64) -> Result<u64> {
    u64::try_from(size).ok().filter(|size| (1..=newest).contains(size)).ok_or_else(|| {
        let message = match newest {
            0 => "Nothing is sealed yet. Ask again in a second.".to_owned(),
            _ => format!("A tree has from 1 to {newest} rows, as many as the newest head."),
        };
        Error::invalid(field, message)
    })
}

/// The leaf of a row that the actor sees, with the content of the row as it is now.
fn leaf(actor: &Actor, id: Uuid) -> Sql {
    let mut sql = Sql::new();
    sql.push("SELECT l.leaf_index, l.leaf_hash, l.source, r.entry FROM audit_leaves l CROSS JOIN LATERAL (");
    for (number, ty) in sources().enumerate() {
        sql.push(if number == 0 { "SELECT " } else { " UNION ALL SELECT " })
            .push(&entry::sql("t"))
            .push(" AS entry FROM ");
        sql.push(ty.table.name).push(" t WHERE l.source = ").value(Kind::Text, ty.table.name);
        sql.push(" AND t.id = l.row_id AND t.\"timestamp\" = l.row_timestamp AND ").append(&condition(ty, "t", actor));
    }
    sql.push(") AS r WHERE l.row_id = ")
        .uuid(id)
        .push(" AND ")
        .append(&live(actor))
        .push(" ORDER BY l.leaf_index LIMIT 1");
    sql
}

/// The types whose rows are sealed.
fn sources() -> impl Iterator<Item = &'static Type> {
    entry::SOURCES.iter().filter_map(|source| Model::get().by_table(source))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The content tells every column, so whoever sees the row must be one who may see them all.
    #[test]
    fn nothing_of_an_audit_row_is_masked_or_hidden() {
        assert_eq!(sources().count(), entry::SOURCES.len());
        for ty in sources() {
            assert!(ty.masks.is_empty() && ty.table.columns.iter().all(|column| column.readable), "{}", ty.name);
        }
    }
}
