//! The way of a budget from draft to lock.

use aether_application::finance::budget_approval;
use aether_entity as entity;
use async_graphql::{Context, Object, Result};
use uuid::Uuid;

use crate::{input::why, rows::Row, run::run};

/// The approval of budgets.
#[derive(Default)]
pub(crate) struct BudgetApprovalMutation;

#[Object]
impl BudgetApprovalMutation {
    /// Submits a draft budget for approval.
    async fn submit_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget.")] id: Uuid,
        #[graphql(desc = "The version of the budget that you saw.")] expected_version: i32,
    ) -> Result<Row<entity::budgets::Entity>> {
        run(ctx, budget_approval::submit(id, expected_version)).await?;
        Ok(Row::new(id))
    }

    /// Approves a submitted budget; never by the one who submitted it.
    async fn approve_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget.")] id: Uuid,
        #[graphql(desc = "The version of the budget that you saw.")] expected_version: i32,
    ) -> Result<Row<entity::budgets::Entity>> {
        run(ctx, budget_approval::approve(id, expected_version)).await?;
        Ok(Row::new(id))
    }

    /// Rejects a submitted budget with a reason; it is a draft again.
    async fn reject_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget.")] id: Uuid,
        #[graphql(desc = "The version of the budget that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it is rejected.")] reason: String,
    ) -> Result<Row<entity::budgets::Entity>> {
        run(ctx, budget_approval::reject(id, expected_version, why(Some(reason), None))).await?;
        Ok(Row::new(id))
    }

    /// Locks an approved budget for good; never by the one who submitted it.
    async fn lock_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget.")] id: Uuid,
        #[graphql(desc = "The version of the budget that you saw.")] expected_version: i32,
    ) -> Result<Row<entity::budgets::Entity>> {
        run(ctx, budget_approval::lock(id, expected_version)).await?;
        Ok(Row::new(id))
    }
}
