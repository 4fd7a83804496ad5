//! Integrations as they are configured. What they connect with is encrypted as soon as it is checked, and never read back.

use aether_application::integrations::configuration;
use aether_entity::{
    self as entity,
    sea_orm_active_enums::{IntegrationType, SyncFrequency},
};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    input::{Choice, Plain, Scalar, plain},
    rows::Row,
    run::run,
};

/// An integration to configure.
#[derive(InputObject)]
struct IntegrationInput {
    /// Name of the integration.
    name: String,
    /// Kind of the connected system.
    r#type: Choice<IntegrationType>,
    /// Product behind it, such as sap; an organization has one integration of each. The gateway itself reads `csv_http`, and
    /// whatever follows a colon tells several of them apart: `csv_http:plan`.
    provider: String,
    /// Connection details, which can never be read again. For `csv_http`: `url`, optional `headers` such as an Authorization,
    /// and `kind`, which is `metrics`.
    #[graphql(secret)]
    config: Scalar<Json>,
    /// How often it is synchronized; by the schedule or by hand only unless given. `csv_http` knows HOURLY and DAILY.
    sync_frequency: Option<Choice<SyncFrequency>>,
    /// When it is synchronized, as a cron expression of five fields in UTC, such as `15 3 * * *`; goes before the frequency.
    sync_schedule: Option<String>,
    /// The user responsible for it.
    owner_id: Option<Uuid>,
}

/// What changes in an integration: what is left out stays as it is.
#[derive(InputObject)]
struct IntegrationPatch {
    /// Name of the integration.
    name: Option<String>,
    /// Kind of the connected system.
    r#type: Option<Choice<IntegrationType>>,
    /// How often it is synchronized; null for by the schedule or by hand only.
    sync_frequency: MaybeUndefined<Choice<SyncFrequency>>,
    /// When it is synchronized, as a cron expression of five fields in UTC; null for by the frequency or by hand only.
    sync_schedule: MaybeUndefined<String>,
    /// The user responsible for it; null when nobody is.
    owner_id: MaybeUndefined<Uuid>,
}

plain!(IntegrationInput as configuration::NewIntegration { name, provider, config, sync_frequency, sync_schedule, owner_id, r#type });

plain!(IntegrationPatch as configuration::IntegrationEdit { name, sync_frequency, sync_schedule, owner_id, r#type });

/// Configuring integrations.
#[derive(Default)]
pub(crate) struct ConfigurationMutation;

#[Object]
impl ConfigurationMutation {
    /// Configures the integration of a provider, or replaces its configuration. The connection details are encrypted with the
    /// newest key and can never be read again, not even from the audit log.
    async fn configure_integration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The integration.")] input: IntegrationInput,
        #[graphql(desc = "The version of the integration that you saw; needed to replace one, absent for a new one.")]
        expected_version: Option<i32>,
    ) -> Result<Row<entity::integrations::Entity>> {
        let id = run(ctx, configuration::configure(input.plain(), expected_version)).await?;
        Ok(Row::new(id))
    }

    /// Edits an integration but for its connection details, which `configureIntegration` replaces.
    async fn edit_integration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The integration.")] id: Uuid,
        #[graphql(desc = "The version of the integration that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: IntegrationPatch,
    ) -> Result<Row<entity::integrations::Entity>> {
        let id = run(ctx, configuration::edit(id, expected_version, input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Switches the synchronization of an integration on; one that has failed begins anew.
    async fn enable_integration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The integration.")] id: Uuid,
        #[graphql(desc = "The version of the integration that you saw.")] expected_version: i32,
    ) -> Result<Row<entity::integrations::Entity>> {
        run(ctx, configuration::switch(id, expected_version, true)).await?;
        Ok(Row::new(id))
    }

    /// Switches the synchronization of an integration off; one that is running ends as it would have.
    async fn disable_integration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The integration.")] id: Uuid,
        #[graphql(desc = "The version of the integration that you saw.")] expected_version: i32,
    ) -> Result<Row<entity::integrations::Entity>> {
        run(ctx, configuration::switch(id, expected_version, false)).await?;
        Ok(Row::new(id))
    }
}
