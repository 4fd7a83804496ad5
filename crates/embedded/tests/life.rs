//! Starting, stopping, and what a killed process leaves behind; with real clusters.

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::Duration;

use aether_embedded::{Cluster, DATABASE, Error, Settings};
use common::{Folder, eventually, exists, owner, send, start};
use nix::sys::signal::Signal;

/// Not a test: the process that the tests kill.
#[test]
#[ignore = "started by other tests"]
fn owner_process() {
    common::be_owner();
}

#[test]
fn a_cluster_starts_stops_and_keeps_its_data() {
    let folder = Folder::new("life");
    let (cluster, told) = start(folder.settings()).unwrap();
    assert!(told.iter().any(|line| line.contains("first start")), "{told:?}");
    let data = folder.0.join("data");
    let dir = cluster.socket_dir().to_owned();
    assert_eq!(dir, data.join("socket"));
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    let host = dir.to_str().unwrap().replace('/', "%2F");
    assert_eq!(cluster.url(DATABASE), format!("postgres://aether@{host}:5432/aether_nexus?sslmode=disable"));

    let show = |cluster: &Cluster, what: &str| cluster.query(DATABASE, &format!("SHOW {what}")).unwrap().remove(0);
    assert_eq!(show(&cluster, "server_encoding"), "UTF8");
    assert_eq!(show(&cluster, "timezone"), "UTC");
    assert_eq!(show(&cluster, "data_checksums"), "on");
    assert_eq!(show(&cluster, "listen_addresses"), "");
    assert_eq!(show(&cluster, "fsync"), "off");
    assert!(show(&cluster, "server_version").starts_with(cluster.version()));
    if nix::unistd::geteuid().is_root() {
        let owner = fs::metadata(data.join("cluster")).unwrap().uid();
        assert_ne!(owner, 0);
        assert_eq!(fs::metadata(format!("/proc/{}", cluster.pid())).unwrap().uid(), owner);
        let status = fs::read_to_string(format!("/proc/{}/status", cluster.pid())).unwrap();
        let groups = status.lines().find_map(|line| line.strip_prefix("Groups:")).unwrap();
        assert_eq!(groups.trim(), "", "root's supplementary groups are dropped");
    }
    let stat = fs::read_to_string(format!("/proc/{}/stat", cluster.pid())).unwrap();
    assert_eq!(stat.split(' ').nth(4).unwrap(), cluster.pid().to_string(), "a process group of its own");

    cluster.ensure_database("odd \"name'").unwrap();
    cluster.ensure_database("odd \"name'").unwrap();
    assert_eq!(cluster.query("odd \"name'", "SELECT current_database()").unwrap(), ["odd \"name'"]);
    let refused = cluster.query(DATABASE, "SELECT nonsense").unwrap_err().to_string();
    assert!(refused.contains("column \"nonsense\" does not exist"), "{refused}");
    cluster.query(DATABASE, "CREATE TABLE kept AS SELECT 'here' AS word").unwrap();
    let server = cluster.pid();
    cluster.stop().unwrap();
    assert!(!exists(server));
    assert!(!data.join("cluster/postmaster.pid").exists());

    // Again, durable and with another limit, and ended by a drop.
    let mut settings = folder.settings();
    settings.durable = true;
    settings.max_connections = 33;
    let (cluster, told) = start(settings).unwrap();
    assert!(!told.iter().any(|line| line.contains("first start")), "{told:?}");
    assert_eq!(cluster.query(DATABASE, "SELECT word FROM kept").unwrap(), ["here"]);
    assert_eq!(show(&cluster, "max_connections"), "33");
    assert_eq!(show(&cluster, "fsync"), "on");
    let server = cluster.pid();
    drop(cluster);
    assert!(!exists(server));
}

