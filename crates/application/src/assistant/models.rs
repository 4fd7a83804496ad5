//! The registry of models: registered, measured, retired.

use aether_entity::{
    ai_model_metrics, ai_models,
    sea_orm_active_enums::{AiModelType, ModelStatus},
};
use aether_store::{
    Error, Result,
    policy::Permission,
    write::{Change, UseCase, action},
};
use chrono::{DateTime, FixedOffset, NaiveDate};
use rust_decimal::Decimal;
use sea_orm::{EntityTrait, Set};
use serde_json::json;
use uuid::Uuid;

use crate::{
    check::{optional_text, text},
    reason::Reason,
};

type Ratio = Option<Decimal>;

type Time = Option<DateTime<FixedOffset>>;

/// A model to register, in one version. Ratios are between 0 and 1.
pub struct NewModel {
    pub name: String,
    pub version: String,
    pub kind: AiModelType,
    pub description: Option<String>,
    pub status: ModelStatus,
    pub accuracy: Ratio,
    pub precision_score: Ratio,
    pub recall_score: Ratio,
    pub f1_score: Ratio,
    pub mape: Ratio,
    pub bias_score: Ratio,
    pub last_trained_at: Time,
    pub training_duration_minutes: Option<i32>,
    pub training_dataset_size: Option<i32>,
    pub training_data_start: Option<NaiveDate>,
    pub training_data_end: Option<NaiveDate>,
    pub deployed_at: Time,
    pub endpoint_url: Option<String>,
}

/// A measurement of a model in operation. At least one thing must be measured.
pub struct NewModelMetrics {
    pub recorded_at: Time,
    pub accuracy: Ratio,
    pub latency_p50_ms: Option<i32>,
    pub latency_p95_ms: Option<i32>,
    pub latency_p99_ms: Option<i32>,
    pub requests_count: Option<i32>,
    pub error_count: Option<i32>,
    pub gpu_utilization: Ratio,
    pub memory_usage_mb: Option<i32>,
    pub token_usage: Option<i32>,
    pub cost_usd: Ratio,
}

/// Registers a model of your organization, in one version.
pub fn register(input: NewModel) -> UseCase<Uuid> {
    UseCase::new(&action::REGISTER_MODEL, move |c| {
        Box::pin(async move {
            if input.status == ModelStatus::Deprecated {
                return Err(Error::invalid(
                    "input.status",
                    "A model is retired with retireModel, not registered as retired.",
                ));
            }
            let range = match (input.training_data_start, input.training_data_end) {
                (None, None) => None,
                (Some(start), Some(end)) if start < end => {
                    Some(json!({ "start": start.to_string(), "end": end.to_string() }))
                }
                _ => {
                    return Err(Error::invalid(
                        "input.trainingDataEnd",
                        "Training data have a first day and, after it, an end, or neither.",
                    ));
                }
            };
            let endpoint = optional_text("input.endpointUrl", input.endpoint_url, 500)?;
            if endpoint.as_ref().is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
                return Err(Error::invalid("input.endpointUrl", "An address begins with https:// or http://."));
            }
            let model = ai_models::ActiveModel {
                organization_id: Set(Some(c.actor().organization_id)),
                name: Set(text("input.name", &input.name, 255)?),
                version: Set(text("input.version", &input.version, 50)?),
                r#type: Set(input.kind),
                description: Set(optional_text("input.description", input.description, 10_000)?),
                status: Set(input.status),
                accuracy: Set(ratio("input.accuracy", input.accuracy)?),
                precision_score: Set(ratio("input.precisionScore", input.precision_score)?),
                recall_score: Set(ratio("input.recallScore", input.recall_score)?),
                f1_score: Set(ratio("input.f1Score", input.f1_score)?),
                mape: Set(between("input.mape", input.mape, 99_999, 4)?),
                bias_score: Set(ratio("input.biasScore", input.bias_score)?),
                last_trained_at: Set(past(c, "input.lastTrainedAt", input.last_trained_at)?),
                training_duration_minutes: Set(count(
                    "input.trainingDurationMinutes",
                    input.training_duration_minutes,
                )?),
                training_dataset_size: Set(count("input.trainingDatasetSize", input.training_dataset_size)?),
                training_data_range: Set(range),
                deployed_at: Set(past(c, "input.deployedAt", input.deployed_at)?),
                endpoint_url: Set(endpoint),
                ..Default::default()
            };
            Ok(c.insert(model).await?.id)
        })
    })
}

