//! The root of subscriptions, and what is queried for their sake.

use std::{borrow::Cow, pin::Pin};

use aether_store::{Store, live::Hub};
use async_graphql::{Context, Object, SubscriptionType, registry::Registry};
use futures::Stream;

use super::types;
use crate::{error::Failure, run::reader};

/// What can be subscribed to.
#[derive(Default)]
pub(crate) struct Live;

impl SubscriptionType for Live {
    fn type_name() -> Cow<'static, str> {
        "Subscription".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        types::register(registry);
        Self::qualified_type_name()
    }

    /// None: the hub answers subscriptions.
    fn create_field_stream<'a>(
        &'a self,
        _: &'a Context<'_>,
    ) -> Option<Pin<Box<dyn Stream<Item = async_graphql::Response> + Send + 'a>>> {
        None
    }
}

/// What is queried for the sake of subscriptions.
#[derive(Default)]
pub(crate) struct LiveQuery;

#[Object]
impl LiveQuery {
    /// Where the stream of events is now. Take it, then read what you show, then subscribe with it as `after`: what changes in
    /// between is told, and nothing is missed.
    async fn event_cursor(&self, ctx: &Context<'_>) -> async_graphql::Result<String> {
        reader(ctx).actor().await.map_err(Failure)?;
        Ok(Hub::cursor(ctx.data_unchecked::<Store>()).await.map_err(Failure)?.encode())
    }
}
