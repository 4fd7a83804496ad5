//! Synchronizations: begun by a user or the schedule, taken up by one gateway at a time, and ended with what came of them.
//!
//! Whoever takes one up holds a lease on it. The source is asked outside of any transaction; what it gave is written together
//! with the end of the synchronization, if the lease still stands. So each takes effect once, and one whose gateway died is
//! ended as failed by another.

#![expect(
    clippy::disallowed_methods,
    reason = "which synchronization is due, and whose turn it is, is asked across organizations"
)]

use std::{collections::BTreeSet, time::Duration};

use aether_domain::{
    metric::MetricLine,
    sheet::{LineError, MOST_PROBLEMS},
    source::{MOST_FAILURES, Rhythm, read_cron},
};
use aether_entity::{
    integration_logs, integration_syncs, integrations,
    sea_orm_active_enums::{IntegrationStatus, LogLevel, SyncFrequency, SyncStatus, SyncTrigger},
};
use aether_store::{
    Error, Result, Store,
    encryption::Encryption,
    sql::Sql,
    write::{Change, UseCase, action},
};
use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    finance::metric_series::{self, Lines},
    imported::Imported,
};

/// How often lines that the series does not take are left out before all are refused.
const ROUNDS: usize = 10;

/// The condition that the gateway itself reads from the integration `i`, and that its organization is served.
const READABLE: &str = "split_part(i.provider, ':', 1) = 'csv_http' AND EXISTS (SELECT FROM organizations o \
    WHERE o.id = i.organization_id AND o.subscription_status = 'active' AND o.deleted_at IS NULL)";

/// A synchronization that has been taken up.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The synchronization.
    pub sync_id: Uuid,
    /// The integration that is synchronized.
    pub integration_id: Uuid,
    /// The configuration of the integration; `None` when it cannot be read any more.
    pub config: Option<Value>,
    organization_id: Uuid,
    leased_until: DateTime<FixedOffset>,
}

/// What came of asking the source.
pub enum Outcome {
    /// It gave lines.
    Read {
        /// Those that are right.
        lines: Vec<MetricLine>,
        /// What is wrong with others.
        problems: Vec<LineError>,
    },
    /// It gave nothing that can be used.
    Failed {
        /// What went wrong, for programs.
        code: &'static str,
        /// The same in a sentence, without anything that the source said or that the configuration holds.
        message: String,
    },
}

/// What of an outcome is kept.
#[derive(Default)]
struct Ended {
    status: Option<SyncStatus>,
    written: usize,
    failed: usize,
    errors: Vec<Value>,
    log: Vec<(LogLevel, String, Value)>,
}

/// Begins a synchronization of an integration, which is locked by this change.
///
/// # Errors
/// [`Error::Precondition`] when one is under way.
pub(super) async fn begin(
    c: &Change,
    integration: integrations::Model,
    trigger: SyncTrigger,
) -> Result<integration_syncs::Model> {
    let running = integration_syncs::Entity::find()
        .filter(integration_syncs::Column::IntegrationId.eq(integration.id))
        .filter(integration_syncs::Column::Status.eq(SyncStatus::Running));
    if c.one(running).await?.is_some() {
        return Err(Error::Precondition(
            "A synchronization of this integration is running. Wait until it has ended.".into(),
        ));
    }
    c.about::<integrations::Entity>(integration.id);
    let sync = c
        .insert(integration_syncs::ActiveModel {
            integration_id: Set(integration.id),
            started_at: Set(c.now()),
            status: Set(SyncStatus::Running),
            trigger_type: Set(Some(trigger)),
            triggered_by: Set((!c.actor().is_system()).then_some(c.actor().user_id)),
            ..Default::default()
        })
        .await?;
    c.update(integration, |integration| integration.last_sync_attempt = Set(Some(c.now()))).await?;
    Ok(sync)
}

