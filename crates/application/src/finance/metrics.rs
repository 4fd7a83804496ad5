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

use super::metric_series::{self, Lines};
use crate::{
    check::{money, optional_text},
    imported::Imported,
    reason::Reason,
};

/// What a forecast that a person made is marked with.
const BY_HAND: &str = "manual override";

/// Imports metrics from CSV: all lines, or none if one of them is wrong. Tells the counts, and the id by which it can be taken back.
pub fn import_csv(
    csv: String,
    source_system: Option<String>,
    dry_run: Option<bool>,
) -> UseCase<(Imported, Option<Uuid>)> {
    UseCase::new(&action::IMPORT_METRICS, move |c| {
        Box::pin(async move {
            let source = optional_text("sourceSystem", source_system, 100)?;
            let lines = Lines::settle(c, parse_metrics(&csv).map_err(Error::Lines)?).await?;
            if dry_run.unwrap_or(false) {
                return Ok((metric_series::compare(c, &lines, source.as_deref()).await?, None));
            }
            c.about::<organizations::Entity>(c.actor().organization_id);
            metric_series::upsert(c, &lines, source.as_deref()).await
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
