//! The organization: its name and logo, and how it works with the product.

use aether_entity::organizations;
use aether_store::{Error, write::action};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use sea_orm::Set;
use serde_json::Value;

use super::document::{object, picture, put, put_within};
use crate::{
    change::change,
    graph::Row,
    input::{currency, patch, set, text},
};

#[rustfmt::skip]
const MONTHS: [&str; 12] = [
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
];

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
    ) -> Result<Row<organizations::Entity>> {
        change(ctx, &action::EDIT_ORGANIZATION, |c| async move {
            let name = input.name.map(|name| text("input.name", &name, 255)).transpose()?;
            let logo = picture("input.logoUrl", input.logo_url)?;
            let id = c.actor().organization_id;
            let organization = c.edit::<organizations::Entity>(id, expected_version).await?;
            c.update(organization, |organization| {
                set(&mut organization.name, name);
                patch(&mut organization.logo_url, logo);
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Edits the settings of one's organization.
    async fn edit_organization_settings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version of the organization that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: OrganizationSettingsPatch,
    ) -> Result<Row<organizations::Entity>> {
        change(ctx, &action::EDIT_ORGANIZATION_SETTINGS, |c| async move {
            if input.fiscal_year_start.as_ref().is_some_and(|month| !MONTHS.contains(&month.as_str())) {
                return Err(Error::invalid(
                    "input.fiscalYearStart",
                    format!("A month is one of: {}.", MONTHS.join(", ")),
                ));
            }
            let code = input.currency.map(|code| currency("input.currency", &code)).transpose()?;
            if let Some(zone) = &input.timezone
                && !c.knows_time_zone(zone).await?
            {
                return Err(Error::invalid(
                    "input.timezone",
                    "There is no such time zone. Give an IANA name such as Europe/London or America/New_York.",
                ));
            }
            let id = c.actor().organization_id;
            let organization = c.edit::<organizations::Entity>(id, expected_version).await?;
            let mut settings = object(&organization.settings);
            put(&mut settings, "fiscalYearStart", given(input.fiscal_year_start));
            put(&mut settings, "currency", given(code));
            put(&mut settings, "timezone", given(input.timezone));
            put_within(&mut settings, "features", given(input.features), |features, patch| {
                put(features, "aiAgent", given(patch.ai_agent));
                put(features, "scenarios", given(patch.scenarios));
                put(features, "governance", given(patch.governance));
                Ok(())
            })?;
            c.update(organization, |organization| organization.settings = Set(Value::Object(settings))).await?;
            Ok(Row::new(id))
        })
        .await
    }
}

/// What is given; a setting cannot be removed.
fn given<T>(value: Option<T>) -> MaybeUndefined<T> {
    value.map_or(MaybeUndefined::Undefined, MaybeUndefined::Value)
}
