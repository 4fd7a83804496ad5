//! Many edit at once.

use std::time::Duration;

use futures::future::join_all;
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};

use super::{EDIT, SharedWorkspace};
use crate::support::{Answer, Gateway};

/// A ratio as agreed, and the clause in which it stands.
async fn ratio(workspace: &SharedWorkspace<'_>) -> (String, String) {
    let clause = workspace.clause("covenant", false, "The ratio.").await;
    let variable = workspace.bind(&clause, "Ratio", "RATIO", "4.00:1.00").await;
    (clause, variable)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terms_of_one_workspace_edited_at_once_leave_the_graph_right() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let mut variables = Vec::new();
    for at in 0..8 {
        // Two to a clause, so that some share the node of their clause.
        let clause = workspace.clause("covenant", at % 3 == 0, "The ratio.").await;
        variables.push(workspace.bind(&clause, "One", "RATIO", "4.00:1.00").await);
        variables.push(workspace.bind(&clause, "Other", "RATIO", "4.00:1.00").await);
    }
    let users = [&workspace.agent, &workspace.agent2, &workspace.legal];
    let edits = variables.iter().enumerate().map(|(at, variable)| {
        let (user, workspace) = (users[at % users.len()], &workspace);
        async move {
            let mut version = workspace.version("variables", variable).await;
            // Back and forth, and some end away from the baseline.
            for round in 0..5 + at % 2 {
                let value = if round % 2 == 0 { "4.50:1.00" } else { "4.00:1.00" };
                let edit = json!({ "id": variable, "v": version, "input": { "value": value }, "reason": "Test" });
                version = user.run(EDIT, edit).await.ok()["editVariable"]["rowVersion"].clone();
            }
        }
    });
    join_all(edits).await;
    for (at, variable) in variables.iter().enumerate() {
        let open = workspace.items(variable).await.len();
        assert_eq!(open, 1 - at % 2, "variable {at}");
        assert_eq!(workspace.node(variable).await["has_drift"], open == 1);
    }
    workspace.is_consistent().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_edit_one_term_one_wins_each_round() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let (_, variable) = ratio(&workspace).await;
    let users = [&workspace.agent, &workspace.agent2, &workspace.legal];
    for round in 1..=4 {
        let version = workspace.version("variables", &variable).await;
        let edits = (0..9).map(|at| {
            let edit = json!({ "id": variable, "v": version, "input": { "value": format!("4.{round}{at}:1.00") } });
            users[at % users.len()].run(EDIT, edit)
        });
        let answers = join_all(edits).await;
        let won: Vec<&Value> = answers
            .iter()
            .map(|answer| &answer.body["data"]["editVariable"]["value"])
            .filter(|value| value.is_string())
            .collect();
        assert_eq!(won.len(), 1, "one wins");
        for lost in answers.iter().filter(|answer| answer.body.get("errors").is_some()) {
            assert_eq!(lost.code(), "CONFLICT", "{:#}", lost.body);
        }
        let items = workspace.items(&variable).await;
        assert_eq!((items.len(), &items[0]["current_value"]), (1, won[0]));
        assert_eq!(&workspace.node(&variable).await["value"], won[0]);
    }
    workspace.is_consistent().await;
}

