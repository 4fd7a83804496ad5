//! Second factors: enrolled, confirmed, asked for, and lost.

use serde_json::{Value, json};

use super::{ANALYST, PASSWORD, SECRET, bearer, code, encrypted, field, login, now, set, trail};
use crate::support::{Answer, Gateway, HOME, User};

async fn enrol(user: &User<'_>, password: &str) -> Answer {
    user.run("mutation($p: String!) { enrolMfa(password: $p) { secret otpauthUri } }", json!({ "p": password })).await
}

async fn confirm(user: &User<'_>, code: &str) -> Answer {
    let query = "mutation($code: String!) { confirmMfa(code: $code) { recoveryCodes user { mfaEnabled } } }";
    user.run(query, json!({ "code": code })).await
}

async fn disable(user: &User<'_>, password: &str, code: &str) -> Answer {
    let query = "mutation($p: String!, $code: String!) { disableMfa(password: $p, code: $code) { mfaEnabled } }";
    user.run(query, json!({ "p": password, "code": code })).await
}

async fn regenerate(user: &User<'_>, password: &str, code: &str) -> Answer {
    let query = "mutation($p: String!, $code: String!) { regenerateRecoveryCodes(password: $p, code: $code) { recoveryCodes } }";
    user.run(query, json!({ "p": password, "code": code })).await
}

fn codes(answer: &Value) -> Vec<String> {
    let codes = answer["recoveryCodes"].as_array().expect("codes").iter();
    codes.map(|code| code.as_str().expect("text").to_owned()).collect()
}

/// An analyst with a second factor, and its recovery codes.
async fn enrolled(gateway: &Gateway) -> (User<'_>, Vec<String>) {
    let analyst = gateway.sign_in(ANALYST, HOME).await;
    set(gateway, ANALYST, &format!("mfa_pending_secret = {}", encrypted())).await;
    let confirmed = confirm(&analyst, &code(SECRET, now())).await.ok();
    set(gateway, ANALYST, "mfa_last_step = NULL").await;
    (analyst, codes(&confirmed["confirmMfa"]))
}

