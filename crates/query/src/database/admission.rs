//! Who may use how many connections at once: a fair queue before each pool.
//!
//! A connection is held for as long as PostgreSQL works on a statement, so whoever has many heavy ones could have all of
//! them. Here each party has a share, which it cannot exceed even when nobody else is there: a connection cannot be
//! taken from a statement when somebody comes. Parties that wait take turns, whatever the number of their statements.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::error::{Error, Result};

/// A statement that takes longer than this is heavy, and for how long its party is known to have such.
const HEAVY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// How many statements of one party wait at once.
const MOST_WAITING: usize = 256;

/// On whose behalf the database is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// Those who have not signed in: all of them are one.
    Anybody,
    /// A session whose user is not known yet.
    Session(Uuid),
    /// A user, by whatever sessions.
    User(Uuid),
    /// The gateway itself.
    Gateway,
}

/// The queue before a pool. Cheap to clone.
#[derive(Clone)]
pub struct Admission(Arc<Mutex<State>>);

struct State {
    free: usize,
    /// How many connections one party has at once.
    share: usize,
    /// How long anybody waits.
    patience: Duration,
    parties: HashMap<Party, Standing>,
    /// The parties that wait, in the order of their turns.
    waiting: VecDeque<Party>,
}

#[derive(Default)]
struct Standing {
    held: usize,
    /// Until when its share is that of those who have heavy statements.
    heavy: Option<Instant>,
    waiting: VecDeque<oneshot::Sender<Permit>>,
}

/// The right to use one connection, until it is dropped.
pub struct Permit {
    /// Where it is given back to; none once it was.
    of: Option<Admission>,
    party: Party,
    since: Instant,
}

impl Admission {
    /// A queue for so many connections, of which one party has at most so many, in which nobody waits longer than this.
    pub fn new(connections: usize, share: usize, patience: Duration) -> Self {
        let (parties, waiting) = (HashMap::new(), VecDeque::new());
        let state = State { free: connections, share, patience, parties, waiting };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Waits until this party may use a connection.
    ///
    /// # Errors
    /// [`Error::Crowded`] when it is its own statements that stand in the way, [`Error::Unavailable`] when others do.
    pub async fn admit(&self, party: Party) -> Result<Permit> {
        let (admitted, patience) = {
            let mut state = self.0.lock();
            let (free, share, patience) = (state.free, state.share, state.patience);
            let standing = state.parties.entry(party).or_default();
            // Where something is free, whoever waits has its share.
            if free > 0 && standing.held < standing.share(share) {
                standing.held += 1;
                state.free -= 1;
                return Ok(self.permit(party));
            }
            if standing.waiting.len() >= MOST_WAITING {
                // Some may have gone.
                standing.waiting.retain(|admit| !admit.is_closed());
            }
            if standing.waiting.len() >= MOST_WAITING {
                return Err(Error::Crowded);
            }
            let (admit, admitted) = oneshot::channel();
            standing.waiting.push_back(admit);
            if !state.waiting.contains(&party) {
                state.waiting.push_back(party);
            }
            (admitted, patience)
        };
        match tokio::time::timeout(patience, admitted).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(self.why_not(party)),
        }
    }

    /// Why somebody of this party has waited in vain.
    fn why_not(&self, party: Party) -> Error {
        let state = self.0.lock();
        let (held, share) =
            state.parties.get(&party).map_or((0, 1), |standing| (standing.held, standing.share(state.share)));
        if held >= share && party != Party::Gateway {
            tracing::info!(?party, held, "one party has its share of the connections and wants more");
            Error::Crowded
        } else {
            tracing::error!(?party, "no free connection");
            Error::Unavailable
        }
    }

    fn permit(&self, party: Party) -> Permit {
        Permit { of: Some(self.clone()), party, since: Instant::now() }
    }

    fn give_back(&self, party: Party, since: Instant) {
        let mut state = self.0.lock();
        state.free += 1;
        if let Some(standing) = state.parties.get_mut(&party) {
            standing.held -= 1;
            if since.elapsed() > HEAVY.0 && party != Party::Gateway {
                standing.heavy = Some(Instant::now() + HEAVY.1);
            }
        }
        while self.admit_next(&mut state) {}
        let idle = |standing: &Standing| standing.held == 0 && standing.waiting.is_empty();
        if state.parties.get(&party).is_some_and(idle) {
            state.parties.remove(&party);
        }
    }

