//! The metric series: imports and forecasts that people override.

use aether_domain::metric::parse_metrics;
use aether_entity::{financial_metrics, organizations};
use aether_store::{
    Error,
    write::{UseCase, action},
};
use rust_decimal::Decimal;
use sea_orm::Set;
use uuid::Uuid;

use super::metric_series::{self, Upserted};
use crate::{
    check::{money, optional_text},
    reason::Reason,
};

/// What a forecast that a person made is marked with.
const BY_HAND: &str = "manual override";

/// What an import did, or would do.
pub struct MetricImport {
    /// Rows that are new.
    pub inserted: usize,
    /// Rows that changed.
    pub updated: usize,
    /// Rows that say what is known.
    pub unchanged: usize,
    pub total: usize,
    /// Whether nothing was written.
    pub dry_run: bool,
}

impl MetricImport {
    fn new(counts: Upserted, dry_run: bool) -> Self {
        let Upserted { inserted, updated, unchanged } = counts;
        Self { inserted, updated, unchanged, total: inserted + updated + unchanged, dry_run }
    }
}

/// Imports metrics from CSV: all lines, or none if one of them is wrong.
pub fn import_csv(csv: String, source_system: Option<String>, dry_run: Option<bool>) -> UseCase<MetricImport> {
    UseCase::new(&action::IMPORT_METRICS, move |c| {
        Box::pin(async move {
            let source = optional_text("sourceSystem", source_system, 100)?;
            let lines = parse_metrics(&csv).map_err(Error::Lines)?;
            if dry_run.unwrap_or(false) {
                return Ok(MetricImport::new(metric_series::compare(c, &lines, source.as_deref()).await?, true));
            }
            c.about::<organizations::Entity>(c.actor().organization_id);
            Ok(MetricImport::new(metric_series::upsert(c, &lines, source.as_deref()).await?, false))
        })
    })
}

/// Overrides the forecast of a metric by hand, with a reason.
pub fn override_forecast(
    metric_id: Uuid,
    expected_version: i32,
    forecast_value: Decimal,
    reason: Reason,
) -> UseCase<Uuid> {
    UseCase::new(&action::OVERRIDE_FORECAST, move |c| {
        Box::pin(async move {
            reason.demand(c)?;
            let value = money("forecastValue", forecast_value)?;
            let metric = c.edit::<financial_metrics::Entity>(metric_id, expected_version).await?;
            c.about::<financial_metrics::Entity>(metric_id);
            c.update(metric, |metric| {
                metric.forecast_value = Set(Some(value));
                metric.confidence_lower = Set(None);
                metric.confidence_upper = Set(None);
                metric.forecast_model = Set(Some(BY_HAND.into()));
            })
            .await?;
            Ok(metric_id)
        })
    })
}
