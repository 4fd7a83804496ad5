//! Live updates.

mod nats;
