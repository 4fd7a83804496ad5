//! Rows taken out of the gateway as files: asked for, downloaded, told of in the audit log.

mod column;
mod encode;
mod parquet;

use aether_entity::{
    row_exports,
    sea_orm_active_enums::{RowExportStatus, RowFormat},
};
use aether_store::{
    Error,
    write::{UseCase, action},
};
use chrono::{DateTime, Duration, FixedOffset};
use sea_orm::Set;
use serde_json::Value;
use uuid::Uuid;

pub use self::{
    column::{Column, ColumnKind},
    encode::Encoder,
};
use crate::check;

/// How long a download can begin after it was asked for.
const LIFETIME: Duration = Duration::minutes(15);
/// The longest operation that is exported.
const MOST_CHARACTERS: usize = 20_000;

/// An operation whose rows are exported, and how.
#[derive(Debug, Clone)]
pub struct Question {
    pub query: String,
    pub operation_name: Option<String>,
    /// An object.
    pub variables: Value,
    pub format: RowFormat,
}

/// A file that was asked for.
pub struct Requested {
    pub id: Uuid,
    pub requested_at: DateTime<FixedOffset>,
    /// Until when a download can begin.
    pub expires_at: DateTime<FixedOffset>,
}

/// A download that has begun.
pub struct Download {
    pub question: Question,
    pub requested_at: DateTime<FixedOffset>,
    /// Which of the file's downloads it is: when it began.
    pub began_at: DateTime<FixedOffset>,
}

/// How a download ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// All rows were written; the hash is SHA-256 of the file, hexadecimal.
    Completed { sha256: String },
    /// It ended early, for this reason.
    Failed(String),
    /// Whoever was downloading has gone.
    Cancelled,
}

/// How much of a file was written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// The number of rows that there are.
    pub total: Option<u64>,
    pub rows: u64,
    pub bytes: u64,
}

/// Asks for the rows of an operation as a file.
pub fn request(question: Question) -> UseCase<Requested> {
    UseCase::new(&action::REQUEST_EXPORT, move |c| {
        Box::pin(async move {
            let Question { query, operation_name, variables, format } = question;
            let query = check::text("query", &query, MOST_CHARACTERS)?;
            let operation_name = check::optional_text("operationName", operation_name, 200)?;
            let expires_at = c.now() + LIFETIME;
            let row = row_exports::ActiveModel {
                organization_id: Set(c.actor().organization_id),
                requested_by: Set(c.actor().user_id),
                query: Set(query),
                operation_name: Set(operation_name),
                variables: Set(variables),
                format: Set(format),
                requested_at: Set(c.now()),
                expires_at: Set(expires_at),
                ..Default::default()
            };
            let id = c.insert(row).await?.id;
            Ok(Requested { id, requested_at: c.now(), expires_at })
        })
    })
}

/// Begins a download of a file that was asked for.
pub fn begin(id: Uuid) -> UseCase<Download> {
    UseCase::new(&action::BEGIN_EXPORT, move |c| {
        Box::pin(async move {
            let export = c.find::<row_exports::Entity>(id).await?;
            let began_at = c.now();
            if export.expires_at <= began_at {
                return Err(Error::Precondition(
                    "The address of this export has expired. Ask for it again with the exportRows mutation.".into(),
                ));
            }
            let requested_at = export.requested_at;
            let question = Question {
                query: export.query.clone(),
                operation_name: export.operation_name.clone(),
                variables: export.variables.clone(),
                format: export.format.clone(),
            };
            c.update(export, |export| {
                export.status = Set(RowExportStatus::Running);
                export.started_at = Set(Some(began_at));
                export.finished_at = Set(None);
                (export.total_rows, export.rows_written, export.bytes_written) = (Set(None), Set(0), Set(0));
                (export.sha256, export.failure) = (Set(None), Set(None));
            })
            .await?;
            Ok(Download { question, requested_at, began_at })
        })
    })
}

/// Ends a download. Where another has begun since, only the audit log tells of it.
pub fn finish(id: Uuid, began_at: DateTime<FixedOffset>, progress: Progress, outcome: Outcome) -> UseCase<()> {
    UseCase::new(&action::FINISH_EXPORT, move |c| {
        Box::pin(async move {
            let export = c.find::<row_exports::Entity>(id).await?;
            c.about::<row_exports::Entity>(id);
            let (status, sha256, failure) = match outcome {
                Outcome::Completed { sha256 } => (RowExportStatus::Completed, Some(sha256), None),
                Outcome::Failed(why) => (RowExportStatus::Failed, None, Some(why.chars().take(2_000).collect())),
                Outcome::Cancelled => (RowExportStatus::Cancelled, None, None),
            };
            if export.started_at != Some(began_at) {
                c.note("rowsWritten", progress.rows);
                c.note("bytesWritten", progress.bytes);
                c.note("sha256", sha256);
                return Ok(());
            }
            let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            c.update(export, |export| {
                export.status = Set(status);
                export.total_rows = Set(progress.total.map(whole));
                export.rows_written = Set(whole(progress.rows));
                export.bytes_written = Set(whole(progress.bytes));
                (export.sha256, export.failure) = (Set(sha256), Set(failure));
                export.finished_at = Set(Some(c.now()));
            })
            .await?;
            Ok(())
        })
    })
}
