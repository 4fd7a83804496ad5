//! GraphQL over server-sent events, in distinct and in single connections.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::PATIENCE;
use crate::support::{Gateway, User};

const BUDGETS: &str = "subscription { budgetChanged { cursor budget { version } } }";

/// A stream of events, read by hand.
struct Events {
    response: Response,
    text: String,
}

/// One event: its name, id and data.
#[derive(Debug, PartialEq)]
struct Event {
    name: String,
    id: Option<String>,
    data: String,
}

impl Events {
    fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    event
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(|v| v.trim_start().to_owned()))
                };
                let found =
                    field("event").map(|name| Event { name, id: field("id"), data: field("data").unwrap_or_default() });
                self.text = rest.to_owned();
                match found {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("something comes");
            self.text.push_str(std::str::from_utf8(&chunk.expect("a stream")?).expect("UTF-8"));
        }
    }

    async fn data(&mut self) -> Value {
        let event = self.next().await.expect("an event");
        assert_eq!(event.name, "next", "{event:?}");
        serde_json::from_str(&event.data).expect("JSON")
    }
}

async fn request(
    gateway: &Gateway,
    user: &User<'_>,
    method: Method,
    query: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Response {
    let mut request = gateway.http().request(method, format!("{}/graphql/stream{query}", gateway.url));
    if let Some(token) = &user.token {
        request = request.bearer_auth(token);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    request.send().await.expect("an answer")
}

async fn create(user: &User<'_>, version: &str) {
    let create = format!(
        "mutation {{ createBudget(input: {{ name: \"Sent\", fiscalYear: 2066, version: \"{version}\" }}) {{ id }} }}"
    );
    user.query(&create).await.ok();
}

#[tokio::test]
async fn a_distinct_connection_tells_and_resumes_behind_its_last_event() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let post = async |headers: &[(&str, &str)], query: &str| {
        request(&gateway, &cfo, Method::POST, "", headers, Some(json!({ "query": query }))).await
    };
    let mut events = Events::of(post(&[], BUDGETS).await);
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    create(&cfo, "1").await;
    let first = events.next().await.expect("an event");
    let data: Value = serde_json::from_str(&first.data).expect("JSON");
    let message = &data["data"]["budgetChanged"];
    assert_eq!((&message["budget"]["version"], &message["cursor"]), (&json!("1"), &json!(first.id)));
    drop(events);
    for version in ["2", "3"] {
        create(&cfo, version).await;
    }
    let mut resumed = Events::of(post(&[("last-event-id", &first.id.expect("an id"))], BUDGETS).await);
    create(&cfo, "4").await;
    for version in ["2", "3", "4"] {
        assert_eq!(resumed.data().await["data"]["budgetChanged"]["budget"]["version"], version);
    }
    assert_eq!(post(&[("last-event-id", "nonsense")], BUDGETS).await.status(), 400);

    // A query is answered and that is the end; so is what is refused.
    let mut query = Events::of(post(&[], "{ me { user { name } } }").await);
    assert_eq!(query.data().await["data"]["me"]["user"]["name"], "Sarah Chen");
    assert_eq!(query.next().await.expect("an event").name, "complete");
    assert_eq!(query.next().await, None);
    let mut refused = Events::of(post(&[], "subscription { nothing }").await);
    assert_eq!(refused.data().await["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(refused.next().await.expect("an event").name, "complete");

    let url = "?query=%7B%20me%20%7B%20user%20%7B%20name%20%7D%20%7D%20%7D";
    let mut by_get = Events::of(request(&gateway, &cfo, Method::GET, url, &[], None).await);
    assert_eq!(by_get.data().await["data"]["me"]["user"]["name"], "Sarah Chen");
}

#[tokio::test]
async fn a_single_connection_takes_operations_beside_it() {
    let gateway = Gateway::demo().await;
    let (cfo, other) = (gateway.cfo().await, gateway.sign_in("analyst@aether-demo.com", "aether-demo").await);
    let reserved = request(&gateway, &cfo, Method::PUT, "", &[], None).await;
    assert_eq!(reserved.status(), 201);
    let token = reserved.text().await.expect("a token");
    let by_token = [("x-graphql-event-stream-token", token.as_str())];
    let operate = async |user: &User<'_>, id: &str, query: &str| {
        let body = json!({ "query": query, "extensions": { "operationId": id } });
        request(&gateway, user, Method::POST, "", &by_token, Some(body)).await.status().as_u16()
    };
    assert_eq!(operate(&cfo, "b", BUDGETS).await, 202);
    let nobody = gateway.stranger();
    assert_eq!(request(&gateway, &nobody, Method::PUT, "", &[], None).await.status(), 401);
    // A token is nobody's but its session's.
    assert_eq!(operate(&other, "b", BUDGETS).await, 404);
    assert_eq!(request(&gateway, &other, Method::GET, "", &by_token, None).await.status(), 404);
    let mut events = Events::of(request(&gateway, &cfo, Method::GET, "", &by_token, None).await);
    assert_eq!(request(&gateway, &cfo, Method::GET, "", &by_token, None).await.status(), 409);
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    create(&cfo, "1").await;
    let told = events.data().await;
    assert_eq!(
        (&told["id"], &told["payload"]["data"]["budgetChanged"]["budget"]["version"]),
        (&json!("b"), &json!("1"))
    );
    assert_eq!(operate(&cfo, "q", "{ me { user { name } } }").await, 202);
    let answered = events.data().await;
    assert_eq!(
        (&answered["id"], &answered["payload"]["data"]["me"]["user"]["name"]),
        (&json!("q"), &json!("Sarah Chen"))
    );
    let completed = events.next().await.expect("an event");
    assert_eq!((completed.name.as_str(), completed.data.as_str()), ("complete", "{\"id\":\"q\"}"));
    let ended = request(&gateway, &cfo, Method::DELETE, "?operationId=b", &by_token, None).await;
    assert_eq!(ended.status(), 200);
    assert_eq!(events.next().await.expect("an event").data, "{\"id\":\"b\"}");
    create(&cfo, "2").await;
    let nothing = tokio::time::timeout(super::QUIET, events.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    let unnamed = request(&gateway, &cfo, Method::POST, "", &by_token, Some(json!({ "query": BUDGETS }))).await;
    assert_eq!(unnamed.status(), 400);
}
