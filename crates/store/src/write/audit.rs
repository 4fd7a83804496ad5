//! The audit rows of a change and its events, written in its transaction by one statement when that is committed.

use aether_entity::sea_orm_active_enums::{ActorType, AuditEventType, RiskLevel};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    action::{Action, Trail},
    change::{Change, Entry},
    client::Client,
    constraint::type_name,
    record::Record,
};
use crate::{
    actor::Actor,
    database::{AuditBatch, AuditEvent, AuditLog, Origin, OutboxEvent, Tenant},
    error::Error,
};

/// How many rows besides its target an audit row lists, or of an import; beyond that it counts them.
pub const MOST_LISTED: usize = 1_000;

type Fields = Map<String, Value>;

impl AuditBatch {
    /// The trail of everything that the change has done.
    pub(super) fn of(change: &Change) -> Self {
        let mut batch = Self::default();
        let entries = std::mem::take(&mut change.log().entries);
        for entry in entries {
            if entry.records.is_empty() && !entry.always {
                continue;
            }
            for event in outbox(change, &entry) {
                batch.announce(event);
            }
            let told = AuditedRows::of(&entry);
            match &entry.action.trail {
                Trail::Organization(area, risk) => batch.log(organization_row(change, entry, told, area, risk)),
                Trail::Workspace(event) => {
                    batch.event(workspace_row(change, entry, told, event), change.actor().organization_id);
                }
            }
        }
        batch
    }

    /// The trail of something that was refused.
    pub(super) fn of_refusal(actor: &Actor, action: &Action, error: &Error, client: &Client, on: Option<Uuid>) -> Self {
        let (name, why) = match error {
            Error::Forbidden { permission, .. } => ("PERMISSION_DENIED", Some(("permission", permission.to_string()))),
            Error::Governance { rule, .. } => ("GOVERNANCE_BLOCKED", Some(("rule", rule.to_string()))),
            _ => ("NOT_VISIBLE", None),
        };
        let mut details = Fields::from_iter(why.map(|(what, name)| (what.to_owned(), name.into())));
        details.insert("description".into(), "Refused what was tried.".into());
        details.insert("attempted".into(), action.name.into());
        let mut batch = Self::default();
        batch.log(AuditLog {
            id: Uuid::now_v7(),
            organization_id: actor.organization_id,
            origin: Origin::of(actor, client),
            action: name,
            action_category: "AUTH",
            resource_type: on.map(|_| "workspace".to_owned()),
            resource_id: on,
            details,
            risk_level: RiskLevel::Medium,
            requires_review: false,
        });
        batch
    }
}

impl Origin {
    /// An actor's doing.
    fn of(actor: &Actor, client: &Client) -> Self {
        let user = (!actor.is_system()).then_some((actor.user_id, actor.email.as_str()));
        Self::new(user, &actor.name, user.map(|_| actor.session_id), client)
    }

    /// The gateway's own doing.
    pub(crate) fn system() -> Self {
        Self {
            actor_type: ActorType::System,
            actor_id: None,
            actor_name: "System".into(),
            actor_email: None,
            session_id: None,
            request_id: None,
            ip_address: None,
            user_agent: None,
        }
    }

    /// The doing of a user, by id and e-mail address, or else of the system.
    pub(crate) fn new(user: Option<(Uuid, &str)>, name: &str, session_id: Option<Uuid>, client: &Client) -> Self {
        Self {
            actor_type: if user.is_some() { ActorType::Human } else { ActorType::System },
            actor_id: user.map(|(id, _)| id),
            actor_name: name.to_owned(),
            actor_email: user.map(|(_, email)| email.to_owned()),
            session_id,
            request_id: Some(client.request_id),
            ip_address: client.address,
            user_agent: client.user_agent.clone(),
        }
    }
}

