//! The metric series: imports and forecasts that people override.

use aether_domain::metric::parse_metrics;
use aether_entity::{financial_metrics, organizations};
use aether_store::{
    Error,
    write::{Upserted, action},
};
use async_graphql::{Context, Object, Result, SimpleObject};
use rust_decimal::Decimal;
use sea_orm::Set;
use uuid::Uuid;

use crate::{
    change::change,
    graph::Row,
    input::{Scalar, money, optional_text, text},
};

/// What a forecast that a person made is marked with.
const BY_HAND: &str = "manual override";

/// What an import did, or would do, counted in lines.
#[derive(SimpleObject)]
struct MetricImport {
    /// Lines that were new.
    inserted: usize,
    /// Lines that changed a value.
    updated: usize,
    /// Lines that said what was known already.
    unchanged: usize,
    /// All lines.
    total: usize,
    /// Whether this only tells what an import would do.
    dry_run: bool,
}

impl MetricImport {
    fn new(counts: Upserted, dry_run: bool) -> Self {
        let Upserted { inserted, updated, unchanged } = counts;
        Self { inserted, updated, unchanged, total: inserted + updated + unchanged, dry_run }
    }
}

/// The metric series.
#[derive(Default)]
pub(crate) struct MetricMutation;

#[Object]
impl MetricMutation {
    /// Imports metrics from CSV: all lines, or none if one of them is wrong. Lines are matched with what is there by date,
    /// metric, region, line of business and product, so importing a file again changes nothing. An empty cell leaves what is
    /// there, but a forecast brings its confidence interval and model. The error tells in `extensions.lines` what is wrong
    /// where: `line`, `field` and `message`, at most 100 times.
    async fn import_metrics(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "CSV, at most 50,000 lines, divided by commas. The first line names the columns: date, metric_type, region, \
                    lob, product, actual, forecast, budget, confidence_lower, confidence_upper, forecast_model, currency. Only \
                    the first two are needed."
        )]
        csv: String,
        #[graphql(desc = "System that the values come from; what is there stays unless given.")] source_system: Option<
            String,
        >,
        #[graphql(desc = "Whether only to tell what would be done; done unless given.")] dry_run: Option<bool>,
    ) -> Result<MetricImport> {
        change(ctx, &action::IMPORT_METRICS, |c| async move {
            let source = optional_text("sourceSystem", source_system, 100)?;
            let lines = parse_metrics(&csv).map_err(Error::Lines)?;
            if dry_run.unwrap_or(false) {
                return Ok(MetricImport::new(c.compare_metrics(&lines, source.as_deref()).await?, true));
            }
            c.about::<organizations::Entity>(c.actor().organization_id);
            Ok(MetricImport::new(c.upsert_metrics(&lines, source.as_deref()).await?, false))
        })
        .await
    }

    /// Overrides the forecast of a metric by hand, with a reason. The confidence interval goes, and the forecast's model
    /// becomes `manual override`. An import that gives a forecast for it replaces it again.
    async fn override_forecast(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The value of the series whose forecast it is.")] metric_id: Uuid,
        #[graphql(desc = "The version of the value that you saw.")] expected_version: i32,
        #[graphql(desc = "The new forecast, in the unit of the actual: its currency, or percent.")]
        forecast_value: Scalar<Decimal>,
        #[graphql(desc = "Why it is overridden.")] reason: String,
    ) -> Result<Row<financial_metrics::Entity>> {
        change(ctx, &action::OVERRIDE_FORECAST, |c| async move {
            c.reason(Some(&text("reason", &reason, 2_000)?), None);
            let value = money("forecastValue", forecast_value.0)?;
            let metric = c.edit::<financial_metrics::Entity>(metric_id, expected_version).await?;
            c.about::<financial_metrics::Entity>(metric_id);
            c.update(metric, |metric| {
                metric.forecast_value = Set(Some(value));
                metric.confidence_lower = Set(None);
                metric.confidence_upper = Set(None);
                metric.forecast_model = Set(Some(BY_HAND.into()));
            })
            .await?;
            Ok(Row::new(metric_id))
        })
        .await
    }
}
