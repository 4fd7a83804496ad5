//! Snapshots of the open pipeline.

use aether_application::sales::snapshots;
use aether_entity::{self as entity, sea_orm_active_enums::SnapshotType};
use async_graphql::{Context, Object, Result, SimpleObject};
use chrono::NaiveDate;

use crate::{
    input::{Choice, Plain, Scalar},
    rows::Row,
    run::run,
};

/// A snapshot that was taken, and what it leaves out.
#[derive(SimpleObject)]
struct PipelineSnapshotPayload {
    /// The snapshot.
    snapshot: Row<entity::pipeline_snapshots::Entity>,
    /// Currency of its amounts, which is that of the organization.
    currency: String,
    /// Number of open deals in other currencies, which are in none of its sums and counts.
    deals_left_out: i32,
    /// Whether an earlier snapshot of the same date and type was replaced.
    replaced: bool,
}

/// Snapshots of the open pipeline.
#[derive(Default)]
pub(crate) struct PipelineMutation;

#[Object]
impl PipelineMutation {
    /// Freezes the open pipeline as it is now: total and weighted value, and value and count by stage, region and segment. The
    /// forecasts are the weighted values of the deals expected to close in the calendar quarter of the date, overdue ones
    /// included, and in the next. Deals in another currency than the organization's are left out, and counted in the answer.
    async fn take_pipeline_snapshot(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "type", desc = "Rhythm that it belongs to; none for one on demand.")] kind: Option<
            Choice<SnapshotType>,
        >,
        #[graphql(desc = "Date that it is of: today in the organization's time zone, unless given, or yesterday.")]
        date: Option<Scalar<NaiveDate>>,
        #[graphql(default, desc = "Whether to replace a snapshot that there is of this date and type.")] replace: bool,
    ) -> Result<PipelineSnapshotPayload> {
        let snapshots::Taken { snapshot_id, currency, deals_left_out, replaced } =
            run(ctx, snapshots::take(kind.plain(), date.plain(), replace)).await?;
        Ok(PipelineSnapshotPayload { snapshot: Row::new(snapshot_id), currency, deals_left_out, replaced })
    }
}
