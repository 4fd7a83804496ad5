//! The server's main process: is it there, is it ours, does it stop.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::Error;
use crate::account::Account;

/// The process that serves `cluster` now, according to its `postmaster.pid` and to the system.
pub(crate) fn running(cluster: &Path) -> Option<Pid> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    let pid = text.lines().next()?.trim().parse::<i32>().ok()?;
    // A negative number is that of a single-user server.
    let pid = Pid::from_raw(pid.abs());
    (alive(pid) && serves(pid, cluster)).then_some(pid)
}

/// Whether a process exists and has not ended; one of our own that has ended is buried.
pub(crate) fn alive(pid: Pid) -> bool {
    match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) => true,
        Err(Errno::ECHILD) => !matches!(kill(pid, None), Err(Errno::ESRCH)) && !is_zombie(pid),
        _ => false,
    }
}

/// Whether a process has ended but its parent takes no notice, as the first process of a container often does not.
fn is_zombie(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']))
}

/// Whether a process is the server of this folder. Process ids are used again, above all in containers.
fn serves(pid: Pid, cluster: &Path) -> bool {
    if Path::new("/proc/self").exists() {
        // The folder it works in is hidden from root where root has been curtailed, the command line is not.
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let named = line.split(|byte| *byte == 0).any(|word| word == cluster.as_os_str().as_encoded_bytes());
        let place = fs::canonicalize(cluster).ok();
        return named || place.is_some_and(|place| fs::read_link(format!("/proc/{pid}/cwd")).ok() == Some(place));
    }
    let output = Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("postgres"))
}

/// Ends backends whose postmaster was killed. They notice by themselves, unless they are busy. Done in the server's
/// name, as only its user may see where its processes work.
pub(crate) fn end_orphans(cluster: &Path, account: &Account, signal: Signal) {
    const SCRIPT: &str = r#"
        for process in /proc/[0-9]*; do
            [ "$(cat "$process/comm")" = postgres ] && [ "$(readlink "$process/cwd")" = "$1" ] &&
                kill -"$2" "${process#/proc/}"
        done"#;
    let _ = account
        .command("/bin/sh")
        .args(["-c", SCRIPT, "sh"])
        .arg(fs::canonicalize(cluster).unwrap_or_default())
        .arg(signal.as_str().trim_start_matches("SIG"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// Stops the server: politely, then at once, then by force.
pub(crate) fn stop(pid: Pid, cluster: &Path, account: &Account) -> Result<(), Error> {
    let steps = [(Signal::SIGINT, 30), (Signal::SIGQUIT, 10), (Signal::SIGKILL, 5)];
    for (signal, seconds) in steps {
        if let Err(error) = kill(pid, signal)
            && error != Errno::ESRCH
        {
            break;
        }
        if gone_within(pid, Duration::from_secs(seconds)) {
            if signal == Signal::SIGKILL {
                end_orphans(cluster, account, signal);
            }
            return Ok(());
        }
    }
    Err(Error::Stop { pid: pid.as_raw() })
}

fn gone_within(pid: Pid, patience: Duration) -> bool {
    let begun = Instant::now();
    while alive(pid) {
        if begun.elapsed() > patience {
            return false;
        }
        sleep(Duration::from_millis(10));
    }
    true
}
