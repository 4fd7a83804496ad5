//! The finance domain: budgets and what else is planned and spent.

mod budgets;

use async_graphql::MergedObject;

/// Planning and recording what is spent.
#[derive(MergedObject, Default)]
pub(crate) struct FinanceMutation(budgets::BudgetMutation);