    /// Admits whose turn it is; whether there may be another.
    fn admit_next(&self, state: &mut State) -> bool {
        if state.free == 0 {
            return false;
        }
        let may = |party: &Party| {
            state.parties.get(party).is_some_and(|standing| standing.held < standing.share(state.share))
        };
        let Some(place) = state.waiting.iter().position(may) else { return false };
        let Some(party) = state.waiting.remove(place) else { return false };
        let Some(standing) = state.parties.get_mut(&party) else { return true };
        while let Some(admit) = standing.waiting.pop_front() {
            match admit.send(self.permit(party)) {
                Ok(()) => {
                    standing.held += 1;
                    state.free -= 1;
                    break;
                }
                // Whoever waited has gone. Nothing was taken, so nothing is to be given back.
                Err(mut permit) => permit.of = None,
            }
        }
        if standing.waiting.is_empty() {
            if standing.held == 0 {
                state.parties.remove(&party);
            }
        } else {
            state.waiting.push_back(party);
        }
        true
    }
}

impl Standing {
    /// How many connections it may have at once, of such a share. Heavy statements take more than a connection: a processor
    /// each, for a while. Who has such gets half of it, but not less than two: one's own quick ones should get past a slow one.
    fn share(&self, whole: usize) -> usize {
        match self.heavy {
            Some(until) if Instant::now() < until => (whole / 2).max(2).min(whole),
            _ => whole,
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(admission) = self.of.take() {
            admission.give_back(self.party, self.since);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, future::join_all};

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(50);

    fn user(number: u128) -> Party {
        Party::User(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn a_party_has_its_share_and_no_more() {
        let admission = Admission::new(8, 2, PATIENCE);
        let held = [admission.admit(user(1)).await.ok(), admission.admit(user(1)).await.ok()];
        assert!(held.iter().all(Option::is_some));
        assert!(admission.admit(user(1)).now_or_never().is_none());
        assert!(admission.admit(user(2)).now_or_never().is_some());
        drop(held);
        assert!(admission.admit(user(1)).now_or_never().is_some());
        assert!(admission.0.lock().parties.is_empty());
        assert_eq!(admission.0.lock().free, 8);
    }

    #[tokio::test]
    async fn those_who_wait_take_turns_however_many_statements_they_have() {
        let admission = Admission::new(1, 1, PATIENCE);
        let first = admission.admit(user(1)).await.ok();
        let order = Arc::new(Mutex::new(Vec::new()));
        let wait = |party: Party| {
            let (admission, order) = (admission.clone(), order.clone());
            async move {
                let _permit = admission.admit(party).await.ok();
                order.lock().push(party);
            }
        };
        let many = (0..5).map(|_| wait(user(1)));
        let work = join_all(many.chain([wait(user(2)), wait(user(3))]));
        tokio::join!(work, async {
            tokio::task::yield_now().await;
            drop(first);
        });
        let order = order.lock();
        let place = |party| order.iter().position(|known| *known == party);
        assert_eq!(order.len(), 7);
        assert!(place(user(2)) <= Some(2) && place(user(3)) <= Some(3), "{order:?}");
    }

    #[tokio::test]
    async fn whoever_waits_in_vain_is_told_whose_fault_it_is() {
        let admission = Admission::new(2, 1, PATIENCE);
        let _held = [admission.admit(user(1)).await.ok(), admission.admit(user(2)).await.ok()];
        assert_eq!(admission.admit(user(1)).await.err(), Some(Error::Crowded));
        assert_eq!(admission.admit(user(3)).await.err(), Some(Error::Unavailable));
    }

    #[tokio::test]
    async fn whoever_has_heavy_statements_has_fewer() {
        let admission = Admission::new(16, 4, PATIENCE);
        let mut all = join_all((0..4).map(|_| admission.admit(user(1)))).await;
        assert!(all.iter().all(Result::is_ok));
        tokio::time::sleep(HEAVY.0 * 2).await;
        all.truncate(2);
        assert!(admission.admit(user(1)).await.is_err());
        let held: Vec<_> = [admission.admit(user(2)).await, admission.admit(user(2)).await].into();
        assert!(held.iter().all(Result::is_ok), "others are none the worse");
    }

    #[tokio::test]
    async fn whoever_goes_while_waiting_takes_nothing_along() {
        let admission = Admission::new(1, 1, PATIENCE);
        let held = admission.admit(user(1)).await.ok();
        {
            let mut gone = Box::pin(admission.admit(user(2)));
            assert!(gone.as_mut().now_or_never().is_none());
        }
        {
            // Admitted, and gone before it noticed.
            let mut late = Box::pin(admission.admit(user(3)));
            assert!(late.as_mut().now_or_never().is_none());
            drop(held);
        }
        assert!(admission.admit(user(4)).now_or_never().is_some());
        assert_eq!(admission.0.lock().free, 1);
        assert!(admission.0.lock().parties.is_empty());
    }
}