/// Ends a synchronization that this change has locked, with its integration.
async fn end(
    c: &Change,
    integration: integrations::Model,
    sync: integration_syncs::Model,
    result: Ended,
) -> Result<()> {
    let status = result.status.unwrap_or(SyncStatus::Failed);
    let (integration_id, sync_id) = (integration.id, sync.id);
    c.about::<integrations::Entity>(integration_id);
    c.note("syncStatus", aether_store::model::enum_value_name(&aether_store::value::label(&status)));
    let whole = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let took = (c.now() - sync.started_at).num_milliseconds().max(0);
    c.update(sync, |sync| {
        sync.status = Set(status.clone());
        sync.completed_at = Set(Some(c.now().max(*sync.started_at.as_ref())));
        sync.duration_ms = Set(Some(i32::try_from(took).unwrap_or(i32::MAX)));
        sync.records_read = Set(whole(result.written + result.failed));
        sync.records_written = Set(whole(result.written));
        sync.records_failed = Set(whole(result.failed));
        sync.errors = Set((!result.errors.is_empty()).then_some(Value::Array(result.errors)));
        sync.leased_until = Set(None);
    })
    .await?;
    let logs = result.log.into_iter().map(|(level, message, details)| integration_logs::ActiveModel {
        integration_id: Set(integration_id),
        sync_id: Set(Some(sync_id)),
        level: Set(level),
        message: Set(message),
        details: Set(Some(details)),
        at: Set(c.now()),
        ..Default::default()
    });
    c.insert_all(logs.collect()).await?;
    // One that was switched off in the meantime stays so.
    let is_on = matches!(integration.status, IntegrationStatus::Active | IntegrationStatus::Error);
    let failures = integration.consecutive_failures.saturating_add(1);
    let total = integration.records_synced_total.saturating_add(i64::try_from(result.written).unwrap_or(i64::MAX));
    c.update(integration, |integration| {
        if status == SyncStatus::Failed {
            integration.consecutive_failures = Set(failures);
            if is_on && failures >= MOST_FAILURES {
                integration.status = Set(IntegrationStatus::Error);
            }
            return;
        }
        integration.consecutive_failures = Set(0);
        integration.last_successful_sync = Set(Some(c.now()));
        integration.records_synced_total = Set(total);
        if is_on {
            integration.status = Set(IntegrationStatus::Active);
        }
    })
    .await?;
    Ok(())
}

/// Merges what a source gave into the series; lines that the series does not take are left out.
async fn take(c: &Change, lines: Vec<MetricLine>, mut problems: Vec<LineError>, source: &str) -> Result<Ended> {
    let mut lines = Lines::settle(c, lines).await?;
    let mut counts = Imported::default();
    for round in 0.. {
        match metric_series::upsert(c, &lines, Some(source)).await {
            Ok((upserted, _)) => {
                counts = upserted;
                break;
            }
            // Nothing has been written yet: lines are compared with what is there before any is.
            Err(Error::Lines(refused)) => {
                let wrong: BTreeSet<u64> = refused.iter().map(|problem| problem.line).collect();
                problems.extend(refused);
                lines.leave_out(&wrong);
                if round == ROUNDS {
                    lines.clear();
                }
                if lines.count() == 0 {
                    break;
                }
            }
            Err(error) => return Err(error),
        }
    }
    let failed = problems.iter().map(|problem| problem.line).collect::<BTreeSet<_>>().len();
    let taken = lines.count();
    let status = match (taken, failed) {
        (_, 0) => SyncStatus::Success,
        (0, _) => SyncStatus::Failed,
        _ => SyncStatus::Partial,
    };
    let details = json!({
        "inserted": counts.inserted,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
    });
    let mut log = vec![(LogLevel::Info, format!("Took {taken} of {} records", taken + failed), details)];
    if failed > 0 {
        let level = if taken == 0 { LogLevel::Error } else { LogLevel::Warning };
        log.push((level, format!("{failed} records could not be taken"), json!({ "problems": problems.len() })));
    }
    Ok(Ended { status: Some(status), written: taken, failed, errors: told(&problems), log })
}

