//! Workspaces: their text, their terms, what is published of them.

pub mod connectors;
pub mod deliveries;
pub mod drafting;
pub mod golden;
pub mod locks;
pub mod terms;
