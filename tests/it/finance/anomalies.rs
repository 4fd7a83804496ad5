//! Anomalies: who works on them, how they are settled, and which belong together.

use serde_json::{Value, json};

use crate::{
    case,
    mutations::{Case, May},
    support::{Gateway, HOME},
};

const RESOLVERS: May = May::Organization(&["CFO", "FINANCE_MANAGER", "ANALYST"]);
const MANAGERS: May = May::Organization(&["CFO", "FINANCE_MANAGER"]);

const OPEN: &str = "INSERT INTO anomalies (organization_id, metric_type, severity, description) SELECT id, 'REVENUE', 'high', 'Test' \
    FROM organizations WHERE slug = 'aether-demo' RETURNING id, row_version AS \"expectedVersion\"";

pub fn cases() -> Vec<Case> {
    vec![
        case!("assignAnomaly", RESOLVERS,
            "INSERT INTO anomalies (organization_id, metric_type, severity, description) SELECT id, 'REVENUE', 'high', 'Test'
             FROM organizations WHERE slug = 'aether-demo' RETURNING id, row_version AS \"expectedVersion\", '$user' AS \"userId\"",
            "mutation($id: UUID!, $expectedVersion: Int!, $userId: UUID!) {
                assignAnomaly(id: $id, expectedVersion: $expectedVersion, userId: $userId) { assignedAt } }"),
        case!("startInvestigation", RESOLVERS, OPEN,
            "mutation($id: UUID!, $expectedVersion: Int!) { startInvestigation(id: $id, expectedVersion: $expectedVersion) { status } }"),
        case!("resolveAnomaly", RESOLVERS, OPEN,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                resolveAnomaly(id: $id, expectedVersion: $expectedVersion, notes: \"A late booking\") { status } }"),
        case!("dismissAnomaly", MANAGERS, OPEN,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                dismissAnomaly(id: $id, expectedVersion: $expectedVersion, notes: \"A holiday\") { status } }"),
        case!("linkAnomalies", RESOLVERS,
            "DELETE FROM anomalies WHERE description = 'Linked';
             INSERT INTO anomalies (organization_id, metric_type, severity, description) SELECT id, 'REVENUE', 'high', 'Linked'
               FROM organizations, generate_series(1, 2) WHERE slug = 'aether-demo';
             SELECT jsonb_agg(id) AS ids FROM anomalies WHERE description = 'Linked'",
            "mutation($ids: [UUID!]!) { linkAnomalies(ids: $ids) { relatedAnomalyIds } }"),
        case!("unlinkAnomalies", RESOLVERS,
            "DELETE FROM anomalies WHERE description = 'Linked';
             INSERT INTO anomalies (organization_id, metric_type, severity, description) SELECT id, 'REVENUE', 'high', 'Linked'
               FROM organizations, generate_series(1, 2) WHERE slug = 'aether-demo';
             UPDATE anomalies a SET related_anomaly_ids = ARRAY[b.id] FROM anomalies b
              WHERE a.description = 'Linked' AND b.description = 'Linked' AND a.id <> b.id;
             SELECT jsonb_agg(id) AS ids FROM anomalies WHERE description = 'Linked'",
            "mutation($ids: [UUID!]!) { unlinkAnomalies(ids: $ids) { relatedAnomalyIds } }"),
    ]
}

/// New anomalies of the home organization.
async fn new(gateway: &Gateway, count: usize) -> Vec<Value> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let row = crate::mutations::by_sql(gateway, "", OPEN).await;
        ids.push(row["id"].clone());
    }
    ids
}

