//! Sealing: what is pending becomes leaves, with the inner nodes that they complete and a signed head, in one transaction.
//!
//! A pending row is seen once its writer has committed and goes once its leaf is there, so none is missed and none is
//! sealed twice, and writers never wait. One gateway seals at a time.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, QueryResult, Statement, Value};
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

/// A pending row with what is hashed of it; nothing where the row is gone.
#[derive(FromQueryResult)]
struct Pending {
    source: String,
    row_id: Uuid,
    /// As text: it may be infinite.
    row_timestamp: String,
    entry: Option<String>,
}

impl Store {
    /// Seals what is pending, unless another gateway does so now, and tells how many rows that were.
    ///
    /// # Errors
    /// `Internal` when the log is not what its newest head says: it was altered, and nothing more is signed.
    pub async fn seal_audit(&self, keys: &Keys) -> Result<u64> {
        let mut sealed = 0;
        loop {
            match seal(self, keys).await? {
                0 => return Ok(sealed),
                rows => sealed += rows,
            }
        }
    }
}

/// Seals one batch and tells how many rows that were.
async fn seal(store: &Store, keys: &Keys) -> Result<u64> {
    let transaction = store.database().begin(crate::write::KEY).await?;
    // A quiet log costs no more than this. The lock is held to the end of the transaction.
    let turn = "SELECT pg_try_advisory_xact_lock(hashtext('seal_audit')) WHERE EXISTS (SELECT FROM audit_pending)";
    let turn = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, turn)).await?;
    if !turn.map(|row| row.try_get_by_index::<bool>(0)).transpose()?.unwrap_or_default() {
        return Ok(0);
    }
    transaction.execute_unprepared(BY_KEY).await?;
    let (mut log, now) = newest(&transaction).await?;
    let first = log.size();
    let (mut rows, mut hashes, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
    for row in pending(&transaction).await? {
        let Some(entry) = &row.entry else { continue };
        let leaf = entry::hash(&row.source, entry);
        log.push(leaf, |subtree, hash| nodes.push((subtree, hash)));
        hashes.push(leaf);
        rows.push(row);
    }
    if rows.is_empty() {
        return Ok(0);
    }
    insert_leaves(&transaction, first, rows, hashes).await?;
    insert_nodes(&transaction, nodes).await?;
    insert_head(&transaction, keys.sign(log.size(), log.root(), now)?).await?;
    let taken = "DELETE FROM audit_pending p USING audit_leaves l WHERE l.leaf_index >= $1 \
                 AND l.row_id = p.row_id AND l.row_timestamp = p.row_timestamp AND l.source = p.source";
    run(&transaction, taken, [bigint(first)?.into()]).await?;
    store.database().commit(transaction).await?;
    Ok(log.size() - first)
}

/// The log as its newest head has it, and the time of the next head: now, but later than the newest.
async fn newest(transaction: &Transaction) -> Result<(Frontier, DateTime<Utc>)> {
    let sql = format!(
        "SELECT date_trunc('milliseconds', greatest(clock_timestamp(), h.sealed_at + interval '1 ms')) AS now, h.* \
         FROM (SELECT) AS one LEFT JOIN (SELECT {} FROM audit_tree_heads ORDER BY tree_size DESC LIMIT 1) AS h ON true",
        head::COLUMNS
    );
    let row = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let row: QueryResult = row.ok_or_else(|| Error::internal("the database does not know the time"))?;
    let now = row.try_get("", "now")?;
    if row.try_get::<Option<i64>>("", "tree_size")?.is_none() {
        return Ok((Frontier::default(), now));
    }
    let head = TreeHead::from_query_result(&row, "")?;
    let root = tree::root(head.tree_size);
    let nodes = transaction.query_all_raw(Nodes::find(root.iter().copied()).statement()).await?;
    let log = Frontier::new(head.tree_size, Nodes::found(&nodes)?.hashes(&root)?);
    if log.root() != head.root_hash {
        return Err(Error::internal(
            "the audit log is not what its newest head says, and is not sealed further: run `aether-nexus verify-audit`",
        ));
    }
    Ok((log, now))
}

/// The oldest pending rows. Those whose row is gone stay pending, for `verify` to name, and must not keep the others waiting.
async fn pending(transaction: &Transaction) -> Result<Vec<Pending>> {
    let mut after: Option<Pending> = None;
    loop {
        let behind =
            if after.is_some() { "WHERE (row_timestamp, row_id, source) > ($1::timestamptz, $2, $3)" } else { "" };
        let sql = format!(
            "WITH oldest AS MATERIALIZED (SELECT source, row_id, row_timestamp FROM audit_pending {behind} \
             ORDER BY row_timestamp, row_id, source LIMIT {BATCH}) \
             SELECT o.source, o.row_id, o.row_timestamp::text, {} AS entry \
             FROM oldest o ORDER BY o.row_timestamp, o.row_id, o.source",
            entry::named_by("o")
        );
        let values = after.map(|last| [last.row_timestamp.into(), last.row_id.into(), last.source.into()]);
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values.into_iter().flatten());
        let rows = transaction.query_all_raw(statement).await?;
        let mut rows = rows.iter().map(|row| Pending::from_query_result(row, "")).collect::<Result<Vec<_>, _>>()?;
        if rows.len() < BATCH || rows.iter().any(|row| row.entry.is_some()) {
            return Ok(rows);
        }
        after = rows.pop();
    }
}

async fn insert_leaves(transaction: &Transaction, first: u64, rows: Vec<Pending>, hashes: Vec<Hash>) -> Result<()> {
    let (mut sources, mut ids, mut timestamps) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        sources.push(row.source);
        ids.push(row.row_id);
        timestamps.push(row.row_timestamp);
    }
    let sql = "INSERT INTO audit_leaves (leaf_index, source, row_id, row_timestamp, leaf_hash) \
               SELECT $1 + n - 1, source, row_id, row_timestamp, leaf_hash \
               FROM unnest($2::text[], $3::uuid[], $4::text[]::timestamptz[], $5::bytea[]) \
               WITH ORDINALITY AS l(source, row_id, row_timestamp, leaf_hash, n)";
    let values = [bigint(first)?.into(), sources.into(), ids.into(), timestamps.into(), bytes(hashes.iter())];
    run(transaction, sql, values).await
}

async fn insert_nodes(transaction: &Transaction, nodes: Vec<(Subtree, Hash)>) -> Result<()> {
    let levels: Vec<i32> = nodes.iter().map(|(subtree, _)| subtree.level.into()).collect();
    let indexes = nodes.iter().map(|(subtree, _)| bigint(subtree.index)).collect::<Result<Vec<_>>>()?;
    let sql = "INSERT INTO audit_nodes (level, node_index, hash) SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bytea[])";
    run(transaction, sql, [levels.into(), indexes.into(), bytes(nodes.iter().map(|(_, hash)| hash))]).await
}

async fn insert_head(transaction: &Transaction, head: TreeHead) -> Result<()> {
    let sql = format!("INSERT INTO audit_tree_heads ({}) VALUES ($1, $2, $3, $4, $5)", head::COLUMNS);
    let values = [
        bigint(head.tree_size)?.into(),
        head.root_hash.to_vec().into(),
        head.sealed_at.into(),
        head.signature.to_vec().into(),
        head.public_key.to_vec().into(),
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
