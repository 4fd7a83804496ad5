//! The loan domain: workspaces and everything that is drafted, settled and published in them.

mod guard;
mod locks;

use async_graphql::MergedObject;

/// Drafting, settling and publishing.
#[derive(MergedObject, Default)]
pub(crate) struct LoanMutation(locks::LockMutation);
