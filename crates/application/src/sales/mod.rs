//! The sales domain: deals, their way through the pipeline, and snapshots of it.

pub mod bookings;
mod calendar;
pub mod close;
mod deal;
pub mod deals;
pub mod import;
pub mod movement;
mod pipeline;
mod rules;
mod sheet;
pub mod snapshots;
