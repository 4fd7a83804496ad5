//! The monthly costs of departments.

use aether_entity::{department_costs, departments};
use aether_store::{
    Error,
    write::{UseCase, action},
};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::Set;
use uuid::Uuid;

use super::month::{may_correct, recorded};
use crate::{
    check::{first_of_month, money},
    patch::{Patch, patch, set},
};

/// The costs of a department in a month, by category. What is left out stays as it is, or is zero where nothing was recorded.
pub struct NewDepartmentCost {
    pub period_date: NaiveDate,
    pub payroll: Option<Decimal>,
    pub software: Option<Decimal>,
    pub travel: Option<Decimal>,
    pub marketing: Option<Decimal>,
    pub other: Option<Decimal>,
    pub headcount: Patch<i32>,
}

/// Records the costs of a department in a month, or corrects them.
pub fn record(department_id: Uuid, expected_version: Option<i32>, input: NewDepartmentCost) -> UseCase<Uuid> {
    UseCase::new(&action::RECORD_DEPARTMENT_COSTS, move |c| {
        Box::pin(async move {
            let period = first_of_month("input.periodDate", input.period_date)?;
            let amounts = [
                ("input.payroll", &input.payroll),
                ("input.software", &input.software),
                ("input.travel", &input.travel),
                ("input.marketing", &input.marketing),
                ("input.other", &input.other),
            ];
            for (field, amount) in amounts {
                if let Some(amount) = amount {
                    money(field, *amount)?;
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
            let costs = match recorded::<department_costs::Entity>(c, department_id, month).await? {
                Some(known) => {
                    may_correct::<department_costs::Entity>(c, &known, expected_version).await?;
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
            Ok(costs.id)
        })
    })
}
