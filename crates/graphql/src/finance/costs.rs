//! The monthly costs of departments.

use aether_application::finance::costs;
use aether_entity as entity;
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    input::{Plain, Scalar, plain},
    rows::Row,
    run::run,
};

/// The costs of a department in a month, by category. What is left out stays as it is, or is zero where nothing was recorded.
#[derive(InputObject)]
struct DepartmentCostInput {
    /// The month, given as its first day.
    period_date: Scalar<NaiveDate>,
    /// Payroll cost, in the currency of the organization; negative for a credit.
    payroll: Option<Scalar<Decimal>>,
    /// Software cost, in the currency of the organization; negative for a credit.
    software: Option<Scalar<Decimal>>,
    /// Travel cost, in the currency of the organization; negative for a credit.
    travel: Option<Scalar<Decimal>>,
    /// Marketing cost, in the currency of the organization; negative for a credit.
    marketing: Option<Scalar<Decimal>>,
    /// All other cost, in the currency of the organization; negative for a credit.
    other: Option<Scalar<Decimal>>,
    /// Number of employees in the month; null when it is unknown.
    headcount: MaybeUndefined<i32>,
}

plain!(DepartmentCostInput as costs::NewDepartmentCost { period_date, payroll, software, travel, marketing, other, headcount });

/// The costs of departments.
#[derive(Default)]
pub(crate) struct DepartmentCostMutation;

#[Object]
impl DepartmentCostMutation {
    /// Records the costs of a department in a month, or corrects them. Total and cost per employee are worked out.
    async fn record_department_costs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The department.")] department_id: Uuid,
        #[graphql(desc = "The version of the month's costs that you saw; needed where there are some already.")]
        expected_version: Option<i32>,
        #[graphql(desc = "The costs.")] input: DepartmentCostInput,
    ) -> Result<Row<entity::department_costs::Entity>> {
        let id = run(ctx, costs::record(department_id, expected_version, input.plain())).await?;
        Ok(Row::new(id))
    }
}
