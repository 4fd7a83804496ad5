//! The sales domain: deals, their way through the pipeline, and snapshots of it.

pub mod close;
mod deal;
pub mod deals;
pub mod import;
mod pipeline;
mod rules;
mod sheet;
pub mod snapshots;
