//! HTTP: one GraphQL endpoint, the pages, downloads, and two health checks.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use aether_graphql::{Asker, Identity, OperationType, Prepared, Request, Response as Answered, Schema, error::code};
use aether_store::{
    Store, counting,
    identity::{Client, Sessions, token::Access},
    live::Hub,
};
use async_graphql::ServerError;
use axum::{
    Extension, Router,
    body::{Body, Bytes, HttpBody},
    extract::{self, ConnectInfo, DefaultBodyLimit, FromRequest, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tower::{Layer, Service, ServiceExt};
use tower_http::{compression::CompressionLayer, cors::CorsLayer};
use tracing::{Instrument, Span, field::Empty};
use uuid::Uuid;

use crate::{
    config::Config,
    edge, exports, headers,
    live::{self, Live},
    rate::{self, Rates},
};

/// The largest request body.
pub(crate) const MOST_BYTES: usize = 1024 * 1024;
const TOO_LONG: &str = "The request is larger than 1 MiB.";
/// The largest document that is compiled at once: that takes a millisecond or two.
const SMALL: usize = 8 * 1024;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What requests share.
pub struct App {
    /// The schema.
    pub schema: Schema,
    /// The store.
    pub store: Store,
    /// The sessions.
    pub sessions: Sessions,
    /// Whether answers tell their statements.
    pub expose_statements: bool,
    /// How long a request may take.
    pub timeout: Duration,
    /// How often one may ask.
    pub rates: Rates,
    /// The subscribers.
    pub hub: Arc<Hub>,
    /// What live connections share.
    pub live: Live,
}

impl App {
    /// Whoever asks, with what a request needs.
    pub(crate) fn asker(&self, identity: Identity, client: Client, idempotency: Option<(String, Vec<u8>)>) -> Asker {
        Asker {
            store: self.store.clone(),
            sessions: self.sessions.clone(),
            identity,
            client,
            idempotency,
            patience: self.timeout,
        }
    }
}

/// What answers requests; cheap to clone. With demo data the pages offer its accounts.
///
/// The layers are around the router: in it, each would be a box around every request. Pages of other origins are to be able to read
/// also what is answered without a route.
pub fn service(app: Arc<App>, config: &Config, has_demo_data: bool) -> impl edge::Answers {
    let routes = routes(app.clone(), config, has_demo_data);
    let routes = (CompressionLayer::new(), DefaultBodyLimit::max(MOST_BYTES)).layer(routes);
    let guarded = tower::service_fn(move |request| guarded(app.clone(), routes.clone(), request));
    (headers::no_sniff(), cors(config)).layer(guarded)
}

fn routes(app: Arc<App>, config: &Config, has_demo_data: bool) -> Router {
    let mut router = Router::new()
        .route("/graphql", post(graphql).get(live::upgrade).fallback(only_post))
        .merge(live::events())
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/exports/{id}", get(exports::download).head(exports::only_get))
        .route("/golden-record.schema.json", get(golden_record_schema));
    if config.console {
        router = router.merge(aether_console::router(pages(config, has_demo_data)));
    }
    router.with_state(app)
}

fn cors(config: &Config) -> CorsLayer {
    let origins = config.allowed_origins.iter().filter_map(|origin| origin.parse::<HeaderValue>().ok());
    CorsLayer::new()
        .allow_origin(origins.collect::<Vec<_>>())
        .allow_methods([Method::POST, Method::GET, Method::PUT, Method::DELETE])
        .allow_headers([
            header::ACCEPT,
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            IDEMPOTENCY_KEY,
            REQUEST_ID,
            live::LAST_EVENT_ID,
            live::STREAM_TOKEN,
        ])
        .expose_headers([REQUEST_ID, rate::LIMIT, rate::POLICY, header::RETRY_AFTER])
}

/// Has the routes answer what may be asked.
async fn guarded<B>(
    app: Arc<App>,
    routes: impl Service<extract::Request, Response = axum::http::Response<B>, Error = Infallible>,
    request: extract::Request,
) -> Result<Response, Infallible>
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    let answer = async |request| {
        let Ok(answer) = routes.oneshot(request).await;
        answer.map(Body::new)
    };
    Ok(headers::answered(request, async |request| rate::limited(&app, request, answer).await).await)
}

fn pages(config: &Config, has_demo_data: bool) -> aether_console::Setting {
    let accounts = aether_demo::logins().iter().map(|login| aether_console::Account {
        email: login.email,
        organization: login.organization,
        role: login.role,
    });
    let demo = aether_console::Demo { password: aether_demo::PASSWORD, accounts: accounts.collect() };
    aether_console::Setting { demo: has_demo_data.then_some(demo), graphiql: config.graphiql }
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.store.database().ping().await {
        Ok(()) => "ready".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer").into_response(),
    }
}

/// The JSON Schema of golden records, for whoever receives them: it says nothing about any deal.
async fn golden_record_schema() -> Response {
    ([(header::CONTENT_TYPE, "application/schema+json")], aether_domain::golden::SCHEMA).into_response()
}

pub(crate) async fn only_post() -> Response {
    let how = "Send GraphQL with POST and a JSON body: {\"query\": \"…\"}; or open a WebSocket with the subprotocol graphql-transport-ws.";
    only_by_post(how).into_response()
}

/// What is answered to another method.
pub(crate) fn only_by_post(how: &str) -> Refused {
    let mut refused = Refused::new(StatusCode::METHOD_NOT_ALLOWED, how, Uuid::now_v7());
    refused.0.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    refused
}

async fn graphql(State(app): State<Arc<App>>, mut request: extract::Request) -> Response {
    let headers = std::mem::take(request.headers_mut());
    let peer = request.extensions().get().copied().map(Extension);
    let body = Bytes::from_request(request, &()).await;
    let request_id = text(&headers, &REQUEST_ID).and_then(|id| id.parse().ok()).unwrap_or_else(Uuid::now_v7);
    let (mut request, body) = match read(&headers, body, request_id) {
        Ok(read) => read,
        Err(refusal) => return refusal.into_response(),
    };
    let client = client(peer, &headers, request_id);
    let (identity, access) = identity(&app, headers.get(header::AUTHORIZATION));
    request.is_signed_in = access.is_some();
    let span = span(request_id, access.map(|access| access.user));
    let idempotency = text(&headers, &IDEMPOTENCY_KEY).map(|key| (key.to_owned(), Sha256::digest(&body).to_vec()));
    let answering = async {
        match prepare(&app, request).await {
            Ok(prepared) => execute(&app, prepared, identity, client, idempotency).await,
            Err(response) => with_request_id(response, request_id),
        }
    };
    let response = answering.instrument(span).await;
    match response.as_ready() {
        Some(ready) if takes_gzip(&headers) => {
            let mut answer = answer(StatusCode::OK, ready.compressed(gzip).to_vec(), request_id);
            answer.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            answer.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
            answer
        }
        _ => answer(StatusCode::OK, response.into_bytes(), request_id),
    }
}

/// Whether the client says that it takes gzip.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = text(headers, &header::ACCEPT_ENCODING).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip")) && parts.all(|weight| weight != "q=0")
    })
}

