//! Each organization and each workspace has a log of its own, whose size tells nothing of another's.

use serde_json::{Value, json};

use super::{CONSISTENCY, HEAD, INCLUSION, auditor::head, hash, included, seal};
use crate::{
    database::guarantees::{count, string},
    support::{Gateway, HOME, User},
};

const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// The newest head of a log as the user sees it, signature and all.
async fn seen(user: &User<'_>, workspace: Option<&str>) -> Value {
    let answer = user.run(HEAD, json!({ "workspace": workspace })).await.ok();
    answer["auditTreeHead"].clone()
}

#[tokio::test]
async fn a_size_tells_nothing_of_others() {
    let gateway = Gateway::demo().await;
    seal(&gateway).await;
    let cfo = gateway.cfo().await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let investor = gateway.sign_in("investor@castlebrook-investors.example", "castlebrook-investors").await;
    seal(&gateway).await;
    let workspaces = agent.data("{ workspaces(first: 100) { nodes { id } } }").await["workspaces"]["nodes"].clone();
    let workspaces: Vec<String> = workspaces
        .as_array()
        .expect("a list")
        .iter()
        .map(|workspace| workspace["id"].as_str().expect("text").to_owned())
        .collect();
    let mut before = vec![seen(&cfo, None).await, seen(&agent, None).await, seen(&investor, None).await];
    for workspace in &workspaces {
        before.push(seen(&agent, Some(workspace)).await);
    }
    let trees: std::collections::HashSet<_> = before.iter().map(|head| head["treeId"].to_string()).collect();
    assert_eq!(trees.len(), before.len(), "a log each: {before:?}");
    for seen in before.iter().filter(|head| !head.is_null()) {
        head(seen);
        let rows = count(
            &gateway,
            &format!(
                "SELECT (SELECT count(*) FROM audit_logs WHERE organization_id = t.id)
                      + (SELECT count(*) FROM audit_events WHERE workspace_id = t.id)
                      + (SELECT count(*) FROM audit_events e JOIN users u ON u.id = e.actor_id
                          WHERE e.workspace_id IS NULL AND u.organization_id = t.id)
                   FROM (SELECT {}::uuid AS id) t",
                seen["treeId"].to_string().replace('"', "'")
            ),
        )
        .await;
        assert_eq!(seen["treeSize"], json!(rows.to_string()), "its own rows and no others: {seen}");
    }

    // Another organization is busy, and one workspace.
    for _ in 0..3 {
        gateway.sign_in("cfo@meridian-capital.example", "meridian-capital").await;
    }
    let busy = &workspaces[0];
    let clause = string(
        &gateway,
        &format!("SELECT id || ' ' || row_version FROM clauses WHERE workspace_id = '{busy}' AND NOT is_locked ORDER BY id LIMIT 1"),
    )
    .await;
    let (clause, version) = clause.split_once(' ').expect("both");
    let lock = format!("mutation {{ lockClause(id: \"{clause}\", expectedVersion: {version}) {{ isLocked }} }}");
    agent.data(&lock).await;
    seal(&gateway).await;
    let mut after = vec![seen(&cfo, None).await, seen(&agent, None).await, seen(&investor, None).await];
    for workspace in &workspaces {
        after.push(seen(&agent, Some(workspace)).await);
    }
    for (before, after) in before.iter().zip(&after) {
        if after["treeId"] == json!(busy) {
            assert_ne!(before["treeSize"], after["treeSize"]);
        } else {
            assert_eq!(before, after);
        }
    }
}

#[tokio::test]
async fn a_workspaces_log_is_for_its_members() {
    let gateway = Gateway::demo().await;
    seal(&gateway).await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let event = "SELECT id, workspace_id FROM audit_events WHERE workspace_id IN (SELECT m.workspace_id FROM workspace_members m
                   JOIN users u ON u.id = m.user_id AND u.email = 'agent@northgate-bank.example' WHERE m.status = 'active')
                  ORDER BY timestamp DESC LIMIT 1";
    let event = gateway.rows(event).await.remove(0);
    let workspace = event["workspace_id"].as_str().expect("text");
    let newest = head(&seen(&agent, Some(workspace)).await);
    assert_eq!(newest.tree.to_string(), workspace);
    let (.., root) = included(&agent, &event["id"], None).await;
    assert_eq!(root, newest.root, "a row of the workspace is in the workspace's tree");
    let tree = agent.run(INCLUSION, json!({ "id": event["id"] })).await.ok();
    assert_eq!(tree["auditInclusionProof"]["treeId"], workspace);
    let grown = CONSISTENCY
        .replace("$second: BigInt!", "$second: BigInt!, $workspace: UUID")
        .replace("auditConsistencyProof(", "auditConsistencyProof(workspaceId: $workspace, ");
    let sizes = json!({ "first": "1", "second": newest.size.to_string(), "workspace": workspace });
    let proof = agent.run(&grown, sizes.clone()).await.ok();
    assert_eq!(hash(&proof["auditConsistencyProof"]["secondRoot"]), newest.root);

    // For others there is no such log, as for a workspace that does not exist, the nil UUID and another's organization.
    let cfo = gateway.cfo().await;
    let other = string(&gateway, "SELECT id::text FROM organizations WHERE slug = 'meridian-capital'").await;
    let mut messages = std::collections::HashSet::new();
    for strange in [workspace, "00000000-0000-4000-8000-000000000000", NIL, &other] {
        assert_eq!(seen(&cfo, Some(strange)).await, Value::Null, "{strange}");
        let mut sizes = sizes.clone();
        sizes["workspace"] = json!(strange);
        let answer = cfo.run(&grown, sizes).await;
        assert_eq!(answer.code(), "VALIDATION_FAILED");
        messages.insert(answer.message().to_owned());
    }
    assert_eq!(messages.len(), 1, "{messages:?}");
    let own = string(&gateway, &format!("SELECT id::text FROM organizations WHERE slug = '{HOME}'")).await;
    assert_eq!(seen(&cfo, None).await["treeId"], own);
}
