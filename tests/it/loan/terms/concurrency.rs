//! Many edit at once.

use futures::future::join_all;
use serde_json::{Value, json};

use super::{EDIT, SharedWorkspace};
use crate::support::Gateway;

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
    let clause = workspace.clause("covenant", false, "The ratio.").await;
    let variable = workspace.bind(&clause, "Ratio", "RATIO", "4.00:1.00").await;
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
