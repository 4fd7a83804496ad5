//! What is not in the tree: rows that wait to be sealed, and rows that should.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use uuid::Uuid;

use super::finding::{AuditRow, Problem};
use crate::{
    audit_log::{entry, number},
    database::Transaction,
    error::{Error, Result},
};

/// What a statement that counts gives.
pub(super) async fn count(transaction: &Transaction, sql: &str) -> Result<u64> {
    counted(transaction, Statement::from_string(DbBackend::Postgres, sql)).await
}

/// How many inner nodes a tree has.
pub(super) async fn nodes(transaction: &Transaction, tree: Uuid) -> Result<u64> {
    let sql = "SELECT count(*) FROM audit_nodes WHERE tree_id = $1";
    counted(transaction, Statement::from_sql_and_values(DbBackend::Postgres, sql, [tree.into()])).await
}

async fn counted(transaction: &Transaction, statement: Statement) -> Result<u64> {
    let rows = transaction.rows(statement).await?;
    number(rows.first().ok_or_else(|| Error::internal("a count without a row"))?, "count")
}

/// How many rows wait to be sealed.
pub(super) async fn pending(transaction: &Transaction) -> Result<u64> {
    count(transaction, "SELECT count(*) FROM audit_pending").await
}

/// The first row that is neither sealed in its tree nor pending, or pending and gone. A row and its note are written by one
/// transaction, so one snapshot has both or none.
pub(super) async fn unsealed(transaction: &Transaction) -> Result<Option<Problem>> {
    for source in entry::SOURCES {
        let beside = |table: &str, condition: &str| {
            format!(
                "NOT EXISTS (SELECT FROM {table} x WHERE x.row_id = r.id AND x.row_timestamp = r.\"timestamp\" \
                 AND x.source = '{source}'{condition})"
            )
        };
        let sql = format!(
            "SELECT r.id FROM {source} r WHERE {} AND {} ORDER BY r.\"timestamp\", r.id LIMIT 1",
            beside("audit_leaves", &format!(" AND x.tree_id = {}", entry::tree(source, "r"))),
            beside("audit_pending", "")
        );
        if let Some(row) = first(transaction, source, sql).await? {
            return Ok(Some(Problem::RowUnsealed { row }));
        }
        let sql = format!(
            "SELECT p.row_id FROM audit_pending p WHERE p.source = '{source}' AND NOT EXISTS \
             (SELECT FROM {source} r WHERE r.id = p.row_id AND r.\"timestamp\" = p.row_timestamp) \
             ORDER BY p.row_timestamp, p.row_id LIMIT 1"
        );
        if let Some(row) = first(transaction, source, sql).await? {
            return Ok(Some(Problem::PendingMissing { row }));
        }
    }
    Ok(None)
}

async fn first(transaction: &Transaction, source: &str, sql: String) -> Result<Option<AuditRow>> {
    let row = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    row.map(|row| Ok(AuditRow { source: source.to_owned(), id: row.try_get_by_index(0)? })).transpose()
}
