//! The connections that read.
//!
//! A pool of our own, for three things that the driver's does not know: which process of PostgreSQL works behind a
//! connection, that a statement nobody waits for any more must be stopped before its connection serves somebody else, and
//! which statements are worth being kept prepared.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    io::ErrorKind,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::TryStreamExt;
use moka::sync::Cache;
use parking_lot::Mutex;
use sea_orm::{
    DbErr, QueryResult, RuntimeErr,
    sea_query::Values,
    sqlx::{
        self, AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Row as _,
        postgres::{PgConnectOptions, PgRow},
    },
};
use sea_query_sqlx::SqlxValues;

use super::{
    admission::Permit,
    control::{Backend, Control},
};
use crate::{
    error::{Error, Result, is_broken, is_locked},
    sql::Sql,
};

/// How many statements a connection keeps prepared: each costs PostgreSQL memory, some of them half a megabyte.
pub(super) const KEPT: usize = 100;
/// The longest text of a statement that is kept prepared; longer ones are seldom the same twice, and cost more.
const LONGEST_KEPT: usize = 6 * 1024;
/// How many texts of statements are remembered, to know which come again.
const REMEMBERED: u64 = 4_096;
/// How old a connection gets: what PostgreSQL remembers of tables grows with what was asked.
const OLDEST: Duration = Duration::from_secs(1_800);
/// How long a connection is kept that nobody needs.
const IDLE: Duration = Duration::from_secs(600);
/// After this long a connection is tested before it is used.
const UNTESTED: Duration = Duration::from_secs(30);
/// How long a statement waits for a lock. Reading waits for nobody but who changes a whole table.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
/// How long what is locked is not tried again.
const SPARED: Duration = Duration::from_secs(1);
/// How many statements that are locked are known at most before those of earlier are forgotten.
const MOST_LOCKED: usize = 1_000;
/// After how many rows others have their turn: where PostgreSQL is faster than the gateway, nothing else interrupts an answer.
const UNINTERRUPTED: usize = 500;
/// How long connecting may take, and testing.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before connecting again.
const AGAIN: Duration = Duration::from_millis(50);
/// How long a statement may run on after PostgreSQL should have stopped it: it does not look at the clock everywhere.
const GRACE: Duration = Duration::from_secs(2);

/// The connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Reading(Arc<Pool>);

struct Pool {
    options: PgConnectOptions,
    control: Control,
    /// How long a statement may take in all.
    deadline: Duration,
    /// Those that are not in use; the last is used next.
    idle: Mutex<Vec<Connection>>,
    /// Texts of statements that came before.
    known: Cache<u64, ()>,
    /// Texts of statements that waited in vain for a lock, and until when those that are alike are refused.
    locked: Mutex<HashMap<u64, Instant>>,
}

struct Connection {
    inner: PgConnection,
    backend: Backend,
    opened: Instant,
    used: Instant,
}

/// A connection in use. When it is dropped before its statement has ended, the statement is stopped.
struct Lease {
    pool: Arc<Pool>,
    connection: Option<Connection>,
    permit: Option<Permit>,
}

impl Reading {
    /// Connections with these options, on which a statement may run for so long.
    pub(super) fn new(options: PgConnectOptions, control: Control, statement_timeout: Duration) -> Self {
        let known = Cache::new(REMEMBERED);
        let deadline = statement_timeout + GRACE;
        Self(Arc::new(Pool { options, control, deadline, idle: Mutex::default(), known, locked: Mutex::default() }))
    }

    /// Opens a first connection, which tells whether there can be any.
    pub(super) async fn open(&self) -> Result<()> {
        let connection = self.0.open().await?;
        self.0.idle.lock().push(connection);
        Ok(())
    }

    /// The rows of a statement, of at most so many bytes, on a connection for which this is the permit.
    pub(super) async fn rows(&self, sql: &Sql, permit: Permit, room: usize) -> Result<Vec<QueryResult>> {
        let text = hash(&sql.text);
        let is_trial = self.0.is_trial(text)?;
        let answer = self.answer(sql, permit, room).await;
        match &answer {
            Err(Error::Locked) => self.0.note_lock(text),
            Ok(_) if is_trial => _ = self.0.locked.lock().remove(&text),
            _ => {}
        }
        answer
    }

