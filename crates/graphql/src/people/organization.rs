//! The organization: its name and logo, and how it works with the product.

use aether_application::people::organization;
use aether_entity as entity;
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};

use crate::{
    input::{Plain, plain},
    rows::Row,
    run::run,
};

/// What changes in the organization: what is left out stays as it is.
#[derive(InputObject)]
struct OrganizationPatch {
    /// Name of the organization.
    name: Option<String>,
    /// Address of the logo, beginning with `https://`; null removes it.
    logo_url: MaybeUndefined<String>,
}

/// What changes in the settings of the organization: what is left out stays as it is.
#[derive(InputObject)]
struct OrganizationSettingsPatch {
    /// The month in which the fiscal year begins, in English, such as `January`.
    fiscal_year_start: Option<String>,
    /// The reporting currency, ISO 4217, such as `USD`.
    currency: Option<String>,
    /// The time zone of its days and months, IANA name, such as `Europe/London`.
    timezone: Option<String>,
    /// The parts of the product to switch on or off.
    features: Option<OrganizationFeaturesPatch>,
}

/// Which parts of the product are switched on or off: what is left out stays as it is.
#[derive(InputObject)]
struct OrganizationFeaturesPatch {
    /// Whether the assistant may act.
    ai_agent: Option<bool>,
    /// Whether scenarios can be run.
    scenarios: Option<bool>,
    /// Whether governance is in use.
    governance: Option<bool>,
}

plain!(OrganizationPatch as organization::OrganizationEdit { name, logo_url });

plain!(OrganizationSettingsPatch as organization::OrganizationSettingsEdit { fiscal_year_start, currency, timezone, features });

plain!(OrganizationFeaturesPatch as organization::OrganizationFeaturesEdit { ai_agent, scenarios, governance });

/// The organization.
#[derive(Default)]
pub(crate) struct OrganizationMutation;

#[Object]
impl OrganizationMutation {
    /// Edits the name and the logo of one's organization.
    async fn edit_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version of the organization that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: OrganizationPatch,
    ) -> Result<Row<entity::organizations::Entity>> {
        let id = run(ctx, organization::edit(expected_version, input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Edits the settings of one's organization.
    async fn edit_organization_settings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version of the organization that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: OrganizationSettingsPatch,
    ) -> Result<Row<entity::organizations::Entity>> {
        let id = run(ctx, organization::edit_settings(expected_version, input.plain())).await?;
        Ok(Row::new(id))
    }
}
