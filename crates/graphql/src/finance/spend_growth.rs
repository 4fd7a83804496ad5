//! How the spend on vendors has grown, and which contracts end.

use aether_application::finance::spend_growth::{self, Moved};
use aether_domain::metric::{self, Kind as Metric};
use aether_store::{
    Error,
    finance::{self, Months},
};
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::kpis::Comparison;
use crate::{
    decimals::with_places,
    error::Failure,
    input::{Scalar, day, year_before},
    run::reader,
};

/// How many movers are told at once at most.
const MOST_MOVERS: i32 = 500;
/// Within how many days a contract may end: a hundred years.
const MOST_DAYS: i32 = 36_525;

/// Asking about vendors.
#[derive(Default)]
pub(crate) struct VendorQuery;

#[Object]
impl VendorQuery {
    /// How the spend on vendors has grown from some months to others, and the vendors or categories that moved it most. The movers and the others
    /// add up to the total.
    #[allow(clippy::too_many_arguments)]
    async fn vendor_spend_growth(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A day in the first month.")] since: Scalar<NaiveDate>,
        #[graphql(desc = "A day in the last month.")] until: Scalar<NaiveDate>,
        #[graphql(desc = "A day in the first month to compare with; a year before `since` unless given.")]
        compared_since: Option<Scalar<NaiveDate>>,
        #[graphql(desc = "A day in the last month to compare with; a year before `until` unless given.")]
        compared_until: Option<Scalar<NaiveDate>>,
        #[graphql(desc = "Who moved it.", default_with = "SpendDimension::Vendor")] by: SpendDimension,
        #[graphql(desc = "How many movers, up to 500.", default = 10)] first: i32,
    ) -> Result<VendorSpendGrowth> {
        if !(0..=MOST_MOVERS).contains(&first) {
            return Err(Failure(Error::invalid("first", format!("`first` must be from 0 to {MOST_MOVERS}."))).into());
        }
        let (since, until) = (day("since", since)?, day("until", until)?);
        let months = months("until", since, until)?;
        let compared = self::months(
            "comparedUntil",
            compared_since.map_or_else(|| year_before("since", since), |since| day("comparedSince", since))?,
            compared_until.map_or_else(|| year_before("since", until), |until| day("comparedUntil", until))?,
        )?;
        let first = usize::try_from(first).unwrap_or_default();
        let growth = spend_growth::growth(reader(ctx), months, compared, by.into(), first).await.map_err(Failure)?;
        Ok(VendorSpendGrowth {
            currency: growth.currency,
            months: months.into(),
            compared_months: compared.into(),
            total: SpendFigures::of(growth.total),
            movers: growth.movers.into_iter().map(SpendFigures::of).collect(),
            others: growth.others.map(SpendFigures::of),
        })
    }

    /// The contracts of active vendors that end within so many days from today, the next one first.
    async fn contracts_ending(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Within how many days, up to 36,525.", default = 90)] within_days: i32,
    ) -> Result<Vec<EndingContract>> {
        if !(0..=MOST_DAYS).contains(&within_days) {
            let message = format!("This must be a number of days from 0 to {MOST_DAYS}.");
            return Err(Failure(Error::invalid("withinDays", message)).into());
        }
        let contracts = reader(ctx).ending_contracts(within_days).await.map_err(Failure)?;
        Ok(contracts.into_iter().map(EndingContract::of).collect())
    }
}

/// The months of these days.
fn months(field: &str, first: NaiveDate, last: NaiveDate) -> Result<Months> {
    let begin = |day: NaiveDate| day.with_day(1).unwrap_or(day);
    let (first, last) = (begin(first), begin(last));
    if last < first {
        return Err(Failure(Error::invalid(field, "The last month is before the first.")).into());
    }
    Ok(Months { first, last })
}

/// By what spend is divided.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "aether_store::finance::SpendDimension")]
enum SpendDimension {
    /// The vendor.
    Vendor,
    /// The category of vendors.
    Category,
}

