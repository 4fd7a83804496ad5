//! Snapshots of the open pipeline.

use aether_entity::{pipeline_snapshots, sea_orm_active_enums::SnapshotType};
use aether_store::{
    Error,
    write::{UseCase, action},
};
use chrono::{Days, NaiveDate};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::LockType};
use uuid::Uuid;

use super::{
    calendar::Calendar,
    pipeline::{self, OpenPipeline},
};

/// A snapshot that was taken.
pub struct Taken {
    pub snapshot_id: Uuid,
    /// Currency of its amounts.
    pub currency: String,
    /// Number of open deals in other currencies, which are in none of its sums.
    pub deals_left_out: i32,
    /// Whether an earlier snapshot of the same date and type was replaced.
    pub replaced: bool,
}

/// Freezes the open pipeline as it is now: total and weighted value, and value and count by stage, region and segment.
pub fn take(kind: Option<SnapshotType>, date: Option<NaiveDate>, replace: bool) -> UseCase<Taken> {
    UseCase::new(&action::TAKE_PIPELINE_SNAPSHOT, move |c| {
        Box::pin(async move {
            if c.actor().region.is_some() && !c.actor().role.sees_every_region() {
                return Err(Error::Forbidden {
                    permission: "deals:edit",
                    because: Some("you are confined to one region, and a snapshot sums up all of them."),
                });
            }
            let today = Calendar::of(c).await?.today;
            let date = date.unwrap_or(today);
            // The pipeline is frozen as it is now: a date long past would be an untruth.
            if date > today || date + Days::new(1) < today {
                return Err(Error::invalid(
                    "date",
                    format!(
                        "A snapshot is of today, which is {today}, or of yesterday: it freezes the pipeline as it is now."
                    ),
                ));
            }
            let same = pipeline_snapshots::Entity::find()
                .filter(pipeline_snapshots::Column::SnapshotDate.eq(date))
                .filter(match &kind {
                    Some(kind) => pipeline_snapshots::Column::SnapshotType.eq(kind.clone()),
                    None => pipeline_snapshots::Column::SnapshotType.is_null(),
                })
                .lock(LockType::NoKeyUpdate);
            let same = c.one(same).await?;
            if same.is_some() && !replace {
                return Err(Error::Taken {
                    field: "date".into(),
                    message: "There is a snapshot of this date and type already. Send replace: true to replace it."
                        .into(),
                });
            }
            let pipeline = pipeline::open_pipeline(c, date).await?;
            if pipeline.left_out > 0 {
                c.note("dealsLeftOut", pipeline.left_out);
            }
            let (currency, deals_left_out, replaced) = (pipeline.currency.clone(), pipeline.left_out, same.is_some());
            let id = match same {
                Some(same) => {
                    let now = c.now();
                    c.update(same, |row| {
                        fill(row, pipeline);
                        row.created_at = Set(now);
                    })
                    .await?
                    .id
                }
                None => {
                    let mut row = pipeline_snapshots::ActiveModel {
                        organization_id: Set(c.actor().organization_id),
                        snapshot_date: Set(date),
                        snapshot_type: Set(kind),
                        ..Default::default()
                    };
                    fill(&mut row, pipeline);
                    c.insert(row).await?.id
                }
            };
            Ok(Taken { snapshot_id: id, currency, deals_left_out, replaced })
        })
    })
}

fn fill(row: &mut pipeline_snapshots::ActiveModel, pipeline: OpenPipeline) {
    row.total_pipeline_value = Set(Some(pipeline.total));
    row.weighted_pipeline_value = Set(Some(pipeline.weighted));
    row.deal_count = Set(Some(pipeline.count));
    row.stage_breakdown = Set(Some(pipeline.stages));
    row.region_breakdown = Set(Some(pipeline.regions));
    row.segment_breakdown = Set(Some(pipeline.segments));
    row.forecast_this_quarter = Set(Some(pipeline.this_quarter));
    row.forecast_next_quarter = Set(Some(pipeline.next_quarter));
}
