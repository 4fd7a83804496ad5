//! The connections: some can only read, some can write, one stops what nobody waits for any more.

mod admission;
mod connect;
mod control;
mod effort;
mod reading;
mod statement;
mod transaction;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, TransactionTrait,
    sqlx::{
        self, ConnectOptions as _, Executor as _,
        postgres::{PgConnectOptions, PgListener, PgPoolOptions},
    },
};
use tokio::sync::{Notify, OnceCell, Semaphore, SemaphorePermit};

use self::{admission::Admission, connect::Connector, control::Control, effort::Effort, reading::Reading};
pub(crate) use self::{
    admission::Party,
    statement::{Call, Planning, Statement},
    transaction::Transaction,
};
use crate::{
    error::{Error, Result, is_broken},
    rows::Rows,
    sql::Sql,
    write::Key,
};

/// How many statements of one request may run at once: one that has hundreds of root fields must not take every
/// connection from the others.
const AT_ONCE: usize = 6;
/// After how long a statement that waits for others of its request looks whether it still must.
const GONE: Duration = Duration::from_millis(250);
/// Which part of the connections one party may have at once.
const PART: usize = 4;
/// How many connections the gateway has for itself, to read and to write: what users do does not keep it from telling
/// subscribers, sealing the audit trail or keeping house.
const OWN: (usize, usize) = (4, 2);
/// How long anybody waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long writing the events of a transaction may take: until it has ended, nobody is told of any later event.
const TELLING: Duration = Duration::from_secs(3);
/// How long a transaction is left open by a gateway that does not get on with it.
const FORSAKEN: &str = "15000";

/// What the request now running has had of the database.
struct Share {
    statements: AtomicU64,
    turns: Semaphore,
    /// That it may run; from when it first needs the database to its end.
    turn: OnceCell<effort::Turn>,
    /// How many bytes a statement may answer.
    room: AtomicUsize,
    /// On whose behalf it runs.
    party: Mutex<Party>,
    /// The transaction in which its mutations go together, and its reads with them.
    transaction: Mutex<Option<Arc<Transaction>>>,
}

impl Share {
    fn of(party: Party) -> Arc<Self> {
        Arc::new(Self {
            statements: AtomicU64::new(0),
            turns: Semaphore::new(AT_ONCE),
            turn: OnceCell::new(),
            room: AtomicUsize::new(usize::MAX),
            party: Mutex::new(party),
            transaction: Mutex::default(),
        })
    }

    fn transaction(&self) -> Option<Arc<Transaction>> {
        self.transaction.lock().clone()
    }
}

/// Has the request now running read in this transaction, or in none again.
pub(crate) fn share_transaction(transaction: Option<&Arc<Transaction>>) {
    let _ = SHARE.try_with(|share| {
        *share.transaction.lock() = transaction.cloned();
    });
}

/// Has what the request now running does with the database from here on count as that of this party.
pub(crate) fn on_behalf_of(party: Party) {
    let _ = SHARE.try_with(|share| *share.party.lock() = party);
}

/// Has each statement of the request now running answer at most so many bytes.
pub(crate) fn limit_answers(bytes: usize) {
    let _ = SHARE.try_with(|share| share.room.store(bytes, Ordering::Relaxed));
}

/// Runs something that is no request on behalf of this party.
pub(crate) async fn as_party<T>(party: Party, run: impl Future<Output = T>) -> T {
    SHARE.scope(Share::of(party), run).await
}

/// On whose behalf this runs: outside of a request it is the gateway.
fn party() -> Party {
    SHARE.try_with(|share| *share.party.lock()).unwrap_or(Party::Gateway)
}

tokio::task_local! {
    static SHARE: Arc<Share>;
}

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
    reading: Reading,
    readers: Queues,
    /// What reads is made with.
    reader_options: Arc<PgConnectOptions>,
    writer: DatabaseConnection,
    writers: Queues,
    effort: Effort,
    control: Control,
    committed: Arc<Notify>,
}

/// Who may use a pool: users by their queue, the gateway by another.
#[derive(Clone)]
struct Queues {
    users: Admission,
    gateway: Admission,
}

impl Queues {
    fn new(users: usize, own: usize) -> Self {
        Self {
            // Two where there are few, for one slow statement should not stand in the way of one's other ones; but never all.
            users: Admission::new(users, users.div_ceil(PART).max(2).min(users - 1), PATIENCE),
            gateway: Admission::new(own, own, PATIENCE),
        }
    }

