//! Integrations as they are configured. What they connect with is encrypted as soon as it is checked, and never read back.

use aether_domain::source::{CsvOverHttp, is_built_in, read_cron};
use aether_entity::{
    integrations,
    sea_orm_active_enums::{IntegrationStatus, IntegrationType, SyncFrequency},
};
use aether_store::{
    Error, Result,
    write::{UseCase, action},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::LockType};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::{
    check::{optional_text, patch_text, text},
    patch::{Patch, patch, set},
};

/// The longest configuration, in bytes of JSON.
const MOST_CONFIG: usize = 65_536;

/// An integration to configure.
pub struct NewIntegration {
    pub r#type: IntegrationType,
    pub name: String,
    pub provider: String,
    pub config: Json,
    pub sync_frequency: Option<SyncFrequency>,
    pub sync_schedule: Option<String>,
    pub owner_id: Option<Uuid>,
}

/// What changes in an integration: what is left out stays as it is.
pub struct IntegrationEdit {
    pub r#type: Option<IntegrationType>,
    pub name: Option<String>,
    pub sync_frequency: Patch<SyncFrequency>,
    pub sync_schedule: Patch<String>,
    pub owner_id: Patch<Uuid>,
}

/// Configures the integration of a provider, or replaces its configuration.
pub fn configure(input: NewIntegration, expected_version: Option<i32>) -> UseCase<Uuid> {
    UseCase::new(&action::CONFIGURE_INTEGRATION, move |c| {
        Box::pin(async move {
            let name = text("input.name", &input.name, 255)?;
            let provider = text("input.provider", &input.provider, 100)?;
            let schedule = optional_text("input.syncSchedule", input.sync_schedule, 100)?;
            let frequency = input.sync_frequency;
            check_config(&provider, &input.config)?;
            check_schedule(schedule.as_deref())?;
            check_frequency(&provider, frequency.as_ref())?;
            if let Some(owner) = input.owner_id {
                c.colleague(owner, "input.ownerId").await?;
            }
            let encrypted = c.encryption().encrypt(input.config.to_string().as_bytes())?;
            let known = integrations::Entity::find()
                .filter(integrations::Column::Provider.eq(&provider))
                .lock(LockType::NoKeyUpdate);
            let Some(known) = c.one(known).await? else {
                if expected_version.is_some() {
                    return Err(Error::NotFound("There is no integration of this provider to replace.".into()));
                }
                let integration = c
                    .insert(integrations::ActiveModel {
                        organization_id: Set(c.actor().organization_id),
                        name: Set(name),
                        r#type: Set(input.r#type),
                        status: Set(ready(&provider)),
                        provider: Set(provider),
                        connection_config: Set(encrypted),
                        sync_frequency: Set(frequency),
                        sync_schedule: Set(schedule),
                        owner_id: Set(input.owner_id),
                        ..Default::default()
                    })
                    .await?;
                return Ok(integration.id);
            };
            let Some(expected) = expected_version else {
                return Err(Error::Taken {
                    field: "input.provider".into(),
                    message:
                        "There is an integration of this provider already. To replace its configuration, send its \
                              rowVersion as expectedVersion."
                            .into(),
                });
            };
            c.expect::<integrations::Entity>(&known, expected).await?;
            let id = known.id;
            c.update(known, |integration| {
                if *integration.sync_enabled.as_ref() {
                    integration.status = Set(ready(&provider));
                }
                integration.consecutive_failures = Set(0);
                integration.name = Set(name);
                integration.r#type = Set(input.r#type);
                integration.connection_config = Set(encrypted);
                integration.sync_frequency = Set(frequency);
                integration.sync_schedule = Set(schedule);
                integration.owner_id = Set(input.owner_id);
            })
            .await?;
            Ok(id)
        })
    })
}

/// Edits an integration but for its connection details, which `configureIntegration` replaces.
pub fn edit(id: Uuid, expected_version: i32, input: IntegrationEdit) -> UseCase<Uuid> {
    UseCase::new(&action::CONFIGURE_INTEGRATION, move |c| {
        Box::pin(async move {
            let integration = c.edit::<integrations::Entity>(id, expected_version).await?;
            let name = input.name.map(|name| text("input.name", &name, 255)).transpose()?;
            let schedule = patch_text("input.syncSchedule", input.sync_schedule, 100)?;
            check_schedule(schedule.value().map(String::as_str))?;
            check_frequency(&integration.provider, input.sync_frequency.value())?;
            if let Some(owner) = input.owner_id.value() {
                c.colleague(*owner, "input.ownerId").await?;
            }
            c.update(integration, |integration| {
                set(&mut integration.name, name);
                set(&mut integration.r#type, input.r#type);
                patch(&mut integration.sync_frequency, input.sync_frequency);
                patch(&mut integration.sync_schedule, schedule);
                patch(&mut integration.owner_id, input.owner_id);
            })
            .await?;
            Ok(id)
        })
    })
}

/// Switches the synchronization of an integration on or off; one that has failed begins anew.
pub fn switch(id: Uuid, expected_version: i32, on: bool) -> UseCase<()> {
    UseCase::new(&action::ENABLE_INTEGRATION, move |c| {
        Box::pin(async move {
            let integration = c.edit::<integrations::Entity>(id, expected_version).await?;
            let stands_still = matches!(integration.status, IntegrationStatus::Error | IntegrationStatus::Inactive);
            if integration.sync_enabled == on && !(on && stands_still) {
                let message = format!("The integration is switched {} already.", if on { "on" } else { "off" });
                return Err(Error::Precondition(message));
            }
            let status = if on { ready(&integration.provider) } else { IntegrationStatus::Inactive };
            c.update(integration, |integration| {
                integration.sync_enabled = Set(on);
                integration.status = Set(status);
                if on {
                    integration.consecutive_failures = Set(0);
                }
            })
            .await?;
            Ok(())
        })
    })
}

/// The status of an integration that is configured and switched on. What the gateway does not read by itself waits for
/// whoever does.
fn ready(provider: &str) -> IntegrationStatus {
    if is_built_in(provider) { IntegrationStatus::Active } else { IntegrationStatus::PendingSetup }
}

/// Refuses connection details that cannot be used. No message repeats any of them.
fn check_config(provider: &str, config: &Json) -> Result<()> {
    const FIELD: &str = "input.config";
    if !config.is_object() {
        return Err(Error::invalid(FIELD, "The configuration must be a JSON object."));
    }
    if config.to_string().len() > MOST_CONFIG {
        return Err(Error::invalid(FIELD, "The configuration is too long: at most 64 KiB of JSON."));
    }
    if !is_built_in(provider) {
        return Ok(());
    }
    match CsvOverHttp::read(config) {
        Ok(_) => Ok(()),
        Err((field, message)) => Err(Error::invalid(format!("{FIELD}{field}"), message)),
    }
}

fn check_schedule(schedule: Option<&str>) -> Result<()> {
    match schedule.map(read_cron) {
        Some(Err(message)) => Err(Error::invalid("input.syncSchedule", message)),
        _ => Ok(()),
    }
}

fn check_frequency(provider: &str, frequency: Option<&SyncFrequency>) -> Result<()> {
    if is_built_in(provider) && frequency == Some(&SyncFrequency::Realtime) {
        return Err(Error::invalid(
            "input.syncFrequency",
            "A file is fetched and does not tell of changes. Choose HOURLY or DAILY, or give a schedule.",
        ));
    }
    Ok(())
}
