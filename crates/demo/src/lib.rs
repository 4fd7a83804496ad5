//! The demo data: two organizations with everything, three counterparties, and copies of it all for load tests.
//!
//! The same day, seed and scale make the same rows, to the byte. Every domain of every organization draws from its
//! own stream of random numbers, so that adding rows to one leaves the others as they were. Dates are relative to
//! the given day and no row pretends to be made later than that day's midnight.

mod actions;
mod anomalies;
mod assistant;
mod audit;
mod compliance;
pub mod copy;
mod exports;
mod finance;
mod identity;
pub mod ids;
mod injected;
mod integrations;
mod lineage;
mod load;
mod loan;
mod metrics;
mod models;
pub mod people;
mod pipeline;
mod progress;
mod random;
mod sales;
mod scenarios;
mod tenant;
#[cfg(test)]
mod tests;
mod vendors;
mod words;

pub use load::{Error, Options, Summary, is_loaded, load};
pub use people::{HOME, Login, PASSWORD, logins};
pub use progress::{Bar, Progress, Quiet};
