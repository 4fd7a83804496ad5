//! The loan domain: workspaces and everything that is drafted, settled and published in them.

mod connectors;
mod golden;
mod locks;

use async_graphql::MergedObject;

/// Drafting, settling and publishing.
#[derive(MergedObject, Default)]
pub(crate) struct LoanMutation(locks::LockMutation, golden::GoldenMutation, connectors::ConnectorMutation);

/// What can be asked about deals beyond their rows.
#[derive(MergedObject, Default)]
pub(crate) struct LoanQuery(golden::GoldenQuery);