#[tokio::test]
async fn a_device_is_enrolled_confirmed_and_asked_for() {
    let gateway = Gateway::demo().await;
    let analyst = gateway.sign_in(ANALYST, HOME).await;
    assert_eq!(confirm(&analyst, "123456").await.code(), "PRECONDITION_FAILED");
    assert_eq!(field(&enrol(&analyst, "wrong").await), ("VALIDATION_FAILED", "password"));
    let enrolment = enrol(&analyst, PASSWORD).await.ok();
    let secret = enrolment["enrolMfa"]["secret"].as_str().expect("a secret").to_owned();
    let uri = enrolment["enrolMfa"]["otpauthUri"].as_str().expect("an address");
    assert!(uri.starts_with("otpauth://totp/Aether%20Nexus:") && uri.contains(&secret), "{uri}");
    // Until it is confirmed, signing in does not ask for it.
    login(&gateway, ANALYST, PASSWORD, None).await.ok();
    assert_eq!(field(&confirm(&analyst, &code(&secret, now() - 86_400)).await), ("VALIDATION_FAILED", "code"));
    let at = now();
    let confirmed = confirm(&analyst, &code(&secret, at)).await.ok();
    assert_eq!(confirmed["confirmMfa"]["user"]["mfaEnabled"], true);
    let recovery = codes(&confirmed["confirmMfa"]);
    assert_eq!(recovery.len(), 10);
    assert_eq!(enrol(&analyst, PASSWORD).await.code(), "PRECONDITION_FAILED");
    assert_eq!(confirm(&analyst, &code(&secret, at)).await.code(), "PRECONDITION_FAILED");

    assert_eq!(login(&gateway, ANALYST, PASSWORD, None).await.code(), "UNAUTHENTICATED");
    // The code that confirmed is spent; the next one is good, once.
    assert_eq!(login(&gateway, ANALYST, PASSWORD, Some(&code(&secret, at))).await.code(), "UNAUTHENTICATED");
    let next = code(&secret, at + 30);
    let version = "SELECT row_version FROM users WHERE email = 'analyst@aether-demo.com'";
    let before = gateway.value(version).await;
    login(&gateway, ANALYST, PASSWORD, Some(&next)).await.ok();
    assert_eq!(login(&gateway, ANALYST, PASSWORD, Some(&next)).await.code(), "UNAUTHENTICATED");
    assert_eq!(gateway.value(version).await, before, "signing in is no edit of the user");

    let rows = trail(&gateway, &["MFA_ENROL", "MFA_CONFIRM", "PASSWORD_REFUSED"]).await;
    let actions: Vec<_> = rows.iter().map(|row| row["action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["PASSWORD_REFUSED", "MFA_ENROL", "MFA_CONFIRM"]);
    assert_eq!(rows[1]["details"]["after"], json!({ "mfaPendingSecret": "(secret)" }));
    assert_eq!(rows[2]["details"]["after"]["mfaEnabled"], true);
    let all = gateway.rows("SELECT details FROM audit_logs WHERE timestamp > now() - interval '5 minutes'").await;
    let (told, kept) = (format!("{all:?}"), gateway.rows("SELECT payload FROM event_outbox").await);
    for secret in recovery.iter().chain([&secret]) {
        assert!(!told.contains(secret) && !format!("{kept:?}").contains(secret), "{secret} is told");
    }
    let plain = gateway.value(&format!(
        "SELECT count(*) FROM users u, user_recovery_codes c WHERE u.email = '{ANALYST}' AND (position('{secret}'::bytea IN u.mfa_secret) > 0
           OR c.code_hash = '{}'::bytea)", recovery[0]
    ))
    .await;
    assert_eq!(plain, 0);
}

#[tokio::test]
async fn a_recovery_code_stands_in_once() {
    let gateway = Gateway::demo().await;
    let (analyst, recovery) = enrolled(&gateway).await;
    // Not spent where the password is wrong.
    assert_eq!(login(&gateway, ANALYST, "wrong", Some(&recovery[0])).await.code(), "UNAUTHENTICATED");
    let typed = recovery[0].to_lowercase().replace('-', "");
    let answer = login(&gateway, ANALYST, PASSWORD, Some(&typed)).await.ok();
    bearer(&gateway, &answer["login"]["accessToken"]).data("{ me { sessionId } }").await;
    assert_eq!(login(&gateway, ANALYST, PASSWORD, Some(&recovery[0])).await.code(), "UNAUTHENTICATED");
    let used = trail(&gateway, &["RECOVERY_CODE_USED"]).await;
    assert_eq!((used.len(), &used[0]["details"]["left"]), (1, &json!(9)));

    let anew = regenerate(&analyst, PASSWORD, &recovery[1]).await.ok();
    let anew = codes(&anew["regenerateRecoveryCodes"]);
    assert_eq!(anew.len(), 10);
    assert_eq!(login(&gateway, ANALYST, PASSWORD, Some(&recovery[2])).await.code(), "UNAUTHENTICATED");
    login(&gateway, ANALYST, PASSWORD, Some(&anew[0])).await.ok();
    assert_eq!(trail(&gateway, &["RECOVERY_CODES_REGENERATE"]).await.len(), 1);

    for (password, code) in [("wrong", &*anew[1]), (PASSWORD, "000000"), (PASSWORD, &anew[0])] {
        assert_eq!(field(&disable(&analyst, password, code).await), ("VALIDATION_FAILED", "password"), "{code}");
    }
    assert_eq!(disable(&analyst, PASSWORD, &anew[1]).await.ok()["disableMfa"]["mfaEnabled"], false);
    login(&gateway, ANALYST, PASSWORD, None).await.ok();
    assert_eq!(gateway.value("SELECT count(*) FROM user_recovery_codes").await, 0);
    assert_eq!(disable(&analyst, PASSWORD, &anew[2]).await.code(), "PRECONDITION_FAILED");
    assert_eq!(regenerate(&analyst, PASSWORD, &anew[2]).await.code(), "PRECONDITION_FAILED");
}

#[tokio::test]
async fn a_code_of_the_device_disables_it_and_is_spent_by_that() {
    let gateway = Gateway::demo().await;
    let (analyst, _) = enrolled(&gateway).await;
    let current = code(SECRET, now());
    regenerate(&analyst, PASSWORD, &current).await.ok();
    assert_eq!(field(&disable(&analyst, PASSWORD, &current).await), ("VALIDATION_FAILED", "password"));
    set(&gateway, ANALYST, "mfa_last_step = NULL").await;
    disable(&analyst, PASSWORD, &code(SECRET, now())).await.ok();
    let row = trail(&gateway, &["MFA_DISABLE"]).await.remove(0);
    assert_eq!(row["details"]["before"]["mfaEnabled"], true);
    assert_eq!(row["details"]["before"]["mfaSecret"], "(secret)");
}
