//! The connections: those that read, and one that stops what nobody waits for any more. Those that write are the store's; who may use
//! one is decided here, too, for a request that reads and writes is one party's.

mod admission;
mod connect;
mod control;
mod effort;
mod reading;
mod share;
mod snapshot;
mod statement;
mod wire;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sea_orm::sqlx::{
    self, ConnectOptions as _,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::sync::SemaphorePermit;

use self::{
    admission::Admission,
    connect::Connector,
    effort::Effort,
    reading::Reading,
    share::{AT_ONCE, SHARE, Share, party},
};
pub use self::{
    admission::{Party, Permit},
    control::{Backend, Control},
    share::{Transaction, as_party, counting, give_way_blocking, limit_answers, on_behalf_of, share_transaction},
    snapshot::{ROOM, Snapshot, too_large},
    statement::{Call, Planning, Statement},
    wire::KEPT,
};
use crate::{
    error::{Error, Result},
    rows::Rows,
    sql::Sql,
};

/// After how long a statement that waits for others of its request looks whether it still must.
const GONE: Duration = Duration::from_millis(250);
/// Which part of the connections one party may have at once.
const PART: usize = 4;
/// How many connections the gateway has for itself, to read and to write: what users do does not keep it from telling
/// subscribers, sealing the audit trail or keeping house.
pub const OWN: (usize, usize) = (4, 2);
/// How many snapshots there are at once, each on a connection of its own, and how many of them one party has.
const SNAPSHOTS: (usize, usize) = (4, 1);
/// How long anybody waits for a connection.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The connections that read. Cheap to clone.
#[derive(Clone)]
pub struct Connections {
    reading: Reading,
    readers: Queues,
    snapshots: Admission,
    /// What reads is made with.
    options: Arc<PgConnectOptions>,
    effort: Effort,
    control: Control,
}

/// Who may use a pool: users by their queue, the gateway by another.
#[derive(Clone)]
pub struct Queues {
    users: Admission,
    gateway: Admission,
}

impl Queues {
    /// For so many connections of users, and so many of the gateway's own.
    pub fn new(users: usize, own: usize) -> Self {
        Self {
            // Two where there are few, for one slow statement should not stand in the way of one's other ones; but never all.
            users: Admission::new(users, users.div_ceil(PART).max(2).min(users - 1), PATIENCE),
            gateway: Admission::new(own, own, PATIENCE),
        }
    }

    /// Waits until whoever this runs for may have one.
    pub async fn admit(&self) -> Result<Permit> {
        match party() {
            Party::Gateway => self.gateway.admit(Party::Gateway).await,
            party => self.users.admit(party).await,
        }
    }
}

impl Connections {
    /// Connects to this database, as these options say it, with so many connections for users; a statement may take so long.
    pub async fn open(url: &str, options: PgConnectOptions, users: usize, statement_timeout: Duration) -> Result<Self> {
        let control = Control::new(options.clone().options([("statement_timeout", "2000")]));
        let timeout = statement_timeout.as_millis().to_string();
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
        let connector = Connector::new(url, &options, &settings).map_err(|why| {
            tracing::error!(why, "an address of a database that cannot be used");
            Error::Unavailable
        })?;
        let options = options.options(settings);
        let reading = Reading::new(connector, control.clone(), statement_timeout);
        reading.open().await?;
        Ok(Self {
            reading,
            readers: Queues::new(users, OWN.0),
            snapshots: Admission::new(SNAPSHOTS.0, SNAPSHOTS.1, PATIENCE),
            options: Arc::new(options),
            effort: Effort::new(std::thread::available_parallelism().map_or(1, usize::from), PATIENCE),
            control,
        })
    }

    /// What stops what nobody waits for any more.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The rows of a statement that asks on nobody's behalf.
    pub async fn ask(&self, sql: &Sql) -> Result<Rows> {
        let (statement, no_keys) = (Statement::new(sql), Arc::default());
        let mut answers = self.read(&[statement.call(None, &no_keys)]).await?;
        answers.pop().ok_or_else(|| Error::internal("a statement without an answer"))
    }

    /// Runs statements that read, all at once on one connection, and counts them.
    pub async fn read(&self, calls: &[Call<'_>]) -> Result<Vec<Rows>> {
        for call in calls {
            // The text only: values are somebody's data.
            tracing::trace!(statement = %call.text().sql());
        }
        let share = SHARE.try_with(Arc::clone).ok();
        if let Some(share) = &share {
            share.statements.fetch_add(calls.len() as u64, Ordering::Relaxed);
        }
        // It has its connection already, and runs one statement at a time.
        if let Some(transaction) = share.as_ref().and_then(|share| share.transaction()) {
            let mut answers = Vec::with_capacity(calls.len());
            for call in calls {
                answers.push(transaction.rows(*call).await?);
            }
            return Ok(answers);
        }
        self.take_permit().await?;
        let _working = match &share {
            Some(share) => Some(self.side_by_side(share).await),
            None => None,
        };
        let permit = self.readers.admit().await?;
        let unlimited = AtomicUsize::new(usize::MAX);
        let room = share.as_ref().map_or(&unlimited, |share| &share.room);
        self.reading.rows(calls, permit, room).await
    }

    /// One state of the database, to be read at length.
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>> {
        let permit = self.snapshots.admit(party()).await.map_err(|_| Error::Downloading)?;
        self.reading.snapshot(permit).await
    }

    /// Waits for the permit of the request now running, if it has not come yet. What is no user's has no need to.
    pub async fn take_permit(&self) -> Result<()> {
        let Ok(share) = SHARE.try_with(Arc::clone) else { return Ok(()) };
        let party = *share.party.lock();
        if party != Party::Gateway {
            share.permit.get_or_try_init(|| self.effort.begin(party)).await?;
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
            if let Ok(permits) = tokio::time::timeout(GONE, share.permits.acquire_many(part)).await {
                let is_first = share.permits.available_permits() + part as usize == AT_ONCE;
                return (permits.ok(), (!is_first && party != Party::Gateway).then(|| self.effort.another(party)));
            }
        }
    }

    /// Tells all gateways that listen on this channel who has something to tell.
    pub async fn notify(&self, channel: &str, who: &str) -> Result<()> {
        let mut sql = Sql::new();
        sql.push("SELECT pg_notify(").text(channel).push(", ").text(who).push(")");
        self.ask(&sql).await?;
        Ok(())
    }

    /// Hears what any gateway says on this channel, on a connection of its own.
    pub async fn listen(&self, channel: &str) -> Result<PgListener> {
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
        let heard = async {
            let pool = pool.connect_with((*self.options).clone()).await?;
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
    pub async fn detached(&self) -> Result<sqlx::PgConnection> {
        self.options.connect().await.map_err(|error| {
            tracing::debug!(%error, "no connection");
            Error::Unavailable
        })
    }

    /// Whether the database answers, and soon: whoever asks has little patience. Users cannot keep it from answering.
    pub async fn ping(&self) -> Result<()> {
        if self.control.ping().await { Ok(()) } else { Err(Error::Unavailable) }
    }

    /// Closes those that are not in use.
    pub async fn close(&self) {
        self.reading.close().await;
    }
}
