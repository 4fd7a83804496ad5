//! Budgets as drafts: created, edited, copied and deleted.

use aether_application::finance::budgets;
use aether_entity as entity;
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use uuid::Uuid;

use super::budget_lines::BudgetLineInput;
use crate::{
    input::{Plain, plain},
    rows::Row,
    run::run,
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

plain!(BudgetInput as budgets::NewBudget { name, fiscal_year, version, department_id, region, lines });

plain!(BudgetPatch as budgets::BudgetEdit { name, fiscal_year, version, department_id, region });

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
    ) -> Result<Row<entity::budgets::Entity>> {
        let id = run(ctx, budgets::create(input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Edits what a draft budget says of itself: its name, year, version, department or region.
    async fn edit_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget.")] id: Uuid,
        #[graphql(desc = "The version of the budget that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: BudgetPatch,
    ) -> Result<Row<entity::budgets::Entity>> {
        let id = run(ctx, budgets::edit(id, expected_version, input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Deletes a draft budget with its lines, and tells its id.
    async fn delete_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget.")] id: Uuid,
        #[graphql(desc = "The version of the budget that you saw.")] expected_version: i32,
    ) -> Result<Uuid> {
        run(ctx, budgets::delete(id, expected_version)).await
    }

    /// Copies a budget with its lines to a new version, which is a draft.
    async fn copy_budget(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The budget to copy.")] id: Uuid,
        #[graphql(desc = "Label of the new version.")] version: String,
        #[graphql(desc = "Name of the new version; that of the old one unless given.")] name: Option<String>,
    ) -> Result<Row<entity::budgets::Entity>> {
        let id = run(ctx, budgets::copy(id, version, name)).await?;
        Ok(Row::new(id))
    }
}