/// What an audit row tells of rows.
struct AuditedRows {
    target: Option<(&'static str, Uuid)>,
    /// The changed fields of the target, before and after, and what was noted besides.
    before: Fields,
    after: Fields,
    /// What was done to other rows, as far as they are listed.
    also: Vec<Value>,
    /// How many are not.
    not_listed: usize,
}

impl AuditedRows {
    fn of(entry: &Entry) -> Self {
        let target = entry.target.or_else(|| entry.records.first().map(|record| (record.table, record.id)));
        let is_target = |record: &&Record| target == Some((record.table, record.id));
        let (mut before, mut after) = (Fields::new(), Fields::new());
        for record in entry.records.iter().filter(is_target) {
            // Of several changes of one row the first tells how it was.
            for (field, value) in &record.before {
                before.entry(field.clone()).or_insert_with(|| value.clone());
            }
            after.extend(record.after.clone());
        }
        after.extend(entry.notes.clone());
        let others = entry.records.iter().filter(|record| !is_target(record));
        let also = others.clone().take(MOST_LISTED).map(|record| {
            json!({
                "type": type_name(record.table),
                "id": record.id,
                "what": record.done.name(),
                "before": record.before,
                "after": record.after,
            })
        });
        Self { target, before, after, also: also.collect(), not_listed: others.count().saturating_sub(MOST_LISTED) }
    }

    /// Adds the other rows to these fields.
    fn list(also: Vec<Value>, not_listed: usize, fields: &mut Fields) {
        if !also.is_empty() {
            fields.insert("also".into(), also.into());
        }
        if not_listed > 0 {
            fields.insert("alsoNotListed".into(), not_listed.into());
        }
    }
}

/// The row of the organization's audit log.
fn organization_row(
    change: &Change,
    entry: Entry,
    told: AuditedRows,
    area: &'static str,
    risk: &RiskLevel,
) -> AuditLog {
    let actor = change.actor();
    let mut details = Fields::from_iter([("description".to_owned(), entry.action.doc.into())]);
    for (name, fields) in [("before", told.before), ("after", told.after)] {
        if !fields.is_empty() {
            details.insert(name.into(), fields.into());
        }
    }
    AuditedRows::list(told.also, told.not_listed, &mut details);
    if let Some(reason) = entry.reason {
        details.insert("reason".into(), reason.into());
    }
    AuditLog {
        id: Uuid::now_v7(),
        organization_id: actor.organization_id,
        origin: Origin::of(actor, change.client()),
        action: entry.action.name,
        action_category: area,
        resource_type: told.target.map(|(table, _)| type_name(table)),
        resource_id: told.target.map(|(_, id)| id),
        details,
        risk_level: risk.clone(),
        requires_review: matches!(risk, RiskLevel::High | RiskLevel::Critical),
    }
}

/// The row of the workspace's audit trail.
fn workspace_row(change: &Change, entry: Entry, told: AuditedRows, event: &AuditEventType) -> AuditEvent {
    let mut after = told.after;
    AuditedRows::list(told.also, told.not_listed, &mut after);
    let state = |fields: Fields| (!fields.is_empty()).then_some(fields);
    AuditEvent {
        id: Uuid::now_v7(),
        workspace_id: change.membership().map(|membership| membership.workspace.id),
        origin: Origin::of(change.actor(), change.client()),
        event_type: event.clone(),
        target_type: told.target.map(|(table, _)| type_name(table)),
        target_id: told.target.map(|(_, id)| id),
        before_state: state(told.before),
        after_state: state(after),
        reason: entry.reason,
        reason_category: entry.category,
    }
}

/// The events that subscribers are told: one for each row that was written, and those that are about more than one.
fn outbox(change: &Change, entry: &Entry) -> impl Iterator<Item = OutboxEvent> {
    let actor = change.actor();
    let of_workspace = matches!(entry.action.trail, Trail::Workspace(_));
    let workspace = change.membership().map(|membership| membership.workspace.id).filter(|_| of_workspace);
    let tenant = workspace.map_or(Tenant::Organization(actor.organization_id), Tenant::Workspace);
    let by = (!actor.is_system()).then_some(actor.user_id);
    let rows = entry.records.iter().map(move |record| {
        OutboxEvent::new(record.topic, record.aggregate_id, record.done.name(), tenant)
            .changed_fields(record.changed_fields())
            .payload(record.about.clone())
            .by(by)
    });
    let announced = entry.announcements.iter().map(move |said| {
        OutboxEvent::new(said.topic, said.aggregate_id, said.kind, tenant).payload(said.payload.clone()).by(by)
    });
    rows.chain(announced)
}
