//! Governance: compliance controls and their issues, and the lineage of the data.

mod controls;
mod issues;
mod lineage;
mod trace;

use async_graphql::MergedObject;

/// Keeping controls and the lineage of the data.
#[derive(MergedObject, Default)]
pub(crate) struct GovernanceMutation(controls::ControlMutation, issues::IssueMutation, lineage::LineageMutation);

/// Following the lineage of the data.
#[derive(MergedObject, Default)]
pub(crate) struct GovernanceQuery(trace::TraceQuery);
