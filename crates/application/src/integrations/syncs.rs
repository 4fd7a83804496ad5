//! Synchronizations that users trigger; a gateway carries them out in the background.

use aether_domain::source::is_built_in;
use aether_entity::{integrations, sea_orm_active_enums::SyncTrigger};
use aether_store::{
    Error,
    write::{UseCase, action},
};
use uuid::Uuid;

use super::synchronization;

/// Triggers the synchronization of an integration.
pub fn trigger(id: Uuid) -> UseCase<Uuid> {
    UseCase::new(&action::TRIGGER_SYNC, move |c| {
        Box::pin(async move {
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
            Ok(synchronization::begin(c, integration, SyncTrigger::Manual).await?.id)
        })
    })
}
