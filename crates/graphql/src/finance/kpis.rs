//! Key figures and variances.

use aether_application::finance::kpis::{self, Asked, Basis};
use aether_domain::metric::{self, Kind as Metric, Unit};
use aether_entity::sea_orm_active_enums::MetricType;
use aether_store::{Error, finance::MetricPeriod, value::label};
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::{
    decimals::with_places,
    error::Failure,
    input::{Choice, Scalar, day},
    run::reader,
};

/// Asking for key figures.
#[derive(Default)]
pub(crate) struct KpiQuery;

#[Object]
impl KpiQuery {
    /// The metrics of a period, beside budget, forecast and an earlier period, with the series that leads there.
    ///
    /// Flows (revenue, EBITDA, operating expense, cash flow, net income) add up over the period; stocks (ARR, MRR) are as they stood in its last
    /// month with an actual value; ratios are weighted by what they are a share of, or their unweighted mean, as `method` says. A row that is
    /// recorded beneath another of the same month (a region beside the total) is not counted twice, and currencies are kept apart: one figure
    /// each. Once a period has actual values, budget and forecast are those of the months that have some. Quarters and years are those of your
    /// organization's fiscal year. What is not recorded is null, never zero; a metric of which nothing is recorded in the whole series is left out.
    #[allow(clippy::too_many_arguments)]
    async fn kpis(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which metrics; all unless given.")] types: Option<Vec<Choice<MetricType>>>,
        #[graphql(desc = "How long a time.", default_with = "ReportingPeriod::Month")] period: ReportingPeriod,
        #[graphql(desc = "A day in the period; unless given, the last one that has ended and has actual values.")]
        of: Option<Scalar<NaiveDate>>,
        #[graphql(desc = "The earlier period to compare with.", default_with = "EarlierPeriod::PriorPeriod")]
        compare_to: EarlierPeriod,
        #[graphql(desc = "One figure for each value of this; the total unless given.")] by: Option<MetricDimension>,
        #[graphql(desc = "How many periods the series has, this one included: 1 to 60.", default = 13)] points: i32,
    ) -> Result<Vec<Kpi>> {
        let metrics = match types {
            Some(types) => types.into_iter().map(|Choice(ty)| metric(&ty)).collect::<Result<Vec<_>>>()?,
            None => Metric::ALL.to_vec(),
        };
        let asked = Asked { period: period.into(), day: of.map(|of| day("of", of)).transpose()? };
        let kpis = kpis::kpis(reader(ctx), &metrics, asked, compare_to.into(), by.map(Into::into), points);
        Ok(kpis.await.map_err(Failure)?.into_iter().map(Kpi).collect())
    }

    /// What the difference of a metric from its budget, its forecast or an earlier period is made of: parts by region, line of business or
    /// product that add up exactly to the difference, one answer for each currency.
    ///
    /// Of amounts each part adds its own difference. Of ratios it adds by its own change and by its greater or smaller weight (rate and mix),
    /// in points rounded so that they add up (largest remainder). Parts of which only one side is recorded count as a whole.
    #[allow(clippy::too_many_arguments)]
    async fn variance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The metric.")] metric_type: Choice<MetricType>,
        #[graphql(desc = "What it is compared with.")] against: VarianceBasis,
        #[graphql(desc = "How long a time.", default_with = "ReportingPeriod::Month")] period: ReportingPeriod,
        #[graphql(desc = "A day in the period; unless given, the last one that has ended and has actual values.")]
        of: Option<Scalar<NaiveDate>>,
        #[graphql(desc = "What the parts are.", default_with = "MetricDimension::Region")] by: MetricDimension,
    ) -> Result<Vec<Variance>> {
        let metric = metric(&metric_type.0)?;
        let asked = Asked { period: period.into(), day: of.map(|of| day("of", of)).transpose()? };
        let variances = kpis::variances(reader(ctx), metric, asked, against.into(), by.into()).await;
        Ok(variances.map_err(Failure)?.into_iter().map(Variance).collect())
    }
}

fn metric(ty: &MetricType) -> Result<Metric> {
    let metric = Metric::from_name(&label(ty));
    Ok(metric.ok_or_else(|| Failure(Error::internal("a metric that the domain lacks")))?)
}

/// The metric as the schema has it.
fn metric_type(metric: Metric) -> Result<Choice<MetricType>> {
    Choice::of_label(metric.as_str())
}

/// How long a time figures are for; quarters and years are those of your organization's fiscal year.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "aether_store::finance::ReportingPeriod")]
enum ReportingPeriod {
    /// A month.
    Month,
    /// A fiscal quarter.
    Quarter,
    /// A fiscal year.
    Year,
    /// From the first day of the fiscal year to the end of the month.
    YearToDate,
    /// Twelve months to the end of the month.
    LastTwelveMonths,
}

/// An earlier period.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
enum EarlierPeriod {
    /// The one before, without a day in common: of a year to date, the year before to that date.
    PriorPeriod,
    /// The same a year before.
    PriorYear,
}

