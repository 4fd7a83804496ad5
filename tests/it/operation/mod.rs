//! How a document becomes an operation: exact to the specification, safe from whoever sends it.

pub mod attacks;
pub mod entries;
pub mod errors;
pub mod exact;
pub mod fairness;
pub mod judge;
pub mod requests;
