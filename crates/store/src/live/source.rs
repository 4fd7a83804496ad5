//! Where a hub has the events from.

use std::{sync::Arc, time::Duration};

use sea_orm::sqlx::{self, PgConnection};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::Instant,
};

use uuid::Uuid;

use super::{event::Event, tail};
use crate::{
    Store,
    error::{Error, Result},
    sql::Sql,
};

/// How many events are read at once, at most.
pub const BATCH: usize = tail::AT_ONCE as usize;
/// How long to wait at least between two reads, so that what comes in between is read together.
const PACE: Duration = Duration::from_millis(20);
/// How often is looked for what nobody has said.
const POLL: Duration = Duration::from_millis(500);
/// Where gateways tell each other that there is something to read.
const CHANNEL: &str = "aether_events";
/// How often a gateway asks whether it is its turn, and whether it still is.
const TURN: Duration = Duration::from_millis(500);

/// What a hub reads: the settled events of the database, in order.
pub trait Source: Send {
    /// The next settled events behind this number, in order and with none left out between them; at least one. Waits until
    /// there are some. Whoever could not use the answer asks again with the same number, and has the same events again.
    fn next(&mut self, after: i64) -> impl Future<Output = Result<Vec<Event>>> + Send;
}

/// The outbox in PostgreSQL. Each clone is woken by itself.
#[derive(Clone)]
pub struct Outbox {
    store: Store,
    woken: watch::Receiver<()>,
    /// When it was read last.
    read: Option<Instant>,
    /// What wakes; ends with the last clone.
    _wakers: Arc<JoinSet<()>>,
}

impl Source for Outbox {
    async fn next(&mut self, after: i64) -> Result<Vec<Event>> {
        loop {
            if let Some(read) = self.read {
                tokio::time::sleep_until(read + PACE).await;
            }
            // What wakes it from here on may be too late for this read.
            self.woken.mark_unchanged();
            let events = self.read(after).await?;
            if !events.is_empty() {
                return Ok(events);
            }
            tokio::select! {
                () = self.woken() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
}

impl Outbox {
    /// The outbox of this store, which is told of what its gateway commits and tells the other gateways.
    pub fn new(store: Store) -> Self {
        let (wake, woken) = watch::channel(());
        let wake = Arc::new(wake);
        let mut wakers = JoinSet::new();
        let name = Uuid::new_v4().to_string();
        wakers.spawn(listen(store.clone(), name.clone(), wake.clone()));
        wakers.spawn(pass_on(store.clone(), name, wake));
        Self { store, woken, read: None, _wakers: Arc::new(wakers) }
    }

    /// The settled events behind this number that there are by now, [`BATCH`] of them at most.
    pub async fn read(&mut self, after: i64) -> Result<Vec<Event>> {
        self.read = Some(Instant::now());
        Ok(self.store.events(after, None).await?.events)
    }

    /// Waits until something may have been committed since it was asked last.
    pub async fn woken(&mut self) {
        if self.woken.changed().await.is_err() {
            // Nobody wakes any more.
            std::future::pending().await
        }
    }

    /// The number of the last settled event.
    pub async fn last(&self) -> Result<i64> {
        Ok(self.store.stream().await?.last)
    }

    /// A name for the course that this database has taken: another one after it was restored or copied, or a standby took
    /// over, for then the same numbers may be given to other events.
    pub async fn history(&self) -> Result<String> {
        let mut sql = Sql::new();
        sql.push(
            "SELECT md5(concat_ws('/', s.id, c.system_identifier, d.oid, left(pg_walfile_name(pg_current_wal_lsn()), 8))) \
             FROM event_streams s, pg_control_system() c, pg_database d WHERE d.datname = current_database()",
        );
        let rows = self.store.connections().ask(&sql).await?;
        let row = rows.first().ok_or_else(|| Error::internal("a database without a stream of events"))?;
        row.at(0)
    }

    /// Waits until this gateway is the one whose turn it is to relay events.
    pub async fn turn(&self) -> Result<LeaderLease> {
        // One that is dropped, waiting or not, takes its connection and with it the lock along.
        let mut connection = self.store.connections().detached().await?;
        while !sqlx::query_scalar("SELECT pg_try_advisory_lock(30, 2)")
            .fetch_one(&mut connection)
            .await
            .map_err(gone)?
        {
            tokio::time::sleep(TURN).await;
        }
        Ok(LeaderLease(tokio::spawn(hold(connection))))
    }
}

/// The turn of one gateway: until it is dropped, or the connection ends that holds its lock.
pub struct LeaderLease(JoinHandle<()>);

impl LeaderLease {
    /// Waits until it is lost. To be waited for once.
    pub async fn lost(&mut self) {
        _ = (&mut self.0).await;
    }
}

impl Drop for LeaderLease {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Keeps a connection for as long as it answers.
async fn hold(mut connection: PgConnection) {
    loop {
        tokio::time::sleep(TURN).await;
        let answer = tokio::time::timeout(4 * TURN, sqlx::query("SELECT 1").execute(&mut connection)).await;
        if !matches!(answer, Ok(Ok(_))) {
            return;
        }
    }
}

fn gone(error: sqlx::Error) -> Error {
    tracing::debug!(%error, "no turn");
    Error::Unavailable
}

/// Hears of what other gateways than this, by its name, have committed. Without it, polling finds it a little later.
async fn listen(store: Store, name: String, wake: Arc<watch::Sender<()>>) {
    loop {
        if let Ok(mut listener) = store.connections().listen(CHANNEL).await {
            while let Ok(told) = listener.recv().await {
                // What was committed here is known.
                if told.payload() != name {
                    wake.send_replace(());
                }
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Tells whoever reads here and, seldom enough that nobody queues for it, all other gateways that something was committed
/// here. PostgreSQL lets one transaction at a time commit a notification, so those who write never send any.
async fn pass_on(store: Store, name: String, wake: Arc<watch::Sender<()>>) {
    loop {
        store.database().committed().notified().await;
        wake.send_replace(());
        _ = store.connections().notify(CHANNEL, &name).await;
        tokio::time::sleep(PACE).await;
    }
}
