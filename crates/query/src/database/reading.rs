//! The connections that read.
//!
//! A pool of our own, for what no driver's pool knows: which process of PostgreSQL works behind a
//! connection, that a statement nobody waits for any more must be stopped before its connection serves somebody else, and
//! which statements are worth being kept prepared.
//!
//! The driver is tokio-postgres: it sends statements without waiting for the answers of those before, so what one level of a query needs
//! is one batch on one connection. Whoever waits for a batch moves its connection along ([`driven`]); there is no task behind it whose
//! turn would have to come first.

use std::{
    collections::HashMap,
    error::Error as _,
    future::poll_fn,
    io::{self, ErrorKind},
    num::NonZeroUsize,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::{Duration, Instant},
};

use futures::{TryStreamExt, future::try_join_all};
use lru::LruCache;
use moka::sync::Cache;
use parking_lot::Mutex;
use tokio_postgres::{Client, SimpleQueryMessage, types::ToSql};

use super::{
    admission::Permit,
    connect::{Connector, Driver},
    control::{Backend, Control},
    statement::{Call, Planning, Text},
};
use crate::{
    error::{Error, Result, is_broken, is_locked},
    rows::Rows,
};

/// How many statements a connection keeps prepared: each costs PostgreSQL memory, some of them half a megabyte.
pub const KEPT: usize = 100;
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
/// How many bytes of the room for an answer one of its statements takes at a time, and into how many pieces it is parted at least.
const PIECE: usize = 64 * 1024;
const PIECES: usize = 64;
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
    client: Client,
    /// None when it has broken.
    driver: Option<Driver>,
    kept: LruCache<Text, tokio_postgres::Statement>,
    /// How what is kept is planned.
    planning: Planning,
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

/// How a batch ended that did not end well.
enum Failure {
    /// PostgreSQL, or the driver, said something about the statement at this place.
    Said(usize, tokio_postgres::Error),
    /// Not in time.
    Late,
    /// With more bytes than there was room for, after so many rows.
    Large(usize),
    /// Otherwise.
    Other(Error),
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
    pub(super) async fn rows(&self, calls: &[Call<'_>], permit: Permit, room: usize) -> Result<Vec<Rows>> {
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
            Err(Failure::Said(place, error)) if is_locked(&error) => {
                tracing::info!(%error, "what is to be read is locked");
                self.0.note_lock(calls[place].text().fingerprint());
                Err(Error::Locked)
            }
            Err(failure) => Err(failure.into()),
        }
    }

