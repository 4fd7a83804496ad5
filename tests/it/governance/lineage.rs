//! The lineage of the data: kept by natural keys, followed up and down.

use serde_json::{Value, json};

use crate::{
    case,
    mutations::{Case, May},
    support::Gateway,
};

const EDITORS: May = May::Organization(&["CFO", "ADMIN"]);

pub fn cases() -> Vec<Case> {
    vec![
        case!(
            "upsertLineageNodes",
            EDITORS,
            "SELECT gen_random_uuid()::text AS key",
            "mutation($key: String!) { upsertLineageNodes(nodes: [{ nodeKey: $key, label: \"New\", type: SOURCE }]) { created } }"
        ),
        case!(
            "upsertLineageEdges",
            EDITORS,
            "INSERT INTO data_lineage_nodes (organization_id, node_key, label, type) \
             SELECT o.id, gen_random_uuid()::text, 'Test', 'source' FROM organizations o, generate_series(1, 2) WHERE slug = 'aether-demo'; \
             SELECT min(node_key) AS a, max(node_key) AS b FROM (SELECT node_key FROM data_lineage_nodes ORDER BY created_at DESC LIMIT 2) n",
            "mutation($a: String!, $b: String!) { upsertLineageEdges(edges: [{ source: $a, target: $b }]) { created } }"
        ),
        case!(
            "deleteLineageNode",
            EDITORS,
            "INSERT INTO data_lineage_nodes (organization_id, node_key, label, type) \
             SELECT id, gen_random_uuid()::text, 'Test', 'source' FROM organizations WHERE slug = 'aether-demo' \
             RETURNING id, row_version AS v",
            "mutation($id: UUID!, $v: Int!) { deleteLineageNode(id: $id, expectedVersion: $v) }"
        ),
        case!(
            "deleteLineageEdge",
            EDITORS,
            "INSERT INTO data_lineage_nodes (organization_id, node_key, label, type) \
             SELECT o.id, gen_random_uuid()::text, 'Test', 'source' FROM organizations o, generate_series(1, 2) WHERE slug = 'aether-demo'; \
             INSERT INTO data_lineage_edges (organization_id, source_node_id, target_node_id) \
             SELECT min(organization_id::text)::uuid, min(id::text)::uuid, max(id::text)::uuid FROM (SELECT id, organization_id FROM data_lineage_nodes ORDER BY created_at DESC LIMIT 2) n \
             RETURNING id, row_version AS v",
            "mutation($id: UUID!, $v: Int!) { deleteLineageEdge(id: $id, expectedVersion: $v) }"
        ),
    ]
}

const NODES: &str =
    "mutation($nodes: [LineageNodeInput!]!) { upsertLineageNodes(nodes: $nodes) { created updated unchanged ids } }";
const EDGES: &str =
    "mutation($edges: [LineageEdgeInput!]!) { upsertLineageEdges(edges: $edges) { created updated unchanged ids } }";

fn field(answer: &crate::support::Answer) -> &str {
    assert_eq!(answer.code(), "VALIDATION_FAILED", "{:#}", answer.body);
    answer.body["errors"][0]["extensions"]["field"].as_str().unwrap_or_default()
}

