//! The loan domain: workspaces and everything that is drafted, settled and published in them.

mod clauses;
mod connectors;
mod covenants;
mod dependency_graph;
mod drift;
mod golden;
mod locks;
mod members;
mod reconciliation;
mod variables;
mod workspaces;

use async_graphql::MergedObject;

/// Drafting, settling and publishing.
#[derive(MergedObject, Default)]
pub(crate) struct LoanMutation(
    workspaces::WorkspaceMutation,
    members::MemberMutation,
    clauses::ClauseMutation,
    locks::LockMutation,
    covenants::CovenantMutation,
    variables::VariableMutation,
    drift::DriftMutation,
    dependency_graph::GraphMutation,
    reconciliation::ReconciliationMutation,
    golden::GoldenMutation,
    connectors::ConnectorMutation,
);

/// What is asked beyond the rows.
#[derive(MergedObject, Default)]
pub(crate) struct LoanQuery(dependency_graph::GraphQuery, golden::GoldenQuery);
