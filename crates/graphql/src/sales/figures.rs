//! How deals go through the pipeline: funnel, win rate, forecast.

use aether_entity::sea_orm_active_enums::DealStage;
use aether_store::{
    Error,
    finance::{self, Days},
};
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::{
    decimals::{share, with_places},
    error::Failure,
    input::{Choice, Scalar, day},
    run::reader,
};

/// Asking how deals go through the pipeline.
#[derive(Default)]
pub(crate) struct SalesQuery;

#[Object]
impl SalesQuery {
    /// What became of the deals that entered each open stage in these days: how many went on, went back, were lost, are there still, and
    /// how long they were there. Out of the history of the deals; a deal that enters a stage twice counts twice.
    async fn sales_funnel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day.")] since: Scalar<NaiveDate>,
        #[graphql(desc = "The last day; today unless given.")] until: Option<Scalar<NaiveDate>>,
    ) -> Result<Vec<FunnelStage>> {
        let flows = reader(ctx).stage_flows(days(since, until)?).await.map_err(Failure)?;
        flows.into_iter().map(FunnelStage::of).collect()
    }

    /// What was won of the deals that were closed in these days, one answer for each currency.
    async fn win_rates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day.")] since: Scalar<NaiveDate>,
        #[graphql(desc = "The last day; today unless given.")] until: Option<Scalar<NaiveDate>>,
        #[graphql(desc = "One answer for each of these; all together unless given.")] by: Option<DealDimension>,
    ) -> Result<Vec<WinRate>> {
        let closed = reader(ctx).closed_deals(days(since, until)?, by.map(Into::into)).await.map_err(Failure)?;
        Ok(closed.into_iter().map(WinRate::of).collect())
    }

    /// What your organization's fiscal quarter that runs, and the next, may bring, one answer for each quarter and currency.
    async fn sales_forecast(&self, ctx: &Context<'_>) -> Result<Vec<SalesForecast>> {
        let forecasts = reader(ctx).quarter_forecasts().await.map_err(Failure)?;
        Ok(forecasts.into_iter().map(SalesForecast::of).collect())
    }
}

pub(super) fn days(since: Scalar<NaiveDate>, until: Option<Scalar<NaiveDate>>) -> Result<Days> {
    let (first, last) = (day("since", since)?, until.map(|until| day("until", until)).transpose()?);
    if last.is_some_and(|last| last < first) {
        return Err(Failure(Error::invalid("until", "The last day is before the first.")).into());
    }
    Ok(Days { first, last })
}

/// By what figures of deals are divided.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "aether_store::finance::DealDimension")]
pub(super) enum DealDimension {
    /// Who owns them.
    Owner,
    /// The sales region.
    Region,
    /// The customer segment.
    Segment,
}

/// What became of the deals that entered a stage.
#[derive(SimpleObject)]
struct FunnelStage {
    /// The stage.
    stage: Choice<DealStage>,
    /// How often it was entered.
    entered: i32,
    /// How often it was left for a later stage, or the deal was won.
    advanced: i32,
    /// How often the deal went back to an earlier stage.
    went_back: i32,
    /// How often the deal was lost from there.
    lost: i32,
    /// How many are there still.
    open: i32,
    /// The share that advanced of those that have left, from 0 to 1; null while none has. To four places.
    conversion: Option<Scalar<Decimal>>,
    /// The median of the days that those who have left were there.
    median_days: Option<Scalar<Decimal>>,
    /// The mean of these days.
    mean_days: Option<Scalar<Decimal>>,
}

impl FunnelStage {
    fn of(flow: finance::StageFlow) -> Result<Self> {
        Ok(Self {
            stage: Choice::of_label(&flow.stage)?,
            entered: flow.entered,
            advanced: flow.advanced,
            went_back: flow.went_back,
            lost: flow.lost,
            open: flow.open,
            conversion: share(flow.advanced.into(), (flow.entered - flow.open).into()),
            median_days: flow.median_days.map(Scalar),
            mean_days: flow.mean_days.map(Scalar),
        })
    }
}

/// What was won of what was closed, in one currency.
#[derive(SimpleObject)]
struct WinRate {
    /// The owner's name, the region or the segment, as it was asked for; null for all together, and of deals without one.
    slice: Option<String>,
    /// The currency of the values (ISO 4217).
    currency: String,
    /// How many deals were won.
    won: i32,
    /// How many were lost.
    lost: i32,
    /// The share of deals that were won, from 0 to 1. To four places.
    rate: Option<Scalar<Decimal>>,
    /// The value of those won.
    won_value: Option<Scalar<Decimal>>,
    /// The value of those lost.
    lost_value: Option<Scalar<Decimal>>,
    /// The share of the value that was won, from 0 to 1. To four places.
    rate_by_value: Option<Scalar<Decimal>>,
    /// The mean number of days from the first contact to the close of those won.
    days_to_win: Option<Scalar<Decimal>>,
}

impl WinRate {
    fn of(closed: finance::Closed) -> Self {
        let (won, lost) = (closed.won_value.unwrap_or_default(), closed.lost_value.unwrap_or_default());
        Self {
            rate: share(closed.won.into(), (closed.won + closed.lost).into()),
            rate_by_value: share(won, won + lost),
            slice: closed.slice,
            currency: closed.currency,
            won: closed.won,
            lost: closed.lost,
            won_value: closed.won_value.map(Scalar),
            lost_value: closed.lost_value.map(Scalar),
            days_to_win: closed.days_to_win.map(Scalar),
        }
    }
}

/// What a quarter may bring, in one currency.
#[derive(SimpleObject)]
struct SalesForecast {
    /// How many quarters ahead: 0 is the one that runs.
    ahead: i32,
    /// The first day of the quarter.
    first: Scalar<NaiveDate>,
    /// Its last day.
    last: Scalar<NaiveDate>,
    /// The currency (ISO 4217).
    currency: String,
    /// What is won already.
    committed: Option<Scalar<Decimal>>,
    /// That, and the open deals that are expected to close in the quarter, each weighted by its probability.
    weighted: Option<Scalar<Decimal>>,
    /// That, and all open deals that are expected to close in the quarter.
    best: Option<Scalar<Decimal>>,
    /// How many deals are won already.
    won_deals: i32,
    /// How many open deals are expected to close in the quarter.
    open_deals: i32,
    /// How many open deals were expected to close before today; those of this quarter are in its figures, too.
    overdue_deals: i32,
    /// Their value; told with the quarter that runs.
    overdue: Option<Scalar<Decimal>>,
}

impl SalesForecast {
    fn of(forecast: finance::QuarterForecast) -> Self {
        let with = |open: Option<Decimal>| match (forecast.committed, open) {
            (None, None) => None,
            (committed, open) => Some(with_places(committed.unwrap_or_default() + open.unwrap_or_default(), 2)),
        };
        Self {
            ahead: forecast.ahead,
            first: Scalar(forecast.first),
            last: Scalar(forecast.last),
            committed: forecast.committed.map(|value| with_places(value, 2)),
            weighted: with(forecast.open_weighted),
            best: with(forecast.open),
            currency: forecast.currency,
            won_deals: forecast.won_deals,
            open_deals: forecast.open_deals,
            overdue_deals: forecast.overdue_deals,
            overdue: forecast.overdue.map(|value| with_places(value, 2)),
        }
    }
}
