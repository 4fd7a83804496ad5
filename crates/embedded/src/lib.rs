//! A PostgreSQL cluster that a process starts for itself.
//!
//! The gateway uses it when it is given no `DATABASE_URL`, the tests and the developer tool use it for databases of
//! their own. The code is blocking: call it from `spawn_blocking` in an asynchronous program.
//!
//! ```no_run
//! use aether_embedded::{Cluster, Settings};
//!
//! # fn main() -> Result<(), aether_embedded::Error> {
//! let cluster = Cluster::start(Settings::persistent(".data"), &mut |line| eprintln!("{line}"))?;
//! println!("{}", cluster.url(aether_embedded::DATABASE));
//! cluster.stop()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What it guarantees
//!
//! * **Binaries.** PostgreSQL 15 or newer is searched in `PATH`, through `pg_config` and in the folders distributions,
//!   Homebrew and Postgres.app use; the newest wins, except that an existing cluster keeps its major version. Where there
//!   is none, one is downloaded (crate feature `download`), in bounded time.
//! * **Never root.** Started as root, the server runs as the ordinary user that owns the data folder, or else as
//!   `postgres`, or else as `nobody`, without root's supplementary groups. If that user cannot reach the data folder, a
//!   folder under `/var/lib/aether-nexus` is used instead, and progress says so.
//! * **Private.** No TCP port: one Unix socket in a folder of mode 0700. Whoever connects is trusted without a password,
//!   which is as safe as the data files themselves: the kernel lets only the server's user and root enter that folder,
//!   and both could read the files anyway.
//! * **One owner.** A kernel lock on `<data_dir>/lock` keeps a second process out and vanishes with its owner, however
//!   that ends.
//! * **Recovery.** After a `kill -9` of the owner the next start adopts the server still running, or restarts it if its
//!   settings differ. After a `kill -9` of the server it clears away what is left of it (a stale `postmaster.pid`, whose
//!   number may by now belong to another program, and orphaned backends) and starts anew. A first start that was
//!   interrupted leaves no half-made database: a cluster gets its name when it is complete.
//! * **Ctrl-C reaches the owner only.** The server has a process group of its own, so the owner can finish its work and
//!   then stop it: [`Cluster::stop`], or dropping the [`Cluster`].
//! * **Nothing left by tests.** With [`Settings::stop_with_parent`] a small watchdog stops the server when its owner
//!   ends in any way, and deletes the folder of an ephemeral cluster. Neither keeps a file of the owner open, so
//!   `cargo test | cat` ends when the tests do.
//!
//! # Layout
//!
//! `<data_dir>/cluster` is PostgreSQL's data folder, `postgres.log` the server's log (the previous one, once it exceeds
//! 10 MB, is `postgres.log.1`), `socket` the socket's folder, `lock` the owner's lock, `postgresql` a downloaded server.
//! A socket path may have about a hundred bytes: for a longer one, `/tmp/aether-nexus-<hash>` takes the place of
//! `socket`.

mod account;
mod binaries;
mod cluster;
#[cfg(feature = "download")]
mod download;
mod error;
mod layout;
mod postmaster;
mod watchdog;
mod wire;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::path::PathBuf;

pub use cluster::Cluster;
pub use error::Error;

/// The database every cluster has from its start.
pub const DATABASE: &str = "aether_nexus";

/// The role that owns everything in the cluster.
pub const ROLE: &str = "aether";

/// How to start a cluster.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The folder that holds the cluster, its log and its socket; created if missing.
    pub data_dir: PathBuf,
    /// The folder of the server's programs; searched for if absent.
    pub bin_dir: Option<PathBuf>,
    /// Whether commits survive a crash of the machine; `false` is faster, for tests.
    pub durable: bool,
    /// How many connections the server accepts.
    pub max_connections: u16,
    /// Whether a server may be downloaded where none is found.
    pub download: bool,
    /// Where a downloaded server is kept (and looked for); `<data_dir>/postgresql` if absent.
    pub download_dir: Option<PathBuf>,
    /// Whether a watchdog stops the server when this process ends, even by `kill -9`.
    pub stop_with_parent: bool,
    /// Whether the folder is deleted when the cluster stops; it must be empty or missing at the start.
    pub ephemeral: bool,
}

impl Settings {
    /// A durable cluster that stays in `data_dir`.
    pub fn persistent(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            bin_dir: None,
            durable: true,
            max_connections: 100,
            download: true,
            download_dir: None,
            stop_with_parent: false,
            ephemeral: false,
        }
    }

    /// A fast throw-away cluster in a new temporary folder, gone when this process is. It downloads nothing unless told
    /// to, as each would fetch its own copy: set [`Settings::download_dir`] to share one.
    pub fn ephemeral() -> Self {
        let unique = RandomState::new().hash_one(std::process::id());
        Self {
            durable: false,
            download: false,
            stop_with_parent: true,
            ephemeral: true,
            ..Self::persistent(std::env::temp_dir().join(format!("aether-{unique:016x}")))
        }
    }
}
