//! Signing in and out: who gets in, how a session goes on and ends, and what is told to those who are refused.

use std::time::{Duration, Instant};

use aether_server::config::{Cli, Config};
use aether_store::{identity::token::Tokens, node_id};
use clap::Parser;
use futures::{
    future::join_all,
    stream::{self, StreamExt},
};
use serde_json::{Value, json};
use totp_rs::{Algorithm, Secret, TOTP};
use uuid::Uuid;

use crate::{
    case,
    mutations::{Case, May},
    support::{Answer, Gateway, HOME, User},
};

const CFO: &str = "sarah.chen@aether-demo.com";
const ANALYST: &str = "analyst@aether-demo.com";
const VIEWER: &str = "viewer@aether-demo.com";
const PASSWORD: &str = aether_demo::PASSWORD;
const ME: &str = "{ me { sessionId user { id email } permissions { name } } }";

/// Tries to sign in to the demo organization.
async fn login(gateway: &Gateway, email: &str, password: &str, totp: Option<&str>) -> Answer {
    login_to(gateway, HOME, email, password, totp).await
}

async fn login_to(gateway: &Gateway, organization: &str, email: &str, password: &str, totp: Option<&str>) -> Answer {
    let query = "mutation($email: String!, $password: String!, $organization: String!, $totp: String) {
        login(email: $email, password: $password, organization: $organization, totp: $totp) {
            accessToken refreshToken expiresIn sessionId user { id email }
        }
    }";
    let variables = json!({ "email": email, "password": password, "organization": organization, "totp": totp });
    gateway.stranger().run(query, variables).await
}

async fn refresh(gateway: &Gateway, refresh_token: &str) -> Answer {
    let query = "mutation($token: String!) {
        refresh(refreshToken: $token) { accessToken refreshToken sessionId user { email } }
    }";
    gateway.stranger().run(query, json!({ "token": refresh_token })).await
}

/// Sends an operation with these headers.
async fn send(gateway: &Gateway, query: &str, headers: &[(&str, &str)]) -> Value {
    let mut request = gateway.http().post(format!("{}/graphql", gateway.url)).json(&json!({ "query": query }));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer").json().await.expect("JSON")
}

fn bearer<'g>(gateway: &'g Gateway, token: &str) -> User<'g> {
    let mut user = gateway.stranger();
    user.token = Some(token.to_owned());
    user
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer}: {value:#}"))
}

/// Column values of a demo user.
async fn user(gateway: &Gateway, email: &str, columns: &str) -> Value {
    let sql = format!("SELECT {columns} FROM users WHERE email = '{email}'");
    gateway.rows(&sql).await.pop().unwrap_or_else(|| panic!("no user {email}"))
}

async fn set(gateway: &Gateway, email: &str, columns: &str) {
    gateway.execute(&format!("UPDATE users SET {columns} WHERE email = '{email}'")).await;
}

fn config() -> Config {
    Cli::parse_from(["aether-nexus"]).config
}

fn refused(answer: &Answer) {
    assert_eq!(answer.code(), "UNAUTHENTICATED", "{:#}", answer.body);
}

#[tokio::test]
async fn an_email_address_is_taken_in_any_case() {
    let gateway = Gateway::demo().await;
    let data = login(&gateway, "SARAH.Chen@Aether-Demo.COM", PASSWORD, None).await.ok();
    assert_eq!(data["login"]["user"]["email"], CFO);
    assert_eq!(data["login"]["expiresIn"], 15 * 60);
    let me = bearer(&gateway, text(&data, "/login/accessToken")).data(ME).await;
    assert_eq!(me["me"]["user"]["email"], CFO);
    assert_eq!(me["me"]["sessionId"], data["login"]["sessionId"]);
    assert!(!data.to_string().contains("$argon2") && !me.to_string().contains("$argon2"));
}

