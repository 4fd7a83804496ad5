//! The graph synchronized with the text, and what a change concerns.

use serde_json::{Value, json};

use super::{SharedWorkspace, last_event, topics_since};
use crate::support::Gateway;

const SYNC: &str = "mutation($w: UUID!) { syncGraph(workspaceId: $w) {
    graphState { id integrityScore lastComputedAt workspace { lastSyncAt rowVersion } } nodes edges clausesRead
    added { nodes edges warnings } changed { nodes edges warnings } removed { nodes edges warnings }
    warnings { nodeId label kind subject message } } }";

async fn sync(workspace: &SharedWorkspace<'_>) -> Value {
    workspace.agent.run(SYNC, json!({ "w": workspace.id })).await.ok()["syncGraph"].clone()
}

fn counts(nodes: u32, edges: u32, warnings: u32) -> Value {
    json!({ "nodes": nodes, "edges": edges, "warnings": warnings })
}

/// The whole graph without what a synchronization dates.
async fn stored(workspace: &SharedWorkspace<'_>) -> Vec<Value> {
    let w = &workspace.id;
    workspace.gateway
        .rows(&format!(
            "SELECT jsonb_build_object('node', n.label, 'type', n.type, 'value', n.value, 'drift', n.has_drift, 'warning', n.has_warning) AS it
               FROM graph_nodes n WHERE workspace_id = '{w}'
             UNION ALL SELECT jsonb_build_object('from', s.label, 'to', t.label, 'weight', e.weight) FROM graph_edges e
               JOIN graph_nodes s ON s.id = e.source_id JOIN graph_nodes t ON t.id = e.target_id WHERE e.workspace_id = '{w}'
             UNION ALL SELECT jsonb_build_object('at', n.label, 'kind', g.kind, 'subject', g.subject, 'message', g.message)
               FROM graph_warnings g JOIN graph_nodes n ON n.id = g.graph_node_id WHERE g.workspace_id = '{w}' ORDER BY 1"
        ))
        .await
}

#[tokio::test]
async fn the_graph_of_the_demo_is_what_a_synchronization_finds() {
    let gateway = Gateway::demo().await;
    let mut workspace = SharedWorkspace::of(&gateway).await;
    let all = gateway.rows("SELECT id::text, (SELECT count(*) FROM clauses c WHERE c.workspace_id = w.id) AS clauses FROM workspaces w WHERE deleted_at IS NULL").await;
    assert_eq!(all.len(), 3);
    for one in all {
        workspace.id = one["id"].as_str().expect("an id").to_owned();
        workspace.is_consistent().await;
        let before = stored(&workspace).await;
        let synced = sync(&workspace).await;
        assert_eq!(synced["clausesRead"], one["clauses"], "nothing has been read before");
        for what in ["added", "changed", "removed"] {
            assert_eq!(synced[what], counts(0, 0, 0), "{what}");
        }
        assert_eq!(stored(&workspace).await, before);
        workspace.is_consistent().await;
    }
}

#[tokio::test]
async fn only_what_has_changed_is_read_and_the_result_is_that_of_reading_everything() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let first = sync(&workspace).await;
    let clause = workspace
        .clause("covenant", true, "The Borrower shall comply with Clause 98.7 (Nowhere) and pay the Frobnication Fee.")
        .await;
    let version = gateway.value(&format!("SELECT row_version FROM workspaces WHERE id = '{}'", workspace.id)).await;
    let before = last_event(&gateway).await;
    let second = sync(&workspace).await;
    assert_eq!(second["clausesRead"], 1);
    assert_eq!(second["added"]["nodes"], 1);
    assert!(second["added"]["warnings"].as_u64() >= Some(1));
    let warnings = second["warnings"].as_array().expect("warnings");
    let dangling = warnings.iter().find(|warning| {
        warning["label"].as_str().is_some_and(|label| label.ends_with("Test Terms"))
            && warning["kind"] == "DANGLING_REFERENCE"
    });
    assert!(
        dangling.expect("a warning")["message"].as_str().is_some_and(|message| message.contains("98.7")),
        "{warnings:#?}"
    );
    assert_eq!(
        second["graphState"]["workspace"]["rowVersion"], version,
        "a synchronization is no edit of the workspace"
    );
    assert!(
        second["graphState"]["workspace"]["lastSyncAt"].as_str()
            > first["graphState"]["workspace"]["lastSyncAt"].as_str()
    );
    workspace.is_consistent().await;
    let topics = topics_since(&gateway, &before).await;
    assert_eq!((&topics["graph"], &topics["audit"]), (&json!(1), &json!(1)));

    let trail = workspace.trail("GRAPH_SYNC", &workspace.id).await;
    let told = &trail.last().expect("an audit row")["after_state"];
    assert_eq!((&told["nodes"], &told["clausesRead"], &told["added"]), (&second["nodes"], &json!(1), &second["added"]));
    assert_eq!(told["integrityScoreBefore"], first["graphState"]["integrityScore"]);
    assert_eq!(told["integrityScore"], second["graphState"]["integrityScore"]);

    // The same from nothing.
    let incremental = stored(&workspace).await;
    gateway.execute("DELETE FROM clause_readings").await;
    let full = sync(&workspace).await;
    assert!(full["clausesRead"].as_u64() > Some(10));
    for what in ["added", "changed", "removed"] {
        assert_eq!(full[what], counts(0, 0, 0), "{what}");
    }
    assert_eq!(stored(&workspace).await, incremental);
    let w = &workspace.id;
    gateway.execute(&format!("DELETE FROM graph_nodes WHERE workspace_id = '{w}'")).await;
    let anew = sync(&workspace).await;
    assert_eq!((&anew["added"]["nodes"], &anew["added"]["edges"]), (&full["nodes"], &full["edges"]));
    assert_eq!(stored(&workspace).await, incremental);
    workspace.is_consistent().await;

    // What is gone from the text goes from the graph.
    gateway.execute(&format!("DELETE FROM clauses WHERE id = '{clause}'")).await;
    let last = sync(&workspace).await;
    assert_eq!((&last["clausesRead"], &last["removed"]["nodes"]), (&json!(0), &json!(1)));
    assert_eq!(last["nodes"], first["nodes"]);
    workspace.is_consistent().await;
}

