//! GraphQL over server-sent events.
//!
//! In distinct connections, each operation is a request of its own, answered by a stream. In a single connection, the client
//! reserves a stream (`PUT`), opens it (`GET`), and sends operations beside it (`POST`, each with an `operationId`), which it
//! ends again (`DELETE`). A reservation is of one gateway: what goes through a load balancer must go to that one again.

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use aether_graphql::{Identity, OperationType, Request};
use aether_store::{
    identity::{Client, token::Access},
    live::Cursor,
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{
        ConnectInfo, Query, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, stream};
use parking_lot::{Mutex, MutexGuard};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};
use uuid::Uuid;

use super::{
    LAST_EVENT_ID, STREAM_TOKEN,
    operations::{Asked as Operation, ConnectionEvent, Operations, Tag},
};
use crate::http::{App, Refused, client, identity, only_by_post, prepare, read, text};

/// How long a reserved stream waits to be opened.
const RESERVED_FOR: Duration = Duration::from_secs(30);
/// How many streams are reserved at once; each can be had by whoever can reach the gateway.
const MOST_RESERVED: usize = 10_000;
/// How many operations wait for their stream.
const WAITING: usize = 64;
/// The one operation of a distinct connection.
const ONLY: &str = "";

/// The streams that single connections have reserved, by token.
#[derive(Default)]
pub(super) struct Reserved(Mutex<HashMap<String, Reservation>>);

struct Reservation {
    session: Uuid,
    commands: mpsc::Sender<Command>,
    names: Names,
    /// What its stream takes the commands from, until it is opened.
    unopened: Option<(mpsc::Receiver<Command>, Instant)>,
}

/// The names of a single connection's operations, each from when it was sent until it has ended.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<HashSet<Tag>>>);

impl Names {
    fn all(&self) -> MutexGuard<'_, HashSet<Tag>> {
        self.0.lock()
    }
}

enum Command {
    Begin(Tag, Box<Request>, Access),
    End(String),
}

impl Reserved {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Reservation>> {
        self.0.lock()
    }
}

/// How an operation is named in a request's query.
#[derive(Deserialize)]
pub(super) struct Parameters {
    token: Option<String>,
    #[serde(rename = "operationId")]
    operation_id: Option<String>,
    query: Option<String>,
    variables: Option<String>,
    #[serde(rename = "operationName")]
    operation_name: Option<String>,
}

/// The query of a request, as far as it could be read.
type Asked = Result<Query<Parameters>, QueryRejection>;
type Answer = Result<Response, Refused>;
type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// Reserves a stream: answered with its token.
pub(super) async fn reserve(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    let access = signed_in(&app, &headers)?;
    let mut all = app.live.reserved.all();
    let now = Instant::now();
    all.retain(|_, reservation| match &reservation.unopened {
        Some((_, until)) => *until > now,
        None => !reservation.commands.is_closed(),
    });
    if all.len() >= MOST_RESERVED {
        return Err(refused(StatusCode::SERVICE_UNAVAILABLE, "Too many streams are reserved. Try again soon."));
    }
    let token = Uuid::new_v4().to_string();
    let (commands, waiting) = mpsc::channel(WAITING);
    let unopened = Some((waiting, now + RESERVED_FOR));
    all.insert(token.clone(), Reservation { session: access.session, commands, names: Names::default(), unopened });
    Ok((StatusCode::CREATED, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], token).into_response())
}

/// Opens a stream: the one that was reserved, or that of the operation in the request's query.
pub(super) async fn open(State(app): State<Arc<App>>, peer: Peer, headers: HeaderMap, asked: Asked) -> Answer {
    let parameters = parameters(asked)?;
    let access = allowed(&app, &headers)?;
    let client = client(peer, &headers, Uuid::now_v7());
    let Some(token) = stream_token(&headers, &parameters) else {
        let Some(query) = parameters.query else {
            return Err(refused(StatusCode::BAD_REQUEST, "Send an operation: by POST, or as `query` of the URL."));
        };
        let request = Request::of_parts(query, parameters.operation_name, parameters.variables.as_deref());
        let request = request.map_err(|why| refused(StatusCode::BAD_REQUEST, &why))?;
        let prepared = prepare(&app, Request { is_signed_in: access.is_some(), ..request }).await;
        // What a link or an image can send must change nothing.
        if prepared.as_ref().is_ok_and(|prepared| prepared.kind() == OperationType::Mutation) {
            return Err(only_by_post("Send mutations with POST: a GET must change nothing."));
        }
        return distinct(app, client, access, &headers, Operation::Prepared(Box::new(prepared)));
    };
    let waiting = {
        let mut all = app.live.reserved.all();
        let reservation =
            all.get_mut(&token).filter(|known| access.is_some_and(|access| access.session == known.session));
        reservation.map(|reservation| Some((reservation.unopened.take()?.0, reservation.names.clone())))
    };
    match waiting {
        None => Err(no_stream()),
        Some(None) => Err(refused(StatusCode::CONFLICT, "The stream is open already.")),
        Some(Some((commands, names))) => {
            let mut operations = Operations::new(app.clone(), client);
            if let Some(access) = access {
                operations.authorize(access);
            }
            Ok(answer(&app, EventStream::new(operations, Some((commands, names)))))
        }
    }
}

