//! What can go wrong, each in one sentence that says what to do.

use std::io;
use std::path::PathBuf;

/// Why a cluster could not be started, used or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No server binaries anywhere, and none may be downloaded.
    #[error(
        "no PostgreSQL server was found (looked in PATH and the usual folders): install PostgreSQL 15 or newer \
         (for example `apt install postgresql` or `brew install postgresql@17`), or set DATABASE_URL to a running server"
    )]
    NotFound,

    /// Server binaries exist, but only of an older version than 15.
    #[error(
        "the PostgreSQL server found is too old, version {found} in {}: install PostgreSQL 15 or newer, \
         or set DATABASE_URL to a server of version 15 or newer", path.display()
    )]
    TooOld {
        /// The newest version found.
        found: String,
        /// Its folder.
        path: PathBuf,
    },

    /// The folder given explicitly holds no usable server.
    #[error(
        "no usable PostgreSQL server in {}: {reason}; give the folder that holds `postgres` and `initdb`, or none to search for one",
        path.display()
    )]
    BadBinDir {
        /// The folder given.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// The cluster in the data folder was made by a major version that is not installed.
    #[error(
        "the database in {} was made by PostgreSQL {needed}, but the servers found are {}: install PostgreSQL {needed}, \
         or move that folder away to begin with an empty database", path.display(), or_none(found)
    )]
    OtherVersion {
        /// The cluster's folder.
        path: PathBuf,
        /// The major version it needs.
        needed: u32,
        /// The versions found.
        found: Vec<String>,
    },

    /// Server binaries were missing and could not be fetched.
    #[error(
        "{missing} and downloading one from GitHub failed ({reason}): install PostgreSQL 15 or newer with the package manager \
         (for example `apt install postgresql` or `brew install postgresql@17`), or set DATABASE_URL to a running server"
    )]
    Download {
        /// Why a download was needed.
        missing: String,
        /// Why it failed.
        reason: String,
    },

    /// A file or folder could not be created or written.
    #[error(
        "cannot write to {} as user {user} ({source}): give that user the right to write there, or choose another data folder",
        path.display()
    )]
    NotWritable {
        /// The file or folder.
        path: PathBuf,
        /// The OS user that tried.
        user: String,
        /// The system's answer.
        source: io::Error,
    },

    /// An ephemeral cluster was asked for in a folder that holds something.
    #[error(
        "{} is not empty: a throw-away cluster deletes its folder, so give one that is empty or does not exist",
        path.display()
    )]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },

    /// Another process owns the data folder.
    #[error(
        "the data folder {} is in use by another process{}: stop that process, or choose another data folder",
        path.display(), in_brackets(pid)
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The owner's process id, where known.
        pid: Option<i32>,
    },

    /// Started as root, and there is no ordinary user to run the server as.
    #[error(
        "PostgreSQL refuses to run as root and it cannot be run as another user ({reason}): \
         start this program as an ordinary user, or create one called `postgres`"
    )]
    Account {
        /// What was tried.
        reason: String,
    },

    /// The short socket folder exists and belongs to somebody else.
    #[error("{} should be a private folder of user {user}, and is not: remove it, or choose a data folder with a shorter path", path.display())]
    SocketDir {
        /// The folder.
        path: PathBuf,
        /// Who should own it.
        user: String,
    },

    /// `initdb` failed.
    #[error("the database in {} could not be created, correct what `initdb` says and start again:\n{output}", path.display())]
    Init {
        /// The cluster's folder.
        path: PathBuf,
        /// The last lines it wrote.
        output: String,
    },

    /// The server did not come up.
    #[error("the PostgreSQL server did not start, correct what its log ({}) says and start again:\n{tail}", log.display())]
    Start {
        /// The log file.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },

    /// The server did not go down.
    #[error("the PostgreSQL server (process {pid}) does not stop: end that process by hand")]
    Stop {
        /// The postmaster's process id.
        pid: i32,
    },

    /// The server refused a statement, or did not answer.
    #[error("the private PostgreSQL server answered: {0}; its log says more")]
    Query(String),

    /// Any other failure of the operating system.
    #[error("{what} failed ({source}): correct that and start again")]
    Io {
        /// What was tried.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

fn or_none(found: &[String]) -> String {
    if found.is_empty() { "none".to_owned() } else { found.join(", ") }
}

fn in_brackets(pid: &Option<i32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}
