//! Finding the server's programs on this machine.

use std::cmp::Reverse;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;
use crate::account::Account;

/// The oldest major version the gateway works with.
pub(crate) const OLDEST: u32 = 15;

/// Where distributions and installers put the server; one `*` in a component stands for anything.
const USUAL: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/lib/postgresql*/bin",
    "/usr/libexec/postgresql*",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/usr/local/bin",
    "/usr/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/opt/homebrew/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/opt/local/lib/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/Library/PostgreSQL/*/bin",
];

/// A server version, such as 15.14.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub major: u32,
    minor: u32,
    text: String,
}

impl Version {
    /// Reads what `postgres --version` prints, such as `postgres (PostgreSQL) 15.14 (Debian 15.14-1)`.
    pub fn parse(line: &str) -> Option<Self> {
        let text = line.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
        let mut numbers = text.split('.').map(|part| {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u32>().ok()
        });
        let major = numbers.next()??;
        let minor = numbers.next().flatten().unwrap_or(0);
        Some(Self { major, minor, text: text.to_owned() })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A folder with a server of a known version.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    pub dir: PathBuf,
    pub version: Version,
}

impl Binaries {
    pub fn postgres(&self) -> PathBuf {
        self.dir.join("postgres")
    }

    pub fn initdb(&self) -> PathBuf {
        self.dir.join("initdb")
    }

    /// The server in this folder, links resolved, as `account` can run it.
    pub fn in_dir(dir: &Path, account: &Account) -> Result<Self, String> {
        let program = fs::canonicalize(dir.join("postgres")).map_err(|_| "there is no `postgres` in it".to_owned())?;
        let dir = program.parent().unwrap_or(dir).to_owned();
        if !dir.join("initdb").exists() {
            return Err("there is a `postgres` but no `initdb` in it".to_owned());
        }
        let output = account
            .command(&program)
            .arg("--version")
            .output()
            .map_err(|error| format!("user {} cannot run its `postgres` ({error})", account.name))?;
        let line = String::from_utf8_lossy(&output.stdout);
        let version = Version::parse(&line)
            .filter(|_| output.status.success())
            .ok_or_else(|| "its `postgres --version` does not work".to_owned())?;
        Ok(Self { dir, version })
    }
}

/// Where to look.
pub(crate) struct Search {
    /// The value of `PATH`.
    pub path: Option<OsString>,
    /// Folders, one `*` allowed in each component.
    pub usual: Vec<PathBuf>,
}

impl Search {
    /// Everything this machine may have, and the folder of downloaded binaries.
    #[expect(
        clippy::disallowed_methods,
        reason = "where programs are looked for is the machine's business, no setting"
    )]
    pub fn machine(download_dir: &Path) -> Self {
        let mut usual = vec![download_dir.join("bin")];
        usual.extend(USUAL.iter().map(PathBuf::from));
        Self { path: env::var_os("PATH"), usual }
    }

    /// All servers there are, newest first; on equal versions the one found first.
    pub fn run(&self, account: &Account) -> Vec<Binaries> {
        let mut dirs: Vec<PathBuf> = Vec::new();
        if let Some(path) = &self.path {
            dirs.extend(env::split_paths(path).filter(|dir| dir.is_absolute()));
            dirs.extend(self.pg_config());
        }
        for pattern in &self.usual {
            dirs.extend(expand(pattern));
        }
        let mut found: Vec<Binaries> = Vec::new();
        let mut seen: Vec<PathBuf> = Vec::new();
        for dir in dirs {
            let Ok(program) = fs::canonicalize(dir.join("postgres")) else {
                continue;
            };
            if seen.contains(&program) {
                continue;
            }
            seen.push(program);
            found.extend(Binaries::in_dir(&dir, account));
        }
        found.sort_by_key(|binaries| Reverse((binaries.version.major, binaries.version.minor)));
        found
    }

    /// The folder `pg_config` names.
    fn pg_config(&self) -> Option<PathBuf> {
        let program = env::split_paths(self.path.as_ref()?).map(|dir| dir.join("pg_config")).find(|p| p.is_file())?;
        let output = Command::new(program).arg("--bindir").stdin(Stdio::null()).output().ok()?;
        let dir = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
        dir.is_absolute().then_some(dir)
    }
}

/// What to do about server binaries.
#[derive(Debug)]
pub(crate) enum Choice {
    /// Use these.
    Use(Binaries),
    /// None will do: the error to give, or the major version to fetch (any, if none is needed).
    Missing(Error, Option<u32>),
}

