//! Rows as files: any list of the root, or its groups.

pub(crate) mod download;
mod plan;

use std::sync::Arc;

use aether_application::exports::{self, Column, ColumnKind, Question};
use aether_entity::{row_exports, sea_orm_active_enums::RowFormat};
use aether_operation::Compiler;
use aether_store::identity::Sessions;
use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::{DateTime, FixedOffset};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use self::plan::{Planned, named};
use crate::{
    Limits,
    error::Failure,
    input::{Choice, Scalar},
    rows::Row,
    run::{executor, reader, run},
};

/// A file that was asked for.
#[derive(SimpleObject)]
struct RequestedExport {
    /// The identifier of the export, by which `rowExport` tells how far its download has come.
    id: Uuid,
    /// Where it is downloaded, by GET: a path on this gateway that is signed for your session and needs no other authorization. Whoever
    /// has it can download what you see, so do not pass it on.
    url: String,
    /// What the file is called.
    file_name: String,
    /// Until when a download can begin.
    expires_at: Scalar<DateTime<FixedOffset>>,
    /// Its columns, in order.
    columns: Vec<ExportColumn>,
    /// The export, as it is kept.
    export: Row<row_exports::Entity>,
}

/// A column of a file.
#[derive(SimpleObject)]
struct ExportColumn {
    /// Its name: the response keys that lead to its values, joined by points.
    name: String,
    /// What its values are: the name of a scalar of the schema.
    r#type: &'static str,
}

impl From<Column> for ExportColumn {
    fn from(column: Column) -> Self {
        let ty = match column.kind {
            ColumnKind::Boolean => "Boolean",
            ColumnKind::Int => "Int",
            ColumnKind::BigInt => "BigInt",
            ColumnKind::Float => "Float",
            ColumnKind::Decimal => "Decimal",
            ColumnKind::Date => "Date",
            ColumnKind::DateTime => "DateTime",
            ColumnKind::Text => "String",
            ColumnKind::Json => "JSON",
        };
        Self { name: column.name(), r#type: ty }
    }
}

/// Taking rows out as files.
#[derive(Default)]
pub(crate) struct ExportMutation;

#[Object]
impl ExportMutation {
    /// Asks for the rows of a list as a file, all of them whatever its pages: the answer says where it is downloaded. You get the rows
    /// and columns that you see, as they are at the moment at which the download begins.
    async fn export_rows(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The operation that selects them: one connection of the root, and of it `nodes`, or `groups` with their \
                          nodes. What is selected of a node, also of rows that it refers to, becomes the columns; further lists \
                          cannot. Arguments that cut pages (`first`, `after`) do not count. At most 20,000 characters."
        )]
        query: String,
        #[graphql(desc = "The variables of the operation, an object.")] variables: Option<Scalar<Json>>,
        #[graphql(desc = "Which operation of the document, where it has several.")] operation_name: Option<String>,
        #[graphql(desc = "The format of the file.")] format: Choice<RowFormat>,
    ) -> Result<RequestedExport> {
        let variables = variables.map_or_else(|| json!({}), |variables| variables.0);
        let question = Question { query, operation_name, variables, format: format.0 };
        let compiler = ctx.data_unchecked::<Arc<Compiler>>();
        let planned = Planned::new(compiler, ctx.data_unchecked::<Limits>(), &question).map_err(Failure)?;
        let format = question.format.clone();
        let requested = run(ctx, exports::request(question)).await?;
        // The answer has what the file is downloaded by.
        executor(ctx).keep_secret();
        let session = reader(ctx).known_actor().await.map_err(Failure)?.session_id;
        let token =
            ctx.data_unchecked::<Sessions>().download_token(requested.id, session, requested.expires_at.timestamp());
        let token = token.map_err(Failure)?;
        Ok(RequestedExport {
            id: requested.id,
            url: format!("/exports/{}?token={token}", requested.id),
            file_name: named(&planned.name, requested.requested_at, &format).0,
            expires_at: Scalar(requested.expires_at),
            columns: planned.columns.into_iter().map(Into::into).collect(),
            export: Row::new(requested.id),
        })
    }
}
