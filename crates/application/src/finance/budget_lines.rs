//! The lines of draft budgets.

use aether_entity::{budget_line_items, budgets};
use aether_store::{
    Error, Result,
    write::{Change, UseCase, action},
};
use rust_decimal::Decimal;
use sea_orm::{EntityTrait, Set};
use serde_json::Value as Json;
use uuid::Uuid;

use super::budget_status::draft;
use crate::{
    check::{money, optional_text, patch_text, text},
    patch::{Patch, patch, set},
};

/// A line of a budget.
pub struct NewBudgetLine {
    pub category: String,
    pub subcategory: Option<String>,
    pub description: Option<String>,
    pub q1_amount: Decimal,
    pub q2_amount: Decimal,
    pub q3_amount: Decimal,
    pub q4_amount: Decimal,
    pub assumptions: Option<Json>,
}

/// What changes in a line of a budget: what is left out stays as it is.
pub struct BudgetLineEdit {
    pub category: Option<String>,
    pub subcategory: Patch<String>,
    pub description: Patch<String>,
    pub q1_amount: Option<Decimal>,
    pub q2_amount: Option<Decimal>,
    pub q3_amount: Option<Decimal>,
    pub q4_amount: Option<Decimal>,
    pub assumptions: Patch<Json>,
}

/// Adds lines to a draft budget.
pub fn add(budget_id: Uuid, expected_version: i32, lines: Vec<NewBudgetLine>) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_BUDGET, move |c| {
        Box::pin(async move {
            let budget = c.edit::<budgets::Entity>(budget_id, expected_version).await?;
            draft(&budget)?;
            c.about::<budgets::Entity>(budget.id);
            add_lines(c, budget.id, lines, "lines").await?;
            c.recompute::<budgets::Entity>(Some(&budget), budget.id).await?;
            Ok(budget.id)
        })
    })
}

/// Edits a line of a draft budget.
pub fn edit(id: Uuid, expected_version: i32, input: BudgetLineEdit) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_BUDGET, move |c| {
        Box::pin(async move {
            let (line, budget) = line_of_draft(c, id, expected_version).await?;
            let amounts = [
                ("input.q1Amount", &input.q1_amount),
                ("input.q2Amount", &input.q2_amount),
                ("input.q3Amount", &input.q3_amount),
                ("input.q4Amount", &input.q4_amount),
            ];
            for (field, amount) in amounts {
                if let Some(amount) = amount {
                    money(field, *amount)?;
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
            c.recompute::<budgets::Entity>(Some(&budget), budget.id).await?;
            Ok(line.id)
        })
    })
}

/// Removes a line from a draft budget.
pub fn remove(id: Uuid, expected_version: i32) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_BUDGET, move |c| {
        Box::pin(async move {
            let (line, budget) = line_of_draft(c, id, expected_version).await?;
            c.about::<budgets::Entity>(budget.id);
            c.delete(line).await?;
            c.recompute::<budgets::Entity>(Some(&budget), budget.id).await?;
            Ok(budget.id)
        })
    })
}

/// The line with its budget locked: whether the budget is a draft must not change meanwhile.
async fn line_of_draft(c: &Change, id: Uuid, expected: i32) -> Result<(budget_line_items::Model, budgets::Model)> {
    let line = budget_line_items::Entity::find_by_id(id);
    let missing = || Error::NotFound("There is no budget line item with this id.".into());
    let budget = c.one(line).await?.ok_or_else(missing)?.budget_id;
    let budget = c.find::<budgets::Entity>(budget).await?;
    draft(&budget)?;
    Ok((c.edit::<budget_line_items::Entity>(id, expected).await?, budget))
}

/// Adds lines to a budget that is a draft; `field` is where they stand in the input.
pub(super) async fn add_lines(c: &Change, budget: Uuid, lines: Vec<NewBudgetLine>, field: &str) -> Result<()> {
    let mut rows = Vec::with_capacity(lines.len());
    for (at, line) in lines.into_iter().enumerate() {
        let path = |name: &str| format!("{field}.{at}.{name}");
        rows.push(budget_line_items::ActiveModel {
            budget_id: Set(budget),
            category: Set(text(&path("category"), &line.category, 100)?),
            subcategory: Set(optional_text(&path("subcategory"), line.subcategory, 100)?),
            description: Set(optional_text(&path("description"), line.description, 2_000)?),
            q1_amount: Set(money(&path("q1Amount"), line.q1_amount)?),
            q2_amount: Set(money(&path("q2Amount"), line.q2_amount)?),
            q3_amount: Set(money(&path("q3Amount"), line.q3_amount)?),
            q4_amount: Set(money(&path("q4Amount"), line.q4_amount)?),
            assumptions: Set(line.assumptions),
            ..Default::default()
        });
    }
    c.insert_all(rows).await?;
    Ok(())
}
