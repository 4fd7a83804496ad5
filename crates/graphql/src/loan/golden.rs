//! The golden record: frozen as a document, exported, and published to the connected systems.

use aether_application::loan::golden::{self, Frozen, Publication};
use aether_entity as entity;
use async_graphql::{Context, Object, Result, SimpleObject};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    input::{Scalar, why},
    rows::Row,
    run::run,
};

/// What an export has frozen.
#[derive(SimpleObject)]
struct GoldenRecordExport {
    /// The document, which validates against `goldenRecordSchema`.
    document: Scalar<Json>,
    /// The SHA-256 hash of the document in its canonical form by RFC 8785, as 64 lower-case hexadecimal digits.
    hash: String,
    /// The golden record.
    golden_record: Row<entity::golden_records::Entity>,
}

/// What a publication has frozen and sent on its way.
#[derive(SimpleObject)]
struct GoldenRecordPublication {
    /// The published document, which validates against `goldenRecordSchema`.
    document: Scalar<Json>,
    /// The SHA-256 hash of the document in its canonical form by RFC 8785, as 64 lower-case hexadecimal digits.
    hash: String,
    /// The version that keeps it, with its deliveries to the connectors that were READY.
    version: Row<entity::golden_record_versions::Entity>,
    /// The golden record.
    golden_record: Row<entity::golden_records::Entity>,
}

/// What can be asked about golden records beyond their rows.
#[derive(Default)]
pub(crate) struct GoldenQuery;

#[Object]
impl GoldenQuery {
    /// The JSON Schema, draft 2020-12, of the documents that exports and publications freeze; also served under
    /// `/golden-record.schema.json`.
    async fn golden_record_schema(&self) -> Result<Scalar<Json>> {
        let schema = serde_json::from_str(aether_domain::golden::SCHEMA);
        Ok(Scalar(
            schema
                .map_err(|_| crate::error::Failure(aether_store::Error::internal("a JSON Schema that is no JSON")))?,
        ))
    }
}

/// Exporting and publishing.
#[derive(Default)]
pub(crate) struct GoldenMutation;

#[Object]
impl GoldenMutation {
    /// Freezes the deal as it stands into a document and answers it; for agents and risk. Nothing is delivered.
    async fn export_golden_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace.")] workspace_id: Uuid,
    ) -> Result<GoldenRecordExport> {
        let Frozen { document, hash, record_id } = run(ctx, golden::export(workspace_id)).await?;
        Ok(GoldenRecordExport { document: Scalar(document), hash, golden_record: Row::new(record_id) })
    }

    /// Freezes the deal into the next version, keeps it and delivers it to every connector that is READY; for agents. Refused
    /// while the integrity is below 0.90, and while HIGH drift is unresolved unless the workspace's rule
    /// `publishBlockedWhenHighDrift` is off.
    async fn publish_golden_record(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace.")] workspace_id: Uuid,
        #[graphql(desc = "The version of the golden record's row that you saw, its `rowVersion`.")]
        expected_version: i32,
        #[graphql(desc = "Why it is published.")] reason: Option<String>,
    ) -> Result<GoldenRecordPublication> {
        let Publication { frozen, version_id } =
            run(ctx, golden::publish(workspace_id, expected_version, why(reason, None))).await?;
        Ok(GoldenRecordPublication {
            document: Scalar(frozen.document),
            hash: frozen.hash,
            version: Row::new(version_id),
            golden_record: Row::new(frozen.record_id),
        })
    }
}
