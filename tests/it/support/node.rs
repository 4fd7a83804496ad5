//! Programs for Node.js in `tests/clients`, with the packages that they need.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

/// A copy of the clients with the packages that they need.
pub fn installed() -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _held = ONE_AT_A_TIME.lock();
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
pub fn run(mut command: Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}. Install Node.js 18 or newer with npm (Debian: `apt-get install nodejs npm`).")
    });
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{command:?} failed with {}:\n{text}", output.status);
    text
}
