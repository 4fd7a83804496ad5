//! Budgets, from draft to lock.

use aether_entity::{budget_line_items, budgets, departments, sea_orm_active_enums::BudgetStatus};
use aether_store::{
    Error,
    write::{Change, action},
};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use rust_decimal::Decimal;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    change::change,
    graph::Row,
    input::{Scalar, money, patch, patch_text, set, text},
};

/// A budget to create.
#[derive(InputObject)]
struct BudgetInput {
    /// Name of the budget.
    name: String,
    /// Fiscal year, such as 2027.
    fiscal_year: i32,
    /// Label of the version, such as `v1`; unique for the year and the department.
    version: String,
    /// The department that it is for; the whole organization unless given.
    department_id: Option<Uuid>,
    /// Its lines.
    #[graphql(default)]
    lines: Vec<BudgetLineInput>,
}

/// A line of a budget.
#[derive(InputObject)]
struct BudgetLineInput {
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

/// Budgets, from draft to lock.
#[derive(Default)]
pub(crate) struct BudgetMutation;

#[Object]
impl BudgetMutation {
    /// Creates a draft budget, with its lines.
    async fn create_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget.")] input: BudgetInput,
    ) -> Result<Row<budgets::Entity>> {
        change(ctx, &action::CREATE_BUDGET, |c| async move {
            if !(1900..=2999).contains(&input.fiscal_year) {
                return Err(Error::invalid("input.fiscalYear", "A fiscal year is a year such as 2027."));
            }
            if let Some(department) = input.department_id {
                department_exists(&c, department).await?;
            }
            let budget = c
                .insert(budgets::ActiveModel {
                    organization_id: Set(c.actor().organization_id),
                    name: Set(text("input.name", &input.name, 255)?),
                    fiscal_year: Set(input.fiscal_year),
                    version: Set(text("input.version", &input.version, 50)?),
                    department_id: Set(input.department_id),
                    created_by: Set(Some(c.actor().user_id)),
                    ..Default::default()
                })
                .await?;
            add_lines(&c, budget.id, input.lines, "input.lines").await?;
            Ok(Row::new(budget.id))
        })
        .await
    }

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

    /// Deletes a draft budget with its lines, and tells its id.
    async fn delete_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget.")] id: Uuid,
        #[graphql(desc = "The version of the budget that you saw.")] expected_version: i32,
    ) -> Result<Uuid> {
        change(ctx, &action::DELETE_BUDGET, |c| async move {
            let budget = c.edit::<budgets::Entity>(id, expected_version).await?;
            draft(&budget)?;
            c.delete(budget).await?;
            Ok(id)
        })
        .await
    }

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
            let budget = decide(&c, id, expected_version, BudgetStatus::Submitted).await?;
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
            let budget = decide(&c, id, expected_version, BudgetStatus::Submitted).await?;
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
            let budget = decide(&c, id, expected_version, BudgetStatus::Approved).await?;
            c.update(budget, |budget| budget.status = Set(BudgetStatus::Locked)).await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Copies a budget with its lines to a new version, which is a draft.
    async fn copy_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget to copy.")] id: Uuid,
        #[graphql(desc = "Label of the new version.")] version: String,
        #[graphql(desc = "Name of the new version; that of the old one unless given.")] name: Option<String>,
    ) -> Result<Row<budgets::Entity>> {
        change(ctx, &action::COPY_BUDGET, |c| async move {
            let from = c.find::<budgets::Entity>(id).await?;
            let name = name.map(|name| text("name", &name, 255)).transpose()?.unwrap_or(from.name);
            let copy = c
                .insert(budgets::ActiveModel {
                    organization_id: Set(from.organization_id),
                    name: Set(name),
                    fiscal_year: Set(from.fiscal_year),
                    version: Set(text("version", &version, 50)?),
                    department_id: Set(from.department_id),
                    created_by: Set(Some(c.actor().user_id)),
                    ..Default::default()
                })
                .await?;
            c.note("copiedFrom", from.id.to_string());
            let lines = budget_line_items::Entity::find()
                .filter(budget_line_items::Column::BudgetId.eq(id))
                .order_by_asc(budget_line_items::Column::Id);
            let lines = c.all(lines).await?.into_iter().map(|line| budget_line_items::ActiveModel {
                budget_id: Set(copy.id),
                category: Set(line.category),
                subcategory: Set(line.subcategory),
                description: Set(line.description),
                q1_amount: Set(line.q1_amount),
                q2_amount: Set(line.q2_amount),
                q3_amount: Set(line.q3_amount),
                q4_amount: Set(line.q4_amount),
                assumptions: Set(line.assumptions),
                ..Default::default()
            });
            c.insert_all(lines.collect()).await?;
            Ok(Row::new(copy.id))
        })
        .await
    }
}

fn draft(budget: &budgets::Model) -> aether_store::Result<()> {
    if budget.status == BudgetStatus::Draft {
        return Ok(());
    }
    Err(Error::Precondition(
        "Only a draft can be changed, deleted or submitted. Copy the budget to a new version, or have it rejected first."
            .into(),
    ))
}

/// The line with its budget locked: whether the budget is a draft must not change meanwhile.
async fn line_of_draft(c: &Change, id: Uuid, expected: i32) -> aether_store::Result<budget_line_items::Model> {
    let line = budget_line_items::Entity::find_by_id(id);
    let missing = || Error::NotFound("There is no budget line item with this id.".into());
    let budget = c.one(line).await?.ok_or_else(missing)?.budget_id;
    draft(&c.find::<budgets::Entity>(budget).await?)?;
    c.edit::<budget_line_items::Entity>(id, expected).await
}

/// A budget that somebody else than its submitter decides on.
async fn decide(c: &Change, id: Uuid, expected: i32, status: BudgetStatus) -> aether_store::Result<budgets::Model> {
    let budget = c.edit::<budgets::Entity>(id, expected).await?;
    if budget.status != status {
        return Err(Error::Precondition(match status {
            BudgetStatus::Approved => "Only an approved budget can be locked.".into(),
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

async fn department_exists(c: &Change, id: Uuid) -> aether_store::Result<()> {
    match c.one(departments::Entity::find_by_id(id)).await? {
        Some(_) => Ok(()),
        None => Err(Error::invalid("input.departmentId", "There is no department with this id.")),
    }
}

async fn add_lines(c: &Change, budget: Uuid, lines: Vec<BudgetLineInput>, field: &str) -> aether_store::Result<()> {
    let mut rows = Vec::with_capacity(lines.len());
    for (at, line) in lines.into_iter().enumerate() {
        let path = |name: &str| format!("{field}.{at}.{name}");
        rows.push(budget_line_items::ActiveModel {
            budget_id: Set(budget),
            category: Set(text(&path("category"), &line.category, 100)?),
            subcategory: Set(line.subcategory),
            description: Set(line.description),
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
