//! The loan domain: workspaces and everything that is drafted, settled and published in them.

pub mod clauses;
pub mod connectors;
pub mod covenants;
pub mod dependency_graph;
pub mod drift;
pub mod golden;
mod guard;
mod invitee;
pub mod locks;
pub mod members;
mod order;
pub mod reconciliation;
mod term;
pub mod variables;
pub mod workspaces;
