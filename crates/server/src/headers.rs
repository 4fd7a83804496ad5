//! Headers that every answer has, and the answer to what is too large before any of it is read.

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, Uri, Version, header},
    response::Response,
};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::http::{self, MOST_BYTES};

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// Has nobody guess what an answer is.
pub fn no_sniff() -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF)
}

/// What nobody may keep: it is of one user and one moment.
pub fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    response
}

/// Whether a request is one of GraphQL.
pub fn is_graphql(uri: &Uri) -> bool {
    matches!(uri.path(), "/graphql" | "/graphql/stream")
}

/// Whether a request downloads an export.
pub fn is_download(uri: &Uri) -> bool {
    uri.path().starts_with("/exports/")
}

/// Answers a request: the answer says whether it may be kept, and what announces itself as too large is not read at all.
pub async fn answered(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    let is_graphql = is_graphql(request.uri());
    let version = request.version();
    let announced: Option<usize> =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut response = match announced {
        Some(length) if length > MOST_BYTES => http::too_long(),
        _ => next(request).await,
    };
    // What follows is no request. In HTTP/2, where this is no header, the rest of its stream is dropped and nothing else.
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE && version < Version::HTTP_2 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if is_graphql {
        return private(response);
    }
    response
}
