//! Errors as clients see them: the one conversion, and the one list of codes.

use aether_domain::sheet::{LineError, MOST_PROBLEMS};
use aether_store::Error;
use async_graphql::{ErrorExtensionValues, Name, Pos, ServerError, Value};
use heck::ToUpperCamelCase;

/// What went wrong, for programs: `extensions.code`.
pub mod code {
    /// No session, or one that has ended: sign in.
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    /// The permission named in `extensions.permission` is missing.
    pub const FORBIDDEN: &str = "FORBIDDEN";
    /// There is no such thing, or none that you may see.
    pub const NOT_FOUND: &str = "NOT_FOUND";
    /// Somebody else was faster: the row has another version, the value is taken, the request is being served.
    pub const CONFLICT: &str = "CONFLICT";
    /// A governance rule of the workspace, named in `extensions.rule`, forbids it.
    pub const GOVERNANCE_BLOCKED: &str = "GOVERNANCE_BLOCKED";
    /// It cannot be done in the state that things are in.
    pub const PRECONDITION_FAILED: &str = "PRECONDITION_FAILED";
    /// Too much at once: try again after `extensions.retryAfterSeconds`.
    pub const RATE_LIMITED: &str = "RATE_LIMITED";
    /// Input that cannot be taken; `extensions.field` names it.
    pub const VALIDATION_FAILED: &str = "VALIDATION_FAILED";
    /// Figures of rows that must not be taken together, such as amounts of several currencies; `extensions.field` names in what they differ.
    pub const MIXED_UNITS: &str = "MIXED_UNITS";
    /// The events behind the cursor are not kept any more: read again what you show, then subscribe behind `eventCursor`.
    pub const CURSOR_EXPIRED: &str = "CURSOR_EXPIRED";
    /// The document is no GraphQL.
    pub const GRAPHQL_PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
    /// The document does not fit the schema, or is too deep or too complex.
    pub const GRAPHQL_VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
    /// The request body is no GraphQL request.
    pub const BAD_REQUEST: &str = "BAD_REQUEST";
    /// The change was made and stays, but its answer could not be read: read it again, and do not repeat the change.
    pub const CHANGE_COMMITTED: &str = "CHANGE_COMMITTED";
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
            Error::Forbidden { permission, because } => {
                extensions.set("permission", permission);
                (
                    code::FORBIDDEN,
                    because.map_or_else(
                        || format!("You lack the permission `{permission}`. Ask an administrator to grant it."),
                        |because| format!("The permission `{permission}` does not reach this far: {because}"),
                    ),
                )
            }
            Error::NotFound(message) => (code::NOT_FOUND, message),
            Error::Stale(stale) => (code::CONFLICT, stale_message(*stale, &mut extensions)),
            Error::Taken { field, message } => {
                extensions.set("field", field);
                (code::CONFLICT, message)
            }
            Error::Busy => {
                (code::CONFLICT, "Another change of the same things was under way. Nothing was done; try again.".into())
            }
            Error::Idempotency(message) => (code::CONFLICT, message.into()),
            Error::Governance { rule, message } => {
                extensions.set("rule", rule);
                (code::GOVERNANCE_BLOCKED, message)
            }
            Error::Precondition(message) => (code::PRECONDITION_FAILED, message),
            Error::RateLimited(seconds) => {
                extensions.set("retryAfterSeconds", seconds);
                (code::RATE_LIMITED, format!("This was too often. Try again in {seconds} seconds."))
            }
            Error::Crowded => {
                extensions.set("retryAfterSeconds", 1);
                (
                    code::RATE_LIMITED,
                    "Your other requests have all the database connections that you may have at once. Wait for their answers, \
                     or ask for less at once; then try again."
                        .into(),
                )
            }
            Error::Downloading => {
                extensions.set("retryAfterSeconds", 10);
                (
                    code::RATE_LIMITED,
                    "As many files are being downloaded as may be at once: one of yours, or four in all. Wait until one has ended, or \
                     close its connection; then try again."
                        .into(),
                )
            }
            Error::Invalid { field, message } => {
                extensions.set("field", field);
                (code::VALIDATION_FAILED, message)
            }
            Error::Mixed { field, message } => {
                extensions.set("field", field);
                (code::MIXED_UNITS, message)
            }
            Error::Lines(problems) => {
                extensions.set("lines", Value::List(problems.iter().map(line).collect()));
                (code::VALIDATION_FAILED, lines_message(&problems))
            }
            Error::CursorExpired => (
                code::CURSOR_EXPIRED,
                "The events behind this cursor are not kept any more. Read again what you show, and subscribe behind `eventCursor`."
                    .into(),
            ),
            Error::Committed(committed) => {
                extensions.set("type", committed.singular.to_upper_camel_case());
                extensions.set("id", committed.id.to_string());
                let message = format!(
                    "The change was made and stays; only its answer could not be read ({}). Do not send it again: read it with \
                     `{{ {}(id: \"{}\") {{ … }} }}`.",
                    committed.because, committed.singular, committed.id
                );
                (code::CHANGE_COMMITTED, message)
            }
            Error::Timeout => (
                code::TIMEOUT,
                "This ran too long and was stopped, and nothing was changed. Ask for less at once: fewer rows, a narrower filter, a shorter file.".into(),
            ),
            Error::Stopped => {
                (code::TIMEOUT, "The request ran too long and was stopped. Ask for less at once.".into())
            }
            Error::StoppedAfterCommit => (
                code::CHANGE_COMMITTED,
                "The request ran too long and was stopped, when changes of it had been made, which stay. Do not send it again: \
                 read what you changed, and go on from there."
                    .into(),
            ),
            Error::Overdue => (
                code::TIMEOUT,
                "The changes could not be committed in time and were all taken back. Nothing was done; try again, with fewer \
                 changes at once."
                    .into(),
            ),
            Error::Locked => (
                code::UNAVAILABLE,
                "What this asks for is locked just now, for its table is being changed. Try again in a moment.".into(),
            ),
            Error::Unavailable => {
                (code::UNAVAILABLE, "The database cannot be reached just now. Try again in a moment.".into())
            }
            defect @ Error::Internal(_) => {
                // Here it ends: whoever asked is told nothing, and the log has it with the request.
                defect.log();
                (
                    code::INTERNAL,
                    "Something went wrong inside the gateway. Try again; if it persists, report the request id.".into(),
                )
            }
        };
        extensions.set("code", code);
        Self { message, source: None, extensions: Some(extensions) }
    }
}

