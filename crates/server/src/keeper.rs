//! The housekeeping of the database, done by one gateway at a time: partitions ahead of time, summaries fresh.

use std::time::Duration;

use aether_store::Store;

/// How often the summaries are refreshed.
const EVERY: Duration = Duration::from_secs(300);

/// Keeps house until it is aborted.
pub async fn keep(store: Store) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        match store.keep_house().await {
            Ok(true) => tracing::debug!("partitions made and summaries refreshed"),
            Ok(false) => tracing::debug!("another gateway keeps house"),
            // It is tried again with the next tick; reads of the summaries stay possible meanwhile.
            Err(_) => tracing::warn!("partitions and summaries could not be kept up; next try in five minutes"),
        }
    }
}
