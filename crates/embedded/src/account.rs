//! The OS user the server runs as: ourselves, or an ordinary user when we are root.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User, geteuid};

use crate::Error;

/// Who owns the cluster and runs the server.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub name: String,
    pub uid: u32,
    gid: u32,
    /// We are root: children change to this user, files are given to it.
    switch: bool,
}

impl Account {
    /// Ourselves. As root: the ordinary user that owns the data folder or the cluster in it, else `postgres`, else
    /// `nobody`.
    pub fn choose(data_dir: &Path) -> Result<Self, Error> {
        let me = geteuid();
        if !me.is_root() {
            let user = User::from_uid(me).ok().flatten();
            return Ok(Self {
                name: user.as_ref().map_or_else(|| me.to_string(), |user| user.name.clone()),
                uid: me.as_raw(),
                gid: user.map_or_else(nix::unistd::getegid, |user| user.gid).as_raw(),
                switch: false,
            });
        }
        let owner = [data_dir.join("cluster"), data_dir.to_owned()]
            .iter()
            .filter_map(|path| fs::metadata(path).ok())
            .map(|meta| Uid::from_raw(meta.uid()))
            .find(|uid| !uid.is_root())
            .and_then(|uid| User::from_uid(uid).ok().flatten());
        let named = |name| User::from_name(name).ok().flatten().filter(|user| !user.uid.is_root());
        let user = owner
            .or_else(|| named("postgres"))
            .or_else(|| named("nobody"))
            .ok_or_else(|| Error::Account { reason: "there is no user `postgres` or `nobody`".to_owned() })?;
        Ok(Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw(), switch: true })
    }

    /// Whether the server runs as another user than this process.
    pub fn is_other(&self) -> bool {
        self.switch
    }

    /// A command of this user, in the root folder, with no input, no `PG…` variables and messages in English.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").stdin(Stdio::null()).env("LC_ALL", "C");
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        if self.switch {
            // The standard library also drops root's supplementary groups when it changes the user.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Makes this user the owner of one file or folder.
    pub fn give(&self, path: &Path) -> io::Result<()> {
        if self.switch { lchown(path, Some(self.uid), Some(self.gid)) } else { Ok(()) }
    }

    /// Makes this user the owner of a folder and of all in it.
    #[cfg(feature = "download")]
    pub fn give_tree(&self, path: &Path) -> io::Result<()> {
        if !self.switch {
            return Ok(());
        }
        self.give(path)?;
        if fs::symlink_metadata(path)?.is_dir() {
            for entry in fs::read_dir(path)? {
                self.give_tree(&entry?.path())?;
            }
        }
        Ok(())
    }

    /// Whether this user can enter the folder.
    pub fn reaches(&self, dir: &Path) -> Result<bool, Error> {
        if !self.switch {
            return Ok(true);
        }
        self.command("/bin/sh")
            .args(["-c", "cd -- \"$1\" && test -x .", "sh"])
            .arg(dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map(|status| status.success())
            .map_err(|error| Error::Account { reason: format!("changing to user {} failed, {error}", self.name) })
    }
}
