//! How often is too often: signing in from one address, and changing things as one user (GCRA, as in ATM Forum TM 4.0).

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use aether_store::{Error, Result};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};
use uuid::Uuid;

/// After so many questions, those whose allowance is whole again are forgotten.
const CLEAN_EVERY: u32 = 4_096;

/// What one gateway remembers of who asked how often. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Rates {
    sign_ins: Option<Arc<Limiter<IpAddr>>>,
    mutations: Option<Arc<Limiter<Uuid>>>,
}

impl Rates {
    /// So many a minute, all of which may come at once; 0 for any number.
    pub(crate) fn new(sign_ins: u32, mutations: u32) -> Self {
        Self { sign_ins: Limiter::new(sign_ins), mutations: Limiter::new(mutations) }
    }

    /// Counts an attempt to sign in from this address.
    pub(crate) fn sign_in(&self, address: Option<IpAddr>) -> Result<()> {
        let address = address.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), network);
        self.sign_ins.as_ref().map_or(Ok(()), |limiter| limiter.ask(address))
    }

    /// Counts a mutation of this user.
    pub(crate) fn mutation(&self, user: Uuid) -> Result<()> {
        self.mutations.as_ref().map_or(Ok(()), |limiter| limiter.ask(user))
    }
}

/// One household: of an IPv6 address, the first half; the second is chosen freely by whoever has the first.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

struct Limiter<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    asked: AtomicU32,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(per_minute: u32) -> Option<Arc<Self>> {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute)?);
        Some(Arc::new(Self { limiter: RateLimiter::keyed(quota), asked: AtomicU32::new(0) }))
    }

    fn ask(&self, key: K) -> Result<()> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % CLEAN_EVERY == CLEAN_EVERY - 1 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(&key).map_err(|until| {
            let wait = until.wait_time_from(self.limiter.clock().now());
            Error::RateLimited(wait.as_secs() + u64::from(wait.subsec_nanos() > 0).max(u64::from(wait.is_zero())))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_an_allowance_of_its_own_and_is_told_how_long_to_wait() {
        let rates = Rates::new(2, 0);
        let (one, other) = ("10.0.0.1".parse().ok(), "10.0.0.2".parse().ok());
        assert_eq!([rates.sign_in(one), rates.sign_in(one)], [Ok(()), Ok(())]);
        let Err(Error::RateLimited(seconds)) = rates.sign_in(one) else { panic!("a third one") };
        assert!((1..=30).contains(&seconds), "{seconds}");
        assert_eq!(rates.sign_in(other), Ok(()));
        assert!((0..5_000).all(|_| rates.mutation(Uuid::nil()).is_ok()), "0 is no limit");
    }

    #[test]
    fn an_ipv6_network_is_one_address_and_a_mapped_ipv4_is_itself() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:aaaa::1"), of("2001:db8:1:2:bbbb::2"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
