//! Who may work how much at once: requests of a party that keeps the machine busy, while others want to use it too.
//!
//! A connection's queue cannot see to that: what is read must also be written as JSON, and two heavy statements have two
//! processors whatever the number of connections. Here the average number of things that a party has running is known: requests,
//! and what of one runs side by side. Above half of the processors it is heavy, and while it is, and somebody else is there, no more
//! requests than that are begun at once, and no more statements of each; the others wait. Who is alone has all there is.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::admission::Party;
use crate::error::{Error, Result};

/// Over which time a party's requests are averaged, and how long it is remembered to be there.
const WINDOW: Duration = Duration::from_secs(1);
/// At which part of the average that makes it heavy a party is so no more.
const RELIEVED: f64 = 0.7;
/// How many requests of one party wait at once.
const MOST_WAITING: usize = 256;
/// How many parties are known before those that have gone are forgotten.
const MANY: usize = 64;

/// The requests now running, by party. Cheap to clone.
#[derive(Clone)]
pub(super) struct Effort(Arc<Mutex<State>>);

struct State {
    /// How many requests of a heavy party run at once.
    at_once: usize,
    patience: Duration,
    parties: HashMap<Party, Standing>,
    /// The two parties that have come last, each once, and when.
    latest: [Option<(Party, Instant)>; 2],
    swept: Instant,
}

struct Standing {
    /// Requests.
    running: usize,
    /// Statements beyond the first of each.
    beside: usize,
    /// The average of both together over the last moments, as it was at a time.
    average: f64,
    at: Instant,
    heavy: bool,
    waiting: VecDeque<oneshot::Sender<EffortPermit>>,
}

/// The right to run one request, until it is dropped.
pub(super) struct EffortPermit {
    /// Where it is given back to; none once it was.
    of: Option<Effort>,
    party: Party,
}

impl Effort {
    /// For a machine of so many processors, on which nobody waits longer than this.
    pub(super) fn new(processors: usize, patience: Duration) -> Self {
        Self(Arc::new(Mutex::new(State {
            at_once: (processors / 2).max(1),
            patience,
            parties: HashMap::new(),
            latest: [None; 2],
            swept: Instant::now(),
        })))
    }

    /// Waits until a request of this party may run.
    ///
    /// # Errors
    /// [`Error::Crowded`] when its other requests leave it no time.
    pub(super) async fn begin(&self, party: Party) -> Result<EffortPermit> {
        let (begun, patience) = {
            let mut state = self.0.lock();
            let now = Instant::now();
            state.sweep(now);
            state.note(party, now);
            let (patience, crowded) = (state.patience, state.is_held_back(party, now));
            let standing = state.parties.entry(party).or_insert_with(|| Standing::new(now));
            if !crowded {
                standing.running += 1;
                return Ok(self.permit(party));
            }
            standing.waiting.retain(|begin| !begin.is_closed());
            if standing.waiting.len() >= MOST_WAITING {
                return Err(Error::Crowded);
            }
            let (begin, begun) = oneshot::channel();
            standing.waiting.push_back(begin);
            (begun, patience)
        };
        match tokio::time::timeout(patience, begun).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => {
                tracing::info!(?party, "one party keeps the machine busy and wants more");
                Err(Error::Crowded)
            }
        }
    }

    /// How many statements a request of this party may have at once, if it would like so many.
    pub(super) fn side_by_side(&self, party: Party, liked: usize) -> usize {
        let mut state = self.0.lock();
        let at_once = state.at_once;
        if state.is_heavy_among_others(party, Instant::now()) { at_once.min(liked) } else { liked }
    }

    /// Notes that a request of this party has another statement beside those that it has, until what this gives is dropped.
    pub(super) fn another(&self, party: Party) -> Another {
        self.count(party, |standing| standing.beside += 1);
        Another { of: self.clone(), party }
    }

    fn count(&self, party: Party, count: impl FnOnce(&mut Standing)) {
        let now = Instant::now();
        let mut state = self.0.lock();
        let standing = state.parties.entry(party).or_insert_with(|| Standing::new(now));
        standing.measure(now);
        count(standing);
    }

    fn permit(&self, party: Party) -> EffortPermit {
        EffortPermit { of: Some(self.clone()), party }
    }

    fn end(&self, party: Party) {
        let mut state = self.0.lock();
        let now = Instant::now();
        if let Some(standing) = state.parties.get_mut(&party) {
            standing.measure(now);
            standing.running -= 1;
        }
        while !state.is_held_back(party, now) {
            let Some(standing) = state.parties.get_mut(&party) else { break };
            let Some(begin) = standing.waiting.pop_front() else { break };
            match begin.send(self.permit(party)) {
                Ok(()) => standing.running += 1,
                // Whoever waited has gone. Nothing was taken, so nothing is to be given back.
                Err(mut permit) => permit.of = None,
            }
        }
    }
}

