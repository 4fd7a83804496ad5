//! The connections: one pool that can only read, one that can write.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, TransactionTrait,
    sqlx,
};
use tokio::sync::{Notify, Semaphore};

use crate::{
    error::{Error, Result, is_broken},
    sql::Sql,
    write::Key,
};

/// How many statements of one request may run at once: one that has hundreds of root fields must not take every
/// connection from the others.
const AT_ONCE: usize = 6;

/// What the request now running has had of the database.
struct Share {
    statements: AtomicU64,
    turns: Semaphore,
    /// The transaction in which its mutations go together, and its reads with them.
    transaction: Mutex<Option<Arc<DatabaseTransaction>>>,
}

impl Share {
    fn transaction(&self) -> Option<Arc<DatabaseTransaction>> {
        self.transaction.lock().clone()
    }
}

/// Has the request now running read in this transaction, or in none again.
pub(crate) fn share_transaction(transaction: Option<&Arc<DatabaseTransaction>>) {
    let _ = SHARE.try_with(|share| {
        *share.transaction.lock() = transaction.cloned();
    });
}

tokio::task_local! {
    static SHARE: Arc<Share>;
}

/// How to reach PostgreSQL.
#[derive(Debug, Clone)]
pub struct Connect {
    /// `postgres://…`
    pub url: String,
    /// Connections of the reading pool; the writing pool has half as many.
    pub max_connections: u32,
    /// How long one statement may run.
    pub statement_timeout: Duration,
}

/// The pools.
#[derive(Clone)]
pub struct Database {
    reader: DatabaseConnection,
    writer: DatabaseConnection,
    max_connections: u32,
    committed: Arc<Notify>,
}

impl Database {
    /// Connects both pools, each under its own role: what a pool must not do, the database refuses.
    pub async fn connect(connect: &Connect) -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "here the pools are made")]
        let pool = async |role: &'static str, size: u32| {
            let mut options = ConnectOptions::new(&connect.url);
            let timeout = connect.statement_timeout.as_millis().to_string();
            options
                .max_connections(size.max(2))
                .min_connections(1)
                .acquire_timeout(Duration::from_secs(5))
                // A ping before each checkout would be a round trip per statement; only a long idle one is tested.
                .test_before_acquire_if_idle_for(Duration::from_secs(30))
                .sqlx_logging(false)
                .record_stmt_in_spans(false)
                .set_application_name("aether-nexus")
                .map_sqlx_postgres_opts(move |options| {
                    options.statement_cache_capacity(1_000).options([
                        ("role", role),
                        ("statement_timeout", timeout.as_str()),
                        ("idle_in_transaction_session_timeout", "60000"),
                        ("TimeZone", "UTC"),
                        ("jit", "off"),
                    ])
                });
            sea_orm::Database::connect(options).await
        };
        Ok(Self {
            reader: pool("aether_reader", connect.max_connections).await?,
            writer: pool("aether_writer", connect.max_connections / 2).await?,
            max_connections: connect.max_connections.max(2),
            committed: Arc::default(),
        })
    }

    /// Runs a statement that reads, and counts it.
    pub(crate) async fn read(&self, sql: &Sql) -> Result<Vec<QueryResult>> {
        // The text only: values are somebody's data.
        tracing::trace!(statement = %sql.text);
        let share = SHARE.try_with(Arc::clone).ok();
        let _turn = match &share {
            Some(share) => {
                share.statements.fetch_add(1, Ordering::Relaxed);
                share.turns.acquire().await.ok()
            }
            None => None,
        };
        if let Some(transaction) = share.as_ref().and_then(|share| share.transaction()) {
            return Ok(transaction.query_all_raw(sql.statement()).await?);
        }
        self.unbroken(|| self.reader.query_all_raw(sql.statement())).await
    }

    /// Begins a transaction that may write; for the door only.
    pub(crate) async fn begin(&self, _: Key) -> Result<DatabaseTransaction> {
        #[expect(clippy::disallowed_methods, reason = "here transactions begin, for those who have the key")]
        self.unbroken(|| self.writer.begin()).await
    }

    /// Commits what [`begin`](Self::begin) began, and wakes who tells live subscribers of changes.
    pub(crate) async fn commit(&self, transaction: DatabaseTransaction) -> Result<()> {
        #[expect(clippy::disallowed_methods, reason = "here transactions end, so that nobody forgets to wake")]
        transaction.commit().await?;
        self.committed.notify_one();
        Ok(())
    }

    /// Told whenever this process has committed something.
    pub(crate) fn committed(&self) -> &Notify {
        &self.committed
    }

    /// Tells all gateways that listen on this channel who has something to tell.
    pub(crate) async fn notify(&self, channel: &str, who: &str) -> Result<()> {
        let mut sql = Sql::new();
        sql.push("SELECT pg_notify(").text(channel).push(", ").text(who).push(")");
        self.reader.query_all_raw(sql.statement()).await?;
        Ok(())
    }

    /// Hears what any gateway says on this channel, on a connection of its own out of the reading pool.
    pub(crate) async fn listen(&self, channel: &str) -> Result<sqlx::postgres::PgListener> {
        let pool = self.reader.get_postgres_connection_pool();
        let heard = async {
            let mut listener = sqlx::postgres::PgListener::connect_with(pool).await?;
            listener.listen(channel).await?;
            Ok::<_, sqlx::Error>(listener)
        };
        heard.await.map_err(|error| {
            tracing::debug!(%error, "not listening");
            Error::Unavailable
        })
    }

    /// A connection under the role that reads which is not of the pool, and closed once it is dropped.
    pub(crate) async fn detached(&self) -> Result<sqlx::PgConnection> {
        let connection = self.reader.get_postgres_connection_pool().acquire().await;
        connection.map(|connection| connection.detach()).map_err(|error| {
            tracing::debug!(%error, "no connection");
            Error::Unavailable
        })
    }

    /// Tries again what changes nothing when the connection turns out to be broken. When the server restarts, every
    /// connection of a pool breaks, and each is found out and replaced only once it is used.
    async fn unbroken<T, F>(&self, attempt: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        for _ in 0..self.max_connections {
            match attempt().await {
                Err(error) if is_broken(&error) => tracing::debug!(%error, "a broken connection"),
                answer => return Ok(answer?),
            }
        }
        Ok(attempt().await?)
    }

    /// Whether the database answers, and soon: whoever asks has little patience.
    pub async fn ping(&self) -> Result<()> {
        let answer = self.unbroken(|| self.reader.ping());
        tokio::time::timeout(Duration::from_secs(2), answer).await.unwrap_or(Err(Error::Unavailable))
    }

    /// Closes the pools. A pool that is looking for a server that is gone does so for minutes, and is left to itself.
    pub async fn close(self) {
        let close = async { tokio::join!(self.reader.clone().close(), self.writer.clone().close()) };
        let _ = tokio::time::timeout(Duration::from_secs(3), close).await;
    }
}

/// Runs a request and tells how many SQL statements it read with.
pub async fn counting<T>(request: impl Future<Output = T>) -> (T, u64) {
    let share = Arc::new(Share {
        statements: AtomicU64::new(0),
        turns: Semaphore::new(AT_ONCE),
        transaction: Mutex::default(),
    });
    let answer = SHARE.scope(share.clone(), request).await;
    (answer, share.statements.load(Ordering::Relaxed))
}
