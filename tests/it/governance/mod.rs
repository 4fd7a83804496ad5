//! Controls, issues, lineage.

pub mod compliance;
pub mod lineage;