impl State {
    /// Whether another request of this party must wait.
    fn is_held_back(&mut self, party: Party, now: Instant) -> bool {
        let running = self.parties.get(&party).map_or(0, |standing| standing.running);
        self.is_heavy_among_others(party, now) && running >= self.at_once
    }

    fn is_heavy_among_others(&mut self, party: Party, now: Instant) -> bool {
        let others = self.latest.iter().flatten().any(|(other, at)| *other != party && now - *at < WINDOW);
        let at_once = self.at_once;
        let Some(standing) = self.parties.get_mut(&party) else { return false };
        standing.measure(now);
        let limit = at_once as f64 * if standing.heavy { RELIEVED } else { 1.0 };
        standing.heavy = standing.average > limit;
        others && standing.heavy
    }

    fn note(&mut self, party: Party, now: Instant) {
        if self.latest[0].is_none_or(|(latest, _)| latest != party) {
            self.latest[1] = self.latest[0];
        }
        self.latest[0] = Some((party, now));
    }

    /// Forgets parties that have gone.
    fn sweep(&mut self, now: Instant) {
        if self.parties.len() > MANY && now - self.swept > WINDOW {
            self.swept = now;
            self.parties.retain(|_, standing| {
                standing.running + standing.beside > 0 || !standing.waiting.is_empty() || now - standing.at < 5 * WINDOW
            });
        }
    }
}

impl Standing {
    fn new(now: Instant) -> Self {
        Self { running: 0, beside: 0, average: 0.0, at: now, heavy: false, waiting: VecDeque::new() }
    }

    /// Brings the average up to date: the older, the less it counts.
    fn measure(&mut self, now: Instant) {
        let kept = (-(now - self.at).as_secs_f64() / WINDOW.as_secs_f64()).exp();
        self.average = self.average * kept + (self.running + self.beside) as f64 * (1.0 - kept);
        self.at = now;
    }
}

impl EffortPermit {
    /// Whether its party keeps the machine busy while others are there.
    pub(super) fn gives_way(&self) -> bool {
        let Some(Effort(state)) = &self.of else { return false };
        state.lock().is_heavy_among_others(self.party, Instant::now())
    }
}

/// A statement beside others of its request, until it is dropped.
pub(super) struct Another {
    of: Effort,
    party: Party,
}

impl Drop for Another {
    fn drop(&mut self) {
        self.of.count(self.party, |standing| standing.beside = standing.beside.saturating_sub(1));
    }
}

