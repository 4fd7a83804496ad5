//! The program from the outside: started, asked, stopped, killed and started again; and what it says when it cannot start.

mod program;

use std::{
    fs,
    path::Path,
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use aether_embedded::{Cluster, Settings};
use program::*;

#[test]
fn a_first_start_shows_the_way_and_whatever_ends_it_the_next_one_finds_the_data() {
    let folder = Folder::new();
    let data = folder.join("data");
    let args = ["--data-dir", &data];

    let first = Gateway::start(&args, &[]);
    let (out, err) = (first.out(), first.err());
    for progress in ["creating a private database", "is ready", "Migrating the database", "demo data: 100 %"] {
        assert!(err.contains(progress), "{progress}: {err}");
    }
    let graphql = format!("http://127.0.0.1:{}/graphql", first.port);
    for said in
        [&graphql, "/graphiql", "sarah.chen@aether-demo.com", "password aether-demo", "{ login(", "{ workspaces {"]
    {
        assert!(out.contains(said), "{said}: {out}");
    }
    let (token, refresh) = first.sign_in();
    let deals = first.deals(&token);
    assert!(deals > 300, "{deals}");

    let listen = format!("127.0.0.1:{}", first.port);
    let other = format!("127.0.0.1:{}", free_port());
    let elsewhere = folder.join("elsewhere");
    let (well, said, _) = run(nexus(&["healthcheck", "--listen", &listen]));
    assert!(well && said.contains("ready"), "{said}");
    fails(nexus(&["healthcheck", "--listen", &other]), &["No gateway answers", &other]);
    fails(nexus(&["--listen", &listen, "--data-dir", &elsewhere]), &["Cannot listen", "--listen"]);
    assert!(!Path::new(&elsewhere).exists(), "nothing is begun for a port that is taken");
    fails(
        nexus(&["--listen", &other, "--data-dir", &data]),
        &["in use by another process", "choose another data folder"],
    );

    first.signal("TERM");
    assert_eq!(first.ended().code(), Some(0));
    assert_eq!(postmaster(&data), None);

    let second = Gateway::start(&args, &[]);
    assert!(second.took < Duration::from_secs(10), "{:?}", second.took);
    assert!(!second.err().contains("demo data") && !second.err().contains("Migrating"), "{}", second.err());
    assert!(second.out().contains("sarah.chen@aether-demo.com"));
    assert_eq!(second.deals(&token), deals);
    let kept = second.query(&format!(r#"mutation {{ refresh(refreshToken: "{refresh}") {{ accessToken }} }}"#), None);
    assert!(kept["data"]["refresh"]["accessToken"].is_string(), "{kept}");
    second.signal("INT");
    assert_eq!(second.ended().code(), Some(0));
    assert_eq!(postmaster(&data), None);

    let third = Gateway::start(&args, &[]);
    let (token, _) = third.sign_in();
    let server = postmaster(&data).expect("a server");
    third.signal("KILL");
    third.ended();
    let fourth = Gateway::start(&args, &[]);
    assert_eq!(postmaster(&data), Some(server), "the server that was left is adopted");
    assert_eq!(fourth.deals(&token), deals);

    signal(server, "KILL");
    sleep(Duration::from_millis(300));
    let told = fourth.query("{ deals(first: 1) { totalCount } }", Some(&token));
    assert_eq!(told["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{told}");
    assert_eq!(fourth.query("{ health { database } }", None)["data"]["health"]["database"], false);
    let listen = format!("127.0.0.1:{}", fourth.port);
    fails(nexus(&["healthcheck", "--listen", &listen]), &["not well"]);
    fourth.signal("TERM");
    assert_eq!(fourth.ended().code(), Some(0));

    let fifth = Gateway::start(&args, &[]);
    assert_eq!(fifth.deals(&token), deals);
    signal(postmaster(&data).expect("a server"), "KILL");
    fifth.signal("KILL");
    fifth.ended();
    let sixth = Gateway::start(&args, &[]);
    assert_eq!(sixth.deals(&token), deals);
    sixth.signal("TERM");
    assert_eq!(sixth.ended().code(), Some(0));
    assert_eq!(postmaster(&data), None);
}

#[test]
fn who_begins_with_an_organization_of_ones_own_gets_no_demo_data() {
    let folder = Folder::new();
    let data = folder.join("data");
    let named = ["--name", "Acme Bank", "--slug", "acme-bank"];
    let admin = ["--admin-email", "ada@acme.example", "--admin-name", "Ada Byron"];
    let made = [&["create-organization", "--data-dir", &data][..], &named, &admin].concat();
    let (well, token, said) = run(nexus(&made));
    assert!(well && !token.trim().is_empty() && !said.contains("demo"), "{said}");
    let gateway = Gateway::start(&["--data-dir", &data], &[]);
    assert!(!gateway.out().contains("aether-demo") && !gateway.err().contains("demo data"), "{}", gateway.err());
    let refused = gateway.query(LOGIN, None);
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused}");
}

#[test]
fn a_signal_during_the_first_start_is_heard() {
    let folder = Folder::new();
    let data = folder.join("data");
    let listen = format!("127.0.0.1:{}", free_port());
    let mut child = nexus(&["--data-dir", &data, "--listen", &listen]).spawn().unwrap();
    let err = gather(child.stderr.take().unwrap());
    let began = Instant::now();
    while !err.lock().unwrap().contains("Migrating") {
        let ended = child.try_wait().unwrap().is_some() || began.elapsed() > Duration::from_secs(60);
        assert!(!ended, "{}", err.lock().unwrap());
        sleep(Duration::from_millis(5));
    }
    signal(child.id(), "INT");
    assert_eq!(child.wait().unwrap().code(), Some(0), "{}", err.lock().unwrap());
    assert_eq!(postmaster(&data), None);
}

#[test]
fn what_cannot_run_says_in_a_sentence_what_to_do() {
    let folder = Folder::new();
    let listen = format!("127.0.0.1:{}", free_port());
    let with = |args: &[&str]| nexus(&[&["--listen", listen.as_str()], args].concat());
    let data = folder.join("data");

    fs::write(folder.join("file"), "").unwrap();
    for unwritable in ["/proc/aether", &folder.join("file"), &folder.join("file/data")] {
        fails(with(&["--data-dir", unwritable]), &["cannot write to", unwritable, "choose another data folder"]);
    }

    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    let missing = ["--data-dir", &data, "--pg-bin", &bin];
    fails(with(&missing), &["no usable PostgreSQL server", &bin, "`initdb`"]);
    for program in ["postgres", "initdb"] {
        // Written by another process: a file that this one has open for writing cannot be run by a thread's child.
        let script = r#"printf '#!/bin/sh\necho "postgres (PostgreSQL) 14.9"\n' >"$1" && chmod 755 "$1""#;
        let path = format!("{bin}/{program}");
        assert!(Command::new("sh").args(["-c", script, "sh", &path]).status().unwrap().success());
    }
    fails(with(&missing), &["too old", "14.9", "15 or newer"]);

    let nowhere = "postgres://nobody@127.0.0.1:1/x";
    for url in ["nonsense", "mysql://localhost/x", nowhere, "postgres:///x?host=/nowhere", ""] {
        fails(with(&["--database-url", url]), &["DATABASE_URL"]);
    }
    let production = ["--profile", "production", "--database-url", nowhere];
    fails(with(&production), &["AETHER_JWT_SECRET", "openssl rand"]);
    let secret = "q4kY1R8Jv0mT5xWz3nBfGdLsHcPaUeI7o9QyKtXj2MNrVbZlF6wDgCpSihEuAO+/";
    fails(with(&[&production[..], &["--jwt-secret", secret]].concat()), &["AETHER_ENCRYPTION_KEYS", "openssl rand"]);
    let keys = format!("1:{secret}");
    let own = ["--jwt-secret", secret, "--encryption-keys", &keys];
    fails(with(&[&production[..], &own].concat()), &["AETHER_AUDIT_SIGNING_KEYS", "openssl rand"]);
    let own = [&own[..], &["--audit-signing-keys", secret]].concat();
    fails(with(&[&production[..2], &own].concat()), &["DATABASE_URL"]);
    let guessed = "a".repeat(32);
    fails(
        with(&[&production[..], &["--jwt-secret", &guessed]].concat()),
        &["AETHER_JWT_SECRET", "few different", "openssl rand"],
    );
    let among = format!("{keys},2:development-only-key-that-everybody-knows");
    let own = ["--jwt-secret", secret, "--encryption-keys", &among, "--audit-signing-keys", secret];
    fails(
        with(&[&production[..], &own].concat()),
        &["key 2 of AETHER_ENCRYPTION_KEYS", "everybody knows", "openssl rand"],
    );
    fails(with(&["--jwt-secret", "short"]), &["32 bytes"]);
    fails(with(&["--encryption-keys", "1:short"]), &["32 bytes"]);
    fails(with(&["--encryption-keys", secret]), &["AETHER_ENCRYPTION_KEYS"]);
    fails(with(&["--audit-signing-keys", "short"]), &["AETHER_AUDIT_SIGNING_KEYS", "32 bytes"]);
    for origin in ["*", "example.com", "https://example.com/"] {
        fails(with(&["--allowed-origins", origin]), &["AETHER_ALLOWED_ORIGINS", origin]);
    }
    fails(with(&["--default-page-size", "900"]), &["AETHER_MAX_PAGE_SIZE"]);
    assert!(!Path::new(&data).join("cluster").exists());
}

#[test]
fn what_asks_no_database_needs_none() {
    let (succeeded, help, _) = run(nexus(&["--help"]));
    assert!(succeeded);
    for word in [
        "serve",
        "migrate",
        "seed",
        "schema",
        "verify-audit",
        "healthcheck",
        "DATABASE_URL",
        "AETHER_JWT_SECRET",
        "--data-dir",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert!(!help.contains("everybody-knows"), "{help}");
    let (succeeded, version, _) = run(nexus(&["--version"]));
    assert!(succeeded && version.contains(env!("CARGO_PKG_VERSION")), "{version}");
    let (succeeded, sdl, err) = run(nexus(&["schema"]));
    assert!(succeeded && err.is_empty(), "{err}");
    assert!(sdl.contains("type Query {") && sdl.contains("type Mutation {"));
    let output = nexus(&["dance"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("unrecognized subcommand"));
}

#[test]
fn a_database_of_ones_own_is_used_and_nothing_is_embedded() {
    let folder = Folder::new();
    let cluster = Cluster::start(Settings::ephemeral(), &mut |_| ()).unwrap();
    let url = cluster.url(aether_embedded::DATABASE);
    let data = folder.join("data");
    let environment = [("DATABASE_URL", url.as_str()), ("AETHER_DATA_DIR", data.as_str()), ("RUST_LOG", "trace")];
    let with = |args: &[&str]| {
        let mut command = nexus(args);
        command.envs(environment[..2].iter().copied());
        command
    };
    let succeeds = |args: &[&str], word: &str| {
        let (succeeded, _, err) = run(with(args));
        assert!(succeeded && err.contains(word), "{args:?}: {err}");
    };
    let listen = format!("127.0.0.1:{}", free_port());
    fails(with(&["--listen", &listen]), &["not up to date", "aether-nexus migrate"]);
    succeeds(&["migrate"], "up to date");
    succeeds(&["migrate"], "up to date");
    succeeds(&["migrate", "--down", "1"], "Took back 1 change");
    fails(with(&["serve", "--listen", &listen]), &["not up to date"]);
    // What another version has made is recognized, and told what to do.
    let change = |sql: &str| _ = cluster.query(aether_embedded::DATABASE, sql).unwrap();
    for (name, words) in [
        ("0017_writing", ["under development", "--data-dir"]),
        ("99_tomorrow", ["newer version", "Update the gateway"]),
    ] {
        change(&format!("INSERT INTO seaql_migrations (version, applied_at) VALUES ('{name}', 0)"));
        fails(with(&["migrate"]), &words);
        fails(with(&["serve", "--listen", &listen]), &words);
        change(&format!("DELETE FROM seaql_migrations WHERE version = '{name}'"));
    }
    // So is one of the days between, whose first change made no collation yet.
    change("ALTER COLLATION natural_order RENAME TO another");
    fails(with(&["migrate"]), &["under development", "--data-dir"]);
    change("ALTER COLLATION another RENAME TO natural_order");
    succeeds(&["seed"], "The demo data is loaded");
    succeeds(&["seed"], "loaded before");
    let (succeeded, report, err) = run(with(&["verify-audit"]));
    assert!(
        succeeded && report.contains("0 rows in 0 logs, 0 heads, all sound") && report.contains("wait to be sealed"),
        "{err}"
    );

    let own = "q4kY1R8Jv0mT5xWz3nBfGdLsHcPaUeI7o9QyKtXj2MNrVbZlF6wDgCpSihEuAO+/";
    let keys = format!("1:{own}");
    let production = ["--profile", "production", "--jwt-secret", own, "--encryption-keys", &keys];
    let production = [&production[..], &["--audit-signing-keys", own]].concat();
    let gateway = Gateway::start(&production, &environment);
    assert!(gateway.took < Duration::from_secs(10), "{:?}", gateway.took);
    let (token, refresh) = gateway.sign_in();
    assert!(gateway.deals(&token) > 300);
    let wrong = gateway.query(&LOGIN.replace(r#"password: "aether-demo""#, r#"password: "not-the-password""#), None);
    assert_eq!(wrong["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    gateway.query(&format!(r#"mutation {{ refresh(refreshToken: "{refresh}") {{ accessToken }} }}"#), None);
    // What the demo data and the above have left to be sealed is sealed in the background.
    let sql = |sql: &str| cluster.query(aether_embedded::DATABASE, sql).unwrap();
    let waiting = Instant::now();
    while sql("SELECT count(*) FROM audit_pending") != ["0"] {
        assert!(waiting.elapsed() < Duration::from_secs(30), "it is not sealed");
        std::thread::sleep(Duration::from_millis(100));
    }
    gateway.signal("TERM");
    let logged = gateway.err.clone();
    assert_eq!(gateway.ended().code(), Some(0));
    let verify = |more: &[&str]| with(&[&["verify-audit"][..], &production, more].concat());
    let (succeeded, report, err) = run(verify(&[]));
    assert!(succeeded && report.contains("all sound") && !report.contains("wait"), "{report}{err}");
    assert!(err.contains(" of "), "progress: {err}");
    let head = sql(
        "SELECT concat(tree_id, ':', tree_size, ':', encode(root_hash, 'hex')) FROM audit_tree_heads ORDER BY tree_size LIMIT 1",
    );
    assert!(run(verify(&["--known-head", &head[0]])).0, "{head:?}");
    let kept = Path::new(&data).with_extension("heads");
    let kept = kept.to_str().unwrap();
    let (succeeded, report, err) = run(verify(&["--save-heads", kept]));
    assert!(succeeded && report.contains(kept), "{report}{err}");
    assert!(run(verify(&["--known-heads", kept])).0, "{head:?}");
    let logs = sql("SELECT count(DISTINCT tree_id) FROM audit_tree_heads");
    assert_eq!(std::fs::read_to_string(kept).unwrap().lines().count().to_string(), logs[0]);
    std::fs::remove_file(kept).unwrap();
    fails(with(&["verify-audit"]), &["unknown key", "AETHER_AUDIT_SIGNING_KEYS"]);
    // Nor does it serve under a key of its own, whose heads nobody could put in a line with those before.
    fails(
        with(&["serve", "--listen", &listen]),
        &["signed last with a key", "AETHER_AUDIT_SIGNING_KEYS", "the profile"],
    );
    let id = sql("SELECT row_id FROM audit_leaves WHERE source = 'audit_logs' ORDER BY leaf_index LIMIT 1 OFFSET 99");
    sql(&format!(
        "SET session_replication_role = replica; UPDATE audit_logs SET action = 'NOTHING' WHERE id = '{}'",
        id[0]
    ));
    fails(verify(&[]), &["audit_logs was altered", &id[0]]);
    // Not even the most talkative log has a secret in it.
    let logged = logged.lock().unwrap().clone();
    assert!(logged.len() > 1_000, "{logged}");
    for secret in ["$argon2", "not-the-password", &*token, &*refresh, own] {
        assert_eq!(logged.lines().find(|line| line.contains(secret)), None, "{secret}");
    }
    assert!(!Path::new(&data).exists(), "nothing is embedded");
    assert_eq!(cluster.query(aether_embedded::DATABASE, "SELECT count(*) > 0 FROM deals").unwrap(), ["t"]);
    cluster.stop().unwrap();
}
