//! The scenarios domain: what if, and what comes of it.

mod parameters;
pub mod planning;
