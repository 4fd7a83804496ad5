//! What the AI did by itself, and what people made of it.

use chrono::Duration;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::copy::{Rows, row};
use crate::metrics::METRICS;
use crate::models::Known;
use crate::random::{Random, places};
use crate::sales::Life;
use crate::tenant::Tenant;

/// What there is to refer to.
pub(crate) struct Things<'a> {
    pub(crate) models: &'a [Known],
    pub(crate) deals: &'a [Life],
    pub(crate) anomalies: &'a [Uuid],
}

/// Type, category, description, reasoning, the model that does it.
type Kind = (&'static str, &'static str, &'static str, &'static str, &'static str);

pub(crate) const KINDS: [Kind; 8] = [
    (
        "FORECAST_UPDATE",
        "FORECASTING",
        "Renewed the rolling forecast of a metric",
        "Three new months of actuals moved the level; the season is unchanged.",
        "aether-forecast",
    ),
    (
        "ANOMALY_DETECTION",
        "MONITORING",
        "Searched the newest month for anomalies",
        "The value lies outside four robust deviations of its seasonal expectation.",
        "aether-sentinel",
    ),
    (
        "BUDGET_SUGGESTION",
        "PLANNING",
        "Suggested to move budget between two departments",
        "One department underspends its software line while another overruns it.",
        "aether-forecast",
    ),
    (
        "RCA_GENERATION",
        "MONITORING",
        "Explained the root cause of an anomaly",
        "One product contributes most of the deviation; its renewals were late.",
        "aether-assistant",
    ),
    (
        "ACTION_PLAN_GENERATION",
        "MONITORING",
        "Drafted an action plan for an anomaly",
        "The cause is operational and can be reversed within the quarter.",
        "aether-assistant",
    ),
    (
        "DATA_QUALITY_ALERT",
        "DATA_QUALITY",
        "Flagged records that do not reconcile with their source",
        "The row count of the last sync differs from the source by more than half a percent.",
        "spend-classifier",
    ),
    (
        "INSIGHT_GENERATION",
        "INSIGHT",
        "Wrote the weekly insight for the dashboard",
        "Pipeline coverage changed more than spend did.",
        "aether-assistant",
    ),
    (
        "SCENARIO_ANALYSIS",
        "PLANNING",
        "Compared two scenarios by their downside",
        "The fifth percentiles differ more than the medians.",
        "aether-forecast",
    ),
];

/// Fills `ai_actions`; returns the keys, for the audit log.
pub(crate) fn actions(tenant: &Tenant, things: &Things) -> (Rows, Vec<Uuid>) {
    let mut rows = Rows::new(
        "ai_actions",
        &[
            "id",
            "organization_id",
            "action_type",
            "action_category",
            "description",
            "reasoning",
            "confidence_score",
            "inputs",
            "outputs",
            "model_id",
            "model_version",
            "status",
            "error_message",
            "requires_review",
            "reviewed_by",
            "reviewed_at",
            "review_outcome",
            "review_feedback",
            "was_overridden",
            "overridden_by",
            "override_reason",
            "affected_entities",
            "estimated_impact_value",
            "actual_impact_value",
            "created_at",
            "completed_at",
            "updated_at",
        ],
    );
    let (mut random, mut ids) = (tenant.random("actions"), tenant.ids("actions"));
    let reviewers = tenant.staff(&["CFO", "FINANCE_MANAGER"]);
    let (mut keys, mut reviews) = (Vec::new(), 0);
    for number in 0..72_usize {
        let (kind, category, description, reasoning, by) = KINDS[number % KINDS.len()];
        let made = tenant.ago(24.0 * (89.0 - 1.22 * number as f64) + random.between(0.1, 20.0));
        let round = number / KINDS.len();
        let status = match (number + round) % 12 {
            3 => "failed",
            7 => "rejected",
            9 => "pending",
            _ => "completed",
        };
        let suggests = matches!(kind, "FORECAST_UPDATE" | "BUDGET_SUGGESTION" | "ACTION_PLAN_GENERATION");
        let review = status == "rejected" || (suggests && status != "failed");
        let outcome = match status {
            "rejected" => Some("rejected"),
            "completed" if review => {
                reviews += 1;
                // Every fifth still waits for somebody.
                [Some("approved"), Some("modified"), Some("approved"), Some("approved"), None][reviews % 5]
            }
            _ => None,
        };
        let reviewed = outcome.map(|_| (made + Duration::hours(random.whole(2, 60))).min(tenant.ago(0.5)));
        let overridden = outcome == Some("modified");
        let reviewer = random.pick(&reviewers).id;
        let done = matches!(status, "completed" | "rejected");
        let completed = done.then(|| (made + Duration::milliseconds(random.whole(900, 42_000))).min(tenant.now()));
        let estimate = suggests.then(|| random.hundreds(12_000.0, 680_000.0));
        let model = things.models.iter().find(|model| model.name == by).expect("the model exists");
        let metric = METRICS[number % METRICS.len()];
        let (inputs, outputs, affected) = payload(kind, metric, &mut random, things);
        let id = ids.at(made);
        keys.push(id);
        rows.push(row![
            id,
            tenant.id(),
            kind,
            category,
            description,
            reasoning,
            places(random.between(58.0, 98.5), 2),
            inputs,
            done.then_some(outputs),
            model.id,
            model.version,
            status,
            (status == "failed")
                .then_some("The model did not answer within 30 seconds; the action was given up after 3 tries."),
            review,
            reviewed.map(|_| reviewer),
            reviewed,
            outcome,
            outcome.map(|outcome| match outcome {
                "approved" => "Agreed.",
                "modified" => "Direction is right, the size is too bold.",
                _ => "Contradicts the signed contract; not applied.",
            }),
            overridden,
            overridden.then_some(reviewer),
            overridden.then_some("Halved: the customer has only confirmed the first phase."),
            affected,
            estimate,
            estimate
                .filter(|_| outcome == Some("approved"))
                .map(|value| { value * Decimal::new(random.whole(55, 128), 2) }),
            made,
            completed,
            reviewed.or(completed).unwrap_or(made),
        ]);
    }
    (rows, keys)
}

/// Inputs, outputs and what is affected.
fn payload(kind: &str, metric: &str, random: &mut Random, things: &Things) -> (Value, Value, Value) {
    let anomaly = random.pick(things.anomalies);
    match kind {
        "FORECAST_UPDATE" => (
            json!({ "metric": metric, "months": 36 }),
            json!({ "metric": metric, "horizonMonths": 6, "changePercent": random.whole(-40, 60) as f64 / 10.0 }),
            json!({ "metrics": [metric] }),
        ),
        "ANOMALY_DETECTION" => (
            json!({ "metric": metric, "method": "seasonal-mad", "threshold": 4 }),
            json!({ "found": random.whole(0, 2) }),
            json!({ "metrics": [metric] }),
        ),
        "BUDGET_SUGGESTION" => (
            json!({ "from": "Marketing", "to": "Site Reliability" }),
            json!({ "amount": random.whole(20, 300) * 1000, "category": "Software" }),
            json!({ "departments": ["Marketing", "Site Reliability"] }),
        ),
        "RCA_GENERATION" | "ACTION_PLAN_GENERATION" => (
            json!({ "anomalyId": anomaly }),
            json!({ "anomalyId": anomaly, "steps": random.whole(2, 5) }),
            json!({ "anomalies": [anomaly] }),
        ),
        "DATA_QUALITY_ALERT" => (
            json!({ "source": "salesforce", "table": "opportunities" }),
            json!({ "missing": random.whole(3, 90), "duplicates": random.whole(0, 12) }),
            json!({ "deals": [things.deals[random.whole(0, things.deals.len() as i64 - 1) as usize].id] }),
        ),
        "INSIGHT_GENERATION" => {
            let deals: Vec<Uuid> = things.deals.iter().rev().take(3).map(|deal| deal.id).collect();
            (
                json!({ "period": "last_7_days" }),
                json!({ "headline": "Weighted pipeline moved more than spend" }),
                json!({ "deals": deals, "metrics": [metric] }),
            )
        }
        _ => (
            json!({ "scenarios": ["Hiring freeze", "Asia Pacific expansion"] }),
            json!({ "preferred": "Hiring freeze", "criterion": "p5" }),
            json!({ "scenarios": ["Hiring freeze", "Asia Pacific expansion"] }),
        ),
    }
}
