//! Synchronizations that users trigger; a gateway carries them out in the background.

use aether_domain::source::is_built_in;
use aether_entity::{integration_syncs, integrations, sea_orm_active_enums::SyncTrigger};
use aether_store::{Error, write::action};
use async_graphql::{Context, Object, Result};
use uuid::Uuid;

use crate::{change::change, graph::Row};

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
    ) -> Result<Row<integration_syncs::Entity>> {
        change(ctx, &action::TRIGGER_SYNC, |c| async move {
            let integration = c.find::<integrations::Entity>(id).await?;
            if !is_built_in(&integration.provider) {
                return Err(Error::Precondition(
                    "The gateway does not read from this provider by itself, only from csv_http. Trigger the \
                     synchronization where it is carried out."
                        .into(),
                ));
            }
            if !integration.sync_enabled {
                return Err(Error::Precondition(
                    "The integration is switched off. Switch it on by enableIntegration first.".into(),
                ));
            }
            Ok(Row::new(c.begin_sync(integration, SyncTrigger::Manual).await?.id))
        })
        .await
    }
}
