//! The way of a budget from draft to lock.

use aether_domain::budget::Step;
use aether_entity::{budgets, sea_orm_active_enums::BudgetStatus};
use aether_store::{
    Error,
    write::{Change, action},
};
use async_graphql::{Context, Object, Result};
use sea_orm::Set;
use uuid::Uuid;

use super::budgets::{draft, status};
use crate::{change::change, graph::Row, input::text};

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
    ) -> Result<Row<budgets::Entity>> {
        change(ctx, &action::SUBMIT_BUDGET, |c| async move {
            let budget = c.edit::<budgets::Entity>(id, expected_version).await?;
            draft(&budget)?;
            c.update(budget, |budget| {
                budget.status = Set(BudgetStatus::Submitted);
                budget.submitted_by = Set(Some(c.actor().user_id));
                budget.submitted_at = Set(Some(c.now()));
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Approves a submitted budget; never by the one who submitted it.
    async fn approve_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget.")] id: Uuid,
        #[graphql(desc = "The version of the budget that you saw.")] expected_version: i32,
    ) -> Result<Row<budgets::Entity>> {
        change(ctx, &action::APPROVE_BUDGET, |c| async move {
            let budget = decide(&c, id, expected_version, Step::Approve).await?;
            c.update(budget, |budget| {
                budget.status = Set(BudgetStatus::Approved);
                budget.approved_by = Set(Some(c.actor().user_id));
                budget.approved_at = Set(Some(c.now()));
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Rejects a submitted budget with a reason; it is a draft again.
    async fn reject_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget.")] id: Uuid,
        #[graphql(desc = "The version of the budget that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it is rejected.")] reason: String,
    ) -> Result<Row<budgets::Entity>> {
        change(ctx, &action::REJECT_BUDGET, |c| async move {
            c.reason(Some(&text("reason", &reason, 2_000)?), None);
            let budget = decide(&c, id, expected_version, Step::Reject).await?;
            c.update(budget, |budget| {
                budget.status = Set(BudgetStatus::Draft);
                budget.submitted_by = Set(None);
                budget.submitted_at = Set(None);
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Locks an approved budget for good; never by the one who submitted it.
    async fn lock_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget.")] id: Uuid,
        #[graphql(desc = "The version of the budget that you saw.")] expected_version: i32,
    ) -> Result<Row<budgets::Entity>> {
        change(ctx, &action::LOCK_BUDGET, |c| async move {
            let budget = decide(&c, id, expected_version, Step::Lock).await?;
            c.update(budget, |budget| budget.status = Set(BudgetStatus::Locked)).await?;
            Ok(Row::new(id))
        })
        .await
    }
}

/// A budget that somebody else than its submitter decides on.
async fn decide(c: &Change, id: Uuid, expected: i32, step: Step) -> aether_store::Result<budgets::Model> {
    let budget = c.edit::<budgets::Entity>(id, expected).await?;
    if status(&budget)?.after(step).is_none() {
        return Err(Error::Precondition(match step {
            Step::Lock => "Only an approved budget can be locked.".into(),
            _ => "Only a submitted budget can be approved or rejected.".into(),
        }));
    }
    if budget.submitted_by == Some(c.actor().user_id) {
        return Err(Error::Forbidden {
            permission: "budgets:approve",
            because: Some("you submitted this budget, so somebody else has to decide on it."),
        });
    }
    Ok(budget)
}
