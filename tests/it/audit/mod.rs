//! The audit trail: that it cannot be altered unseen, and how it leaves the house.

pub mod exports;
pub mod log;