impl Drop for EffortPermit {
    fn drop(&mut self) {
        if let Some(effort) = self.of.take() {
            effort.end(self.party);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, future::join_all};
    use uuid::Uuid;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(300);

    fn user(number: u128) -> Party {
        Party::User(Uuid::from_u128(number))
    }

    async fn busy(effort: &Effort, party: Party, requests: usize, time: Duration) -> Vec<EffortPermit> {
        let permits = join_all((0..requests).map(|_| effort.begin(party))).await;
        tokio::time::sleep(time).await;
        permits.into_iter().map(|permit| permit.unwrap_or_else(|_| panic!("held back"))).collect()
    }

    #[tokio::test]
    async fn who_is_alone_has_all_there_is() {
        let effort = Effort::new(2, PATIENCE);
        let _busy = busy(&effort, user(1), 8, WINDOW).await;
        assert!(effort.begin(user(1)).now_or_never().is_some_and(|permit| permit.is_ok()));
    }

    #[tokio::test]
    async fn who_keeps_the_machine_busy_goes_one_by_one_while_others_are_there() {
        let effort = Effort::new(2, PATIENCE);
        let mut permits = busy(&effort, user(1), 8, WINDOW).await;
        drop(effort.begin(user(2)).await);
        // Its eight have begun and may end; another waits for all of them, and then goes.
        let mut next = Box::pin(effort.begin(user(1)));
        assert!(next.as_mut().now_or_never().is_none());
        permits.truncate(1);
        assert!(next.as_mut().now_or_never().is_none());
        assert!(effort.begin(user(2)).now_or_never().is_some(), "others do not wait");
        permits.clear();
        let next = next.now_or_never().and_then(Result::ok);
        assert!(next.is_some());
        // In vain, if its own go on and others stay.
        let waited = async {
            for _ in 0..8 {
                tokio::time::sleep(PATIENCE / 6).await;
                drop(effort.begin(user(2)).await);
            }
        };
        let (permit, ()) = tokio::join!(effort.begin(user(1)), waited);
        assert_eq!(permit.err(), Some(Error::Crowded));
    }

    #[tokio::test]
    async fn who_has_a_burst_or_has_rested_is_not_held_back() {
        let effort = Effort::new(2, PATIENCE);
        drop(effort.begin(user(2)).await);
        // Ten of 50 ms: half a request on the average.
        let burst = busy(&effort, user(1), 10, Duration::from_millis(50)).await;
        drop(effort.begin(user(2)).await);
        assert!(effort.begin(user(1)).now_or_never().is_some());
        drop(burst);
        let heavy = busy(&effort, user(1), 8, Duration::from_millis(400)).await;
        drop(effort.begin(user(2)).await);
        assert!(effort.begin(user(1)).now_or_never().is_none());
        drop(heavy);
        tokio::time::sleep(WINDOW * 3).await;
        drop(effort.begin(user(2)).await);
        let permits = join_all((0..4).map(|_| effort.begin(user(1)))).now_or_never();
        assert!(permits.is_some_and(|permits| permits.iter().all(Result::is_ok)));
    }

    #[tokio::test]
    async fn a_long_answer_gives_way_only_where_it_is_heavy_and_others_are_there() {
        let effort = Effort::new(2, PATIENCE);
        let (heavy, light) = (busy(&effort, user(1), 8, WINDOW).await, effort.begin(user(3)).await.ok());
        tokio::time::sleep(WINDOW).await;
        assert!(!heavy[0].gives_way(), "the others have gone");
        drop(effort.begin(user(2)).await);
        assert!(heavy[0].gives_way());
        assert!(light.is_some_and(|light| !light.gives_way()));
    }

    #[tokio::test]
    async fn one_request_of_many_statements_is_as_heavy_as_many_of_one() {
        let effort = Effort::new(2, PATIENCE);
        let permit = effort.begin(user(1)).await.ok();
        let others: Vec<_> = (0..5).map(|_| effort.another(user(1))).collect();
        tokio::time::sleep(PATIENCE).await;
        assert_eq!(effort.side_by_side(user(1), 6), 6, "who is alone has all there is");
        drop(effort.begin(user(2)).await);
        assert_eq!((effort.side_by_side(user(1), 6), effort.side_by_side(user(2), 6)), (1, 6));
        assert!(effort.begin(user(1)).now_or_never().is_none());
        drop((others, permit));
        assert_eq!(effort.0.lock().parties[&user(1)].beside, 0);
    }

    #[tokio::test]
    async fn whoever_goes_while_waiting_takes_nothing_along() {
        let effort = Effort::new(2, PATIENCE);
        let permits = busy(&effort, user(1), 4, WINDOW).await;
        drop(effort.begin(user(2)).await);
        {
            let mut gone = Box::pin(effort.begin(user(1)));
            assert!(gone.as_mut().now_or_never().is_none());
        }
        {
            // Begun, and gone before it noticed.
            let mut late = Box::pin(effort.begin(user(1)));
            assert!(late.as_mut().now_or_never().is_none());
            drop(permits);
        }
        assert_eq!(effort.0.lock().parties[&user(1)].running, 0);
        assert!(effort.begin(user(1)).now_or_never().is_some());
    }
}