/// What a value is compared with.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "aether_application::finance::kpis::Basis")]
enum VarianceBasis {
    /// What was budgeted.
    Budget,
    /// What was forecast.
    Forecast,
    /// The period before.
    PriorPeriod,
    /// The same period a year before.
    PriorYear,
}

/// By what the figures of a metric are divided.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "aether_store::finance::Dimension")]
enum MetricDimension {
    /// The region.
    Region,
    /// The line of business.
    LineOfBusiness,
    /// The product.
    Product,
}

/// In what a metric's values are.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "aether_domain::metric::Unit")]
enum MetricUnit {
    /// An amount in the currency of the figure.
    Amount,
    /// An amount per customer, in the currency of the figure.
    AmountPerCustomer,
    /// Percent: `3.25` is 3.25 %; differences are in percentage points.
    Percent,
}

/// Whether a difference is good: more of what is earned, less of what is spent or lost.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "aether_domain::metric::Status")]
enum VarianceStatus {
    /// Better.
    Favorable,
    /// Worse.
    Unfavorable,
    /// Neither.
    Unchanged,
}

impl From<EarlierPeriod> for Basis {
    fn from(period: EarlierPeriod) -> Self {
        match period {
            EarlierPeriod::PriorPeriod => Self::PriorPeriod,
            EarlierPeriod::PriorYear => Self::PriorYear,
        }
    }
}

/// A period that figures are for.
#[derive(SimpleObject)]
struct FinancePeriod {
    /// Its first day.
    first: Scalar<NaiveDate>,
    /// Its last day.
    last: Scalar<NaiveDate>,
    /// Whether it has ended, today in your organization's timezone; until then its figures grow.
    is_complete: bool,
}

impl From<MetricPeriod> for FinancePeriod {
    fn from(period: MetricPeriod) -> Self {
        Self { first: Scalar(period.first), last: Scalar(period.last), is_complete: period.is_complete }
    }
}

/// How a value stands against another.
#[derive(SimpleObject)]
pub(super) struct Comparison {
    /// The value less the other, in the metric's unit: of percentages, in percentage points. To four places.
    difference: Scalar<Decimal>,
    /// The difference in percent of the other's size; null of percentages, and where the other is zero. To four places.
    percent: Option<Scalar<Decimal>>,
    /// Whether that is good.
    status: VarianceStatus,
}

impl From<metric::Comparison> for Comparison {
    fn from(of: metric::Comparison) -> Self {
        let four = |value| with_places(value, 4);
        Self { difference: four(of.difference), percent: of.percent.map(four), status: of.status.into() }
    }
}

/// A metric in a period.
struct Kpi(kpis::Kpi);

/// A metric in a period.
#[Object]
impl Kpi {
    /// The metric.
    async fn metric_type(&self) -> Result<Choice<MetricType>> {
        metric_type(self.0.metric)
    }

    /// The region, line of business or product that was asked for; null for the total. What the total has beyond them, `variance` tells.
    async fn slice(&self) -> Option<&str> {
        self.0.slice.as_deref()
    }

    /// In what the values are.
    async fn unit(&self) -> MetricUnit {
        self.0.metric.unit().into()
    }

    /// The currency of amounts (ISO 4217).
    async fn currency(&self) -> &str {
        &self.0.currency
    }

    /// The period.
    async fn period(&self) -> FinancePeriod {
        self.0.period.into()
    }

    /// The actual value.
    async fn value(&self) -> Option<Scalar<Decimal>> {
        shown(self.0.metric, self.0.value)
    }

    /// What was budgeted, for the months with actual values if there are any; of a stock, for the month of the value.
    async fn budget(&self) -> Option<Scalar<Decimal>> {
        shown(self.0.metric, self.0.budget)
    }

    /// What was forecast, for the months with actual values if there are any; of a stock, for the month of the value.
    async fn forecast(&self) -> Option<Scalar<Decimal>> {
        shown(self.0.metric, self.0.forecast)
    }

    /// The period that the value is compared with.
    async fn prior_period(&self) -> FinancePeriod {
        self.0.prior_period.into()
    }

    /// The actual value of that period.
    async fn prior(&self) -> Option<Scalar<Decimal>> {
        shown(self.0.metric, self.0.prior)
    }

    /// The value against that of the earlier period.
    async fn change(&self) -> Option<Comparison> {
        self.0.against(self.0.prior).map(Into::into)
    }

    /// The value against the budget.
    async fn against_budget(&self) -> Option<Comparison> {
        self.0.against(self.0.budget).map(Into::into)
    }

    /// The value against the forecast.
    async fn against_forecast(&self) -> Option<Comparison> {
        self.0.against(self.0.forecast).map(Into::into)
    }

    /// How many recorded actual values the value stands on.
    async fn values(&self) -> i32 {
        self.0.values
    }

    /// How the value was worked out.
    async fn method(&self) -> &str {
        &self.0.method
    }

    /// The values of this period and of those before, the oldest first.
    async fn series(&self) -> Vec<KpiPoint> {
        let point = |point: &kpis::KpiPoint| KpiPoint {
            period: point.period.into(),
            value: shown(self.0.metric, point.value),
            budget: shown(self.0.metric, point.budget),
            forecast: shown(self.0.metric, point.forecast),
        };
        self.0.series.iter().map(point).collect()
    }
}

