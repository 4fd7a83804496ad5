//! What one is told of one's own place in workspaces: what `me` says one may do is what the executor lets one do.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    loan::terms::SharedWorkspace,
    support::{Gateway, User},
};

/// One's role in a workspace, and the names of what one may do there.
async fn standing(user: &User<'_>, workspace: &str) -> Option<(Value, BTreeSet<String>)> {
    let query = "query($id: UUID!) { me { workspaces(id: $id) { workspaceId role isAdmin permissions { name description } } } }";
    let told = user.run(query, json!({ "id": workspace })).await.ok();
    let found = told["me"]["workspaces"].as_array().expect("a list").first().cloned()?;
    assert_eq!(found["workspaceId"], workspace);
    let names = found["permissions"].as_array().expect("a list").iter().map(|permission| {
        assert!(permission["description"].as_str().is_some_and(|words| words.len() > 10));
        permission["name"].as_str().expect("a name").to_owned()
    });
    Some((found["role"].clone(), names.collect()))
}

fn names(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn members_are_told_what_their_role_and_the_rules_let_them_do() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    workspace.rule("legalCanRevertDraft", false).await;
    let (role, agent) = standing(&workspace.agent, &workspace.id).await.expect("a member");
    assert_eq!(role, "AGENT");
    assert!(
        agent.is_superset(&names(&["drift:override", "drift:revert", "variable:edit", "workspace:govern"])),
        "{agent:?}"
    );
    assert!(!agent.contains("drift:approve"));
    let legal = standing(&workspace.legal, &workspace.id).await.expect("a member").1;
    assert_eq!(legal, names(&["clause:edit", "variable:edit", "graph:sync", "reconciliation:decide"]));
    let risk = standing(&workspace.risk, &workspace.id).await.expect("a member").1;
    assert_eq!(risk, names(&["drift:approve", "golden_record:export", "workspace_audit:export"]));
    assert_eq!(standing(&workspace.investor, &workspace.id).await, Some((json!("INVESTOR"), names(&[]))));
    let viewer = gateway.sign_in("viewer@aether-demo.com", "aether-demo").await;
    assert_eq!(standing(&viewer, &workspace.id).await, None);

    workspace.rule("legalCanRevertDraft", true).await;
    let legal = standing(&workspace.legal, &workspace.id).await.expect("a member").1;
    assert!(legal.contains("drift:revert"));
    workspace.rule("externalCounselReadOnly", true).await;
    assert_eq!(standing(&workspace.legal, &workspace.id).await, Some((json!("LEGAL"), names(&[]))));
}

#[tokio::test]
async fn all_workspaces_are_told_in_one_statement() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let answer = workspace.agent.query("{ me { workspaces { workspaceId permissions { name } } } }").await;
    let all = answer.body["data"]["me"]["workspaces"].as_array().expect("a list").len();
    assert!(all > 1);
    let one = workspace
        .agent
        .run("query($id: UUID!) { me { workspaces(id: $id) { workspaceId } } }", json!({ "id": workspace.id }))
        .await;
    assert_eq!(answer.statements(), one.statements());
}
