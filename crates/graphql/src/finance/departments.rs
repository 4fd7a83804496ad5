//! Departments: the tree of cost centres.

use aether_application::finance::departments;
use aether_entity as entity;
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    input::{Plain, Scalar, plain},
    rows::Row,
    run::run,
};

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

plain!(DepartmentInput as departments::NewDepartment { name, code, parent_id, head_user_id, annual_budget });

plain!(DepartmentPatch as departments::DepartmentEdit { name, code, head_user_id, annual_budget });

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
    ) -> Result<Row<entity::departments::Entity>> {
        let id = run(ctx, departments::create(input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Edits a department: its name, code, head or annual budget.
    async fn edit_department(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The department.")] id: Uuid,
        #[graphql(desc = "The version of the department that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: DepartmentPatch,
    ) -> Result<Row<entity::departments::Entity>> {
        let id = run(ctx, departments::edit(id, expected_version, input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Moves a department to another place in the tree, with all below it; never below itself.
    async fn move_department(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The department.")] id: Uuid,
        #[graphql(desc = "The version of the department that you saw.")] expected_version: i32,
        #[graphql(desc = "Department that it lies within from now on; null for the top of the tree.")]
        parent_id: Option<Uuid>,
    ) -> Result<Row<entity::departments::Entity>> {
        let id = run(ctx, departments::move_to(id, expected_version, parent_id)).await?;
        Ok(Row::new(id))
    }

    /// Deletes a department that nothing refers to: without departments below it, costs, budgets and users confined to it.
    async fn delete_department(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The department.")] id: Uuid,
        #[graphql(desc = "The version of the department that you saw.")] expected_version: i32,
    ) -> Result<Uuid> {
        run(ctx, departments::delete(id, expected_version)).await
    }
}
