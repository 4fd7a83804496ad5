//! Where a budget stands.

use aether_domain::budget::Status;
use aether_entity::{budgets, sea_orm_active_enums::BudgetStatus};
use aether_store::{Error, Result, value::label};

/// Refuses to change what is no draft.
pub(super) fn draft(budget: &budgets::Model) -> Result<()> {
    if status(budget)?.is_editable() {
        return Ok(());
    }
    Err(Error::Precondition(
        "Only a draft can be changed, deleted or submitted. Copy the budget to a new version, or have it rejected first."
            .into(),
    ))
}

/// Where the budget stands, as the rules know it.
pub(super) fn status(budget: &budgets::Model) -> Result<Status> {
    Status::from_name(&label::<BudgetStatus>(&budget.status))
        .ok_or_else(|| Error::internal("a status that the rules do not know"))
}
