//! What an auditor asks of a log: its newest head, that a row is in it, that it only grew.
//!
//! The tree holds hashes only, and each row has an id with 74 random bits in it, so no hash tells what a row says. Which
//! leaf belongs to a row is told to those who see the row.

use aether_entity::catalog::Kind;
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
    error::{Error, Result},
    model::{Model, Type},
    scope::condition,
    sql::Sql,
};
use aether_query::{actor::Actor, actors::live};

/// The proof that a row is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The tree: the organization or the workspace whose trail it seals.
    pub tree: Uuid,
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
    /// The newest signed head of the tree of a workspace, or unless said of the actor's organization; none while nothing is
    /// sealed, or when the actor does not see the workspace.
    pub async fn audit_tree_head(&self, actor: &Actor, workspace: Option<Uuid>) -> Result<Option<TreeHead>> {
        let mut sql = Sql::new();
        sql.push("SELECT ").push(head::COLUMNS).push(" FROM audit_tree_heads h WHERE h.tree_id = ");
        match workspace {
            None => sql.uuid(actor.organization_id),
            Some(workspace) => sql.uuid(workspace).push(" AND ").append(&seen("h.tree_id", actor)?),
        };
        sql.push(" AND ").append(&live()).push(" ORDER BY h.tree_size DESC LIMIT 1");
        let rows = self.connections().ask(&sql.for_actor(actor)).await?;
        rows.first().map(TreeHead::read).transpose()
    }

    /// The public keys that signed the newest heads of some organizations' trees.
    pub async fn audit_signers(&self) -> Result<Vec<[u8; 32]>> {
        let mut sql = Sql::new();
        sql.push(
            "SELECT DISTINCT h.public_key FROM (SELECT id FROM organizations ORDER BY created_at, id LIMIT 100) o CROSS JOIN LATERAL \
             (SELECT public_key FROM audit_tree_heads WHERE tree_id = o.id ORDER BY tree_size DESC LIMIT 1) h",
        );
        self.connections().ask(&sql).await?.iter().map(|row| hash(row, "public_key")).collect()
    }

    /// The proof that an audit row is in its tree when that had this size, the newest head's unless said. None for a row that
    /// the actor does not see, or that is not sealed yet.
    ///
    /// # Errors
    /// `Invalid` for a `treeSize` that no head has reached, or that the row is not in.
    pub async fn audit_inclusion_proof(
        &self,
        actor: &Actor,
        id: Uuid,
        tree_size: Option<i64>,
    ) -> Result<Option<InclusionProof>> {
        let rows = self.connections().ask(&leaf(actor, id).for_actor(actor)).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let tree: Uuid = row.get("tree_id")?;
        let (leaf_index, leaf_hash, newest) =
            (number(row, "leaf_index")?, hash(row, "leaf_hash")?, number(row, "newest")?);
        let tree_size = tree_size.map_or(Ok(newest), |size| within("treeSize", size, newest))?;
        if leaf_index >= tree_size {
            let message = format!(
                "The row is not in the tree of {tree_size} rows; its place is {leaf_index}. Ask for a `treeSize` above that."
            );
            return Err(Error::invalid("treeSize", message));
        }
        let (path, root) = (tree::inclusion(leaf_index, tree_size), tree::root(tree_size));
        let nodes = self.nodes(tree, path.iter().chain([&root])).await?;
        let path = path.iter().map(|part| nodes.fold(tree, part)).collect::<Result<_>>()?;
        let content = entry::content(&row.get::<String>("source")?, &row.get::<String>("entry")?);
        let root_hash = nodes.fold(tree, &root)?;
        Ok(Some(InclusionProof { tree, leaf_index, leaf_hash, content, tree_size, path, root_hash }))
    }

    /// The proof that the tree of the second size begins with the leaves of the tree of the first: in the tree of a workspace,
    /// or unless said of the actor's organization.
    ///
    /// # Errors
    /// `Invalid` for sizes that are out of order or that no head has reached; for a workspace that the actor does not see, all.
    pub async fn audit_consistency_proof(
        &self,
        actor: &Actor,
        workspace: Option<Uuid>,
        first: i64,
        second: i64,
    ) -> Result<ConsistencyProof> {
        let head = self.audit_tree_head(actor, workspace).await?;
        let newest = head.as_ref().map_or(0, |head| head.tree_size);
        let second = within("second", second, newest)?;
        let first = within("first", first, newest)?;
        if first > second {
            return Err(Error::invalid("first", "`first` must not be larger than `second`."));
        }
        let tree = head.map(|head| head.tree).unwrap_or_default();
        let (path, roots) = (tree::consistency(first, second), [tree::root(first), tree::root(second)]);
        let nodes = self.nodes(tree, path.iter().chain(&roots)).await?;
        Ok(ConsistencyProof {
            path: path.iter().map(|part| nodes.fold(tree, part)).collect::<Result<_>>()?,
            first_root: nodes.fold(tree, &roots[0])?,
            second_root: nodes.fold(tree, &roots[1])?,
        })
    }

    async fn nodes<'a>(&self, tree: Uuid, parts: impl Iterator<Item = &'a Part>) -> Result<Nodes> {
        let sql = Nodes::find(parts.flatten().map(|subtree| (tree, *subtree)));
        Nodes::found(&self.connections().ask(&sql).await?)
    }
}

/// That the actor sees the workspace of this column.
fn seen(column: &'static str, actor: &Actor) -> Result<Sql> {
    let workspaces =
        Model::get().by_table("workspaces").ok_or_else(|| Error::internal("workspaces are not in the graph"))?;
    let mut sql = Sql::new();
    sql.push("EXISTS (SELECT FROM workspaces w WHERE w.id = ").push(column).push(" AND ");
    sql.append(&condition(workspaces, "w".into(), actor.audience())).push(")");
    Ok(sql)
}

/// The size of a tree, as a client asks for it.
fn within(field: &str, size: i64, newest: u64) -> Result<u64> {
    u64::try_from(size).ok().filter(|size| (1..=newest).contains(size)).ok_or_else(|| {
        let message = match newest {
            0 => {
                "Nothing is sealed yet in this log, or it is not one that you see. A new one takes a second.".to_owned()
            }
            _ => format!("The tree has from 1 to {newest} rows, as many as its newest head."),
        };
        Error::invalid(field, message)
    })
}

/// The leaf of a row that the actor sees, with the content of the row as it is now, and the size of the tree's newest head.
fn leaf(actor: &Actor, id: Uuid) -> Sql {
    let mut sql = Sql::new();
    sql.push(
        "SELECT l.tree_id, l.leaf_index, l.leaf_hash, l.source, r.entry, \
         (SELECT max(h.tree_size) FROM audit_tree_heads h WHERE h.tree_id = l.tree_id) AS newest \
         FROM audit_leaves l CROSS JOIN LATERAL (",
    );
    for (number, ty) in sources().enumerate() {
        sql.push(if number == 0 { "SELECT " } else { " UNION ALL SELECT " })
            .append(&entry::sql("t"))
            .push(" AS entry FROM ");
        sql.push(ty.table.name).push(" t WHERE l.source = ").value(Kind::Text, ty.table.name);
        sql.push(" AND t.id = l.row_id AND t.\"timestamp\" = l.row_timestamp AND ").append(&condition(
            ty,
            "t".into(),
            actor.audience(),
        ));
    }
    sql.push(") AS r WHERE l.row_id = ").uuid(id).push(" AND ").append(&live()).push(" ORDER BY l.leaf_index LIMIT 1");
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
