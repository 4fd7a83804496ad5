//! What imports of metrics have written, kept so that each can be taken back as a whole.

#![expect(clippy::disallowed_methods, reason = "an import is kept by a few statements whatever its length")]

use aether_store::{Error, Result, sql::Sql, write::Change};
use serde_json::Value;
use uuid::Uuid;

use crate::imported::Imported;

/// Keeps what an import has written: each row's id and day, and its values before, which are null for a new one.
pub(super) async fn keep(
    c: &Change,
    import: Uuid,
    source: Option<&str>,
    counts: Imported,
    rows: Vec<Value>,
) -> Result<()> {
    let count = |count: usize| i32::try_from(count).map_err(|_| Error::internal("an import of too many lines"));
    let actor = c.actor();
    let mut sql = Sql::new();
    sql.push(
        "INSERT INTO metric_imports (id, organization_id, source_system, inserted, updated, imported_by) VALUES (",
    );
    sql.uuid(import).push(", ").uuid(actor.organization_id).push(", nullif(").text(source.unwrap_or_default());
    sql.push(", ''), ").int(count(counts.inserted)?).push(", ").int(count(counts.updated)?).push(", ");
    match actor.is_system() {
        true => sql.push("NULL"),
        false => sql.uuid(actor.user_id),
    };
    sql.push(")");
    c.run_sql(&sql).await?;
    let mut sql = Sql::new();
    sql.push("INSERT INTO metric_import_rows (import_id, metric_id, metric_date, before, metric_version) SELECT ")
        .uuid(import);
    sql.push(", m.id, m.metric_date, r.before, m.row_version FROM jsonb_to_recordset(").json(rows.into());
    sql.push(
        ") AS r (metric_id uuid, metric_date date, before jsonb) \
         JOIN financial_metrics m ON m.id = r.metric_id AND m.metric_date = r.metric_date",
    );
    c.run_sql(&sql).await?;
    Ok(())
}
