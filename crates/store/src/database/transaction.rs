//! Transactions that may write.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use aether_query::{
    database::{Backend, Call, Control, Permit},
    rows::Rows,
};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement, prelude::async_trait,
};

use super::audit_batch::AuditBatch;
use crate::{
    error::{Error, Result},
    sql::Sql,
};

/// A transaction that may write, until it is committed by [`Database::commit`](super::Database::commit) or dropped.
///
/// Dropped, it is rolled back, and whatever it is doing is stopped first: whoever goes away leaves neither a change nor a
/// statement that runs on.
pub(crate) struct Transaction {
    inner: Arc<DatabaseTransaction>,
    backend: Backend,
    control: Control,
    permit: Mutex<Option<Permit>>,
    audit: Mutex<AuditBatch>,
    ended: AtomicBool,
}

/// What a new connection notes, so that a transaction on it knows its backend.
pub(super) const NOTE_BACKEND: &str = "SELECT set_config('aether.backend', pg_backend_pid()::text, false)";

impl Transaction {
    pub(super) async fn new(inner: DatabaseTransaction, permit: Permit, control: Control) -> Result<Self> {
        // A query would be the first of the transaction, behind which its isolation cannot be chosen any more; this is none.
        let row = inner.query_one_raw(Statement::from_string(DbBackend::Postgres, "SHOW aether.backend")).await?;
        let backend = backend(row.as_ref())?;
        Ok(Self::on(backend, inner, permit, control))
    }

    /// The same, begun with a query of these columns, and its row: that costs no statement more.
    pub(super) async fn asking(
        inner: DatabaseTransaction,
        permit: Permit,
        control: Control,
        columns: &Sql,
    ) -> Result<(Self, QueryResult)> {
        let row = ask(&inner, columns).await?;
        let backend = backend(Some(&row))?;
        Ok((Self::on(backend, inner, permit, control), row))
    }

    /// The same query in a transaction that was begun before.
    pub(crate) async fn ask(&self, columns: &Sql) -> Result<QueryResult> {
        ask(&self.inner, columns).await
    }

    fn on(backend: Backend, inner: DatabaseTransaction, permit: Permit, control: Control) -> Self {
        Self {
            inner: Arc::new(inner),
            backend,
            control,
            permit: Mutex::new(Some(permit)),
            audit: Mutex::default(),
            ended: AtomicBool::new(false),
        }
    }

    /// Has this written when the transaction is committed, as the last thing before that: from an event's number until the end of its
    /// transaction nobody is told of later ones.
    pub(crate) fn leave(&self, batch: AuditBatch) {
        self.audit.lock().append(batch);
    }

    /// Writes the audit rows already, for what follows in the same transaction may read them.
    pub(crate) async fn write_audit(&self) -> Result<()> {
        let rows = self.audit.lock().take_audit();
        self.write(rows).await
    }

    /// Writes all that the transaction leaves.
    pub(super) async fn write_all(&self) -> Result<()> {
        let all = std::mem::take(&mut *self.audit.lock());
        self.write(all).await
    }

    async fn write(&self, batch: AuditBatch) -> Result<()> {
        if let Some(statement) = batch.statement()? {
            self.inner.execute_raw(statement).await?;
        }
        Ok(())
    }

    /// Whether an event of this row or aggregate is to be written.
    pub(crate) fn announces(&self, aggregate: uuid::Uuid) -> bool {
        self.audit.lock().announces(aggregate)
    }

    /// Whether it leaves anything that is yet to be written.
    pub(super) fn leaves_something(&self) -> bool {
        !self.audit.lock().is_empty()
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

/// The process of PostgreSQL behind a connection, as it has noted it, and then these columns.
async fn ask(transaction: &DatabaseTransaction, columns: &Sql) -> Result<QueryResult> {
    let mut sql = Sql::new();
    sql.push("SELECT current_setting('aether.backend'), ").append(columns);
    let row = transaction.query_one_raw(sql.statement()?).await?;
    row.ok_or_else(|| Error::internal("a SELECT without rows"))
}

/// The process that a row begins with.
fn backend(row: Option<&QueryResult>) -> Result<Backend> {
    let backend = row.and_then(|row| row.try_get_by_index::<String>(0).ok()?.parse().ok());
    backend.map(Backend).ok_or_else(|| Error::internal("a connection whose backend is not known"))
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
