//! The connections: one pool that can only read, one that can write.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, QueryResult};

use crate::{error::Result, sql::Sql};

tokio::task_local! {
    /// The statements that the request now running has sent.
    static STATEMENTS: Arc<AtomicU64>;
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
}

impl Database {
    /// Connects both pools, each under its own role: what a pool must not do, the database refuses.
    pub async fn connect(connect: &Connect) -> Result<Self> {
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
        })
    }

    /// Runs a statement that reads, and counts it.
    pub(crate) async fn read(&self, sql: &Sql) -> Result<Vec<QueryResult>> {
        count_statement();
        Ok(self.reader.query_all_raw(sql.statement()).await?)
    }

    /// The connections that may write.
    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.reader.ping().await?)
    }

    /// Closes the pools.
    pub async fn close(self) {
        let _ = self.reader.close().await;
        let _ = self.writer.close().await;
    }
}

/// Counts one statement towards the running request.
pub(crate) fn count_statement() {
    let _ = STATEMENTS.try_with(|count| count.fetch_add(1, Ordering::Relaxed));
}

/// Runs a request and tells how many SQL statements it sent.
pub async fn counting<T>(request: impl Future<Output = T>) -> (T, u64) {
    let count = Arc::new(AtomicU64::new(0));
    let answer = STATEMENTS.scope(count.clone(), request).await;
    (answer, count.load(Ordering::Relaxed))
}
