//! The order of the clauses under random changes, compared with a list; and under changes at the same time.

use futures::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use super::{AGENT, AGENT2, add, id, join, open, sign_in, try_add, version};
use crate::support::{Gateway, User};

/// The clauses as the database has them: places from 1 without gaps, ids, versions.
async fn stored(gateway: &Gateway, workspace: &str) -> Vec<(String, i64)> {
    let rows = gateway
        .rows(&format!("SELECT id, order_index, row_version AS \"rowVersion\" FROM clauses WHERE workspace_id = '{workspace}' ORDER BY order_index"))
        .await;
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row["order_index"], index + 1, "{rows:?}");
    }
    rows.iter().map(|row| (id(row), version(row))).collect()
}

async fn run(user: &User<'_>, query: &str, variables: Value) {
    user.run(query, variables).await.ok();
}

const MOVE: &str = "mutation($id: UUID!, $version: Int!, $position: Int!) {
    moveClause(id: $id, expectedVersion: $version, position: $position) { rowVersion } }";
const DELETE: &str = "mutation($id: UUID!, $version: Int!) { deleteClause(id: $id, expectedVersion: $version) }";
const EDIT: &str = "mutation($id: UUID!, $version: Int!, $body: String!) {
    editClause(id: $id, expectedVersion: $version, input: { body: $body }) { rowVersion } }";

#[tokio::test]
async fn whatever_is_added_moved_edited_and_deleted_the_order_is_that_of_a_list() {
    const STEPS: usize = 60;
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    for seed in [3, 1789, 20_261_122] {
        let mut dice = StdRng::seed_from_u64(seed);
        let workspace = open(&agent, json!(null)).await;
        // Each clause with its version: a clause that only makes room is not edited.
        let mut model: Vec<(String, i64)> = Vec::new();
        let mut changes = 1;
        for step in 0..STEPS {
            let roll = dice.random_range(0..10);
            if model.is_empty() || roll < 4 {
                let position = dice.random_range(0..=model.len() + 1);
                // No position is the end.
                let at = if position == 0 { model.len() } else { position - 1 };
                let position = if position == 0 { Value::Null } else { json!(position) };
                model.insert(
                    at,
                    add(&agent, &workspace, json!({ "position": position, "title": format!("{step}") })).await,
                );
                changes += 1;
            } else {
                let from = dice.random_range(0..model.len());
                let (id, version) = model[from].clone();
                match roll {
                    4..=6 => {
                        let to = dice.random_range(0..model.len());
                        run(&agent, MOVE, json!({ "id": id, "version": version, "position": to + 1 })).await;
                        let clause = model.remove(from);
                        model.insert(to, (clause.0, if from == to { version } else { version + 1 }));
                        changes += usize::from(from != to);
                    }
                    7 => {
                        run(&agent, EDIT, json!({ "id": id, "version": version, "body": format!("{step}") })).await;
                        model[from].1 += 1;
                        changes += 1;
                    }
                    _ => {
                        run(&agent, DELETE, json!({ "id": id, "version": version })).await;
                        model.remove(from);
                        changes += 1;
                    }
                }
            }
            assert_eq!(stored(&gateway, &workspace).await, model, "seed {seed}, step {step}");
        }
        let events =
            gateway.value(&format!("SELECT count(*) FROM audit_events WHERE workspace_id = '{workspace}'")).await;
        assert_eq!(events, changes, "one audit row for each change, seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clauses_added_moved_and_deleted_at_the_same_time_keep_their_places_apart() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let workspace = open(&agent, json!(null)).await;
    let (other, _) = join(&gateway, &agent, &workspace, AGENT2, "AGENT").await;
    let mut start = Vec::new();
    for _ in 0..12 {
        start.push(add(&agent, &workspace, json!({})).await);
    }
    let users = [&agent, &other];
    let changes = start.iter().enumerate().map(|(number, clause)| {
        let (user, workspace) = (users[number % 2], workspace.as_str());
        let variables = json!({ "id": clause.0, "version": clause.1, "position": 1 + number % 3 });
        async move {
            match number % 3 {
                0 => user.run(MOVE, variables).await,
                1 => user.run(DELETE, json!({ "id": clause.0, "version": clause.1 })).await,
                _ => try_add(user, workspace, json!({ "position": 1 })).await,
            }
        }
    });
    for answer in join_all(changes).await {
        answer.ok();
    }
    let now = stored(&gateway, &workspace).await;
    assert_eq!(now.len(), 12);
    for (number, clause) in start.iter().enumerate() {
        let there = now.iter().find(|(id, _)| *id == clause.0);
        assert_eq!(there.is_none(), number % 3 == 1, "clause {number}");
        if number % 3 == 2 {
            assert_eq!(there.map(|(_, version)| *version), Some(1), "clause {number} was only in the way");
        }
    }
}
