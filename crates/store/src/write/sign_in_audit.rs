//! Audit rows of signing in and out, written in the transaction of what they tell of.

use aether_entity::{
    sea_orm_active_enums::{AuditEventType, RiskLevel},
    users,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{audit::row, session::Client};
use crate::{
    database::{Trailing, Transaction},
    value::label,
};

/// What an organization's audit log is told.
pub(crate) struct Entry {
    action: &'static str,
    description: &'static str,
    details: Value,
    resource: Option<(&'static str, Uuid)>,
    risk: RiskLevel,
}

impl Entry {
    pub(crate) fn new(action: &'static str, description: &'static str) -> Self {
        Self { action, description, details: json!({}), resource: None, risk: RiskLevel::Low }
    }

    /// More than the description says: an object's fields.
    pub(crate) fn details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// What was acted upon.
    pub(crate) fn resource(mut self, kind: &'static str, id: Uuid) -> Self {
        self.resource = Some((kind, id));
        self
    }

    pub(crate) fn risk_medium(mut self) -> Self {
        self.risk = RiskLevel::Medium;
        self
    }

    /// High risk: somebody has to review it.
    pub(crate) fn risk_high(mut self) -> Self {
        self.risk = RiskLevel::High;
        self
    }
}

/// An audit event outside any workspace.
pub(crate) enum Event {
    Login,
    Logout,
}

/// Writes a row of the organization's audit log.
pub(crate) fn log(
    transaction: &Transaction,
    organization_id: Uuid,
    actor: Option<&users::Model>,
    session_id: Option<Uuid>,
    client: &Client,
    entry: Entry,
) {
    let mut details = entry.details;
    details["description"] = entry.description.into();
    let mut row = who(actor, session_id, client);
    row["organization_id"] = json!(organization_id);
    row["action"] = entry.action.into();
    row["action_category"] = "AUTH".into();
    row["resource_type"] = entry.resource.map(|(kind, _)| kind).into();
    row["resource_id"] = json!(entry.resource.map(|(_, id)| id));
    row["details"] = details;
    row["requires_review"] = (entry.risk == RiskLevel::High).into();
    row["risk_level"] = label(&entry.risk).into();
    let mut trailing = Trailing::default();
    trailing.log(row);
    trailing.leave(transaction);
}

/// Writes an audit event outside any workspace.
pub(crate) fn event(transaction: &Transaction, actor: &users::Model, session_id: Uuid, client: &Client, event: Event) {
    let mut row = who(Some(actor), Some(session_id), client);
    row["event_type"] = label(&match event {
        Event::Login => AuditEventType::Login,
        Event::Logout => AuditEventType::Logout,
    })
    .into();
    row["target_type"] = "user_session".into();
    row["target_id"] = json!(session_id);
    let mut trailing = Trailing::default();
    trailing.event(row, actor.organization_id);
    trailing.leave(transaction);
}

/// Tells the gateways that sessions have ended, so that what is open under them ends too.
pub(crate) fn sessions_ended(transaction: &Transaction, organization_id: Uuid, sessions: &[Uuid]) {
    let mut trailing = Trailing::default();
    for session in sessions {
        trailing.announce(json!({
            "topic": "session",
            "aggregate_type": "session",
            "aggregate_id": session,
            "organization_id": organization_id,
            "kind": "ended",
            "changed_fields": [],
            "payload": { "type": "user_session", "id": session },
        }));
    }
    trailing.leave(transaction);
}

fn who(actor: Option<&users::Model>, session_id: Option<Uuid>, client: &Client) -> Value {
    let user = actor.map(|user| (user.id, user.email.as_str()));
    row(user, actor.map_or("unknown", |user| &user.name), session_id, client)
}
