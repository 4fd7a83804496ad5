//! Key figures: each metric in a period, beside its budget, its forecast and what it was before; and what a difference is made of.

use std::collections::BTreeMap;

use aether_domain::metric::{Comparison, Kind as Metric, Nature, apportion};
use aether_store::{
    Error, Result,
    finance::{Dimension, MetricFigure, MetricPeriod, MetricQuestion, ReportingPeriod},
    read::Reader,
};
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// How long a series may be.
const LONGEST_SERIES: i32 = 60;
/// To how many places the parts of a difference of ratios are told.
const PLACES: u32 = 4;

/// What a value is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// What was budgeted.
    Budget,
    /// What was forecast.
    Forecast,
    /// The period before.
    PriorPeriod,
    /// The same period a year before.
    PriorYear,
}

/// Which period is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// How long a time.
    pub period: ReportingPeriod,
    /// A day in it; none for the last that has ended and has actual values.
    pub day: Option<NaiveDate>,
}

/// A metric in a period.
#[derive(Debug, Clone)]
pub struct Kpi {
    /// The metric.
    pub metric: Metric,
    /// The currency of its amounts.
    pub currency: String,
    /// The region, line of business or product, if figures were asked for by one.
    pub slice: Option<String>,
    /// The period.
    pub period: MetricPeriod,
    /// The period that it is compared with.
    pub prior_period: MetricPeriod,
    /// The actual value.
    pub value: Option<Decimal>,
    /// What was budgeted.
    pub budget: Option<Decimal>,
    /// What was forecast.
    pub forecast: Option<Decimal>,
    /// The actual value of the period that it is compared with.
    pub prior: Option<Decimal>,
    /// How many recorded actual values the value stands on.
    pub values: i32,
    /// How the value was worked out.
    pub method: String,
    /// The values of this period and of those before, the oldest first.
    pub series: Vec<KpiPoint>,
}

/// A metric in one of a series of periods.
#[derive(Debug, Clone)]
pub struct KpiPoint {
    /// The period.
    pub period: MetricPeriod,
    /// The actual value.
    pub value: Option<Decimal>,
    /// What was budgeted.
    pub budget: Option<Decimal>,
    /// What was forecast.
    pub forecast: Option<Decimal>,
}

/// What the difference of a metric is made of.
#[derive(Debug, Clone)]
pub struct Variance {
    /// The metric.
    pub metric: Metric,
    /// The currency of its amounts.
    pub currency: String,
    /// The period.
    pub period: MetricPeriod,
    /// The period that it is compared with: the same, against budget and forecast.
    pub basis_period: MetricPeriod,
    /// All of it.
    pub total: Part,
    /// What it is made of; the contributions add up to the difference of the total.
    pub parts: Vec<Part>,
    /// Of a stock against an earlier period: what has come and what has gone.
    pub waterfall: Option<Waterfall>,
}

/// How a stock went from what it was to what it is: `opening + new + expansion − contraction − churn = closing`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waterfall {
    /// What it was.
    pub opening: Decimal,
    /// Parts of which nothing was recorded before.
    pub new: Decimal,
    /// What parts that were there have grown by.
    pub expansion: Decimal,
    /// What parts that are still there have shrunk by.
    pub contraction: Decimal,
    /// Parts of which nothing is recorded any more.
    pub churn: Decimal,
    /// What it is.
    pub closing: Decimal,
}

impl Waterfall {
    fn of(opening: Decimal, closing: Decimal, parts: &[Part]) -> Self {
        let mut of = Self { opening, closing, ..Self::default() };
        for part in parts {
            let change = part.value.unwrap_or_default() - part.basis.unwrap_or_default();
            match (part.basis, part.value) {
                (None, _) => of.new += change,
                (Some(_), None) => of.churn -= change,
                _ if change.is_sign_positive() => of.expansion += change,
                _ => of.contraction -= change,
            }
        }
        of
    }
}

/// A part of a difference.
#[derive(Debug, Clone)]
pub struct Part {
    /// The region, line of business or product; none for the total, and for what is recorded without one.
    pub slice: Option<String>,
    /// The actual value.
    pub value: Option<Decimal>,
    /// What it is compared with.
    pub basis: Option<Decimal>,
    /// What it adds to the difference of the total, in the metric's unit; none where that is not known.
    pub contribution: Option<Decimal>,
    /// Of a ratio: what of the contribution comes from its own change.
    pub rate_effect: Option<Decimal>,
    /// Of a ratio: what of it comes from its greater or smaller share in what the ratio is weighted by.
    pub mix_effect: Option<Decimal>,
}

