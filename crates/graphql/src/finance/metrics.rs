//! The metric series: imports and forecasts that people override.

use aether_application::{
    finance::{metric_imports, metrics},
    imported::Imported,
};
use aether_entity as entity;
use async_graphql::{Context, Object, Result};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    input::{Plain, Scalar, why},
    rows::Row,
    run::run,
};

/// What an import did, or would do, counted in lines.
struct MetricImportResult(Imported, Option<Uuid>);

/// What an import did, or would do, counted in lines.
#[Object]
impl MetricImportResult {
    /// Lines that were new.
    async fn inserted(&self) -> usize {
        self.0.inserted
    }

    /// Lines that changed a value.
    async fn updated(&self) -> usize {
        self.0.updated
    }

    /// Lines that said what was known already.
    async fn unchanged(&self) -> usize {
        self.0.unchanged
    }

    /// All lines.
    async fn total(&self) -> usize {
        self.0.total()
    }

    /// Whether this only tells what an import would do.
    async fn dry_run(&self) -> bool {
        self.0.dry_run
    }

    /// The id by which the import can be taken back (`undoMetricImport`); null where nothing was written.
    async fn import_id(&self) -> Option<Uuid> {
        self.1
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
    ) -> Result<MetricImportResult> {
        let (counts, import) = run(ctx, metrics::import_csv(csv, source_system, dry_run)).await?;
        Ok(MetricImportResult(counts, import))
    }

    /// Takes an import of metrics back: what it has inserted is deleted, what it has changed is as it was before. All of it, or nothing
    /// where something of it has been changed since: then later imports are to be taken back first.
    async fn undo_metric_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The import.")] id: Uuid,
        #[graphql(desc = "Why it is taken back.")] reason: String,
    ) -> Result<Row<entity::metric_imports::Entity>> {
        Ok(Row::new(run(ctx, metric_imports::undo(id, why(Some(reason), None))).await?))
    }

    /// Deletes metrics by their ids, and tells how many: all of them, or none where one is not there. The audit trail keeps what they were.
    async fn delete_metrics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Their ids, 1 to 500.")] ids: Vec<Uuid>,
        #[graphql(desc = "Why they are deleted.")] reason: String,
    ) -> Result<usize> {
        run(ctx, metric_imports::delete(ids, why(Some(reason), None))).await
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
