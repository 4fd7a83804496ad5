//! Audit rows of signing in and out, written in the transaction of what they tell of.

use aether_entity::{
    sea_orm_active_enums::{AuditEventType, RiskLevel},
    users,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    database::{AuditBatch, AuditEvent, AuditLog, Origin, OutboxEvent, Tenant, Transaction},
    write::Client,
};

/// What an organization's audit log is told.
pub(crate) struct Entry {
    action: &'static str,
    description: &'static str,
    details: Map<String, Value>,
    resource: Option<(&'static str, Uuid)>,
    risk: RiskLevel,
}

impl Entry {
    pub(crate) fn new(action: &'static str, description: &'static str) -> Self {
        Self { action, description, details: Map::new(), resource: None, risk: RiskLevel::Low }
    }

    /// More than the description says.
    pub(crate) fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
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
    details.insert("description".into(), entry.description.into());
    let mut batch = AuditBatch::default();
    batch.log(AuditLog {
        id: Uuid::now_v7(),
        organization_id,
        origin: origin(actor, session_id, client),
        action: entry.action,
        action_category: "AUTH",
        resource_type: entry.resource.map(|(kind, _)| kind.to_owned()),
        resource_id: entry.resource.map(|(_, id)| id),
        details,
        requires_review: entry.risk == RiskLevel::High,
        risk_level: entry.risk,
    });
    transaction.leave(batch);
}

/// Writes an audit event outside any workspace.
pub(crate) fn event(transaction: &Transaction, actor: &users::Model, session_id: Uuid, client: &Client, event: Event) {
    let row = AuditEvent {
        id: Uuid::now_v7(),
        workspace_id: None,
        origin: origin(Some(actor), Some(session_id), client),
        event_type: match event {
            Event::Login => AuditEventType::Login,
            Event::Logout => AuditEventType::Logout,
        },
        target_type: Some("user_session".into()),
        target_id: Some(session_id),
        before_state: None,
        after_state: None,
        reason: None,
        reason_category: None,
    };
    let mut batch = AuditBatch::default();
    batch.event(row, actor.organization_id);
    transaction.leave(batch);
}

/// Tells the gateways that sessions have ended, so that what is open under them ends too.
pub(crate) fn sessions_ended(transaction: &Transaction, organization_id: Uuid, sessions: &[Uuid]) {
    let mut batch = AuditBatch::default();
    for session in sessions {
        let ended = OutboxEvent::new("session", *session, "ended", Tenant::Organization(organization_id));
        batch.announce(ended.payload(json!({ "type": "user_session", "id": session })));
    }
    transaction.leave(batch);
}

fn origin(actor: Option<&users::Model>, session_id: Option<Uuid>, client: &Client) -> Origin {
    let user = actor.map(|user| (user.id, user.email.as_str()));
    Origin::new(user, actor.map_or("unknown", |user| &user.name), session_id, client)
}
