//! Sealing: what is pending becomes leaves, with the inner nodes that they complete and a signed head, in one transaction.
//!
//! A pending row is seen once its writer has committed and goes once its leaf is there, so none is missed and none is
//! sealed twice, and writers never wait. One gateway seals at a time. A batch takes the oldest rows of all trees.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement, Value};
use uuid::Uuid;

use super::{
    bigint, entry,
    head::{self, Keys, TreeHead},
    node::Nodes,
    tree::{self, Frontier, Hash, Subtree},
};
use crate::{
    Store,
    database::Transaction,
    error::{Error, Result},
};

/// Rows sealed by one transaction at most; an audit row may hold a whole document.
const BATCH: usize = 500;

/// The queue and the leaves are read by their keys, however much there is of them and however old their statistics.
const BY_KEY: &str =
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off";

/// A pending row with its tree and what is hashed of it; nothing where the row is gone.
#[derive(FromQueryResult)]
struct Pending {
    source: String,
    row_id: Uuid,
    /// As text: it may be infinite.
    row_timestamp: String,
    tree: Option<Uuid>,
    entry: Option<String>,
}

/// A tree that a batch appends to.
struct Growing {
    log: Frontier,
    /// The time of its next head: now, but later than that of the newest.
    sealed_at: DateTime<Utc>,
}

/// What a batch adds.
#[derive(Default)]
struct Batch {
    leaves: Vec<(Uuid, u64, Hash, Pending)>,
    nodes: Vec<(Uuid, Subtree, Hash)>,
}

impl Store {
    /// Seals what is pending, unless another gateway does so now, and tells how many rows that were.
    ///
    /// # Errors
    /// `Internal` when a tree is not what its newest head says: it was altered, and nothing more of it is signed. What belongs to
    /// the others is sealed nevertheless.
    pub async fn seal_audit(&self, keys: &Keys) -> Result<u64> {
        let (mut sealed, mut altered) = (0, BTreeSet::new());
        loop {
            match seal(self, keys, &mut altered).await? {
                0 if altered.is_empty() => return Ok(sealed),
                0 => break,
                rows => sealed += rows,
            }
        }
        let trees = altered.iter().map(Uuid::to_string).collect::<Vec<_>>().join(", ");
        tracing::error!(trees, "these audit logs are not what their newest heads say, and are not sealed further");
        Err(Error::internal("an audit log was altered: run `aether-nexus verify-audit`"))
    }
}

/// Seals one batch and tells how many rows that were. Notes trees that were altered, and leaves out what belongs to them.
async fn seal(store: &Store, keys: &Keys, altered: &mut BTreeSet<Uuid>) -> Result<u64> {
    let transaction = store.database().begin(crate::write::KEY).await?;
    // A quiet log costs no more than this. The lock is held to the end of the transaction.
    let turn = "SELECT pg_try_advisory_xact_lock(hashtext('seal_audit')) WHERE EXISTS (SELECT FROM audit_pending)";
    let turn = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, turn)).await?;
    if !turn.map(|row| row.try_get_by_index::<bool>(0)).transpose()?.unwrap_or_default() {
        return Ok(0);
    }
    transaction.execute_unprepared(BY_KEY).await?;
    let mut trees = BTreeMap::new();
    let mut batch = Batch::default();
    let mut after = None;
    while batch.leaves.is_empty() {
        let Some(rows) = pending(&transaction, after.take()).await? else { return Ok(0) };
        after = rows.last().map(|last| (last.row_timestamp.clone(), last.row_id, last.source.clone()));
        let met: BTreeSet<_> = rows.iter().filter_map(|row| row.tree).filter(|tree| !altered.contains(tree)).collect();
        trees = newest(&transaction, &met, altered).await?;
        for row in rows {
            let (Some(tree), Some(entry)) = (row.tree, &row.entry) else { continue };
            let Some(Growing { log, .. }) = trees.get_mut(&tree) else { continue };
            let leaf = entry::hash(&row.source, entry);
            let place = log.size();
            log.push(leaf, |subtree, hash| batch.nodes.push((tree, subtree, hash)));
            batch.leaves.push((tree, place, leaf, row));
        }
    }
    let grown: BTreeSet<_> = batch.leaves.iter().map(|(tree, ..)| *tree).collect();
    let heads = trees.into_iter().filter(|(tree, _)| grown.contains(tree));
    let heads = heads.map(|(tree, Growing { log, sealed_at })| keys.sign(tree, log.size(), log.root(), sealed_at));
    let heads = heads.collect::<Result<Vec<_>>>()?;
    let sealed = batch.leaves.len() as u64;
    insert_leaves(&transaction, batch.leaves).await?;
    insert_nodes(&transaction, batch.nodes).await?;
    insert_heads(&transaction, heads).await?;
    store.database().commit(transaction).await?;
    Ok(sealed)
}

