//! Transactions that may write.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement, prelude::async_trait,
};
use serde_json::Value;

use aether_query::{
    database::{Backend, Call, Control, Permit},
    rows::Rows,
};
use futures::future::BoxFuture;

use crate::error::{Error, Result};

/// A transaction that may write, until it is committed by [`Database::commit`](super::Database::commit) or dropped.
///
/// Dropped, it is rolled back, and whatever it is doing is stopped first: whoever goes away leaves neither a change nor a
/// statement that runs on.
pub(crate) struct Transaction {
    inner: Arc<DatabaseTransaction>,
    backend: Backend,
    control: Control,
    permit: Mutex<Option<Permit>>,
    /// The rows of the outbox that are to be written last.
    events: Mutex<Vec<Value>>,
    ended: AtomicBool,
}

/// What a new connection notes, so that a transaction on it knows its backend.
pub(super) const NOTE_BACKEND: &str = "SELECT set_config('aether.backend', pg_backend_pid()::text, false)";

impl Transaction {
    pub(super) async fn new(inner: DatabaseTransaction, permit: Permit, control: Control) -> Result<Self> {
        // A query would be the first of the transaction, behind which its isolation cannot be chosen any more; this is none.
        let row = inner.query_one_raw(Statement::from_string(DbBackend::Postgres, "SHOW aether.backend")).await?;
        let backend = row.and_then(|row| row.try_get_by_index::<String>(0).ok()?.parse().ok());
        let backend = backend.ok_or_else(|| Error::internal("a connection whose backend is not known"))?;
        Ok(Self {
            inner: Arc::new(inner),
            backend: Backend(backend),
            control,
            permit: Mutex::new(Some(permit)),
            events: Mutex::default(),
            ended: AtomicBool::new(false),
        })
    }

    /// Has these events written when the transaction is committed, as the last thing before that: from an event's number
    /// until the end of its transaction nobody is told of later ones.
    pub(crate) fn announce(&self, events: Vec<Value>) {
        self.events.lock().extend(events);
    }

    /// Whether an event of this row or aggregate is to be written.
    pub(crate) fn announces(&self, aggregate: uuid::Uuid) -> bool {
        let aggregate = aggregate.to_string();
        self.events.lock().iter().any(|event| event["topic"] != "audit" && event["aggregate_id"] == *aggregate)
    }

    pub(super) fn take_events(&self) -> Vec<Value> {
        std::mem::take(&mut *self.events.lock())
    }

    /// The transaction itself, with the permit for its connection: from here on it is not stopped when it is dropped.
    pub(super) fn into_parts(self) -> Result<(DatabaseTransaction, Option<Permit>)> {
        self.ended.store(true, Ordering::Relaxed);
        let (inner, permit) = (self.inner.clone(), self.permit.lock().take());
        drop(self);
        let inner = Arc::into_inner(inner).ok_or_else(|| Error::internal("a transaction still in use"))?;
        Ok((inner, permit))
    }

    /// The rows of a statement, as those of one that reads.
    pub(crate) async fn rows(&self, statement: Statement) -> Result<Rows> {
        Rows::of(&self.inner.query_all_raw(statement).await?)
    }

    /// Ends the transaction at once, and its connection with it.
    pub(super) async fn terminate(&self) {
        self.control.terminate(self.backend).await;
    }
}

impl aether_query::database::Transaction for Transaction {
    fn rows<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Rows>> {
        Box::pin(async move { self.rows(call.to_sea_orm()?).await })
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.ended.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (inner, permit) = (self.inner.clone(), self.permit.lock().take());
        let (control, backend) = (self.control.clone(), self.backend);
        runtime.spawn(async move {
            if !control.cancel(backend).await {
                control.terminate(backend).await;
            }
            // The connection goes back only now, and is rolled back on its way.
            drop(inner);
            drop(permit);
        });
    }
}

impl Deref for Transaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.inner
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.inner.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.inner.query_all_raw(statement).await
    }
}
