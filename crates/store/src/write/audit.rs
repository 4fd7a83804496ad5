//! The audit rows of a change and its events, written in its transaction by one statement when that is committed.

use aether_entity::sea_orm_active_enums::{ActorType, RiskLevel};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    action::{Action, Trail},
    change::{Change, Entry},
    constraint::type_name,
    record::Record,
};
use crate::{
    actor::Actor,
    database::{Trailing, Transaction},
    error::Error,
    value::label,
    write::session::Client,
};

/// How many rows besides its target an audit row lists, or of an import; beyond that it counts them.
pub(super) const MOST_LISTED: usize = 1_000;

impl Trailing {
    /// The trail of everything that the change has done.
    pub(super) fn of(change: &Change) -> Self {
        let mut trailing = Self::default();
        let entries = std::mem::take(&mut change.log().entries);
        for entry in entries {
            if !entry.records.is_empty() || entry.always {
                trailing.add(change, &entry);
            }
        }
        trailing
    }

    /// The trail of something that was refused.
    pub(super) fn of_refusal(actor: &Actor, action: &Action, error: &Error, client: &Client, on: Option<Uuid>) -> Self {
        let (name, why) = match error {
            Error::Forbidden { permission, .. } => ("PERMISSION_DENIED", json!({ "permission": permission })),
            Error::Governance { rule, .. } => ("GOVERNANCE_BLOCKED", json!({ "rule": rule })),
            _ => ("NOT_VISIBLE", json!({})),
        };
        let mut details = why;
        details["description"] = "Refused what was tried.".into();
        details["attempted"] = action.name.into();
        let mut row = of_actor(actor, client);
        row["organization_id"] = actor.organization_id.to_string().into();
        row["action"] = name.into();
        row["action_category"] = "AUTH".into();
        row["resource_type"] = on.map(|_| "workspace").into();
        row["resource_id"] = on.map(|id| id.to_string()).into();
        row["details"] = details;
        row["risk_level"] = label(&RiskLevel::Medium).into();
        row["requires_review"] = false.into();
        let mut trailing = Self::default();
        trailing.log(row);
        trailing
    }

    /// A row of an organization's audit log, and the event that tells of it.
    pub(super) fn log(&mut self, row: Value) {
        self.outbox.push(appended("audit_log", &row, &row["organization_id"]));
        self.logs.push(row);
    }

    /// An audit event, and the event that tells of it: in its workspace, or else in the organization of whoever acted.
    pub(super) fn event(&mut self, row: Value, organization_id: Uuid) {
        let organization = match row["workspace_id"].is_null() {
            true => json!(organization_id),
            false => Value::Null,
        };
        self.outbox.push(appended("audit_event", &row, &organization));
        self.events.push(row);
    }

    /// An event that no audit row tells of: a row of the outbox.
    pub(super) fn announce(&mut self, event: Value) {
        self.outbox.push(event);
    }

