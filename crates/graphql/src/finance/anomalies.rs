//! Anomalies: who works on them, how they are settled, and which belong together.

use aether_application::finance::anomalies;
use aether_entity as entity;
use async_graphql::{Context, Object, Result};
use uuid::Uuid;

use crate::{rows::Row, run::run};

/// Anomalies.
#[derive(Default)]
pub(crate) struct AnomalyMutation;

#[Object]
impl AnomalyMutation {
    /// Assigns an anomaly to somebody who may work on anomalies, or takes it back.
    async fn assign_anomaly(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The anomaly.")] id: Uuid,
        #[graphql(desc = "The version of the anomaly that you saw.")] expected_version: i32,
        #[graphql(desc = "User who is to work on it; null for nobody.")] user_id: Option<Uuid>,
    ) -> Result<Row<entity::anomalies::Entity>> {
        let id = run(ctx, anomalies::assign(id, expected_version, user_id)).await?;
        Ok(Row::new(id))
    }

    /// Starts to investigate an open anomaly. If nobody is assigned, you are.
    async fn start_investigation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The anomaly.")] id: Uuid,
        #[graphql(desc = "The version of the anomaly that you saw.")] expected_version: i32,
    ) -> Result<Row<entity::anomalies::Entity>> {
        let id = run(ctx, anomalies::start_investigation(id, expected_version)).await?;
        Ok(Row::new(id))
    }

    /// Resolves an anomaly: its cause was found and dealt with. It never changes again, but for its links.
    async fn resolve_anomaly(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The anomaly.")] id: Uuid,
        #[graphql(desc = "The version of the anomaly that you saw.")] expected_version: i32,
        #[graphql(desc = "How it was resolved.")] notes: String,
    ) -> Result<Row<entity::anomalies::Entity>> {
        run(ctx, anomalies::resolve(id, expected_version, notes)).await?;
        Ok(Row::new(id))
    }

    /// Dismisses an anomaly: it does not matter, or is none. It never changes again, but for its links.
    async fn dismiss_anomaly(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The anomaly.")] id: Uuid,
        #[graphql(desc = "The version of the anomaly that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it is dismissed.")] notes: String,
    ) -> Result<Row<entity::anomalies::Entity>> {
        run(ctx, anomalies::dismiss(id, expected_version, notes)).await?;
        Ok(Row::new(id))
    }

    /// Links anomalies that belong together, each with each; settled ones too, since what recurs is best read beside what
    /// came of it before. Links that are there stay.
    async fn link_anomalies(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Two anomalies or more, at most 50.")] ids: Vec<Uuid>,
    ) -> Result<Vec<Row<entity::anomalies::Entity>>> {
        let ids = run(ctx, anomalies::link(ids)).await?;
        Ok(ids.into_iter().map(Row::new).collect())
    }

    /// Takes away the links between anomalies, each with each. Links to others stay.
    async fn unlink_anomalies(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Two anomalies or more, at most 50.")] ids: Vec<Uuid>,
    ) -> Result<Vec<Row<entity::anomalies::Entity>>> {
        let ids = run(ctx, anomalies::unlink(ids)).await?;
        Ok(ids.into_iter().map(Row::new).collect())
    }
}
