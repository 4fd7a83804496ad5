//! The way of a budget from draft to lock.

use aether_domain::budget::Step;
use aether_entity::{budgets, sea_orm_active_enums::BudgetStatus};
use aether_store::{
    Error, Result,
    write::{Change, UseCase, action},
};
use sea_orm::Set;
use uuid::Uuid;

use super::budget_status::{draft, status};
use crate::reason::Reason;

/// Submits a draft budget for approval.
pub fn submit(id: Uuid, expected_version: i32) -> UseCase<()> {
    UseCase::new(&action::SUBMIT_BUDGET, move |c| {
        Box::pin(async move {
            let budget = c.edit::<budgets::Entity>(id, expected_version).await?;
            draft(&budget)?;
            c.update(budget, |budget| {
                budget.status = Set(BudgetStatus::Submitted);
                budget.submitted_by = Set(Some(c.actor().user_id));
                budget.submitted_at = Set(Some(c.now()));
            })
            .await?;
            Ok(())
        })
    })
}

/// Approves a submitted budget.
pub fn approve(id: Uuid, expected_version: i32) -> UseCase<()> {
    UseCase::new(&action::APPROVE_BUDGET, move |c| {
        Box::pin(async move {
            let budget = decide(c, id, expected_version, Step::Approve).await?;
            c.update(budget, |budget| {
                budget.status = Set(BudgetStatus::Approved);
                budget.approved_by = Set(Some(c.actor().user_id));
                budget.approved_at = Set(Some(c.now()));
            })
            .await?;
            Ok(())
        })
    })
}

/// Rejects a submitted budget, which is a draft again.
pub fn reject(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<()> {
    UseCase::new(&action::REJECT_BUDGET, move |c| {
        Box::pin(async move {
            reason.demand(c)?;
            let budget = decide(c, id, expected_version, Step::Reject).await?;
            c.update(budget, |budget| {
                budget.status = Set(BudgetStatus::Draft);
                budget.submitted_by = Set(None);
                budget.submitted_at = Set(None);
            })
            .await?;
            Ok(())
        })
    })
}

/// Locks an approved budget for good.
pub fn lock(id: Uuid, expected_version: i32) -> UseCase<()> {
    UseCase::new(&action::LOCK_BUDGET, move |c| {
        Box::pin(async move {
            let budget = decide(c, id, expected_version, Step::Lock).await?;
            c.update(budget, |budget| budget.status = Set(BudgetStatus::Locked)).await?;
            Ok(())
        })
    })
}

/// A budget that somebody else than its submitter decides on.
async fn decide(c: &Change, id: Uuid, expected: i32, step: Step) -> Result<budgets::Model> {
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