/// Takes an operation: for a reserved stream, or to answer it with a stream of its own.
pub(super) async fn operate(
    State(app): State<Arc<App>>,
    peer: Peer,
    headers: HeaderMap,
    asked: Asked,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let parameters = parameters(asked)?;
    let access = allowed(&app, &headers)?;
    let (request, _) = read(&headers, body, Uuid::now_v7())?;
    let Some(token) = stream_token(&headers, &parameters) else {
        let client = client(peer, &headers, Uuid::now_v7());
        return distinct(app, client, access, &headers, Operation::Request(Box::new(request)));
    };
    let operation = match request.operation_id.as_deref() {
        Some(id) if !id.is_empty() => Tag::from(id),
        _ => return Err(refused(StatusCode::BAD_REQUEST, "The operation needs `extensions.operationId`.")),
    };
    let access = access.ok_or_else(nobody)?;
    command(&app, &token, access, Command::Begin(operation, Box::new(request), access), StatusCode::ACCEPTED).await
}

/// Ends an operation of a reserved stream.
pub(super) async fn complete(State(app): State<Arc<App>>, headers: HeaderMap, asked: Asked) -> Answer {
    let parameters = parameters(asked)?;
    let access = signed_in(&app, &headers)?;
    let (Some(token), Some(operation)) = (stream_token(&headers, &parameters), parameters.operation_id) else {
        let why = "Send the stream's token and the `operationId` of what is to end.";
        return Err(refused(StatusCode::BAD_REQUEST, why));
    };
    command(&app, &token, access, Command::End(operation), StatusCode::OK).await
}

async fn command(app: &App, token: &str, access: Access, command: Command, done: StatusCode) -> Answer {
    let reserved = {
        let all = app.live.reserved.all();
        let known = all.get(token).filter(|known| known.session == access.session);
        known.map(|known| (known.commands.clone(), known.names.clone()))
    };
    let Some((commands, names)) = reserved else {
        return Err(no_stream());
    };
    let name = match &command {
        Command::Begin(name, ..) => Some(name.clone()),
        Command::End(_) => None,
    };
    if let Some(name) = &name
        && !names.all().insert(name.clone())
    {
        let why = "There is an operation of this name already: choose another `operationId`.";
        return Err(refused(StatusCode::CONFLICT, why));
    }
    let sent = commands.try_send(command);
    if let (Some(name), Err(_)) = (&name, &sent) {
        names.all().remove(name);
    }
    match sent {
        Ok(()) => Ok((done, Json(json!({}))).into_response()),
        Err(mpsc::error::TrySendError::Full(_)) => {
            let why = "Too many operations wait for their stream. Open it first.";
            Err(refused(StatusCode::TOO_MANY_REQUESTS, why))
        }
        Err(mpsc::error::TrySendError::Closed(_)) => {
            Err(refused(StatusCode::NOT_FOUND, "The stream was closed. Reserve another."))
        }
    }
}

/// Who asks; the answer to a token that is not good.
fn allowed(app: &App, headers: &HeaderMap) -> Result<Option<Access>, Refused> {
    match identity(app, headers.get(header::AUTHORIZATION)) {
        (Identity::Refused(_), _) => {
            let why = "The access token is not good: get another with login or refresh.";
            Err(refused(StatusCode::UNAUTHORIZED, why))
        }
        (_, access) => Ok(access),
    }
}

/// Who asks for what only a session may have.
fn signed_in(app: &App, headers: &HeaderMap) -> Result<Access, Refused> {
    allowed(app, headers)?.ok_or_else(nobody)
}

fn nobody() -> Refused {
    refused(StatusCode::UNAUTHORIZED, "Send the header `Authorization: Bearer …`.")
}

