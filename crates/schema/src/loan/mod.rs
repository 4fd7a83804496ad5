//! The loan domain: workspaces and everything that is drafted, settled and published in them.

mod clauses;
mod covenants;
mod guard;
mod locks;
mod members;
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
);