    async fn answer(&self, calls: &[Call<'_>], permit: Permit, room: usize) -> Result<Vec<Rows>, Failure> {
        let mut lease = Lease { pool: self.0.clone(), connection: None, permit: Some(permit) };
        if let Some(connection) = self.0.take(planning(calls)).await {
            match lease.rows(connection, calls, room).await {
                // When the server restarts, every connection breaks. What only reads can be tried again.
                Err(Failure::Said(_, error)) if is_broken(&error) => {
                    tracing::debug!(%error, "a broken connection");
                    self.0.idle.lock().clear();
                }
                answer => return answer,
            }
        }
        // Boxed, as is what else is seldom done: a future is as large as the largest of what it may wait for, and is moved around.
        let connection = Box::pin(self.0.open()).await.map_err(Failure::Other)?;
        lease.rows(connection, calls, room).await
    }

    /// Closes those that are not in use.
    pub(super) async fn close(&self) {
        let idle = std::mem::take(&mut *self.0.idle.lock());
        for connection in idle {
            connection.close().await;
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Said(_, error) => error.into(),
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

/// Does something that waits for a connection, and moves the connection along meanwhile.
fn driven<T>(driver: &mut Option<Driver>, mut work: Pin<&mut impl Future<Output = T>>) -> impl Future<Output = T> {
    poll_fn(move |context| {
        loop {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            match driver.as_mut().map(|driver| driver.as_mut().poll(context)) {
                Some(Poll::Pending) => break,
                // It is over; whoever waits for it is told.
                Some(Poll::Ready(_)) => *driver = None,
                None => break,
            }
        }
        // What has just come may be all that was waited for.
        work.as_mut().poll(context)
    })
}

/// Whether connecting may succeed a moment later: the server is not there yet, is starting or stopping, or is full.
fn passes(error: &tokio_postgres::Error) -> bool {
    let refused = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    refused.is_some_and(|error| matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound))
        || error.code().is_some_and(|code| ["57P03", "53300"].contains(&code.code()))
}

impl Connection {
    /// Whether it works.
    async fn is_good(&mut self) -> bool {
        let ping = pin!(self.client.simple_query(""));
        let ping = driven(&mut self.driver, ping);
        matches!(tokio::time::timeout(PATIENCE, ping).await, Ok(Ok(_)))
    }

    async fn close(self) {
        drop(self.client);
        if let Some(driver) = self.driver {
            _ = tokio::time::timeout(PATIENCE, driver).await;
        }
    }
}

impl Pool {
    /// A connection that is not in use and works; one that plans like this, if there is one.
    async fn take(&self, planning: Planning) -> Option<Connection> {
        loop {
            let mut connection = {
                let mut idle = self.idle.lock();
                let alike = idle.iter().rposition(|connection| connection.planning == planning);
                let place = alike.or_else(|| idle.len().checked_sub(1))?;
                idle.remove(place)
            };
            if connection.opened.elapsed() > OLDEST {
                tokio::spawn(connection.close());
            } else if connection.used.elapsed() < UNTESTED || Box::pin(connection.is_good()).await {
                return Some(connection);
            }
        }
    }

    async fn open(&self) -> Result<Connection> {
        let open = async {
            let (client, driver) = loop {
                match self.connector.connect().await {
                    // It may be just starting again.
                    Err(error) if passes(&error) => tokio::time::sleep(AGAIN).await,
                    answer => break answer?,
                }
            };
            let mut driver = Some(driver);
            let answer = driven(&mut driver, pin!(client.simple_query("SELECT pg_backend_pid()"))).await?;
            let backend = answer.iter().find_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
                _ => None,
            });
            let now = Instant::now();
            let kept = LruCache::new(NonZeroUsize::new(KEPT).unwrap_or(NonZeroUsize::MIN));
            Ok::<_, tokio_postgres::Error>(backend.map(|backend| Connection {
                client,
                driver,
                kept,
                planning: Planning::Auto,
                backend: Backend(backend),
                opened: now,
                used: now,
            }))
        };
        match tokio::time::timeout(PATIENCE, open).await {
            Ok(Ok(Some(connection))) => Ok(connection),
            Ok(Ok(None)) => Err(Error::internal("a connection whose backend is not known")),
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
    async fn has_stopped(&self, Connection { client, driver, backend, .. }: &mut Connection) -> bool {
        // What is left of the answers is read and thrown away.
        let rest = pin!(client.simple_query(""));
        let mut rest = pin!(driven(driver, rest));
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
    async fn rows(&mut self, connection: Connection, calls: &[Call<'_>], room: usize) -> Result<Vec<Rows>, Failure> {
        let deadline = self.pool.deadline;
        let pool = &*self.pool;
        let Connection { client, driver, kept, planning, .. } = self.connection.insert(connection);
        let answer = {
            let reading = pin!(batch(pool, client, kept, planning, calls, room));
            tokio::time::timeout(deadline, driven(driver, reading)).await
        };
        let Ok(answer) = answer else {
            tracing::warn!("a statement was not stopped by PostgreSQL in time");
            return Err(Failure::Late);
        };
        // What the database itself says leaves the connection as good as it was, but others of the batch may still run;
        // everything else is the end of it.
        let is_good = match &answer {
            Ok(_) => true,
            Err(Failure::Said(_, error)) => {
                if error.as_db_error().is_none() || is_broken(error) {
                    self.connection = None;
                }
                calls.len() == 1
            }
            Err(_) => false,
        };
        if is_good && let Some(connection) = self.connection.take() {
            self.pool.give_back(connection);
        }
        answer
    }
}

/// How the connection has to plan for these statements.
fn planning(calls: &[Call<'_>]) -> Planning {
    if calls.iter().any(|call| call.planning() == Planning::Once) { Planning::Once } else { Planning::Auto }
}

/// Runs these statements at once.
async fn batch(
    pool: &Pool,
    client: &Client,
    kept: &mut LruCache<Text, tokio_postgres::Statement>,
    planned: &mut Planning,
    calls: &[Call<'_>],
    room: usize,
) -> Result<Vec<Rows>, Failure> {
    let mut prepared = Vec::with_capacity(calls.len());
    for (place, call) in calls.iter().enumerate() {
        let text = call.text();
        prepared.push(match kept.get(text) {
            Some(statement) => Some(statement.clone()),
            None if pool.is_usual(text) => {
                let statement = Box::pin(client.prepare_typed(text.sql(), text.types())).await;
                let statement = statement.map_err(|error| Failure::Said(place, error))?;
                kept.put(text.clone(), statement.clone());
                Some(statement)
            }
            None => None,
        });
    }
    let room = AtomicUsize::new(room);
    let planning = planning(calls);
    if *planned != planning {
        let set = format!("SET plan_cache_mode = {}", planning.mode());
        Box::pin(client.batch_execute(&set)).await.map_err(|error| Failure::Said(0, error))?;
        *planned = planning;
    }
    match (calls, &prepared[..]) {
        ([call], [prepared]) => Ok(vec![one(client, *call, prepared.as_ref(), &room, 0).await?]),
        _ => {
            let calls = calls.iter().zip(&prepared).enumerate();
            try_join_all(calls.map(|(place, (call, prepared))| one(client, *call, prepared.as_ref(), &room, place)))
                .await
        }
    }
}

/// Runs one of them.
async fn one(
    client: &Client,
    call: Call<'_>,
    prepared: Option<&tokio_postgres::Statement>,
    room: &AtomicUsize,
    place: usize,
) -> Result<Rows, Failure> {
    call.check().map_err(Failure::Other)?;
    let said = |error| Failure::Said(place, error);
    let values = call.values();
    let coming = match prepared {
        Some(statement) => client.query_raw(statement, values.iter().map(|value| value as &(dyn ToSql + Sync))).await,
        None => {
            let types = call.text().types().iter().cloned();
            let values = values.iter().map(|value| value as &(dyn ToSql + Sync));
            Box::pin(client.query_typed_raw(call.text().sql(), values.zip(types))).await
        }
    };
    let mut coming = pin!(coming.map_err(said)?);
    let (mut rows, mut taken) = (Rows::default(), 0);
    while let Some(row) = coming.try_next().await.map_err(said)? {
        rows.add(&row).map_err(Failure::Other)?;
        if let Some(more) = rows.size().checked_sub(taken).filter(|more| *more > 0) {
            taken += take(room, more).ok_or(Failure::Large(rows.len()))?;
        }
        if rows.len() % UNINTERRUPTED == 0 {
            tokio::task::yield_now().await;
        }
    }
    room.fetch_add(taken - rows.size(), Ordering::Relaxed);
    Ok(rows)
}

/// Takes so many bytes of the room, or a good piece of it, so that not every row has to ask; none where there are not so many.
fn take(room: &AtomicUsize, bytes: usize) -> Option<usize> {
    let piece = |room: usize| (room / PIECES).min(PIECE).max(bytes);
    let take = |room: usize| room.checked_sub(piece(room));
    room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok().map(piece)
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
