//! What a transaction leaves of itself besides its changes: audit rows and events, written by one statement.

use std::{fmt::Write as _, net::IpAddr};

use aether_entity::sea_orm_active_enums::{ActorType, AuditEventType, ReasonCategory, RiskLevel};
use sea_orm::{DbBackend, Statement};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    value::label,
};

/// Who did something, and from where: the columns that both trails share. Field names are those of the columns, here and below.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Origin {
    #[serde(serialize_with = "by_label")]
    pub(crate) actor_type: ActorType,
    /// None for the system.
    pub(crate) actor_id: Option<Uuid>,
    pub(crate) actor_name: String,
    pub(crate) actor_email: Option<String>,
    pub(crate) session_id: Option<Uuid>,
    pub(crate) request_id: Option<Uuid>,
    pub(crate) ip_address: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
}

/// A row of an organization's audit log.
#[derive(Debug, Serialize)]
pub(crate) struct AuditLog {
    pub(crate) id: Uuid,
    pub(crate) organization_id: Uuid,
    #[serde(flatten)]
    pub(crate) origin: Origin,
    pub(crate) action: &'static str,
    pub(crate) action_category: &'static str,
    pub(crate) resource_type: Option<String>,
    pub(crate) resource_id: Option<Uuid>,
    pub(crate) details: Map<String, Value>,
    #[serde(serialize_with = "by_label")]
    pub(crate) risk_level: RiskLevel,
    pub(crate) requires_review: bool,
}

/// A row of a workspace's audit trail; without a workspace, what somebody did outside of any.
#[derive(Debug, Serialize)]
pub(crate) struct AuditEvent {
    pub(crate) id: Uuid,
    pub(crate) workspace_id: Option<Uuid>,
    #[serde(flatten)]
    pub(crate) origin: Origin,
    #[serde(serialize_with = "by_label")]
    pub(crate) event_type: AuditEventType,
    pub(crate) target_type: Option<String>,
    pub(crate) target_id: Option<Uuid>,
    pub(crate) before_state: Option<Map<String, Value>>,
    pub(crate) after_state: Option<Map<String, Value>>,
    pub(crate) reason: Option<String>,
    #[serde(serialize_with = "by_label_if_any")]
    pub(crate) reason_category: Option<ReasonCategory>,
}

/// Whom an event is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tenant {
    Organization(Uuid),
    Workspace(Uuid),
}

/// An event for subscribers: a row of the outbox.
#[derive(Debug, Serialize)]
pub(crate) struct OutboxEvent {
    topic: &'static str,
    aggregate_type: &'static str,
    aggregate_id: Uuid,
    organization_id: Option<Uuid>,
    workspace_id: Option<Uuid>,
    kind: &'static str,
    changed_fields: Vec<String>,
    payload: Value,
    actor_id: Option<Uuid>,
}

impl OutboxEvent {
    /// The event that something of this topic has happened to a thing.
    pub(crate) fn new(topic: &'static str, aggregate_id: Uuid, kind: &'static str, tenant: Tenant) -> Self {
        let (organization_id, workspace_id) = match tenant {
            Tenant::Organization(id) => (Some(id), None),
            Tenant::Workspace(id) => (None, Some(id)),
        };
        Self {
            topic,
            aggregate_type: topic,
            aggregate_id,
            organization_id,
            workspace_id,
            kind,
            changed_fields: Vec::new(),
            payload: Value::Null,
            actor_id: None,
        }
    }

    /// What it says of the thing.
    pub(crate) fn payload(mut self, payload: Value) -> Self {
        self.payload = payload;
        self
    }

    /// The names of the fields that changed.
    pub(crate) fn changed_fields(mut self, fields: Vec<String>) -> Self {
        self.changed_fields = fields;
        self
    }

    /// Whose doing it is, if a user's.
    pub(crate) fn by(mut self, user: Option<Uuid>) -> Self {
        self.actor_id = user;
        self
    }

    /// The event that tells of an audit row.
    fn of_audit(kind: &'static str, id: Uuid, tenant: Tenant, actor_id: Option<Uuid>) -> Self {
        let event = Self::new("audit", id, "created", tenant).by(actor_id);
        Self { aggregate_type: kind, ..event }.payload(json!({ "type": kind, "id": id }))
    }
}

/// Audit rows and events, until they are written as the last thing before their transaction is committed.
#[derive(Debug, Default)]
pub(crate) struct AuditBatch {
    logs: Vec<AuditLog>,
    events: Vec<AuditEvent>,
    outbox: Vec<OutboxEvent>,
}

impl AuditBatch {
    /// Adds a row of an organization's audit log, and the event that tells of it.
    pub(crate) fn log(&mut self, row: AuditLog) {
        let tenant = Tenant::Organization(row.organization_id);
        self.outbox.push(OutboxEvent::of_audit("audit_log", row.id, tenant, row.origin.actor_id));
        self.logs.push(row);
    }

