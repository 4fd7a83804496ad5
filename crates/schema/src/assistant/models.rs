//! The registry of models: registered, measured, retired.

use aether_entity::{
    ai_model_metrics, ai_models,
    sea_orm_active_enums::{AiModelType, ModelStatus},
};
use aether_store::{
    Error,
    policy::Permission,
    write::{Change, action},
};
use async_graphql::{Context, InputObject, Object, Result};
use chrono::{DateTime, FixedOffset, NaiveDate};
use rust_decimal::Decimal;
use sea_orm::{EntityTrait, Set};
use serde_json::json;
use uuid::Uuid;

use crate::{
    change::change,
    graph::Row,
    input::{Choice, Scalar, optional_text, text},
};

type Ratio = Option<Scalar<Decimal>>;
type Time = Option<Scalar<DateTime<FixedOffset>>>;

/// A model to register, in one version. Ratios are between 0 and 1.
#[derive(InputObject)]
struct ModelInput {
    /// Name of the model.
    name: String,
    /// Label of its version, unique for the name.
    version: String,
    /// What it is for.
    #[graphql(name = "type")]
    kind: Choice<AiModelType>,
    /// What it does.
    description: Option<String>,
    /// Where it stands: in use unless said.
    #[graphql(default_with = "Choice(ModelStatus::Active)")]
    status: Choice<ModelStatus>,
    /// Accuracy: the share of right answers, ratio 0-1.
    accuracy: Ratio,
    /// Precision: the share of positive answers that are right, ratio 0-1.
    precision_score: Ratio,
    /// Recall: the share of true positives that are found, ratio 0-1.
    recall_score: Ratio,
    /// F1 score: the harmonic mean of precision and recall, ratio 0-1.
    f1_score: Ratio,
    /// Mean absolute percentage error of a forecasting model, as a ratio, where 0.05 is 5 percent.
    mape: Ratio,
    /// Bias over all segments, ratio 0-1, where 0 is none.
    bias_score: Ratio,
    /// When it was last trained.
    last_trained_at: Time,
    /// How long the training took, in minutes.
    training_duration_minutes: Option<i32>,
    /// Number of rows that it was trained on.
    training_dataset_size: Option<i32>,
    /// First day of the training data.
    training_data_start: Option<Scalar<NaiveDate>>,
    /// The day after the last of the training data.
    training_data_end: Option<Scalar<NaiveDate>>,
    /// When it was deployed.
    deployed_at: Time,
    /// Address that it is called at, http or https.
    endpoint_url: Option<String>,
}

/// A measurement of a model in operation. At least one thing must be measured.
#[derive(InputObject)]
struct ModelMetricsInput {
    /// When it was measured, not in the future; now unless given.
    recorded_at: Time,
    /// Accuracy: the share of right answers, ratio 0-1.
    accuracy: Ratio,
    /// Median response time, in milliseconds.
    latency_p50_ms: Option<i32>,
    /// Response time that 95 percent of the requests kept within, in milliseconds.
    latency_p95_ms: Option<i32>,
    /// Response time that 99 percent of the requests kept within, in milliseconds.
    latency_p99_ms: Option<i32>,
    /// Number of requests.
    requests_count: Option<i32>,
    /// Number of requests that failed, at most that of the requests.
    error_count: Option<i32>,
    /// GPU utilization, percent 0-100.
    gpu_utilization: Ratio,
    /// Memory in use, in megabytes.
    memory_usage_mb: Option<i32>,
    /// Number of tokens used.
    token_usage: Option<i32>,
    /// Cost of running the model, in US dollars.
    cost_usd: Ratio,
}

/// The registry of models.
#[derive(Default)]
pub(crate) struct ModelMutation;

