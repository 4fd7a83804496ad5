//! Each organization and each workspace has a log of its own, whose size tells nothing of another's.

use aether_store::audit_log::{
    Keys,
    verify::{Finding, Problem},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{CONSISTENCY, HEAD, INCLUSION, auditor::head, consistent, hash, included, keys, seal};
use crate::{
    database::{count, refusal, store, string},
    support::{Gateway, HOME, User},
};

const FORMER: &str = "00000000-0000-0000-0000-000000000000";

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

    // For others there is no such log, as for a workspace that does not exist, the former log and another's organization.
    let cfo = gateway.cfo().await;
    let other = string(&gateway, "SELECT id::text FROM organizations WHERE slug = 'meridian-capital'").await;
    let mut messages = std::collections::HashSet::new();
    for strange in [workspace, "00000000-0000-4000-8000-000000000000", FORMER, &other] {
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

#[tokio::test]
async fn what_one_tree_for_all_has_sealed_stays_proven_and_is_sealed_again() {
    let gateway = Gateway::demo().await;
    seal(&gateway).await;
    // The one tree as it was before: two leaves, signed as RFC 6962 says and no more.
    gateway
        .execute(&format!(
            "INSERT INTO audit_leaves (tree_id, leaf_index, source, row_id, row_timestamp, leaf_hash)
             SELECT '{FORMER}', row_number() OVER (ORDER BY row_id) - 1, source, row_id, row_timestamp, leaf_hash
               FROM (SELECT * FROM audit_leaves WHERE source = 'audit_logs' ORDER BY row_id LIMIT 2) l"
        ))
        .await;
    let leaves =
        gateway.rows(&format!("SELECT * FROM audit_leaves WHERE tree_id = '{FORMER}' ORDER BY leaf_index")).await;
    let bytes = |row: &Value| hex::decode(&row["leaf_hash"].as_str().expect("text")[2..]).expect("hexadecimal");
    let root = <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(
        [vec![1], bytes(&leaves[0]), bytes(&leaves[1])].concat(),
    ));
    let sealed_at = chrono::DateTime::from_timestamp_millis(1_760_000_000_123).expect("a moment");
    let signed = keys().sign(Uuid::nil(), 2, root, sealed_at).expect("it signs");
    let hex = |bytes: &[u8]| format!("'\\x{}'", hex::encode(bytes));
    gateway
        .execute(&format!(
            "INSERT INTO audit_nodes (tree_id, level, node_index, hash) VALUES ('{FORMER}', 1, 0, {root});
             INSERT INTO audit_tree_heads (tree_id, tree_size, root_hash, sealed_at, signature, public_key)
             VALUES ('{FORMER}', 2, {root}, '{sealed_at}', {}, {})",
            hex(&signed.signature),
            hex(&signed.public_key),
            root = hex(&root)
        ))
        .await;
    let verify = async || store(&gateway).await.verify_audit(&keys(), &[], |_, _| ()).await.expect("it reads");
    let sealed = count(&gateway, "SELECT count(*) FROM audit_leaves").await;

    // Down and up again: the one tree keeps its own, all is queued for trees of its own, and sealed.
    let (down, up) = (
        include_str!("../../../migration/sql/0037_audit_trees.down.sql"),
        include_str!("../../../migration/sql/0037_audit_trees.up.sql"),
    );
    gateway.execute(down).await;
    assert_eq!(count(&gateway, "SELECT count(*) FROM audit_leaves").await, 2);
    assert_eq!(count(&gateway, "SELECT count(*) FROM audit_pending").await, sealed - 4);
    gateway.execute(up).await;
    assert_eq!(count(&gateway, "SELECT count(*) FROM audit_pending").await, sealed - 2);
    let why = refusal(
        &gateway,
        &format!("DELETE FROM audit_pending WHERE row_id = '{}'", leaves[0]["row_id"].as_str().expect("text")),
    )
    .await;
    assert!(why.contains("is refused"), "sealed in the former tree only: {why}");
    assert_eq!(seal(&gateway).await, sealed as u64 - 2);
    let report = verify().await.expect("all is sound");
    assert_eq!(report.rows, sealed as u64);
    let stranger = Keys::new(["a key of somebody else, long enough"]);
    let known = store(&gateway).await.verify_audit(&stranger, &[], |_, _| ()).await.expect("it reads");
    assert!(
        matches!(known, Err(Finding { tree: Some(tree), problem: Problem::HeadByStranger { .. } }) if tree.is_nil())
    );

    // What it proves is its own tree; what is proven to those who ask is in their own.
    let cfo = gateway.cfo().await;
    let own = string(
        &gateway,
        &format!("SELECT row_id::text FROM audit_leaves JOIN organizations o ON o.id = tree_id AND o.slug = '{HOME}' ORDER BY row_id LIMIT 1"),
    )
    .await;
    included(&cfo, &json!(own), None).await;
    consistent(&cfo, 1, None, 2).await;
    gateway
        .execute(&format!(
            "SET session_replication_role = replica; UPDATE audit_logs SET action = 'NOTHING' WHERE id = '{}';
             SET session_replication_role = DEFAULT",
            leaves[1]["row_id"].as_str().expect("text")
        ))
        .await;
    let found = verify().await.expect_err("a row was altered");
    assert_eq!(found.tree, Some(Uuid::nil()));
    assert!(matches!(found.problem, Problem::RowAltered { leaf: 1, .. }), "{found}");
}
