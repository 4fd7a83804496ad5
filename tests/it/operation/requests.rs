//! Requests that change things: repeated under an idempotency key, several mutations in order, and all or nothing.

use std::time::Duration;

use futures::future::join_all;
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};

use crate::support::{Answer, Gateway, User};

const CREATE: &str = "mutation($name: String!) {
    createBudget(input: { name: $name, fiscalYear: 2050, version: $name }) { id name } }";

/// Sends an operation under an idempotency key.
async fn under_key(gateway: &Gateway, user: &User<'_>, key: &str, query: &str, variables: Value) -> Answer {
    let request = gateway
        .http()
        .post(format!("{}/graphql", gateway.url))
        .bearer_auth(user.token.as_deref().expect("a token"))
        .header("Idempotency-Key", key)
        .json(&json!({ "query": query, "variables": variables }));
    Answer::of(query, request.send().await.expect("an answer")).await
}

async fn budgets(gateway: &Gateway, name: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM budgets WHERE name = '{name}'");
    gateway.value(&sql).await.as_i64().expect("a count")
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first_time_and_done_once() {
    let gateway = Gateway::demo().await;
    let (cfo, manager) = (gateway.cfo().await, gateway.sign_in("finance.manager@aether-demo.com", "aether-demo").await);
    let first = under_key(&gateway, &cfo, "key-1", CREATE, json!({ "name": "Once" })).await.ok();
    let again = under_key(&gateway, &cfo, "key-1", CREATE, json!({ "name": "Once" })).await;
    assert_eq!(again.body["extensions"]["idempotentReplay"], true);
    assert_eq!(again.ok(), first);
    assert_eq!(budgets(&gateway, "Once").await, 1);
    // Another body under the same key is a mistake, another user's key is another key.
    let other = under_key(&gateway, &cfo, "key-1", CREATE, json!({ "name": "Twice" })).await;
    assert_eq!(other.code(), "CONFLICT");
    under_key(&gateway, &manager, "key-1", CREATE, json!({ "name": "Manager" })).await.ok();
    // What was refused is refused again, without being tried again.
    let stale = "mutation { submitBudget(id: \"00000000-0000-7000-8000-000000000000\", expectedVersion: 1) { id } }";
    for _ in 0..2 {
        assert_eq!(under_key(&gateway, &cfo, "key-2", stale, json!({})).await.code(), "NOT_FOUND");
    }
    let tried = gateway.value("SELECT count(*) FROM audit_logs WHERE action = 'NOT_VISIBLE'").await;
    assert_eq!(tried, json!(1));
    // Queries take no key, and without a session there is nobody whose key it could be.
    under_key(&gateway, &cfo, "key-1", "{ me { sessionId } }", json!({})).await.ok();
    let kept = gateway.value("SELECT count(*) FROM idempotency_keys WHERE expires_at BETWEEN now() + interval '23 hours' AND now() + interval '24 hours'");
    assert_eq!(kept.await, json!(3));
    let empty = under_key(&gateway, &cfo, "", CREATE, json!({ "name": "Empty" })).await;
    assert_eq!(empty.code(), "VALIDATION_FAILED");
}

#[tokio::test]
async fn a_repeated_answer_has_its_fields_in_the_order_in_which_they_were_asked_for() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let query = "mutation { z: createBudget(input: { name: \"Order\", fiscalYear: 2067, version: \"a\" }) \
        { totalAmount status id lineItems { totalCount } __typename a: name } __typename }";
    let mut texts = Vec::new();
    for _ in 0..2 {
        let request = gateway.http().post(format!("{}/graphql", gateway.url)).header("Idempotency-Key", "ordered");
        let request = request.bearer_auth(cfo.token.as_deref().expect("a token")).json(&json!({ "query": query }));
        let text = request.send().await.expect("an answer").text().await.expect("text");
        texts.push(text.split(",\"extensions\"").next().unwrap_or_default().trim_end_matches('}').to_owned());
    }
    assert!(texts[0].starts_with("{\"data\":{\"z\":{\"totalAmount\""), "{}", texts[0]);
    assert_eq!(texts[1], texts[0]);
}

#[tokio::test]
async fn of_many_at_once_under_one_key_one_is_served() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let all = join_all((0..8).map(|_| under_key(&gateway, &cfo, "race", CREATE, json!({ "name": "Race" })))).await;
    let mut done = 0;
    for answer in all {
        if answer.body.get("errors").is_none() {
            done += 1;
        } else {
            assert_eq!(answer.code(), "CONFLICT", "{:#}", answer.body);
        }
    }
    assert!(done >= 1);
    assert_eq!(budgets(&gateway, "Race").await, 1);
}

#[tokio::test]
async fn a_key_whose_answer_was_lost_is_not_served_twice() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let variables = json!({ "name": "Lost" });
    under_key(&gateway, &cfo, "lost", CREATE, variables.clone()).await.ok();
    // As if the gateway had been killed between the commit and keeping the answer.
    let cut_off = "status = 'in_progress', response = NULL, created_at = now() - interval '1 hour'";
    gateway.execute(&format!("UPDATE idempotency_keys SET {cut_off} WHERE key = 'lost'")).await;
    let again = under_key(&gateway, &cfo, "lost", CREATE, variables.clone()).await;
    assert_eq!(again.code(), "CONFLICT");
    assert!(again.message().contains("carried out"), "{}", again.message());
    assert_eq!(budgets(&gateway, "Lost").await, 1);
    // As if it had been killed before the commit: the request is served now.
    gateway.execute("DELETE FROM budgets WHERE name = 'Lost'").await;
    gateway.execute(&format!("UPDATE idempotency_keys SET {cut_off}, changed = false WHERE key = 'lost'")).await;
    under_key(&gateway, &cfo, "lost", CREATE, variables).await.ok();
    assert_eq!(budgets(&gateway, "Lost").await, 1);
}

