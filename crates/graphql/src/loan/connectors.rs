//! Downstream connectors: where what is published goes, and what became of it.

use aether_application::loan::connectors;
use aether_entity::{self as entity, sea_orm_active_enums::ConnectorType};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use uuid::Uuid;

use crate::{
    Limits,
    input::{Choice, Plain, plain, why},
    rows::Row,
    run::run,
};

/// A connector to add.
#[derive(InputObject)]
struct ConnectorInput {
    /// Name of the connector, such as Northgate loan servicing.
    name: String,
    /// The downstream system behind it.
    r#type: Choice<ConnectorType>,
    /// The address that deliveries are sent to: absolute, https.
    url: Option<String>,
    /// The secret that signs deliveries as Standard Webhooks say: `whsec_` and 24 to 64 bytes in base64, or any other text of 16 to 200
    /// characters, which is the key itself. It can never be read again.
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
    /// The secret that signs deliveries as Standard Webhooks say: `whsec_` and 24 to 64 bytes in base64, or any other text of 16 to 200
    /// characters, which is the key itself. It can never be read again. Null removes it.
    #[graphql(secret)]
    secret: MaybeUndefined<String>,
    /// Whether the connector receives what is published: true makes it READY, which needs address and secret; false puts it
    /// IN_REVIEW, and what it has not got yet waits.
    enabled: Option<bool>,
}

plain!(ConnectorInput as connectors::NewConnector { name, url, secret, enabled, r#type });

plain!(ConnectorPatch as connectors::ConnectorEdit { name, url, secret, enabled });

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
    ) -> Result<Row<entity::downstream_connectors::Entity>> {
        let id = run(ctx, connectors::add(workspace_id, input.plain(), insecure(ctx))).await?;
        Ok(Row::new(id))
    }

    /// Sets a connector's address and secret, and whether it receives what is published; for agents who administer the
    /// workspace. What still waits for delivery goes to the new address, signed with the new secret.
    async fn configure_connector(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The connector.")] id: Uuid,
        #[graphql(desc = "The version of the connector that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: ConnectorPatch,
    ) -> Result<Row<entity::downstream_connectors::Entity>> {
        let id = run(ctx, connectors::configure(id, expected_version, input.plain(), insecure(ctx))).await?;
        Ok(Row::new(id))
    }

    /// Disconnects a connector: it receives nothing any more, and what still waited for it is given up; for agents who
    /// administer the workspace.
    async fn disconnect_connector(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The connector.")] id: Uuid,
        #[graphql(desc = "The version of the connector that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it is disconnected.")] reason: Option<String>,
    ) -> Result<Row<entity::downstream_connectors::Entity>> {
        let id = run(ctx, connectors::disconnect(id, expected_version, why(reason, None))).await?;
        Ok(Row::new(id))
    }

    /// Tries a failed delivery again, up to eight times more, under the same identifier; for agents. The connector must be
    /// READY.
    async fn redeliver(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The delivery.")] delivery_id: Uuid,
    ) -> Result<Row<entity::connector_deliveries::Entity>> {
        let id = run(ctx, connectors::redeliver(delivery_id)).await?;
        Ok(Row::new(id))
    }
}

/// Whether connectors on other machines may be delivered to without encryption.
fn insecure(ctx: &Context<'_>) -> bool {
    ctx.data_unchecked::<Limits>().allow_insecure_connectors
}