/// Records a measurement of a model of your organization that is not retired.
pub fn record_metrics(model_id: Uuid, input: NewModelMetrics) -> UseCase<Uuid> {
    UseCase::new(&action::RECORD_MODEL_METRICS, move |c| {
        Box::pin(async move {
            let model = own(c, model_id).await?;
            in_use(&model)?;
            let latency = [
                ("input.latencyP50Ms", input.latency_p50_ms),
                ("input.latencyP95Ms", input.latency_p95_ms),
                ("input.latencyP99Ms", input.latency_p99_ms),
            ];
            let mut least = 0;
            for (field, given) in latency {
                if let Some(given) = count(field, given)? {
                    if given < least {
                        return Err(Error::invalid(field, "More requests cannot have kept within less time."));
                    }
                    least = given;
                }
            }
            let (requests, errors) =
                (count("input.requestsCount", input.requests_count)?, count("input.errorCount", input.error_count)?);
            if errors.zip(requests).is_some_and(|(errors, requests)| errors > requests) {
                return Err(Error::invalid("input.errorCount", "No more requests can have failed than there were."));
            }
            let metrics = ai_model_metrics::ActiveModel {
                model_id: Set(model.id),
                recorded_at: Set(past(c, "input.recordedAt", input.recorded_at)?.unwrap_or_else(|| c.now())),
                accuracy: Set(ratio("input.accuracy", input.accuracy)?),
                latency_p50_ms: Set(input.latency_p50_ms),
                latency_p95_ms: Set(input.latency_p95_ms),
                latency_p99_ms: Set(input.latency_p99_ms),
                requests_count: Set(requests),
                error_count: Set(errors),
                gpu_utilization: Set(between("input.gpuUtilization", input.gpu_utilization, 100, 2)?),
                memory_usage_mb: Set(count("input.memoryUsageMb", input.memory_usage_mb)?),
                token_usage: Set(count("input.tokenUsage", input.token_usage)?),
                cost_usd: Set(between("input.costUsd", input.cost_usd, 9_999_999_999, 4)?),
                ..Default::default()
            };
            let measured = metrics.accuracy.as_ref().is_some()
                || metrics.gpu_utilization.as_ref().is_some()
                || metrics.cost_usd.as_ref().is_some()
                || [latency[0].1, latency[1].1, latency[2].1, requests, errors].iter().any(Option::is_some)
                || input.memory_usage_mb.is_some()
                || input.token_usage.is_some();
            if !measured {
                return Err(Error::invalid("input", "Nothing was measured. Give at least one number."));
            }
            Ok(c.insert(metrics).await?.id)
        })
    })
}

/// Retires a model of your organization for good, with a reason.
pub fn retire(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::RETIRE_MODEL, move |c| {
        Box::pin(async move {
            reason.demand(c)?;
            let model = own(c, id).await?;
            c.expect::<ai_models::Entity>(&model, expected_version).await?;
            in_use(&model)?;
            c.update(model, |model| model.status = Set(ModelStatus::Deprecated)).await?;
            Ok(id)
        })
    })
}

/// A model that the organization may change: one that serves every organization can only be read.
async fn own(c: &Change, id: Uuid) -> Result<ai_models::Model> {
    if let Some(model) = c.one(ai_models::Entity::find_by_id(id)).await?
        && model.organization_id.is_none()
    {
        return Err(Error::Forbidden {
            permission: Permission::AiModelsRegister.name(),
            because: Some("this model serves every organization, so none of them changes it."),
        });
    }
    c.find::<ai_models::Entity>(id).await
}

fn in_use(model: &ai_models::Model) -> Result<()> {
    if model.status != ModelStatus::Deprecated {
        return Ok(());
    }
    Err(Error::Precondition("The model is retired. Register a new version instead.".into()))
}

fn ratio(field: &str, value: Ratio) -> Result<Option<Decimal>> {
    between(field, value, 1, 4)
}

/// A number from 0 to this with at most so many decimals.
fn between(field: &str, value: Ratio, most: i64, decimals: u32) -> Result<Option<Decimal>> {
    let Some(value) = value else { return Ok(None) };
    if value < Decimal::ZERO || value > Decimal::from(most) {
        return Err(Error::invalid(field, format!("This must be between 0 and {most}.")));
    }
    if value.normalize().scale() > decimals {
        return Err(Error::invalid(field, format!("This has at most {decimals} decimals.")));
    }
    Ok(Some(value))
}

fn count(field: &str, value: Option<i32>) -> Result<Option<i32>> {
    match value {
        Some(value) if value < 0 => Err(Error::invalid(field, "This must not be negative.")),
        value => Ok(value),
    }
}

fn past(c: &Change, field: &str, time: Time) -> Result<Option<DateTime<FixedOffset>>> {
    match time {
        Some(time) if time > c.now() => Err(Error::invalid(field, "This must not be in the future.")),
        time => Ok(time),
    }
}
