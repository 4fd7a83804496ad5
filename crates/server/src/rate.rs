//! How much is too much: requests of one user and of one address, reads included (GCRA, as in ATM Forum TM 4.0).
//!
//! A request costs one, and one more for each quarter of a second that it takes: so an allowance bounds also how much may be
//! running at once. What is left is told with each answer (draft-ietf-httpapi-ratelimit-headers). Each gateway counts for itself.

use std::{
    fmt::Write,
    hash::Hash,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};
use governor::{
    Quota, RateLimiter, clock::Clock, clock::DefaultClock, middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use uuid::Uuid;

use crate::{
    config::Config,
    edge,
    headers::{is_download, is_graphql},
    http::{self, App},
};

/// What is left, and for how long.
pub const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// What there is in a minute.
pub const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// A request costs one more for each of these.
const COSTLY: Duration = Duration::from_millis(250);
/// The time in which an allowance is whole again, seconds.
const WINDOW: u64 = 60;
/// After so many questions, those whose allowance is whole again are forgotten.
const CLEAN_EVERY: u32 = 4_096;

/// How many requests of GraphQL there may be, by address and by user.
pub struct Rates {
    address: Option<Limiter<IpAddr>>,
    user: Option<Limiter<Uuid>>,
}

impl Rates {
    /// As many as the settings allow.
    pub fn new(config: &Config) -> Self {
        Self {
            address: Limiter::new("address", config.requests_per_minute_per_address),
            user: Limiter::new("user", config.requests_per_minute),
        }
    }

    /// Counts a request that comes over a connection that is open already.
    ///
    /// # Errors
    /// How many seconds there is none.
    pub(crate) fn ask(&self, address: Option<IpAddr>, user: Option<Uuid>) -> Result<(), u64> {
        let mut allowances = Allowances::default();
        allowances.ask(self.address.as_ref().zip(Some(whose(address))))?;
        allowances.ask(self.user.as_ref().zip(user))
    }

    /// Counts what that request has cost besides, for it took so long.
    pub(crate) fn charge(&self, address: Option<IpAddr>, user: Option<Uuid>, took: Duration) {
        let (more, mut allowances) = (cost(took), Allowances::default());
        if more > 0 {
            allowances.charge(self.address.as_ref().zip(Some(whose(address))), more);
            allowances.charge(self.user.as_ref().zip(user), more);
        }
    }
}

/// The address that counts.
fn whose(address: Option<IpAddr>) -> IpAddr {
    address.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), edge::who)
}

/// What a request costs besides, that took so long.
fn cost(took: Duration) -> u32 {
    u32::try_from(took.as_millis() / COSTLY.as_millis()).unwrap_or(u32::MAX)
}

/// Answers a request, if it is not one of GraphQL, or a download, more than the settings allow.
pub async fn limited(app: &App, request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
    let rates = &app.rates;
    let is_counted = is_graphql(request.uri()) || is_download(request.uri());
    if (rates.address.is_none() && rates.user.is_none()) || !is_counted {
        return answer(request).await;
    }
    let peer: Option<&ConnectInfo<SocketAddr>> = request.extensions().get();
    let address = whose(peer.map(|ConnectInfo(peer)| peer.ip()));
    let address = rates.address.as_ref().map(|limiter| (limiter, address));
    // Whoever has no good token is nobody: the address counts.
    let user = rates.user.as_ref().and_then(|limiter| {
        let access = http::identity(app, request.headers().get(header::AUTHORIZATION)).1;
        Some((limiter, access?.user))
    });
    let mut allowances = Allowances::default();
    let refused = allowances.ask(address).and_then(|()| allowances.ask(user)).err();
    let mut response = match refused {
        None => {
            let began = Instant::now();
            let response = answer(request).await;
            let more = cost(began.elapsed());
            if more > 0 {
                allowances = Allowances::default();
                allowances.charge(address, more);
                allowances.charge(user, more);
            }
            response
        }
        Some(wait) => {
            let mut refusal = http::too_often(wait);
            refusal.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
            refusal
        }
    };
    allowances.insert(response.headers_mut());
    response
}

/// What an answer says of allowances: lists of structured fields (RFC 9651).
#[derive(Default)]
struct Allowances {
    left: String,
    policy: String,
}

