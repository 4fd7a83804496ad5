//! The metric series: imports and forecasts that people override.

use aether_application::{finance::metrics, imported::Imported};
use aether_entity as entity;
use async_graphql::{Context, Object, Result, SimpleObject};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    input::{Plain, Scalar, why},
    rows::Row,
    run::run,
};

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
        Ok(run(ctx, metrics::import_csv(csv, source_system, dry_run)).await?.into())
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
    ) -> Result<Row<entity::financial_metrics::Entity>> {
        let id = run(
            ctx,
            metrics::override_forecast(metric_id, expected_version, forecast_value.plain(), why(Some(reason), None)),
        )
        .await?;
        Ok(Row::new(id))
    }
}

impl From<Imported> for MetricImport {
    fn from(imported: Imported) -> Self {
        let Imported { inserted, updated, unchanged, dry_run } = imported;
        Self { inserted, updated, unchanged, total: imported.total(), dry_run }
    }
}
