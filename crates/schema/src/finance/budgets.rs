//! Budgets as drafts: created, edited, copied and deleted.

use aether_domain::{budget::Status, entry::YEARS};
use aether_entity::{budget_line_items, budgets, departments, sea_orm_active_enums::BudgetStatus};
use aether_store::{
    Error,
    value::label,
    write::{Change, action},
};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use uuid::Uuid;

use super::budget_lines::{BudgetLineInput, add_lines};
use crate::{
    change::change,
    graph::Row,
    input::{optional_text, patch, set, text},
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
    /// The region that it is for. Unless given, every region, or the one that your view is confined to.
    region: Option<String>,
    /// Its lines.
    #[graphql(default)]
    lines: Vec<BudgetLineInput>,
}

/// What changes in a draft budget: what is left out stays as it is.
#[derive(InputObject)]
struct BudgetPatch {
    /// Name of the budget.
    name: Option<String>,
    /// Fiscal year, such as 2027.
    fiscal_year: Option<i32>,
    /// Label of the version; unique for the year and the department.
    version: Option<String>,
    /// The department that it is for; null for the whole organization.
    department_id: MaybeUndefined<Uuid>,
    /// The region that it is for; null for every region.
    region: MaybeUndefined<String>,
}

/// Budgets as drafts.
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
            let region = region(&c, optional_text("input.region", input.region, 50)?.or(confined(&c)))?;
            department(&c, input.department_id).await?;
            let budget = c
                .insert(budgets::ActiveModel {
                    organization_id: Set(c.actor().organization_id),
                    name: Set(text("input.name", &input.name, 255)?),
                    fiscal_year: Set(fiscal_year(input.fiscal_year)?),
                    version: Set(text("input.version", &input.version, 50)?),
                    department_id: Set(input.department_id),
                    region: Set(region),
                    created_by: Set(Some(c.actor().user_id)),
                    ..Default::default()
                })
                .await?;
            add_lines(&c, budget.id, input.lines, "input.lines").await?;
            Ok(Row::new(budget.id))
        })
        .await
    }

    /// Edits what a draft budget says of itself: its name, year, version, department or region.
    async fn edit_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget.")] id: Uuid,
        #[graphql(desc = "The version of the budget that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: BudgetPatch,
    ) -> Result<Row<budgets::Entity>> {
        change(ctx, &action::EDIT_BUDGET, |c| async move {
            let budget = c.edit::<budgets::Entity>(id, expected_version).await?;
            draft(&budget)?;
            let name = input.name.map(|name| text("input.name", &name, 255)).transpose()?;
            let version = input.version.map(|version| text("input.version", &version, 50)).transpose()?;
            let year = input.fiscal_year.map(fiscal_year).transpose()?;
            if !input.department_id.is_undefined() {
                department(&c, input.department_id.value().copied()).await?;
            }
            let to_region = match input.region {
                MaybeUndefined::Undefined => MaybeUndefined::Undefined,
                given => Some(region(&c, optional_text("input.region", given.take(), 50)?)?).into(),
            };
            c.update(budget, |budget| {
                set(&mut budget.name, name);
                set(&mut budget.version, version);
                set(&mut budget.fiscal_year, year);
                patch(&mut budget.department_id, input.department_id);
                patch(&mut budget.region, to_region);
            })
            .await?;
            Ok(Row::new(id))
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
            c.about::<budgets::Entity>(id);
            // One by one, so that the audit row tells what they were.
            for line in c.all(lines_of(id)).await? {
                c.delete(line).await?;
            }
            c.delete(budget).await?;
            Ok(id)
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
                    region: Set(from.region),
                    created_by: Set(Some(c.actor().user_id)),
                    ..Default::default()
                })
                .await?;
            c.note("copiedFrom", from.id.to_string());
            let lines = c.all(lines_of(id)).await?.into_iter().map(|line| budget_line_items::ActiveModel {
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

/// Refuses to change what is no draft.
pub(super) fn draft(budget: &budgets::Model) -> aether_store::Result<()> {
    if status(budget)?.is_editable() {
        return Ok(());
    }
    Err(Error::Precondition(
        "Only a draft can be changed, deleted or submitted. Copy the budget to a new version, or have it rejected first."
            .into(),
    ))
}

/// Where the budget stands, as the rules know it.
pub(super) fn status(budget: &budgets::Model) -> aether_store::Result<Status> {
    Status::from_name(&label::<BudgetStatus>(&budget.status))
        .ok_or_else(|| Error::internal("a status that the rules do not know"))
}

fn lines_of(budget: Uuid) -> sea_orm::Select<budget_line_items::Entity> {
    budget_line_items::Entity::find()
        .filter(budget_line_items::Column::BudgetId.eq(budget))
        .order_by_asc(budget_line_items::Column::Id)
}

fn fiscal_year(year: i32) -> aether_store::Result<i32> {
    match year {
        year if YEARS.contains(&year) => Ok(year),
        _ => Err(Error::invalid("input.fiscalYear", "A fiscal year is a year such as 2027.")),
    }
}

/// Refuses a department that the actor does not see; for an actor who is confined to one, none is every other's too.
async fn department(c: &Change, id: Option<Uuid>) -> aether_store::Result<()> {
    const FIELD: &str = "input.departmentId";
    match id {
        None if c.actor().confining_department().is_some() => Err(Error::invalid(
            FIELD,
            "Your view is confined to a department, so name the department that the budget is for.",
        )),
        None => Ok(()),
        Some(id) => match c.one(departments::Entity::find_by_id(id)).await? {
            Some(_) => Ok(()),
            None => Err(Error::invalid(FIELD, "There is no department with this id.")),
        },
    }
}

/// The region that the actor's view is confined to.
fn confined(c: &Change) -> Option<String> {
    c.actor().confining_region().map(ToOwned::to_owned)
}

/// Refuses a region that the actor does not see.
fn region(c: &Change, region: Option<String>) -> aether_store::Result<Option<String>> {
    match confined(c) {
        Some(own) if region.as_deref() != Some(&own) => Err(Error::invalid(
            "input.region",
            format!("Your view is confined to the region {own}, so the budget has to be for that region."),
        )),
        _ => Ok(region),
    }
}
