//! Subscriptions: the fields are read off the store's feeds; a subscription becomes one watch, which the store's hub answers
//! for all who ask the same.
//!
//! async-graphql parses, validates and dispatches a subscription as it does a query. Its root field then leaves what is asked
//! for in a slot and ends its stream at once, so that nothing of the request is kept: what stays of a subscription for as
//! long as it lasts is the hub's.

mod types;
mod watch;

use std::{borrow::Cow, pin::Pin, sync::Arc};

use aether_store::{
    Error, Result, Store,
    live::{Cursor, Hub, Line, Subscription, Watch},
    read::Reader,
};
use async_graphql::{
    Context, Object, Request, Response, SubscriptionType, parser::types::OperationType, registry::Registry,
};
use futures::{Stream, StreamExt, stream};
use parking_lot::Mutex;

use crate::{Asker, Identity, Schema, change, error, error::Failure, plan};

/// What can be subscribed to.
#[derive(Default)]
pub(crate) struct Live;

/// What a subscription asks for, left by its root field.
#[derive(Default)]
struct Slot(Mutex<Option<Result<Wish>>>);

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

    fn create_field_stream<'a>(
        &'a self,
        ctx: &'a Context<'_>,
    ) -> Option<Pin<Box<dyn Stream<Item = Response> + Send + 'a>>> {
        let wish = watch::wish(ctx)?;
        let mut slot = ctx.data_unchecked::<Arc<Slot>>().0.lock();
        *slot = Some(match *slot {
            None => wish,
            Some(_) => Err(Error::invalid("", "A subscription has one field. Send one subscription for each.")),
        });
        Some(stream::empty().boxed())
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
    /// Whether the operation that the request means is a subscription.
    pub fn is_subscription(request: &mut Request) -> bool {
        let name = request.operation_name.clone();
        let operation = request.parsed_query().ok().and_then(|document| change::operation(document, name.as_deref()));
        operation.is_some_and(|operation| operation.ty == OperationType::Subscription)
    }

    /// Begins a subscription, whose messages come out of the line under this tag. `resume` takes the place of its argument
    /// `after`.
    pub async fn subscribe(
        &self,
        request: Request,
        asker: Asker,
        hub: &Arc<Hub>,
        line: &Arc<Line>,
        tag: Arc<str>,
        resume: Option<Cursor>,
    ) -> std::result::Result<Subscription, Response> {
        let slot = Arc::new(Slot::default());
        let request = request.data(slot.clone()).data(plan::RowCount::default());
        let mut stream = self.0.execute_stream(request);
        let mut errors = Vec::new();
        while let Some(response) = stream.next().await {
            errors.extend(response.errors);
        }
        drop(stream);
        if !errors.is_empty() {
            return Err(Response::from_errors(errors.into_iter().map(error::with_code).collect()));
        }
        let failed = |error| Response::from_errors(vec![error::nowhere(error)]);
        // What fits no schema is told to anybody, as it is of queries.
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
        let wish = slot.0.lock().take();
        let wish = wish.unwrap_or_else(|| Err(Error::invalid("", "This asks for nothing."))).map_err(failed)?;
        hub.subscribe(wish.watch, session, resume.or(wish.after), line, tag).await.map_err(failed)
    }

    /// An error as clients see it: the errors of a GraphQL response.
    pub fn errors(error: Error) -> Response {
        Response::from_errors(vec![error::nowhere(error)])
    }
}