/// Months, from one to another, both included.
#[derive(SimpleObject)]
struct MonthRange {
    /// The first day of the first.
    first: Scalar<NaiveDate>,
    /// The first day of the last.
    last: Scalar<NaiveDate>,
}

impl From<Months> for MonthRange {
    fn from(months: Months) -> Self {
        Self { first: Scalar(months.first), last: Scalar(months.last) }
    }
}

/// How spend has grown.
#[derive(SimpleObject)]
struct VendorSpendGrowth {
    /// The currency of the amounts, which is that of your organization (ISO 4217).
    currency: String,
    /// The months.
    months: MonthRange,
    /// Those that they are compared with.
    compared_months: MonthRange,
    /// All of it.
    total: SpendFigures,
    /// Those whose spend changed most, in that order.
    movers: Vec<SpendFigures>,
    /// All others together; null where there are none.
    others: Option<SpendFigures>,
}

/// What was spent in some months and in others.
#[derive(SimpleObject)]
struct SpendFigures {
    /// The vendor; null by category, for the total and the others.
    vendor_id: Option<Uuid>,
    /// Its name.
    name: Option<String>,
    /// The category; null for the total and the others.
    category: Option<String>,
    /// What was spent; null where nothing is recorded.
    spent: Option<Scalar<Decimal>>,
    /// What was budgeted for these months.
    budget: Option<Scalar<Decimal>>,
    /// What was spent in the months that they are compared with.
    compared: Option<Scalar<Decimal>>,
    /// The one against the other: more is unfavorable. Null where only one is recorded.
    change: Option<Comparison>,
    /// What it adds to the growth of the total, in percentage points of what was spent then: those of all movers and the others add up to the
    /// growth in percent. To four places.
    contribution: Option<Scalar<Decimal>>,
    /// How many recorded months of vendors that stands on.
    months: i32,
    /// The same of the months that they are compared with.
    compared_months: i32,
}

impl SpendFigures {
    fn of(Moved { spend, contribution }: Moved) -> Self {
        let cents = |value: Option<Decimal>| value.map(|value| with_places(value, 2));
        let change = spend.spent.zip(spend.compared).and_then(|(spent, compared)| {
            metric::Comparison::of(Metric::OperatingExpense, spent, compared).map(Into::into)
        });
        Self {
            vendor_id: spend.vendor,
            name: spend.name,
            category: spend.category,
            spent: cents(spend.spent),
            budget: cents(spend.budget),
            compared: cents(spend.compared),
            change,
            contribution: contribution.map(|points| with_places(points, 4)),
            months: spend.months,
            compared_months: spend.compared_months,
        }
    }
}

/// A contract that ends.
#[derive(SimpleObject)]
struct EndingContract {
    /// The vendor.
    vendor_id: Uuid,
    /// Its name.
    name: String,
    /// Its category.
    category: String,
    /// The last day of the contract.
    contract_end_date: Scalar<NaiveDate>,
    /// How many days are left, today in your organization's timezone.
    days_left: i32,
    /// Whether it renews itself.
    auto_renewal: bool,
    /// Its value over its whole term.
    contract_value: Option<Scalar<Decimal>>,
    /// What was spent on the vendor in the last twelve months for which any spend is recorded; null without any.
    spent_last_twelve_months: Option<Scalar<Decimal>>,
    /// The currency of the amounts, which is that of your organization (ISO 4217).
    currency: String,
}

impl EndingContract {
    fn of(contract: finance::EndingContract) -> Self {
        let cents = |value: Option<Decimal>| value.map(|value| with_places(value, 2));
        Self {
            vendor_id: contract.vendor,
            name: contract.name,
            category: contract.category,
            contract_end_date: Scalar(contract.ends),
            days_left: contract.days_left,
            auto_renewal: contract.auto_renewal,
            contract_value: cents(contract.value),
            spent_last_twelve_months: cents(contract.spent),
            currency: contract.currency,
        }
    }
}
