//! The scenarios domain: what-if planning.

mod parameters;
mod planning;

use async_graphql::MergedObject;

/// What-if planning.
#[derive(MergedObject, Default)]
pub(crate) struct ScenariosMutation(planning::ScenarioMutation);
