//! The pages that the gateway serves: the console at `/` and GraphiQL at `/graphiql`, embedded in the binary.
//!
//! They are built from `ui` by `build.rs`. They know the gateway by its public GraphQL API only, but for [`Setting`].

mod files;

use axum::{
    Json, Router,
    extract::Path,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;

pub use self::files::is_complete;
use self::files::{Policy, file};

/// Where `build.rs` builds the pages, on the machine that compiles: the packages in it also test them.
pub const BUILD_DIR: &str = concat!(env!("OUT_DIR"), "/ui-build");

/// What the pages must know before anybody has signed in.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// The accounts to offer, where demo data is loaded.
    pub demo: Option<Demo>,
    /// Whether GraphiQL is served.
    pub graphiql: bool,
}

/// The accounts of the demo data.
#[derive(Clone, Debug, Serialize)]
pub struct Demo {
    /// The password that they share.
    pub password: &'static str,
    /// Who there is.
    pub accounts: Vec<Account>,
}

/// An account of the demo data.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Account {
    /// The address to sign in with.
    pub email: &'static str,
    /// The slug of the organization.
    pub organization: &'static str,
    /// What this account is good for.
    pub role: &'static str,
}

/// The routes of the pages.
pub fn router<S: Clone + Send + Sync + 'static>(setting: Setting) -> Router<S> {
    let graphiql = setting.graphiql;
    let mut router = Router::new()
        .route("/", get(|headers: HeaderMap| async move { file("index.html", &headers, Policy::Console) }))
        .route("/assets/{name}", get(asset))
        .route("/console.json", get(move || async move { Json(setting) }));
    if graphiql {
        let page = |headers: HeaderMap| async move { file("graphiql.html", &headers, Policy::GraphiQL) };
        router = router.route("/graphiql", get(page));
    }
    router
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match name.contains('/') {
        true => StatusCode::NOT_FOUND.into_response(),
        false => file(&format!("assets/{name}"), &headers, Policy::Console),
    }
}

#[cfg(test)]
mod tests;
