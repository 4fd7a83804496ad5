//! The monthly costs of departments.

use aether_entity::{department_costs, departments};
use aether_store::{Error, write::action};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::Set;
use uuid::Uuid;

use super::month::{may_correct, recorded};
use crate::{
    change::change,
    graph::Row,
    input::{Scalar, first_of_month, money, patch, set},
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
    ) -> Result<Row<department_costs::Entity>> {
        change(ctx, &action::RECORD_DEPARTMENT_COSTS, |c| async move {
            let period = first_of_month("input.periodDate", input.period_date.0)?;
            let amounts = [
                ("input.payroll", &input.payroll),
                ("input.software", &input.software),
                ("input.travel", &input.travel),
                ("input.marketing", &input.marketing),
                ("input.other", &input.other),
            ];
            for (field, amount) in amounts {
                if let Some(amount) = amount {
                    money(field, amount.0)?;
                }
            }
            if input.headcount.value().is_some_and(|count| *count < 0) {
                return Err(Error::invalid("input.headcount", "A headcount must not be negative."));
            }
            // The department is locked, so that no two record the same month at once.
            let department = c.find::<departments::Entity>(department_id).await?;
            c.about::<departments::Entity>(department.id);
            let department_id = (department_costs::Column::DepartmentId, department.id);
            let month = (department_costs::Column::PeriodDate, period);
            let write = |costs: &mut department_costs::ActiveModel| {
                set(&mut costs.payroll, input.payroll);
                set(&mut costs.software, input.software);
                set(&mut costs.travel, input.travel);
                set(&mut costs.marketing, input.marketing);
                set(&mut costs.other, input.other);
                patch(&mut costs.headcount, input.headcount);
            };
            let costs = match recorded::<department_costs::Entity>(&c, department_id, month).await? {
                Some(known) => {
                    may_correct::<department_costs::Entity>(&c, &known, expected_version).await?;
                    c.update(known, write).await?
                }
                None => {
                    let mut costs = department_costs::ActiveModel {
                        department_id: Set(department.id),
                        organization_id: Set(department.organization_id),
                        period_date: Set(period),
                        ..Default::default()
                    };
                    write(&mut costs);
                    c.insert(costs).await?
                }
            };
            Ok(Row::new(costs.id))
        })
        .await
    }
}