impl Kpi {
    /// How the value stands against another.
    pub fn against(&self, other: Option<Decimal>) -> Option<Comparison> {
        Comparison::of(self.metric, self.value?, other?)
    }
}

/// The metrics of a period, in the order of their declaration.
///
/// # Errors
/// [`Error::Invalid`] for a series that is too long.
pub async fn kpis(
    reader: &Reader,
    metrics: &[Metric],
    asked: Asked,
    against: Basis,
    by: Option<Dimension>,
    points: i32,
) -> Result<Vec<Kpi>> {
    if !(1..=LONGEST_SERIES).contains(&points) {
        return Err(Error::invalid("points", format!("A series has 1 to {LONGEST_SERIES} periods.")));
    }
    let prior = earlier(asked.period, against);
    let mut months: Vec<i32> = (0..points).map(|place| place * asked.period.step()).chain([prior]).collect();
    months.sort_unstable();
    months.dedup();
    let question =
        MetricQuestion { metrics: metrics.to_vec(), period: asked.period, day: asked.day, months_earlier: months, by };
    let (periods, figures) = reader.metrics(&question).await?;
    let period_of = |months| period_of(&periods, months);
    let mut told: BTreeMap<(Metric, &str, Option<&str>), BTreeMap<i32, &MetricFigure>> = BTreeMap::new();
    for figure in &figures {
        let key = (figure.metric, figure.currency.as_str(), figure.slice.as_deref());
        told.entry(key).or_default().insert(figure.period.months_earlier, figure);
    }
    let mut kpis = told
        .into_iter()
        .map(|((metric, currency, slice), by_months)| {
            let actual = |months: i32| by_months.get(&months).and_then(|figure| figure.actual);
            let now = by_months.get(&0);
            let series = (0..points).rev().map(|place| place * asked.period.step());
            Ok(Kpi {
                metric,
                currency: currency.to_owned(),
                slice: slice.map(ToOwned::to_owned),
                period: period_of(0)?,
                prior_period: period_of(prior)?,
                value: actual(0),
                budget: now.and_then(|figure| figure.budget),
                forecast: now.and_then(|figure| figure.forecast),
                prior: actual(prior),
                values: now.map_or(0, |figure| figure.values),
                method: method(metric, now.copied()),
                series: series
                    .map(|months| {
                        let figure = by_months.get(&months);
                        Ok(KpiPoint {
                            period: period_of(months)?,
                            value: actual(months),
                            budget: figure.and_then(|figure| figure.budget),
                            forecast: figure.and_then(|figure| figure.forecast),
                        })
                    })
                    .collect::<Result<_>>()?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    // Of several currencies one with a value comes first: another may be recorded for earlier periods only.
    kpis.sort_by_key(|kpi| (kpi.metric, kpi.value.is_none()));
    Ok(kpis)
}

/// The period that is so many months earlier.
fn period_of(periods: &[MetricPeriod], months: i32) -> Result<MetricPeriod> {
    let found = periods.iter().find(|period| period.months_earlier == months).copied();
    found.ok_or_else(|| Error::internal("a period that was not answered"))
}

/// How much earlier the period is that one is compared with.
fn earlier(period: ReportingPeriod, basis: Basis) -> i32 {
    match basis {
        Basis::Budget | Basis::Forecast => 0,
        Basis::PriorPeriod => period.months(),
        Basis::PriorYear => 12,
    }
}

/// How a figure was worked out, in words.
fn method(metric: Metric, figure: Option<&MetricFigure>) -> String {
    let mut words = of_nature(metric, figure);
    if figure
        .is_some_and(|figure| figure.weights[0].is_some() && figure.budget.is_some() && figure.weights[1].is_none())
    {
        words += " The budget is an unweighted mean, for its weights are not recorded.";
    }
    if figure.is_some_and(|figure| figure.has_other_division) {
        words += " The same is recorded by several divisions that cannot be added; the one of most values counts.";
    }
    words
}

fn of_nature(metric: Metric, figure: Option<&MetricFigure>) -> String {
    match (metric.nature(), figure.map(|figure| figure.weights[0].is_some())) {
        (Nature::Flow, _) => "Sum over the period.".into(),
        (Nature::Stock, _) => "As it stood in the last month of the period with an actual value, each part as it was recorded last.".into(),
        (Nature::Ratio, Some(true)) => {
            let base = metric.bases().iter().map(|base| base.as_str()).collect::<Vec<_>>().join(", or where that is not recorded by ");
            format!("Mean weighted by {base}.")
        }
        (Nature::Ratio, _) if metric.bases().is_empty() => {
            "Unweighted mean of the recorded values: the numbers of customers, which would weight them, are not recorded.".into()
        }
        (Nature::Ratio, _) => {
            let base = metric.bases().iter().map(|base| base.as_str()).collect::<Vec<_>>().join(" and ");
            format!("Unweighted mean of the recorded values: {base}, which would weight them, is not recorded for each.")
        }
    }
}

/// What the difference of a metric from a basis is made of, for each currency.
pub async fn variances(
    reader: &Reader,
    metric: Metric,
    asked: Asked,
    basis: Basis,
    by: Dimension,
) -> Result<Vec<Variance>> {
    let months = earlier(asked.period, basis);
    let months_earlier = if months == 0 { vec![0] } else { vec![0, months] };
    let question =
        MetricQuestion { metrics: vec![metric], period: asked.period, day: asked.day, months_earlier, by: None };
    let (periods, totals) = reader.metrics(&question).await?;
    // The same period, whatever has been recorded meanwhile.
    let day = Some(period_of(&periods, 0)?.last);
    let question = MetricQuestion { day, by: Some(by), ..question };
    let (_, figures) = reader.metrics(&question).await?;
    let period_of = |months| period_of(&periods, months);
    let mut currencies: Vec<&str> = totals.iter().map(|figure| figure.currency.as_str()).collect();
    currencies.sort_unstable();
    currencies.dedup();
    currencies
        .into_iter()
        .map(|currency| {
            let of = |figures: &[MetricFigure], slice: Option<&str>| {
                let is = |figure: &&MetricFigure, months| {
                    figure.currency == currency
                        && figure.slice.as_deref() == slice
                        && figure.period.months_earlier == months
                };
                let now = figures.iter().find(|figure| is(figure, 0));
                let then = figures.iter().find(|figure| is(figure, months));
                Sides::of(now, then, basis)
            };
            let mut slices: Vec<&str> = figures
                .iter()
                .filter(|figure| figure.currency == currency)
                .filter_map(|figure| figure.slice.as_deref())
                .collect();
            slices.sort_unstable();
            slices.dedup();
            let total = of(&totals, None);
            let sides: Vec<(Option<String>, Sides)> =
                slices.into_iter().map(|slice| (Some(slice.to_owned()), of(&figures, Some(slice)))).collect();
            let parts = match metric.nature() {
                Nature::Flow | Nature::Stock => amounts(&total, sides),
                Nature::Ratio => effects(&total, sides),
            };
            let difference = total.value.zip(total.basis).map(|(value, basis)| (value - basis).round_dp(PLACES));
            let is_earlier = metric.nature() == Nature::Stock && matches!(basis, Basis::PriorPeriod | Basis::PriorYear);
            let waterfall = total.basis.zip(total.value).filter(|_| is_earlier);
            let waterfall = waterfall.map(|(opening, closing)| Waterfall::of(opening, closing, &parts));
            Ok(Variance {
                metric,
                currency: currency.to_owned(),
                period: period_of(0)?,
                basis_period: period_of(months)?,
                total: Part {
                    slice: None,
                    value: total.value,
                    basis: total.basis,
                    contribution: difference,
                    rate_effect: None,
                    mix_effect: None,
                },
                parts,
                waterfall,
            })
        })
        .collect()
}

/// A value and what it is compared with, each with its weight if it is a ratio that has one.
#[derive(Debug, Clone, Copy, Default)]
struct Sides {
    value: Option<Decimal>,
    basis: Option<Decimal>,
    weight: Option<Decimal>,
    basis_weight: Option<Decimal>,
}

impl Sides {
    fn of(now: Option<&MetricFigure>, then: Option<&MetricFigure>, basis: Basis) -> Self {
        let (basis, basis_weight) = match basis {
            Basis::Budget => (now.and_then(|now| now.budget), now.and_then(|now| now.weights[1])),
            Basis::Forecast => (now.and_then(|now| now.forecast), now.and_then(|now| now.weights[2])),
            Basis::PriorPeriod | Basis::PriorYear => {
                (then.and_then(|then| then.actual), then.and_then(|then| then.weights[0]))
            }
        };
        Self { value: now.and_then(|now| now.actual), basis, weight: now.and_then(|now| now.weights[0]), basis_weight }
    }
}

/// What amounts contribute: their own difference. What is recorded without a slice is a part of its own.
fn amounts(total: &Sides, sides: Vec<(Option<String>, Sides)>) -> Vec<Part> {
    let rest = |of: fn(&Sides) -> Option<Decimal>| {
        let parts: Decimal = sides.iter().filter_map(|(_, sides)| of(sides)).sum();
        of(total).map(|total| total - parts).filter(|rest| !rest.is_zero())
    };
    let rest = Sides { value: rest(|sides| sides.value), basis: rest(|sides| sides.basis), ..Sides::default() };
    let has_rest = rest.value.is_some() || rest.basis.is_some();
    let is_compared = total.value.is_some() && total.basis.is_some();
    let of_rest = has_rest.then_some((None, rest));
    let parts = sides.into_iter().chain(of_rest).map(|(slice, sides)| Part {
        slice,
        value: sides.value,
        basis: sides.basis,
        contribution: is_compared.then(|| sides.value.unwrap_or_default() - sides.basis.unwrap_or_default()),
        rate_effect: None,
        mix_effect: None,
    });
    parts.collect()
}

/// What ratios contribute: by their own change (rate), and by their greater or smaller share in what they are weighted by (mix). With
/// the weights' shares `s` and the ratios `r`, now (1) and then (0), and the whole ratio `R0` then: `s1 · (r1 − r0)` and
/// `(s1 − s0) · (r0 − R0)`, which add up to the whole difference.
fn effects(total: &Sides, sides: Vec<(Option<String>, Sides)>) -> Vec<Part> {
    if sides.is_empty() && (total.value.is_some() || total.basis.is_some()) {
        // Recorded, but not so divided.
        let contribution = total.value.zip(total.basis).map(|(value, basis)| (value - basis).round_dp(PLACES));
        let (value, basis) = (total.value, total.basis);
        return vec![Part { slice: None, value, basis, contribution, rate_effect: None, mix_effect: None }];
    }
    let known = total.basis.and_then(|whole| {
        let sum = |of: fn(&Sides) -> Option<Decimal>| sides.iter().filter_map(|(_, sides)| of(sides)).sum::<Decimal>();
        let weights = (sum(|sides| sides.weight), sum(|sides| sides.basis_weight));
        // Each that has a ratio has a weight, and together they are all there is.
        let is_weighted = sides.iter().all(|(_, sides)| {
            sides.value.is_some() == sides.weight.is_some() && sides.basis.is_some() == sides.basis_weight.is_some()
        });
        let is_whole = (Some(weights.0), Some(weights.1)) == (total.weight, total.basis_weight);
        let shares = |of: &Sides| {
            let now = of.weight.unwrap_or_default().checked_div(weights.0)?;
            let then = of.basis_weight.unwrap_or_default().checked_div(weights.1)?;
            Some((now, then))
        };
        if !(is_weighted && is_whole && total.value.is_some()) {
            return None;
        }
        let mut all = Vec::with_capacity(2 * sides.len());
        for (_, sides) in &sides {
            let (now, then) = shares(sides)?;
            let before = sides.basis.unwrap_or(whole);
            let after = sides.value.unwrap_or(before);
            all.push(now * (after - before));
            all.push((now - then) * (before - whole));
        }
        Some(apportion(&all, PLACES))
    });
    let parts = sides.into_iter().enumerate().map(|(place, (slice, sides))| {
        let effect = |which: usize| known.as_ref().and_then(|all| all.get(2 * place + which)).copied();
        let (rate_effect, mix_effect) = (effect(0), effect(1));
        Part {
            slice,
            value: sides.value,
            basis: sides.basis,
            contribution: rate_effect.zip(mix_effect).map(|(rate, mix)| rate + mix),
            rate_effect,
            mix_effect,
        }
    });
    parts.collect()
}
