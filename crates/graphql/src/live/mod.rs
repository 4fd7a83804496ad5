//! Subscriptions: the fields are read off the store's feeds; a subscription becomes one watch, which the store's hub answers
//! for all who ask the same. Nothing of the request is kept: what stays of a subscription for as long as it lasts is the
//! hub's.

mod request;
mod root;
mod subscribe;
mod types;

pub(crate) use self::root::{Live, LiveQuery};
