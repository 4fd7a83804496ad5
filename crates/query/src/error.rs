//! Everything that can go wrong, as a client may hear it.
//!
//! Deliberately without `Display`: async-graphql turns whatever displays into an error message, and an internal error
//! must not reach a client by that road. The schema crate converts an [`Error`] in one place.

use std::{fmt, sync::Arc};

use aether_domain::sheet::LineError;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, sqlx};

/// A failure of the store.
#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    /// No session, or one that has ended.
    Unauthenticated(String),
    /// The actor lacks this permission.
    Forbidden {
        /// The name of the permission that is missing.
        permission: &'static str,
        /// Why, where the permission alone does not say it.
        because: Option<&'static str>,
    },
    /// There is no such thing, or none that the actor may see: what was looked for.
    NotFound(String),
    /// The row has been edited since the client read it.
    Stale(Box<Stale>),
    /// Something else has this value already.
    Taken {
        /// The field whose value is taken.
        field: String,
        /// One sentence for the client.
        message: String,
    },
    /// Another change stands in the way just now; to be tried again.
    Busy,
    /// The idempotency key was used for another request, or its request is still being served.
    Idempotency(&'static str),
    /// A rule of the workspace forbids it.
    Governance {
        /// The name of the rule.
        rule: &'static str,
        /// One sentence for the client.
        message: String,
    },
    /// It cannot be done in the state that things are in: what stands in the way and what to do.
    Precondition(String),
    /// Too much at once; to be tried again after so many seconds.
    RateLimited(u64),
    /// Input that cannot be taken: what was wrong and what to do.
    Invalid {
        /// The argument or input field, as a path such as `filter.value.gt`.
        field: String,
        /// One sentence for the client.
        message: String,
    },
    /// Figures of rows that must not be taken together, for they differ in what this field tells.
    Mixed {
        /// The field.
        field: String,
        /// One sentence for the client.
        message: String,
    },
    /// The events behind a cursor are not kept any more.
    CursorExpired,
    /// Lines of an import that cannot be taken.
    Lines(Vec<LineError>),
    /// The change is committed, but what it is answered with could not be read.
    Committed(Box<Committed>),
    /// The statement ran longer than the gateway lets one run.
    Timeout,
    /// The request ran longer than the gateway lets one run; nothing of it was committed.
    Stopped,
    /// The request ran longer than the gateway lets one run, when some of its changes were committed already.
    StoppedAfterCommit,
    /// One's own statements have all the connections that one may have.
    Crowded,
    /// As many files are being downloaded as may be at once.
    Downloading,
    /// What is to be read is locked as a whole: a table is being changed.
    Locked,
    /// The changes that were to succeed as one were not committed in time once they were to be told of; all were taken back.
    Overdue,
    /// The database cannot be reached or has no free connection.
    Unavailable,
    /// A defect or an outage: what is known of it, which is for the log ([`Error::log`]) and for nobody else.
    Internal(Arc<str>),
}

/// A row whose change is committed and which could not be read afterwards.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// The field of the root that finds the row by its id.
    pub singular: String,
    /// The row's id.
    pub id: uuid::Uuid,
    /// Why it could not be read.
    pub because: &'static str,
}

/// Who has edited a row since the client read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stale {
    /// The version that the client named.
    pub expected: i32,
    /// The version that the row has now.
    pub current: i32,
    /// The user who edited it last, if known: id and name.
    pub changed_by: Option<(uuid::Uuid, String)>,
    /// When, if known: RFC 3339.
    pub changed_at: Option<String>,
}

