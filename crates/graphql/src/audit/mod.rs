//! The two audit trails: exported, and reviewed.

use aether_application::audit::{self, Export, Format};
use aether_entity as entity;
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::{DateTime, FixedOffset};
use uuid::Uuid;

use crate::{
    input::{Plain, Scalar},
    rows::Row,
    run::run,
};

/// The format of an export.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExportFormat {
    /// A JSON array of objects, one for each entry.
    Json,
    /// CSV by RFC 4180 with a header, in UTF-8; a cell that a spreadsheet would take for a formula begins with an apostrophe.
    Csv,
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
        Ok(run(ctx, audit::export_events(workspace_id, from.plain(), to.plain(), format.into())).await?.into())
    }

    /// Exports the audit log of the organization, at most 50,000 entries. The export is an entry itself, of high risk.
    async fn export_audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The earliest moment of what is exported.")] from: Scalar<DateTime<FixedOffset>>,
        #[graphql(desc = "The moment before which everything exported was done.")] to: Scalar<DateTime<FixedOffset>>,
        #[graphql(desc = "The format of the content.")] format: ExportFormat,
    ) -> Result<AuditExport> {
        Ok(run(ctx, audit::export_logs(from.plain(), to.plain(), format.into())).await?.into())
    }

    /// Records that you have reviewed an entry of the audit log; once, and never for what you did yourself.
    async fn review_audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entry.")] id: Uuid,
        #[graphql(desc = "What the review found.")] comment: Option<String>,
    ) -> Result<Row<entity::audit_logs::Entity>> {
        let id = run(ctx, audit::review(id, comment)).await?;
        Ok(Row::new(id))
    }
}

impl From<ExportFormat> for Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Json => Self::Json,
            ExportFormat::Csv => Self::Csv,
        }
    }
}

impl From<Export> for AuditExport {
    fn from(Export { content, format, row_count, sha256 }: Export) -> Self {
        let format = match format {
            Format::Json => ExportFormat::Json,
            Format::Csv => ExportFormat::Csv,
        };
        Self { content, format, row_count, sha256 }
    }
}
