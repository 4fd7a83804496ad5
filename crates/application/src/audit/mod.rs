//! The two audit trails: exported, and reviewed.

mod encode;
mod rows;

use aether_store::{
    Error, Result,
    write::{Change, UseCase, action},
};
use chrono::{DateTime, FixedOffset};
use uuid::Uuid;

pub use self::encode::Format;
use self::encode::encoded;
use crate::check::optional_text;

/// How many entries one export has at most.
const MOST_ROWS: u64 = 50_000;

/// An export of an audit trail.
pub struct Export {
    /// The entries, oldest first.
    pub content: String,
    pub format: Format,
    pub row_count: i32,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: String,
}

/// Exports the audit trail of a workspace, at most 50,000 entries; for agents and risk.
pub fn export_events(
    workspace_id: Uuid,
    from: DateTime<FixedOffset>,
    to: DateTime<FixedOffset>,
    format: Format,
) -> UseCase<Export> {
    UseCase::new(&action::EXPORT_AUDIT, move |c| {
        Box::pin(async move {
            let membership = c.workspace(workspace_id).await?;
            let period = period(from, to)?;
            let events = c.audit_events(&membership, period, MOST_ROWS).await?;
            let export = export(format, &rows::EVENT, events.iter().map(rows::event).collect())?;
            c.about::<aether_entity::workspaces::Entity>(workspace_id);
            note(c, &export, period);
            Ok(export)
        })
    })
}

/// Exports the audit log of the organization, at most 50,000 entries.
pub fn export_logs(from: DateTime<FixedOffset>, to: DateTime<FixedOffset>, format: Format) -> UseCase<Export> {
    UseCase::new(&action::EXPORT_AUDIT_LOG, move |c| {
        Box::pin(async move {
            let period = period(from, to)?;
            let logs = c.audit_logs(period, MOST_ROWS).await?;
            let export = export(format, &rows::LOG, logs.iter().map(rows::log).collect())?;
            c.about::<aether_entity::organizations::Entity>(c.actor().organization_id);
            note(c, &export, period);
            Ok(export)
        })
    })
}

/// Records that you have reviewed an entry of the audit log; once, and never for what you did yourself.
pub fn review(id: Uuid, comment: Option<String>) -> UseCase<Uuid> {
    UseCase::new(&action::REVIEW_AUDIT_LOG, move |c| {
        Box::pin(async move {
            c.review_audit_log(id, optional_text("comment", comment, 2_000)?).await?;
            Ok(id)
        })
    })
}

type Period = (DateTime<FixedOffset>, DateTime<FixedOffset>);

fn period(from: DateTime<FixedOffset>, to: DateTime<FixedOffset>) -> Result<Period> {
    if from >= to {
        return Err(Error::invalid("to", "The period ends before it begins. Give a moment after `from`."));
    }
    Ok((from, to))
}

fn export(format: Format, columns: &[&str], rows: Vec<Vec<serde_json::Value>>) -> Result<Export> {
    let (content, sha256) = encoded(format, columns, &rows)?;
    Ok(Export { content, format, row_count: i32::try_from(rows.len()).unwrap_or(i32::MAX), sha256 })
}

/// What the audit trail keeps of an export: not its content, but what proves it.
fn note(c: &Change, export: &Export, (from, to): Period) {
    c.note("format", export.format.name());
    c.note("rowCount", export.row_count);
    c.note("sha256", export.sha256.clone());
    c.note("from", from.to_rfc3339());
    c.note("to", to.to_rfc3339());
}
