//! The two audit trails: exported, and reviewed.

mod encode;
mod rows;

use aether_entity::audit_logs;
use aether_store::{Error, write::action};
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::{DateTime, FixedOffset};
use uuid::Uuid;

use self::encode::encoded;
use crate::{
    change::change,
    graph::Row,
    input::{Scalar, optional_text},
};

/// How many entries one export has at most.
const MOST_ROWS: u64 = 50_000;

/// The format of an export.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExportFormat {
    /// A JSON array of objects, one for each entry.
    Json,
    /// CSV by RFC 4180 with a header, in UTF-8; a cell that a spreadsheet would take for a formula begins with an apostrophe.
    Csv,
}

impl ExportFormat {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Csv => "CSV",
        }
    }
}

/// An export of an audit trail.
#[derive(SimpleObject)]
struct AuditExport {
    /// The entries, oldest first, in the format that was asked for.
    content: String,
    /// The format of the content.
    format: ExportFormat,
    /// The number of entries.
    row_count: i32,
    /// The SHA-256 hash of the content in UTF-8, as 64 lower-case hexadecimal digits; the audit entry of the export keeps it.
    sha256: String,
}

/// Exporting and reviewing the audit trails.
#[derive(Default)]
pub(crate) struct AuditMutation;

#[Object]
impl AuditMutation {
    /// Exports the audit trail of a workspace, at most 50,000 entries; for agents and risk. The export is an entry itself.
    async fn export_audit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace.")] workspace_id: Uuid,
        #[graphql(desc = "The earliest moment of what is exported.")] from: Scalar<DateTime<FixedOffset>>,
        #[graphql(desc = "The moment before which everything exported was done.")] to: Scalar<DateTime<FixedOffset>>,
        #[graphql(desc = "The format of the content.")] format: ExportFormat,
    ) -> Result<AuditExport> {
        change(ctx, &action::EXPORT_AUDIT, |c| async move {
            let membership = c.workspace(workspace_id).await?;
            let period = period(from.0, to.0)?;
            let events = c.audit_events(&membership, period, MOST_ROWS).await?;
            let export = export(format, &rows::EVENT, events.iter().map(rows::event).collect())?;
            c.about::<aether_entity::workspaces::Entity>(workspace_id);
            tell(&c, &export, period);
            Ok(export)
        })
        .await
    }

    /// Exports the audit log of the organization, at most 50,000 entries. The export is an entry itself, of high risk.
    async fn export_audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The earliest moment of what is exported.")] from: Scalar<DateTime<FixedOffset>>,
        #[graphql(desc = "The moment before which everything exported was done.")] to: Scalar<DateTime<FixedOffset>>,
        #[graphql(desc = "The format of the content.")] format: ExportFormat,
    ) -> Result<AuditExport> {
        change(ctx, &action::EXPORT_AUDIT_LOG, |c| async move {
            let period = period(from.0, to.0)?;
            let logs = c.audit_logs(period, MOST_ROWS).await?;
            let export = export(format, &rows::LOG, logs.iter().map(rows::log).collect())?;
            c.about::<aether_entity::organizations::Entity>(c.actor().organization_id);
            tell(&c, &export, period);
            Ok(export)
        })
        .await
    }

    /// Records that you have reviewed an entry of the audit log; once, and never for what you did yourself.
    async fn review_audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entry.")] id: Uuid,
        #[graphql(desc = "What the review found.")] comment: Option<String>,
    ) -> Result<Row<audit_logs::Entity>> {
        change(ctx, &action::REVIEW_AUDIT_LOG, |c| async move {
            c.review_audit_log(id, optional_text("comment", comment, 2_000)?).await?;
            Ok(Row::new(id))
        })
        .await
    }
}

type Period = (DateTime<FixedOffset>, DateTime<FixedOffset>);

fn period(from: DateTime<FixedOffset>, to: DateTime<FixedOffset>) -> aether_store::Result<Period> {
    if from >= to {
        return Err(Error::invalid("to", "The period ends before it begins. Give a moment after `from`."));
    }
    Ok((from, to))
}

fn export(
    format: ExportFormat,
    columns: &[&str],
    rows: Vec<Vec<serde_json::Value>>,
) -> aether_store::Result<AuditExport> {
    let (content, sha256) = encoded(format, columns, &rows)?;
    Ok(AuditExport { content, format, row_count: i32::try_from(rows.len()).unwrap_or(i32::MAX), sha256 })
}

/// What the audit trail keeps of an export: not its content, but what proves it.
fn tell(c: &aether_store::write::Change, export: &AuditExport, (from, to): Period) {
    c.note("format", export.format.name());
    c.note("rowCount", export.row_count);
    c.note("sha256", export.sha256.clone());
    c.note("from", from.to_rfc3339());
    c.note("to", to.to_rfc3339());
}
