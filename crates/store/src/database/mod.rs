//! The connections: those that write, beside those that read (`aether_query`).

mod audit_batch;
mod transaction;

use std::{sync::Arc, time::Duration};

use aether_query::database::{Connections, KEPT, OWN, PATIENCE, Permit, Queues};
pub(crate) use aether_query::database::{Party, as_party, share_transaction};
use sea_orm::{
    ConnectOptions, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, TransactionTrait,
    sqlx::{self, ConnectOptions as _, Executor as _, postgres::PgConnectOptions},
};
use tokio::sync::Notify;

pub(crate) use self::{
    audit_batch::{AuditBatch, AuditEvent, AuditLog, Origin, OutboxEvent, Tenant},
    transaction::Transaction,
};
use crate::{
    error::{Error, Result, is_broken},
    sql::Sql,
    write::Key,
};

/// How long writing the events of a transaction may take: until it has ended, nobody is told of any later event.
const TELLING: Duration = Duration::from_secs(3);
/// How long a transaction is left open by a gateway that does not get on with it.
const FORSAKEN: &str = "15000";

/// How to reach PostgreSQL.
#[derive(Debug, Clone)]
pub struct Connect {
    /// `postgres://…`
    pub url: String,
    /// Connections that read for users; half as many write for them.
    pub max_connections: u32,
    /// How long one statement may run.
    pub statement_timeout: Duration,
}

/// The connections. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    connections: Connections,
    writer: DatabaseConnection,
    writers: Queues,
    committed: Arc<Notify>,
}

impl Database {
    /// Connects, under a role for each purpose: what a connection must not do, the database refuses.
    pub async fn connect(connect: &Connect) -> Result<Self> {
        let unusable = |error: sqlx::Error| {
            tracing::error!(%error, "an address of a database that cannot be used");
            Error::Unavailable
        };
        let options: PgConnectOptions = connect.url.parse().map_err(unusable)?;
        let options = options.application_name("aether-nexus").disable_statement_logging();
        let users = connect.max_connections.max(2) as usize;
        let writers = (users / 2).max(2);
        Ok(Self {
            connections: Connections::open(&connect.url, options, users, connect.statement_timeout).await?,
            writer: Self::writer(connect, writers + OWN.1).await?,
            writers: Queues::new(writers, OWN.1),
            committed: Arc::default(),
        })
    }

    /// The pool that writes. Whoever begins something there has been admitted before, so it has a connection for them.
    async fn writer(connect: &Connect, size: usize) -> Result<DatabaseConnection> {
        let timeout = connect.statement_timeout.as_millis().to_string();
        let mut options = ConnectOptions::new(&connect.url);
        options
            .max_connections(u32::try_from(size).unwrap_or(u32::MAX))
            .min_connections(1)
            .acquire_timeout(PATIENCE)
            // A ping before each checkout would be a round trip per statement; only a long idle one is tested.
            .test_before_acquire_if_idle_for(Duration::from_secs(30))
            .sqlx_logging(false)
            .record_stmt_in_spans(false)
            .set_application_name("aether-nexus")
            .map_sqlx_postgres_pool_opts(|options| {
                options.after_connect(|connection, _| {
                    Box::pin(async move { connection.execute(transaction::NOTE_BACKEND).await.map(|_| ()) })
                })
            })
            .map_sqlx_postgres_opts(move |options| {
                options.statement_cache_capacity(KEPT).options([
                    ("role", "aether_writer"),
                    ("statement_timeout", timeout.as_str()),
                    ("idle_in_transaction_session_timeout", FORSAKEN),
                    ("TimeZone", "UTC"),
                    ("jit", "off"),
                    // Rows are found by their keys, whichever they are: a plan serves all of them.
                    ("plan_cache_mode", "force_generic_plan"),
                    ("random_page_cost", "1.1"),
                ])
            });
        #[expect(clippy::disallowed_methods, reason = "here the pools are made")]
        Ok(sea_orm::Database::connect(options).await?)
    }

    /// Begins a transaction that may write; for the executor only.
    pub(crate) async fn begin(&self, _: Key) -> Result<Transaction> {
        let (inner, permit) = self.open().await?;
        Transaction::new(inner, permit, self.connections.control().clone()).await
    }

    /// The same, begun with a query of these columns: its row has the process behind the connection, and then them.
    pub(crate) async fn begin_asking(&self, _: Key, columns: &Sql) -> Result<(Transaction, QueryResult)> {
        let (inner, permit) = self.open().await?;
        Transaction::asking(inner, permit, self.connections.control().clone(), columns).await
    }

    async fn open(&self) -> Result<(DatabaseTransaction, Permit)> {
        self.connections.take_permit().await?;
        let permit = self.writers.admit().await?;
        #[expect(clippy::disallowed_methods, reason = "here transactions begin, for those who have the key")]
        let inner = self.unbroken(|| self.writer.begin()).await?;
        Ok((inner, permit))
    }

    /// Commits what [`begin`](Self::begin) began, and wakes who tells live subscribers of changes. Its events are written last;
    /// when that takes too long, nothing of the transaction stays.
    ///
    /// # Errors
    /// [`Error::Overdue`] when it took too long.
    pub(crate) async fn commit(&self, transaction: Transaction) -> Result<()> {
        if transaction.leaves_something() {
            match tokio::time::timeout(TELLING, transaction.write_all()).await {
                Ok(written) => written?,
                Err(_) => {
                    tracing::warn!("events could not be written in time; their transaction is taken back");
                    transaction.terminate().await;
                    return Err(Error::Overdue);
                }
            }
        }
        let (transaction, permit) = transaction.into_parts()?;
        let committed = self.committed.clone();
        // Whoever asked for it may go away meanwhile; what has been sent cannot be taken back, and is told of.
        let commit = tokio::spawn(async move {
            #[expect(clippy::disallowed_methods, reason = "here transactions end, so that nobody forgets to wake")]
            let answer = transaction.commit().await;
            drop(permit);
            committed.notify_one();
            answer
        });
        commit.await.map_err(|_| Error::internal("a commit that broke off"))??;
        Ok(())
    }

    /// Commits a transaction that was shared, once nobody else holds it.
    pub(crate) async fn commit_shared(&self, transaction: Arc<Transaction>) -> Result<()> {
        let transaction = Arc::into_inner(transaction).ok_or_else(|| Error::internal("a transaction still in use"))?;
        self.commit(transaction).await
    }

    /// Told whenever this process has committed something.
    pub(crate) fn committed(&self) -> &Notify {
        &self.committed
    }

    /// Tries again what changes nothing when the connection turns out to be broken. When the server restarts, every
    /// connection of a pool breaks, and each is found out and replaced only once it is used.
    async fn unbroken<T, F>(&self, attempt: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        for _ in 0..self.writer.get_postgres_connection_pool().options().get_max_connections() {
            match attempt().await {
                Err(error) if is_broken(&error) => tracing::debug!(%error, "a broken connection"),
                answer => return Ok(answer?),
            }
        }
        Ok(attempt().await?)
    }

    /// Those that read.
    pub(crate) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Whether the database answers, and soon: whoever asks has little patience. Users cannot keep it from answering.
    pub async fn ping(&self) -> Result<()> {
        self.connections.ping().await
    }

    /// Closes the pools. A pool that is looking for a server that is gone does so for minutes, and is left to itself.
    pub async fn close(self) {
        let close = async { tokio::join!(self.connections.close(), self.writer.clone().close()) };
        let _ = tokio::time::timeout(Duration::from_secs(3), close).await;
    }
}