/// These trees as their newest heads have them, but for those that were altered, which are noted.
async fn newest(
    transaction: &Transaction,
    trees: &BTreeSet<Uuid>,
    altered: &mut BTreeSet<Uuid>,
) -> Result<BTreeMap<Uuid, Growing>> {
    let trees: Vec<_> = trees.iter().copied().collect();
    let sql = format!(
        "SELECT t.tree, date_trunc('milliseconds', greatest(clock_timestamp(), h.sealed_at + interval '1 ms')) AS now, h.* \
         FROM unnest($1::uuid[]) AS t(tree) LEFT JOIN LATERAL \
         (SELECT {} FROM audit_tree_heads h WHERE h.tree_id = t.tree ORDER BY tree_size DESC LIMIT 1) AS h ON true",
        head::COLUMNS
    );
    let rows = transaction.rows(Statement::from_sql_and_values(DbBackend::Postgres, sql, [trees.into()])).await?;
    let mut newest = Vec::with_capacity(rows.len());
    for row in rows.iter() {
        let head = row.get::<Option<i64>>("tree_size")?.map(|_| TreeHead::read(row)).transpose()?;
        newest.push((row.get::<Uuid>("tree")?, row.get::<DateTime<Utc>>("now")?, head));
    }
    let edges = newest.iter().filter_map(|(tree, _, head)| Some((*tree, tree::root(head.as_ref()?.tree_size))));
    let edges = edges.flat_map(|(tree, root)| root.into_iter().map(move |subtree| (tree, subtree)));
    let nodes = Nodes::found(&transaction.rows(Nodes::find(edges).statement()?).await?)?;
    let mut growing = BTreeMap::new();
    for (tree, sealed_at, head) in newest {
        let log = match head {
            None => Some(Frontier::default()),
            Some(head) => nodes
                .hashes(tree, &tree::root(head.tree_size))
                .map(|edge| Frontier::new(head.tree_size, edge))
                .filter(|log| log.root() == head.root_hash),
        };
        match log {
            Some(log) => drop(growing.insert(tree, Growing { log, sealed_at })),
            None => drop(altered.insert(tree)),
        }
    }
    Ok(growing)
}

/// The oldest pending rows behind this one; none where there are no more. Rows that are gone stay pending, for `verify` to name,
/// as do those of an altered tree: the others must not wait for them.
async fn pending(transaction: &Transaction, after: Option<(String, Uuid, String)>) -> Result<Option<Vec<Pending>>> {
    let behind = if after.is_some() { "WHERE (row_timestamp, row_id, source) > ($1::timestamptz, $2, $3)" } else { "" };
    let sql = format!(
        "WITH oldest AS MATERIALIZED (SELECT source, row_id, row_timestamp FROM audit_pending {behind} \
         ORDER BY row_timestamp, row_id, source LIMIT {BATCH}) \
         SELECT o.source, o.row_id, o.row_timestamp::text, {} AS tree, {} AS entry \
         FROM oldest o ORDER BY o.row_timestamp, o.row_id, o.source",
        entry::tree_of_named("o"),
        entry::named_by("o")
    );
    let values = after.map(|(timestamp, id, source)| [timestamp.into(), id.into(), source.into()]);
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values.into_iter().flatten());
    let rows = transaction.query_all_raw(statement).await?;
    let rows = rows.iter().map(|row| Pending::from_query_result(row, "")).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(rows).filter(|rows| !rows.is_empty()))
}

