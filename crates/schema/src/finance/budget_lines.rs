//! The lines of draft budgets.

use aether_entity::{budget_line_items, budgets};
use aether_store::{
    Error,
    write::{Change, action},
};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use rust_decimal::Decimal;
use sea_orm::{EntityTrait, Set};
use serde_json::Value as Json;
use uuid::Uuid;

use super::budgets::draft;
use crate::{
    change::change,
    graph::Row,
    input::{Scalar, money, optional_text, patch, patch_text, set, text},
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

fn zero() -> Scalar<Decimal> {
    Scalar(Decimal::ZERO)
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
    ) -> Result<Row<budgets::Entity>> {
        change(ctx, &action::EDIT_BUDGET, |c| async move {
            let budget = c.edit::<budgets::Entity>(budget_id, expected_version).await?;
            draft(&budget)?;
            c.about::<budgets::Entity>(budget.id);
            add_lines(&c, budget.id, lines, "lines").await?;
            Ok(Row::new(budget.id))
        })
        .await
    }

    /// Edits a line of a draft budget.
    async fn edit_budget_line(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The line.")] id: Uuid,
        #[graphql(desc = "The version of the line that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: BudgetLinePatch,
    ) -> Result<Row<budget_line_items::Entity>> {
        change(ctx, &action::EDIT_BUDGET, |c| async move {
            let line = line_of_draft(&c, id, expected_version).await?;
            let amounts = [
                ("input.q1Amount", &input.q1_amount),
                ("input.q2Amount", &input.q2_amount),
                ("input.q3Amount", &input.q3_amount),
                ("input.q4Amount", &input.q4_amount),
            ];
            for (field, amount) in amounts {
                if let Some(amount) = amount {
                    money(field, amount.0)?;
                }
            }
            let category = input.category.map(|category| text("input.category", &category, 100)).transpose()?;
            let subcategory = patch_text("input.subcategory", input.subcategory, 100)?;
            let description = patch_text("input.description", input.description, 2_000)?;
            c.about::<budgets::Entity>(line.budget_id);
            let line = c
                .update(line, |line| {
                    set(&mut line.category, category);
                    patch(&mut line.subcategory, subcategory);
                    patch(&mut line.description, description);
                    set(&mut line.q1_amount, input.q1_amount);
                    set(&mut line.q2_amount, input.q2_amount);
                    set(&mut line.q3_amount, input.q3_amount);
                    set(&mut line.q4_amount, input.q4_amount);
                    patch(&mut line.assumptions, input.assumptions);
                })
                .await?;
            Ok(Row::new(line.id))
        })
        .await
    }

    /// Removes a line from a draft budget.
    async fn remove_budget_line(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The line.")] id: Uuid,
        #[graphql(desc = "The version of the line that you saw.")] expected_version: i32,
    ) -> Result<Row<budgets::Entity>> {
        change(ctx, &action::EDIT_BUDGET, |c| async move {
            let line = line_of_draft(&c, id, expected_version).await?;
            let budget = line.budget_id;
            c.about::<budgets::Entity>(budget);
            c.delete(line).await?;
            Ok(Row::new(budget))
        })
        .await
    }
}

/// The line with its budget locked: whether the budget is a draft must not change meanwhile.
async fn line_of_draft(c: &Change, id: Uuid, expected: i32) -> aether_store::Result<budget_line_items::Model> {
    let line = budget_line_items::Entity::find_by_id(id);
    let missing = || Error::NotFound("There is no budget line item with this id.".into());
    let budget = c.one(line).await?.ok_or_else(missing)?.budget_id;
    draft(&c.find::<budgets::Entity>(budget).await?)?;
    c.edit::<budget_line_items::Entity>(id, expected).await
}

/// Adds lines to a budget that is a draft; `field` is where they stand in the input.
pub(super) async fn add_lines(
    c: &Change,
    budget: Uuid,
    lines: Vec<BudgetLineInput>,
    field: &str,
) -> aether_store::Result<()> {
    let mut rows = Vec::with_capacity(lines.len());
    for (at, line) in lines.into_iter().enumerate() {
        let path = |name: &str| format!("{field}.{at}.{name}");
        rows.push(budget_line_items::ActiveModel {
            budget_id: Set(budget),
            category: Set(text(&path("category"), &line.category, 100)?),
            subcategory: Set(optional_text(&path("subcategory"), line.subcategory, 100)?),
            description: Set(optional_text(&path("description"), line.description, 2_000)?),
            q1_amount: Set(money(&path("q1Amount"), line.q1_amount.0)?),
            q2_amount: Set(money(&path("q2Amount"), line.q2_amount.0)?),
            q3_amount: Set(money(&path("q3Amount"), line.q3_amount.0)?),
            q4_amount: Set(money(&path("q4Amount"), line.q4_amount.0)?),
            assumptions: Set(line.assumptions.map(|value| value.0)),
            ..Default::default()
        });
    }
    c.insert_all(rows).await?;
    Ok(())
}
