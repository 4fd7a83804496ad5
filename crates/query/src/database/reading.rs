//! The connections that read.
//!
//! A pool of our own, for what no driver's pool knows: which process of PostgreSQL works behind a
//! connection, that a statement nobody waits for any more must be stopped before its connection serves somebody else, and
//! which statements are worth being kept prepared.
//!
//! Whoever waits for a batch reads its connection (`wire.rs`); there is no task behind it whose turn would have to come first.

use std::{
    collections::HashMap,
    io::ErrorKind,
    pin::pin,
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use quick_cache::sync::Cache;

use super::{
    admission::Permit,
    connect::{Connector, Refused},
    control::{Backend, Control},
    snapshot::Snapshot,
    statement::{Call, Planning, Text},
    wire::{Failure, Wire},
};
use crate::{
    error::{Broken, Error, Result, is_broken, is_locked, of_answer},
    rows::Rows,
};

/// The longest text of a statement that is kept prepared; longer ones are seldom the same twice, and cost more.
const LONGEST_KEPT: usize = 6 * 1024;
/// How many texts of statements are remembered, to know which come again.
const REMEMBERED: usize = 4_096;
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
/// How often a batch is tried whose statements, or whose connection, turn out to be of before a change.
const STALE: usize = 20;
/// How long connecting may take, and testing.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait for statements to end before the next of them is stopped.
const NEXT: Duration = Duration::from_millis(100);
/// How long to wait before connecting again.
const AGAIN: Duration = Duration::from_millis(50);
/// How long a statement may run on after PostgreSQL should have stopped it: it does not look at the clock everywhere.
const GRACE: Duration = Duration::from_secs(2);

/// The connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Reading(Arc<Pool>);

struct Pool {
    connector: Connector,
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
    wire: Wire,
    backend: Backend,
    opened: Instant,
    used: Instant,
}

/// A connection in use. When it is dropped before its statements have ended, they are stopped.
struct Lease {
    pool: Arc<Pool>,
    connection: Option<Connection>,
    permit: Option<Permit>,
}

impl Reading {
    /// Connections of this kind, on which a statement may run for so long.
    pub(super) fn new(connector: Connector, control: Control, statement_timeout: Duration) -> Self {
        let known = Cache::new(REMEMBERED);
        let deadline = statement_timeout + GRACE;
        Self(Arc::new(Pool { connector, control, deadline, idle: Mutex::default(), known, locked: Mutex::default() }))
    }

    /// Opens a first connection, which tells whether there can be any.
    pub(super) async fn open(&self) -> Result<()> {
        let connection = self.0.open().await?;
        self.0.idle.lock().push(connection);
        Ok(())
    }

    /// The rows of each of these statements, of at most so many bytes in all, on a connection for which this is the permit. All are
    /// sent before the first is answered.
    pub(super) async fn rows(&self, calls: &[Call<'_>], permit: Permit, room: &AtomicUsize) -> Result<Vec<Rows>> {
        let mut trials = Vec::new();
        for call in calls {
            let text = call.text().fingerprint();
            if self.0.is_trial(text)? {
                trials.push(text);
            }
        }
        match self.answer(calls, permit, room).await {
            Ok(rows) => {
                for text in trials {
                    self.0.locked.lock().remove(&text);
                }
                Ok(rows)
            }
            Err(Failure::ServerMessage(place, error)) if is_locked(&error) => {
                tracing::info!(%error, "what is to be read is locked");
                self.0.note_lock(calls[place].text().fingerprint());
                Err(Error::Locked)
            }
            Err(failure) => Err(failure.into()),
        }
    }

    async fn answer(&self, calls: &[Call<'_>], permit: Permit, room: &AtomicUsize) -> Result<Vec<Rows>, Failure> {
        let mut lease = Lease { pool: self.0.clone(), connection: None, permit: Some(permit) };
        let (mut is_fresh_wanted, mut last) = (false, Failure::Other(Error::Unavailable));
        for _ in 0..STALE {
            let known = if is_fresh_wanted { None } else { self.0.take(planning(calls)).await };
            let is_known = known.is_some();
            let connection = match known {
                Some(connection) => connection,
                // Boxed, as is what else is seldom done: a future is as large as the largest of what it may wait for, and is moved around.
                None => Box::pin(self.0.open()).await.map_err(Failure::Other)?,
            };
            match lease.rows(connection, calls, room).await {
                // When the server restarts, every connection breaks. What only reads can be tried again.
                Err(Failure::ServerMessage(_, error)) if is_known && is_broken(&error) => {
                    tracing::debug!(%error, "a broken connection");
                    self.0.idle.lock().clear();
                    is_fresh_wanted = true;
                }
                // A table was changed under a statement that is kept prepared; the connection has forgotten it.
                Err(Failure::ServerMessage(place, error)) if is_stale(&error) => {
                    tracing::debug!(%error, "a statement of before a change of its tables");
                    last = Failure::ServerMessage(place, error);
                }
                answer => return answer,
            }
        }
        Err(last)
    }

    /// Begins a snapshot, on a connection that is of it alone.
    pub(super) async fn snapshot(&self, permit: Permit) -> Result<Arc<Snapshot>> {
        let Connection { wire, backend, .. } = self.0.open().await?;
        Snapshot::begin(wire, backend, self.0.control.clone(), self.0.deadline, permit).await
    }

    /// Closes those that are not in use.
    pub(super) async fn close(&self) {
        let idle = std::mem::take(&mut *self.0.idle.lock());
        for connection in idle {
            connection.wire.close().await;
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::ServerMessage(_, said) => of_answer(&said),
            Failure::Late => Self::Timeout,
            Failure::Large(rows) => Self::invalid(
                "first",
                format!(
                    "The answer is too large: there was no room for what came after {rows} rows. Ask for smaller pages with first, \
                     or for fewer fields at once."
                ),
            ),
            Failure::Other(error) => error,
        }
    }
}

/// Whether connecting may succeed a moment later: the server is not there yet, is starting or stopping, or is full.
fn passes(refused: &Refused) -> bool {
    match refused {
        Refused::EdgeTable(error) => matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound),
        Refused::Driver(error) => error.code().is_some_and(|code| ["57P03", "53300"].contains(&code.code())),
    }
}

impl Connection {
    /// Whether it works.
    async fn is_good(&mut self) -> bool {
        matches!(tokio::time::timeout(PATIENCE, self.wire.ask("")).await, Ok(Ok(_)))
    }
}

impl Pool {
    /// A connection that is not in use and works; one that plans like this, if there is one.
    async fn take(&self, planning: Planning) -> Option<Connection> {
        loop {
            let mut connection = {
                let mut idle = self.idle.lock();
                let alike = idle.iter().rposition(|connection| connection.wire.planning() == planning);
                let place = alike.or_else(|| idle.len().checked_sub(1))?;
                idle.remove(place)
            };
            if connection.opened.elapsed() > OLDEST {
                tokio::spawn(connection.wire.close());
            } else if connection.used.elapsed() < UNTESTED || Box::pin(connection.is_good()).await {
                return Some(connection);
            }
        }
    }

    async fn open(&self) -> Result<Connection> {
        let open = async {
            let socket = loop {
                match self.connector.connect().await {
                    // It may be just starting again.
                    Err(refused) if passes(&refused) => tokio::time::sleep(AGAIN).await,
                    answer => break answer.map_err(|refused| refused.to_string())?,
                }
            };
            let mut wire = Wire::new(socket);
            let backend = wire.ask("SELECT pg_backend_pid()").await.map_err(|said| said.to_string())?;
            let backend = backend.and_then(|pid| pid.parse().ok()).ok_or("the process behind it is not known")?;
            let now = Instant::now();
            Ok::<_, String>(Connection { wire, backend: Backend(backend), opened: now, used: now })
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
    fn is_usual(&self, text: &Text) -> bool {
        text.sql().len() <= LONGEST_KEPT
            && text.came_before(|| {
                let key = text.fingerprint();
                let known = self.known.contains_key(&key);
                self.known.insert(key, ());
                known
            })
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

    /// Makes a connection whose statements nobody waits for any more fit for others, or closes it.
    async fn recover(&self, mut connection: Connection) {
        if self.has_stopped(&mut connection).await && connection.is_good().await {
            self.give_back(connection);
        } else {
            self.control.terminate(connection.backend).await;
        }
    }

    /// Stops what a connection's statements are doing, each in its turn, and tells whether all have ended.
    async fn has_stopped(&self, Connection { wire, backend, .. }: &mut Connection) -> bool {
        let mut rest = pin!(wire.rest());
        let until = Instant::now() + PATIENCE;
        while self.control.cancel(*backend).await && Instant::now() < until {
            if let Ok(answer) = tokio::time::timeout(NEXT, &mut rest).await {
                return answer.is_ok();
            }
        }
        false
    }
}

impl Lease {
    /// Runs a batch. One that does not end in time, or grows beyond the room that there is, is stopped when this lease is dropped.
    async fn rows(
        &mut self,
        connection: Connection,
        calls: &[Call<'_>],
        room: &AtomicUsize,
    ) -> Result<Vec<Rows>, Failure> {
        let pool = &*self.pool;
        let Connection { wire, .. } = self.connection.insert(connection);
        let reading = wire.rows(calls, planning(calls), |text| pool.is_usual(text), room);
        let answer = tokio::time::timeout(pool.deadline, reading).await.unwrap_or_else(|_| {
            tracing::warn!("a statement was not stopped by PostgreSQL in time");
            Err(Failure::Late)
        });
        // What PostgreSQL itself says leaves the connection as good as it was, but others of the batch may still run.
        let is_lost = matches!(&answer, Err(Failure::ServerMessage(_, said)) if is_broken(said));
        if let Some(connection) = self.connection.take_if(|connection| is_lost || connection.wire.is_at_rest())
            && !is_lost
        {
            pool.give_back(connection);
        }
        answer
    }
}

/// Whether a statement that was kept prepared cannot be used any more: PostgreSQL has `cached plan must not change result type`, or does
/// not know it.
fn is_stale(error: &impl Broken) -> bool {
    error.sqlstate().is_some_and(|code| ["0A000", "26000"].contains(&&*code))
}

/// How the connection has to plan for these statements.
fn planning(calls: &[Call<'_>]) -> Planning {
    if calls.iter().any(|call| call.planning() == Planning::Once) { Planning::Once } else { Planning::Auto }
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
