//! Keys: UUID version 7 with the time the row was made and random bits from a seed.

use chrono::{DateTime, Utc};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore as _;
use uuid::{Builder, Uuid};

/// Makes keys, the same ones every time.
#[derive(Clone, Debug)]
pub struct Ids {
    rng: ChaCha8Rng,
}

impl Ids {
    /// Keys whose random bits come from this generator.
    #[must_use]
    pub fn new(rng: ChaCha8Rng) -> Self {
        Self { rng }
    }

    /// The next key, of a row made at this time.
    pub fn at(&mut self, time: DateTime<Utc>) -> Uuid {
        let mut bits = [0; 10];
        self.rng.fill_bytes(&mut bits);
        let millis = u64::try_from(time.timestamp_millis()).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &bits).into_uuid()
    }
}
