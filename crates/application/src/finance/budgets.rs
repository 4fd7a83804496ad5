//! Budgets as drafts: created, edited, copied and deleted.

use aether_domain::entry::YEARS;
use aether_entity::{budget_line_items, budgets, departments};
use aether_store::{
    Error, Result,
    write::{Change, UseCase, action},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use uuid::Uuid;

use super::{
    budget_lines::{NewBudgetLine, add_lines},
    budget_status::draft,
    spelling,
};
use crate::{
    check::{optional_text, text},
    patch::{Patch, patch, set},
};

/// A budget to create.
pub struct NewBudget {
    pub name: String,
    pub fiscal_year: i32,
    pub version: String,
    pub department_id: Option<Uuid>,
    pub region: Option<String>,
    pub lines: Vec<NewBudgetLine>,
}

/// What changes in a draft budget: what is left out stays as it is.
pub struct BudgetEdit {
    pub name: Option<String>,
    pub fiscal_year: Option<i32>,
    pub version: Option<String>,
    pub department_id: Patch<Uuid>,
    pub region: Patch<String>,
}

/// Creates a draft budget, with its lines.
pub fn create(input: NewBudget) -> UseCase<Uuid> {
    UseCase::new(&action::CREATE_BUDGET, move |c| {
        Box::pin(async move {
            let region = region(c, optional_text("input.region", input.region, 50)?.or(confined(c))).await?;
            department(c, input.department_id).await?;
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
            add_lines(c, budget.id, input.lines, "input.lines").await?;
            c.recompute::<budgets::Entity>(None, budget.id).await?;
            Ok(budget.id)
        })
    })
}

/// Edits what a draft budget says of itself: its name, year, version, department or region.
pub fn edit(id: Uuid, expected_version: i32, input: BudgetEdit) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_BUDGET, move |c| {
        Box::pin(async move {
            let budget = c.edit::<budgets::Entity>(id, expected_version).await?;
            draft(&budget)?;
            let name = input.name.map(|name| text("input.name", &name, 255)).transpose()?;
            let version = input.version.map(|version| text("input.version", &version, 50)).transpose()?;
            let year = input.fiscal_year.map(fiscal_year).transpose()?;
            if !input.department_id.is_absent() {
                department(c, input.department_id.value().copied()).await?;
            }
            let to_region = match input.region {
                Patch::Absent => Patch::Absent,
                given => region(c, optional_text("input.region", given.take(), 50)?).await?.into(),
            };
            c.update(budget, |budget| {
                set(&mut budget.name, name);
                set(&mut budget.version, version);
                set(&mut budget.fiscal_year, year);
                patch(&mut budget.department_id, input.department_id);
                patch(&mut budget.region, to_region);
            })
            .await?;
            Ok(id)
        })
    })
}

/// Deletes a draft budget with its lines, and tells its id.
pub fn delete(id: Uuid, expected_version: i32) -> UseCase<Uuid> {
    UseCase::new(&action::DELETE_BUDGET, move |c| {
        Box::pin(async move {
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
    })
}

/// Copies a budget with its lines to a new version, which is a draft.
pub fn copy(id: Uuid, version: String, name: Option<String>) -> UseCase<Uuid> {
    UseCase::new(&action::COPY_BUDGET, move |c| {
        Box::pin(async move {
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
            c.recompute::<budgets::Entity>(None, copy.id).await?;
            Ok(copy.id)
        })
    })
}

fn lines_of(budget: Uuid) -> sea_orm::Select<budget_line_items::Entity> {
    budget_line_items::Entity::find()
        .filter(budget_line_items::Column::BudgetId.eq(budget))
        .order_by_asc(budget_line_items::Column::Id)
}

fn fiscal_year(year: i32) -> Result<i32> {
    match year {
        year if YEARS.contains(&year) => Ok(year),
        _ => Err(Error::invalid("input.fiscalYear", "A fiscal year is a year such as 2027.")),
    }
}

/// Refuses a department that the actor does not see; for an actor who is confined to one, none is every other's too.
async fn department(c: &Change, id: Option<Uuid>) -> Result<()> {
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

/// The region as it is spelled; one that the actor does not see is refused.
async fn region(c: &Change, region: Option<String>) -> Result<Option<String>> {
    let region = match region {
        // Composed, a name may have more characters than it was written with.
        Some(region) => Some(text("input.region", &spelling::region(c, &region).await?.0, 50)?),
        None => None,
    };
    match confined(c) {
        Some(own) if region.as_deref() != Some(&own) => Err(Error::invalid(
            "input.region",
            format!("Your view is confined to the region {own}, so the budget has to be for that region."),
        )),
        _ => Ok(region),
    }
}
