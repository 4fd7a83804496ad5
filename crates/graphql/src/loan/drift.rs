//! Drift settled: the baseline follows the draft, the draft goes back to the baseline, or risk accepts that they differ.

use aether_application::loan::drift;
use aether_entity::{self as entity, sea_orm_active_enums::ReasonCategory};
use async_graphql::{Context, Object, Result};
use uuid::Uuid;

use crate::{
    input::{Choice, why},
    rows::Row,
    run::run,
};

/// Settling drift.
#[derive(Default)]
pub(crate) struct DriftMutation;

#[Object]
impl DriftMutation {
    /// Overrides the agreed baseline with the drafted value. Where the workspace's rule riskApprovalRequiredForOverride is on,
    /// the override waits until a risk member approves it by approveDrift, and the item stays unresolved until then.
    async fn override_drift(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The drift item.")] id: Uuid,
        #[graphql(desc = "The version of the drift item that you saw.")] expected_version: i32,
        #[graphql(desc = "Why the drafted value becomes the agreed one.")] reason: String,
        #[graphql(desc = "The kind of the reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<entity::drift_items::Entity>> {
        let id = run(ctx, drift::override_drift(id, expected_version, why(Some(reason), reason_category))).await?;
        Ok(Row::new(id))
    }

    /// Approves what deviates, as a risk member: completes an override that waits, or else accepts that draft and baseline stay
    /// apart. Never by the one who asked for the override, or who drafted the deviation that is accepted.
    async fn approve_drift(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The drift item.")] id: Uuid,
        #[graphql(desc = "The version of the drift item that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it is approved.")] reason: String,
        #[graphql(desc = "The kind of the reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<entity::drift_items::Entity>> {
        let id = run(ctx, drift::approve(id, expected_version, why(Some(reason), reason_category))).await?;
        Ok(Row::new(id))
    }

    /// Reverts the draft to the agreed baseline. Legal members may where the workspace's rule legalCanRevertDraft is on. Needs the
    /// clause unlocked or locked by you.
    async fn revert_drift(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The drift item.")] id: Uuid,
        #[graphql(desc = "The version of the drift item that you saw.")] expected_version: i32,
        #[graphql(desc = "Why the draft goes back.")] reason: String,
        #[graphql(desc = "The kind of the reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<entity::drift_items::Entity>> {
        let id = run(ctx, drift::revert(id, expected_version, why(Some(reason), reason_category))).await?;
        Ok(Row::new(id))
    }
}