fn gzip(json: &str) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    // A vector takes everything.
    _ = encoder.write_all(json.as_bytes());
    encoder.finish().unwrap_or_default()
}

/// What is answered to a request that nothing can be made of.
pub(crate) struct Refused(Box<Response>);

impl Refused {
    pub(crate) fn new(status: StatusCode, message: &str, request_id: Uuid) -> Self {
        Self(Box::new(refused(status, message, request_id)))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// The GraphQL request in a body, which is JSON, with the body itself; or what to answer to anything else.
pub(crate) fn read(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    request_id: Uuid,
) -> Result<(Request, Bytes), Refused> {
    let refused = |status, message| Err(Refused::new(status, message, request_id));
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return refused(StatusCode::PAYLOAD_TOO_LARGE, TOO_LONG);
        }
        Err(_) => return refused(StatusCode::BAD_REQUEST, "The request could not be read."),
    };
    // A form or plain text can be sent by any page without asking first; JSON cannot.
    if !text(headers, &header::CONTENT_TYPE).is_some_and(is_json) {
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send the header `Content-Type: application/json`.");
    }
    let read = std::str::from_utf8(&body).map_err(|_| "The body is no UTF-8.".to_owned()).and_then(Request::read);
    match read {
        Ok(request) => Ok((request, body)),
        Err(why) => Err(Refused::new(StatusCode::BAD_REQUEST, &why, request_id)),
    }
}

/// Compiles a request's document. A large one is compiled beside those who serve, one after the other, so that nobody has to wait
/// for it who did not send one.
pub(crate) async fn prepare(app: &App, request: Request) -> Result<Prepared, Answered> {
    static COMPILING: Semaphore = Semaphore::const_new(1);
    if request.query.len() <= SMALL {
        return app.schema.prepare(request);
    }
    let _permit = COMPILING.acquire().await;
    let schema = app.schema.clone();
    tokio::task::spawn_blocking(move || schema.prepare(request)).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a document that could not be compiled");
        Err(refusal(code::INTERNAL, "Something went wrong inside the gateway."))
    })
}

/// The span of a request: whatever is logged meanwhile has the id by which clients report it, the user that its token names, and how the
/// client calls the operation, once that is read.
pub(crate) fn span(request_id: Uuid, user: Option<Uuid>) -> Span {
    tracing::error_span!("request", id = %request_id, user = user.map(tracing::field::display), operation = Empty)
}

