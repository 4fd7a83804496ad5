//! Deals, their history and the pipeline.

use super::{Entity, entity, shapes};
use crate::model::{Restriction, Scope};

pub(super) fn entities() -> Vec<Entity> {
    vec![
        entity("deals", "Deal", "deals", Scope::Organization)
            .order(&["-created_at"])
            .restrict(Restriction::Region("region"))
            .ratios(&["probability"])
            .apart("currency", &["value", "weighted_value"])
            .refers("organization_id", "organization", "deals")
            .refers("owner_id", "owner", "dealsOwned"),
        entity("deal_history", "DealHistory", "dealHistories", Scope::Via("deal_id"))
            .order(&["-changed_at"])
            .refers("deal_id", "deal", "history")
            .refers("changed_by", "changedByUser", "dealChanges"),
        entity("pipeline_snapshots", "PipelineSnapshot", "pipelineSnapshots", Scope::Organization)
            .order(&["-snapshot_date"])
            .restrict(Restriction::AllRegions)
            .ratios(&[
                "total_pipeline_value",
                "weighted_pipeline_value",
                "deal_count",
                "forecast_this_quarter",
                "forecast_next_quarter",
            ])
            .shape("stage_breakdown", &shapes::STAGE_BREAKDOWN)
            .shape("region_breakdown", &shapes::REGION_BREAKDOWN)
            .shape("segment_breakdown", &shapes::SEGMENT_BREAKDOWN)
            .refers("organization_id", "organization", "pipelineSnapshots"),
        entity("mv_pipeline_summary", "PipelineSummary", "pipelineSummaries", Scope::Organization)
            .order(&["stage", "region", "segment", "currency"])
            .apart("currency", &["total_value", "weighted_value"])
            .ratios(&["avg_days_in_pipeline", "avg_probability"])
            .restrict(Restriction::Region("region")),
    ]
}