fn distances(steps: &Value) -> Vec<(String, i64)> {
    let steps = steps.as_array().expect("a list");
    steps
        .iter()
        .map(|s| (s["nodeKey"].as_str().unwrap_or_default().to_owned(), s["distance"].as_i64().unwrap_or_default()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lineage_is_kept_by_its_keys_and_followed_through_cycles() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let node = |key: &str| json!({ "nodeKey": key, "label": key.to_uppercase(), "type": "PROCESS" });
    let nodes = ["t_a", "t_b", "t_c", "t_d", "t_e"].map(node);
    let nodes = json!({ "nodes": nodes });
    let first = cfo.run(NODES, nodes.clone()).await.ok()["upsertLineageNodes"].take();
    assert_eq!((&first["created"], &first["updated"], &first["unchanged"]), (&json!(5), &json!(0), &json!(0)));
    let audits =
        "SELECT count(*) FROM audit_logs WHERE action = 'LINEAGE_EDIT' AND timestamp > now() - interval '10 minutes'";
    assert_eq!(gateway.value(audits).await, 1);
    let again = cfo.run(NODES, nodes).await.ok()["upsertLineageNodes"].take();
    assert_eq!((&again["unchanged"], &again["ids"]), (&json!(5), &first["ids"]));
    assert_eq!(gateway.value(audits).await, 1, "what changes nothing leaves nothing");

    // a → b → c → d, back from d to b, and a short way from a to d; e stands alone.
    let edge =
        |(source, target): (&str, &str)| json!({ "source": source, "target": target, "transformationType": "LOAD" });
    let edges = [("t_a", "t_b"), ("t_b", "t_c"), ("t_c", "t_d"), ("t_d", "t_b"), ("t_a", "t_d")].map(edge);
    let made = cfo.run(EDGES, json!({ "edges": edges })).await.ok();
    assert_eq!(made["upsertLineageEdges"]["created"], 5);
    let mut changed = edges.clone();
    changed[1]["latency"] = "1 hour".into();
    let updated = cfo.run(EDGES, json!({ "edges": changed })).await.ok();
    assert_eq!(
        (&updated["upsertLineageEdges"]["updated"], &updated["upsertLineageEdges"]["unchanged"]),
        (&json!(1), &json!(4))
    );

    let follow = "query($id: UUID!, $most: Int) { lineageDownstream(nodeId: $id, maxDepth: $most) {
        distance nodeKey label type status viaNodeId viaEdgeId viaTransformation } }";
    let a = &first["ids"][0];
    let answer = cfo.run(follow, json!({ "id": a })).await;
    assert_eq!(answer.statements(), 1);
    let down = answer.ok()["lineageDownstream"].take();
    assert_eq!(distances(&down), [("t_b".to_owned(), 1), ("t_d".to_owned(), 1), ("t_c".to_owned(), 2)]);
    assert_eq!((&down[0]["viaNodeId"], &down[0]["viaTransformation"]), (a, &json!("LOAD")));
    assert_eq!(
        (&down[0]["type"], &down[0]["status"], &down[0]["label"]),
        (&json!("PROCESS"), &json!("ACTIVE"), &json!("T_B"))
    );
    let near = cfo.run(follow, json!({ "id": a, "most": 1 })).await.ok()["lineageDownstream"].take();
    assert_eq!(distances(&near).len(), 2);
    let up = cfo
        .run(
            "query($id: UUID!) { lineageUpstream(nodeId: $id) { distance nodeKey } }",
            json!({ "id": first["ids"][2] }),
        )
        .await;
    let up = up.ok()["lineageUpstream"].take();
    assert_eq!(distances(&up), [("t_b".to_owned(), 1), ("t_a".to_owned(), 2), ("t_d".to_owned(), 2)]);
    let alone = cfo.run(follow, json!({ "id": first["ids"][4] })).await.ok();
    assert_eq!(alone["lineageDownstream"], json!([]));
    assert_eq!(field(&cfo.run(follow, json!({ "id": a, "most": 0 })).await), "maxDepth");
    let stranger = gateway.sign_in("cfo@meridian-capital.example", "meridian-capital").await;
    assert_eq!(stranger.run(follow, json!({ "id": a })).await.code(), "NOT_FOUND");

    let delete = "mutation($id: UUID!) { deleteLineageNode(id: $id, expectedVersion: 1) }";
    assert_eq!(cfo.run(delete, json!({ "id": first["ids"][3] })).await.ok()["deleteLineageNode"], first["ids"][3]);
    let told = gateway
        .value(
            "SELECT jsonb_array_length(details -> 'also') FROM audit_logs WHERE action = 'LINEAGE_EDIT'
        ORDER BY id DESC LIMIT 1",
        )
        .await;
    assert_eq!(told, 3, "the edges that went with the node");
    let down = cfo.run(follow, json!({ "id": a })).await.ok()["lineageDownstream"].take();
    assert_eq!(distances(&down), [("t_b".to_owned(), 1), ("t_c".to_owned(), 2)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_wrong_node_or_edge_refuses_all() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let node = |key: &str| json!({ "nodeKey": key, "label": "L", "type": "OUTPUT" });
    let twice = cfo.run(NODES, json!({ "nodes": [node("t_1"), node("t_2"), node("t_1")] })).await;
    assert_eq!(field(&twice), "nodes.2.nodeKey");
    let mut half = node("t_2");
    half["positionX"] = json!(5);
    assert_eq!(field(&cfo.run(NODES, json!({ "nodes": [node("t_1"), half] })).await), "nodes.1.positionX");
    assert_eq!(gateway.value("SELECT count(*) FROM data_lineage_nodes WHERE node_key LIKE 't\\_%'").await, 0);
    assert_eq!(field(&cfo.run(NODES, json!({ "nodes": [] })).await), "nodes");
    cfo.run(NODES, json!({ "nodes": [node("t_1"), node("t_2")] })).await.ok();
    let edge = |source: &str, target: &str| json!({ "source": source, "target": target });
    let missing = cfo.run(EDGES, json!({ "edges": [edge("t_1", "t_2"), edge("t_1", "t_9")] })).await;
    assert_eq!(field(&missing), "edges.1.target");
    assert_eq!(field(&cfo.run(EDGES, json!({ "edges": [edge("t_1", "t_1")] })).await), "edges.0.target");
    let events = gateway.value("SELECT count(*) FROM event_outbox WHERE topic = 'lineage' AND kind = 'created'").await;
    assert_eq!(events, 2, "two nodes and no edge");
}
