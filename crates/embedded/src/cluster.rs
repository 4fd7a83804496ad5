//! The life of a cluster: made, started or adopted, used, stopped.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::account::Account;
use crate::binaries::{Binaries, Choice, Search, choose};
use crate::layout::{Layout, NO_LINK, not_writable};
use crate::watchdog::Watchdog;
use crate::wire::{Failure, Session};
use crate::{DATABASE, Error, ROLE, Settings, postmaster};

/// The file of our settings in the cluster's folder, and the line that includes it.
const CONF: &str = "aether.conf";
const INCLUDE: &str = "include 'aether.conf'";
/// How long a server may take to recover, and orphans of a killed one to go away.
const RECOVERY: Duration = Duration::from_secs(300);
const ORPHANS: Duration = Duration::from_secs(20);
/// What a server says while it starts, recovers or stops, and when all its connections are taken.
const STARTING: &str = "57P03";
const TOO_MANY: &str = "53300";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running cluster. Dropping it stops it; [`Cluster::stop`] does the same and tells of errors.
#[derive(Debug)]
pub struct Cluster {
    layout: Layout,
    version: String,
    pid: Pid,
    watchdog: Option<Watchdog>,
    ephemeral: bool,
    stopped: bool,
}

impl Cluster {
    /// Starts the cluster of `settings.data_dir`, making it first where there is none, or adopts the server a killed
    /// owner left running. `progress` is told, in a line each, what takes time.
    ///
    /// # Errors
    /// One clear sentence that says what to do: see [`Error`].
    pub fn start(settings: Settings, progress: &mut dyn FnMut(&str)) -> Result<Self, Error> {
        let layout = Layout::open(&settings, progress)?;
        Watchdog::await_previous(&layout.data_dir);
        let watchdog = if settings.stop_with_parent {
            let watchdog = Watchdog::start(&layout.data_dir, &layout.socket_dir, settings.ephemeral);
            Some(watchdog.map_err(Error::io("starting the watchdog"))?)
        } else {
            None
        };
        let mut cluster = Self {
            layout,
            version: String::new(),
            pid: Pid::from_raw(0),
            watchdog,
            ephemeral: settings.ephemeral,
            stopped: false,
        };
        // An error drops the cluster, which cleans up.
        cluster.bring_up(&settings, progress)?;
        Ok(cluster)
    }

    /// The address of a database of this cluster, as sqlx, SeaORM and psql take it.
    pub fn url(&self, database: &str) -> String {
        let dir = encode(self.layout.socket_dir.as_os_str().as_encoded_bytes());
        format!("postgres://{ROLE}@{dir}:5432/{}?sslmode=disable", encode(database.as_bytes()))
    }

    /// The folder of the server's socket.
    pub fn socket_dir(&self) -> &Path {
        &self.layout.socket_dir
    }

    /// The data folder in use, which differs from the one asked for if the server's user could not reach that.
    pub fn data_dir(&self) -> &Path {
        &self.layout.data_dir
    }

