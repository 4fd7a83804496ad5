//! Awkward folders and binaries, and what is said about them.

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use aether_embedded::{Cluster, DATABASE, Settings};
use common::{Folder, start};
use nix::unistd::geteuid;

/// A folder whose programs print a line, written by another process (see the unit tests of `binaries`).
fn fake(dir: &Path, line: &str) {
    fs::create_dir_all(dir).unwrap();
    let script =
        "for p in postgres initdb; do printf '#!/bin/sh\\necho \"%s\"\\n' \"$2\" >$1/$p; chmod 755 $1/$p; done";
    assert!(Command::new("sh").args(["-c", script, "sh"]).arg(dir).arg(line).status().unwrap().success());
}

fn message(settings: Settings) -> String {
    let text = start(settings).unwrap_err().to_string();
    assert!(!text.contains('\n'), "one sentence: {text}");
    text
}

#[test]
fn unusable_binaries_are_named() {
    let folder = Folder::new("bin");
    let bin = folder.0.join("bin");
    let mut settings = folder.settings();
    settings.bin_dir = Some(bin.clone());
    let text = message(settings.clone());
    assert!(text.contains("there is no `postgres` in it; give the folder"), "{text}");

    fake(&bin, "postgres (PostgreSQL) 13.4");
    let text = message(settings.clone());
    assert_eq!(
        text,
        format!(
            "the PostgreSQL server found is too old, version 13.4 in {}: install PostgreSQL 15 or newer, or set \
             DATABASE_URL to a server of version 15 or newer",
            bin.display()
        )
    );

    fake(&bin, "segmentation fault");
    let text = message(settings.clone());
    assert!(text.contains("its `postgres --version` does not work"), "{text}");

    fs::remove_file(bin.join("initdb")).unwrap();
    let text = message(settings);
    assert!(text.contains("a `postgres` but no `initdb`"), "{text}");
}

#[test]
fn a_long_or_odd_path_gets_a_short_socket() {
    let folder = Folder::new("long");
    let mut settings = folder.settings();
    settings.data_dir = folder.0.join(format!("it's, \"{}\" $HOME `x`", "long ".repeat(20)));
    let (cluster, _) = start(settings.clone()).unwrap();
    let dir = cluster.socket_dir().to_owned();
    assert!(dir.starts_with("/tmp") && dir.as_os_str().len() < 40, "{}", dir.display());
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    cluster.query(DATABASE, "SELECT 1").unwrap();
    cluster.stop().unwrap();
    assert!(!dir.exists());

    // Somebody has taken that name.
    symlink("/tmp", &dir).unwrap();
    let text = message(settings.clone());
    fs::remove_file(&dir).unwrap();
    assert!(text.contains("should be a private folder") && text.contains(dir.to_str().unwrap()), "{text}");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
    let text = message(settings);
    fs::remove_dir(&dir).unwrap();
    assert!(text.contains("should be a private folder"), "{text}");
}

#[test]
fn a_folder_that_holds_something_is_not_thrown_away() {
    let folder = Folder::new("full");
    fs::write(folder.0.join("diary"), "dear").unwrap();
    let mut settings = Settings::ephemeral();
    settings.data_dir = folder.0.clone();
    let text = message(settings);
    assert!(text.contains("is not empty"), "{text}");
    assert!(folder.0.join("diary").exists());

    // Nor is a file taken for a folder.
    let text = message(Settings::persistent(folder.0.join("diary")));
    assert!(text.contains("cannot write to") && text.contains("not a directory"), "{text}");
}

/// Not a test: runs as an ordinary user.
#[test]
#[ignore = "started by another test"]
#[expect(clippy::disallowed_methods, reason = "how the test that starts it tells it what to do")]
fn ordinary_user() {
    let Some(dir) = std::env::var_os("ORDINARY_DIR") else {
        return;
    };
    println!("said: {}", Cluster::start(Settings::persistent(dir), &mut |_| ()).unwrap_err());
}

#[test]
fn an_unwritable_folder_is_named() {
    use std::os::unix::process::CommandExt;
    let folder = Folder::new("unwritable");
    let dir = folder.0.join("data");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o555)).unwrap();
    // This program may lie where the ordinary user cannot reach it.
    let program = folder.0.join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for (dir, named) in [(&dir, dir.join("lock")), (&dir.join("new"), dir.join("new"))] {
        let mut command = Command::new(&program);
        command.args(["ordinary_user", "--exact", "--ignored", "--nocapture"]).env("ORDINARY_DIR", dir);
        if geteuid().is_root() {
            command.uid(65534).gid(65534);
        }
        let output = command.current_dir("/").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = format!("cannot write to {} as user", named.display());
        assert!(text.contains(&said) && text.contains("or choose another data folder"), "{text}");
    }
}

#[test]
fn a_folder_out_of_reach_is_replaced() {
    if !geteuid().is_root() {
        return;
    }
    let folder = Folder::new("reach");
    let closed = folder.0.join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let mut settings = folder.settings();
    settings.data_dir = closed.join("data");
    let (cluster, told) = start(settings.clone()).unwrap();
    let dir = cluster.data_dir().to_owned();
    assert!(dir.starts_with("/var/lib/aether-nexus"), "{told:?}");
    assert!(told[0].contains("cannot reach") && told[0].contains(dir.to_str().unwrap()), "{told:?}");
    cluster.stop().unwrap();

    // It stays there, even when the first place becomes accessible.
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    let (cluster, _) = start(settings).unwrap();
    assert_eq!(cluster.data_dir(), dir);
    cluster.stop().unwrap();
    fs::remove_dir_all(&dir).unwrap();
    let _ = fs::remove_dir("/var/lib/aether-nexus");
}
