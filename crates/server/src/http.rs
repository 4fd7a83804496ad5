//! HTTP: one GraphQL endpoint, GraphiQL, and two health checks.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use aether_schema::{Asker, Identity, Schema, error::code};
use aether_store::{
    Store, counting,
    session::{Client, Sessions},
};
use async_graphql::Request;
use axum::{
    Extension, Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tower_http::{compression::CompressionLayer, cors::CorsLayer};
use uuid::Uuid;

use crate::{
    config::Config,
    document::{self, MOST_SELECTIONS},
};

/// The largest request body.
const MOST_BYTES: usize = 1024 * 1024;
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
}

/// The routes.
pub fn router(app: Arc<App>, config: &Config) -> Router {
    let mut router = Router::new()
        .route("/graphql", post(graphql).fallback(only_post))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/golden-record.schema.json", get(golden_record_schema));
    if config.graphiql {
        router = router
            .route("/", get(|| async { Redirect::temporary("/graphiql") }))
            .route("/graphiql", get(|| async { Html(include_str!("graphiql.html")) }));
    }
    let origins = config.allowed_origins.iter().filter_map(|origin| origin.parse::<HeaderValue>().ok());
    let cors = CorsLayer::new()
        .allow_origin(origins.collect::<Vec<_>>())
        .allow_methods([Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, IDEMPOTENCY_KEY, REQUEST_ID])
        .expose_headers([REQUEST_ID]);
    router.layer(DefaultBodyLimit::max(MOST_BYTES)).layer(CompressionLayer::new()).layer(cors).with_state(app)
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

async fn only_post() -> Response {
    let mut response = refused(
        StatusCode::METHOD_NOT_ALLOWED,
        "Send GraphQL with POST and a JSON body: {\"query\": \"…\"}.",
        Uuid::now_v7(),
    );
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

async fn graphql(
    State(app): State<Arc<App>>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let request_id = text(&headers, &REQUEST_ID).and_then(|id| id.parse().ok()).unwrap_or_else(Uuid::now_v7);
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return refused(StatusCode::PAYLOAD_TOO_LARGE, "The request is larger than 1 MiB.", request_id);
        }
        Err(_) => return refused(StatusCode::BAD_REQUEST, "The request could not be read.", request_id),
    };
    // A form or plain text can be sent by any page without asking first; JSON cannot.
    if !text(&headers, &header::CONTENT_TYPE).is_some_and(is_json) {
        return refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the header `Content-Type: application/json`.",
            request_id,
        );
    }
    let mut request: Request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(_) => {
            return refused(
                StatusCode::BAD_REQUEST,
                "The body is no GraphQL request. Send {\"query\": \"…\", \"variables\": {…}}.",
                request_id,
            );
        }
    };
    if document::is_too_large(&mut request) {
        let message =
            format!("The query is too complex: unfolded, it has more than {MOST_SELECTIONS} fields and fragments.");
        return failed(StatusCode::OK, code::GRAPHQL_VALIDATION_FAILED, &message, request_id);
    }
    let client = Client {
        address: peer.map(|Extension(ConnectInfo(peer))| peer.ip()),
        user_agent: text(&headers, &header::USER_AGENT).map(|agent| agent.chars().take(500).collect()),
        device: None,
        request_id,
    };
    let identity = identity(&app, &headers);
    let idempotency = text(&headers, &IDEMPOTENCY_KEY).map(|key| (key.to_owned(), Sha256::digest(&body).to_vec()));
    let asker = Asker { store: app.store.clone(), sessions: app.sessions.clone(), identity, client, idempotency };
    let execution = counting(app.schema.execute(request, asker));
    let (mut response, statements) = match tokio::time::timeout(app.timeout, execution).await {
        Ok(answer) => answer,
        Err(_) => {
            return failed(
                StatusCode::OK,
                code::TIMEOUT,
                "The request ran too long and was stopped. Ask for less at once.",
                request_id,
            );
        }
    };
    for error in &mut response.errors {
        error.extensions.get_or_insert_default().set("requestId", request_id.to_string());
    }
    if app.expose_statements {
        response.extensions.insert("statements".into(), statements.into());
    }
    match serde_json::to_vec(&response) {
        Ok(json) => answer(StatusCode::OK, json, request_id),
        Err(error) => {
            tracing::error!(%error, %request_id, "an answer that cannot be written");
            failed(StatusCode::OK, code::INTERNAL, "Something went wrong inside the gateway.", request_id)
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|ty| ty.trim().eq_ignore_ascii_case("application/json"))
}

fn identity(app: &App, headers: &HeaderMap) -> Identity {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Identity::Nobody };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match token.map(|token| app.sessions.of_token(token)) {
        Some(Ok(session)) => Identity::Session(session),
        Some(Err(error)) => Identity::Refused(error),
        None => Identity::Refused(aether_store::Error::Unauthenticated(
            "The Authorization header must be `Bearer` and an access token.".into(),
        )),
    }
}

fn answer(status: StatusCode, json: Vec<u8>, request_id: Uuid) -> Response {
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

fn failed(status: StatusCode, code: &str, message: &str, request_id: Uuid) -> Response {
    let extensions = json!({ "code": code, "requestId": request_id });
    let body = json!({ "data": null, "errors": [{ "message": message, "extensions": extensions }] });
    answer(status, body.to_string().into_bytes(), request_id)
}