fn no_stream() -> Refused {
    refused(StatusCode::NOT_FOUND, "There is no reserved stream with this token.")
}

fn refused(status: StatusCode, message: &str) -> Refused {
    Refused::new(status, message, Uuid::now_v7())
}

fn parameters(asked: Asked) -> Result<Parameters, Refused> {
    let why = "The query of the URL could not be read.";
    asked.map(|Query(parameters)| parameters).map_err(|_| refused(StatusCode::BAD_REQUEST, why))
}

fn stream_token(headers: &HeaderMap, parameters: &Parameters) -> Option<String> {
    text(headers, &STREAM_TOKEN).map(str::to_owned).or_else(|| parameters.token.clone())
}

/// One operation as a stream.
fn distinct(
    app: Arc<App>,
    client: Client,
    access: Option<Access>,
    headers: &HeaderMap,
    operation: Operation,
) -> Answer {
    let last = text(headers, &LAST_EVENT_ID).filter(|id| !id.is_empty());
    let resume = last.map(|id| Cursor::decode(id, "Last-Event-ID")).transpose().map_err(|_| {
        refused(StatusCode::BAD_REQUEST, "Last-Event-ID is no cursor of an event. Send it as it was received.")
    })?;
    let mut operations = Operations::new(app.clone(), client);
    if let Some(access) = access {
        operations.authorize(access);
    }
    operations.begin(ONLY.into(), operation, resume);
    Ok(answer(&app, EventStream::new(operations, None)))
}

fn answer(app: &App, stream: EventStream) -> Response {
    let keep_alive = KeepAlive::new().interval(app.live.keep_alive);
    let mut response = Sse::new(stream.events()).keep_alive(keep_alive).into_response();
    // Proxies that gather what they pass on would keep it for themselves.
    response.headers_mut().insert("x-accel-buffering", header::HeaderValue::from_static("no"));
    response
}

/// What is streamed.
struct EventStream {
    operations: Operations,
    /// Of a single connection: the commands that it is sent, and the names of its operations.
    single: Option<(mpsc::Receiver<Command>, Names)>,
    ended: bool,
    /// An event that comes at once.
    following: Option<Event>,
}

impl EventStream {
    fn new(operations: Operations, single: Option<(mpsc::Receiver<Command>, Names)>) -> Self {
        // Some browsers hold a stream to be open only when its first byte is there.
        let following = Some(Event::default().comment(""));
        Self { operations, single, ended: false, following }
    }

    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut this| async move {
            let event = this.next().await?;
            Some((Ok(event), this))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.following.take() {
            return Some(event);
        }
        loop {
            if self.ended || (self.single.is_none() && self.operations.is_idle()) {
                return None;
            }
            let app = self.operations.app();
            let stopping = app.live.stopping.clone();
            let commanded = async {
                match &mut self.single {
                    Some((commands, _)) => commands.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(command) = commanded => {
                    match command {
                        Command::End(operation) => {
                            if self.operations.has(&operation) {
                                self.operations.end(&operation);
                                return Some(self.completed(&operation));
                            }
                        }
                        Command::Begin(operation, request, access) => {
                            // Each request has a token: the newest counts.
                            self.operations.authorize(access);
                            self.operations.begin(operation, Operation::Request(request), None);
                        }
                    }
                }
                event = self.operations.next() => match event {
                    ConnectionEvent::Next(tag, message) => {
                        return Some(self.event(&tag, &message.json).id(message.cursor.encode()));
                    }
                    ConnectionEvent::Answered(tag, response) | ConnectionEvent::Failed(tag, response) => {
                        self.following = Some(self.completed(&tag));
                        return Some(self.event(&tag, &response.to_json()));
                    }
                    // The client comes back by itself, and says how far it got.
                    ConnectionEvent::TooSlow | ConnectionEvent::Expired => self.ended = true,
                },
                () = stopping.cancelled() => self.ended = true,
            }
        }
    }

    fn event(&self, tag: &str, payload: &str) -> Event {
        let event = Event::default().event("next");
        match &self.single {
            Some(_) => event.data(format!("{{\"id\":{},\"payload\":{payload}}}", Value::from(tag))),
            None => event.data(payload),
        }
    }

    fn completed(&self, tag: &str) -> Event {
        let event = Event::default().event("complete");
        match &self.single {
            Some((_, names)) => {
                names.all().remove(tag);
                event.data(json!({ "id": tag }).to_string())
            }
            None => event.data(""),
        }
    }
}
