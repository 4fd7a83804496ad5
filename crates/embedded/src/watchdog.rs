//! A helper process that cleans up after us, even when we are killed.

use std::fs;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use crate::postmaster::alive;

/// Waits for the end of its input, which comes with the end of the owner, and then stops the server. Given a line
/// first, there is nothing left to do. The folder of an ephemeral cluster is removed again until it stays away, as an
/// `initdb` or a server just started may still be writing to it.
const SCRIPT: &str = r#"
trap '' INT TERM HUP QUIT PIPE
dir=$1 ephemeral=$2 socket_dir=$3
read -r line && exit 0
tries=0
while [ $tries -lt 20 ]; do
    pid=
    [ -f "$dir/cluster/postmaster.pid" ] && read -r pid <"$dir/cluster/postmaster.pid"
    case $pid in '' | *[!0-9]*) pid= ;; esac
    if [ "$ephemeral" = 1 ]; then
        [ -n "$pid" ] && kill -QUIT "$pid" && sleep 0.2
        [ -e "$dir" ] || [ $tries -lt 3 ] || break
        rm -rf -- "$dir" "$socket_dir"
    else
        if [ -n "$pid" ] && kill -0 "$pid"; then
            [ $tries -lt 15 ] && kill -INT "$pid" || kill -QUIT "$pid"
        else
            [ $tries -lt 2 ] || break
        fi
    fi
    tries=$((tries + 1))
    sleep 0.5
done
rm -f -- "$dir/watchdog.pid"
"#;

/// The running helper.
#[derive(Debug)]
pub(crate) struct Watchdog {
    child: Child,
}

impl Watchdog {
    /// Starts the helper; it keeps nothing of ours open but the reading end of its input.
    pub fn start(data_dir: &Path, socket_dir: &Path, ephemeral: bool) -> io::Result<Self> {
        let child = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "aether-watchdog"])
            .arg(data_dir)
            .arg(if ephemeral { "1" } else { "0" })
            .arg(socket_dir)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        fs::write(data_dir.join("watchdog.pid"), child.id().to_string())?;
        Ok(Self { child })
    }

    /// Sends the helper home: the cluster is stopped already.
    pub fn dismiss(mut self, data_dir: &Path) {
        if let Some(mut input) = self.child.stdin.take() {
            let _ = input.write_all(b"stopped\n");
        }
        let _ = self.child.wait();
        let _ = fs::remove_file(data_dir.join("watchdog.pid"));
    }

    /// Waits for the helper of a previous owner to finish, lest it stop a server that we have adopted.
    pub fn await_previous(data_dir: &Path) {
        let path = data_dir.join("watchdog.pid");
        let begun = Instant::now();
        while let Ok(text) = fs::read_to_string(&path) {
            let Ok(pid) = text.trim().parse() else { break };
            if !alive(Pid::from_raw(pid)) || begun.elapsed() > Duration::from_secs(15) {
                break;
            }
            sleep(Duration::from_millis(20));
        }
        let _ = fs::remove_file(path);
    }
}
