//! The order of the clauses, and the traces of one that goes, in the store's own SQL: both concern many rows at once.

#![expect(clippy::disallowed_methods, reason = "all clauses behind a place move by one statement")]

use aether_store::{Error, Result, sql::Sql, write::Change};
use uuid::Uuid;

/// Numbers the clauses of the workspace under change from 1 without gaps, and tells how many have changed their place.
/// That is no edit of theirs. The clause `without` is left alone, and the place `free` is left for it.
pub async fn renumber(c: &Change, without: Option<Uuid>, free: Option<i32>) -> Result<i64> {
    let mut sql = Sql::new();
    sql.push("SELECT renumber_clauses(").uuid(c.entered()?).push(", ");
    match without {
        Some(clause) => sql.uuid(clause),
        None => sql.push("NULL"),
    };
    sql.push(", ");
    match free {
        Some(place) => sql.int(place),
        None => sql.push("NULL"),
    };
    sql.push(")");
    let row = c.run_sql(&sql).await?;
    Ok(row.first().ok_or_else(|| Error::internal("a SELECT without rows"))?.try_get_by_index(0)?)
}

/// Takes a clause that is about to be deleted, and the variables bound in it, out of the dependency graph, with their
/// edges and warnings.
pub async fn remove_from_graph(c: &Change, clause: Uuid) -> Result<()> {
    let mut sql = Sql::new();
    sql.push("DELETE FROM graph_nodes WHERE workspace_id = ").uuid(c.entered()?);
    sql.push(" AND (clause_id = ").uuid(clause);
    sql.push(" OR variable_id IN (SELECT id FROM variables WHERE clause_id = ").uuid(clause).push("))");
    c.run_sql(&sql).await?;
    Ok(())
}