#[Object]
impl ModelMutation {
    /// Registers a model of your organization, in one version.
    async fn register_model(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The model.")] input: ModelInput,
    ) -> Result<Row<ai_models::Entity>> {
        change(ctx, &action::REGISTER_MODEL, |c| async move {
            if input.status.0 == ModelStatus::Deprecated {
                return Err(Error::invalid(
                    "input.status",
                    "A model is retired with retireModel, not registered as retired.",
                ));
            }
            let range = match (input.training_data_start, input.training_data_end) {
                (None, None) => None,
                (Some(start), Some(end)) if start.0 < end.0 => {
                    Some(json!({ "start": start.0.to_string(), "end": end.0.to_string() }))
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
                r#type: Set(input.kind.0),
                description: Set(optional_text("input.description", input.description, 10_000)?),
                status: Set(input.status.0),
                accuracy: Set(ratio("input.accuracy", input.accuracy)?),
                precision_score: Set(ratio("input.precisionScore", input.precision_score)?),
                recall_score: Set(ratio("input.recallScore", input.recall_score)?),
                f1_score: Set(ratio("input.f1Score", input.f1_score)?),
                mape: Set(between("input.mape", input.mape, 99_999, 4)?),
                bias_score: Set(ratio("input.biasScore", input.bias_score)?),
                last_trained_at: Set(past(&c, "input.lastTrainedAt", input.last_trained_at)?),
                training_duration_minutes: Set(count(
                    "input.trainingDurationMinutes",
                    input.training_duration_minutes,
                )?),
                training_dataset_size: Set(count("input.trainingDatasetSize", input.training_dataset_size)?),
                training_data_range: Set(range),
                deployed_at: Set(past(&c, "input.deployedAt", input.deployed_at)?),
                endpoint_url: Set(endpoint),
                ..Default::default()
            };
            Ok(Row::new(c.insert(model).await?.id))
        })
        .await
    }

    /// Records a measurement of a model of your organization that is not retired.
    async fn record_model_metrics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The model.")] model_id: Uuid,
        #[graphql(desc = "What was measured.")] input: ModelMetricsInput,
    ) -> Result<Row<ai_model_metrics::Entity>> {
        change(ctx, &action::RECORD_MODEL_METRICS, |c| async move {
            let model = own(&c, model_id).await?;
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
                recorded_at: Set(past(&c, "input.recordedAt", input.recorded_at)?.unwrap_or_else(|| c.now())),
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
            Ok(Row::new(c.insert(metrics).await?.id))
        })
        .await
    }

    /// Retires a model of your organization for good, with a reason.
    async fn retire_model(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The model.")] id: Uuid,
        #[graphql(desc = "The version number of the row that you saw, `rowVersion`.")] expected_version: i32,
        #[graphql(desc = "Why it is retired.")] reason: String,
    ) -> Result<Row<ai_models::Entity>> {
        change(ctx, &action::RETIRE_MODEL, |c| async move {
            c.reason(Some(&text("reason", &reason, 2_000)?), None);
            let model = own(&c, id).await?;
            c.expect::<ai_models::Entity>(&model, expected_version).await?;
            in_use(&model)?;
            c.update(model, |model| model.status = Set(ModelStatus::Deprecated)).await?;
            Ok(Row::new(id))
        })
        .await
    }
}

/// A model that the organization may change: one that serves every organization can only be read.
async fn own(c: &Change, id: Uuid) -> aether_store::Result<ai_models::Model> {
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

fn in_use(model: &ai_models::Model) -> aether_store::Result<()> {
    if model.status != ModelStatus::Deprecated {
        return Ok(());
    }
    Err(Error::Precondition("The model is retired. Register a new version instead.".into()))
}

fn ratio(field: &str, value: Ratio) -> aether_store::Result<Option<Decimal>> {
    between(field, value, 1, 4)
}

/// A number from 0 to this with at most so many decimals.
fn between(field: &str, value: Ratio, most: i64, decimals: u32) -> aether_store::Result<Option<Decimal>> {
    let Some(Scalar(value)) = value else { return Ok(None) };
    if value < Decimal::ZERO || value > Decimal::from(most) {
        return Err(Error::invalid(field, format!("This must be between 0 and {most}.")));
    }
    if value.normalize().scale() > decimals {
        return Err(Error::invalid(field, format!("This has at most {decimals} decimals.")));
    }
    Ok(Some(value))
}

fn count(field: &str, value: Option<i32>) -> aether_store::Result<Option<i32>> {
    match value {
        Some(value) if value < 0 => Err(Error::invalid(field, "This must not be negative.")),
        value => Ok(value),
    }
}

fn past(c: &Change, field: &str, time: Time) -> aether_store::Result<Option<DateTime<FixedOffset>>> {
    match time {
        Some(time) if time.0 > c.now() => Err(Error::invalid(field, "This must not be in the future.")),
        time => Ok(time.map(|time| time.0)),
    }
}
