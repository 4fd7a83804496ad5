//! Invitations: who may invite as what, and how one joins.

use serde_json::{Value, json};

use super::{ADMIN, CFO, STRONG, bearer, field, login, set, trail, user};
use crate::support::{Answer, Gateway, HOME, User};

const GUEST: &str = "ada.byron@example.com";
const INVITE: &str = "mutation($input: InviteUserInput!) {
    inviteUser(input: $input) { token expiresAt user { id email role status permissions region rowVersion } }
}";

async fn invite(user: &User<'_>, role: &str, permissions: &[&str]) -> Answer {
    let input = json!({ "email": GUEST, "name": "Ada Byron", "role": role, "permissions": permissions });
    user.run(INVITE, json!({ "input": input })).await
}

async fn accept(gateway: &Gateway, token: &Value, password: &str) -> Answer {
    let query = "mutation($token: String!, $password: String!) {
        acceptUserInvitation(token: $token, password: $password) { accessToken refreshToken user { email status } }
    }";
    gateway.stranger().run(query, json!({ "token": token, "password": password })).await
}

#[tokio::test]
async fn who_is_invited_joins_with_a_password_of_its_own() {
    let gateway = Gateway::demo().await;
    let invited = invite(&gateway.cfo().await, "ANALYST", &["audit:read"]).await.ok();
    let (token, guest) = (&invited["inviteUser"]["token"], &invited["inviteUser"]["user"]);
    assert_eq!((&guest["status"], &guest["role"]), (&json!("PENDING"), &json!("ANALYST")));
    assert_eq!(guest["permissions"], json!(["audit:read"]));
    let days = gateway.value("SELECT round(extract(epoch FROM expires_at - now()) / 86400) FROM user_invitations");
    assert_eq!(days.await, 7);
    assert_eq!(login(&gateway, GUEST, STRONG, None).await.code(), "UNAUTHENTICATED");

    for weak in ["eleven char", "Ada.Byron@example.com", &"x".repeat(201)] {
        assert_eq!(field(&accept(&gateway, token, weak).await), ("VALIDATION_FAILED", "password"), "{weak}");
    }
    let joined = accept(&gateway, token, STRONG).await.ok();
    let joined = &joined["acceptUserInvitation"];
    assert_eq!(joined["user"], json!({ "email": GUEST, "status": "ACTIVE" }));
    let me = bearer(&gateway, &joined["accessToken"])
        .data("{ me { user { email } } budgets(first: 1) { totalCount } }")
        .await;
    assert_eq!(me["me"]["user"]["email"], GUEST);
    login(&gateway, GUEST, STRONG, None).await.ok();
    assert_eq!(accept(&gateway, token, STRONG).await.code(), "UNAUTHENTICATED");
    assert_eq!(accept(&gateway, &json!("no token"), STRONG).await.code(), "UNAUTHENTICATED");

    let rows = trail(&gateway, &["USER_INVITE", "USER_INVITATION_ACCEPT", "INVITATION_REFUSED"]).await;
    let actions: Vec<_> = rows.iter().map(|row| row["action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["USER_INVITE", "USER_INVITATION_ACCEPT", "INVITATION_REFUSED"]);
    assert!(rows.iter().all(|row| row["resource_id"] == guest["id"]), "{rows:#?}");
    let (sent, accepted) = (&rows[0]["details"], &rows[1]["details"]);
    assert_eq!(sent["after"]["email"], GUEST);
    assert_eq!((&accepted["before"]["status"], &accepted["after"]["status"]), (&json!("PENDING"), &json!("ACTIVE")));
    assert_eq!(accepted["after"]["passwordHash"], "(secret)");
    assert_eq!(rows[1]["actor_email"], GUEST);
    let told = format!("{rows:?}");
    assert!(!told.contains("argon2") && !told.contains(token.as_str().expect("a token")), "{told}");
    let id = guest["id"].as_str().expect("an id");
    let events = gateway
        .rows(&format!(
            "SELECT kind FROM event_outbox WHERE topic = 'user' AND payload ->> 'id' = '{id}' ORDER BY sequence"
        ))
        .await;
    let kinds: Vec<_> = events.iter().map(|event| event["kind"].clone()).collect();
    assert_eq!(kinds, [json!("created"), json!("updated")]);
}

#[tokio::test]
async fn inviting_again_replaces_the_token_and_what_was_given() {
    let gateway = Gateway::demo().await;
    let (cfo, admin) = (gateway.cfo().await, gateway.sign_in(ADMIN, HOME).await);
    let first = invite(&cfo, "CFO", &[]).await.ok();
    // The token is all it takes to become the one invited, so it is not handed out with more than the inviter holds.
    assert_eq!(invite(&admin, "CFO", &[]).await.code(), "FORBIDDEN");
    let second = invite(&admin, "VIEWER", &[]).await.ok();
    assert_eq!(first["inviteUser"]["user"]["id"], second["inviteUser"]["user"]["id"]);
    assert_eq!(second["inviteUser"]["user"]["role"], "VIEWER");
    assert_eq!(accept(&gateway, &first["inviteUser"]["token"], STRONG).await.code(), "UNAUTHENTICATED");
    gateway
        .execute(
            "UPDATE user_invitations SET created_at = now() - interval '8 days', expires_at = now() - interval '1 day'",
        )
        .await;
    assert_eq!(accept(&gateway, &second["inviteUser"]["token"], STRONG).await.code(), "UNAUTHENTICATED");
    let third = invite(&cfo, "VIEWER", &[]).await.ok();
    accept(&gateway, &third["inviteUser"]["token"], STRONG).await.ok();
    assert_eq!(field(&invite(&cfo, "VIEWER", &[]).await), ("CONFLICT", "input.email"));
    set(&gateway, GUEST, "status = 'inactive'").await;
    let inactive = invite(&cfo, "VIEWER", &[]).await;
    assert!(inactive.message().contains("Reactivate"), "{}", inactive.message());
}

#[tokio::test]
async fn nobody_invites_with_more_than_they_hold() {
    let gateway = Gateway::demo().await;
    let admin = gateway.sign_in(ADMIN, HOME).await;
    for (role, permissions) in
        [("ANALYST", &[][..]), ("FINANCE_MANAGER", &[]), ("CFO", &[]), ("VIEWER", &["budgets:draft"])]
    {
        let answer = invite(&admin, role, permissions).await;
        assert_eq!(answer.code(), "FORBIDDEN", "{role} {permissions:?}");
        assert_eq!(answer.body["errors"][0]["extensions"]["permission"], "users:manage");
    }
    assert_eq!(gateway.value(&format!("SELECT count(*) FROM users WHERE email = '{GUEST}'")).await, 0);
    assert_eq!(trail(&gateway, &["PERMISSION_DENIED"]).await.len(), 4);
    let unknown = invite(&admin, "VIEWER", &["audit:read", "everything"]).await;
    assert_eq!(field(&unknown), ("VALIDATION_FAILED", "input.permissions.1"));
    assert!(unknown.message().contains("users:manage"), "{}", unknown.message());
    invite(&admin, "ADMIN", &["audit:read"]).await.ok();
    for email in ["", "nobody", "a@b", "a b@example.com", "a@example.c", "ä@example.com"] {
        let input = json!({ "email": email, "name": "X", "role": "VIEWER" });
        let answer = admin.run(INVITE, json!({ "input": input })).await;
        assert_eq!(field(&answer), ("VALIDATION_FAILED", "input.email"), "{email}");
    }
}

#[tokio::test]
async fn an_answer_with_a_secret_is_not_kept_for_repeats() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let input = json!({ "email": GUEST, "name": "Ada Byron", "role": "VIEWER" });
    let send = async || -> Value {
        let request =
            gateway.http().post(format!("{}/graphql", gateway.url)).bearer_auth(cfo.token.as_ref().expect("a token"));
        let request =
            request.header("Idempotency-Key", "one").json(&json!({ "query": INVITE, "variables": { "input": input } }));
        request.send().await.expect("an answer").json().await.expect("JSON")
    };
    let first = send().await;
    assert!(first["data"]["inviteUser"]["token"].is_string(), "{first:#}");
    assert_eq!(send().await["errors"][0]["extensions"]["code"], "CONFLICT");
    let kept = gateway.rows("SELECT response, changed FROM idempotency_keys").await;
    assert_eq!(kept, [json!({ "response": null, "changed": true })]);
}

#[tokio::test]
async fn an_invitation_ends_with_the_deactivation_of_who_is_invited() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let invited = invite(&cfo, "VIEWER", &[]).await.ok();
    let (id, version) = user(&gateway, GUEST).await;
    let query = "mutation($id: UUID!, $v: Int!) { deactivateUser(id: $id, expectedVersion: $v) { status rowVersion } }";
    let gone = cfo.run(query, json!({ "id": id, "v": version })).await.ok();
    let query = "mutation($id: UUID!, $v: Int!) { reactivateUser(id: $id, expectedVersion: $v) { status } }";
    let back = cfo.run(query, json!({ "id": id, "v": gone["deactivateUser"]["rowVersion"] })).await.ok();
    assert_eq!(back["reactivateUser"]["status"], "PENDING");
    assert_eq!(accept(&gateway, &invited["inviteUser"]["token"], STRONG).await.code(), "UNAUTHENTICATED");
    let again = invite(&cfo, "VIEWER", &[]).await.ok();
    accept(&gateway, &again["inviteUser"]["token"], STRONG).await.ok();
    assert_eq!(gateway.cfo().await.data("{ me { user { email } } }").await["me"]["user"]["email"], CFO);
}
