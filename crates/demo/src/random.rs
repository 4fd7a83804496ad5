//! Seeded chance: one stream per domain and organization, so that more of one leaves the others as they were.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rust_decimal::Decimal;

/// The generator of one domain of one organization.
pub(crate) fn stream(seed: u64, domain: &str, organization: &str) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // FNV-1a: stable between builds, which the standard hasher does not promise.
    let name = domain.bytes().chain([0]).chain(organization.bytes());
    rng.set_stream(
        name.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)),
    );
    rng
}

/// Draws for one domain.
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) ChaCha8Rng);

impl Random {
    /// Even between the two, the upper one excluded.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.0.random::<f64>() * (high - low)
    }

    /// Even between the two, both included.
    pub(crate) fn whole(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// One of them.
    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.0.random_range(0..of.len())]
    }

    /// One of them, each with its weight.
    pub(crate) fn weighted<T: Copy>(&mut self, of: &[(T, u32)]) -> T {
        let mut left = self.0.random_range(0..of.iter().map(|(_, weight)| weight).sum());
        for &(item, weight) in of {
            if left < weight {
                return item;
            }
            left -= weight;
        }
        unreachable!("the draw is below the sum of the weights")
    }

    /// Roughly normal around zero (a sum of four even draws), never farther than three and a half deviations.
    pub(crate) fn noise(&mut self, deviation: f64) -> f64 {
        let sum: f64 = (0..4).map(|_| self.0.random::<f64>()).sum();
        (sum - 2.0) * 1.732 * deviation
    }

    /// Money between the two, in steps of a hundred.
    pub(crate) fn hundreds(&mut self, low: f64, high: f64) -> Decimal {
        Decimal::from(self.whole((low / 100.0) as i64, (high / 100.0) as i64) * 100)
    }
}

/// Rounds to cents.
pub(crate) fn cents(value: f64) -> Decimal {
    Decimal::new((value * 100.0).round() as i64, 2)
}

/// Rounds to this many places.
pub(crate) fn places(value: f64, places: u32) -> Decimal {
    Decimal::new((value * 10_f64.powi(places as i32)).round() as i64, places)
}
