//! Deals and the pipeline.

pub mod deal_import;
pub mod deal_sequences;
pub mod deals;
pub mod figures;
pub mod movement;
pub mod pipeline;
