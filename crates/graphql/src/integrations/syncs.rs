//! Synchronizations that users trigger; a gateway carries them out in the background.

use aether_application::integrations::syncs;
use aether_entity as entity;
use async_graphql::{Context, Object, Result};
use uuid::Uuid;

use crate::{rows::Row, run::run};

/// Triggering synchronizations.
#[derive(Default)]
pub(crate) struct SyncMutation;

#[Object]
impl SyncMutation {
    /// Triggers the synchronization of an integration. It is RUNNING at once and carried out in the background: read it again
    /// to see how it ended, and its logs.
    async fn trigger_sync(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The integration.")] id: Uuid,
    ) -> Result<Row<entity::integration_syncs::Entity>> {
        let id = run(ctx, syncs::trigger(id)).await?;
        Ok(Row::new(id))
    }
}