/// A metric in one of a series of periods.
#[derive(SimpleObject)]
struct KpiPoint {
    /// The period.
    period: FinancePeriod,
    /// The actual value.
    value: Option<Scalar<Decimal>>,
    /// What was budgeted.
    budget: Option<Scalar<Decimal>>,
    /// What was forecast.
    forecast: Option<Scalar<Decimal>>,
}

/// What the difference of a metric is made of.
struct Variance(kpis::Variance);

/// What the difference of a metric is made of.
#[Object]
impl Variance {
    /// The metric.
    async fn metric_type(&self) -> Result<Choice<MetricType>> {
        metric_type(self.0.metric)
    }

    /// In what the values are.
    async fn unit(&self) -> MetricUnit {
        self.0.metric.unit().into()
    }

    /// The currency of amounts (ISO 4217).
    async fn currency(&self) -> &str {
        &self.0.currency
    }

    /// The period.
    async fn period(&self) -> FinancePeriod {
        self.0.period.into()
    }

    /// The period that it is compared with; against budget and forecast the same.
    async fn basis_period(&self) -> FinancePeriod {
        self.0.basis_period.into()
    }

    /// All of it.
    async fn total(&self) -> VariancePart {
        VariancePart::of(self.0.metric, &self.0.total)
    }

    /// What it is made of: the contributions add up to the difference of the total.
    async fn parts(&self) -> Vec<VariancePart> {
        self.0.parts.iter().map(|part| VariancePart::of(self.0.metric, part)).collect()
    }

    /// Of recurring revenue (ARR, MRR) against an earlier period: what has come and what has gone, by the parts that were asked for. Null of other
    /// metrics, against budget and forecast, and where one side is not recorded.
    async fn waterfall(&self) -> Option<RecurringRevenueWaterfall> {
        self.0.waterfall.map(Into::into)
    }
}

/// How recurring revenue went from what it was to what it is: opening, plus new, plus expansion, less contraction, less churn, is closing, to the
/// cent. What has come and gone is told by the parts that are recorded: where a part is a product sold to many, customers that came and went
/// within it are in its expansion or contraction.
#[derive(SimpleObject)]
struct RecurringRevenueWaterfall {
    /// What it was in the earlier period.
    opening: Scalar<Decimal>,
    /// Parts of which nothing was recorded in the earlier period.
    new: Scalar<Decimal>,
    /// What parts that were there have grown by.
    expansion: Scalar<Decimal>,
    /// What parts that are still there have shrunk by.
    contraction: Scalar<Decimal>,
    /// Parts of which nothing is recorded any more.
    churn: Scalar<Decimal>,
    /// What it is.
    closing: Scalar<Decimal>,
}

impl From<kpis::Waterfall> for RecurringRevenueWaterfall {
    fn from(of: kpis::Waterfall) -> Self {
        let cents = |value| with_places(value, 2);
        Self {
            opening: cents(of.opening),
            new: cents(of.new),
            expansion: cents(of.expansion),
            contraction: cents(of.contraction),
            churn: cents(of.churn),
            closing: cents(of.closing),
        }
    }
}

/// A part of a difference.
#[derive(SimpleObject)]
struct VariancePart {
    /// The region, line of business or product; null for the total, and for what it has beyond its parts.
    slice: Option<String>,
    /// The actual value.
    value: Option<Scalar<Decimal>>,
    /// What it is compared with.
    basis: Option<Scalar<Decimal>>,
    /// How the value stands against that.
    comparison: Option<Comparison>,
    /// What it adds to the difference of the total, in the metric's unit (of percentages, in points); null where only one side of the total is
    /// recorded, and of ratios that are not weighted.
    contribution: Option<Scalar<Decimal>>,
    /// Whether that is good.
    status: Option<VarianceStatus>,
    /// Of a ratio: what of the contribution comes from its own change.
    rate_effect: Option<Scalar<Decimal>>,
    /// Of a ratio: what of it comes from its greater or smaller share in what the ratio is weighted by.
    mix_effect: Option<Scalar<Decimal>>,
}

impl VariancePart {
    fn of(metric: Metric, part: &kpis::Part) -> Self {
        let comparison =
            part.value.zip(part.basis).and_then(|(value, basis)| metric::Comparison::of(metric, value, basis));
        Self {
            slice: part.slice.clone(),
            value: shown(metric, part.value),
            basis: shown(metric, part.basis),
            comparison: comparison.map(Into::into),
            contribution: shown(metric, part.contribution),
            status: part.contribution.map(|contribution| metric::Status::of(metric, contribution).into()),
            rate_effect: shown(metric, part.rate_effect),
            mix_effect: shown(metric, part.mix_effect),
        }
    }
}

/// A value as it is told: amounts to the cent, ratios to four places.
fn shown(metric: Metric, value: Option<Decimal>) -> Option<Scalar<Decimal>> {
    let places = if metric.unit() == Unit::Percent { 4 } else { 2 };
    value.map(|value| with_places(value, places))
}