/// A line that cannot be imported, for programs.
fn line(problem: &LineError) -> Value {
    let fields = [
        (Name::new("line"), Value::from(problem.line)),
        (Name::new("field"), problem.field.as_str().into()),
        (Name::new("message"), problem.message.as_str().into()),
    ];
    Value::Object(fields.into_iter().collect())
}

/// Says what is wrong with the first of the lines, and how many there are.
fn lines_message(problems: &[LineError]) -> String {
    let Some(first) = problems.first() else { return "The text cannot be imported.".into() };
    let field = if first.field.is_empty() { String::new() } else { format!(", {}", first.field) };
    let more = match problems.len() {
        1 => String::new(),
        MOST_PROBLEMS.. => format!(" There are {MOST_PROBLEMS} problems or more; see `extensions.lines`."),
        count => format!(" There are {count} problems; see `extensions.lines`."),
    };
    format!("Nothing was imported. Line {}{field}: {}{more}", first.line, first.message)
}

/// Says who has edited a row, and tells programs.
fn stale_message(stale: aether_store::error::Stale, extensions: &mut ErrorExtensionValues) -> String {
    let by = stale.changed_by.as_ref().map_or_else(|| "since you read it".into(), |(_, name)| format!("by {name}"));
    extensions.set("expectedVersion", stale.expected);
    extensions.set("currentVersion", stale.current);
    if let Some((id, name)) = stale.changed_by {
        let user = [(Name::new("id"), Value::from(id.to_string())), (Name::new("name"), Value::from(name))];
        extensions.set("changedBy", Value::Object(user.into_iter().collect()));
    }
    if let Some(at) = stale.changed_at {
        extensions.set("changedAt", at);
    }
    if stale.expected > stale.current {
        return format!(
            "There is no version {} of this yet: it has version {}. Read it again and repeat your edit.",
            stale.expected, stale.current
        );
    }
    format!(
        "This was edited {by}: you expected version {}, and it has version {}. Read it again and repeat your edit.",
        stale.expected, stale.current
    )
}

/// The error of a field at a place in the document.
pub(crate) fn at(error: Error, position: Pos) -> ServerError {
    async_graphql::Error::from(Failure(error)).into_server_error(position)
}

/// An error that is of no place in the document.
pub(crate) fn nowhere(error: Error) -> ServerError {
    let mut error = at(error, Pos::default());
    // Lines and columns count from one: the default is no place that clients could show.
    error.locations.clear();
    error
}

/// Gives a code to the errors that async-graphql itself raises.
pub(crate) fn with_code(mut error: ServerError) -> ServerError {
    let has_code = error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some());
    if !has_code {
        error.extensions.get_or_insert_default().set("code", code::GRAPHQL_VALIDATION_FAILED);
    }
    error
}
