//! The loan domain: workspaces and everything that is drafted, settled and published in them.

mod drift;
mod graph;
mod guard;
mod locks;
mod reconciliation;
mod term;
mod variables;

use async_graphql::MergedObject;

/// Drafting, settling and publishing.
#[derive(MergedObject, Default)]
pub(crate) struct LoanMutation(
    locks::LockMutation,
    variables::VariableMutation,
    drift::DriftMutation,
    graph::GraphMutation,
    reconciliation::ReconciliationMutation,
);

/// What is asked beyond the rows.
#[derive(MergedObject, Default)]
pub(crate) struct LoanQuery(graph::GraphQuery);
