//! Conversations with the assistant, each its user's own.

use aether_entity::{
    ai_conversations, ai_messages,
    sea_orm_active_enums::{ConversationStatus, MessageRole},
};
use aether_store::{
    Error,
    write::{UseCase, action},
};
use sea_orm::Set;
use uuid::Uuid;

use crate::check::{optional_text, text};

/// How many characters a message may have.
const MOST_CHARACTERS: usize = 32_000;

/// Starts a conversation with the assistant, which nobody but you reads.
pub fn start(title: Option<String>) -> UseCase<Uuid> {
    UseCase::new(&action::START_CONVERSATION, move |c| {
        Box::pin(async move {
            let conversation = ai_conversations::ActiveModel {
                organization_id: Set(c.actor().organization_id),
                user_id: Set(c.actor().user_id),
                title: Set(optional_text("title", title, 500)?),
                ..Default::default()
            };
            Ok(c.insert(conversation).await?.id)
        })
    })
}

/// Posts a message to a conversation of yours that is not archived.
pub fn post_message(conversation_id: Uuid, content: String) -> UseCase<Uuid> {
    UseCase::new(&action::POST_MESSAGE, move |c| {
        Box::pin(async move {
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
            Ok(c.insert(message).await?.id)
        })
    })
}

/// Gives a conversation of yours another title.
pub fn rename(id: Uuid, expected_version: i32, title: String) -> UseCase<Uuid> {
    UseCase::new(&action::RENAME_CONVERSATION, move |c| {
        Box::pin(async move {
            let title = text("title", &title, 500)?;
            let conversation = c.edit::<ai_conversations::Entity>(id, expected_version).await?;
            c.update(conversation, |conversation| conversation.title = Set(Some(title))).await?;
            Ok(id)
        })
    })
}

/// Archives a conversation of yours: from now on it can only be read.
pub fn archive(id: Uuid, expected_version: i32) -> UseCase<Uuid> {
    UseCase::new(&action::ARCHIVE_CONVERSATION, move |c| {
        Box::pin(async move {
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
            Ok(id)
        })
    })
}
