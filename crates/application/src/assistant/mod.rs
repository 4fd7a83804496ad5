//! The assistant: conversations, models, and what they did.

pub mod actions;
pub mod conversations;
pub mod models;