#[tokio::test]
async fn a_change_of_a_text_changes_what_depends_on_it() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    sync(&workspace).await;
    let found = gateway.rows(&format!("SELECT id::text, title, body FROM clauses WHERE workspace_id = '{}' AND type <> 'general' ORDER BY order_index", workspace.id)).await;
    let (one, other) = (&found[0], &found[3]);
    let number = one["title"].as_str().and_then(|title| title.split(' ').next()).expect("a number");
    gateway.execute(&format!("UPDATE clauses SET body = body || ' This is subject to Clause {number}, Clause {number} and Clause {number}.', title = title || ' (amended)' WHERE id = '{}'", other["id"].as_str().expect("an id"))).await;
    let synced = sync(&workspace).await;
    assert_eq!(synced["clausesRead"], 1);
    assert_eq!(synced["changed"]["nodes"], 1, "the label is the title");
    let edge = format!(
        "SELECT weight FROM graph_edges e JOIN graph_nodes s ON s.id = e.source_id JOIN graph_nodes t ON t.id = e.target_id
          WHERE s.clause_id = '{}' AND s.variable_id IS NULL AND t.clause_id = '{}' AND t.variable_id IS NULL",
        one["id"].as_str().expect("an id"),
        other["id"].as_str().expect("an id"),
    );
    assert!(gateway.value(&edge).await.as_i64() >= Some(3));
}

#[tokio::test]
async fn an_impact_is_everything_reachable_with_its_distance() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let nodes = gateway
        .rows(&format!("SELECT id::text FROM graph_nodes WHERE workspace_id = '{}' ORDER BY id", workspace.id))
        .await;
    let edges = gateway
        .rows(&format!(
            "SELECT source_id::text AS s, target_id::text AS t FROM graph_edges WHERE workspace_id = '{}'",
            workspace.id
        ))
        .await;
    let ends: Vec<(&str, &str)> =
        edges.iter().map(|edge| (edge["s"].as_str().expect("s"), edge["t"].as_str().expect("t"))).collect();
    let query = "query($id: UUID!, $depth: Int) { impactOf(nodeId: $id, maxDepth: $depth) { distance nodeId label type hasDrift hasWarning clauseId variableId value } }";
    let mut far = 0;
    // Who asks is read once.
    workspace.investor.data("{ me { sessionId } }").await;
    for node in nodes.iter().step_by(5) {
        let id = node["id"].as_str().expect("an id");
        let mut expected = aether_domain::graph::impact(ends.iter().copied(), id);
        expected.sort();
        for depth in [None, Some(1), Some(2)] {
            let answer = workspace.investor.run(query, json!({ "id": id, "depth": depth })).await;
            assert_eq!(answer.statements(), 1);
            let answer = answer.ok();
            let rows = answer["impactOf"].as_array().expect("rows");
            let distances: Vec<u64> = rows.iter().map(|row| row["distance"].as_u64().expect("a distance")).collect();
            assert!(distances.is_sorted(), "nearest first");
            let mut got: Vec<(&str, u32)> = rows
                .iter()
                .map(|row| {
                    (
                        row["nodeId"].as_str().expect("an id"),
                        u32::try_from(row["distance"].as_u64().expect("a distance")).expect("small"),
                    )
                })
                .collect();
            got.sort();
            let within: Vec<_> =
                expected.iter().copied().filter(|(_, distance)| depth.is_none_or(|depth| *distance <= depth)).collect();
            assert_eq!(got, within);
            far = far.max(distances.last().copied().unwrap_or_default());
        }
    }
    assert!(far > 2, "the demo has ways of some length");
    let id = &nodes[0]["id"];
    let outsider = gateway.sign_in("cfo@meridian-capital.example", "meridian-capital").await;
    assert_eq!(outsider.run(query, json!({ "id": id })).await.code(), "NOT_FOUND");
    assert_eq!(
        workspace.agent.run(query, json!({ "id": "00000000-0000-0000-0000-000000000000" })).await.code(),
        "NOT_FOUND"
    );
    assert_eq!(gateway.stranger().run(query, json!({ "id": id })).await.code(), "UNAUTHENTICATED");
    assert_eq!(workspace.agent.run(query, json!({ "id": id, "depth": -1 })).await.code(), "VALIDATION_FAILED");
}
