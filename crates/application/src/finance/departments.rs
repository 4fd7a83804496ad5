//! Departments: the tree of cost centres.

use aether_entity::{budgets, department_costs, departments};
use aether_store::{
    Error, Result,
    write::{Change, UseCase, action},
};
use rust_decimal::Decimal;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::{department_names, spelling};
use crate::{
    check::{optional_text, patch_text, positive_money, text},
    patch::{Patch, patch, set},
};

/// As long as the name of a department may be: users and anomalies refer to it by name.
const LONGEST_NAME: usize = 100;

/// A department to create.
pub struct NewDepartment {
    pub name: String,
    pub code: Option<String>,
    pub parent_id: Option<Uuid>,
    pub head_user_id: Option<Uuid>,
    pub annual_budget: Option<Decimal>,
}

/// What changes in a department: what is left out stays as it is.
pub struct DepartmentEdit {
    pub name: Option<String>,
    pub code: Patch<String>,
    pub head_user_id: Patch<Uuid>,
    pub annual_budget: Patch<Decimal>,
}

/// Creates a department.
pub fn create(input: NewDepartment) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_DEPARTMENT, move |c| {
        Box::pin(async move {
            let parent = within(c, "input.parentId", input.parent_id).await?;
            if let Some(head) = input.head_user_id {
                c.colleague(head, "input.headUserId").await?;
            }
            let name = text("input.name", &input.name, LONGEST_NAME)?;
            spelling::is_free(c, "departments", &name, None).await?;
            let department = departments::ActiveModel {
                organization_id: Set(c.actor().organization_id),
                name: Set(name),
                code: Set(optional_text("input.code", input.code, 50)?),
                parent_id: Set(parent),
                head_user_id: Set(input.head_user_id),
                annual_budget: Set(input
                    .annual_budget
                    .map(|budget| positive_money("input.annualBudget", budget))
                    .transpose()?),
                ..Default::default()
            };
            Ok(c.insert(department).await?.id)
        })
    })
}

/// Edits a department: its name, code, head or annual budget.
pub fn edit(id: Uuid, expected_version: i32, input: DepartmentEdit) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_DEPARTMENT, move |c| {
        Box::pin(async move {
            let department = c.edit::<departments::Entity>(id, expected_version).await?;
            let name = input.name.map(|name| text("input.name", &name, LONGEST_NAME)).transpose()?;
            if let Some(name) = &name {
                spelling::is_free(c, "departments", name, Some(id)).await?;
            }
            let code = patch_text("input.code", input.code, 50)?;
            if let Patch::Value(head) = input.head_user_id {
                c.colleague(head, "input.headUserId").await?;
            }
            if let Patch::Value(budget) = &input.annual_budget {
                positive_money("input.annualBudget", *budget)?;
            }
            let old_name = department.name.clone();
            let department = c
                .update(department, |department| {
                    set(&mut department.name, name);
                    patch(&mut department.code, code);
                    patch(&mut department.head_user_id, input.head_user_id);
                    patch(&mut department.annual_budget, input.annual_budget);
                })
                .await?;
            if department.name != old_name {
                department_names::rename(c, &old_name, &department.name).await?;
            }
            Ok(id)
        })
    })
}

/// Moves a department to another place in the tree, with all below it; never below itself.
pub fn move_to(id: Uuid, expected_version: i32, parent_id: Option<Uuid>) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_DEPARTMENT, move |c| {
        Box::pin(async move {
            let department = c.edit::<departments::Entity>(id, expected_version).await?;
            let parent = within(c, "parentId", parent_id).await?;
            c.update(department, |department| department.parent_id = Set(parent)).await?;
            Ok(id)
        })
    })
}

/// Deletes a department that nothing refers to: without departments below it, costs, budgets and users confined to it.
pub fn delete(id: Uuid, expected_version: i32) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_DEPARTMENT, move |c| {
        Box::pin(async move {
            let department = c.edit::<departments::Entity>(id, expected_version).await?;
            let children = departments::Entity::find().filter(departments::Column::ParentId.eq(id));
            let costs = department_costs::Entity::find().filter(department_costs::Column::DepartmentId.eq(id));
            let budgets = budgets::Entity::find().filter(budgets::Column::DepartmentId.eq(id));
            let in_use = if c.count(children).await? > 0 {
                Some("There are departments below it. Move or delete them first.")
            } else if c.count(costs).await? > 0 {
                Some("Costs are recorded for it, which must not be lost.")
            } else if c.count(budgets).await? > 0 {
                Some("There are budgets of it. Delete their drafts first; others are kept for good.")
            } else if department_names::confined_to(c, &department.name).await? > 0 {
                Some("There are users who are confined to it. Have an administrator change that first.")
            } else {
                None
            };
            if let Some(why) = in_use {
                return Err(Error::Precondition(format!("The department cannot be deleted. {why}")));
            }
            c.delete(department).await?;
            Ok(id)
        })
    })
}

/// The parent, if the actor sees it; an actor who is confined to a department stays within it.
async fn within(c: &Change, field: &str, parent: Option<Uuid>) -> Result<Option<Uuid>> {
    let Some(id) = parent else {
        if c.actor().confining_department().is_some() {
            return Err(Error::invalid(
                field,
                "Your view is confined to a department, so name the department within it that this one is to lie in.",
            ));
        }
        return Ok(None);
    };
    match c.one(departments::Entity::find_by_id(id)).await? {
        Some(parent) => Ok(Some(parent.id)),
        None => Err(Error::invalid(field, "There is no department with this id.")),
    }
}