    async fn answer(&self, sql: &Sql, permit: Permit, room: usize) -> Result<Vec<QueryResult>> {
        let mut lease = Lease { pool: self.0.clone(), connection: None, permit: Some(permit) };
        if let Some(connection) = self.0.take().await {
            match lease.rows(connection, sql, room).await {
                // When the server restarts, every connection breaks. What only reads can be tried again.
                Err(error) if is_broken(&error) => {
                    tracing::debug!(%error, "a broken connection");
                    self.0.idle.lock().clear();
                }
                answer => return answered(answer),
            }
        }
        let connection = self.0.open().await?;
        answered(lease.rows(connection, sql, room).await)
    }

    /// Closes those that are not in use.
    pub(super) async fn close(&self) {
        let idle = std::mem::take(&mut *self.0.idle.lock());
        for connection in idle {
            _ = connection.inner.close().await;
        }
    }
}

/// How a statement ended.
enum Ended {
    /// With all its rows.
    Whole(Vec<QueryResult>),
    /// Not in time.
    Late,
    /// With more bytes than there was room for, after so many rows.
    Large(usize),
}

/// What a statement that only reads has answered.
fn answered(answer: Result<Ended, DbErr>) -> Result<Vec<QueryResult>> {
    match answer {
        Ok(Ended::Whole(rows)) => Ok(rows),
        Ok(Ended::Late) => Err(Error::Timeout),
        Ok(Ended::Large(rows)) => Err(Error::invalid(
            "first",
            format!(
                "The answer is too large: there was no room for what came after {rows} rows. Ask for smaller pages with first, \
                 or for fewer fields at once."
            ),
        )),
        Err(error) if is_locked(&error) => {
            tracing::info!(%error, "what is to be read is locked");
            Err(Error::Locked)
        }
        Err(error) => Err(error.into()),
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Whether connecting may succeed a moment later: the server is not there yet, is starting or stopping, or is full.
fn passes(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound),
        sqlx::Error::Database(error) => error.code().is_some_and(|code| ["57P03", "53300"].contains(&&*code)),
        _ => false,
    }
}

impl Pool {
    /// A connection that is not in use and works.
    async fn take(&self) -> Option<Connection> {
        loop {
            let mut connection = self.idle.lock().pop()?;
            if connection.opened.elapsed() > OLDEST {
                tokio::spawn(connection.inner.close());
            } else if connection.used.elapsed() < UNTESTED
                || matches!(tokio::time::timeout(PATIENCE, connection.inner.ping()).await, Ok(Ok(())))
            {
                return Some(connection);
            }
        }
    }

    async fn open(&self) -> Result<Connection> {
        let open = async {
            let mut inner = loop {
                match self.options.connect().await {
                    // It may be just starting again.
                    Err(error) if passes(&error) => tokio::time::sleep(AGAIN).await,
                    answer => break answer?,
                }
            };
            let pid = sqlx::query_scalar("SELECT pg_backend_pid()").persistent(false).fetch_one(&mut inner).await?;
            let now = Instant::now();
            Ok::<_, sqlx::Error>(Connection { inner, backend: Backend(pid), opened: now, used: now })
        };
        match tokio::time::timeout(PATIENCE, open).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => {
                tracing::error!(%error, "database unavailable");
                Err(Error::Unavailable)
            }
            Err(_) => {
                tracing::error!("the database does not let the gateway in");
                Err(Error::Unavailable)
            }
        }
    }

    fn give_back(&self, mut connection: Connection) {
        connection.used = Instant::now();
        let mut idle = self.idle.lock();
        idle.retain(|other| other.used.elapsed() < IDLE);
        idle.push(connection);
    }

    /// Whether a statement is worth being kept prepared: one that came before, and is not of unusual length.
    fn is_usual(&self, text: &str) -> bool {
        if text.len() > LONGEST_KEPT {
            return false;
        }
        let key = hash(text);
        let known = self.known.contains_key(&key);
        // Also what is known: what comes often is remembered longest.
        self.known.insert(key, ());
        known
    }

    /// Refuses a statement that is like one that waited in vain for a lock just before: while a table is locked, those who
    /// ask for it must not take the connections from those who do not. Now and then one is let through, to see.
    fn is_trial(&self, text: u64) -> Result<bool> {
        let mut locked = self.locked.lock();
        let Some(until) = locked.get_mut(&text) else { return Ok(false) };
        if Instant::now() < *until {
            return Err(Error::Locked);
        }
        *until = Instant::now() + LOCK_TIMEOUT + SPARED;
        Ok(true)
    }

    fn note_lock(&self, text: u64) {
        let now = Instant::now();
        let mut locked = self.locked.lock();
        if locked.len() >= MOST_LOCKED {
            locked.retain(|_, until| *until > now);
        }
        locked.insert(text, now + SPARED);
    }

    /// Makes a connection whose statement nobody waits for any more fit for others, or closes it.
    async fn recover(&self, mut connection: Connection) {
        let cancelled = self.control.cancel(connection.backend).await;
        // What is left of the answer is read and thrown away.
        if cancelled && matches!(tokio::time::timeout(PATIENCE, connection.inner.ping()).await, Ok(Ok(()))) {
            self.give_back(connection);
        } else {
            self.control.terminate(connection.backend).await;
            drop(connection);
        }
    }
}

