//! What a request has of the database, from its beginning to its end: on whose behalf it runs, what it may still take, whether it gives way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::{OnceCell, Semaphore};

use super::{admission::Party, effort::EffortPermit, statement::Call};
use crate::{error::Result, rows::Rows};

/// How many statements of one request may run at once: one that has hundreds of root fields must not take every
/// connection from the others.
pub(super) const AT_ONCE: usize = 6;

/// A transaction that writes, in which what a request reads is read, too.
pub trait Transaction: Send + Sync {
    /// The rows of a statement that runs in it.
    fn rows<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<Rows>>;
}

/// What the request now running has had of the database.
pub(super) struct Share {
    pub(super) statements: AtomicU64,
    pub(super) permits: Semaphore,
    /// That it may run; from when it first needs the database to its end.
    pub(super) permit: OnceCell<EffortPermit>,
    /// How many bytes its statements may still answer.
    pub(super) room: AtomicUsize,
    /// On whose behalf it runs.
    pub(super) party: Mutex<Party>,
    /// The transaction in which its mutations go together, and its reads with them.
    transaction: Mutex<Option<Arc<dyn Transaction>>>,
}

impl Share {
    fn of(party: Party) -> Arc<Self> {
        Arc::new(Self {
            statements: AtomicU64::new(0),
            permits: Semaphore::new(AT_ONCE),
            permit: OnceCell::new(),
            room: AtomicUsize::new(usize::MAX),
            party: Mutex::new(party),
            transaction: Mutex::default(),
        })
    }

    pub(super) fn transaction(&self) -> Option<Arc<dyn Transaction>> {
        self.transaction.lock().clone()
    }
}

/// Has the request now running read in this transaction, or in none again.
pub fn share_transaction(transaction: Option<Arc<dyn Transaction>>) {
    let _ = SHARE.try_with(|share| *share.transaction.lock() = transaction);
}

/// Has what the request now running does with the database from here on count as that of this party.
pub fn on_behalf_of(party: Party) {
    let _ = SHARE.try_with(|share| *share.party.lock() = party);
}

/// Has the statements of the request now running answer at most so many bytes, all together.
pub fn limit_answers(bytes: usize) {
    let _ = SHARE.try_with(|share| share.room.store(bytes, Ordering::Relaxed));
}

/// Runs something that is no request on behalf of this party.
pub async fn as_party<T>(party: Party, run: impl Future<Output = T>) -> T {
    SHARE.scope(Share::of(party), run).await
}

/// How long a long answer of a party that keeps the machine busy pauses where others are there. While it does, PostgreSQL soon has no
/// room for what it sends, and stops working on it, too: so neither of them has a processor for longer than a moment at a time.
const PAUSE: Duration = Duration::from_millis(1);

/// Gives others their turn amid a long answer.
pub(super) async fn give_way() {
    if gives_way() { tokio::time::sleep(PAUSE).await } else { tokio::task::yield_now().await }
}

/// The same on a thread that nobody else waits for.
pub fn give_way_blocking() {
    if gives_way() {
        std::thread::sleep(PAUSE);
    }
}

/// Whether what runs is of a party that keeps the machine busy while others are there.
fn gives_way() -> bool {
    SHARE.try_with(|share| share.permit.get().is_some_and(EffortPermit::gives_way)).unwrap_or(false)
}

/// On whose behalf this runs: outside of a request it is the gateway.
pub(super) fn party() -> Party {
    SHARE.try_with(|share| *share.party.lock()).unwrap_or(Party::Gateway)
}

tokio::task_local! {
    pub(super) static SHARE: Arc<Share>;
}

/// Runs a request and tells how many SQL statements it read with.
pub async fn counting<T>(request: impl Future<Output = T>) -> (T, u64) {
    let share = Share::of(Party::Anybody);
    let answer = SHARE.scope(share.clone(), request).await;
    (answer, share.statements.load(Ordering::Relaxed))
}
