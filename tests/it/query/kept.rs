//! Plans are kept by operation and variables; whatever is kept must not answer for another.

use serde_json::{Value, json};

use crate::support::{Answer, Gateway, HOME, User};

/// The data of one operation of a document.
async fn data(user: &User<'_>, name: Option<&str>, query: &str, variables: Value) -> Value {
    let request = user.request(json!({ "query": query, "operationName": name, "variables": variables }));
    Answer::of(query, request.send().await.unwrap()).await.ok()
}

#[tokio::test]
async fn what_is_kept_of_an_operation_answers_only_what_is_asked_now() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let (admin, viewer) =
        (gateway.sign_in("admin@aether-demo.com", HOME).await, gateway.sign_in("viewer@aether-demo.com", HOME).await);
    let ids = cfo.data("{ deals(first: 3) { nodes { id name } } }").await;
    let deals = ids["deals"]["nodes"].as_array().unwrap().clone();
    for round in 0..3 {
        // A lookup, by ids that differ; one that nobody has, and what is none.
        let one = "query($id: UUID!) { deal(id: $id) { id name } }";
        for deal in &deals {
            assert_eq!(data(&cfo, None, one, json!({ "id": deal["id"] })).await["deal"], *deal, "{round}");
        }
        assert_eq!(data(&cfo, None, one, json!({ "id": uuid::Uuid::nil() })).await["deal"], Value::Null);
        assert_eq!(cfo.run(one, json!({ "id": "none" })).await.code(), "GRAPHQL_VALIDATION_FAILED");
        assert_eq!(cfo.run(one, json!({})).await.code(), "GRAPHQL_VALIDATION_FAILED");
        // The same variable as an id and as something else.
        let twice = "query($id: UUID!) { deal(id: $id) { id } deals(filter: { id: { ne: $id } }, first: 1, orderBy: { field: ID }) { nodes { id } } }";
        for deal in &deals {
            let answer = data(&cfo, None, twice, json!({ "id": deal["id"] })).await;
            assert_eq!(answer["deal"]["id"], deal["id"]);
            assert_ne!(answer["deals"]["nodes"][0]["id"], deal["id"]);
        }
        // Two ids, two variables.
        let two = "query($a: UUID!, $b: UUID!) { a: deal(id: $a) { id } b: deal(id: $b) { id } }";
        for (a, b) in [(0, 1), (1, 2), (2, 2)] {
            let answer = data(&cfo, None, two, json!({ "a": deals[a]["id"], "b": deals[b]["id"] })).await;
            assert_eq!(answer, json!({ "a": { "id": deals[a]["id"] }, "b": { "id": deals[b]["id"] } }));
        }
        // Sizes, filters, conditions, cursors, operations of one document.
        let page = "query P($n: Int!, $s: Boolean!, $q: String) { deals(first: $n, filter: { name: { contains: $q } }) { totalCount nodes { id @skip(if: $s) name } } } query Q($n: Int!) { users(first: $n) { totalCount } }";
        for (n, s, q) in [(1, false, Some("a")), (2, true, Some("a")), (2, false, Some("e")), (1, false, None)] {
            let mut variables = json!({ "n": n, "s": s });
            if let Some(q) = q {
                variables["q"] = q.into();
            }
            let answer = data(&cfo, Some("P"), page, variables).await;
            let nodes = answer["deals"]["nodes"].as_array().unwrap();
            assert_eq!(nodes.len(), n);
            assert!(nodes.iter().all(|node| node.get("id").is_none() == s), "{nodes:?}");
            let count = match q {
                Some(q) => format!("SELECT count(*) FROM deals d JOIN organizations o ON o.id = d.organization_id WHERE o.slug = 'aether-demo' AND d.name ILIKE '%{q}%'"),
                None => "SELECT count(*) FROM deals d JOIN organizations o ON o.id = d.organization_id WHERE o.slug = 'aether-demo'".into(),
            };
            assert_eq!(answer["deals"]["totalCount"], gateway.value(&count).await, "{q:?}");
        }
        assert!(data(&cfo, Some("Q"), page, json!({ "n": 1 })).await["users"]["totalCount"].as_u64().unwrap() > 5);
        // What one is shown another is not: e-mail addresses are for oneself and those who manage users.
        let users =
            "query($n: Int) { users(first: $n, orderBy: { field: NAME }) { nodes { name failedLoginAttempts } } }";
        let shown = |answer: &Value| {
            answer["users"]["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|user| !user["failedLoginAttempts"].is_null())
                .count()
        };
        let (all, own) =
            (data(&admin, None, users, json!({ "n": 50 })).await, data(&viewer, None, users, json!({ "n": 50 })).await);
        assert!(shown(&all) > 5, "{all}");
        assert_eq!(shown(&own), 1, "{own}");
    }
}
