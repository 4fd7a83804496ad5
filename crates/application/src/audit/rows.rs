//! The entries of the audit trails as rows of an export: names and values as the graph has them.

use aether_entity::{audit_events, audit_logs};
use aether_store::{model::enum_value_name, value::label};
use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use serde_json::{Value, json};

/// The columns of the audit trail of a workspace.
pub(super) const EVENT: [&str; 16] = [
    "id",
    "timestamp",
    "eventType",
    "actorId",
    "actorName",
    "targetType",
    "targetId",
    "beforeState",
    "afterState",
    "reason",
    "reasonCategory",
    "requestId",
    "sessionId",
    "ipAddress",
    "userAgent",
    "workspaceId",
];

/// A row of it.
pub(super) fn event(row: &audit_events::Model) -> Vec<Value> {
    vec![
        json!(row.id),
        time(row.timestamp),
        enum_value_name(&label(&row.event_type)).into(),
        json!(row.actor_id),
        json!(row.actor_name),
        json!(row.target_type),
        json!(row.target_id),
        json!(row.before_state),
        json!(row.after_state),
        json!(row.reason),
        json!(row.reason_category.as_ref().map(|category| enum_value_name(&label(category)))),
        json!(row.request_id),
        json!(row.session_id),
        json!(row.ip_address.map(|address| address.ip().to_string())),
        json!(row.user_agent),
        json!(row.workspace_id),
    ]
}

/// The columns of the audit log of an organization.
pub(super) const LOG: [&str; 20] = [
    "id",
    "timestamp",
    "action",
    "actionCategory",
    "riskLevel",
    "actorType",
    "actorId",
    "actorName",
    "actorEmail",
    "resourceType",
    "resourceId",
    "details",
    "requiresReview",
    "reviewed",
    "reviewedBy",
    "reviewedAt",
    "requestId",
    "sessionId",
    "ipAddress",
    "userAgent",
];

/// A row of it.
pub(super) fn log(row: &audit_logs::Model) -> Vec<Value> {
    vec![
        json!(row.id),
        time(row.timestamp),
        json!(row.action),
        json!(row.action_category),
        enum_value_name(&label(&row.risk_level)).into(),
        enum_value_name(&label(&row.actor_type)).into(),
        json!(row.actor_id),
        json!(row.actor_name),
        json!(row.actor_email),
        json!(row.resource_type),
        json!(row.resource_id),
        row.details.clone(),
        json!(row.requires_review),
        json!(row.reviewed),
        json!(row.reviewed_by),
        row.reviewed_at.map_or(Value::Null, time),
        json!(row.request_id),
        json!(row.session_id),
        json!(row.ip_address.map(|address| address.ip().to_string())),
        json!(row.user_agent),
    ]
}

fn time(at: DateTime<FixedOffset>) -> Value {
    at.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Micros, true).into()
}
