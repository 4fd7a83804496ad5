//! The housekeeping of the database.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::{Store, error::Result, write::KEY};

impl Store {
    /// Makes the partitions of the coming months, refreshes the summaries and trims the events that are older than is said,
    /// unless another gateway does so now.
    pub async fn maintain(&self, event_retention: Duration) -> Result<bool> {
        let transaction = self.database().begin(KEY).await?;
        // Held to the end of the transaction, and by one gateway at a time.
        let turn = "SELECT pg_try_advisory_xact_lock(hashtext('maintain'))";
        let row = transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, turn)).await?;
        if !row.map(|row| row.try_get_by_index::<bool>(0)).transpose()?.unwrap_or_default() {
            return Ok(false);
        }
        let trim = format!("SELECT trim_events(interval '{} seconds')", event_retention.as_secs());
        for step in [
            "SET LOCAL statement_timeout = '5min'",
            "DELETE FROM idempotency_keys WHERE expires_at < now()",
            // A gateway that stopped amid a download has told nobody; the audit log keeps what was asked for.
            "UPDATE row_exports SET status = 'FAILED', failure = 'The gateway stopped.', finished_at = now() \
             WHERE status = 'RUNNING' AND started_at < now() - interval '6 hours'",
            "DELETE FROM row_exports WHERE requested_at < now() - interval '90 days'",
            "SELECT refresh_kpi_summary()",
            "SELECT refresh_pipeline_summary()",
            &trim,
            // Last, for what a new partition locks stays locked to the end.
            "SELECT ensure_partitions(date_trunc('month', now())::date, (date_trunc('month', now()) + interval '3 months')::date)",
            // Behind that only this, for events wait for the end of whoever writes some.
            "SELECT announce_kpi_refresh()",
        ] {
            transaction.execute_unprepared(step).await?;
        }
        self.database().commit(transaction).await?;
        Ok(true)
    }
}
