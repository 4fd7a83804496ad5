//! How many connections there are, in all and per address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::time::{Duration, Instant};

/// How often it is warned that there is no permit.
const WARNED_EVERY: Duration = Duration::from_secs(10);

/// Permits for connections.
#[derive(Clone)]
pub struct Permits(Arc<Inner>);

struct Inner {
    most: usize,
    most_per_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
    refused: u64,
    warned: Option<Instant>,
}

/// A permit that is taken, until it is dropped.
pub struct Permit {
    permits: Permits,
    address: IpAddr,
}

impl Permits {
    /// So many in all and for each address; 0 for any number.
    pub fn new(most: usize, most_per_address: usize) -> Self {
        Self(Arc::new(Inner { most, most_per_address, taken: Mutex::default() }))
    }

    /// A permit for a connection from there, if there is one.
    pub fn take(&self, peer: IpAddr) -> Option<Permit> {
        let address = who(peer);
        let mut taken = self.0.taken.lock();
        let of_address = taken.by_address.get(&address).copied().unwrap_or_default();
        let is_full = |limit: usize, taken: usize| limit != 0 && taken >= limit;
        let in_all = is_full(self.0.most, taken.all);
        if in_all || is_full(self.0.most_per_address, of_address) {
            taken.warn(
                if in_all { "no room for further connections" } else { "too many connections from one address" },
                address,
            );
            return None;
        }
        taken.all += 1;
        taken.by_address.insert(address, of_address + 1);
        Some(Permit { permits: self.clone(), address })
    }
}

impl Taken {
    /// Whoever knocks a thousand times does not fill the log.
    fn warn(&mut self, what: &str, address: IpAddr) {
        self.refused += 1;
        if self.warned.is_none_or(|warned| warned.elapsed() >= WARNED_EVERY) {
            tracing::warn!(%address, refused = self.refused, "{what}");
            (self.warned, self.refused) = (Some(Instant::now()), 0);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut taken = self.permits.0.taken.lock();
        taken.all -= 1;
        if let Some(of_address) = taken.by_address.get_mut(&self.address) {
            *of_address -= 1;
            if *of_address == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// Who counts as one: an IPv4 address, and the network of 64 bits of an IPv6 address, for whoever has one address in it has all.
pub fn who(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn places_are_counted_in_all_and_per_address_and_given_back() {
        let permits = Permits::new(3, 2);
        let (one, other) = (address("203.0.113.7"), address("203.0.113.8"));
        let first = permits.take(one).unwrap();
        let second = permits.take(one).unwrap();
        assert!(permits.take(one).is_none(), "two of one address");
        let third = permits.take(other).unwrap();
        assert!(permits.take(other).is_none(), "three in all");
        drop(first);
        let fourth = permits.take(other).unwrap();
        drop((second, third, fourth));
        assert!(permits.0.taken.lock().by_address.is_empty());
        assert_eq!(permits.0.taken.lock().all, 0);
    }

    #[test]
    fn zero_is_any_number() {
        let permits = Permits::new(0, 0);
        let taken: Vec<_> = (0..1_000).map(|_| permits.take(address("203.0.113.7"))).collect();
        assert!(taken.iter().all(Option::is_some));
    }

    #[test]
    fn a_network_of_ipv6_is_one_and_an_address_written_as_ipv6_is_itself() {
        assert_eq!(who(address("2001:db8:1:2:3:4:5:6")), who(address("2001:db8:1:2:ffff::1")));
        assert_ne!(who(address("2001:db8:1:2::1")), who(address("2001:db8:1:3::1")));
        assert_eq!(who(address("::ffff:203.0.113.7")), address("203.0.113.7"));
        assert_ne!(who(address("203.0.113.7")), who(address("203.0.113.8")));
    }
}
