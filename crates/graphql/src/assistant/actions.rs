//! What the assistant did on its own, as people review and override it.

use aether_application::assistant::actions;
use aether_entity::{self as entity, sea_orm_active_enums::ReviewOutcome};
use async_graphql::{Context, Object, Result};
use uuid::Uuid;

use crate::{
    input::{Choice, Plain, why},
    rows::Row,
    run::run,
};

/// Overseeing the assistant's actions.
#[derive(Default)]
pub(crate) struct AiActionMutation;

#[Object]
impl AiActionMutation {
    /// Reviews an action of the assistant, once. A rejected action has the status REJECTED.
    async fn review_ai_action(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The action.")] id: Uuid,
        #[graphql(desc = "The version of the action that you saw.")] expected_version: i32,
        #[graphql(desc = "What you decide.")] outcome: Choice<ReviewOutcome>,
        #[graphql(desc = "What you remark; needed unless you approve the action as it is.")] feedback: Option<String>,
    ) -> Result<Row<entity::ai_actions::Entity>> {
        let id = run(ctx, actions::review(id, expected_version, outcome.plain(), feedback)).await?;
        Ok(Row::new(id))
    }

    /// Overrides an action of the assistant, once, with a reason: a person has decided otherwise. An action that failed or was
    /// rejected did nothing, so there is nothing to override.
    async fn override_ai_action(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The action.")] id: Uuid,
        #[graphql(desc = "The version of the action that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it is overridden.")] reason: String,
    ) -> Result<Row<entity::ai_actions::Entity>> {
        let id = run(ctx, actions::override_action(id, expected_version, why(Some(reason), None))).await?;
        Ok(Row::new(id))
    }
}