/// Adds leaves, and takes their rows from the queue.
async fn insert_leaves(transaction: &Transaction, leaves: Vec<(Uuid, u64, Hash, Pending)>) -> Result<()> {
    let (mut trees, mut places, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut sources, mut ids, mut timestamps) = (Vec::new(), Vec::new(), Vec::new());
    for (tree, place, hash, row) in leaves {
        trees.push(tree);
        places.push(bigint(place)?);
        hashes.push(hash);
        sources.push(row.source);
        ids.push(row.row_id);
        timestamps.push(row.row_timestamp);
    }
    let rows: [Value; 3] = [sources.into(), ids.into(), timestamps.into()];
    let sql = "INSERT INTO audit_leaves (source, row_id, row_timestamp, tree_id, leaf_index, leaf_hash) \
               SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[]::timestamptz[], $4::uuid[], $5::bigint[], $6::bytea[])";
    let values = rows.iter().cloned().chain([trees.into(), places.into(), bytes(hashes.iter())]);
    run(transaction, sql, values).await?;
    let sql = "DELETE FROM audit_pending p USING unnest($1::text[], $2::uuid[], $3::text[]::timestamptz[]) AS s(source, id, at) \
               WHERE p.row_timestamp = s.at AND p.row_id = s.id AND p.source = s.source";
    run(transaction, sql, rows).await
}

async fn insert_nodes(transaction: &Transaction, nodes: Vec<(Uuid, Subtree, Hash)>) -> Result<()> {
    let trees: Vec<_> = nodes.iter().map(|(tree, ..)| *tree).collect();
    let levels: Vec<i32> = nodes.iter().map(|(_, subtree, _)| subtree.level.into()).collect();
    let indexes = nodes.iter().map(|(_, subtree, _)| bigint(subtree.index)).collect::<Result<Vec<_>>>()?;
    let sql = "INSERT INTO audit_nodes (tree_id, level, node_index, hash) \
               SELECT * FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::bytea[])";
    let hashes = bytes(nodes.iter().map(|(.., hash)| hash));
    run(transaction, sql, [trees.into(), levels.into(), indexes.into(), hashes]).await
}

async fn insert_heads(transaction: &Transaction, heads: Vec<TreeHead>) -> Result<()> {
    let sql = format!(
        "INSERT INTO audit_tree_heads ({}) SELECT * FROM \
         unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::timestamptz[], $5::bytea[], $6::bytea[])",
        head::COLUMNS
    );
    let sizes = heads.iter().map(|head| bigint(head.tree_size)).collect::<Result<Vec<_>>>()?;
    let values = [
        heads.iter().map(|head| head.tree).collect::<Vec<_>>().into(),
        sizes.into(),
        bytes(heads.iter().map(|head| &head.root_hash)),
        heads.iter().map(|head| head.sealed_at).collect::<Vec<_>>().into(),
        heads.iter().map(|head| head.signature.to_vec()).collect::<Vec<_>>().into(),
        bytes(heads.iter().map(|head| &head.public_key)),
    ];
    run(transaction, &sql, values).await
}

fn bytes<'a>(hashes: impl Iterator<Item = &'a Hash>) -> Value {
    hashes.map(|hash| hash.to_vec()).collect::<Vec<_>>().into()
}

async fn run(transaction: &Transaction, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<()> {
    transaction.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
    Ok(())
}