    /// The server's version, such as `15.14`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// Creates a database unless it exists.
    ///
    /// # Errors
    /// [`Error::Query`] if the server refuses.
    pub fn ensure_database(&self, name: &str) -> Result<(), Error> {
        let literal = name.replace('\'', "''");
        let found = self.query("postgres", &format!("SELECT 1 FROM pg_database WHERE datname = '{literal}'"))?;
        if found.is_empty() {
            self.query("postgres", &format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\"")))?;
        }
        Ok(())
    }

    /// Runs one statement and gives the first column of its rows as text: for setting up, not for serving.
    ///
    /// # Errors
    /// [`Error::Query`] with the server's message.
    pub fn query(&self, database: &str, sql: &str) -> Result<Vec<String>, Error> {
        // Creating a database copies files, which takes a while on a slow disk.
        Session::open(&self.layout.socket(), ROLE, database, Duration::from_secs(60))
            .and_then(|mut session| session.run(sql))
            .map_err(|failure| Error::Query(failure.to_string()))
    }

    /// Stops the server, ending its sessions; deletes the folder of an ephemeral cluster.
    ///
    /// # Errors
    /// [`Error::Stop`] if it does not end even by force.
    pub fn stop(mut self) -> Result<(), Error> {
        self.shut_down()
    }

    fn shut_down(&mut self) -> Result<(), Error> {
        self.stopped = true;
        if let Some(pid) = postmaster::running(&self.layout.cluster()) {
            postmaster::stop(pid, &self.layout.cluster(), &self.layout.account)?;
        } else if self.pid.as_raw() > 0 {
            postmaster::alive(self.pid); // Buries it, if it was killed.
        }
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.dismiss(&self.layout.data_dir);
        }
        self.layout.remove_socket_dir();
        if self.ephemeral {
            let dir = &self.layout.data_dir;
            fs::remove_dir_all(dir).map_err(Error::io(format!("deleting {}", dir.display())))?;
        }
        Ok(())
    }

    fn bring_up(&mut self, settings: &Settings, progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
        let layout = &self.layout;
        let cluster = layout.cluster();
        let binaries = find(settings, layout, progress)?;
        self.version = binaries.version.to_string();
        clear_half_made(&layout.data_dir)?;
        if !cluster.join("PG_VERSION").exists() {
            progress(&format!(
                "creating a private database with PostgreSQL {} in {} (first start, some seconds)",
                binaries.version,
                layout.data_dir.display()
            ));
            create(settings, layout, &binaries)?;
        }
        self.pid = run(settings, layout, &binaries, progress)?;
        self.ensure_database(DATABASE)?;
        progress(&format!("PostgreSQL {} is ready", self.version));
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !self.stopped {
            let _ = self.shut_down();
        }
    }
}

/// The server programs to use, fetched if need be.
fn find(settings: &Settings, layout: &Layout, progress: &mut dyn FnMut(&str)) -> Result<Binaries, Error> {
    let cluster = layout.cluster();
    let needed = fs::read_to_string(cluster.join("PG_VERSION")).ok().and_then(|text| text.trim().parse().ok());
    let needed = needed.map(|major: u32| (major, cluster.as_path()));
    if let Some(dir) = &settings.bin_dir {
        let found =
            Binaries::in_dir(dir, &layout.account).map_err(|reason| Error::BadBinDir { path: dir.clone(), reason })?;
        return match choose(&[found], needed) {
            Choice::Use(binaries) => Ok(binaries),
            Choice::Missing(error, _) => Err(error),
        };
    }
    let dir = match &settings.download_dir {
        Some(dir) => std::path::absolute(dir).map_err(Error::io("finding the current folder"))?,
        None => layout.data_dir.join("postgresql"),
    };
    match choose(&Search::machine(&dir).run(&layout.account), needed) {
        Choice::Use(binaries) => Ok(binaries),
        Choice::Missing(error, major) if settings.download => download(error, major, &dir, &layout.account, progress),
        Choice::Missing(error, _) => Err(error),
    }
}

#[cfg(feature = "download")]
fn download(
    error: Error,
    major: Option<u32>,
    dir: &Path,
    account: &Account,
    progress: &mut dyn FnMut(&str),
) -> Result<Binaries, Error> {
    crate::download::fetch(major, dir, account, progress).map_err(|reason| match error {
        Error::OtherVersion { .. } => error,
        Error::TooOld { found, path } => {
            let missing = format!("the PostgreSQL server found is too old, version {found} in {}", path.display());
            Error::Download { missing, reason }
        }
        _ => Error::Download { missing: "no PostgreSQL server was found".to_owned(), reason },
    })
}

#[cfg(not(feature = "download"))]
fn download(error: Error, _: Option<u32>, _: &Path, _: &Account, _: &mut dyn FnMut(&str)) -> Result<Binaries, Error> {
    Err(error)
}

