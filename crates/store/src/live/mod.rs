//! Live updates: what was committed, told once and in order to those who may see it.
//!
//! - [`feed`]: what can be subscribed to, declared once as data
//! - `tail`: reads the outbox in the order of its sequence, up to where nothing is outstanding
//! - [`source`]: where a hub has the events from: the outbox itself, or whatever else gives the same
//! - `standing`: who a subscriber is at this moment
//! - [`watch`]: what a subscription asks for, and the messages that answer it
//! - [`hub`]: the subscribers of one gateway, whom `state` finds; `round` tells them, `replay` brings one of them up to date
//! - [`line`]: what the messages of a connection come over

mod cursor;
mod event;
pub mod feed;
pub mod hub;
pub mod plan;
pub mod queue;
mod replay;
mod round;
pub mod source;
mod state;
mod subscriber;
mod tail;

pub use self::{
    cursor::Cursor,
    event::Event,
    hub::{Hub, Subscription},
    plan::{Message, SubscriptionPlan},
    queue::{ConnectionQueue, Delivery},
    source::{Outbox, Source},
};
