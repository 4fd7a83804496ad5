//! Integrations: the systems from which an organization's figures come, and their synchronization.

mod configuration;
mod syncs;

use async_graphql::MergedObject;

/// Configuring and synchronizing integrations.
#[derive(MergedObject, Default)]
pub(crate) struct IntegrationsMutation(configuration::ConfigurationMutation, syncs::SyncMutation);
