//! Departments: the tree of cost centres.

use aether_entity::{budgets, department_costs, departments};
use aether_store::{
    Error,
    write::{Change, action},
};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use rust_decimal::Decimal;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use crate::{
    change::change,
    graph::Row,
    input::{Scalar, optional_text, patch, patch_text, positive_money, set, text},
};

/// As long as the name of a department may be: users and anomalies refer to it by name.
const LONGEST_NAME: usize = 100;

/// A department to create.
#[derive(InputObject)]
struct DepartmentInput {
    /// Name of the department, unique within the organization.
    name: String,
    /// Internal code of the department, such as ENG-001.
    code: Option<String>,
    /// Department that it lies within; at the top of the tree unless given.
    parent_id: Option<Uuid>,
    /// User who leads it.
    head_user_id: Option<Uuid>,
    /// Its budget for a year, in the currency of the organization.
    annual_budget: Option<Scalar<Decimal>>,
}

/// What changes in a department: what is left out stays as it is.
#[derive(InputObject)]
struct DepartmentPatch {
    /// Name of the department, unique within the organization. Users who are confined to the department and anomalies of it
    /// follow the new name.
    name: Option<String>,
    /// Internal code of the department; null empties it.
    code: MaybeUndefined<String>,
    /// User who leads it; null for nobody.
    head_user_id: MaybeUndefined<Uuid>,
    /// Its budget for a year, in the currency of the organization; null empties it.
    annual_budget: MaybeUndefined<Scalar<Decimal>>,
}

/// Departments.
#[derive(Default)]
pub(crate) struct DepartmentMutation;

#[Object]
impl DepartmentMutation {
    /// Creates a department.
    async fn create_department(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The department.")] input: DepartmentInput,
    ) -> Result<Row<departments::Entity>> {
        change(ctx, &action::EDIT_DEPARTMENT, |c| async move {
            let parent = within(&c, "input.parentId", input.parent_id).await?;
            if let Some(head) = input.head_user_id {
                c.colleague(head, "input.headUserId").await?;
            }
            let department = departments::ActiveModel {
                organization_id: Set(c.actor().organization_id),
                name: Set(text("input.name", &input.name, LONGEST_NAME)?),
                code: Set(optional_text("input.code", input.code, 50)?),
                parent_id: Set(parent),
                head_user_id: Set(input.head_user_id),
                annual_budget: Set(input
                    .annual_budget
                    .map(|budget| positive_money("input.annualBudget", budget.0))
                    .transpose()?),
                ..Default::default()
            };
            Ok(Row::new(c.insert(department).await?.id))
        })
        .await
    }

    /// Edits a department: its name, code, head or annual budget.
    async fn edit_department(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The department.")] id: Uuid,
        #[graphql(desc = "The version of the department that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: DepartmentPatch,
    ) -> Result<Row<departments::Entity>> {
        change(ctx, &action::EDIT_DEPARTMENT, |c| async move {
            let department = c.edit::<departments::Entity>(id, expected_version).await?;
            let name = input.name.map(|name| text("input.name", &name, LONGEST_NAME)).transpose()?;
            let code = patch_text("input.code", input.code, 50)?;
            if let MaybeUndefined::Value(head) = input.head_user_id {
                c.colleague(head, "input.headUserId").await?;
            }
            if let MaybeUndefined::Value(budget) = &input.annual_budget {
                positive_money("input.annualBudget", budget.0)?;
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
                c.rename_department(&old_name, &department.name).await?;
            }
            Ok(Row::new(id))
        })
        .await
    }

    /// Moves a department to another place in the tree, with all below it; never below itself.
    async fn move_department(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The department.")] id: Uuid,
        #[graphql(desc = "The version of the department that you saw.")] expected_version: i32,
        #[graphql(desc = "Department that it lies within from now on; null for the top of the tree.")]
        parent_id: Option<Uuid>,
    ) -> Result<Row<departments::Entity>> {
        change(ctx, &action::EDIT_DEPARTMENT, |c| async move {
            let department = c.edit::<departments::Entity>(id, expected_version).await?;
            let parent = within(&c, "parentId", parent_id).await?;
            c.update(department, |department| department.parent_id = Set(parent)).await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Deletes a department that nothing refers to: without departments below it, costs, budgets and users confined to it.
    async fn delete_department(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The department.")] id: Uuid,
        #[graphql(desc = "The version of the department that you saw.")] expected_version: i32,
    ) -> Result<Uuid> {
        change(ctx, &action::EDIT_DEPARTMENT, |c| async move {
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
            } else if c.confined_to(&department.name).await? > 0 {
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
        .await
    }
}

/// The parent, if the actor sees it; an actor who is confined to a department stays within it.
async fn within(c: &Change, field: &str, parent: Option<Uuid>) -> aether_store::Result<Option<Uuid>> {
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
