//! The governance domain: controls, issues, and where figures come from.

pub mod controls;
pub mod issues;
pub mod lineage;
