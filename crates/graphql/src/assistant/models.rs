//! The registry of models: registered, measured, retired.

use aether_application::assistant::models;
use aether_entity::{
    self as entity,
    sea_orm_active_enums::{AiModelType, ModelStatus},
};
use async_graphql::{Context, InputObject, Object, Result};
use chrono::{DateTime, FixedOffset, NaiveDate};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    input::{Choice, Plain, Scalar, plain, why},
    rows::Row,
    run::run,
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

plain!(ModelInput as models::NewModel { name, version, kind, description, status, accuracy, precision_score, recall_score, f1_score, mape, bias_score, last_trained_at, training_duration_minutes, training_dataset_size, training_data_start, training_data_end, deployed_at, endpoint_url });

plain!(ModelMetricsInput as models::NewModelMetrics { recorded_at, accuracy, latency_p50_ms, latency_p95_ms, latency_p99_ms, requests_count, error_count, gpu_utilization, memory_usage_mb, token_usage, cost_usd });

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
    ) -> Result<Row<entity::ai_models::Entity>> {
        let id = run(ctx, models::register(input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Records a measurement of a model of your organization that is not retired.
    async fn record_model_metrics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The model.")] model_id: Uuid,
        #[graphql(desc = "What was measured.")] input: ModelMetricsInput,
    ) -> Result<Row<entity::ai_model_metrics::Entity>> {
        let id = run(ctx, models::record_metrics(model_id, input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Retires a model of your organization for good, with a reason.
    async fn retire_model(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The model.")] id: Uuid,
        #[graphql(desc = "The version number of the row that you saw, `rowVersion`.")] expected_version: i32,
        #[graphql(desc = "Why it is retired.")] reason: String,
    ) -> Result<Row<entity::ai_models::Entity>> {
        let id = run(ctx, models::retire(id, expected_version, why(Some(reason), None))).await?;
        Ok(Row::new(id))
    }
}
