//! The queue of deliveries to connectors, as the gateway's courier works it off.
//!
//! A delivery is claimed by pushing its next attempt into the future, so that no transaction is open while HTTP is spoken, and
//! no two gateways send the same one at once. A gateway that dies after the claim is found out when the claim runs out: the
//! attempt is noted as lost and made again under the same identifier, by which the receiver knows it.

use std::time::Duration;

use aether_domain::{connector, golden};
use aether_entity::sea_orm_active_enums::RiskLevel;
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::database::{AuditBatch, AuditLog, Origin, OutboxEvent, Tenant};
use crate::{Store, database::Transaction, encryption::Encryption, error::Result, sql::Sql};

/// How long a claim holds: much longer than an attempt may take.
const CLAIM: &str = "interval '60 seconds'";

/// What is noted of an attempt whose outcome nobody knows.
const LOST: &str = "The gateway stopped before it knew the answer.";

/// A delivery to be tried now.
pub struct Due {
    /// The delivery, by which the receiver knows a repeated one.
    pub id: Uuid,
    /// Where to.
    pub url: String,
    /// What signs it; `None` if none of the gateway's keys opens it.
    pub secret: Option<Vec<u8>>,
    /// The document in its canonical form.
    pub body: String,
    /// The hash of that form.
    pub hash: String,
    /// When it is sent: seconds since 1970, the database's.
    pub timestamp: i64,
    attempt: i32,
    connector_id: Uuid,
    workspace_id: Uuid,
    organization_id: Uuid,
}

/// What became of an attempt.
pub struct Attempt {
    /// The HTTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why it failed, as the members of the workspace may read it; `None` if the connector took the delivery.
    pub error: Option<String>,
    /// How long it took.
    pub took: Duration,
}

#[derive(FromQueryResult)]
struct Claimed {
    id: Uuid,
    workspace_id: Uuid,
    organization_id: Uuid,
    connector_id: Uuid,
    attempts: i32,
    exhausted: bool,
    timestamp: i64,
    url: String,
    encrypted_secret: Vec<u8>,
    document: Json,
    document_hash: String,
}

impl Store {
    /// Claims at most so many deliveries whose time has come. Pauses are in units of `base`.
    pub async fn claim_deliveries(&self, most: u64, encryption: &Encryption, base: Duration) -> Result<Vec<Due>> {
        let mut sql = Sql::new();
        sql.push(
            "WITH due AS ( \
               SELECT d.id, lost.found AS lost, lost.found AND d.attempts % ",
        )
        .number(connector::ATTEMPTS.unsigned_abs().into())
        .push(
            " = 0 AS exhausted \
                 FROM connector_deliveries d \
                 JOIN downstream_connectors k ON k.id = d.connector_id AND k.status = 'READY' \
                  AND k.url IS NOT NULL AND k.encrypted_secret IS NOT NULL \
                 JOIN workspaces w ON w.id = d.workspace_id AND w.deleted_at IS NULL \
                 CROSS JOIN LATERAL (SELECT d.attempts > 0 AND NOT EXISTS ( \
                   SELECT FROM delivery_attempts a WHERE a.delivery_id = d.id AND a.attempt = d.attempts) AS found) lost \
                WHERE d.status = 'pending' AND d.next_attempt_at <= clock_timestamp() \
                ORDER BY d.next_attempt_at LIMIT ",
        )
        .number(most)
        .push(
            " FOR NO KEY UPDATE OF d SKIP LOCKED \
             ), claimed AS ( \
               UPDATE connector_deliveries d \
                  SET attempts = d.attempts + CASE WHEN due.exhausted THEN 0 ELSE 1 END, \
                      next_attempt_at = clock_timestamp() + ",
        )
        .push(CLAIM)
        .push(
            " FROM due WHERE d.id = due.id \
               RETURNING d.id, d.workspace_id, d.connector_id, d.version_id, d.attempts, due.lost, due.exhausted \
             ), noted AS ( \
               INSERT INTO delivery_attempts (workspace_id, delivery_id, attempt, error, duration_ms) \
               SELECT workspace_id, id, attempts - 1, ",
        )
        .text(LOST)
        .push(
            ", 0 FROM claimed WHERE lost AND NOT exhausted ON CONFLICT (delivery_id, attempt) DO NOTHING \
             ) \
             SELECT c.id, c.workspace_id, w.organization_id, c.connector_id, c.attempts, c.exhausted, \
                    extract(epoch FROM clock_timestamp())::bigint AS timestamp, \
                    k.url, k.encrypted_secret, v.document, v.document_hash \
               FROM claimed c JOIN downstream_connectors k ON k.id = c.connector_id \
               JOIN golden_record_versions v ON v.id = c.version_id JOIN workspaces w ON w.id = c.workspace_id",
        );
        let transaction = self.database().begin(crate::write::KEY).await?;
        let rows = transaction.query_all_raw(sql.statement()?).await?;
        self.database().commit(transaction).await?;
        let mut due = Vec::new();
        for row in &rows {
            let claimed = Claimed::from_query_result(row, "")?;
            let delivery = Due {
                id: claimed.id,
                url: claimed.url,
                secret: encryption.decrypt(&claimed.encrypted_secret).ok(),
                body: golden::canonical_json(&claimed.document),
                hash: claimed.document_hash,
                timestamp: claimed.timestamp,
                attempt: claimed.attempts,
                connector_id: claimed.connector_id,
                workspace_id: claimed.workspace_id,
                organization_id: claimed.organization_id,
            };
            if claimed.exhausted {
                // The last attempt was the lost one.
                let lost = Attempt { status: None, error: Some(LOST.into()), took: Duration::ZERO };
                self.settle_delivery(&delivery, &lost, base).await?;
            } else {
                due.push(delivery);
            }
        }
        Ok(due)
    }