/// What the store's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Input that cannot be taken.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), message: message.into() }
    }

    /// A permission that is missing.
    pub fn forbidden(permission: &'static str) -> Self {
        Self::Forbidden { permission, because: None }
    }

    /// The same failure, met while a committed change was read again: nobody is to be told to try again.
    pub fn after_commit(self, singular: &str, id: uuid::Uuid) -> Self {
        let because = match self {
            Self::Unauthenticated(_) => "the session has ended",
            Self::Timeout => "reading it took too long",
            Self::Unavailable | Self::RateLimited(_) => "the database could not be reached",
            Self::Invalid { .. } => "what was asked for of it cannot be read",
            Self::Mixed { .. } => {
                "figures of it are of rows that must not be taken together, as amounts of several currencies"
            }
            Self::NotFound(_) => "it is gone by now, or you do not see it any more",
            _ => "something went wrong inside the gateway",
        };
        Self::Committed(Box::new(Committed { singular: singular.to_owned(), id, because }))
    }

    /// Whether somebody tried what they may not, which the audit trail is told.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Forbidden { .. } | Self::Governance { .. })
    }

    /// A defect, and what is known of it.
    pub fn internal(what: &str) -> Self {
        Self::Internal(what.into())
    }

    /// Logs what nobody else is told. To be called once, by whoever handles the failure: where that is, the log knows the request
    /// or the task.
    pub fn log(&self) {
        if let Self::Internal(what) = self {
            tracing::error!(what = &**what, "internal error");
        }
    }
}

/// `query_canceled`: what PostgreSQL answers when `statement_timeout` strikes.
const QUERY_CANCELED: &str = "57014";
/// `character_not_in_repertoire` and `untranslatable_character`: a NUL in text, which GraphQL and JSON can say.
const NO_TEXT: [&str; 2] = ["22021", "22P05"];
/// `serialization_failure`, `deadlock_detected`, `lock_not_available`: of two changes one has to be made again.
const IN_THE_WAY: [&str; 3] = ["40001", "40P01", "55P03"];
/// `admin_shutdown`, `crash_shutdown`, `cannot_connect_now`, `idle_in_transaction_session_timeout`: the server has hung up.
const HUNG_UP: [&str; 4] = ["57P01", "57P02", "57P03", "25P03"];

/// Whether the server has not answered, so that another connection may do.
pub trait Broken {
    /// The code of PostgreSQL, if that is what has answered.
    fn sqlstate(&self) -> Option<String>;

    /// Whether the connection itself is lost.
    fn is_lost(&self) -> bool;
}

impl Broken for DbErr {
    fn sqlstate(&self) -> Option<String> {
        match sqlx_error(self)? {
            sqlx::Error::Database(error) => error.code().map(Into::into),
            _ => None,
        }
    }

    fn is_lost(&self) -> bool {
        matches!(sqlx_error(self), Some(sqlx::Error::Io(_)))
    }
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Query(RuntimeErr::SqlxError(inner)) | DbErr::Exec(RuntimeErr::SqlxError(inner)) => Some(inner),
        _ => None,
    }
}

/// Whether the connection broke, so that the server has not answered and another connection may do.
pub fn is_broken(error: &impl Broken) -> bool {
    error.is_lost() || error.sqlstate().is_some_and(|code| HUNG_UP.contains(&&*code))
}

/// Whether the statement gave up waiting for a lock.
pub fn is_locked(error: &impl Broken) -> bool {
    error.sqlstate().as_deref() == Some("55P03")
}

/// What PostgreSQL's code means to a client, if it has to do with what the client does.
fn of_sqlstate(code: &str) -> Option<Error> {
    match code {
        QUERY_CANCELED => Some(Error::Timeout),
        code if IN_THE_WAY.contains(&code) => Some(Error::Busy),
        code if NO_TEXT.contains(&code) => {
            Some(Error::invalid("", "Text must not contain the character NUL (U+0000)."))
        }
        _ => None,
    }
}

/// What it means to a client that the database answered this while something was read.
pub(crate) fn of_answer(error: &(impl Broken + fmt::Display)) -> Error {
    if is_broken(error) {
        tracing::error!(%error, "database unavailable");
        return Error::Unavailable;
    }
    let known = error.sqlstate().and_then(|code| of_sqlstate(&code));
    known.unwrap_or_else(|| Error::internal(&format!("the database says: {error}")))
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        let is_away = is_broken(&error)
            || matches!(sqlx_error(&error), Some(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed))
            || matches!(
                error,
                DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed) | DbErr::Conn(_)
            );
        if is_away {
            tracing::error!(%error, "database unavailable");
            return Self::Unavailable;
        }
        match error.sqlstate().and_then(|code| of_sqlstate(&code)) {
            Some(known) => {
                tracing::debug!(%error, "what a client does");
                known
            }
            None => Self::internal(&format!("the database says: {error}")),
        }
    }
}
