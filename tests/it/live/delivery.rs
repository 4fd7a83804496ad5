//! Each change is told once and in order, with the object in full.

use serde_json::json;

use super::Socket;
use crate::{loan::terms::SharedWorkspace, support::Gateway};

const DRIFT: &str = "subscription($w: UUID!, $severity: [DriftSeverity!], $status: [DriftStatus!]) {
    driftChanged(workspaceId: $w, severity: $severity, status: $status) {
        kind changedFields cursor at actor { name }
        driftItem { id severity status currentValue variable { label } workspace { id } } } }";

#[tokio::test]
async fn drift_is_told_from_its_finding_to_its_end() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let clause = workspace.clause("financial", false, "The margin.").await;
    let variable = workspace.bind(&clause, "Margin", "FINANCIAL", "3.00%").await;
    let mut socket = Socket::of(&workspace.risk, &gateway).await;
    socket.subscribe("d", DRIFT, json!({ "w": workspace.id })).await;
    socket.settle().await;

    workspace.edit(&workspace.legal, &variable, "3.20%").await.ok();
    let found = socket.message("d").await;
    let item = workspace.open(&variable).await;
    assert_eq!((&found["kind"], &found["changedFields"]), (&json!("CREATED"), &json!([])));
    assert_eq!((&found["driftItem"]["id"], &found["driftItem"]["variable"]["label"]), (&json!(item), &json!("Margin")));
    assert_eq!(found["driftItem"]["workspace"]["id"], json!(workspace.id));
    assert!(found["actor"]["name"].is_string() && found["at"].is_string());

    workspace.edit(&workspace.legal, &variable, "3.30%").await.ok();
    let worse = socket.message("d").await;
    assert_eq!((&worse["kind"], &worse["driftItem"]["currentValue"]), (&json!("UPDATED"), &json!("3.30%")));
    assert!(worse["changedFields"].as_array().expect("a list").contains(&json!("currentValue")));

    workspace.settle(&workspace.risk, "approveDrift", &item, "Fine").await.ok();
    let settled = socket.message("d").await;
    assert_eq!((&settled["kind"], &settled["driftItem"]["status"]), (&json!("RESOLVED"), &json!("APPROVED")));
    assert_ne!(found["cursor"], worse["cursor"]);
    socket.quiet().await;

    socket.send(json!({ "type": "complete", "id": "d" })).await;
    workspace.edit(&workspace.legal, &variable, "3.90%").await.ok();
    socket.quiet().await;
}

#[tokio::test]
async fn a_filter_holds_since_the_change_or_until_it() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let clause = workspace.clause("financial", false, "The margin.").await;
    let variable = workspace.bind(&clause, "Margin", "FINANCIAL", "3.00%").await;
    let mut socket = Socket::of(&workspace.risk, &gateway).await;
    // A list of one may be written without brackets.
    socket.subscribe("open", DRIFT, json!({ "w": workspace.id, "status": "UNRESOLVED" })).await;
    socket.settle().await;
    workspace.edit(&workspace.legal, &variable, "3.20%").await.ok();
    assert_eq!(socket.message("open").await["kind"], "CREATED");
    let item = workspace.open(&variable).await;
    let mut reverted = Socket::of(&workspace.risk, &gateway).await;
    reverted.subscribe("reverted", DRIFT, json!({ "w": workspace.id, "status": ["REVERTED"] })).await;
    reverted.settle().await;
    workspace.settle(&workspace.risk, "approveDrift", &item, "Fine").await.ok();
    let left = socket.message("open").await;
    assert_eq!((&left["kind"], &left["driftItem"]["status"]), (&json!("RESOLVED"), &json!("APPROVED")));
    reverted.quiet().await;
}

#[tokio::test]
async fn what_is_deleted_is_told_without_its_object() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let add = "mutation($w: UUID!) { addClause(workspaceId: $w, input: { title: \"9.9 Gone\", type: GENERAL, body: \"Nothing.\" }) { id rowVersion } }";
    let mut socket = Socket::of(&workspace.investor, &gateway).await;
    let query = "subscription($w: UUID!) { clauseChanged(workspaceId: $w) { kind clause { id title } } }";
    socket.subscribe("c", query, json!({ "w": workspace.id })).await;
    let mut outsider =
        Socket::of(&gateway.sign_in("cfo@meridian-capital.example", "meridian-capital").await, &gateway).await;
    outsider
        .subscribe(
            "all",
            "subscription { events(topics: [CLAUSE, GRAPH, GOLDEN_RECORD]) { topic kind node { nodeId } } }",
            json!({}),
        )
        .await;
    socket.settle().await;
    let added = workspace.agent.run(add, json!({ "w": workspace.id })).await.ok()["addClause"].clone();
    let created = socket.message("c").await;
    assert_eq!((&created["kind"], &created["clause"]["id"]), (&json!("CREATED"), &added["id"]));
    let delete = "mutation($id: UUID!, $v: Int!) { deleteClause(id: $id, expectedVersion: $v, reason: \"Test\") }";
    workspace.agent.run(delete, json!({ "id": added["id"], "v": added["rowVersion"] })).await.ok();
    // Others moved up to make room, or closed the gap: what is deleted comes among them.
    let gone = loop {
        let message = socket.message("c").await;
        if message["kind"] == "DELETED" {
            break message;
        }
    };
    assert_eq!(gone["clause"], json!(null));
    outsider.quiet().await;
}

