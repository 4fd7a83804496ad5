//! Folders and processes for the tests.
#![allow(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aether_embedded::{Cluster, Error, Settings};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A folder of one test, removed at its end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let base = fs::canonicalize(std::env::temp_dir()).unwrap();
        let path = base.join(format!("ae-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }

    /// Settings of a cluster in this folder, not durable: these tests kill processes, not the machine.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::persistent(self.0.join("data"));
        settings.durable = false;
        settings
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts a cluster and gives what was told meanwhile.
pub fn start(settings: Settings) -> Result<(Cluster, Vec<String>), Error> {
    let mut told = Vec::new();
    let begun = Instant::now();
    let cluster = Cluster::start(settings, &mut |line| told.push(line.to_owned()))?;
    println!("started in {:?}: {told:?}", begun.elapsed());
    Ok((cluster, told))
}

/// Another process that owns a cluster.
pub struct Owner {
    pub child: Child,
    /// The number of its server.
    pub server: u32,
    pub data_dir: PathBuf,
}

/// Starts this very program again as an owner of a cluster: `mode` is `persistent`, `watched` or `ephemeral`.
pub fn owner(mode: &str, data_dir: &Path) -> Owner {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["owner_process", "--exact", "--ignored", "--nocapture"])
        .env("OWNER_MODE", mode)
        .env("OWNER_DIR", data_dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in lines {
        let line = line.unwrap();
        if let Some((_, rest)) = line.split_once("owner ready ") {
            let (server, data_dir) = rest.split_once(' ').unwrap();
            return Owner { child, server: server.parse().unwrap(), data_dir: data_dir.into() };
        }
    }
    panic!("the owner process ended: {:?}", child.wait());
}

/// What the owner process does.
#[expect(clippy::disallowed_methods, reason = "how the test that starts it tells it what to do")]
pub fn be_owner() {
    let Ok(mode) = std::env::var("OWNER_MODE") else {
        return;
    };
    let dir = std::env::var_os("OWNER_DIR").unwrap();
    let mut settings = match mode.as_str() {
        "ephemeral" => Settings::ephemeral(),
        _ => Settings::persistent(dir),
    };
    settings.durable = false;
    settings.stop_with_parent = mode != "persistent";
    let cluster = Cluster::start(settings, &mut |_| ()).unwrap();
    println!("owner ready {} {}", cluster.pid(), cluster.data_dir().display());
    // Until the end of the input, which is the end of the test at the latest.
    let _ = std::io::stdin().read_line(&mut String::new());
}

impl Owner {
    /// `kill -9` of the owner.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

pub fn send(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.cast_signed()), signal).unwrap();
}

pub fn exists(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    kill(Pid::from_raw(pid.cast_signed()), None).is_ok() && !stat.contains(") Z ")
}

pub fn eventually(what: &str, limit: Duration, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < limit, "{what} did not happen within {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
