//! Conversations with the assistant, each its user's own.

use aether_application::assistant::conversations;
use aether_entity as entity;
use async_graphql::{Context, Object, Result};
use uuid::Uuid;

use crate::{rows::Row, run::run};

/// Conversing with the assistant.
#[derive(Default)]
pub(crate) struct ConversationMutation;

#[Object]
impl ConversationMutation {
    /// Starts a conversation with the assistant, which nobody but you reads.
    async fn start_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its title.")] title: Option<String>,
    ) -> Result<Row<entity::ai_conversations::Entity>> {
        let id = run(ctx, conversations::start(title)).await?;
        Ok(Row::new(id))
    }

    /// Posts a message to a conversation of yours that is not archived. The audit trail tells that you did, not what you wrote.
    async fn post_message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The conversation.")] conversation_id: Uuid,
        #[graphql(desc = "What you say, at most 32,000 characters.")] content: String,
    ) -> Result<Row<entity::ai_messages::Entity>> {
        let id = run(ctx, conversations::post_message(conversation_id, content)).await?;
        Ok(Row::new(id))
    }

    /// Gives a conversation of yours another title.
    async fn rename_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The conversation.")] id: Uuid,
        #[graphql(desc = "The version of the conversation that you saw.")] expected_version: i32,
        #[graphql(desc = "Its new title.")] title: String,
    ) -> Result<Row<entity::ai_conversations::Entity>> {
        let id = run(ctx, conversations::rename(id, expected_version, title)).await?;
        Ok(Row::new(id))
    }

    /// Archives a conversation of yours: from now on it can only be read.
    async fn archive_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The conversation.")] id: Uuid,
        #[graphql(desc = "The version of the conversation that you saw.")] expected_version: i32,
    ) -> Result<Row<entity::ai_conversations::Entity>> {
        let id = run(ctx, conversations::archive(id, expected_version)).await?;
        Ok(Row::new(id))
    }
}
