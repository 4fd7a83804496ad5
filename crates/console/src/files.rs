//! The files in the binary, and how they are answered.

use std::borrow::Cow;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

/// The pages as built from `ui`; empty where they could not be.
#[derive(RustEmbed)]
#[folder = "$OUT_DIR/ui"]
struct Built;

/// The pages in place of those.
#[derive(RustEmbed)]
#[folder = "plain"]
struct Plain;

/// Whether the binary has the pages, and not only plain ones.
#[must_use]
pub fn is_complete() -> bool {
    Built::get("index.html").is_some()
}

/// What a page may load, and from where.
#[derive(Clone, Copy)]
pub(crate) enum Policy {
    /// Everything from the gateway, nothing inline.
    Console,
    /// The same, but for styles: the editor writes them into what it draws.
    GraphiQL,
}

impl Policy {
    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match (self, is_complete()) {
            (Self::Console, _) => {
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; \
                 base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            }
            (Self::GraphiQL, true) => {
                "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; \
                 connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            }
            (Self::GraphiQL, false) => {
                "default-src 'none'; script-src 'self' https://unpkg.com; style-src 'self' https://unpkg.com 'unsafe-inline'; \
                 img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; \
                 frame-ancestors 'none'"
            }
        })
    }
}

/// Answers with a file, compressed as the browser takes it.
pub(crate) fn file(name: &str, headers: &HeaderMap, policy: Policy) -> Response {
    let Some(file) = get(name) else { return (StatusCode::NOT_FOUND, "There is no such file.").into_response() };
    // The browser asks anew for a page each time; what a page names has its content's hash in its name.
    let is_hashed = is_complete() && name.starts_with("assets/");
    let cache = if is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    let tag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    let kind = file.metadata.mimetype().to_owned();
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let compressed = accepts_brotli(headers).then(|| get(&format!("{name}.br"))).flatten();
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else if let Some(compressed) = compressed {
        ([(header::CONTENT_ENCODING, HeaderValue::from_static("br"))], body(compressed)).into_response()
    } else {
        body(file).into_response()
    };
    let set = response.headers_mut();
    if let Ok(kind) = kind.parse() {
        set.insert(header::CONTENT_TYPE, kind);
    }
    if let Ok(tag) = tag.parse() {
        set.insert(header::ETAG, tag);
    }
    set.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    set.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    set.insert(header::CONTENT_SECURITY_POLICY, policy.header());
    set.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    set.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn get(name: &str) -> Option<EmbeddedFile> {
    if is_complete() { Built::get(name) } else { Plain::get(name) }
}

fn body(file: EmbeddedFile) -> Body {
    match file.data {
        Cow::Borrowed(bytes) => bytes.into(),
        Cow::Owned(bytes) => bytes.into(),
    }
}

/// Whether the browser takes Brotli. Whatever else it takes, the gateway's own compression answers.
fn accepts_brotli(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|accepted| accepted.to_str().ok());
    accepted.flat_map(|accepted| accepted.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        parts.next() == Some("br") && !parts.any(|quality| matches!(quality, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}
