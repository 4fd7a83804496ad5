//! The models that forecast, find and answer: four for everybody, and each organization's own.

use chrono::Duration;
use serde_json::json;
use uuid::Uuid;

use crate::copy::{Rows, row};
use crate::ids::Ids;
use crate::random::{places, stream};
use crate::tenant::Tenant;

struct Model {
    name: &'static str,
    version: &'static str,
    kind: &'static str,
    description: &'static str,
    status: &'static str,
    /// Accuracy, or for forecasts one minus the mean error.
    quality: f64,
    drifted: bool,
}

const fn model(
    name: &'static str,
    version: &'static str,
    kind: &'static str,
    description: &'static str,
    status: &'static str,
    quality: f64,
    drifted: bool,
) -> Model {
    Model { name, version, kind, description, status, quality, drifted }
}

#[rustfmt::skip]
const SYSTEM: [Model; 4] = [
    model("aether-forecast", "3.2.0", "forecasting", "Seasonal forecasts with bands", "active", 0.958, false),
    model("aether-forecast", "3.1.0", "forecasting", "The forecaster before bands", "deprecated", 0.931, true),
    model("aether-sentinel", "2.1.0", "anomaly_detection", "Robust seasonal anomaly search", "active", 0.942, false),
    model("aether-assistant", "4.0.1", "classification", "Routes questions and answers with citations", "active", 0.917, false),
];

#[rustfmt::skip]
const OWN: [Model; 4] = [
    model("churn-risk", "1.4.0", "classification", "Churn risk by account", "active", 0.886, true),
    model("deal-scoring", "2.0.0", "classification", "Chance to win by deal", "active", 0.842, false),
    model("cash-forecast", "0.9.0", "forecasting", "Weekly cash, in training", "training", 0.874, false),
    model("spend-classifier", "1.0.2", "classification", "Category by invoice line", "inactive", 0.803, false),
];

/// Key, name and version of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) id: Uuid,
    pub(crate) version: &'static str,
    pub(crate) name: &'static str,
}

/// Fills `ai_models` and `ai_model_metrics`, the system-wide ones along with the demo organization's; returns the
/// models that the organization can use.
pub(crate) fn models(tenant: &Tenant) -> (Vec<Rows>, Vec<Known>) {
    let mut rows = Rows::new(
        "ai_models",
        &[
            "id",
            "organization_id",
            "name",
            "version",
            "type",
            "description",
            "status",
            "accuracy",
            "precision_score",
            "recall_score",
            "f1_score",
            "mape",
            "bias_score",
            "bias_by_segment",
            "drift_detected",
            "drift_detected_at",
            "drift_magnitude",
            "last_trained_at",
            "training_duration_minutes",
            "training_dataset_size",
            "training_data_range",
            "deployed_at",
            "endpoint_url",
            "created_at",
            "updated_at",
        ],
    );
    let mut metrics = Rows::new(
        "ai_model_metrics",
        &[
            "id",
            "model_id",
            "recorded_at",
            "accuracy",
            "latency_p50_ms",
            "latency_p95_ms",
            "latency_p99_ms",
            "requests_count",
            "error_count",
            "gpu_utilization",
            "memory_usage_mb",
            "token_usage",
            "cost_usd",
        ],
    );
    let mut known = Vec::new();
    // Everybody refers to the same system-wide models, so their keys come from a stream of their own.
    let mut shared = Ids::new(stream(tenant.seed, "models/ids", ""));
    let (mut random, mut ids) = (tenant.random("models"), tenant.ids("models"));
    let models = SYSTEM.iter().map(|model| (None, model)).chain(OWN.iter().map(|model| (Some(tenant.id()), model)));
    for (index, (owner, model)) in models.enumerate() {
        let made = tenant.ago(24.0 * (420.0 - 30.0 * index as f64));
        let id = if owner.is_none() { shared.at(made) } else { ids.at(made) };
        known.push(Known { id, version: model.version, name: model.name });
        if owner.is_none() && !tenant.is_home() {
            continue;
        }
        // Name and version are unique among all organizations.
        let name = match owner {
            Some(_) => format!("{}/{}", tenant.organization.slug, model.name),
            None => model.name.to_owned(),
        };
        let mut score = |spread: f64| places((model.quality + random.noise(spread)).clamp(0.0, 0.999), 4);
        let (accuracy, precision, recall, f1) = (score(0.003), score(0.012), score(0.012), score(0.006));
        let forecasts = model.kind == "forecasting";
        let deployed = (model.status != "training").then(|| made + Duration::days(9));
        let trained = made + Duration::days(8);
        let drift = model.drifted.then(|| tenant.ago(24.0 * 12.5));
        rows.push(row![
            id,
            owner,
            name.as_str(),
            model.version,
            model.kind,
            model.description,
            model.status,
            accuracy,
            (!forecasts).then_some(precision),
            (!forecasts).then_some(recall),
            (!forecasts).then_some(f1),
            forecasts.then(|| places(1.0 - model.quality, 4)),
            places(random.between(0.01, 0.08), 4),
            json!({
                "Enterprise": random.whole(5, 30) as f64 / 1000.0,
                "Mid-Market": random.whole(5, 40) as f64 / 1000.0,
                "SMB": random.whole(20, 90) as f64 / 1000.0,
            }),
            model.drifted,
            drift,
            drift.map(|_| places(random.between(0.06, 0.19), 4)),
            trained,
            random.whole(25, 640),
            random.whole(40_000, 2_400_000),
            json!({ "start": (trained - Duration::days(760)).date_naive(), "end": (trained - Duration::days(30)).date_naive() }),
            deployed,
            deployed.map(|_| format!("https://models.aether.example/{name}/{}", model.version)),
            made,
            drift.or(deployed).unwrap_or(trained),
        ]);
        // Daily for a month, weekly for the months before.
        let days = (0..30).chain((35..180).step_by(7)).rev();
        for day in days.filter(|_| deployed.is_some()) {
            let at = tenant.ago(24.0 * f64::from(day) + 1.0);
            let median = random.whole(80, 420);
            let requests = random.whole(400, 5_200);
            let tokens = (model.name == "aether-assistant").then(|| requests * random.whole(600, 1_400));
            let decay = if model.drifted && day < 30 { 0.03 * f64::from(30 - day) / 30.0 } else { 0.0 };
            metrics.push(row![
                ids.at(at),
                id,
                at,
                places((model.quality - decay + random.noise(0.004)).clamp(0.0, 0.999), 4),
                median,
                median * 3 + random.whole(0, 90),
                median * 6 + random.whole(0, 400),
                requests,
                requests * random.whole(0, 14) / 1000,
                places(random.between(18.0, 93.0), 2),
                random.whole(2_800, 15_600),
                tokens,
                places(requests as f64 * random.between(0.0008, 0.0042), 4),
            ]);
        }
    }
    (vec![rows, metrics], known)
}
