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

/// What is left of an allowance, as the answer's header says.
fn left(answer: &reqwest::Response, of: &str) -> u32 {
    let told = answer.headers()["ratelimit"].to_str().expect("text");
    let item = told.split(", ").find_map(|item| item.strip_prefix(&format!("\"{of}\";r="))).expect(told);
    item.split(';').next().and_then(|left| left.parse().ok()).expect("a number")
}

#[tokio::test]
async fn whoever_asks_too_much_has_to_wait_and_everybody_is_told_what_is_left() {
    let gateway = Gateway::with(&["--requests-per-minute", "20", "--requests-per-minute-per-address", "60"]).await;
    let (one, other) = (gateway.cfo().await, gateway.cfo().await);
    let analyst = gateway.sign_in(ANALYST, HOME).await;
    let ask = async |user: Option<&crate::support::User<'_>>| {
        let request = gateway.http().post(format!("{}/graphql", gateway.url));
        let request = request.json(&json!({ "query": "{ health { version } }" }));
        let token = user.and_then(|user| user.token.clone());
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
        .send()
        .await
        .expect("an answer")
    };
    // The sessions of a user count together; slow answers may cost more than one.
    let first = ask(Some(&one)).await;
    assert_eq!(first.headers()["ratelimit-policy"], "\"address\";q=60;w=60, \"user\";q=20;w=60");
    assert!((10..20).contains(&left(&first, "user")), "{}", left(&first, "user"));
    let (mut asked, mut before) = (1, left(&first, "user"));
    let refused = loop {
        let answer = ask(Some([&one, &other][asked % 2])).await;
        asked += 1;
        assert!(asked <= 25, "nobody says no");
        if answer.status() != 200 {
            break answer;
        }
        // On a slow machine, one more is there again meanwhile.
        assert!(left(&answer, "user") <= before + 1, "{asked}");
        before = left(&answer, "user");
    };
    assert!(asked > 5, "{asked}");
    assert_eq!((refused.status().as_u16(), left(&refused, "user")), (429, 0));
    let wait: u64 = refused.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=3).contains(&wait), "{wait}");
    assert_eq!(refused.headers()["cache-control"], "no-store");
    let body: serde_json::Value = refused.json().await.expect("JSON");
    assert_eq!(body.get("data"), None, "nothing was executed");
    let extensions = &body["errors"][0]["extensions"];
    assert_eq!((&extensions["code"], &extensions["retryAfterSeconds"]), (&json!("RATE_LIMITED"), &json!(wait)));

    // Others go on, until their address has had enough; what is no GraphQL is not counted.
    assert_eq!(ask(Some(&analyst)).await.status(), 200);
    let mut asked = 0;
    while ask(None).await.status() == 200 {
        asked += 1;
        assert!(asked <= 60, "nobody says no");
    }
    let refused = ask(Some(&analyst)).await;
    assert_eq!((refused.status().as_u16(), left(&refused, "address")), (429, 0));
    let health = gateway.http().get(format!("{}/healthz", gateway.url)).send().await.expect("an answer");
    assert_eq!((health.status().as_u16(), health.headers().get("ratelimit")), (200, None));

    // After the time that it was told to wait, one is answered again.
    tokio::time::sleep(std::time::Duration::from_secs(wait)).await;
    assert_eq!(ask(Some(&one)).await.status(), 200);
    // 0 is no limit.
    let free = gateway.another(&[]).await;
    assert!(
        free.http()
            .post(format!("{}/graphql", free.url))
            .send()
            .await
            .expect("an answer")
            .headers()
            .get("ratelimit")
            .is_none()
    );
}