#[tokio::test]
async fn an_anomaly_is_taken_up_and_settled_once() {
    let gateway = Gateway::demo().await;
    let (cfo, analyst) = (gateway.cfo().await, gateway.sign_in("analyst@aether-demo.com", HOME).await);
    let users = gateway.value("SELECT jsonb_object_agg(email, id) FROM users").await;
    let id = new(&gateway, 1).await.remove(0);
    let assign = "mutation($id: UUID!, $v: Int!, $to: UUID) { assignAnomaly(id: $id, expectedVersion: $v, userId: $to) { assignedAt assignedToUser { email } rowVersion } }";
    for (who, message) in [
        ("viewer@aether-demo.com", "may not work"),
        ("olivia.grant@aether-demo.com", "no active user"),
        ("cfo@meridian-capital.example", "no active user"),
    ] {
        let answer = cfo.run(assign, json!({ "id": id, "v": 1, "to": users[who] })).await;
        assert_eq!(
            (answer.code(), &answer.body["errors"][0]["extensions"]["field"]),
            ("VALIDATION_FAILED", &json!("userId"))
        );
        assert!(answer.message().contains(message), "{}", answer.message());
    }
    let assigned = cfo.run(assign, json!({ "id": id, "v": 1, "to": users["analyst@aether-demo.com"] })).await.ok();
    assert_eq!(assigned["assignAnomaly"]["assignedToUser"]["email"], "analyst@aether-demo.com");
    assert!(assigned["assignAnomaly"]["assignedAt"].is_string());
    let back = cfo.run(assign, json!({ "id": id, "v": 2, "to": null })).await.ok();
    assert_eq!(back["assignAnomaly"], json!({ "assignedAt": null, "assignedToUser": null, "rowVersion": 3 }));

    let start = "mutation($id: UUID!, $v: Int!) { startInvestigation(id: $id, expectedVersion: $v) { status assignedToUser { email } } }";
    let started = analyst.run(start, json!({ "id": id, "v": 3 })).await.ok();
    assert_eq!(
        started["startInvestigation"],
        json!({ "status": "INVESTIGATING", "assignedToUser": { "email": "analyst@aether-demo.com" } })
    );
    assert_eq!(cfo.run(start, json!({ "id": id, "v": 4 })).await.code(), "PRECONDITION_FAILED");

    let resolve = "mutation($id: UUID!, $v: Int!, $notes: String!) { resolveAnomaly(id: $id, expectedVersion: $v, notes: $notes) {
        status resolvedAt resolvedByUser { email } resolutionNotes } }";
    let dismiss = resolve.replace("resolveAnomaly", "dismissAnomaly");
    assert_eq!(analyst.run(&dismiss, json!({ "id": id, "v": 4, "notes": "Nothing" })).await.code(), "FORBIDDEN");
    assert_eq!(analyst.run(resolve, json!({ "id": id, "v": 4, "notes": " " })).await.code(), "VALIDATION_FAILED");
    assert_eq!(analyst.run(resolve, json!({ "id": id, "v": 3, "notes": "Booked late" })).await.code(), "CONFLICT");
    let resolved =
        analyst.run(resolve, json!({ "id": id, "v": 4, "notes": "Booked late" })).await.ok()["resolveAnomaly"].clone();
    assert!(resolved["resolvedAt"].is_string());
    assert_eq!((&resolved["status"], &resolved["resolutionNotes"]), (&json!("RESOLVED"), &json!("Booked late")));
    for operation in [start, resolve, &dismiss, assign] {
        assert_eq!(
            cfo.run(operation, json!({ "id": id, "v": 5, "notes": "Again", "to": null })).await.code(),
            "PRECONDITION_FAILED"
        );
    }

    let own = id.as_str().expect("an id");
    let trail =
        gateway.rows(&format!("SELECT action, details FROM audit_logs WHERE resource_id = '{own}' ORDER BY id")).await;
    let actions: Vec<_> = trail.iter().map(|row| row["action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["ANOMALY_ASSIGN", "ANOMALY_ASSIGN", "ANOMALY_INVESTIGATE", "ANOMALY_RESOLVE"]);
    assert_eq!(
        (&trail[3]["details"]["before"]["status"], &trail[3]["details"]["reason"]),
        (&json!("INVESTIGATING"), &json!("Booked late"))
    );
    let events = gateway
        .rows(&format!(
            "SELECT topic, kind, changed_fields FROM event_outbox WHERE aggregate_id = '{own}' ORDER BY sequence"
        ))
        .await;
    assert_eq!(events.len(), 4);
    assert_eq!(
        events[2],
        json!({ "topic": "anomaly", "kind": "updated", "changed_fields": ["assignedAt", "assignedTo", "status"] })
    );
}

#[tokio::test]
async fn links_go_both_ways() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let ids = new(&gateway, 3).await;
    let link = "mutation($ids: [UUID!]!) { linkAnomalies(ids: $ids) { id relatedAnomalyIds } }";
    let unlink = link.replace("linkAnomalies", "unlinkAnomalies");
    let related = async |id: &Value| {
        let id = id.as_str().expect("an id");
        gateway.value(&format!("SELECT (SELECT jsonb_agg(r ORDER BY r) FROM unnest(related_anomaly_ids) r) FROM anomalies WHERE id = '{id}'")).await
    };
    let sorted = |mut ids: Vec<&Value>| {
        ids.sort_by_key(|id| id.as_str());
        json!(ids)
    };
    assert_eq!(
        cfo.run(link, json!({ "ids": [ids[0], ids[1]] })).await.ok()["linkAnomalies"].as_array().map(Vec::len),
        Some(2)
    );
    cfo.run(link, json!({ "ids": [ids[1], ids[2], ids[1]] })).await.ok();
    assert_eq!(related(&ids[0]).await, json!([ids[1]]));
    assert_eq!(related(&ids[1]).await, sorted(vec![&ids[0], &ids[2]]));
    let trail = "SELECT count(*) FROM audit_logs WHERE action = 'ANOMALY_LINK'";
    assert_eq!(gateway.value(trail).await, 2);
    cfo.run(link, json!({ "ids": [ids[1], ids[2]] })).await.ok();
    assert_eq!(gateway.value(trail).await, 2, "what was linked was linked again");
    cfo.run(&unlink, json!({ "ids": [ids[0], ids[1]] })).await.ok();
    assert_eq!((related(&ids[0]).await, related(&ids[1]).await), (Value::Null, json!([ids[2]])));
    for few in [json!([]), json!([ids[0]]), json!([ids[0], ids[0]])] {
        assert_eq!(cfo.run(link, json!({ "ids": few })).await.code(), "VALIDATION_FAILED");
    }
    let strange = gateway.value("SELECT a.id FROM anomalies a JOIN organizations o ON o.id = a.organization_id WHERE o.slug <> 'aether-demo' LIMIT 1").await;
    assert_eq!(cfo.run(link, json!({ "ids": [ids[0], strange] })).await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn who_sees_one_region_works_on_its_anomalies_only() {
    let gateway = Gateway::demo().await;
    let europe = gateway.sign_in("europe.analyst@aether-demo.com", HOME).await;
    let ids = new(&gateway, 2).await;
    let own = ids[0].as_str().expect("an id");
    gateway.execute(&format!("UPDATE anomalies SET affected_region = 'Europe' WHERE id = '{own}'")).await;
    let start = "mutation($id: UUID!, $v: Int!) { startInvestigation(id: $id, expectedVersion: $v) { status } }";
    assert_eq!(europe.run(start, json!({ "id": ids[1], "v": 1 })).await.code(), "NOT_FOUND");
    europe.run(start, json!({ "id": ids[0], "v": 2 })).await.ok();
    let refused = gateway.value("SELECT count(*) FROM audit_logs WHERE action = 'NOT_VISIBLE' AND details ->> 'attempted' = 'ANOMALY_INVESTIGATE'").await;
    assert_eq!(refused, 1);
}
