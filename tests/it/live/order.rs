//! The order of events, whatever the order in which transactions begin, take their numbers and end.

use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::json;

use super::Socket;
use crate::support::Gateway;

/// An event about the budget of this name.
fn event(budget: &str) -> String {
    format!(
        "INSERT INTO event_outbox (topic, aggregate_type, aggregate_id, organization_id, kind, payload)
         SELECT 'budget', 'budget', id, organization_id, 'updated', jsonb_build_object('type', 'budget', 'id', id)
           FROM budgets WHERE name = '{budget}'"
    )
}

#[tokio::test]
async fn a_number_taken_early_and_committed_late_is_neither_lost_nor_told_late() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    for name in ["First", "Second"] {
        cfo.query(&format!(
            "mutation {{ createBudget(input: {{ name: \"{name}\", fiscalYear: 2061, version: \"{name}\" }}) {{ id }} }}"
        ))
        .await
        .ok();
    }
    let mut socket = Socket::of(&cfo, &gateway).await;
    // Who subscribes may still be told of what has just happened.
    socket.settle().await;
    socket.subscribe("b", "subscription { budgetChanged { budget { name } } }", json!({})).await;
    socket.settle().await;
    let early = gateway.owner.begin().await.expect("a transaction");
    early.execute_unprepared(&event("First")).await.expect("an event");
    gateway.execute(&event("Second")).await;
    // The second is committed, but the first has the smaller number and may still come.
    socket.quiet().await;
    early.commit().await.expect("the end");
    assert_eq!(socket.message("b").await["budget"]["name"], "First");
    assert_eq!(socket.message("b").await["budget"]["name"], "Second");

    // A number whose transaction is rolled back holds up nothing once that has happened.
    let early = gateway.owner.begin().await.expect("a transaction");
    early.execute_unprepared(&event("First")).await.expect("an event");
    gateway.execute(&event("Second")).await;
    early.rollback().await.expect("the end");
    assert_eq!(socket.message("b").await["budget"]["name"], "Second");

    // A transaction that has written something, but no event, holds up nothing at all, however old it is.
    let idle = gateway.owner.begin().await.expect("a transaction");
    idle.execute_unprepared("UPDATE budgets SET region = 'x' WHERE name = 'First'").await.expect("a write");
    gateway.execute(&event("Second")).await;
    assert_eq!(socket.message("b").await["budget"]["name"], "Second");
    idle.rollback().await.expect("the end");
}

#[tokio::test]
async fn of_one_thing_the_order_is_that_of_its_changes() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    cfo.query("mutation { createBudget(input: { name: \"Both\", fiscalYear: 2062, version: \"a\" }) { id } }")
        .await
        .ok();
    let mut socket = Socket::of(&cfo, &gateway).await;
    socket.settle().await;
    socket.subscribe("b", "subscription { budgetChanged { changedFields } }", json!({})).await;
    socket.settle().await;
    let told = |fields: &str| {
        event("Both")
            .replace("'updated', ", &format!("'updated', '{{{fields}}}', "))
            .replace("kind, payload", "kind, changed_fields, payload")
    };
    // The older transaction by its id changes the budget after the younger one.
    let older = gateway.owner.begin().await.expect("a transaction");
    older.execute_unprepared("SELECT pg_current_xact_id()").await.expect("an id");
    let younger = gateway.owner.begin().await.expect("a transaction");
    younger.execute_unprepared("UPDATE budgets SET region = 'one' WHERE name = 'Both'").await.expect("a write");
    younger.execute_unprepared(&told("one")).await.expect("an event");
    younger.commit().await.expect("the end");
    older.execute_unprepared("UPDATE budgets SET region = 'two' WHERE name = 'Both'").await.expect("a write");
    older.execute_unprepared(&told("two")).await.expect("an event");
    older.commit().await.expect("the end");
    assert_eq!(socket.message("b").await["changedFields"], json!(["one"]));
    assert_eq!(socket.message("b").await["changedFields"], json!(["two"]));
}
