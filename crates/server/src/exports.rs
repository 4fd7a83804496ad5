//! Downloading exports: a file, written as its rows are read, for whoever has its address.

use std::{net::SocketAddr, sync::Arc};

use aether_graphql::{File, Identity, error::code};
use aether_store::counting;
use async_graphql::{ServerError, Value};
use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{
        ConnectInfo, Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{StreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use tracing::Instrument;
use uuid::Uuid;

use crate::http::{App, answer, client, failed, span};

/// What an address has besides its path.
#[derive(Deserialize)]
pub(crate) struct Parameters {
    #[serde(default)]
    token: String,
}

/// Downloads a file.
pub(crate) async fn download(
    State(app): State<Arc<App>>,
    export: Result<Path<Uuid>, PathRejection>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> Response {
    let request_id = Uuid::now_v7();
    let Ok(Path(export)) = export else {
        return failed(StatusCode::NOT_FOUND, code::NOT_FOUND, "There is no export with this id.", request_id);
    };
    // An address that cannot be read has no token.
    let token = parameters.map(|Query(Parameters { token })| token).unwrap_or_default();
    let asker = app.asker(Identity::Nobody, client(peer, &headers, request_id), None);
    let downloading = counting(app.schema.download(asker, export, &token));
    match downloading.instrument(span(request_id, None)).await.0 {
        Ok(file) => downloaded(file),
        Err(error) => refusal(error, request_id),
    }
}

/// What is answered to who wants to know of a file without downloading it: that is told by `rowExport`.
pub(crate) async fn only_get() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")]).into_response()
}

fn downloaded(file: File) -> Response {
    let File { name, media_type, first, mut rest } = file;
    // Whoever compresses it asks once more after its end.
    let rest = stream::poll_fn(move |context| rest.poll_recv(context)).fuse();
    // An error ends the connection amid the file, so that nobody takes it for whole.
    let body = stream::iter([Ok(first)]).chain(rest);
    let body = body.map(|piece| piece.map(Bytes::from).map_err(|()| std::io::Error::other("the file ends here")));
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Names are those of fields and of days: nothing in them has to be quoted.
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// Why there is no file: the same as GraphQL says it, under the status that says the same.
fn refusal(mut error: ServerError, request_id: Uuid) -> Response {
    let code = match error.extensions.as_ref().and_then(|extensions| extensions.get("code")) {
        Some(Value::String(code)) => code.clone(),
        _ => String::new(),
    };
    let status = match code.as_str() {
        code::UNAUTHENTICATED => StatusCode::UNAUTHORIZED,
        code::FORBIDDEN => StatusCode::FORBIDDEN,
        code::NOT_FOUND => StatusCode::NOT_FOUND,
        code::PRECONDITION_FAILED => StatusCode::GONE,
        code::RATE_LIMITED => StatusCode::TOO_MANY_REQUESTS,
        code::VALIDATION_FAILED | code::MIXED_UNITS => StatusCode::UNPROCESSABLE_ENTITY,
        code::TIMEOUT => StatusCode::GATEWAY_TIMEOUT,
        code::UNAVAILABLE | code::CONFLICT => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let wait = match error.extensions.as_ref().and_then(|extensions| extensions.get("retryAfterSeconds")) {
        Some(Value::Number(seconds)) => seconds.as_u64().map(HeaderValue::from),
        _ => None,
    };
    error.extensions.get_or_insert_default().set("requestId", request_id.to_string());
    let body = json!({ "errors": [error] }).to_string();
    let mut response = answer(status, body.into_bytes(), request_id);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    response
}
