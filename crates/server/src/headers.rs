//! Headers that every answer has, and the answer to what is too large before any of it is read.

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, Uri, Version, header},
    middleware::{self, Next},
    response::Response,
};
use tower_http::{cors::CorsLayer, set_header::SetResponseHeaderLayer};

use crate::http::{self, MOST_BYTES};

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// The routes, whose answers say how they may be kept and read.
pub fn guarded<S: Clone + Send + Sync + 'static>(router: Router<S>, cors: CorsLayer) -> Router<S> {
    let no_sniff = SetResponseHeaderLayer::overriding(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    // Pages of other origins are to be able to read also what is answered without a route.
    router.layer(middleware::from_fn(answer)).layer(cors).layer(no_sniff)
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

async fn answer(request: Request, next: Next) -> Response {
    let is_graphql = is_graphql(request.uri());
    let version = request.version();
    let announced: Option<usize> =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let mut response = match announced {
        Some(length) if length > MOST_BYTES => http::too_long(),
        _ => next.run(request).await,
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
