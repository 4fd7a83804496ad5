//! The operations of one live connection, whatever it speaks.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use aether_graphql::{Identity, OperationType, Prepared, Request, Response, Schema, error::code};
use aether_store::{
    identity::{Client, token::Access},
    live::{ConnectionQueue, Cursor, Delivery, Message, Subscription},
};
use futures::{
    FutureExt, StreamExt,
    future::{AbortHandle, Abortable, Aborted, BoxFuture},
    stream::FuturesUnordered,
};
use tokio::{sync::mpsc, time::Sleep};
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::http::{App, execute, note_name, prepare, refusal, refused_too_often, span, with_request_id};

/// How many operations a connection has at once.
pub(super) const MOST: usize = 200;

/// What names an operation on its connection.
pub(super) type Tag = Arc<str>;

/// The operations of one connection.
pub(super) struct Operations {
    app: Arc<App>,
    access: Option<Access>,
    client: Client,
    queue: Arc<ConnectionQueue>,
    deliveries: mpsc::Receiver<Delivery>,
    open: HashMap<Tag, Open>,
    running: FuturesUnordered<BoxFuture<'static, Result<(Tag, Done), Aborted>>>,
    /// When the token is no longer good.
    expiry: Option<Pin<Box<Sleep>>>,
}

/// An operation that is open.
struct Open {
    /// Stops what is on its way.
    stop: AbortHandle,
    /// The request by which it came; what fails later is that of the same.
    request_id: Uuid,
    span: Span,
    /// What it has subscribed to, until it is dropped.
    _subscription: Option<Subscription>,
}

/// What is asked for.
pub(super) enum Asked {
    /// A request as it came.
    Request(Box<Request>),
    /// One whose document has been looked at, or that is refused.
    Prepared(Box<Result<Prepared, Response>>),
}

enum Done {
    Answered(Response),
    Subscribed(Subscription),
    Refused(Response),
}

/// What has happened to a connection.
pub(super) enum ConnectionEvent {
    /// A subscription has a message.
    Next(Tag, Message),
    /// A query or mutation is answered, and ended by that.
    Answered(Tag, Response),
    /// An operation has failed, and ended by that.
    Failed(Tag, Response),
    /// The connection takes messages more slowly than they come: it is to be closed, and may come back.
    TooSlow,
    /// The token is no longer good.
    Expired,
}

impl Operations {
    pub(super) fn new(app: Arc<App>, client: Client) -> Self {
        let (queue, deliveries) = ConnectionQueue::new();
        Self {
            app,
            access: None,
            client,
            queue,
            deliveries,
            open: HashMap::new(),
            running: FuturesUnordered::new(),
            expiry: None,
        }
    }

    pub(super) fn app(&self) -> &App {
        &self.app
    }

    /// Has what is begun from now on, and what is open, go by this token. One of another session does not take the place of
    /// the first.
    pub(super) fn authorize(&mut self, access: Access) -> bool {
        if self.access.is_some_and(|known| known.session != access.session) {
            return false;
        }
        self.access = Some(access);
        self.expiry = Some(Box::pin(tokio::time::sleep(access.left())));
        true
    }

    /// How long the token is still good, if there is one.
    pub(super) fn left(&self) -> Option<Duration> {
        self.access.map(|access| access.left())
    }

    /// Whether there is an operation of this name.
    pub(super) fn has(&self, tag: &str) -> bool {
        self.open.contains_key(tag)
    }