/// Executes an operation that is no subscription; every error says its code and the request's id.
pub(crate) async fn execute(
    app: &App,
    prepared: Prepared,
    identity: Identity,
    client: Client,
    idempotency: Option<(String, Vec<u8>)>,
) -> Answered {
    let request_id = client.request_id;
    if prepared.kind() == OperationType::Subscription {
        let message = "Subscribe over a WebSocket at /graphql (graphql-transport-ws), or at /graphql/stream (server-sent events).";
        return with_request_id(refusal(code::GRAPHQL_VALIDATION_FAILED, message), request_id);
    }
    let asker = app.asker(identity, client, idempotency);
    let was_known = prepared.was_known();
    note_name(&prepared);
    let (mut response, statements) = counting(app.schema.execute(prepared, asker)).await;
    if app.expose_statements {
        response.extensions.insert("statements".into(), statements.into());
        response.extensions.insert("compiledBefore".into(), was_known.into());
    }
    with_request_id(response, request_id)
}

/// Notes how the client calls the operation of the request now running.
pub(crate) fn note_name(prepared: &Prepared) {
    if let Some(name) = prepared.name() {
        Span::current().record("operation", name);
    }
}

/// An answer that is nothing but an error.
pub(crate) fn refusal(code: &str, message: &str) -> Answered {
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", code);
    Answered::refused(vec![error])
}

pub(crate) fn with_request_id(mut response: Answered, request_id: Uuid) -> Answered {
    for error in &mut response.errors {
        error.extensions.get_or_insert_default().set("requestId", request_id.to_string());
    }
    response
}

/// Whoever sends a request, as far as the request tells.
pub(crate) fn client(
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: &HeaderMap,
    request_id: Uuid,
) -> Client {
    Client {
        address: peer.map(|Extension(ConnectInfo(peer))| peer.ip()),
        user_agent: text(headers, &header::USER_AGENT).map(|agent| agent.chars().take(500).collect()),
        device: None,
        request_id,
    }
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|ty| ty.trim().eq_ignore_ascii_case("application/json"))
}

/// Who a request says it is by its `Authorization`, and how long that holds.
pub(crate) fn identity(app: &App, authorization: Option<&HeaderValue>) -> (Identity, Option<Access>) {
    let Some(value) = authorization else { return (Identity::Nobody, None) };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match token.map(|token| app.sessions.of_token(token)) {
        Some(Ok(access)) => (Identity::Session(access.session), Some(access)),
        Some(Err(error)) => (Identity::Refused(error), None),
        None => {
            let why = "The Authorization header must be `Bearer` and an access token.";
            (Identity::Refused(aether_store::Error::Unauthenticated(why.into())), None)
        }
    }
}

pub(crate) fn answer(status: StatusCode, json: Vec<u8>, request_id: Uuid) -> Response {
    let id = HeaderValue::from_str(&request_id.to_string());
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], json).into_response();
    if let Ok(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn refused(status: StatusCode, message: &str, request_id: Uuid) -> Response {
    failed(status, code::BAD_REQUEST, message, request_id)
}

/// What is answered where the body of a request did not come in time.
pub(crate) fn too_late() -> Response {
    let why = "The request did not come whole in time. Send it faster, or in parts.";
    headers::private(failed(StatusCode::REQUEST_TIMEOUT, code::TIMEOUT, why, Uuid::now_v7()))
}

fn patience(seconds: u64) -> String {
    format!("These were too many requests. Try again in {seconds} seconds.")
}

/// The same, to a request that came over a connection that is open already.
pub(crate) fn refused_too_often(seconds: u64) -> Answered {
    let mut error = ServerError::new(patience(seconds), None);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("code", code::RATE_LIMITED);
    extensions.set("retryAfterSeconds", seconds);
    Answered::refused(vec![error])
}

/// What is answered to one who has to wait so many seconds.
pub(crate) fn too_often(seconds: u64) -> Response {
    let request_id = Uuid::now_v7();
    let extensions = json!({ "code": code::RATE_LIMITED, "retryAfterSeconds": seconds, "requestId": request_id });
    let body = json!({ "errors": [{ "message": patience(seconds), "extensions": extensions }] });
    answer(StatusCode::TOO_MANY_REQUESTS, body.to_string().into_bytes(), request_id)
}

/// What is answered to a request that is too large, before or after it was seen to be.
pub(crate) fn too_long() -> Response {
    refused(StatusCode::PAYLOAD_TOO_LARGE, TOO_LONG, Uuid::now_v7())
}

pub(crate) fn failed(status: StatusCode, code: &str, message: &str, request_id: Uuid) -> Response {
    let extensions = json!({ "code": code, "requestId": request_id });
    let body = json!({ "errors": [{ "message": message, "extensions": extensions }] });
    answer(status, body.to_string().into_bytes(), request_id)
}
