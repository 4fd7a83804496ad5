//! Oneself: profile, password, sessions.

use serde_json::{Value, json};

use super::{ANALYST, CFO, PASSWORD, STRONG, field, login, trail, user};
use crate::support::{Answer, Gateway, HOME, User};

async fn edit(by: &User<'_>, version: i64, input: Value) -> Answer {
    let query = "mutation($v: Int!, $input: ProfilePatch!) { editProfile(expectedVersion: $v, input: $input) {
        name avatarUrl rowVersion
        preferences { theme dashboardLayout notifications { email inApp anomalyAlerts } defaultFilters { region dateRange } }
    } }";
    by.run(query, json!({ "v": version, "input": input })).await
}

async fn change_password(by: &User<'_>, current: &str, new: &str) -> Answer {
    let query = "mutation($current: String!, $new: String!) { changePassword(current: $current, new: $new) { id } }";
    by.run(query, json!({ "current": current, "new": new })).await
}

#[tokio::test]
async fn a_profile_is_edited_field_by_field() {
    let gateway = Gateway::demo().await;
    let analyst = gateway.sign_in(ANALYST, HOME).await;
    let version = user(&gateway, ANALYST).await.1;
    let reset = edit(&analyst, version, json!({ "preferences": null })).await.ok();
    let version = reset["editProfile"]["rowVersion"].as_i64().expect("a version");
    let input = json!({
        "name": " Elena P. ", "avatarUrl": "https://example.com/e.png",
        "preferences": { "theme": "dark", "notifications": { "email": true, "inApp": false }, "defaultFilters": { "dateRange": "last_30_days" } },
    });
    let edited = edit(&analyst, version, input).await.ok();
    let profile = &edited["editProfile"];
    assert_eq!((&profile["name"], &profile["avatarUrl"]), (&json!("Elena P."), &json!("https://example.com/e.png")));
    let version = profile["rowVersion"].as_i64().expect("a version");
    let input = json!({ "avatarUrl": null, "preferences": { "theme": null, "notifications": { "inApp": true } } });
    let edited = edit(&analyst, version, input).await.ok();
    let expected = json!({
        "theme": null, "dashboardLayout": null, "notifications": { "email": true, "inApp": true, "anomalyAlerts": null },
        "defaultFilters": { "region": null, "dateRange": "last_30_days" },
    });
    assert_eq!(edited["editProfile"]["preferences"], expected);
    assert_eq!(edit(&analyst, version, json!({ "name": "Late" })).await.code(), "CONFLICT");
    let version = edited["editProfile"]["rowVersion"].as_i64().expect("a version");
    for (input, path) in [
        (json!({ "name": " " }), "input.name"),
        (json!({ "name": "x".repeat(256) }), "input.name"),
        (json!({ "avatarUrl": "javascript:alert(1)" }), "input.avatarUrl"),
        (json!({ "avatarUrl": "https://" }), "input.avatarUrl"),
        (json!({ "preferences": { "theme": "mauve" } }), "input.preferences.theme"),
        (
            json!({ "preferences": { "defaultFilters": { "region": "x".repeat(51) } } }),
            "input.preferences.defaultFilters.region",
        ),
    ] {
        assert_eq!(field(&edit(&analyst, version, input.clone()).await), ("VALIDATION_FAILED", path), "{input}");
    }
    let unknown = edit(&analyst, version, json!({ "role": "CFO" })).await;
    assert_eq!(unknown.code(), "GRAPHQL_VALIDATION_FAILED");
    let rows = trail(&gateway, &["PROFILE_EDIT"]).await;
    assert_eq!(rows.last().expect("a row")["details"]["before"]["preferences"]["theme"], "dark");
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_is_told_nowhere() {
    let gateway = Gateway::demo().await;
    let (here, there) = (gateway.sign_in(ANALYST, HOME).await, gateway.sign_in(ANALYST, HOME).await);
    for (new, path) in [("too short", "new"), ("Elena Petrova", "new"), (PASSWORD, "new")] {
        assert_eq!(field(&change_password(&here, PASSWORD, new).await), ("VALIDATION_FAILED", path), "{new}");
    }
    there.data("{ me { sessionId } }").await;
    change_password(&here, PASSWORD, STRONG).await.ok();
    here.data("{ me { sessionId } }").await;
    assert_eq!(there.query("{ me { sessionId } }").await.code(), "UNAUTHENTICATED");
    assert_eq!(login(&gateway, ANALYST, PASSWORD, None).await.code(), "UNAUTHENTICATED");
    login(&gateway, ANALYST, STRONG, None).await.ok();
    let row = trail(&gateway, &["PASSWORD_CHANGE"]).await.remove(0);
    let details = &row["details"];
    assert_eq!(
        (&details["before"]["passwordHash"], &details["after"]["passwordHash"]),
        (&json!("(secret)"), &json!("(secret)"))
    );
    assert!(details["after"]["sessionsEnded"].as_i64().expect("a number") >= 1, "{row:#}");
    let hash = gateway.value(&format!("SELECT password_hash FROM users WHERE email = '{ANALYST}'")).await;
    let hash = hash.as_str().expect("a hash");
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    for table in ["audit_logs", "audit_events", "event_outbox"] {
        let rows = gateway.value(&format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")).await;
        let told = rows.as_str().expect("text");
        assert!(!told.contains(hash) && !told.contains("argon2") && !told.contains(STRONG), "{table} tells a secret");
    }
}

#[tokio::test]
async fn a_wrong_current_password_counts_as_a_failed_sign_in() {
    let gateway = Gateway::demo().await;
    let analyst = gateway.sign_in(ANALYST, HOME).await;
    for failures in 1..=4 {
        assert_eq!(field(&change_password(&analyst, "wrong", STRONG).await), ("VALIDATION_FAILED", "current"));
        let counted =
            gateway.value(&format!("SELECT failed_login_attempts FROM users WHERE email = '{ANALYST}'")).await;
        assert_eq!(counted, failures);
    }
    change_password(&analyst, "wrong", STRONG).await;
    let locked = change_password(&analyst, PASSWORD, STRONG).await;
    assert_eq!(locked.code(), "PRECONDITION_FAILED", "{:#}", locked.body);
    assert_eq!(login(&gateway, ANALYST, PASSWORD, None).await.code(), "UNAUTHENTICATED");
    let rows = trail(&gateway, &["PASSWORD_REFUSED"]).await;
    let risks: Vec<_> = rows.iter().map(|row| row["risk_level"].as_str().expect("a risk")).collect();
    assert_eq!(risks, ["medium", "medium", "medium", "medium", "high", "medium"]);
    assert!(trail(&gateway, &["PASSWORD_CHANGE"]).await.is_empty());
    // Those who manage users let the user in again.
    let (id, version) = user(&gateway, ANALYST).await;
    let query = "mutation($id: UUID!, $v: Int!) { reactivateUser(id: $id, expectedVersion: $v) { status } }";
    gateway.cfo().await.run(query, json!({ "id": id, "v": version })).await.ok();
    change_password(&analyst, PASSWORD, STRONG).await.ok();
    let together = "mutation @transaction { changePassword(current: \"x\", new: \"y\") { id } }";
    assert_eq!(analyst.query(together).await.code(), "PRECONDITION_FAILED");
}

#[tokio::test]
async fn one_ends_sessions_of_ones_own_only() {
    let gateway = Gateway::demo().await;
    let (cfo, lost, analyst) =
        (gateway.cfo().await, gateway.sign_in(CFO, HOME).await, gateway.sign_in(ANALYST, HOME).await);
    let revoke = "mutation($id: UUID!) { revokeSession(id: $id) { id revokedAt } }";
    let session = async |user: &User<'_>| json!({ "id": user.data("{ me { sessionId } }").await["me"]["sessionId"] });
    let (theirs, lost_id) = (session(&analyst).await, session(&lost).await);
    // A CFO sees the analyst's session, but it is not the CFO's.
    assert_eq!(cfo.run(revoke, theirs).await.code(), "NOT_FOUND");
    assert_eq!(analyst.run(revoke, lost_id.clone()).await.code(), "NOT_FOUND");
    assert_eq!(cfo.run(revoke, session(&cfo).await).await.code(), "PRECONDITION_FAILED", "for that there is logout");
    let ended = cfo.run(revoke, lost_id.clone()).await.ok();
    assert!(ended["revokeSession"]["revokedAt"].is_string());
    assert_eq!(lost.query("{ me { sessionId } }").await.code(), "UNAUTHENTICATED");
    let refresh = "mutation($token: String!) { refresh(refreshToken: $token) { accessToken } }";
    let refreshed = gateway.stranger().run(refresh, json!({ "token": lost.refresh_token })).await;
    assert_eq!(refreshed.code(), "UNAUTHENTICATED");
    assert_eq!(cfo.run(revoke, lost_id).await.code(), "PRECONDITION_FAILED");
    analyst.data("{ me { sessionId } }").await;
    assert_eq!(trail(&gateway, &["SESSION_REVOKE"]).await.len(), 1);
}