/// What a change waited for counts: the statement that waits for the workspace read membership, clause and term before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_for_a_workspace_is_judged_by_how_it_is_after_the_wait() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let (clause, variable) = ratio(&workspace).await;
    let (id, legal) = (&workspace.id, "SELECT id FROM users WHERE email = 'legal@harrow-and-lane.example'");
    let holder = "SELECT id FROM users WHERE email = 'agent@northgate-bank.example'";
    let member = format!("workspace_id = '{id}' AND user_id = ({legal})");
    let lock = |by: &str| {
        format!(
            "UPDATE clauses SET is_locked = {by} IS NOT NULL, locked_by = {by}, locked_at = CASE WHEN {by} IS NOT NULL THEN now() END WHERE id = '{clause}'"
        )
    };
    let cases = [
        (format!("UPDATE variables SET unit = 'x' WHERE id = '{variable}'"), "CONFLICT"),
        (lock(&format!("({holder})")), "PRECONDITION_FAILED"),
        (lock("NULL::uuid"), ""),
        (format!("UPDATE workspace_members SET role = 'risk' WHERE {member}"), "FORBIDDEN"),
        (
            format!(
                "UPDATE workspace_members SET role = 'legal' WHERE {member}; DELETE FROM variables WHERE id = '{variable}'"
            ),
            "NOT_FOUND",
        ),
    ];
    let last = format!("UPDATE workspace_members SET status = 'removed' WHERE {member}");
    for (at, (meanwhile, code)) in cases.iter().enumerate() {
        let version = workspace.version("variables", &variable).await;
        let edit = json!({ "id": variable, "v": version, "input": { "value": format!("4.{at}1:1.00") } });
        let answer = beside(&workspace, edit, meanwhile).await;
        match *code {
            "" => assert_eq!(answer.ok()["editVariable"]["value"], format!("4.{at}1:1.00")),
            code => assert_eq!(answer.code(), code, "{meanwhile}: {:#}", answer.body),
        }
    }
    let other = workspace.bind(&clause, "Other", "RATIO", "4.00:1.00").await;
    let version = workspace.version("variables", &other).await;
    let edit = json!({ "id": other, "v": version, "input": { "value": "4.50:1.00" } });
    assert_eq!(beside(&workspace, edit, &last).await.code(), "NOT_FOUND");
    assert_eq!(workspace.items(&other).await.len(), 0);
}

/// What is answered to an edit that waits for the workspace while this is done.
async fn beside(workspace: &SharedWorkspace<'_>, edit: Value, meanwhile: &str) -> Answer {
    let gateway = workspace.gateway;
    let held = gateway.owner.begin().await.expect("a transaction");
    let lock = format!("SELECT FROM workspaces WHERE id = '{}' FOR NO KEY UPDATE", workspace.id);
    held.execute_unprepared(&lock).await.expect("a lock");
    let (answer, ()) = tokio::join!(workspace.legal.run(EDIT, edit), async {
        let waits = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                      WHERE NOT l.granted AND a.datname = current_database()";
        while gateway.value(waits).await == json!(0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        held.execute_unprepared(meanwhile).await.expect(meanwhile);
        held.commit().await.expect("it is committed");
    });
    answer
}

#[tokio::test]
async fn a_version_that_is_not_there_yet_was_edited_by_nobody() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let (_, variable) = ratio(&workspace).await;
    let edit = json!({ "id": variable, "v": 7, "input": { "value": "4.50:1.00" } });
    let answer = workspace.legal.run(EDIT, edit).await;
    assert_eq!(answer.code(), "CONFLICT");
    let error = &answer.body["errors"][0];
    let said = "There is no version 7 of this yet: it has version 1. Read it again and repeat your edit.";
    assert_eq!((&error["message"], &error["extensions"]["currentVersion"]), (&json!(said), &json!(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_removed_before_the_answer_is_read_is_told_that_the_change_was_made() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let (_, variable) = ratio(&workspace).await;
    // Between the change and its answer: with the commit.
    gateway
        .execute(
            "CREATE FUNCTION remove_legal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                 UPDATE workspace_members SET status = 'removed'
                  WHERE user_id = (SELECT id FROM users WHERE email = 'legal@harrow-and-lane.example');
                 RETURN NULL;
             END $$;
             CREATE CONSTRAINT TRIGGER remove_legal AFTER UPDATE ON variables DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION remove_legal()",
        )
        .await;
    let edit = json!({ "id": variable, "v": 1, "input": { "value": "4.50:1.00" } });
    let answer = workspace.legal.run(EDIT, edit).await;
    assert_eq!(answer.code(), "CHANGE_COMMITTED", "{:#}", answer.body);
    let error = &answer.body["errors"][0];
    assert_eq!((&error["extensions"]["type"], &error["extensions"]["id"]), (&json!("Variable"), &json!(variable)));
    assert_eq!(answer.body["data"], Value::Null);
    assert_eq!(workspace.version("variables", &variable).await, 2);
}
