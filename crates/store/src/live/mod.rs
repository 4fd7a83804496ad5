//! Live updates: what was committed, told once and in order to those who may see it.
//!
//! - [`feed`]: what can be subscribed to, declared once as data
//! - `tail`: reads the outbox in the order of its sequence, up to where nothing is outstanding
//! - `standing`: who a subscriber is at this moment
//! - [`watch`]: what a subscription asks for, and the messages that answer it
//! - [`hub`]: the subscribers of one gateway; `replay` brings one of them up to date

mod cursor;
mod event;
pub mod feed;
pub mod hub;
mod replay;
mod standing;
mod tail;
pub mod watch;

pub use self::{
    cursor::Cursor,
    hub::{Delivery, Hub, Line, Subscription},
    watch::{Message, Watch},
};