    fn add(&mut self, change: &Change, entry: &Entry) {
        let actor = change.actor();
        let workspace = change.membership().map(|membership| membership.workspace.id);
        let of_workspace = matches!(entry.action.trail, Trail::Workspace(_));
        let target = entry.target.or_else(|| entry.records.first().map(|record| (record.table, record.id)));
        let mine = |record: &&Record| target == Some((record.table, record.id));
        let (mut before, mut after) = (Map::new(), Map::new());
        for record in entry.records.iter().filter(mine) {
            // Of several changes of one row the first tells how it was.
            for (field, value) in &record.before {
                before.entry(field.clone()).or_insert_with(|| value.clone());
            }
            after.extend(record.after.clone());
        }
        after.extend(entry.notes.clone());
        let others = entry.records.iter().filter(|record| !mine(record));
        let also: Vec<Value> = others
            .clone()
            .take(MOST_LISTED)
            .map(|record| {
                json!({
                    "type": type_name(record.table),
                    "id": record.id,
                    "what": record.done.name(),
                    "before": record.before,
                    "after": record.after,
                })
            })
            .collect();
        let left = others.count().saturating_sub(MOST_LISTED);
        let target_type = target.map(|(table, _)| type_name(table));
        let target_id = target.map(|(_, id)| id.to_string());
        let mut row = of_actor(actor, change.client());
        match &entry.action.trail {
            Trail::Organization(area, risk) => {
                let mut details = json!({ "description": entry.action.doc });
                for (name, fields) in [("before", before), ("after", after)] {
                    if !fields.is_empty() {
                        details[name] = Value::Object(fields);
                    }
                }
                if !also.is_empty() {
                    details["also"] = also.into();
                }
                if left > 0 {
                    details["alsoNotListed"] = left.into();
                }
                if let Some(reason) = &entry.reason {
                    details["reason"] = reason.as_str().into();
                }
                row["organization_id"] = actor.organization_id.to_string().into();
                row["action"] = entry.action.name.into();
                row["action_category"] = (*area).into();
                row["resource_type"] = target_type.into();
                row["resource_id"] = target_id.into();
                row["details"] = details;
                row["risk_level"] = label(risk).into();
                row["requires_review"] = matches!(risk, RiskLevel::High | RiskLevel::Critical).into();
            }
            Trail::Workspace(event) => {
                if !also.is_empty() {
                    after.insert("also".into(), also.into());
                }
                if left > 0 {
                    after.insert("alsoNotListed".into(), left.into());
                }
                let state = |fields: Map<String, Value>| match fields.is_empty() {
                    true => Value::Null,
                    false => Value::Object(fields),
                };
                row["workspace_id"] = workspace.map(|id| id.to_string()).into();
                row["event_type"] = label(event).into();
                row["target_type"] = target_type.into();
                row["target_id"] = target_id.into();
                row["before_state"] = state(before);
                row["after_state"] = state(after);
                row["reason"] = entry.reason.clone().into();
                row["reason_category"] = entry.category.as_ref().map(label).into();
            }
        }
        let tenant = |mut event: Value| {
            match workspace.filter(|_| of_workspace) {
                Some(workspace) => event["workspace_id"] = workspace.to_string().into(),
                None => event["organization_id"] = actor.organization_id.to_string().into(),
            }
            if !actor.is_system() {
                event["actor_id"] = actor.user_id.to_string().into();
            }
            event
        };
        for record in &entry.records {
            self.outbox.push(tenant(json!({
                "topic": record.topic,
                "aggregate_type": record.topic,
                "aggregate_id": record.aggregate_id,
                "kind": record.done.name(),
                "changed_fields": record.changed_fields(),
                "payload": record.about,
            })));
        }
        for announcement in &entry.announcements {
            self.outbox.push(tenant(json!({
                "topic": announcement.topic,
                "aggregate_type": announcement.topic,
                "aggregate_id": announcement.aggregate_id,
                "kind": announcement.kind,
                "changed_fields": [],
                "payload": announcement.payload,
            })));
        }
        match of_workspace {
            true => self.event(row, actor.organization_id),
            false => self.log(row),
        }
    }

    /// Leaves it with the transaction, which writes it when it is committed.
    pub(super) fn leave(self, transaction: &Transaction) {
        transaction.leave(self);
    }
}

/// The event that tells of an audit row.
fn appended(kind: &str, row: &Value, organization: &Value) -> Value {
    json!({
        "topic": "audit",
        "aggregate_type": kind,
        "aggregate_id": row["id"],
        "organization_id": organization,
        "workspace_id": row["workspace_id"],
        "actor_id": row["actor_id"],
        "kind": "created",
        "changed_fields": [],
        "payload": { "type": kind, "id": row["id"] },
    })
}

/// A new row of what an actor does.
fn of_actor(actor: &Actor, client: &Client) -> Value {
    let user = (!actor.is_system()).then_some((actor.user_id, actor.email.as_str()));
    row(user, &actor.name, user.map(|_| actor.session_id), client)
}

/// A new row for either trail, with the columns that both share: who does it, by id and e-mail address if it is a user, and
/// from where.
pub(super) fn row(user: Option<(Uuid, &str)>, name: &str, session_id: Option<Uuid>, client: &Client) -> Value {
    json!({
        "id": Uuid::now_v7(),
        "actor_type": label(if user.is_some() { &ActorType::Human } else { &ActorType::System }),
        "actor_id": user.map(|(id, _)| id),
        "actor_name": name,
        "actor_email": user.map(|(_, email)| email),
        "session_id": session_id,
        "request_id": client.request_id,
        "ip_address": client.address,
        "user_agent": client.user_agent,
    })
}