impl Lease {
    /// Runs a statement. One that does not end in time, or grows beyond the room that there is, is stopped when this lease is
    /// dropped.
    async fn rows(&mut self, connection: Connection, sql: &Sql, room: usize) -> Result<Ended, DbErr> {
        let is_usual = self.pool.is_usual(&sql.text);
        let deadline = self.pool.deadline;
        let connection = self.connection.insert(connection);
        let read = async |connection: &mut PgConnection, is_kept: bool| {
            let values = SqlxValues(Values(sql.values.clone()));
            let query = sqlx::query_with(AssertSqlSafe(sql.text.as_str()), values).persistent(is_kept);
            let (mut rows, mut bytes) = (Vec::new(), 0_usize);
            let mut coming = query.fetch(connection);
            while let Some(row) = coming.try_next().await? {
                bytes = bytes.saturating_add(size(&row));
                if bytes > room {
                    return Ok(Err(rows.len()));
                }
                rows.push(row);
                if rows.len() % UNINTERRUPTED == 0 {
                    tokio::task::yield_now().await;
                }
            }
            Ok(Ok(rows))
        };
        let reading = async {
            match read(&mut connection.inner, is_usual).await {
                // The driver asked the database about a type, and lost the statement that has no name over that.
                Err(error) if is_lost(&error) => read(&mut connection.inner, true).await,
                answer => answer,
            }
        };
        let rows = match tokio::time::timeout(deadline, reading).await {
            Ok(Ok(Err(rows))) => return Ok(Ended::Large(rows)),
            Ok(Ok(Ok(rows))) => Ok(rows),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                tracing::warn!("a statement was not stopped by PostgreSQL in time");
                return Ok(Ended::Late);
            }
        };
        // What the database itself says leaves the connection as good as it was; everything else is the end of it.
        let (is_good, rows) = match rows {
            Ok(rows) => (true, Ok(Ended::Whole(rows.into_iter().map(Into::into).collect()))),
            Err(error) => {
                let is_said = matches!(error, sqlx::Error::Database(_));
                let error = DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)));
                (is_said && !is_broken(&error), Err(error))
            }
        };
        if let Some(connection) = self.connection.take()
            && is_good
        {
            self.pool.give_back(connection);
        }
        rows
    }
}

/// Whether a statement was not there any more when it was to be executed (`invalid_sql_statement_name`).
fn is_lost(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().as_deref() == Some("26000"))
}

/// How many bytes a row has.
fn size(row: &PgRow) -> usize {
    let columns = (0..row.len()).filter_map(|at| row.try_get_raw(at).ok());
    columns.map(|value| value.as_bytes().map_or(0, <[u8]>::len)).sum()
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (connection, permit, pool) = (self.connection.take(), self.permit.take(), self.pool.clone());
        if let (Some(connection), Ok(runtime)) = (connection, tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                pool.recover(connection).await;
                // Until then the connection counts as that of whoever has left it.
                drop(permit);
            });
        }
    }
}