impl Allowances {
    /// Counts a request; or tells how many seconds there is none.
    fn ask<K: Hash + Eq + Clone>(&mut self, counted: Option<(&Limiter<K>, K)>) -> Result<(), u64> {
        let Some((limiter, key)) = counted else { return Ok(()) };
        let asked = limiter.ask(&key);
        self.note(limiter, asked.unwrap_or_default());
        asked.map(|_| ())
    }

    fn charge<K: Hash + Eq + Clone>(&mut self, counted: Option<(&Limiter<K>, K)>, cost: u32) {
        if let Some((limiter, key)) = counted {
            self.note(limiter, limiter.charge(&key, cost));
        }
    }

    fn note<K: Hash + Eq + Clone>(&mut self, limiter: &Limiter<K>, left: u32) {
        let (name, quota) = (limiter.name, limiter.quota);
        let whole_in = (u64::from(quota.saturating_sub(left)) * WINDOW).div_ceil(u64::from(quota));
        let comma = if self.left.is_empty() { "" } else { ", " };
        _ = write!(self.left, "{comma}\"{name}\";r={left};t={whole_in}");
        _ = write!(self.policy, "{comma}\"{name}\";q={quota};w={WINDOW}");
    }

    fn insert(self, headers: &mut HeaderMap) {
        for (name, value) in [(LIMIT, self.left), (POLICY, self.policy)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

struct Limiter<K: Hash + Eq + Clone> {
    name: &'static str,
    quota: u32,
    limiter: RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>,
    asked: AtomicU32,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    /// So many in a minute, all of which may come at once; none for 0.
    fn new(name: &'static str, quota: u32) -> Option<Self> {
        let limiter = RateLimiter::keyed(Quota::per_minute(NonZeroU32::new(quota)?));
        Some(Self { name, quota, limiter: limiter.with_middleware(), asked: AtomicU32::new(0) })
    }

    /// Counts a request and tells how many are left; or how many seconds there is none.
    fn ask(&self, key: &K) -> Result<u32, u64> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % CLEAN_EVERY == CLEAN_EVERY - 1 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map(|left| left.remaining_burst_capacity()).map_err(|until| {
            let wait = until.wait_time_from(self.limiter.clock().now());
            (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
        })
    }

    /// Counts what a request has cost besides, no more than there is, and tells how many are left.
    fn charge(&self, key: &K, cost: u32) -> u32 {
        let (mut owed, mut left) = (cost.min(self.quota), 0);
        let mut part = owed;
        while let Some(some) = NonZeroU32::new(part.min(owed)) {
            match self.limiter.check_key_n(key, some) {
                Ok(Ok(state)) => {
                    owed -= some.get();
                    left = state.remaining_burst_capacity();
                }
                _ => part = some.get() / 2,
            }
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_an_allowance_of_its_own_and_is_told_how_long_to_wait() {
        assert!(Limiter::<u8>::new("user", 0).is_none(), "0 is no limit");
        let limiter = Limiter::new("user", 3).unwrap();
        assert_eq!([limiter.ask(&1), limiter.ask(&1), limiter.ask(&1)], [Ok(2), Ok(1), Ok(0)]);
        let Err(seconds) = limiter.ask(&1) else { panic!("a fourth one") };
        assert!((1..=20).contains(&seconds), "{seconds}");
        assert_eq!(limiter.ask(&2), Ok(2));
    }

    #[test]
    fn what_takes_long_costs_more_and_no_more_than_there_is() {
        let limiter = Limiter::new("user", 100).unwrap();
        assert_eq!(limiter.ask(&1), Ok(99));
        assert_eq!(limiter.charge(&1, 9), 90);
        assert_eq!(limiter.charge(&1, 1_000), 0);
        assert!(limiter.ask(&1).is_err());
        assert_eq!(limiter.ask(&2), Ok(99));
    }

    #[test]
    fn allowances_are_told_as_structured_fields() {
        let (address, user) = (Limiter::new("address", 600).unwrap(), Limiter::new("user", 60).unwrap());
        let mut allowances = Allowances::default();
        assert_eq!(allowances.ask(Some((&address, 1))), Ok(()));
        assert_eq!(allowances.ask(Some((&user, 2))), Ok(()));
        assert_eq!(allowances.left, "\"address\";r=599;t=1, \"user\";r=59;t=1");
        assert_eq!(allowances.policy, "\"address\";q=600;w=60, \"user\";q=60;w=60");
    }
}