#[tokio::test]
async fn every_feed_tells_of_its_thing() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let mut socket = Socket::of(&workspace.agent, &gateway).await;
    let graph = "subscription($w: UUID!) { graphChanged(workspaceId: $w) { kind graphState { integrityScore } } }";
    let audit =
        "subscription($w: UUID!) { auditAppended(workspaceId: $w) { kind auditEvent { eventType } auditLog { id } } }";
    socket.subscribe("audit", audit, json!({ "w": workspace.id })).await;
    socket.settle().await;
    let clause = workspace.clause("financial", false, "The margin.").await;
    workspace.bind(&clause, "Margin", "FINANCIAL", "3.00%").await;
    let appended = socket.message("audit").await;
    assert!(appended["auditEvent"]["eventType"].is_string(), "{appended}");
    socket.send(json!({ "type": "complete", "id": "audit" })).await;
    socket.subscribe("graph", graph, json!({ "w": workspace.id })).await;
    socket.settle().await;
    workspace.bind(&clause, "Fee", "FINANCIAL", "1.00%").await;
    assert!(socket.message("graph").await["graphState"]["integrityScore"].is_string());

    let cfo = gateway.cfo().await;
    let mut socket = Socket::of(&cfo, &gateway).await;
    for (id, query) in [
        (
            "budget",
            "subscription { budgetChanged(status: [DRAFT, SUBMITTED]) { kind budget { name createdByUser { name } } } }",
        ),
        ("deal", "subscription { dealChanged { kind changedFields deal { stage } } }"),
        (
            "anomaly",
            "subscription { anomalyChanged(status: OPEN) { kind anomaly { status assignedToUser { name } } } }",
        ),
        ("scenario", "subscription { scenarioProgress { kind scenario { name } } }"),
        ("log", "subscription { auditAppended { auditLog { action } } }"),
        ("kpi", "subscription { kpiRefreshed { kind organization { name } } }"),
    ] {
        socket.subscribe(id, query, json!({})).await;
    }
    socket.settle().await;
    cfo.query("mutation { createBudget(input: { name: \"Live\", fiscalYear: 2060, version: \"a\" }) { id } }")
        .await
        .ok();
    cfo.query("mutation { createScenario(input: { name: \"Live\", type: WHAT_IF }) { id } }").await;
    gateway.execute("SELECT announce_kpi_refresh()").await;
    let anomaly = gateway
        .rows("SELECT a.id, a.row_version FROM anomalies a JOIN organizations o ON o.id = a.organization_id WHERE slug = 'aether-demo' AND status = 'open' LIMIT 1")
        .await;
    let dismiss =
        "mutation($id: UUID!, $v: Int!) { dismissAnomaly(id: $id, expectedVersion: $v, notes: \"Known\") { id } }";
    cfo.run(dismiss, json!({ "id": anomaly[0]["id"], "v": anomaly[0]["row_version"] })).await.ok();
    let mut seen = std::collections::BTreeMap::new();
    while !["budget", "anomaly", "log", "kpi"].iter().all(|id| seen.contains_key(*id)) {
        let next = socket.receive().await;
        assert_eq!(next["type"], "next", "{next:#}");
        seen.insert(next["id"].as_str().expect("an id").to_owned(), next["payload"]["data"].clone());
    }
    assert_eq!(seen["budget"]["budgetChanged"]["budget"]["createdByUser"]["name"], "Sarah Chen");
    assert_eq!(seen["anomaly"]["anomalyChanged"]["kind"], "RESOLVED");
    assert_eq!(seen["kpi"]["kpiRefreshed"]["kind"], "REFRESHED");
    assert!(seen["log"]["auditAppended"]["auditLog"]["action"].is_string());
}