#[tokio::test]
async fn permissions_come_from_the_role_and_from_grants() {
    let gateway = Gateway::demo().await;
    set(&gateway, VIEWER, r#"permissions = '["audit:read", "no:such", 7, null]'"#).await;
    let permissions = async |email| {
        let me = gateway.sign_in(email, HOME).await.data(ME).await;
        let names = me["me"]["permissions"].as_array().expect("a list").iter().map(|p| text(p, "/name").to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(permissions(VIEWER).await, ["dashboards:read", "audit:read"]);
    let cfo = permissions(CFO).await;
    assert!(["users:manage", "budgets:approve", "audit:export"].iter().all(|name| cfo.iter().any(|p| p == name)));
}

#[tokio::test]
async fn a_refresh_token_is_good_for_one_exchange_and_reuse_ends_the_session() {
    let gateway = Gateway::demo().await;
    let first = gateway.sign_in(CFO, HOME).await;
    let bystander = gateway.sign_in(CFO, HOME).await;
    let next = refresh(&gateway, &first.refresh_token).await.ok();
    let (access, token) = (text(&next, "/refresh/accessToken"), text(&next, "/refresh/refreshToken"));
    let session = text(&next, "/refresh/sessionId");
    assert_eq!(next["refresh"]["user"]["email"], CFO);
    assert_ne!(token, first.refresh_token);
    first.data(ME).await;
    bearer(&gateway, access).data(ME).await;
    let chain = "SELECT count(*) FILTER (WHERE t.spent_at IS NOT NULL AND t.replaced_by_id = n.id)
        FROM refresh_tokens t JOIN refresh_tokens n USING (session_id)";
    assert_eq!(gateway.value(&format!("{chain} WHERE session_id = '{session}'")).await, 1);

    age_exchanges(&gateway, 11).await;
    let reuse = refresh(&gateway, &first.refresh_token).await;
    refused(&reuse);
    refused(&first.query(ME).await);
    refused(&bearer(&gateway, access).query("{ deals(first: 1) { nodes { id } } }").await);
    refused(&refresh(&gateway, token).await);
    refused(&refresh(&gateway, &first.refresh_token).await);
    bystander.data(ME).await;

    let rows = gateway
        .rows(&format!(
            "SELECT risk_level, requires_review, reviewed, actor_email FROM audit_logs
              WHERE action = 'REFRESH_TOKEN_REUSED' AND resource_id = '{session}'"
        ))
        .await;
    // Once: after the first time there is no session left to end.
    assert_eq!(rows, [json!({ "risk_level": "high", "requires_review": true, "reviewed": false, "actor_email": CFO })]);
}

/// Has the exchanges of refresh tokens been so many seconds ago.
async fn age_exchanges(gateway: &Gateway, seconds: u32) {
    let sql = format!(
        "UPDATE refresh_tokens SET spent_at = spent_at - interval '{seconds} seconds' WHERE spent_at IS NOT NULL"
    );
    gateway.execute(&sql).await;
}

/// Two tabs of one browser, and two gateways behind one address: all that refresh at once go on with one token.
#[tokio::test]
async fn of_concurrent_refreshes_all_are_answered_by_the_same_next_token() {
    let gateway = Gateway::demo().await;
    let other = gateway.another(&[]).await;
    let user = gateway.sign_in(CFO, HOME).await;
    let query = format!(
        r#"mutation {{ refresh(refreshToken: "{}") {{ accessToken refreshToken sessionId }} }}"#,
        user.refresh_token
    );
    let answers = join_all((0..8).map(|at| send([&gateway, &other][at % 2], &query, &[]))).await;
    let next = text(&answers[0], "/data/refresh/refreshToken");
    let session = text(&answers[0], "/data/refresh/sessionId");
    for answer in &answers {
        assert_eq!(text(answer, "/data/refresh/refreshToken"), next, "{answer:#}");
        bearer(&gateway, text(answer, "/data/refresh/accessToken")).data(ME).await;
    }
    // One chain: a first token, which is spent, and its one successor, which is not.
    let chain = format!(
        "SELECT count(*) FILTER (WHERE spent_at IS NOT NULL) AS spent, count(*) AS all FROM refresh_tokens WHERE session_id = '{session}'"
    );
    assert_eq!(gateway.rows(&chain).await, [json!({ "spent": 1, "all": 2 })]);
    let audited = format!(
        "SELECT action, risk_level, count(*) FROM audit_logs WHERE resource_id = '{session}' AND action LIKE '%REFRESH%' GROUP BY 1, 2 ORDER BY 1"
    );
    let once = json!({ "action": "REFRESH_TOKEN_REPEATED", "risk_level": "medium", "count": 7 });
    assert_eq!(
        gateway.rows(&audited).await,
        [once, json!({ "action": "TOKEN_REFRESHED", "risk_level": "low", "count": 1 })]
    );

    // They go on, each as if it were alone.
    let third = refresh(&other, next).await.ok();
    assert_eq!(refresh(&gateway, next).await.ok()["refresh"]["refreshToken"], third["refresh"]["refreshToken"]);
    user.data(ME).await;
}

#[tokio::test]
async fn a_spent_refresh_token_is_answered_for_ten_seconds_and_only_the_last_one() {
    let gateway = Gateway::demo().await;
    // Five seconds later it is still answered, eleven seconds later it ends the session.
    let user = gateway.sign_in(CFO, HOME).await;
    let next = refresh(&gateway, &user.refresh_token).await.ok();
    age_exchanges(&gateway, 5).await;
    assert_eq!(
        refresh(&gateway, &user.refresh_token).await.ok()["refresh"]["refreshToken"],
        next["refresh"]["refreshToken"]
    );
    age_exchanges(&gateway, 6).await;
    refused(&refresh(&gateway, &user.refresh_token).await);
    refused(&user.query(ME).await);
    refused(&refresh(&gateway, text(&next, "/refresh/refreshToken")).await);

    // One before the last ends the session at once.
    let user = gateway.sign_in(CFO, HOME).await;
    let next = refresh(&gateway, &user.refresh_token).await.ok();
    let last = refresh(&gateway, text(&next, "/refresh/refreshToken")).await.ok();
    refused(&refresh(&gateway, &user.refresh_token).await);
    refused(&user.query(ME).await);
    refused(&refresh(&gateway, text(&last, "/refresh/refreshToken")).await);
    let reused = "SELECT count(*) FROM audit_logs WHERE action = 'REFRESH_TOKEN_REUSED' AND timestamp > now() - interval '1 minute'";
    assert_eq!(gateway.value(reused).await, 2);

    // Whoever has signed out stays out, and so does who is not active any more.
    let user = gateway.sign_in(CFO, HOME).await;
    let next = refresh(&gateway, &user.refresh_token).await.ok();
    set(&gateway, CFO, "status = 'inactive'").await;
    refused(&refresh(&gateway, &user.refresh_token).await);
    set(&gateway, CFO, "status = 'active'").await;
    bearer(&gateway, text(&next, "/refresh/accessToken")).data("mutation { logout }").await;
    refused(&refresh(&gateway, &user.refresh_token).await);

    // A gateway with another secret gives nothing out, and takes nothing away.
    let user = gateway.sign_in(CFO, HOME).await;
    let next = refresh(&gateway, &user.refresh_token).await.ok();
    let stranger = gateway.another(&["--jwt-secret", "another-secret-that-is-long-enough-too"]).await;
    refused(&refresh(&stranger, &user.refresh_token).await);
    refresh(&gateway, text(&next, "/refresh/refreshToken")).await.ok();
}

#[tokio::test]
async fn refreshing_and_signing_out_at_once_never_fail_inside() {
    let gateway = Gateway::demo().await;
    for _ in 0..5 {
        let user = gateway.sign_in(CFO, HOME).await;
        let (refreshed, left) =
            tokio::join!(refresh(&gateway, &user.refresh_token), user.query("mutation { logoutEverywhere }"));
        assert!(left.ok()["logoutEverywhere"].as_i64() >= Some(1));
        if refreshed.body.get("errors").is_some() {
            refused(&refreshed);
        }
        refused(&user.query(ME).await);
    }
}

#[tokio::test]
async fn what_is_no_live_refresh_token_is_refused() {
    let gateway = Gateway::demo().await;
    let user = gateway.sign_in(ANALYST, HOME).await;
    for token in ["", "garbage", "\u{0}", user.token.as_deref().expect("a token")] {
        refused(&refresh(&gateway, token).await);
    }
    gateway.execute("UPDATE refresh_tokens SET expires_at = created_at WHERE spent_at IS NULL").await;
    refused(&refresh(&gateway, &user.refresh_token).await);
}

#[tokio::test]
async fn signing_out_ends_this_session_only() {
    let gateway = Gateway::demo().await;
    let (here, there) = (gateway.sign_in(CFO, HOME).await, gateway.sign_in(CFO, HOME).await);
    assert_eq!(here.data("mutation { logout }").await["logout"], true);
    refused(&here.query(ME).await);
    refused(&here.query("mutation { logout }").await);
    refused(&refresh(&gateway, &here.refresh_token).await);
    there.data(ME).await;
    let events = "SELECT count(*) FROM audit_events e JOIN audit_logs l USING (session_id, request_id)
        WHERE e.event_type = 'LOGOUT' AND l.action = 'LOGOUT'";
    assert_eq!(gateway.value(events).await, 1);
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_sessions_and_counts_them() {
    let gateway = Gateway::demo().await;
    let open = format!(
        "SELECT count(*) FROM user_sessions WHERE revoked_at IS NULL AND expires_at > now()
            AND user_id = (SELECT id FROM users WHERE email = '{CFO}')"
    );
    let before = gateway.value(&open).await.as_i64().expect("a count");
    let sessions = join_all((0..3).map(|_| gateway.sign_in(CFO, HOME))).await;
    let other = gateway.sign_in(ANALYST, HOME).await;
    let ended = sessions[0].data("mutation { logoutEverywhere }").await;
    assert_eq!(ended["logoutEverywhere"], before + 3);
    for session in &sessions {
        refused(&session.query(ME).await);
        refused(&refresh(&gateway, &session.refresh_token).await);
    }
    assert_eq!(gateway.value(&open).await, 0);
    other.data(ME).await;
}

#[tokio::test]
async fn whatever_is_wrong_the_refusal_says_the_same_and_takes_as_long() {
    let gateway = Gateway::demo().await;
    set(&gateway, "finance.manager@aether-demo.com", "status = 'inactive'").await;
    set(&gateway, ANALYST, "status = 'pending'").await;
    set(&gateway, "admin@aether-demo.com", "status = 'locked'").await;
    set(&gateway, "europe.analyst@aether-demo.com", "locked_until = now() + interval '1 hour'").await;
    set(&gateway, VIEWER, "deleted_at = now()").await;
    let attempts = [
        (HOME, CFO, "wrong"),
        (HOME, CFO, ""),
        (HOME, "nobody@aether-demo.com", PASSWORD),
        ("no-such-organization", CFO, PASSWORD),
        ("meridian-capital", CFO, PASSWORD),
        (HOME, "finance.manager@aether-demo.com", PASSWORD),
        (HOME, ANALYST, PASSWORD),
        (HOME, "admin@aether-demo.com", PASSWORD),
        (HOME, "europe.analyst@aether-demo.com", PASSWORD),
        (HOME, VIEWER, PASSWORD),
        (HOME, "rafael.duarte@aether-demo.com", PASSWORD), // single sign-on, no password
        ("dormant-holdings", "cfo@dormant-holdings.example", PASSWORD), // suspended
        ("aether-sandbox", CFO, PASSWORD),                 // deleted
    ];
    let mut errors = Vec::new();
    let mut quickest = [Duration::MAX; 13];
    for _ in 0..2 {
        let tries = stream::iter(attempts).map(async |(organization, email, password)| {
            let began = Instant::now();
            (login_to(&gateway, organization, email, password, None).await, began.elapsed())
        });
        // A few at once: more would wait for one another.
        let answers: Vec<_> = tries.buffered(3).collect().await;
        for ((answer, time), quickest) in answers.into_iter().zip(&mut quickest) {
            assert!(time >= Duration::from_millis(400), "{time:?}");
            *quickest = time.min(*quickest);
            assert_eq!(answer.body["data"], Value::Null);
            let mut error = answer.body["errors"][0].clone();
            error["extensions"]["requestId"].take();
            errors.push(error);
        }
    }
    assert_eq!(errors[0]["extensions"]["code"], "UNAUTHENTICATED");
    assert!(errors.iter().all(|error| *error == errors[0]), "{errors:#?}");
    // What a busy machine adds hits all alike; what the gateway does has an end before the 400 ms have.
    let (least, most) = (quickest.iter().min().expect("some"), quickest.iter().max().expect("some"));
    assert!(*most - *least < Duration::from_millis(400), "{quickest:?}");
}

#[tokio::test]
async fn five_failures_lock_for_a_while_and_trying_does_not_prolong_it() {
    let gateway = Gateway::demo().await;
    let columns = "failed_login_attempts AS failures, locked_until, row_version";
    let version = user(&gateway, CFO, columns).await["row_version"].clone();
    for _ in 0..4 {
        refused(&login(&gateway, CFO, "wrong", None).await);
    }
    let four = user(&gateway, CFO, columns).await;
    assert_eq!((&four["failures"], &four["locked_until"]), (&json!(4), &Value::Null));
    refused(&login(&gateway, CFO, "wrong", None).await);
    let locked = user(&gateway, CFO, columns).await;
    assert_eq!(locked["failures"], 0);
    let minutes =
        format!("SELECT round(extract(epoch FROM locked_until - now()) / 60) FROM users WHERE email = '{CFO}'");
    assert_eq!(gateway.value(&minutes).await, 15);

    refused(&login(&gateway, CFO, PASSWORD, None).await);
    join_all((0..6).map(|_| login(&gateway, CFO, "wrong", None))).await.iter().for_each(refused);
    assert_eq!(user(&gateway, CFO, columns).await, locked);
    let high =
        "SELECT count(*) FROM audit_logs WHERE action = 'LOGIN_FAILED' AND risk_level = 'high' AND requires_review
        AND timestamp > now() - interval '1 minute'";
    assert_eq!(gateway.value(high).await, 1);

    set(&gateway, CFO, "locked_until = now() - interval '1 second'").await;
    refused(&login(&gateway, CFO, "wrong", None).await);
    login(&gateway, CFO, PASSWORD, None).await.ok();
    let free = json!({ "failures": 0, "locked_until": null, "row_version": version });
    assert_eq!(user(&gateway, CFO, columns).await, free);
}

/// Signs in on a device that is known by this token.
async fn login_on(gateway: &Gateway, email: &str, password: &str, device: &str) -> Answer {
    let query = "mutation($email: String!, $password: String!, $device: String!) {
        login(email: $email, password: $password, organization: \"aether-demo\", deviceToken: $device) { accessToken deviceToken sessionId }
    }";
    gateway.stranger().run(query, json!({ "email": email, "password": password, "device": device })).await
}

/// The token of a device that a user has signed in on.
async fn known_device(gateway: &Gateway, email: &str) -> String {
    let query = "mutation($email: String!, $password: String!) {
        login(email: $email, password: $password, organization: \"aether-demo\") { deviceToken }
    }";
    let data = gateway.stranger().run(query, json!({ "email": email, "password": PASSWORD })).await.ok();
    text(&data, "/login/deviceToken").to_owned()
}

#[tokio::test]
async fn strangers_who_lock_an_account_do_not_keep_its_user_out_of_a_known_device() {
    let gateway = Gateway::demo().await;
    let device = known_device(&gateway, CFO).await;
    let others = known_device(&gateway, ANALYST).await;
    join_all((0..5).map(|_| login(&gateway, CFO, "wrong", None))).await.iter().for_each(refused);
    let locked = user(&gateway, CFO, "locked_until, failed_login_attempts AS failures").await;
    assert_ne!(locked["locked_until"], Value::Null);

    // From anywhere else it is locked, also with what is no token of this user.
    refused(&login(&gateway, CFO, PASSWORD, None).await);
    for token in ["", "garbage", &others, &format!("{device}x")] {
        refused(&login_on(&gateway, CFO, PASSWORD, token).await);
    }
    let access = gateway.sign_in(ANALYST, HOME).await.token.expect("a token");
    refused(&login_on(&gateway, CFO, PASSWORD, &access).await);

    // From the known device it is not; and that does not open it to the others.
    let data = login_on(&gateway, CFO, PASSWORD, &device).await.ok();
    bearer(&gateway, text(&data, "/login/accessToken")).data(ME).await;
    assert_eq!(user(&gateway, CFO, "locked_until, failed_login_attempts AS failures").await, locked);
    refused(&login(&gateway, CFO, PASSWORD, None).await);
    // It is known on, and opens nothing by itself.
    login_on(&gateway, CFO, PASSWORD, text(&data, "/login/deviceToken")).await.ok();
    refused(&bearer(&gateway, &device).query(ME).await);
    refused(&refresh(&gateway, &device).await);

    // One whom nobody attacks signs in as ever, with the token or without.
    login_on(&gateway, ANALYST, PASSWORD, &others).await.ok();
    login(&gateway, ANALYST, PASSWORD, None).await.ok();
}

#[tokio::test]
async fn guesses_from_a_known_device_are_bounded_and_lock_nobody_else() {
    let gateway = Gateway::demo().await;
    let (device, second) = (known_device(&gateway, CFO).await, known_device(&gateway, CFO).await);
    let began = Instant::now();
    refused(&login_on(&gateway, CFO, "wrong", &device).await);
    assert!(began.elapsed() >= Duration::from_millis(400), "{:?}", began.elapsed());
    // Success begins the count anew.
    login_on(&gateway, CFO, PASSWORD, &device).await.ok();
    // At once, so that none of them is counted before the others have begun.
    join_all((0..8).map(|_| login_on(&gateway, CFO, "wrong", &device))).await.iter().for_each(refused);
    refused(&login_on(&gateway, CFO, PASSWORD, &device).await);
    let counted = "SELECT count(*) FILTER (WHERE (details ->> 'counted')::boolean) AS counted,
            count(*) FILTER (WHERE (details ->> 'locked')::boolean AND risk_level = 'high') AS locks, count(*) AS all
        FROM audit_logs WHERE action = 'LOGIN_FAILED' AND timestamp > now() - interval '1 minute'";
    assert_eq!(gateway.rows(counted).await, [json!({ "counted": 6, "locks": 1, "all": 10 })]);

    // Neither the account nor another device of the user is locked by that.
    let account = user(&gateway, CFO, "locked_until, failed_login_attempts AS failures").await;
    assert_eq!(account, json!({ "locked_until": null, "failures": 0 }));
    login_on(&gateway, CFO, PASSWORD, &second).await.ok();
    login(&gateway, CFO, PASSWORD, None).await.ok();
    refused(&login_on(&gateway, CFO, PASSWORD, &device).await);

    // A renewed token is of the same device.
    let renewed = login_on(&gateway, CFO, PASSWORD, &second).await.ok();
    let renewed = text(&renewed, "/login/deviceToken");
    for _ in 0..5 {
        refused(&login_on(&gateway, CFO, "wrong", &second).await);
    }
    refused(&login_on(&gateway, CFO, PASSWORD, renewed).await);
}

#[tokio::test]
async fn failures_at_once_are_all_counted() {
    let gateway = Gateway::demo().await;
    join_all((0..5).map(|_| login(&gateway, CFO, "wrong", None))).await.iter().for_each(refused);
    assert_ne!(user(&gateway, CFO, "locked_until").await["locked_until"], Value::Null);
}

fn code(secret: &str, at: u64) -> String {
    let secret = Secret::Encoded(secret.into()).to_bytes().expect("base32");
    TOTP::new_unchecked(Algorithm::SHA1, 6, 1, 30, secret, None, String::new()).generate(at)
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs()
}

#[tokio::test]
async fn a_second_factor_is_asked_for_where_there_is_one() {
    let gateway = Gateway::demo().await;
    let secret = "KRSXG5CTMVRXEZLUKN2XAZLSKNSWG4TF";
    let Ok(encrypted) = config().encryption().expect("a encryption").encrypt(secret.as_bytes()) else {
        panic!("it encrypts")
    };
    let hex: String = encrypted.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!hex.contains(&secret.bytes().map(|byte| format!("{byte:02x}")).collect::<String>()));
    set(&gateway, ANALYST, &format!("mfa_enabled = true, mfa_secret = '\\x{hex}'")).await;
    let wrong = code(secret, now() - 86_400);
    for totp in [None, Some(""), Some("abcdef"), Some(&*wrong)] {
        refused(&login(&gateway, ANALYST, PASSWORD, totp).await);
    }
    assert_eq!(user(&gateway, ANALYST, "failed_login_attempts AS n").await["n"], 4);
    login(&gateway, ANALYST, PASSWORD, Some(&code(secret, now()))).await.ok();
    refused(&login(&gateway, ANALYST, "wrong", Some(&code(secret, now()))).await);
    // The one whom the demo data gives a second factor, and a code that nobody asked for.
    let demo = code("JBSWY3DPEHPK3PXP", now());
    login(&gateway, "grace.abernathy@aether-demo.com", PASSWORD, Some(&demo)).await.ok();
    login(&gateway, CFO, PASSWORD, Some("000000")).await.ok();
}

#[tokio::test]
async fn a_session_remembers_its_device() {
    let gateway = Gateway::demo().await;
    let login = |device: &str| {
        format!(
            r#"mutation {{ login(email: "{CFO}", password: "{PASSWORD}", organization: "{HOME}"{device}) {{ sessionId }} }}"#
        )
    };
    let agent = [("User-Agent", "Lynx/2.9 (a terminal)")];
    let named = login(r#", device: { browser: "Firefox 145", os: "Plan 9", location: "Bergen, NO" }"#);
    let session = async |query: &str| {
        let answer = send(&gateway, query, &agent).await;
        let id = text(&answer, "/data/login/sessionId").to_owned();
        let columns = "device_info, host(ip_address) AS address, user_agent, expires_at - created_at AS lifetime";
        gateway.rows(&format!("SELECT {columns} FROM user_sessions WHERE id = '{id}'")).await.remove(0)
    };
    let said = session(&named).await;
    let device = json!({ "browser": "Firefox 145", "os": "Plan 9", "device": null, "location": "Bergen, NO" });
    assert_eq!(said["device_info"], device);
    assert_eq!((text(&said, "/address"), text(&said, "/user_agent")), ("127.0.0.1", agent[0].1));
    let unsaid = session(&login("")).await;
    assert_eq!(unsaid["device_info"]["browser"], "Lynx 2.9");
    let long = login(&format!(r#", device: {{ browser: "{}" }}"#, "x".repeat(5_000)));
    assert_eq!(session(&long).await["device_info"]["browser"].as_str().map(str::len), Some(200));
}

#[tokio::test]
async fn signing_in_and_failing_to_are_audited_in_the_same_transaction() {
    let gateway = Gateway::demo().await;
    let before = user(&gateway, CFO, "row_version, updated_at").await;
    let id = login(&gateway, CFO, PASSWORD, None).await.ok()["login"]["sessionId"].as_str().expect("an id").to_owned();
    let written = gateway
        .rows(&format!(
            "SELECT 'session' AS what, xmin::text FROM user_sessions WHERE id = '{id}'
             UNION ALL SELECT 'token', xmin::text FROM refresh_tokens WHERE session_id = '{id}'
             UNION ALL SELECT 'log', xmin::text FROM audit_logs WHERE action = 'LOGIN' AND session_id = '{id}'
             UNION ALL SELECT 'event', xmin::text FROM audit_events WHERE event_type = 'LOGIN' AND session_id = '{id}'
             UNION ALL SELECT 'user', xmin::text FROM users WHERE email = '{CFO}'"
        ))
        .await;
    let kinds: Vec<_> = written.iter().map(|row| text(row, "/what")).collect();
    assert_eq!(kinds, ["session", "token", "log", "event", "user"]);
    assert!(written.iter().all(|row| row["xmin"] == written[0]["xmin"]), "{written:?}");
    // Signing in is no edit of the user.
    assert_eq!(user(&gateway, CFO, "row_version, updated_at").await, before);

    let since = "timestamp > now() - interval '1 minute' AND action = 'LOGIN_FAILED'";
    refused(&login(&gateway, CFO, "wrong-password", None).await);
    refused(&login(&gateway, "nobody@aether-demo.com", "wrong-password", None).await);
    let failed = gateway
        .rows(&format!(
            "SELECT actor_type, actor_email, risk_level, ip_address, details FROM audit_logs WHERE {since} ORDER BY id"
        ))
        .await;
    assert_eq!(failed.len(), 2);
    assert_eq!((&failed[0]["actor_email"], &failed[0]["details"]["failures"]), (&json!(CFO), &json!(1)));
    assert_eq!((&failed[1]["actor_email"], &failed[1]["actor_type"]), (&Value::Null, &json!("SYSTEM")));
    assert_eq!(failed[1]["details"]["email"], "nobody@aether-demo.com");
    assert!(!format!("{failed:?}").contains("wrong-password"));
    assert_eq!(user(&gateway, CFO, "row_version, updated_at").await, before);
}

#[tokio::test]
async fn an_expired_access_token_says_what_to_do() {
    let gateway = Gateway::demo().await;
    let data = login(&gateway, CFO, PASSWORD, None).await.ok();
    let id = |pointer: &str| -> Uuid { text(&data, pointer).parse().expect("an id") };
    let tokens = Tokens::new(config().jwt_secret.as_bytes(), Duration::ZERO, Duration::ZERO);
    let Ok(token) = tokens.access(id("/login/user/id"), id("/login/sessionId")) else { panic!("it signs") };
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let answer = bearer(&gateway, &token).query(ME).await;
    refused(&answer);
    assert!(answer.message().contains("expired") && answer.message().contains("refresh"), "{}", answer.message());
}

/// What anybody may ask.
const OPEN: [&str; 2] = ["health", "goldenRecordSchema"];

#[tokio::test]
async fn without_a_token_nothing_else_answers() {
    let gateway = Gateway::demo().await;
    let stranger = gateway.stranger();
    assert_eq!(stranger.data("{ health { database } }").await["health"]["database"], true);
    let schema = stranger
        .data("{ __schema { queryType { fields { name type { kind ofType { kind } } args { name defaultValue type { kind ofType { name enumValues { name } } } } } } mutationType { fields { name args { name } } } } }")
        .await;
    let fields = |kind: &str| schema["__schema"][kind]["fields"].as_array().expect("fields").clone();
    let mut asked = 0;
    for field in fields("queryType").iter().filter(|field| !OPEN.contains(&text(field, "/name"))) {
        let arguments = field["args"].as_array().expect("arguments").iter();
        let required = arguments.filter(|arg| arg["type"]["kind"] == "NON_NULL" && arg["defaultValue"].is_null());
        let value = |arg: &Value| match text(arg, "/type/ofType/name") {
            "BigInt" => "1".to_owned(),
            "Int" => "2026".to_owned(),
            "Date" => "\"2026-01-01\"".to_owned(),
            _ if arg["type"]["ofType"]["enumValues"].is_array() => {
                text(arg, "/type/ofType/enumValues/0/name").to_owned()
            }
            "ID" => format!("\"{}\"", node_id("User", Uuid::nil())),
            _ => format!("\"{}\"", Uuid::nil()),
        };
        let arguments = required.map(|arg| format!("{}: {}", text(arg, "/name"), value(arg)));
        let arguments: Vec<_> = arguments.collect();
        let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
        let is_scalar =
            ["/type/kind", "/type/ofType/kind"].iter().any(|kind| field.pointer(kind) == Some(&json!("SCALAR")));
        let selection = if is_scalar { "" } else { "{ __typename }" };
        let answer = stranger.query(&format!("{{ {}{arguments} {selection} }}", text(field, "/name"))).await;
        refused(&answer);
        asked += 1;
    }
    assert!(asked > 80, "{asked}");
    for field in fields("mutationType")
        .iter()
        .filter(|f| !["login", "refresh", "acceptUserInvitation"].contains(&text(f, "/name")))
    {
        if field["args"].as_array().is_some_and(Vec::is_empty) {
            refused(&stranger.query(&format!("mutation {{ {} }}", text(field, "/name"))).await);
        }
    }
}

#[tokio::test]
async fn what_is_no_token_of_this_gateway_is_refused_but_signing_in_still_works() {
    let gateway = Gateway::demo().await;
    let data = login(&gateway, CFO, PASSWORD, None).await.ok();
    let token = text(&data, "/login/accessToken");
    let id = |pointer: &str| -> Uuid { text(&data, pointer).parse().expect("an id") };
    let strangers = Tokens::new(b"another-secret-that-is-long-enough-too", Duration::from_secs(900), Duration::ZERO);
    let Ok(forged) = strangers.access(id("/login/user/id"), id("/login/sessionId")) else { panic!("it signs") };
    let parts: Vec<_> = token.split('.').collect();
    let unsigned = |header: &str| format!("Bearer {header}.{}.", parts[1]);
    let sign_in = format!(
        r#"mutation {{ login(email: "{CFO}", password: "{PASSWORD}", organization: "{HOME}") {{ user {{ email }} }} }}"#
    );
    for header in [
        "Bearer garbage",
        "Bearer ",
        "Bearer",
        "",
        token,
        &format!("Basic {token}"),
        &format!("Bearer {token}x"),
        &format!("Bearer {}", data["login"]["refreshToken"]),
        &format!("Bearer {forged}"),
        &unsigned("eyJhbGciOiJub25lIn0"),                 // {"alg":"none"}
        &unsigned("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"), // {"alg":"none","typ":"JWT"}
        &format!("Bearer {}.{}.", parts[0], parts[1]),
    ] {
        let headers = [("Authorization", header)];
        let answer = send(&gateway, ME, &headers).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{header}: {answer:#}");
        assert_eq!(send(&gateway, &sign_in, &headers).await["data"]["login"]["user"]["email"], CFO, "{header}");
    }
    let answer = send(&gateway, ME, &[("Authorization", &format!("bearer  {token}"))]).await;
    assert_eq!(answer["data"]["me"]["user"]["email"], CFO);
}

#[tokio::test]
async fn without_introspection_the_schema_is_not_told() {
    let gateway = Gateway::with(&["--introspection", "off"]).await;
    for asked in ["{ __schema { types { name } } }", r#"{ __type(name: "User") { fields { name } } }"#] {
        for user in [gateway.stranger(), gateway.cfo().await] {
            let refused = user.query(asked).await;
            assert_eq!(refused.code(), "GRAPHQL_VALIDATION_FAILED");
            assert!(refused.body.get("data").is_none(), "{:#}", refused.body);
        }
    }
    let data = gateway.cfo().await.data("{ __typename me { user { __typename } } }").await;
    assert_eq!(data, json!({ "__typename": "Query", "me": { "user": { "__typename": "User" } } }));
}

#[tokio::test]
async fn a_deactivated_user_or_organization_is_out_from_the_next_request() {
    let gateway = Gateway::demo().await;
    let deals = "{ deals(first: 1) { nodes { id } } }";
    for (change, back) in [
        ("users SET status = 'inactive'", "users SET status = 'active'"),
        ("users SET deleted_at = now()", "users SET deleted_at = NULL"),
        ("organizations SET subscription_status = 'suspended'", "organizations SET subscription_status = 'active'"),
        ("organizations SET deleted_at = now()", "organizations SET deleted_at = NULL"),
    ] {
        let key = if change.starts_with("users") { format!("email = '{CFO}'") } else { format!("slug = '{HOME}'") };
        let cfo = gateway.cfo().await;
        cfo.data(deals).await;
        gateway.execute(&format!("UPDATE {change} WHERE {key}")).await;
        refused(&cfo.query(deals).await);
        refused(&cfo.query(ME).await);
        refused(&refresh(&gateway, &cfo.refresh_token).await);
        gateway.execute(&format!("UPDATE {back} WHERE {key}")).await;
        cfo.data(deals).await;
        refresh(&gateway, &cfo.refresh_token).await.ok();
    }
}

#[tokio::test]
async fn text_that_no_database_takes_is_bad_input_and_no_defect() {
    let gateway = Gateway::demo().await;
    for (organization, email, password) in
        [("aether\0demo", CFO, PASSWORD), (HOME, "sarah\0@aether-demo.com", PASSWORD), (HOME, CFO, "\0")]
    {
        let answer = login_to(&gateway, organization, email, password, None).await;
        assert!(["VALIDATION_FAILED", "UNAUTHENTICATED"].contains(&answer.code()), "{:#}", answer.body);
    }
    let device = format!(
        r#"mutation {{ login(email: "{CFO}", password: "{PASSWORD}", organization: "{HOME}", device: {{ os: "\u0000" }}) {{ sessionId }} }}"#
    );
    assert_eq!(gateway.stranger().query(&device).await.code(), "VALIDATION_FAILED");
    let long = "x".repeat(500_000);
    refused(&login(&gateway, &format!("{long}@aether-demo.com"), PASSWORD, None).await);
    refused(&login(&gateway, CFO, &long, None).await);
}

/// Who may open and end sessions: everybody their own.
pub fn cases() -> Vec<Case> {
    vec![
        case!(
            "login",
            May::Anybody,
            "SELECT 1 AS nothing",
            "mutation { login(email: \"sarah.chen@aether-demo.com\", password: \"aether-demo\", organization: \"aether-demo\") { expiresIn } }"
        ),
        Case {
            mutation: "refresh",
            operation: "mutation($token: String!) { refresh(refreshToken: $token) { expiresIn } }",
            may: May::Anybody,
            prepare: |gateway, _| Box::pin(async move { json!({ "token": gateway.cfo().await.refresh_token }) }),
        },
        case!("logout", May::SignedIn, "SELECT 1 AS nothing", "mutation { logout }"),
        case!("logoutEverywhere", May::SignedIn, "SELECT 1 AS nothing", "mutation { logoutEverywhere }"),
    ]
}
