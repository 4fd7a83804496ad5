//! One user's slow changes hold up nobody else's events.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Socket;
use crate::{loan::terms::SharedWorkspace, support::Gateway};

const CLAUSES: &str = "subscription($w: UUID!) { clauseChanged(workspaceId: $w) { kind clause { title } } }";

/// Has inserting a row like this take so long.
async fn slow_down(gateway: &Gateway, table: &str, when: &str, seconds: u32) {
    gateway
        .execute(&format!(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END $$;
             CREATE TRIGGER dawdle AFTER INSERT ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION dawdle()"
        ))
        .await;
}

/// A change of another tenant.
async fn add(workspace: &SharedWorkspace<'_>, title: &str) {
    let add = "mutation($w: UUID!, $title: String!) {
        addClause(workspaceId: $w, input: { title: $title, type: GENERAL, body: \"Nothing much.\" }) { id } }";
    workspace.agent.run(add, json!({ "w": workspace.id, "title": title })).await.ok();
}

fn create(name: &str) -> String {
    format!("createBudget(input: {{ name: \"{name}\", fiscalYear: 2050, version: \"{name}\" }}) {{ id }}")
}

#[tokio::test]
async fn a_slow_transaction_of_one_tenant_holds_up_no_event_of_another() {
    let gateway = Gateway::demo().await;
    let (workspace, cfo) = (SharedWorkspace::of(&gateway).await, gateway.cfo().await);
    slow_down(&gateway, "budgets", "NEW.name = 'Slow'", 5).await;
    let mut socket = Socket::of(&workspace.risk, &gateway).await;
    socket.subscribe("c", CLAUSES, json!({ "w": workspace.id })).await;
    socket.settle().await;
    let mutation = format!("mutation @transaction {{ a: {} b: {} }}", create("First"), create("Slow"));
    let slow = async {
        let begun = Instant::now();
        cfo.query(&mutation).await.ok();
        begun.elapsed()
    };
    let quick = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let begun = Instant::now();
        add(&workspace, "Meanwhile").await;
        assert_eq!(socket.message("c").await["kind"], "CREATED");
        begun.elapsed()
    };
    let (slow, quick) = tokio::join!(slow, quick);
    println!("an event beside a transaction of {slow:?} came {quick:?} after its change was sent");
    assert!(slow > Duration::from_secs(5), "{slow:?}");
    assert!(quick < Duration::from_secs(2), "{quick:?}");
    // Both changes of the transaction are told of, once and in order.
    let told = gateway
        .rows(
            "SELECT b.name FROM event_outbox e JOIN budgets b ON b.id = e.aggregate_id
              WHERE e.topic = 'budget' AND b.name IN ('First', 'Slow') ORDER BY e.sequence",
        )
        .await;
    assert_eq!(told, [json!({ "name": "First" }), json!({ "name": "Slow" })]);
}

#[tokio::test]
async fn a_transaction_that_cannot_end_once_it_is_to_be_told_of_is_taken_back() {
    let gateway = Gateway::demo().await;
    let (workspace, cfo) = (SharedWorkspace::of(&gateway).await, gateway.cfo().await);
    slow_down(&gateway, "event_outbox", "NEW.topic = 'budget'", 9).await;
    let mut socket = Socket::of(&workspace.risk, &gateway).await;
    socket.subscribe("c", CLAUSES, json!({ "w": workspace.id })).await;
    socket.settle().await;
    let both =
        [format!("mutation {{ {} }}", create("Alone")), format!("mutation @transaction {{ {} }}", create("Together"))];
    for (number, mutation) in both.into_iter().enumerate() {
        let stuck = async {
            let answer = cfo.query(&mutation).await;
            assert_eq!(answer.code(), "TIMEOUT", "{:#}", answer.body);
            assert!(answer.message().contains("Nothing was done"), "{}", answer.message());
        };
        let quick = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let begun = Instant::now();
            add(&workspace, &format!("Beside {number}")).await;
            assert_eq!(socket.message("c").await["kind"], "CREATED");
            begun.elapsed()
        };
        let ((), quick) = tokio::join!(stuck, quick);
        println!("an event beside a transaction that was taken back came {quick:?} after its change was sent");
        assert!(quick < Duration::from_secs(5), "{quick:?}");
    }
    let left = "SELECT (SELECT count(*) FROM budgets WHERE name IN ('Alone', 'Together'))
        + (SELECT count(*) FROM audit_logs WHERE details::text LIKE '%Together%')";
    assert_eq!(gateway.value(left).await, 0);
    gateway.execute("DROP TRIGGER dawdle ON event_outbox").await;
    cfo.query(&format!("mutation {{ {} }}", create("Alone"))).await.ok();
}