/// The problems as a synchronization keeps them.
fn told(problems: &[LineError]) -> Vec<Value> {
    let mut errors: Vec<_> = problems
        .iter()
        .take(MOST_PROBLEMS)
        .map(|problem| {
            json!({ "code": "LINE_REFUSED", "line": problem.line, "field": problem.field, "message": problem.message })
        })
        .collect();
    if problems.len() > MOST_PROBLEMS {
        let more = problems.len() - MOST_PROBLEMS;
        errors.push(json!({ "code": "MORE", "message": format!("There are {more} more problems.") }));
    }
    errors
}

fn failed(code: &'static str, message: &str) -> Ended {
    Ended {
        status: Some(SyncStatus::Failed),
        errors: vec![json!({ "code": code, "message": message })],
        log: vec![(LogLevel::Error, message.to_owned(), json!({ "code": code }))],
        ..Default::default()
    }
}

/// Begins the synchronizations that are due by the schedule of their integrations, and tells how many.
pub async fn schedule(store: &Store, encryption: &Encryption) -> Result<usize> {
    let mut sql = Sql::new();
    sql.push(
        "SELECT i.id, i.organization_id, now() FROM integrations i WHERE i.sync_enabled AND i.status IN ('active', 'error') \
         AND (i.sync_frequency IN ('hourly', 'daily') OR i.sync_schedule IS NOT NULL) \
         AND NOT EXISTS (SELECT FROM integration_syncs s WHERE s.integration_id = i.id AND s.status = 'running') AND ",
    )
    .push(READABLE)
    .push(" ORDER BY i.last_sync_attempt NULLS FIRST, i.id");
    let mut begun = 0;
    for row in store.run_sql(&sql).await? {
        let (id, organization): (Uuid, Uuid) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        begun += usize::from(store.run_as_system(organization, encryption, begin_if_due(id)).await?);
    }
    Ok(begun)
}

/// Ends as failed what a gateway took up and did not end within its lease, and tells how many.
pub async fn expire(store: &Store, encryption: &Encryption) -> Result<usize> {
    let mut sql = Sql::new();
    sql.push(
        "SELECT s.id, s.integration_id, i.organization_id FROM integration_syncs s \
         JOIN integrations i ON i.id = s.integration_id WHERE s.status = 'running' AND s.leased_until < now()",
    );
    let mut ended = 0;
    for row in store.run_sql(&sql).await? {
        let (sync, id): (Uuid, Uuid) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let organization = row.try_get_by_index(2)?;
        ended += usize::from(store.run_as_system(organization, encryption, abandon(id, sync)).await?);
    }
    Ok(ended)
}

/// Takes up the synchronization that has waited longest, for so long.
pub async fn claim(store: &Store, lease: Duration, encryption: &Encryption) -> Result<Option<Claimed>> {
    let mut sql = Sql::new();
    sql.push("UPDATE integration_syncs s SET leased_until = now() + interval '1 second' * ")
        .number(lease.as_secs())
        .push(
            " FROM integrations i WHERE i.id = s.integration_id AND s.id = (SELECT s.id FROM integration_syncs s \
             JOIN integrations i ON i.id = s.integration_id WHERE s.status = 'running' AND s.leased_until IS NULL AND ",
        )
        .push(READABLE)
        .push(
            " ORDER BY s.started_at, s.id LIMIT 1 FOR UPDATE OF s SKIP LOCKED) \
             RETURNING s.id, i.id, i.organization_id, s.leased_until, i.connection_config",
        );
    let rows = store.run_sql(&sql).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let encrypted: Vec<u8> = row.try_get_by_index(4)?;
    let config = encryption.decrypt(&encrypted).ok().and_then(|config| serde_json::from_slice(&config).ok());
    Ok(Some(Claimed {
        sync_id: row.try_get_by_index(0)?,
        integration_id: row.try_get_by_index(1)?,
        organization_id: row.try_get_by_index(2)?,
        leased_until: row.try_get_by_index(3)?,
        config,
    }))
}

