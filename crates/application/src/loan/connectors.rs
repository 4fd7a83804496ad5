//! Downstream connectors: where what is published goes, and what became of it.

use aether_domain::connector::{check_secret, check_url};
use aether_entity::{
    connector_deliveries, downstream_connectors,
    sea_orm_active_enums::{ConnectorStatus, ConnectorType, DeliveryStatus},
};
use aether_store::{
    Error, Result,
    write::{Change, UseCase, action},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::LockType};
use uuid::Uuid;

use crate::{
    check::text,
    patch::{Patch, set},
    reason::Reason,
};

/// A connector to add.
pub struct NewConnector {
    pub r#type: ConnectorType,
    pub name: String,
    pub url: Option<String>,
    pub secret: Option<String>,
    pub enabled: bool,
}

/// What changes in a connector: what is left out stays as it is.
pub struct ConnectorEdit {
    pub name: Option<String>,
    pub url: Patch<String>,
    pub secret: Patch<String>,
    pub enabled: Option<bool>,
}

/// Adds a connector to a workspace; for agents who administer it.
pub fn add(workspace_id: Uuid, input: NewConnector, insecure: bool) -> UseCase<Uuid> {
    UseCase::new(&action::CONFIGURE_CONNECTOR, move |c| {
        Box::pin(async move {
            c.workspace(workspace_id).await?;
            let url = input.url.map(|url| address(&url, insecure)).transpose()?;
            let secret = input.secret.map(|secret| encrypted(c, &secret)).transpose()?;
            let status = match input.enabled {
                true => ConnectorStatus::Ready,
                false => ConnectorStatus::InReview,
            };
            complete(&status, url.is_some(), secret.is_some())?;
            let connector = c
                .insert(downstream_connectors::ActiveModel {
                    workspace_id: Set(workspace_id),
                    name: Set(text("input.name", &input.name, 255)?),
                    r#type: Set(input.r#type),
                    status: Set(status),
                    url: Set(url),
                    encrypted_secret: Set(secret),
                    ..Default::default()
                })
                .await?;
            Ok(connector.id)
        })
    })
}

/// Sets a connector's address and secret, and whether it receives what is published; for agents who administer the workspace.
pub fn configure(id: Uuid, expected_version: i32, input: ConnectorEdit, insecure: bool) -> UseCase<Uuid> {
    UseCase::new(&action::CONFIGURE_CONNECTOR, move |c| {
        Box::pin(async move {
            let (_, connector) = c.edit_in_workspace::<downstream_connectors::Entity>(id, expected_version).await?;
            let name = input.name.map(|name| text("input.name", &name, 255)).transpose()?;
            let url = match input.url {
                Patch::Absent => connector.url.clone(),
                Patch::Null => None,
                Patch::Value(url) => Some(address(&url, insecure)?),
            };
            let secret = match input.secret {
                Patch::Absent => connector.encrypted_secret.clone(),
                Patch::Null => None,
                Patch::Value(secret) => Some(encrypted(c, &secret)?),
            };
            let status = match input.enabled {
                None => connector.status.clone(),
                Some(true) => ConnectorStatus::Ready,
                Some(false) => ConnectorStatus::InReview,
            };
            complete(&status, url.is_some(), secret.is_some())?;
            c.update(connector, |connector| {
                set(&mut connector.name, name);
                connector.url = Set(url);
                connector.encrypted_secret = Set(secret);
                connector.status = Set(status);
            })
            .await?;
            Ok(id)
        })
    })
}

/// Disconnects a connector: it receives nothing any more, and what still waited for it is given up; for agents who administer the workspace.
pub fn disconnect(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::CONFIGURE_CONNECTOR, move |c| {
        Box::pin(async move {
            reason.note(c)?;
            let (_, connector) = c.edit_in_workspace::<downstream_connectors::Entity>(id, expected_version).await?;
            if connector.status == ConnectorStatus::Disconnected {
                return Err(Error::Precondition("The connector is disconnected already.".into()));
            }
            c.about::<downstream_connectors::Entity>(id);
            c.update(connector, |connector| connector.status = Set(ConnectorStatus::Disconnected)).await?;
            // Locked, for a delivery may succeed just now.
            let waiting = connector_deliveries::Entity::find()
                .filter(connector_deliveries::Column::ConnectorId.eq(id))
                .filter(connector_deliveries::Column::Status.eq(DeliveryStatus::Pending))
                .lock(LockType::NoKeyUpdate);
            for delivery in c.all(waiting).await? {
                c.update(delivery, |delivery| {
                    delivery.status = Set(DeliveryStatus::Failed);
                    delivery.next_attempt_at = Set(None);
                    delivery.last_error = Set(Some("The connector was disconnected.".into()));
                })
                .await?;
            }
            Ok(id)
        })
    })
}

/// Tries a failed delivery again, up to eight times more, under the same identifier; for agents.
pub fn redeliver(delivery_id: Uuid) -> UseCase<Uuid> {
    UseCase::new(&action::REDELIVER, move |c| {
        Box::pin(async move {
            let (_, delivery) = c.in_workspace::<connector_deliveries::Entity>(delivery_id).await?;
            match delivery.status {
                DeliveryStatus::Failed => {}
                DeliveryStatus::Delivered => {
                    return Err(Error::Precondition(
                        "The connector has this delivery already, and a delivery is made once. Publish a new version."
                            .into(),
                    ));
                }
                DeliveryStatus::Pending => {
                    return Err(Error::Precondition("The delivery is still being tried. Wait for its outcome.".into()));
                }
            }
            let connector = c.find::<downstream_connectors::Entity>(delivery.connector_id).await?;
            if connector.status != ConnectorStatus::Ready {
                return Err(Error::Precondition(
                    "The connector is not READY. Enable it with configureConnector first.".into(),
                ));
            }
            c.update(delivery, |delivery| {
                delivery.status = Set(DeliveryStatus::Pending);
                delivery.next_attempt_at = Set(Some(c.now()));
            })
            .await?;
            Ok(delivery_id)
        })
    })
}

/// An address that may be delivered to.
fn address(url: &str, insecure: bool) -> Result<String> {
    check_url(url, insecure).map(String::from).map_err(|problem| Error::invalid("input.url", problem))
}

/// A secret as it is kept.
fn encrypted(c: &Change, secret: &str) -> Result<Vec<u8>> {
    check_secret(secret).map_err(|message| Error::invalid("input.secret", message))?;
    c.encryption().encrypt(secret.as_bytes())
}

/// Refuses a connector that is READY and cannot be delivered to.
fn complete(status: &ConnectorStatus, has_url: bool, has_secret: bool) -> Result<()> {
    if *status != ConnectorStatus::Ready || (has_url && has_secret) {
        return Ok(());
    }
    let (field, what) = if has_url { ("input.secret", "a secret") } else { ("input.url", "an address") };
    Err(Error::invalid(field, format!("A connector that is READY needs {what}. Give one, or set enabled to false.")))
}
