//! The first day of an installation: from an empty database to two people who are signed in, under the production profile.

mod program;

use std::{fs, process::Stdio};

use aether_embedded::{Cluster, Settings};
use serde_json::{Value, json};

use self::program::{Folder, Gateway, fails, nexus, run};

const SECRET: &str = "a-secret-for-the-tests-that-is-long-enough";

#[test]
fn an_empty_database_becomes_a_system_that_people_enter() {
    let folder = Folder::new();
    let cluster = Cluster::start(Settings::ephemeral(), &mut |_| ()).unwrap();
    let url = cluster.url(aether_embedded::DATABASE);
    let keys = format!("1:{SECRET}");
    let environment = [
        ("DATABASE_URL", url.as_str()),
        ("AETHER_PROFILE", "production"),
        ("AETHER_JWT_SECRET", SECRET),
        ("AETHER_ENCRYPTION_KEYS", keys.as_str()),
        ("AETHER_AUDIT_SIGNING_KEYS", SECRET),
    ];
    let with = |args: &[&str]| {
        let mut command = nexus(args);
        command.envs(environment);
        command
    };
    let create = |flags: [&str; 4], more: &[&str]| {
        let names = ["--name", "--slug", "--admin-email", "--admin-name"];
        let flags = names.iter().zip(flags).flat_map(|(name, value)| [*name, value]);
        let args: Vec<&str> = ["create-organization"].into_iter().chain(flags).chain(more.iter().copied()).collect();
        with(&args)
    };
    let sql = |sql: &str| cluster.query(aether_embedded::DATABASE, sql).unwrap();

    let acme = ["Acme Bank", "acme-bank", "ada@acme.example", "Ada Byron"];
    fails(create(acme, &[]), &["not up to date", "aether-nexus migrate"]);
    assert!(run(with(&["migrate"])).0);
    for dangerous in [&["seed"][..], &["migrate", "--down", "1"]] {
        fails(with(dangerous), &["production profile", "--yes"]);
    }

    for (flags, flag) in [
        (["", "acme", "ada@acme.example", "Ada"], "--name"),
        (["Acme\u{202e}knaB", "acme", "ada@acme.example", "Ada"], "--name"),
        (["Acme", "Acme Bank", "ada@acme.example", "Ada"], "--slug"),
        (["Acme", "acme-", "ada@acme.example", "Ada"], "--slug"),
        (["Acme", "acme", "ada", "Ada"], "--admin-email"),
        (["Acme", "acme", "ada@acme.example", "Ada\u{7}"], "--admin-name"),
    ] {
        fails(create(flags, &[]), &[flag]);
    }
    assert_eq!(sql("SELECT count(*) FROM organizations"), ["0"]);

    let (succeeded, out, err) = run(create(acme, &[]));
    assert!(succeeded, "{err}");
    let token = out.trim();
    assert!(token.len() >= 43 && !token.contains(char::is_whitespace), "the token and nothing else: {out}");
    assert!(err.contains("acceptUserInvitation") && !err.contains(token), "what explains holds no secret: {err}");
    fails(create(acme, &[]), &["--slug", "acme-bank already"]);
    fails(create(["Other", "acme-bank", "eve@other.example", "Eve"], &[]), &["--slug", "already"]);
    assert_eq!(sql("SELECT count(*) FROM users"), ["1"]);

    // With a password of the operator's choice, which ends with its line.
    let piped = |password: &str| {
        let path = folder.join("password");
        fs::write(&path, password).unwrap();
        Stdio::from(fs::File::open(path).unwrap())
    };
    let zenith = ["Zenith", "zenith", "zoe@zenith.example", "Zoe"];
    for (password, word) in
        [("", "no password"), ("short\n", "at least 12"), ("zoe@zenith.example\n", "must not be your name")]
    {
        let mut command = create(zenith, &["--password-stdin"]);
        command.stdin(piped(password));
        fails(command, &[word]);
    }
    let mut command = create(zenith, &["--password-stdin"]);
    command.stdin(piped("correct horse battery\r\n"));
    let (succeeded, out, err) = run(command);
    assert!(succeeded && out.is_empty(), "{out}{err}");
    assert!(!err.contains("correct horse"), "{err}");

    let gateway = Gateway::start(&["serve"], &environment);
    let ok = |query: &str, token: Option<&str>| {
        let answer = gateway.query(query, token);
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    };
    let accept = |token: &str| {
        format!(
            r#"mutation {{ acceptUserInvitation(token: "{token}", password: "staple of the day") {{ accessToken }} }}"#
        )
    };
    let login = |email: &str, password: &str, slug: &str| {
        format!(
            r#"mutation {{ login(email: "{email}", password: "{password}", organization: "{slug}") {{ accessToken }} }}"#
        )
    };
    let access = |data: &Value, field: &str| data[field]["accessToken"].as_str().unwrap().to_owned();
    ok(&accept(token), None);
    let again = gateway.query(&accept(token), None);
    assert_eq!(again["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "good once: {again}");

    let ada = access(&ok(&login("ada@acme.example", "staple of the day", "acme-bank"), None), "login");
    let me = ok("{ me { user { name role status organization { name slug } } } }", Some(&ada));
    let expected = json!({ "name": "Ada Byron", "role": "ADMIN", "status": "ACTIVE", "organization": { "name": "Acme Bank", "slug": "acme-bank" } });
    assert_eq!(me["me"]["user"], expected);
    let invite = r#"mutation { inviteUser(input: { email: "ben@acme.example", name: "Ben", role: ADMIN }) { token } }"#;
    let invited = ok(invite, Some(&ada));
    let ben = ok(&accept(invited["inviteUser"]["token"].as_str().unwrap()), None);
    let seen = ok("{ users { nodes { name } } }", Some(&access(&ben, "acceptUserInvitation")));
    assert_eq!(seen["users"]["nodes"], json!([{ "name": "Ada Byron" }, { "name": "Ben" }]), "and nobody of Zenith");

    // Administrators hold nothing financial, and give none of it, but to the first CFO; who then gives the rest.
    let invite = |email: &str, role: &str| {
        format!(
            r#"mutation {{ inviteUser(input: {{ email: "{email}", name: "Somebody", role: {role} }}) {{ token }} }}"#
        )
    };
    let forbidden = |query: &str| {
        let answer = gateway.query(query, Some(&ada));
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    };
    forbidden(&invite("ann@acme.example", "ANALYST"));
    let invited = ok(&invite("cleo@acme.example", "CFO"), Some(&ada));
    let cleo = ok(&accept(invited["inviteUser"]["token"].as_str().unwrap()), None);
    ok(&invite("ann@acme.example", "ANALYST"), Some(&access(&cleo, "acceptUserInvitation")));
    forbidden(&invite("another@acme.example", "CFO"));

    // Told as done by the system, in the organization's own log, without what lets anybody in.
    let log = ok(
        "{ auditLogs(last: 1, orderBy: { field: TIMESTAMP, direction: DESC }) { nodes { action actorType actorName resourceType details { after } } } }",
        Some(&ada),
    );
    let first = &log["auditLogs"]["nodes"][0];
    assert_eq!(
        (&first["action"], &first["actorType"], &first["resourceType"]),
        (&json!("ORGANIZATION_CREATE"), &json!("SYSTEM"), &json!("organization"))
    );
    assert!(first["details"].to_string().contains("acme-bank"), "{first}");
    assert_eq!(
        sql(&format!(
            "SELECT count(*) FROM audit_logs WHERE details::text LIKE '%{token}%' OR details::text LIKE '%$argon2%'"
        )),
        ["0"]
    );

    let zoe = access(&ok(&login("zoe@zenith.example", "correct horse battery", "zenith"), None), "login");
    assert_eq!(ok("{ users { totalCount } }", Some(&zoe))["users"]["totalCount"], 1);
    gateway.signal("TERM");
    assert_eq!(gateway.ended().code(), Some(0));
    cluster.stop().unwrap();
}
