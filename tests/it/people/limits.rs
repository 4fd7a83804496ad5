//! How often is too often.

use serde_json::json;

use super::{ANALYST, CFO, PASSWORD, login, user};
use crate::support::{Gateway, HOME};

#[tokio::test]
async fn signing_in_too_often_from_one_address_has_to_wait() {
    let gateway = Gateway::with(&["--logins-per-minute", "3"]).await;
    let cfo = gateway.cfo().await;
    assert_eq!(login(&gateway, CFO, "wrong", None).await.code(), "UNAUTHENTICATED");
    login(&gateway, ANALYST, PASSWORD, None).await.ok();
    let refused = login(&gateway, CFO, PASSWORD, None).await;
    assert_eq!(refused.code(), "RATE_LIMITED", "{:#}", refused.body);
    let seconds = refused.body["errors"][0]["extensions"]["retryAfterSeconds"].as_u64().expect("seconds");
    assert!((1..=20).contains(&seconds), "{seconds}");
    let accept = "mutation { acceptUserInvitation(token: \"x\", password: \"y\") { expiresIn } }";
    assert_eq!(gateway.stranger().query(accept).await.code(), "RATE_LIMITED");
    // Nobody who is in is kept from going on.
    cfo.data("{ me { sessionId } }").await;
}

#[tokio::test]
async fn a_user_who_changes_too_much_at_once_has_to_wait() {
    let gateway = Gateway::with(&["--mutations-per-minute", "2"]).await;
    let (one, other) = (gateway.cfo().await, gateway.cfo().await);
    let (_, version) = user(&gateway, CFO).await;
    let edit = format!("editProfile(expectedVersion: {version}, input: {{}}) {{ id }}");
    // Each mutation of a request counts, and the sessions of a user count together.
    one.data(&format!("mutation {{ {edit} }}")).await;
    let both = other.query(&format!("mutation {{ a: {edit} b: {edit} }}")).await;
    assert_eq!(both.code(), "RATE_LIMITED", "{:#}", both.body);
    assert_eq!(both.body["errors"][0]["path"], json!(["b"]));
    let together = other.query(&format!("mutation @transaction {{ {edit} }}")).await;
    assert_eq!((together.code(), &together.body["data"]), ("RATE_LIMITED", &json!(null)));
    let (_, version) = user(&gateway, ANALYST).await;
    let edit = format!("mutation {{ editProfile(expectedVersion: {version}, input: {{}}) {{ id }} }}");
    gateway.sign_in(ANALYST, HOME).await.data(&edit).await;
    one.data("{ me { sessionId } }").await;
}
