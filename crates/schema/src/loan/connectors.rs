//! Downstream connectors: where what is published goes, and what became of it.

use aether_domain::connector::check_url;
use aether_entity::{
    connector_deliveries, downstream_connectors,
    sea_orm_active_enums::{ConnectorStatus, ConnectorType, DeliveryStatus},
};
use aether_store::{Error, write::Change, write::action};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::LockType};
use uuid::Uuid;

use crate::{
    Limits,
    change::change,
    graph::Row,
    input::{Choice, optional_text, set, text},
};

/// The shortest and the longest secret, in characters.
const SECRET: std::ops::RangeInclusive<usize> = 16..=200;

/// A connector to add.
#[derive(InputObject)]
struct ConnectorInput {
    /// Name of the connector, such as Northgate loan servicing.
    name: String,
    /// The downstream system behind it.
    r#type: Choice<ConnectorType>,
    /// The address that deliveries are sent to: absolute, https.
    url: Option<String>,
    /// The secret that signs deliveries, 16 to 200 characters; it can never be read again.
    #[graphql(secret)]
    secret: Option<String>,
    /// Whether it receives from now on what is published; this needs address and secret.
    #[graphql(default)]
    enabled: bool,
}

/// What changes in a connector: what is left out stays as it is.
#[derive(InputObject)]
struct ConnectorPatch {
    /// Name of the connector.
    name: Option<String>,
    /// The address that deliveries are sent to: absolute, https; null removes it.
    url: MaybeUndefined<String>,
    /// The secret that signs deliveries, 16 to 200 characters; it can never be read again. Null removes it.
    #[graphql(secret)]
    secret: MaybeUndefined<String>,
    /// Whether the connector receives what is published: true makes it READY, which needs address and secret; false puts it
    /// IN_REVIEW, and what it has not got yet waits.
    enabled: Option<bool>,
}

/// Setting up connectors, and sending again.
#[derive(Default)]
pub(crate) struct ConnectorMutation;

#[Object]
impl ConnectorMutation {
    /// Adds a connector to a workspace; for agents who administer it.
    async fn add_connector(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace.")] workspace_id: Uuid,
        #[graphql(desc = "The connector.")] input: ConnectorInput,
    ) -> Result<Row<downstream_connectors::Entity>> {
        let insecure = ctx.data_unchecked::<Limits>().allow_insecure_connectors;
        change(ctx, &action::CONFIGURE_CONNECTOR, |c| async move {
            c.workspace(workspace_id).await?;
            let url = input.url.map(|url| address(&url, insecure)).transpose()?;
            let secret = input.secret.map(|secret| sealed(&c, &secret)).transpose()?;
            let status = match input.enabled {
                true => ConnectorStatus::Ready,
                false => ConnectorStatus::InReview,
            };
            complete(&status, url.is_some(), secret.is_some())?;
            let connector = c
                .insert(downstream_connectors::ActiveModel {
                    workspace_id: Set(workspace_id),
                    name: Set(text("input.name", &input.name, 255)?),
                    r#type: Set(input.r#type.0),
                    status: Set(status),
                    url: Set(url),
                    sealed_secret: Set(secret),
                    ..Default::default()
                })
                .await?;
            Ok(Row::new(connector.id))
        })
        .await
    }

    /// Sets a connector's address and secret, and whether it receives what is published; for agents who administer the
    /// workspace. What still waits for delivery goes to the new address, signed with the new secret.
    async fn configure_connector(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The connector.")] id: Uuid,
        #[graphql(desc = "The version of the connector that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: ConnectorPatch,
    ) -> Result<Row<downstream_connectors::Entity>> {
        let insecure = ctx.data_unchecked::<Limits>().allow_insecure_connectors;
        change(ctx, &action::CONFIGURE_CONNECTOR, |c| async move {
            let (_, connector) = c.edit_in_workspace::<downstream_connectors::Entity>(id, expected_version).await?;
            let name = input.name.map(|name| text("input.name", &name, 255)).transpose()?;
            let url = match input.url {
                MaybeUndefined::Undefined => connector.url.clone(),
                MaybeUndefined::Null => None,
                MaybeUndefined::Value(url) => Some(address(&url, insecure)?),
            };
            let secret = match input.secret {
                MaybeUndefined::Undefined => connector.sealed_secret.clone(),
                MaybeUndefined::Null => None,
                MaybeUndefined::Value(secret) => Some(sealed(&c, &secret)?),
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
                connector.sealed_secret = Set(secret);
                connector.status = Set(status);
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Disconnects a connector: it receives nothing any more, and what still waited for it is given up; for agents who
    /// administer the workspace.
    async fn disconnect_connector(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The connector.")] id: Uuid,
        #[graphql(desc = "The version of the connector that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it is disconnected.")] reason: Option<String>,
    ) -> Result<Row<downstream_connectors::Entity>> {
        change(ctx, &action::CONFIGURE_CONNECTOR, |c| async move {
            c.reason(optional_text("reason", reason, 2_000)?.as_deref(), None);
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
            Ok(Row::new(id))
        })
        .await
    }

    /// Tries a failed delivery again, up to eight times more, under the same identifier; for agents. The connector must be
    /// READY.
    async fn redeliver(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The delivery.")] delivery_id: Uuid,
    ) -> Result<Row<connector_deliveries::Entity>> {
        change(ctx, &action::REDELIVER, |c| async move {
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
            Ok(Row::new(delivery_id))
        })
        .await
    }
}

/// An address that may be delivered to.
fn address(url: &str, insecure: bool) -> aether_store::Result<String> {
    check_url(url, insecure).map(String::from).map_err(|problem| Error::invalid("input.url", problem))
}

/// A secret as it is kept.
fn sealed(c: &Change, secret: &str) -> aether_store::Result<Vec<u8>> {
    if !SECRET.contains(&secret.chars().count()) {
        let message = "A secret has 16 to 200 characters. Make one with `openssl rand -hex 32`.";
        return Err(Error::invalid("input.secret", message));
    }
    c.sealer().seal(secret.as_bytes())
}

/// Refuses a connector that is READY and cannot be delivered to.
fn complete(status: &ConnectorStatus, has_url: bool, has_secret: bool) -> aether_store::Result<()> {
    if *status != ConnectorStatus::Ready || (has_url && has_secret) {
        return Ok(());
    }
    let (field, what) = if has_url { ("input.secret", "a secret") } else { ("input.url", "an address") };
    Err(Error::invalid(field, format!("A connector that is READY needs {what}. Give one, or set enabled to false.")))
}
