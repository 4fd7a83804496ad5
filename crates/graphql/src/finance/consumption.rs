//! How much of the budgets is used up.

use aether_store::{
    Error,
    finance::{self, CATEGORIES},
};
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    decimals::share,
    error::Failure,
    input::{Scalar, day},
    run::reader,
};

/// Asking for the consumption of budgets.
#[derive(Default)]
pub(crate) struct ConsumptionQuery;

#[Object]
impl ConsumptionQuery {
    /// How much of its approved budget each department has used up, with those below it: in all, and by category. Of several approved versions
    /// of a budget the one that was approved last counts; a line is of the category that it is called after, else of `OTHER`. In your organization's currency. Nothing
    /// for those whose view is confined to a region, for costs are not recorded by region. A
    /// fiscal year is called after the calendar year in which it ends.
    async fn budget_consumption(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The fiscal year.")] fiscal_year: i32,
        #[graphql(desc = "Costs up to this day; today unless given.")] as_of: Option<Scalar<NaiveDate>>,
    ) -> Result<Vec<BudgetConsumption>> {
        if !(1900..=2999).contains(&fiscal_year) {
            return Err(Failure(Error::invalid("fiscalYear", "A fiscal year is from 1900 to 2999.")).into());
        }
        let told = reader(ctx)
            .budget_consumption(fiscal_year, as_of.map(|of| day("asOf", of)).transpose()?)
            .await
            .map_err(Failure)?;
        let mut departments: Vec<BudgetConsumption> = Vec::new();
        for row in told {
            let figures = CostFigures::of(&row)?;
            match (row.category.is_some(), departments.last_mut()) {
                (true, Some(department)) => department.categories.push(figures),
                _ => departments.push(BudgetConsumption {
                    department_id: row.department,
                    name: row.name,
                    parent_id: row.parent,
                    depth: row.depth,
                    through: row.through.map(Scalar),
                    total: figures,
                    categories: Vec::new(),
                }),
            }
        }
        Ok(departments)
    }
}

/// A category of costs.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
enum CostCategory {
    /// Salaries and benefits.
    Payroll,
    /// Software.
    Software,
    /// Travel.
    Travel,
    /// Marketing.
    Marketing,
    /// All else.
    Other,
}

/// How much of its budget a department has used up.
#[derive(SimpleObject)]
struct BudgetConsumption {
    /// The department.
    department_id: Uuid,
    /// Its name.
    name: String,
    /// The department above it; null at the top, and where you do not see it.
    parent_id: Option<Uuid>,
    /// How many departments that you see are above it.
    depth: i32,
    /// The last month for which there are costs, of any department; null without any.
    through: Option<Scalar<NaiveDate>>,
    /// All categories together.
    total: CostFigures,
    /// Each category in which something was granted or spent.
    categories: Vec<CostFigures>,
}

/// What was granted and what was spent, by a department with those below it.
#[derive(SimpleObject)]
struct CostFigures {
    /// The category; null for all.
    category: Option<CostCategory>,
    /// What was granted for the year.
    budget: Option<Scalar<Decimal>>,
    /// What of that was granted for the months up to the last for which there are costs: a third of a quarter for each month.
    budget_to_date: Option<Scalar<Decimal>>,
    /// What was spent.
    actual: Option<Scalar<Decimal>>,
    /// What is left of the year's budget; negative where more was spent.
    remaining: Option<Scalar<Decimal>>,
    /// The share of the year's budget that was spent; above 1 where more was spent. To four places.
    consumed: Option<Scalar<Decimal>>,
    /// What was granted less what was spent to date; negative where more was spent than planned by now.
    variance_to_date: Option<Scalar<Decimal>>,
    /// What was granted the department itself, without those below it.
    own_budget: Option<Scalar<Decimal>>,
    /// What it has spent itself.
    own_actual: Option<Scalar<Decimal>>,
}

impl CostFigures {
    fn of(row: &finance::Consumption) -> Result<Self> {
        let category = match row.category.as_deref() {
            None => None,
            Some(name) => {
                let all = [
                    CostCategory::Payroll,
                    CostCategory::Software,
                    CostCategory::Travel,
                    CostCategory::Marketing,
                    CostCategory::Other,
                ];
                let place = CATEGORIES.iter().position(|known| *known == name);
                Some(
                    place
                        .and_then(|place| all.get(place))
                        .copied()
                        .ok_or_else(|| Failure(Error::internal("a category of no name")))?,
                )
            }
        };
        let spent = row.actual.unwrap_or_default();
        Ok(Self {
            category,
            budget: row.budget.map(Scalar),
            budget_to_date: row.budget_to_date.map(Scalar),
            actual: row.actual.map(Scalar),
            remaining: row.budget.map(|budget| Scalar(budget - spent)),
            consumed: row.budget.and_then(|budget| share(spent, budget)),
            variance_to_date: row.budget_to_date.map(|granted| Scalar(granted - spent)),
            own_budget: row.own_budget.map(Scalar),
            own_actual: row.own_actual.map(Scalar),
        })
    }
}
