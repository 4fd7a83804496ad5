//! Imports of metrics, kept so that each can be taken back as a whole; and metrics deleted by themselves.

#![expect(clippy::disallowed_methods, reason = "an import is taken back by a few statements whatever its length")]

use aether_entity::metric_imports;
use aether_store::{
    Error, Result,
    sql::Sql,
    write::{Change, MOST_LISTED, UseCase, action},
};
use sea_orm::Set;
use serde_json::{Value, json};
use uuid::Uuid;

use super::metric_series;
use crate::reason::Reason;

/// How many metrics may be deleted at once.
const MOST_DELETED: usize = 500;

/// Takes an import back: what was new is deleted, what was changed is as it was. All of it, or nothing where something of it has been
/// changed since.
pub fn undo(id: Uuid, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::UNDO_METRIC_IMPORT, move |c| {
        Box::pin(async move {
            reason.demand(c)?;
            metric_series::lock(c).await?;
            let import = c.find::<metric_imports::Entity>(id).await?;
            c.about::<metric_imports::Entity>(id);
            if import.undone_at.is_some() {
                return Err(Error::Precondition("This import has been taken back already.".into()));
            }
            refuse_changed(c, id).await?;
            let deleted = restore(c, id, true).await?;
            let restored = restore(c, id, false).await?;
            hand_back(c, id).await?;
            note(c, "deleted", &deleted);
            note(c, "restored", &restored);
            c.update(import, |import| {
                import.undone_at = Set(Some(c.now()));
                import.undone_by = Set(Some(c.actor().user_id));
            })
            .await?;
            let summary = json!({ "importId": id, "deleted": deleted.len(), "restored": restored.len() });
            c.announce("metric", c.actor().organization_id, "import_undone", summary);
            Ok(id)
        })
    })
}

/// Refuses an import of which something has been changed since.
async fn refuse_changed(c: &Change, import: Uuid) -> Result<()> {
    let mut sql = Sql::new();
    sql.push(
        "SELECT count(*) FILTER (WHERE m.row_version IS DISTINCT FROM r.metric_version) AS changed, count(*) AS of_all \
         FROM metric_import_rows r LEFT JOIN financial_metrics m ON m.id = r.metric_id AND m.metric_date = r.metric_date \
         WHERE r.import_id = ",
    )
    .uuid(import);
    let rows = c.run_sql(&sql).await?;
    let row = rows.first().ok_or_else(|| Error::internal("a count without a row"))?;
    let (changed, all): (i64, i64) = (row.try_get("", "changed")?, row.try_get("", "of_all")?);
    if changed > 0 {
        return Err(Error::Precondition(format!(
            "{changed} of the {all} values of this import have been changed or deleted since. Take later imports back first, or \
             correct the values by another import."
        )));
    }
    Ok(())
}

/// Deletes the new rows of an import, or restores the others, and tells which they were.
async fn restore(c: &Change, import: Uuid, new: bool) -> Result<Vec<Value>> {
    let organization = c.actor().organization_id;
    let mut sql = Sql::new();
    sql.push(if new {
        "DELETE FROM financial_metrics m USING metric_import_rows r "
    } else {
        "UPDATE financial_metrics m SET actual_value = b.actual_value, forecast_value = b.forecast_value, \
         budget_value = b.budget_value, confidence_lower = b.confidence_lower, confidence_upper = b.confidence_upper, \
         forecast_model = b.forecast_model, currency = b.currency, source_system = b.source_system \
         FROM metric_import_rows r CROSS JOIN LATERAL jsonb_populate_record(NULL::financial_metrics, r.before) b "
    });
    sql.push("WHERE r.before IS ").push(if new { "NULL" } else { "NOT NULL" }).push(" AND r.import_id = ").uuid(import);
    sql.push(" AND m.id = r.metric_id AND m.metric_date = r.metric_date AND m.organization_id = ").uuid(organization);
    sql.push(" RETURNING ").push(SHOWN);
    shown(c, &sql).await
}

/// Lets the import before be taken back, too: what it has written stands again, if under another version.
async fn hand_back(c: &Change, import: Uuid) -> Result<()> {
    let mut sql = Sql::new();
    sql.push(
        "UPDATE metric_import_rows b SET metric_version = m.row_version \
         FROM metric_import_rows r JOIN financial_metrics m ON m.id = r.metric_id AND m.metric_date = r.metric_date \
         WHERE r.before IS NOT NULL AND b.metric_id = r.metric_id AND b.metric_date = r.metric_date AND b.import_id <> r.import_id \
         AND b.metric_version = r.metric_version - 1 AND r.import_id = ",
    )
    .uuid(import);
    c.run_sql(&sql).await?;
    Ok(())
}

/// A row as the audit trail shows it.
const SHOWN: &str = "jsonb_strip_nulls(jsonb_build_object('id', m.id, 'metricDate', m.metric_date, 'metricType', m.metric_type, \
     'region', m.region, 'lob', m.lob, 'product', m.product, 'actualValue', m.actual_value::text, \
     'forecastValue', m.forecast_value::text, 'budgetValue', m.budget_value::text, 'currency', m.currency)) AS shown";

async fn shown(c: &Change, sql: &Sql) -> Result<Vec<Value>> {
    let rows = c.run_sql(sql).await?;
    Ok(rows.iter().map(|row| row.try_get("", "shown")).collect::<Result<_, _>>()?)
}

fn note(c: &Change, name: &str, rows: &[Value]) {
    if rows.is_empty() {
        return;
    }
    let (listed, counted) = (rows.iter().take(MOST_LISTED).cloned().collect::<Vec<_>>(), rows.len());
    c.note(name, json!({ "count": counted, "rows": listed }));
}

/// Deletes metrics, and tells how many.
pub fn delete(ids: Vec<Uuid>, reason: Reason) -> UseCase<usize> {
    UseCase::new(&action::DELETE_METRICS, move |c| {
        Box::pin(async move {
            reason.demand(c)?;
            let mut wanted = ids.clone();
            wanted.sort_unstable();
            wanted.dedup();
            if wanted.is_empty() || wanted.len() > MOST_DELETED {
                return Err(Error::invalid("ids", format!("Name 1 to {MOST_DELETED} metrics.")));
            }
            metric_series::lock(c).await?;
            let seen = metric_series::seen(c, &wanted).await?;
            if seen < wanted.len() {
                let missing = wanted.len() - seen;
                return Err(Error::NotFound(format!(
                    "There {} no {} with {missing} of these ids. Nothing was deleted.",
                    if missing == 1 { "is" } else { "are" },
                    if missing == 1 { "metric" } else { "metrics" }
                )));
            }
            let mut sql = Sql::new();
            sql.push("DELETE FROM financial_metrics m WHERE m.id = ANY(")
                .uuids(wanted)
                .push(") AND m.organization_id = ");
            sql.uuid(c.actor().organization_id).push(" RETURNING ").push(SHOWN);
            let deleted = shown(c, &sql).await?;
            c.about::<aether_entity::organizations::Entity>(c.actor().organization_id);
            note(c, "deleted", &deleted);
            c.announce("metric", c.actor().organization_id, "deleted", json!({ "deleted": deleted.len() }));
            Ok(deleted.len())
        })
    })
}