    /// Notes what became of an attempt: the log, where the delivery stands now, and the events; the end of a delivery also in
    /// the audit log of the organization that hosts the deal.
    pub async fn settle_delivery(&self, due: &Due, attempt: &Attempt, base: Duration) -> Result<()> {
        let transaction = self.database().begin(crate::write::KEY).await?;
        note(&transaction, due, attempt).await?;
        let mut sql = Sql::new();
        sql.push("UPDATE connector_deliveries SET ");
        let ended = match (&attempt.error, connector::pause_after(due.attempt, base)) {
            (None, _) => {
                sql.push(
                    "status = 'delivered', delivered_at = clock_timestamp(), next_attempt_at = NULL, last_error = NULL",
                )
                // Whatever else was decided meanwhile: the connector has it.
                .push(" WHERE status <> 'delivered' AND id = ")
                .uuid(due.id);
                true
            }
            (Some(error), pause) => {
                let millis = pause.map_or(0, |pause| pause.as_millis());
                sql.push("last_error = ").text(error.as_str());
                match pause {
                    Some(_) => sql
                        .push(", next_attempt_at = clock_timestamp() + interval '1 millisecond' * ")
                        .number(u64::try_from(millis).unwrap_or(u64::MAX)),
                    None => sql.push(", status = 'failed', next_attempt_at = NULL"),
                };
                // Unless the claim has run out and somebody else tries.
                sql.push(" WHERE status = 'pending' AND attempts = ").int(due.attempt).push(" AND id = ").uuid(due.id);
                pause.is_none()
            }
        };
        sql.push(" RETURNING true");
        let changed = !transaction.query_all_raw(sql.statement()?).await?.is_empty();
        if changed && attempt.error.is_none() {
            let mut sql = Sql::new();
            sql.push("UPDATE downstream_connectors SET last_sync_at = clock_timestamp() WHERE id = ")
                .uuid(due.connector_id);
            transaction.execute_raw(sql.statement()?).await?;
        }
        announce(&transaction, due, attempt, changed, ended).await?;
        self.database().commit(transaction).await?;
        Ok(())
    }
}

/// The attempt's row in the delivery log.
async fn note(transaction: &Transaction, due: &Due, attempt: &Attempt) -> Result<()> {
    let mut sql = Sql::new();
    sql.push("INSERT INTO delivery_attempts (id, workspace_id, delivery_id, attempt, response_status, error, duration_ms, at) VALUES (")
        .uuid(Uuid::now_v7())
        .push(", ")
        .uuid(due.workspace_id)
        .push(", ")
        .uuid(due.id)
        .push(", ")
        .int(due.attempt)
        .push(", nullif(")
        .int(attempt.status.unwrap_or_default().into())
        .push(", 0), nullif(")
        .text(attempt.error.clone().unwrap_or_default())
        .push(", ''), ")
        .int(i32::try_from(attempt.took.as_millis()).unwrap_or(i32::MAX))
        .push(", clock_timestamp()) ON CONFLICT (delivery_id, attempt) DO NOTHING");
    transaction.execute_raw(sql.statement()?).await?;
    Ok(())
}

/// The events for subscribers of the workspace, and how a delivery ended for the audit log of the deal's host.
async fn announce(transaction: &Transaction, due: &Due, attempt: &Attempt, changed: bool, ended: bool) -> Result<()> {
    let mut batch = AuditBatch::default();
    let mut event = |kind: &'static str, fields: &[&str], ty: &str, id: Uuid| {
        let event = OutboxEvent::new("connector", due.connector_id, kind, Tenant::Workspace(due.workspace_id));
        let fields = fields.iter().map(ToString::to_string).collect();
        batch.announce(event.changed_fields(fields).payload(json!({ "type": ty, "id": id })));
    };
    event("created", &[], "delivery_attempt", due.id);
    if changed {
        let fields = ["status", "attempts", "nextAttemptAt", "deliveredAt", "lastError"];
        event("updated", &fields, "connector_delivery", due.id);
        if attempt.error.is_none() {
            event("updated", &["lastSyncAt"], "downstream_connector", due.connector_id);
        }
    }
    if changed && ended {
        batch.log(ending(due, attempt));
    }
    transaction.leave(batch);
    Ok(())
}

/// The row of the audit log that tells how a delivery ended.
fn ending(due: &Due, attempt: &Attempt) -> AuditLog {
    let (action, description, status) = match attempt.error {
        None => ("CONNECTOR_DELIVERED", "Delivered a published golden record to a connector.", "DELIVERED"),
        Some(_) => {
            ("CONNECTOR_DELIVERY_FAILED", "Gave up delivering a published golden record to a connector.", "FAILED")
        }
    };
    let details = json!({
        "description": description,
        "before": { "status": "PENDING" },
        "after": { "status": status, "attempts": due.attempt, "lastError": attempt.error },
        "connectorId": due.connector_id,
        "workspaceId": due.workspace_id,
        "documentHash": due.hash,
    });
    AuditLog {
        id: Uuid::now_v7(),
        organization_id: due.organization_id,
        origin: Origin::system(),
        action,
        action_category: "CONFIG",
        resource_type: Some("connector_delivery".into()),
        resource_id: Some(due.id),
        details: details.as_object().cloned().unwrap_or_default(),
        risk_level: RiskLevel::Low,
        requires_review: false,
    }
}