/// Ends a synchronization that was taken up, with what came of it; `false` when the lease did not stand any more, and
/// nothing was written.
pub async fn finish(store: &Store, claimed: &Claimed, outcome: Outcome, encryption: &Encryption) -> Result<bool> {
    store.run_as_system(claimed.organization_id, encryption, finish_claimed(claimed.clone(), outcome)).await
}

/// Begins a synchronization by the schedule, if it is still due.
fn begin_if_due(integration: Uuid) -> UseCase<bool> {
    UseCase::new(&action::TRIGGER_SYNC, move |c| {
        Box::pin(async move {
            let integration = c.find::<integrations::Entity>(integration).await?;
            if !is_due(&integration, c.now()) {
                return Ok(false);
            }
            match begin(c, integration, SyncTrigger::Scheduled).await {
                // Another gateway was faster.
                Err(Error::Precondition(_)) => Ok(false),
                sync => sync.map(|_| true),
            }
        })
    })
}

/// Ends a synchronization whose lease has run out.
fn abandon(integration: Uuid, sync: Uuid) -> UseCase<bool> {
    UseCase::new(&action::FINISH_SYNC, move |c| {
        Box::pin(async move {
            let integration = c.find::<integrations::Entity>(integration).await?;
            let sync = c.find::<integration_syncs::Entity>(sync).await?;
            if sync.status != SyncStatus::Running || sync.leased_until.is_none_or(|until| until >= c.now()) {
                return Ok(false);
            }
            let message = "The gateway that carried this out stopped before its end. Trigger it again.";
            end(c, integration, sync, failed("ABANDONED", message)).await?;
            Ok(true)
        })
    })
}

/// Ends a synchronization that was taken up, if its lease still stands.
fn finish_claimed(claimed: Claimed, outcome: Outcome) -> UseCase<bool> {
    UseCase::new(&action::FINISH_SYNC, move |c| {
        Box::pin(async move {
            let integration = c.find::<integrations::Entity>(claimed.integration_id).await?;
            let sync = c.find::<integration_syncs::Entity>(claimed.sync_id).await?;
            if sync.status != SyncStatus::Running || sync.leased_until != Some(claimed.leased_until) {
                return Ok(false);
            }
            let result = match outcome {
                Outcome::Read { lines, problems } => take(c, lines, problems, &integration.provider).await?,
                Outcome::Failed { code, message } => failed(code, &message),
            };
            end(c, integration, sync, result).await?;
            Ok(true)
        })
    })
}

/// Whether the integration is to be synchronized now, by its schedule or else its frequency.
fn is_due(integration: &integrations::Model, now: DateTime<FixedOffset>) -> bool {
    let is_on = matches!(integration.status, IntegrationStatus::Active | IntegrationStatus::Error);
    if !integration.sync_enabled || !is_on || !aether_domain::source::is_built_in(&integration.provider) {
        return false;
    }
    let rhythm = match (integration.sync_schedule.as_deref(), &integration.sync_frequency) {
        (Some(schedule), _) => read_cron(schedule).ok(),
        (None, Some(SyncFrequency::Hourly)) => Some(Rhythm::Every(Duration::from_secs(3_600))),
        (None, Some(SyncFrequency::Daily)) => Some(Rhythm::Every(Duration::from_secs(24 * 3_600))),
        (None, Some(SyncFrequency::Realtime) | None) => None,
    };
    let now = now.with_timezone(&Utc);
    match (rhythm, integration.last_sync_attempt) {
        (None, _) => false,
        (Some(Rhythm::Every(_)), None) => true,
        (Some(rhythm), last) => {
            let last = last.unwrap_or(integration.created_at).with_timezone(&Utc);
            rhythm.after(last).is_some_and(|due| due <= now)
        }
    }
}
