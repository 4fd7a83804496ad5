//! The published clients of both protocols, from npm, against a gateway: `tests/clients`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tokio::task::spawn_blocking;

use crate::support::Gateway;

/// What the gateway signs access tokens with: the clients sign some that are about to expire.
const SECRET: &str = "a-secret-that-gateway-and-clients-share";

#[tokio::test]
async fn published_clients_are_told_once_and_in_order_and_resume() {
    let gateway = Gateway::with(&["--jwt-secret", SECRET]).await;
    let url = gateway.url.clone();
    // The gateway serves on this thread meanwhile.
    let tests = spawn_blocking(move || {
        let mut node = Command::new("node");
        node.args(["--test", "--test-reporter=spec"]).current_dir(installed());
        let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
        node.env("AETHER_URL", url).env("AETHER_JWT_SECRET", SECRET).env("AETHER_README", readme);
        run(node)
    });
    let output = tests.await.expect("the clients run");
    assert!(output.contains("pass "), "no test of a client was run:\n{output}");
}

/// A copy of the clients with the packages that they need.
fn installed() -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    fs::create_dir_all(&to).expect("a folder");
    let lock = fs::read(from.join("package-lock.json")).expect("a lockfile");
    // Written last, so what it names is there.
    let installed = to.join("installed.json");
    let is_installed = fs::read(&installed).is_ok_and(|known| known == lock);
    for old in files(&to) {
        if old != installed {
            fs::remove_file(&old).expect("an old file goes");
        }
    }
    for file in files(&from) {
        fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("a copy");
    }
    if !is_installed {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--prefer-offline", "--no-audit", "--no-fund"]).current_dir(&to);
        run(npm);
        fs::write(installed, lock).expect("a note");
    }
    to
}

/// The files of a folder, without those in folders below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.is_file()).collect()
}

/// What a program prints, which must succeed.
fn run(mut command: Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}. Install Node.js 18 or newer with npm (Debian: `apt-get install nodejs npm`).")
    });
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{command:?} failed with {}:\n{text}", output.status);
    text
}
