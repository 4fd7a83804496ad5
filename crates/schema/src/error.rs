//! Errors as clients see them: the one conversion, and the one list of codes.

use aether_store::Error;
use async_graphql::{ErrorExtensionValues, Pos, ServerError};

/// What went wrong, for programs: `extensions.code`.
pub mod code {
    /// No session, or one that has ended: sign in.
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    /// The permission named in `extensions.permission` is missing.
    pub const FORBIDDEN: &str = "FORBIDDEN";
    /// Input that cannot be taken; `extensions.field` names it.
    pub const VALIDATION_FAILED: &str = "VALIDATION_FAILED";
    /// The document is no GraphQL.
    pub const GRAPHQL_PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
    /// The document does not fit the schema, or is too deep or too complex.
    pub const GRAPHQL_VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
    /// The request body is no GraphQL request.
    pub const BAD_REQUEST: &str = "BAD_REQUEST";
    /// The query ran too long: ask for less.
    pub const TIMEOUT: &str = "TIMEOUT";
    /// The database cannot be reached just now: try again.
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    /// A defect of the gateway; `extensions.requestId` finds it in the log.
    pub const INTERNAL: &str = "INTERNAL";
}

/// An error of a resolver. Deliberately without `Display`, so that async-graphql's blanket conversion cannot reach it.
pub(crate) struct Failure(pub(crate) Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Failure> for async_graphql::Error {
    fn from(Failure(error): Failure) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        let (code, message) = match error {
            Error::Unauthenticated(message) => (code::UNAUTHENTICATED, message),
            Error::Forbidden(permission) => {
                extensions.set("permission", permission);
                (code::FORBIDDEN, format!("You lack the permission `{permission}`. Ask an administrator to grant it."))
            }
            Error::Invalid { field, message } => {
                extensions.set("field", field);
                (code::VALIDATION_FAILED, message)
            }
            Error::Timeout => (
                code::TIMEOUT,
                "The query ran too long and was stopped. Ask for fewer rows or filter more narrowly.".into(),
            ),
            Error::Unavailable => {
                (code::UNAVAILABLE, "The database cannot be reached just now. Try again in a moment.".into())
            }
            Error::Internal => (
                code::INTERNAL,
                "Something went wrong inside the gateway. Try again; if it persists, report the request id.".into(),
            ),
        };
        extensions.set("code", code);
        Self { message, source: None, extensions: Some(extensions) }
    }
}

/// The error of a field at a place in the document.
pub(crate) fn at(error: Error, position: Pos) -> ServerError {
    async_graphql::Error::from(Failure(error)).into_server_error(position)
}

/// Gives a code to the errors that async-graphql itself raises before anything runs.
pub(crate) fn with_code(mut error: ServerError) -> ServerError {
    let has_code = error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some());
    if !has_code {
        let parsing = error.message.starts_with(" -->") || error.message.contains("\n  | ");
        let code = if parsing { code::GRAPHQL_PARSE_FAILED } else { code::GRAPHQL_VALIDATION_FAILED };
        error.extensions.get_or_insert_default().set("code", code);
    }
    error
}