#[tokio::test]
async fn mutations_of_a_request_run_in_order_and_each_stands_for_itself() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let answer = cfo
        .query(
            "mutation { a: createBudget(input: { name: \"In order\", fiscalYear: 2051, version: \"a\" }) { id }
                b: createBudget(input: { name: \" \", fiscalYear: 2051, version: \"b\" }) { id } }",
        )
        .await;
    assert_eq!(answer.code(), "VALIDATION_FAILED");
    assert_eq!(budgets(&gateway, "In order").await, 1, "what came before the failure stays done");
}

#[tokio::test]
async fn in_a_transaction_all_is_done_or_nothing() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let both = cfo
        .query(
            "mutation @transaction {
                a: createBudget(input: { name: \"Together\", fiscalYear: 2052, version: \"a\", lines: [{ category: \"X\", q1Amount: \"1\" }] }) {
                    totalAmount organization { name } createdByUser { name } }
                b: createBudget(input: { name: \"Together\", fiscalYear: 2052, version: \"b\" }) { totalAmount } }",
        )
        .await
        .ok();
    // What is answered is read before the commit, in the transaction itself.
    assert_eq!(both["a"]["totalAmount"], "1.00");
    assert_eq!(both["a"]["createdByUser"]["name"], "Sarah Chen");
    assert_eq!(budgets(&gateway, "Together").await, 2);

    let events = "SELECT count(*) FROM event_outbox WHERE topic <> 'audit'";
    let before = gateway.value(events).await;
    let answer = cfo
        .query(
            "mutation @transaction {
                a: createBudget(input: { name: \"Nothing\", fiscalYear: 2053, version: \"a\" }) { id }
                b: submitBudget(id: \"00000000-0000-7000-8000-000000000000\", expectedVersion: 1) { id }
                c: createBudget(input: { name: \"Nothing\", fiscalYear: 2053, version: \"c\" }) { id } }",
        )
        .await;
    assert_eq!(answer.code(), "NOT_FOUND");
    assert_eq!(answer.body["data"], Value::Null);
    assert_eq!(budgets(&gateway, "Nothing").await, 0);
    assert_eq!(gateway.value(events).await, before, "no event of what did not happen");
    // What was refused is audited all the same.
    let refused = gateway.value("SELECT count(*) FROM audit_logs WHERE action = 'NOT_VISIBLE'").await;
    assert_eq!(refused, json!(1));

    let login = cfo
        .query(
            "mutation @transaction { login(email: \"sarah.chen@aether-demo.com\", password: \"aether-demo\", organization: \"aether-demo\") { expiresIn } }",
        )
        .await;
    assert_eq!(login.code(), "PRECONDITION_FAILED");
    let query = cfo.query("query @transaction { me { sessionId } }").await;
    assert_eq!(query.code(), "GRAPHQL_VALIDATION_FAILED", "it belongs to mutations");
}

#[tokio::test]
async fn of_two_transactions_that_wait_for_each_other_one_is_told_to_try_again() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let mut ids = Vec::new();
    for version in ["a", "b", "c"] {
        let create = format!(
            "mutation {{ createBudget(input: {{ name: \"Crossed\", fiscalYear: 2054, version: \"{version}\" }}) {{ id }} }}"
        );
        ids.push(cfo.data(&create).await["createBudget"]["id"].as_str().expect("an id").to_owned());
    }
    let edits = |order: [usize; 3]| {
        let edit = |n: &usize| {
            let id = &ids[*n];
            format!("e{n}: editBudget(id: \"{id}\", expectedVersion: 1, input: {{ region: \"EMEA\" }}) {{ id }}")
        };
        format!("mutation @transaction {{ {} }}", order.iter().map(edit).collect::<String>())
    };
    // Each has its first budget and waits for the one in the middle, which is held here until both do.
    let held = gateway.owner.begin().await.expect("a transaction");
    let lock = format!("SELECT FROM budgets WHERE id = '{}' FOR UPDATE", ids[1]);
    held.execute_unprepared(&lock).await.expect("a lock");
    let release = async {
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while gateway.value(waiting).await != json!(2) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        held.rollback().await.expect("the end");
    };
    let (forth, back) = (edits([0, 1, 2]), edits([2, 1, 0]));
    let (one, other, ()) = tokio::join!(cfo.query(&forth), cfo.query(&back), release);
    let (lost, won) = if one.body["errors"].is_null() { (other, one) } else { (one, other) };
    won.ok();
    assert_eq!(lost.code(), "CONFLICT", "{:#}", lost.body);
    let edited =
        gateway.value("SELECT count(*) FROM budgets WHERE name = 'Crossed' AND region = 'EMEA' AND row_version = 2");
    assert_eq!(edited.await, json!(3));
}

#[tokio::test]
async fn a_user_that_is_deactivated_changes_nothing_from_the_next_request_on() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    cfo.run(CREATE, json!({ "name": "Before" })).await.ok();
    gateway.execute("UPDATE users SET status = 'inactive' WHERE email = 'sarah.chen@aether-demo.com'").await;
    let answer = cfo.run(CREATE, json!({ "name": "After" })).await;
    assert_eq!(answer.code(), "UNAUTHENTICATED");
    assert_eq!(budgets(&gateway, "After").await, 0);
    gateway
        .execute("UPDATE users SET status = 'active', role = 'VIEWER' WHERE email = 'sarah.chen@aether-demo.com'")
        .await;
    let answer = cfo.run(CREATE, json!({ "name": "After" })).await;
    assert_eq!(answer.code(), "FORBIDDEN", "a role counts from the next request on");
}
