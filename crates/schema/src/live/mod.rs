//! Subscriptions: the fields are read off the store's feeds; a subscription becomes one watch, which the store's hub answers
//! for all who ask the same. Nothing of the request is kept: what stays of a subscription for as long as it lasts is the
//! hub's.

mod types;
mod watch;

use std::{borrow::Cow, pin::Pin, sync::Arc};

use aether_store::{
    Error, Store,
    live::{Cursor, Hub, Line, Subscription, Watch},
    read::Reader,
};
use async_graphql::{Context, Object, SubscriptionType, registry::Registry};
use futures::Stream;

use crate::{Asker, Identity, Prepared, Response, Schema, compiled, error, error::Failure, plan::Planner};

/// What can be subscribed to.
#[derive(Default)]
pub(crate) struct Live;

struct Wish {
    watch: Watch,
    after: Option<Cursor>,
}

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
        ctx.data_unchecked::<Arc<Reader>>().actor().await.map_err(Failure)?;
        Ok(Hub::cursor(ctx.data_unchecked::<Store>()).await.map_err(Failure)?.encode())
    }
}

impl Schema {
    /// Begins a subscription, whose messages come out of the line under this tag. `resume` takes the place of its argument
    /// `after`.
    pub async fn subscribe(
        &self,
        prepared: &Prepared,
        asker: Asker,
        hub: &Arc<Hub>,
        line: &Arc<Line>,
        tag: Arc<str>,
        resume: Option<Cursor>,
    ) -> Result<Subscription, Response> {
        let failed = |error| Response::refused(vec![error::nowhere(error)]);
        // What fits no schema is told to anybody, as it is of queries; then who asks, and only then what is asked for.
        let wish = {
            let bound = self.bind(prepared)?;
            let planner = Planner::new(&bound, &self.0.limits);
            let selected = bound.collect(&[bound.root()], "Subscription");
            let selected = selected.map_err(|problem| Response::refused(vec![compiled::error(problem)]))?;
            match selected.first() {
                Some(selected) => watch::wish(&bound, &planner, selected),
                None => Err(Error::invalid("", "This asks for nothing.")),
            }
        };
        let session = match asker.identity {
            Identity::Session(session) => session,
            Identity::Refused(error) => return Err(failed(error)),
            Identity::Nobody => {
                return Err(failed(Error::Unauthenticated(
                    "Sign in with the login mutation and send its accessToken: in the payload of connection_init as \
                     `{\"authorization\": \"Bearer …\"}`, or in the header `Authorization: Bearer …`."
                        .into(),
                )));
            }
        };
        let wish = wish.map_err(failed)?;
        hub.subscribe(wish.watch, session, resume.or(wish.after), line, tag).await.map_err(failed)
    }

    /// An error as clients see it: the errors of a GraphQL response.
    pub fn errors(error: Error) -> Response {
        Response::refused(vec![error::nowhere(error)])
    }
}