    /// Whether there is nothing left to do.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Begins an operation, or tells that it was refused.
    pub(super) fn begin(&mut self, tag: Tag, asked: Asked, resume: Option<Cursor>) {
        let client = Client { request_id: Uuid::now_v7(), ..self.client.clone() };
        let identity = self.access.map_or(Identity::Nobody, |access| Identity::Session(access.session));
        let asked = match self.open.len() >= MOST {
            false => asked,
            true => {
                let why = format!("A connection has at most {MOST} operations at once. Open another connection.");
                Asked::Prepared(Box::new(Err(refusal(code::PRECONDITION_FAILED, &why))))
            }
        };
        let is_signed_in = self.access.is_some();
        let (stop, stopped) = AbortHandle::new_pair();
        let request_id = client.request_id;
        let span = span(request_id, self.access.map(|access| access.user));
        self.open.insert(tag.clone(), Open { stop, request_id, span: span.clone(), _subscription: None });
        let (app, queue) = (self.app.clone(), self.queue.clone());
        let (address, user) = (client.address, self.access.map(|access| access.user));
        // What came as a request of its own has been counted as one.
        let counted = matches!(asked, Asked::Request(_));
        let work = async move {
            let began = Instant::now();
            let prepared = match asked {
                Asked::Prepared(prepared) => *prepared,
                Asked::Request(request) => match app.rates.ask(address, user) {
                    Ok(()) => prepare(&app, Request { is_signed_in, ..*request }).await,
                    Err(seconds) => Err(refused_too_often(seconds)),
                },
            };
            let done = match prepared {
                Err(refused) => Done::Refused(with_request_id(refused, request_id)),
                Ok(prepared) if prepared.kind() != OperationType::Subscription => {
                    let answered = execute(&app, prepared, identity, client, None).await;
                    if counted {
                        app.rates.charge(address, user, began.elapsed());
                    }
                    Done::Answered(answered)
                }
                Ok(prepared) => {
                    note_name(&prepared);
                    let asker = app.asker(identity, client, None);
                    let _turn = app.live.beginning.acquire().await;
                    match app.schema.subscribe(&prepared, asker, &app.hub, &queue, tag.clone(), resume).await {
                        Ok(subscription) => Done::Subscribed(subscription),
                        Err(response) => Done::Refused(with_request_id(response, request_id)),
                    }
                }
            };
            (tag, done)
        };
        self.running.push(Abortable::new(work.instrument(span), stopped).boxed());
    }

    /// Ends an operation: what it still had to say is not said, and what it does is stopped as when the client goes away.
    pub(super) fn end(&mut self, tag: &str) {
        if let Some(open) = self.open.remove(tag) {
            open.stop.abort();
        }
    }

    /// Whether this is the operation that is open under its name, and not one that was.
    fn is_open(&self, tag: &Tag) -> bool {
        self.open.get_key_value(tag).is_some_and(|(known, _)| Arc::ptr_eq(known, tag))
    }

    /// Waits for what happens next.
    pub(super) async fn next(&mut self) -> ConnectionEvent {
        loop {
            let expired = async {
                match &mut self.expiry {
                    Some(expiry) => expiry.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = expired => {
                    self.expiry = None;
                    return ConnectionEvent::Expired;
                }
                () = self.queue.overflow() => return ConnectionEvent::TooSlow,
                Some(delivery) = self.deliveries.recv() => match delivery {
                    Delivery::Next(tag, message) if self.is_open(&tag) => return ConnectionEvent::Next(tag, message),
                    Delivery::Failed(tag, error) if self.is_open(&tag) => {
                        let Some(open) = self.open.remove(&tag) else { continue };
                        let response = open.span.in_scope(|| Schema::errors(error));
                        return ConnectionEvent::Failed(tag, with_request_id(response, open.request_id));
                    }
                    Delivery::Next(..) | Delivery::Failed(..) => {}
                },
                Some(done) = self.running.next(), if !self.running.is_empty() => {
                    let Ok((tag, done)) = done else { continue };
                    if !self.is_open(&tag) {
                        continue;
                    }
                    match done {
                        Done::Subscribed(subscription) => {
                            if let Some(open) = self.open.get_mut(&tag) {
                                open._subscription = Some(subscription);
                            }
                        }
                        Done::Answered(response) if response.was_executed() => {
                            self.open.remove(&tag);
                            return ConnectionEvent::Answered(tag, response);
                        }
                        Done::Answered(response) | Done::Refused(response) => {
                            self.open.remove(&tag);
                            return ConnectionEvent::Failed(tag, response);
                        }
                    }
                }
            }
        }
    }

    /// What the connection's messages come over.
    pub(super) fn queue(&self) -> Arc<ConnectionQueue> {
        self.queue.clone()
    }
}
