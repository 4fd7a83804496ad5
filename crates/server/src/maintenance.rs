//! The housekeeping of the database, done by one gateway at a time: partitions ahead of time, summaries fresh, the audit
//! trail sealed.

use std::time::Duration;

use aether_graphql::Schema;
use aether_store::{Store, audit_log::Keys};

/// How often the summaries are refreshed.
const EVERY: Duration = Duration::from_secs(300);

/// How often the audit trail is sealed.
const SEAL_EVERY: Duration = Duration::from_secs(1);
/// How long to wait when it cannot be.
const SEAL_AGAIN: Duration = Duration::from_secs(10);

/// How often is logged how many operations had been compiled before.
const LOG_EVERY: Duration = Duration::from_secs(3_600);

/// Logs now and then how many operations had been compiled before, until it is aborted.
pub async fn log_compiled_hourly(schema: Schema) {
    loop {
        tokio::time::sleep(LOG_EVERY).await;
        log_compiled(&schema);
    }
}

/// Logs how many of the operations since the start had been compiled before.
pub fn log_compiled(schema: &Schema) {
    let compiled = schema.compiled();
    let all = compiled.hits + compiled.misses;
    if let Some(percent) = (compiled.hits * 100).checked_div(all) {
        tracing::info!(
            hits = compiled.hits,
            misses = compiled.misses,
            percent,
            documents = compiled.documents,
            bytes = compiled.bytes,
            "operations that had been compiled before"
        );
    }
}

/// Keeps house until it is aborted. Events are kept for so long.
pub async fn keep(store: Store, event_retention: Duration) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        match store.maintain(event_retention).await {
            Ok(true) => tracing::debug!("partitions made and summaries refreshed"),
            Ok(false) => tracing::debug!("another gateway keeps house"),
            // It is tried again with the next tick; reads of the summaries stay possible meanwhile.
            Err(error) => {
                error.log();
                tracing::warn!("partitions and summaries could not be kept up; next try in five minutes");
            }
        }
    }
}

/// Seals the audit trail until it is aborted.
pub async fn seal(store: Store, keys: Keys) {
    loop {
        let pause = match store.seal_audit(&keys).await {
            Ok(0) => SEAL_EVERY,
            Ok(rows) => {
                tracing::debug!(rows, "audit trail sealed");
                SEAL_EVERY
            }
            // What is pending stays so.
            Err(error) => {
                error.log();
                tracing::warn!("the audit trail could not be sealed; next try in ten seconds");
                SEAL_AGAIN
            }
        };
        tokio::time::sleep(pause).await;
    }
}
