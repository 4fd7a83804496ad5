//! Concurrent edits of one clause from 16 clients: no update is lost, and every loser is told.

use futures::future::join_all;
use serde_json::json;

use super::{AGENT, AGENT2, COUNSEL, Person, add, edit, extension, join, open, sign_in, trail, version};
use crate::support::{Gateway, User};

const CLIENTS: usize = 16;

/// Sixteen sessions of three drafters.
async fn clients<'g>(gateway: &'g Gateway, workspace: &str, agent: &User<'g>) -> Vec<(Person, User<'g>)> {
    join(gateway, agent, workspace, AGENT2, "AGENT").await;
    join(gateway, agent, workspace, COUNSEL, "LEGAL").await;
    let mut clients = Vec::new();
    for person in [AGENT, AGENT2, COUNSEL].into_iter().cycle().take(CLIENTS) {
        clients.push((person, sign_in(gateway, person).await));
    }
    clients
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixteen_who_edit_the_same_version_exactly_one_wins() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let workspace = open(&agent, json!(null)).await;
    let clients = clients(&gateway, &workspace, &agent).await;
    let mut clause = add(&agent, &workspace, json!({})).await;
    let mut bodies = vec!["The Margin is 3.25%.".to_owned()];
    for round in 0..6 {
        let tries = clients.iter().enumerate().map(|(number, (_, user))| {
            let (clause, body) = (clause.clone(), format!("Round {round} of client {number}"));
            async move { edit(user, &clause, json!({ "body": body })).await }
        });
        let answers = join_all(tries).await;
        let winners: Vec<usize> = (0..CLIENTS).filter(|n| answers[*n].body.get("errors").is_none()).collect();
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        let winner = winners[0];
        let won = version(&answers[winner].body["data"]["editClause"]);
        assert_eq!(won, clause.1 + 1);
        let email = clients[winner].0.0;
        let user = gateway.rows(&format!("SELECT id, name FROM users WHERE email = '{email}'")).await;
        for loser in answers.iter().filter(|answer| answer.body.get("errors").is_some()) {
            assert_eq!(loser.code(), "CONFLICT", "{:#}", loser.body);
            assert_eq!(extension(loser, "currentVersion"), won);
            assert_eq!(extension(loser, "expectedVersion"), clause.1);
            assert_eq!(extension(loser, "changedBy"), &user[0]);
            assert!(extension(loser, "changedAt").is_string());
        }
        bodies.push(format!("Round {round} of client {winner}"));
        clause.1 = won;
    }
    // Each body that was acknowledged is in the trail, in its order, each following on the one before.
    let row = gateway.rows(&format!("SELECT body, row_version FROM clauses WHERE id = '{}'", clause.0)).await;
    assert_eq!((&row[0]["body"], &row[0]["row_version"]), (&json!(bodies.last()), &json!(clause.1)));
    let events = trail(&gateway, &clause.0).await;
    assert_eq!(events.len(), bodies.len());
    for (edited, event) in bodies.windows(2).zip(&events[1..]) {
        assert_eq!(
            (&event["before_state"]["body"], &event["after_state"]["body"]),
            (&json!(edited[0]), &json!(edited[1]))
        );
    }
    let told = format!("SELECT count(*) FROM event_outbox WHERE topic = 'clause' AND aggregate_id = '{}'", clause.0);
    assert_eq!(gateway.value(&told).await, bodies.len());
}

/// Adds a sentence to the clause, reading it again after each conflict; tells how often that was needed.
async fn append(user: &User<'_>, clause: &str, sentence: &str) -> usize {
    for conflicts in 0.. {
        let read =
            user.run("query($id: UUID!) { clause(id: $id) { body rowVersion } }", json!({ "id": clause })).await.ok();
        let body = format!("{} {sentence}", read["clause"]["body"].as_str().expect("a body"));
        let answer = edit(user, &(clause.to_owned(), version(&read["clause"])), json!({ "body": body })).await;
        if answer.body.get("errors").is_none() {
            return conflicts;
        }
        assert_eq!(answer.code(), "CONFLICT", "{:#}", answer.body);
    }
    unreachable!("it is tried until it is done")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_again_and_repeats_loses_nothing() {
    const EACH: usize = 3;
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let workspace = open(&agent, json!(null)).await;
    let clients = clients(&gateway, &workspace, &agent).await;
    let (clause, first) = add(&agent, &workspace, json!({ "body": "Start." })).await;
    let conflicts = join_all(clients.iter().enumerate().map(|(number, (_, user))| {
        let clause = clause.clone();
        async move {
            let mut conflicts = 0;
            for turn in 0..EACH {
                conflicts += append(user, &clause, &format!("<{number}.{turn}>")).await;
            }
            conflicts
        }
    }))
    .await;
    assert!(conflicts.iter().sum::<usize>() > 0, "sixteen at once have stood in each other's way");
    let row = gateway.rows(&format!("SELECT body, row_version FROM clauses WHERE id = '{clause}'")).await;
    let body = row[0]["body"].as_str().expect("a body");
    for number in 0..CLIENTS {
        let places: Vec<_> = (0..EACH).map(|turn| body.find(&format!("<{number}.{turn}>"))).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "client {number}: {body}");
    }
    assert_eq!(body.matches('<').count(), CLIENTS * EACH);
    assert_eq!(row[0]["row_version"], first + (CLIENTS * EACH) as i64);
    assert_eq!(trail(&gateway, &clause).await.len(), 1 + CLIENTS * EACH);
}