#[test]
fn a_killed_owner_leaves_a_server_to_adopt() {
    let folder = Folder::new("adopt");
    let first = owner("persistent", &folder.0.join("data"));
    let server = first.server;
    let pid = first.child.id();

    // As long as it lives, nobody else may have the folder.
    let error = start(folder.settings()).unwrap_err();
    assert!(matches!(&error, Error::InUse { pid: Some(owner), .. } if owner.cast_unsigned() == pid), "{error}");
    let text = error.to_string();
    assert!(text.contains(&format!("in use by another process (process {pid}): stop that process")), "{text}");

    first.kill();
    assert!(exists(server));
    let (cluster, told) = start(folder.settings()).unwrap();
    assert_eq!(cluster.pid(), server, "adopted: {told:?}");
    assert!(told.iter().any(|line| line.contains("previous run")), "{told:?}");
    cluster.query(DATABASE, "SET synchronous_commit = on; CREATE TABLE kept AS SELECT 1").unwrap();

    // The server killed under its owner, with a session in the middle of something.
    let busy = std::thread::scope(|scope| {
        let busy = scope.spawn(|| cluster.query(DATABASE, "SELECT pg_sleep(60), count(*) FROM kept"));
        eventually("the session", Duration::from_secs(5), || {
            let count = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'";
            cluster.query(DATABASE, count).unwrap() == ["1"]
        });
        send(server, Signal::SIGKILL);
        busy.join().unwrap()
    });
    busy.unwrap_err();
    drop(cluster);
    let (cluster, told) = start(folder.settings()).unwrap();
    assert_ne!(cluster.pid(), server, "{told:?}");
    assert_eq!(cluster.query(DATABASE, "SELECT * FROM kept").unwrap(), ["1"]);
    drop(cluster);

    // Adopted with other settings: restarted.
    let second = owner("persistent", &folder.0.join("data"));
    let server = second.server;
    second.kill();
    let mut settings = folder.settings();
    settings.max_connections = 20;
    let (cluster, told) = start(settings).unwrap();
    assert_ne!(cluster.pid(), server, "{told:?}");
    assert_eq!(cluster.query(DATABASE, "SHOW max_connections").unwrap(), ["20"]);
    let server = cluster.pid();
    cluster.stop().unwrap();

    // A machine or container that died: the files tell of a process that is another program by now.
    let data = folder.0.join("data");
    let me = std::process::id();
    let socket = data.join("socket");
    let stale = format!(
        "{me}\n{}\n1700000000\n5432\n{}\n\n  1 1\nready   \n",
        data.join("cluster").display(),
        socket.display()
    );
    fs::write(data.join("cluster/postmaster.pid"), stale).unwrap();
    fs::write(socket.join(".s.PGSQL.5432.lock"), format!("{me}\n")).unwrap();
    let (cluster, _) = start(folder.settings()).unwrap();
    assert_ne!(cluster.pid(), server);
    cluster.stop().unwrap();
}

#[test]
fn an_interrupted_first_start_is_made_good() {
    let folder = Folder::new("half");
    let data = folder.0.join("data");
    fs::create_dir_all(data.join("cluster.new-1/base")).unwrap();
    fs::write(data.join("cluster.new-1/PG_VERSION"), "15\n").unwrap();
    let (cluster, _) = start(folder.settings()).unwrap();
    assert!(!data.join("cluster.new-1").exists());
    // Without its database, as after a kill between the two steps.
    cluster.query("postgres", &format!("DROP DATABASE {DATABASE}")).unwrap();
    cluster.stop().unwrap();
    let (cluster, _) = start(folder.settings()).unwrap();
    cluster.query(DATABASE, "SELECT 1").unwrap();
    cluster.stop().unwrap();

    // A configuration that does not work: the log says why.
    let conf = data.join("cluster/postgresql.auto.conf");
    fs::write(&conf, "shared_preload_libraries = 'no_such_thing'\n").unwrap();
    let error = start(folder.settings()).unwrap_err();
    assert!(matches!(error, Error::Start { .. }));
    let text = error.to_string();
    assert!(text.contains("no_such_thing") && text.contains("postgres.log"), "{text}");
    fs::write(&conf, "").unwrap();

    // A cluster of a version that is not there.
    fs::write(data.join("cluster/PG_VERSION"), "9\n").unwrap();
    let mut settings = folder.settings();
    settings.download = false;
    let text = start(settings).unwrap_err().to_string();
    assert!(text.contains("was made by PostgreSQL 9, but the servers found are 1"), "{text}");
}

#[test]
fn an_ephemeral_cluster_goes_with_its_owner() {
    // Stopped in order.
    let (cluster, _) = start(Settings::ephemeral()).unwrap();
    let (dir, server) = (cluster.data_dir().to_owned(), cluster.pid());
    cluster.query(DATABASE, "SELECT 1").unwrap();
    cluster.stop().unwrap();
    assert!(!dir.exists() && !exists(server));

    // Killed.
    let owner = owner("ephemeral", &dir);
    let (dir, server) = (owner.data_dir.clone(), owner.server);
    assert!(dir.join("cluster").exists() && exists(server));
    owner.kill();
    eventually("the end of the server", Duration::from_secs(5), || !exists(server));
    eventually("the end of its folder", Duration::from_secs(5), || !dir.exists());
}

#[test]
fn a_watched_cluster_stops_with_its_owner() {
    let folder = Folder::new("watched");
    let first = owner("watched", &folder.0.join("data"));
    let server = first.server;
    first.kill();
    // At once: the start waits for the watchdog, so that it does not stop the wrong server.
    let (cluster, told) = start(folder.settings()).unwrap();
    assert_ne!(cluster.pid(), server, "{told:?}");
    eventually("the end of the first server", Duration::from_secs(1), || !exists(server));
    std::thread::sleep(Duration::from_secs(2));
    cluster.query(DATABASE, "SELECT 1").unwrap();
}