/// The newest server that will do: of version `needed` where a cluster exists, of at least [`OLDEST`] otherwise.
pub(crate) fn choose(found: &[Binaries], needed: Option<(u32, &Path)>) -> Choice {
    let fits = |binaries: &&Binaries| match needed {
        Some((major, _)) => binaries.version.major == major,
        None => binaries.version.major >= OLDEST,
    };
    if let Some(binaries) = found.iter().find(fits) {
        return Choice::Use(binaries.clone());
    }
    match (needed, found.first()) {
        (Some((needed, path)), _) => {
            let found = found.iter().map(|b| b.version.to_string()).collect();
            Choice::Missing(Error::OtherVersion { path: path.to_owned(), needed, found }, Some(needed))
        }
        (None, Some(newest)) => {
            let error = Error::TooOld { found: newest.version.to_string(), path: newest.dir.clone() };
            Choice::Missing(error, None)
        }
        (None, None) => Choice::Missing(Error::NotFound, None),
    }
}

/// The folders a pattern stands for; sorted, last (most often the newest) first.
fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let name = component.as_os_str().to_string_lossy();
        let Some((before, after)) = name.split_once('*') else {
            for path in &mut found {
                path.push(component);
            }
            continue;
        };
        let mut next = Vec::new();
        for path in found {
            let Ok(entries) = fs::read_dir(&path) else {
                continue;
            };
            next.extend(entries.flatten().map(|entry| entry.path()).filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(before) && name[before.len()..].ends_with(after)
            }));
        }
        next.sort();
        next.reverse();
        found = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// A folder whose `postgres` claims to be of a version.
    fn fake(root: &Path, name: &str, version: &str) -> PathBuf {
        let dir = root.join(name);
        fs::create_dir_all(&dir).unwrap();
        for program in ["postgres", "initdb"] {
            // Written by another process: a file this one has open for writing cannot be run by a thread's child.
            let script = "printf '#!/bin/sh\\necho \"postgres (PostgreSQL) %s\"\\n' \"$2\" >\"$1\" && chmod 755 \"$1\"";
            let done = Command::new("sh").args(["-c", script, "sh"]).arg(dir.join(program)).arg(version).status();
            assert!(done.unwrap().success());
        }
        dir
    }

    fn temp(name: &str) -> PathBuf {
        let root = fs::canonicalize(env::temp_dir()).unwrap().join(format!("aether-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
        root
    }

    #[test]
    fn versions_are_read() {
        let parse = |line| Version::parse(line).map(|v| (v.major, v.minor, v.text));
        let debian = parse("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n");
        assert_eq!(debian, Some((15, 14, "15.14".to_owned())));
        assert_eq!(parse("postgres (PostgreSQL) 18beta1"), Some((18, 0, "18beta1".to_owned())));
        assert_eq!(parse("hello"), None);
    }

    #[test]
    fn the_newest_wins_and_links_are_followed() {
        let root = temp("newest");
        fake(&root, "lib/9/bin", "9.6.1");
        let newest = fake(&root, "lib/17/bin", "17.2");
        fake(&root, "lib/15/bin", "15.9");
        fs::create_dir_all(root.join("path")).unwrap();
        symlink(root.join("lib/15/bin/postgres"), root.join("path/postgres")).unwrap();
        let account = Account::choose(&root).unwrap();
        let mut search = Search { path: Some(root.join("path").into()), usual: vec![root.join("lib/*/bin")] };
        let found = search.run(&account);
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[0].dir, newest);

        search.usual.clear();
        let found = search.run(&account);
        assert_eq!(found[0].dir, root.join("lib/15/bin"), "the folder behind the link");

        let Choice::Use(exact) = choose(&found, Some((15, &root))) else { panic!() };
        assert_eq!(exact.version.to_string(), "15.9");
        let Choice::Missing(error, Some(16)) = choose(&found, Some((16, Path::new("/data/cluster")))) else { panic!() };
        assert_eq!(
            error.to_string(),
            "the database in /data/cluster was made by PostgreSQL 16, but the servers found are 15.9: install \
             PostgreSQL 16, or move that folder away to begin with an empty database"
        );
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn too_old_and_missing_are_told_apart() {
        let root = temp("old");
        let dir = fake(&root, "bin", "13.4");
        let account = Account::choose(&root).unwrap();
        let found = Search { path: Some(dir.clone().into()), usual: vec![] }.run(&account);
        let Choice::Missing(error, None) = choose(&found, None) else { panic!() };
        let text = error.to_string();
        assert!(text.contains("too old, version 13.4 in") && text.contains(dir.to_str().unwrap()), "{text}");

        let found = Search { path: Some(root.join("nothing").into()), usual: vec![root.join("no*/bin")] }.run(&account);
        let Choice::Missing(Error::NotFound, None) = choose(&found, None) else { panic!() };
        fs::remove_dir_all(root).unwrap();
    }
}