    async fn admit(&self) -> Result<admission::Permit> {
        match party() {
            Party::Gateway => self.gateway.admit(Party::Gateway).await,
            party => self.users.admit(party).await,
        }
    }
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
        let control = Control::new(options.clone().options([("statement_timeout", "2000")]));
        let timeout = connect.statement_timeout.as_millis().to_string();
        let lock_timeout = reading::LOCK_TIMEOUT.as_millis().to_string();
        let settings = [
            ("role", "aether_reader"),
            ("statement_timeout", timeout.as_str()),
            ("lock_timeout", lock_timeout.as_str()),
            ("idle_in_transaction_session_timeout", "60000"),
            ("TimeZone", "UTC"),
            ("jit", "off"),
            // As of memory and SSDs: pages of relations are then read off an index in their order, rather than sorted.
            ("random_page_cost", "1.1"),
        ];
        let connector = Connector::new(&connect.url, &options, &settings).map_err(|why| {
            tracing::error!(why, "an address of a database that cannot be used");
            Error::Unavailable
        })?;
        let reader_options = options.options(settings);
        let reading = Reading::new(connector, control.clone(), connect.statement_timeout);
        reading.open().await?;
        let users = connect.max_connections.max(2) as usize;
        let writers = (users / 2).max(2);
        Ok(Self {
            reading,
            readers: Queues::new(users, OWN.0),
            reader_options: Arc::new(reader_options),
            writer: Self::writer(connect, timeout, writers + OWN.1).await?,
            writers: Queues::new(writers, OWN.1),
            effort: Effort::new(std::thread::available_parallelism().map_or(1, usize::from), PATIENCE),
            control,
            committed: Arc::default(),
        })
    }

    /// The pool that writes. Whoever begins something there has been admitted before, so it has a connection for them.
    async fn writer(connect: &Connect, timeout: String, size: usize) -> Result<DatabaseConnection> {
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
                options.statement_cache_capacity(reading::KEPT).options([
                    ("role", "aether_writer"),
                    ("statement_timeout", timeout.as_str()),
                    ("idle_in_transaction_session_timeout", FORSAKEN),
                    ("TimeZone", "UTC"),
                    ("jit", "off"),
                ])
            });
        #[expect(clippy::disallowed_methods, reason = "here the pools are made")]
        Ok(sea_orm::Database::connect(options).await?)
    }

    /// The rows of a statement that asks on nobody's behalf.
    pub(crate) async fn ask(&self, sql: &Sql) -> Result<Rows> {
        let (statement, no_keys) = (Statement::new(sql), Arc::default());
        let mut answers = self.read(&[statement.call(None, &no_keys)]).await?;
        answers.pop().ok_or_else(|| Error::internal("a statement without an answer"))
    }

    /// Runs statements that read, all at once on one connection, and counts them.
    pub(crate) async fn read(&self, calls: &[Call<'_>]) -> Result<Vec<Rows>> {
        for call in calls {
            // The text only: values are somebody's data.
            tracing::trace!(statement = %call.text().sql());
        }
        let share = SHARE.try_with(Arc::clone).ok();
        self.take_turn().await?;
        let _working = match &share {
            Some(share) => {
                share.statements.fetch_add(calls.len() as u64, Ordering::Relaxed);
                Some(self.side_by_side(share).await)
            }
            None => None,
        };
        if let Some(transaction) = share.as_ref().and_then(|share| share.transaction()) {
            let mut answers = Vec::with_capacity(calls.len());
            for call in calls {
                answers.push(transaction.rows(call.to_sea_orm()?).await?);
            }
            return Ok(answers);
        }
        let permit = self.readers.admit().await?;
        let room = share.as_ref().map_or(usize::MAX, |share| share.room.load(Ordering::Relaxed));
        self.reading.rows(calls, permit, room).await
    }

    /// Waits for the turn of the request now running, if it has not come yet. What is no user's has no need to.
    async fn take_turn(&self) -> Result<()> {
        let Ok(share) = SHARE.try_with(Arc::clone) else { return Ok(()) };
        let party = *share.party.lock();
        if party != Party::Gateway {
            share.turn.get_or_try_init(|| self.effort.begin(party)).await?;
        }
        Ok(())
    }

    /// Waits until a request may run another statement beside those that it runs.
    async fn side_by_side<'a>(&self, share: &'a Share) -> (Option<SemaphorePermit<'a>>, Option<effort::Another>) {
        let party = *share.party.lock();
        loop {
            let at_once = if party == Party::Gateway { AT_ONCE } else { self.effort.side_by_side(party, AT_ONCE) };
            // Of fewer at once each takes more.
            let part = u32::try_from(AT_ONCE / at_once).unwrap_or(1);
            // Others may go meanwhile, and then it need not wait any more.
            if let Ok(turn) = tokio::time::timeout(GONE, share.turns.acquire_many(part)).await {
                let is_first = share.turns.available_permits() + part as usize == AT_ONCE;
                return (turn.ok(), (!is_first && party != Party::Gateway).then(|| self.effort.another(party)));
            }
        }
    }

    /// Begins a transaction that may write; for the door only.
    pub(crate) async fn begin(&self, _: Key) -> Result<Transaction> {
        self.take_turn().await?;
        let permit = self.writers.admit().await?;
        #[expect(clippy::disallowed_methods, reason = "here transactions begin, for those who have the key")]
        let inner = self.unbroken(|| self.writer.begin()).await?;
        Transaction::new(inner, permit, self.control.clone()).await
    }

    /// Commits what [`begin`](Self::begin) began, and wakes who tells live subscribers of changes. Its events are written last;
    /// when that takes too long, nothing of the transaction stays.
    ///
    /// # Errors
    /// [`Error::Overdue`] when it took too long.
    pub(crate) async fn commit(&self, transaction: Transaction) -> Result<()> {
        let events = transaction.take_events();
        if !events.is_empty() {
            const WRITE: &str = "INSERT INTO event_outbox (topic, aggregate_type, aggregate_id, organization_id, workspace_id, kind,
                    changed_fields, payload, actor_id)
                SELECT topic, aggregate_type, aggregate_id, organization_id, workspace_id, kind, changed_fields, payload, actor_id
                  FROM jsonb_populate_recordset(NULL::event_outbox, $1)";
            let values = [serde_json::Value::Array(events).into()];
            let write =
                transaction.execute_raw(sea_orm::Statement::from_sql_and_values(DbBackend::Postgres, WRITE, values));
            match tokio::time::timeout(TELLING, write).await {
                Ok(written) => _ = written?,
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

    /// Told whenever this process has committed something.
    pub(crate) fn committed(&self) -> &Notify {
        &self.committed
    }

    /// Tells all gateways that listen on this channel who has something to tell.
    pub(crate) async fn notify(&self, channel: &str, who: &str) -> Result<()> {
        let mut sql = Sql::new();
        sql.push("SELECT pg_notify(").text(channel).push(", ").text(who).push(")");
        self.ask(&sql).await?;
        Ok(())
    }

    /// Hears what any gateway says on this channel, on a connection of its own.
    pub(crate) async fn listen(&self, channel: &str) -> Result<PgListener> {
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
        let heard = async {
            let pool = pool.connect_with((*self.reader_options).clone()).await?;
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen(channel).await?;
            Ok::<_, sqlx::Error>(listener)
        };
        heard.await.map_err(|error| {
            tracing::debug!(%error, "not listening");
            Error::Unavailable
        })
    }

    /// A connection under the role that reads which is of no pool, and closed once it is dropped.
    pub(crate) async fn detached(&self) -> Result<sqlx::PgConnection> {
        self.reader_options.connect().await.map_err(|error| {
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
        for _ in 0..self.writer.get_postgres_connection_pool().options().get_max_connections() {
            match attempt().await {
                Err(error) if is_broken(&error) => tracing::debug!(%error, "a broken connection"),
                answer => return Ok(answer?),
            }
        }
        Ok(attempt().await?)
    }

    /// Whether the database answers, and soon: whoever asks has little patience. Users cannot keep it from answering.
    pub async fn ping(&self) -> Result<()> {
        if self.control.ping().await { Ok(()) } else { Err(Error::Unavailable) }
    }

    /// Closes the pools. A pool that is looking for a server that is gone does so for minutes, and is left to itself.
    pub async fn close(self) {
        let close = async { tokio::join!(self.reading.close(), self.writer.clone().close()) };
        let _ = tokio::time::timeout(Duration::from_secs(3), close).await;
    }
}

/// Runs a request and tells how many SQL statements it read with.
pub async fn counting<T>(request: impl Future<Output = T>) -> (T, u64) {
    let share = Share::of(Party::Anybody);
    let answer = SHARE.scope(share.clone(), request).await;
    (answer, share.statements.load(Ordering::Relaxed))
}