    /// Adds an audit event, and the event that tells of it: in its workspace, or else in this organization.
    pub(crate) fn event(&mut self, row: AuditEvent, organization_id: Uuid) {
        let tenant = row.workspace_id.map_or(Tenant::Organization(organization_id), Tenant::Workspace);
        self.outbox.push(OutboxEvent::of_audit("audit_event", row.id, tenant, row.origin.actor_id));
        self.events.push(row);
    }

    /// Adds an event that no audit row tells of.
    pub(crate) fn announce(&mut self, event: OutboxEvent) {
        self.outbox.push(event);
    }

    /// Adds all of another.
    pub(super) fn append(&mut self, other: Self) {
        self.logs.extend(other.logs);
        self.events.extend(other.events);
        self.outbox.extend(other.outbox);
    }

    /// Takes the audit rows out, and leaves the events.
    pub(super) fn take_audit(&mut self) -> Self {
        Self { logs: std::mem::take(&mut self.logs), events: std::mem::take(&mut self.events), outbox: Vec::new() }
    }

    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.logs.is_empty() && self.events.is_empty() && self.outbox.is_empty()
    }

    /// Whether it has an event of this row or aggregate.
    pub(super) fn announces(&self, aggregate: Uuid) -> bool {
        self.outbox.iter().any(|event| event.topic != "audit" && event.aggregate_id == aggregate)
    }

    /// The one statement that writes all of it, if there is anything.
    pub(super) fn statement(self) -> Result<Option<Statement>> {
        const LOGS: &str = "INSERT INTO audit_logs (id, organization_id, actor_type, actor_id, actor_name, actor_email, action,
                action_category, resource_type, resource_id, details, risk_level, requires_review, ip_address, user_agent, session_id,
                request_id)
            SELECT id, organization_id, actor_type, actor_id, actor_name, actor_email, action, action_category,
                resource_type, resource_id, details, risk_level, requires_review, ip_address, user_agent, session_id, request_id
              FROM jsonb_populate_recordset(NULL::audit_logs, $1)";
        const EVENTS: &str =
            "INSERT INTO audit_events (id, workspace_id, actor_id, actor_name, event_type, target_type, target_id,
                before_state, after_state, reason, reason_category, request_id, session_id, ip_address, user_agent)
            SELECT id, workspace_id, actor_id, actor_name, event_type, target_type, target_id, before_state,
                after_state, reason, reason_category, request_id, session_id, ip_address, user_agent
              FROM jsonb_populate_recordset(NULL::audit_events, $1)";
        const OUTBOX: &str = "INSERT INTO event_outbox (topic, aggregate_type, aggregate_id, organization_id, workspace_id, kind,
                changed_fields, payload, actor_id)
            SELECT topic, aggregate_type, aggregate_id, organization_id, workspace_id, kind, changed_fields, payload, actor_id
              FROM jsonb_populate_recordset(NULL::event_outbox, $1)";
        let parts = [(LOGS, rows(&self.logs)?), (EVENTS, rows(&self.events)?), (OUTBOX, rows(&self.outbox)?)];
        let (mut sql, mut values) = (String::new(), Vec::<sea_orm::Value>::new());
        let mut parts = parts.into_iter().filter_map(|(insert, rows)| Some((insert, rows?))).peekable();
        while let Some((insert, rows)) = parts.next() {
            values.push(rows.into());
            let place = values.len();
            let insert = insert.replace("$1", &format!("${place}"));
            _ = match parts.peek() {
                Some(_) => write!(sql, "{} part{place} AS ({insert})", if place == 1 { "WITH" } else { "," }),
                None => write!(sql, " {insert}"),
            };
        }
        Ok((!values.is_empty()).then(|| Statement::from_sql_and_values(DbBackend::Postgres, sql, values)))
    }
}

/// Rows as PostgreSQL reads them, if there are any.
fn rows<T: Serialize>(rows: &[T]) -> Result<Option<Value>> {
    if rows.is_empty() {
        return Ok(None);
    }
    serde_json::to_value(rows).map(Some).map_err(|_| Error::internal("audit rows that cannot be written"))
}

/// An enum as the database spells it.
fn by_label<E, S: Serializer>(value: &E, serializer: S) -> Result<S::Ok, S::Error>
where
    E: sea_orm::ActiveEnum<Value: Into<sea_orm::Value>>,
{
    serializer.serialize_str(&label(value))
}

fn by_label_if_any<E, S: Serializer>(value: &Option<E>, serializer: S) -> Result<S::Ok, S::Error>
where
    E: sea_orm::ActiveEnum<Value: Into<sea_orm::Value>>,
{
    match value {
        Some(value) => by_label(value, serializer),
        None => serializer.serialize_none(),
    }
}
