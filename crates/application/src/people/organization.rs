//! The organization: its name and logo, and how it works with the product.

use aether_entity::organizations;
use aether_store::{
    Error,
    write::{UseCase, action},
};
use sea_orm::Set;
use serde_json::Value;
use uuid::Uuid;

use super::{
    document::{object, picture, put, put_within},
    time_zone,
};
use crate::{
    check::{currency, text},
    patch::{Patch, patch, set},
};

#[rustfmt::skip]
const MONTHS: [&str; 12] = [
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
];

/// What changes in the organization: what is left out stays as it is.
pub struct OrganizationEdit {
    pub name: Option<String>,
    pub logo_url: Patch<String>,
}

/// What changes in the settings of the organization: what is left out stays as it is.
pub struct OrganizationSettingsEdit {
    pub fiscal_year_start: Option<String>,
    pub currency: Option<String>,
    pub timezone: Option<String>,
    pub features: Option<OrganizationFeaturesEdit>,
}

/// Which parts of the product are switched on or off: what is left out stays as it is.
pub struct OrganizationFeaturesEdit {
    pub ai_agent: Option<bool>,
    pub scenarios: Option<bool>,
    pub governance: Option<bool>,
}

/// Edits the name and the logo of one's organization.
pub fn edit(expected_version: i32, input: OrganizationEdit) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_ORGANIZATION, move |c| {
        Box::pin(async move {
            let name = input.name.map(|name| text("input.name", &name, 255)).transpose()?;
            let logo = picture("input.logoUrl", input.logo_url)?;
            let id = c.actor().organization_id;
            let organization = c.edit::<organizations::Entity>(id, expected_version).await?;
            c.update(organization, |organization| {
                set(&mut organization.name, name);
                patch(&mut organization.logo_url, logo);
            })
            .await?;
            Ok(id)
        })
    })
}

/// Edits the settings of one's organization.
pub fn edit_settings(expected_version: i32, input: OrganizationSettingsEdit) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_ORGANIZATION_SETTINGS, move |c| {
        Box::pin(async move {
            if input.fiscal_year_start.as_ref().is_some_and(|month| !MONTHS.contains(&month.as_str())) {
                return Err(Error::invalid(
                    "input.fiscalYearStart",
                    format!("A month is one of: {}.", MONTHS.join(", ")),
                ));
            }
            let code = input.currency.map(|code| currency("input.currency", &code)).transpose()?;
            if let Some(zone) = &input.timezone
                && !time_zone::is_known(c, zone).await?
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
            Ok(id)
        })
    })
}

/// What is given; a setting cannot be removed.
fn given<T>(value: Option<T>) -> Patch<T> {
    value.map_or(Patch::Absent, Patch::Value)
}
