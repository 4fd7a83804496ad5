//! The lines of draft budgets.

use aether_application::finance::budget_lines;
use aether_entity as entity;
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use rust_decimal::Decimal;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    input::{Plain, Scalar, plain},
    rows::Row,
    run::run,
};

/// A line of a budget.
#[derive(InputObject)]
pub(super) struct BudgetLineInput {
    /// Category of the spending, such as Payroll.
    category: String,
    /// Finer category.
    subcategory: Option<String>,
    /// What the amounts are for.
    description: Option<String>,
    /// Amount of the first fiscal quarter, in the currency of the organization.
    #[graphql(default_with = "zero()")]
    q1_amount: Scalar<Decimal>,
    /// Amount of the second fiscal quarter, in the currency of the organization.
    #[graphql(default_with = "zero()")]
    q2_amount: Scalar<Decimal>,
    /// Amount of the third fiscal quarter, in the currency of the organization.
    #[graphql(default_with = "zero()")]
    q3_amount: Scalar<Decimal>,
    /// Amount of the fourth fiscal quarter, in the currency of the organization.
    #[graphql(default_with = "zero()")]
    q4_amount: Scalar<Decimal>,
    /// Assumptions behind the amounts, as free JSON.
    assumptions: Option<Scalar<Json>>,
}

/// What changes in a line of a budget: what is left out stays as it is.
#[derive(InputObject)]
struct BudgetLinePatch {
    /// Category of the spending.
    category: Option<String>,
    /// Finer category; null empties it.
    subcategory: MaybeUndefined<String>,
    /// What the amounts are for; null empties it.
    description: MaybeUndefined<String>,
    /// Amount of the first fiscal quarter, in the currency of the organization.
    q1_amount: Option<Scalar<Decimal>>,
    /// Amount of the second fiscal quarter, in the currency of the organization.
    q2_amount: Option<Scalar<Decimal>>,
    /// Amount of the third fiscal quarter, in the currency of the organization.
    q3_amount: Option<Scalar<Decimal>>,
    /// Amount of the fourth fiscal quarter, in the currency of the organization.
    q4_amount: Option<Scalar<Decimal>>,
    /// Assumptions behind the amounts; null empties them.
    assumptions: MaybeUndefined<Scalar<Json>>,
}

plain!(BudgetLineInput as budget_lines::NewBudgetLine { category, subcategory, description, q1_amount, q2_amount, q3_amount, q4_amount, assumptions });

plain!(BudgetLinePatch as budget_lines::BudgetLineEdit { category, subcategory, description, q1_amount, q2_amount, q3_amount, q4_amount, assumptions });

/// The lines of budgets.
#[derive(Default)]
pub(crate) struct BudgetLineMutation;

#[Object]
impl BudgetLineMutation {
    /// Adds lines to a draft budget.
    async fn add_budget_lines(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget.")] budget_id: Uuid,
        #[graphql(desc = "The version of the budget that you saw.")] expected_version: i32,
        #[graphql(desc = "The lines.")] lines: Vec<BudgetLineInput>,
    ) -> Result<Row<entity::budgets::Entity>> {
        let id = run(ctx, budget_lines::add(budget_id, expected_version, lines.plain())).await?;
        Ok(Row::new(id))
    }

    /// Edits a line of a draft budget.
    async fn edit_budget_line(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The line.")] id: Uuid,
        #[graphql(desc = "The version of the line that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: BudgetLinePatch,
    ) -> Result<Row<entity::budget_line_items::Entity>> {
        let id = run(ctx, budget_lines::edit(id, expected_version, input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Removes a line from a draft budget.
    async fn remove_budget_line(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The line.")] id: Uuid,
        #[graphql(desc = "The version of the line that you saw.")] expected_version: i32,
    ) -> Result<Row<entity::budgets::Entity>> {
        let id = run(ctx, budget_lines::remove(id, expected_version)).await?;
        Ok(Row::new(id))
    }
}

fn zero() -> Scalar<Decimal> {
    Scalar(Decimal::ZERO)
}
