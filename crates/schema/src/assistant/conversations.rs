//! Conversations with the assistant, each its user's own.

use aether_entity::{
    ai_conversations, ai_messages,
    sea_orm_active_enums::{ConversationStatus, MessageRole},
};
use aether_store::{Error, write::action};
use async_graphql::{Context, Object, Result};
use sea_orm::Set;
use uuid::Uuid;

use crate::{
    change::change,
    graph::Row,
    input::{optional_text, text},
};

/// How many characters a message may have.
const MOST_CHARACTERS: usize = 32_000;

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
    ) -> Result<Row<ai_conversations::Entity>> {
        change(ctx, &action::START_CONVERSATION, |c| async move {
            let conversation = ai_conversations::ActiveModel {
                organization_id: Set(c.actor().organization_id),
                user_id: Set(c.actor().user_id),
                title: Set(optional_text("title", title, 500)?),
                ..Default::default()
            };
            Ok(Row::new(c.insert(conversation).await?.id))
        })
        .await
    }

    /// Posts a message to a conversation of yours that is not archived. The audit trail tells that you did, not what you wrote.
    async fn post_message(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The conversation.")] conversation_id: Uuid,
        #[graphql(desc = "What you say, at most 32,000 characters.")] content: String,
    ) -> Result<Row<ai_messages::Entity>> {
        change(ctx, &action::POST_MESSAGE, |c| async move {
            let content = text("content", &content, MOST_CHARACTERS)?;
            let conversation = c.find::<ai_conversations::Entity>(conversation_id).await?;
            if conversation.status == ConversationStatus::Archived {
                return Err(Error::Precondition("The conversation is archived. Start another one.".into()));
            }
            let message = ai_messages::ActiveModel {
                conversation_id: Set(conversation.id),
                role: Set(MessageRole::User),
                content: Set(content),
                ..Default::default()
            };
            Ok(Row::new(c.insert(message).await?.id))
        })
        .await
    }

    /// Gives a conversation of yours another title.
    async fn rename_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The conversation.")] id: Uuid,
        #[graphql(desc = "The version of the conversation that you saw.")] expected_version: i32,
        #[graphql(desc = "Its new title.")] title: String,
    ) -> Result<Row<ai_conversations::Entity>> {
        change(ctx, &action::RENAME_CONVERSATION, |c| async move {
            let title = text("title", &title, 500)?;
            let conversation = c.edit::<ai_conversations::Entity>(id, expected_version).await?;
            c.update(conversation, |conversation| conversation.title = Set(Some(title))).await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Archives a conversation of yours: from now on it can only be read.
    async fn archive_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The conversation.")] id: Uuid,
        #[graphql(desc = "The version of the conversation that you saw.")] expected_version: i32,
    ) -> Result<Row<ai_conversations::Entity>> {
        change(ctx, &action::ARCHIVE_CONVERSATION, |c| async move {
            let conversation = c.edit::<ai_conversations::Entity>(id, expected_version).await?;
            if conversation.status == ConversationStatus::Archived {
                return Err(Error::Precondition("The conversation is archived already.".into()));
            }
            let now = c.now();
            c.update(conversation, |conversation| {
                conversation.status = Set(ConversationStatus::Archived);
                conversation.archived_at = Set(Some(now));
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }
}
