//! The assistant's domain: conversations, models, and what the assistant did on its own.

mod actions;
mod conversations;
mod models;

use async_graphql::MergedObject;

/// Conversing with the assistant, and overseeing it.
#[derive(MergedObject, Default)]
pub(crate) struct AssistantMutation(
    conversations::ConversationMutation,
    models::ModelMutation,
    actions::AiActionMutation,
);