/// Removes what interrupted first starts left.
fn clear_half_made(data_dir: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(data_dir).map_err(not_writable(data_dir))?.flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(b"cluster.new-") {
            // An `initdb` that is still writing there can foil this: then the next start does it.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

/// Makes the cluster under another name and renames it when it is whole.
fn create(settings: &Settings, layout: &Layout, binaries: &Binaries) -> Result<(), Error> {
    let data_dir = &layout.data_dir;
    // Used only once: the `initdb` of an interrupted start may still be at work.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    let fresh = data_dir.join(format!("cluster.new-{now:x}"));
    fs::DirBuilder::new().mode(0o700).create(&fresh).map_err(not_writable(&fresh))?;
    layout.account.give(&fresh).map_err(not_writable(&fresh))?;
    let result = initdb(settings, layout, binaries, &fresh).and_then(|()| {
        let path = fresh.join("postgresql.conf");
        let write = |mut file: File| writeln!(file, "\n{INCLUDE}").and_then(|()| file.sync_all());
        OpenOptions::new().append(true).open(&path).and_then(write).map_err(not_writable(&path))?;
        let cluster = layout.cluster();
        let _ = fs::remove_dir(&cluster);
        fs::rename(&fresh, &cluster).map_err(not_writable(&cluster))?;
        File::open(data_dir).and_then(|dir| dir.sync_all()).map_err(not_writable(data_dir))
    });
    if result.is_err() {
        let _ = fs::remove_dir_all(&fresh);
    }
    result
}

fn initdb(settings: &Settings, layout: &Layout, binaries: &Binaries, fresh: &Path) -> Result<(), Error> {
    let run = |locale: &str| -> Result<Output, Error> {
        let mut command = layout.account.command(binaries.initdb());
        command.current_dir(fresh).arg("-D").arg(fresh).args([
            "--username",
            ROLE,
            "--encoding=UTF8",
            "--data-checksums",
            "--auth-local=trust",
            "--auth-host=reject",
            "--no-instructions",
        ]);
        command.arg(format!("--locale={locale}"));
        if !settings.durable {
            command.arg("--no-sync");
        }
        command.output().map_err(Error::io(format!("running {}", binaries.initdb().display())))
    };
    let mut output = run("C.UTF-8")?;
    if !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("invalid locale name") {
        output = run("C")?;
    }
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(Error::Init { path: layout.cluster(), output: last_lines(&text) })
}

/// Our settings, in full: what is in this file is what a server that runs was started with.
fn conf(settings: &Settings, layout: &Layout) -> String {
    let mut text = format!(
        "# Written at each start; changes made here are lost.\n\
         listen_addresses = ''\n\
         port = 5432\n\
         unix_socket_directories = '{}'\n\
         unix_socket_permissions = 0700\n\
         max_connections = {}\n\
         shared_buffers = 128MB\n\
         jit = off\n\
         timezone = 'UTC'\n\
         log_timezone = 'UTC'\n\
         log_destination = 'stderr'\n\
         logging_collector = off\n",
        layout.socket_dir.display(),
        settings.max_connections.max(10),
    );
    if !settings.durable {
        text.push_str("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n");
    }
    text
}

/// Puts our settings in place, for the server's user to read.
fn write_conf(text: &str, layout: &Layout) -> Result<(), Error> {
    let path = layout.cluster().join(CONF);
    let new = layout.cluster().join("aether.conf.new");
    let write = || {
        let mut file =
            OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).custom_flags(NO_LINK).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        layout.account.give(&new)?;
        fs::rename(&new, &path)
    };
    write().map_err(not_writable(&path))
}

/// Adopts the server that is running, or starts one.
fn run(
    settings: &Settings,
    layout: &Layout,
    binaries: &Binaries,
    progress: &mut dyn FnMut(&str),
) -> Result<Pid, Error> {
    let cluster = layout.cluster();
    let wanted = conf(settings, layout);
    let begun = Instant::now();
    let mut told = false;
    loop {
        if let Some(pid) = postmaster::running(&cluster) {
            let same = fs::read_to_string(cluster.join(CONF)).is_ok_and(|text| text == wanted);
            if same && wait(layout, pid, progress).is_some() {
                progress("found the server of a previous run, which was killed: going on with it");
                return Ok(pid);
            }
            progress("stopping the server of a previous run, which was killed");
            postmaster::stop(pid, &cluster, &layout.account)?;
        }
        clear(layout);
        write_conf(&wanted, layout)?;
        let mut log = layout.open_log()?;
        let from = log.seek(SeekFrom::End(0)).unwrap_or(0);
        let pid = spawn(layout, binaries, log)?;
        if wait(layout, pid, progress).is_some() {
            return Ok(pid);
        }
        let tail = log_since(&layout.log(), from);
        // What a killed server left behind: its backends notice soon; or one that was only just starting.
        let left_over = tail.contains("still in use") || tail.contains("already exists");
        if postmaster::alive(pid) {
            postmaster::stop(pid, &cluster, &layout.account)?;
        }
        if !left_over || begun.elapsed() > ORPHANS {
            return Err(Error::Start { log: layout.log(), tail: last_lines(&tail) });
        }
        if !told {
            progress("waiting for what is left of a server that was killed");
            told = true;
        }
        if begun.elapsed() > Duration::from_secs(2) {
            let force = begun.elapsed() > Duration::from_secs(6);
            let signal = if force { Signal::SIGKILL } else { Signal::SIGQUIT };
            postmaster::end_orphans(&cluster, &layout.account, signal);
        }
        sleep(Duration::from_millis(200));
    }
}

/// Removes what tells of a server that is no more. Its process id may be in use again, and PostgreSQL would then refuse
/// to start.
fn clear(layout: &Layout) {
    let stale = layout.cluster().join("postmaster.pid");
    let pid = fs::read_to_string(&stale).ok().and_then(|text| text.lines().next()?.trim().parse::<i32>().ok());
    if pid.is_some_and(|pid| postmaster::alive(Pid::from_raw(pid.abs()))) {
        // With this file goes PostgreSQL's own look at the orphans.
        postmaster::end_orphans(&layout.cluster(), &layout.account, Signal::SIGKILL);
        let _ = fs::remove_file(stale);
    }
    let _ = fs::remove_file(layout.socket());
    let _ = fs::remove_file(PathBuf::from(format!("{}.lock", layout.socket().display())));
}

/// Starts the server in a process group of its own, with nothing of ours open.
fn spawn(layout: &Layout, binaries: &Binaries, log: File) -> Result<Pid, Error> {
    let cluster = layout.cluster();
    let what = || format!("running {}", binaries.postgres().display());
    let twin = log.try_clone().map_err(Error::io("opening the log"))?;
    let mut command = layout.account.command(binaries.postgres());
    command.arg("-D").arg(&cluster).current_dir(&cluster).stdout(log).stderr(twin).process_group(0);
    let child = command.spawn().map_err(Error::io(what()))?;
    Ok(Pid::from_raw(child.id().cast_signed()))
}

/// Waits until the server answers; nothing if it ended or takes too long.
fn wait(layout: &Layout, pid: Pid, progress: &mut dyn FnMut(&str)) -> Option<()> {
    let begun = Instant::now();
    let mut next = Duration::from_secs(3);
    while postmaster::alive(pid) {
        match Session::open(&layout.socket(), ROLE, "postgres", PATIENCE) {
            Ok(_) => return Some(()),
            Err(Failure::Server(state, _)) => match state.as_str() {
                STARTING => {}
                TOO_MANY => return Some(()),
                // No way in: waiting does not help.
                _ => return None,
            },
            Err(Failure::Io(_)) => {}
        }
        if begun.elapsed() > RECOVERY {
            return None;
        }
        if begun.elapsed() > next {
            progress(&format!("PostgreSQL is starting ({} s)", begun.elapsed().as_secs()));
            next += Duration::from_secs(3);
        }
        sleep(Duration::from_millis(15));
    }
    None
}

/// What the server has written since a position.
fn log_since(log: &Path, from: u64) -> String {
    let mut bytes = Vec::new();
    let read = || File::open(log).and_then(|mut file| file.seek(SeekFrom::Start(from)).map(|_| file));
    let _ = read().and_then(|mut file| file.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}

/// Percent-encoding for a part of a URL.
fn encode(bytes: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let step = |byte: &u8| {
        if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }
    };
    bytes.iter().map(step).collect()
}
