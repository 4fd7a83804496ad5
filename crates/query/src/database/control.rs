//! The connection that users cannot exhaust: over it statements are stopped that nobody waits for any more, and the
//! gateway is told whether its database answers.

use std::{sync::Arc, time::Duration};

use sea_orm::sqlx::{self, ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use tokio::sync::Mutex;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What PostgreSQL calls the process behind a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backend(pub i32);

/// The connection, opened when it is first used and again when it breaks. Cheap to clone.
///
/// It keeps the role that the gateway logs in with: a process may be signalled by the role that it was begun by, and the
/// roles that read and write are taken on only later.
#[derive(Clone)]
pub struct Control {
    options: Arc<PgConnectOptions>,
    connection: Arc<Mutex<Option<PgConnection>>>,
}

impl Control {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self { options: Arc::new(options), connection: Arc::default() }
    }

    /// Stops what a backend is doing, if anything; whether it was asked to. When this returns, the signal has been sent: what
    /// the backend is told to do from then on is not hit by it.
    pub async fn cancel(&self, backend: Backend) -> bool {
        self.ask("SELECT pg_cancel_backend($1)", Some(backend)).await
    }

    /// Ends a backend; whether it was asked to.
    pub async fn terminate(&self, backend: Backend) -> bool {
        self.ask("SELECT pg_terminate_backend($1)", Some(backend)).await
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> bool {
        self.ask("SELECT 1", None).await
    }

    async fn ask(&self, sql: &'static str, backend: Option<Backend>) -> bool {
        let asked = async {
            let mut kept = self.connection.lock().await;
            // Taken out: it is put back only in a state in which it can be used again.
            if let Some(connection) = kept.take()
                && let Ok(connection) = self.once(connection, sql, backend).await
            {
                *kept = Some(connection);
                return true;
            }
            let answer = match self.options.connect().await {
                Ok(connection) => self.once(connection, sql, backend).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(connection) => {
                    *kept = Some(connection);
                    true
                }
                Err(error) => {
                    tracing::warn!(%error, "the database does not answer");
                    false
                }
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.unwrap_or(false)
    }

    async fn once(
        &self,
        mut connection: PgConnection,
        sql: &'static str,
        backend: Option<Backend>,
    ) -> Result<PgConnection, sqlx::Error> {
        let mut query = sqlx::query(sql);
        if let Some(Backend(pid)) = backend {
            query = query.bind(pid);
        }
        query.execute(&mut connection).await?;
        Ok(connection)
    }
}
