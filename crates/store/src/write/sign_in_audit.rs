//! Audit rows, always written in the transaction of what they tell of.

#![expect(clippy::disallowed_methods, reason = "audit rows are what everything else is told in")]

use aether_entity::{
    audit_events, audit_logs,
    sea_orm_active_enums::{ActorType, AuditEventType, RiskLevel},
    users,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseTransaction};
use serde_json::{Value, json};
use uuid::Uuid;

use super::session::Client;
use crate::error::Result;

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
pub(crate) async fn log(
    transaction: &DatabaseTransaction,
    organization_id: Uuid,
    actor: Option<&users::Model>,
    session_id: Option<Uuid>,
    client: &Client,
    entry: Entry,
) -> Result<()> {
    let mut details = entry.details;
    details["description"] = entry.description.into();
    audit_logs::ActiveModel {
        id: Set(Uuid::now_v7()),
        organization_id: Set(organization_id),
        actor_type: Set(if actor.is_some() { ActorType::Human } else { ActorType::System }),
        actor_id: Set(actor.map(|user| user.id)),
        actor_name: Set(actor.map_or_else(|| "unknown".into(), |user| user.name.clone())),
        actor_email: Set(actor.map(|user| user.email.clone())),
        action: Set(entry.action.into()),
        action_category: Set(Some("AUTH".into())),
        resource_type: Set(entry.resource.map(|(kind, _)| kind.into())),
        resource_id: Set(entry.resource.map(|(_, id)| id)),
        details: Set(details),
        requires_review: Set(entry.risk == RiskLevel::High),
        risk_level: Set(entry.risk),
        ip_address: Set(client.address.map(Into::into)),
        user_agent: Set(client.user_agent.clone()),
        session_id: Set(session_id),
        request_id: Set(Some(client.request_id)),
        ..Default::default()
    }
    .insert(transaction)
    .await?;
    Ok(())
}

/// Writes an audit event outside any workspace.
pub(crate) async fn event(
    transaction: &DatabaseTransaction,
    actor: &users::Model,
    session_id: Uuid,
    client: &Client,
    event: Event,
) -> Result<()> {
    audit_events::ActiveModel {
        id: Set(Uuid::now_v7()),
        actor_id: Set(actor.id),
        actor_name: Set(actor.name.clone()),
        event_type: Set(match event {
            Event::Login => AuditEventType::Login,
            Event::Logout => AuditEventType::Logout,
        }),
        target_type: Set(Some("user_session".into())),
        target_id: Set(Some(session_id)),
        session_id: Set(Some(session_id)),
        ip_address: Set(client.address.map(Into::into)),
        user_agent: Set(client.user_agent.clone()),
        request_id: Set(Some(client.request_id)),
        ..Default::default()
    }
    .insert(transaction)
    .await?;
    Ok(())
}
