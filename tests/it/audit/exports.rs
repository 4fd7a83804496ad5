//! The audit trails: exported as JSON and CSV, and reviewed.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    case,
    mutations::{Case, IN_WORKSPACE, May, by_sql},
    support::Gateway,
};

const EXPORTERS: May = May::Organization(&["CFO", "ADMIN"]);

const EXPORT_LOG: &str = "mutation($from: DateTime!, $to: DateTime!, $format: ExportFormat!) {
    exportAuditLog(from: $from, to: $to, format: $format) { content format rowCount sha256 } }";

const EXPORT: &str = "mutation($id: UUID!, $from: DateTime!, $to: DateTime!, $format: ExportFormat!) {
    exportAudit(workspaceId: $id, from: $from, to: $to, format: $format) { content format rowCount sha256 } }";

const REVIEW: &str = "mutation($id: UUID!) {
    reviewAuditLog(id: $id, comment: \"Within the limits\") { reviewed reviewedAt reviewedByUser { email } } }";

pub fn cases() -> Vec<Case> {
    vec![
        Case {
            mutation: "exportAudit",
            operation: "mutation($id: UUID!) { exportAudit(workspaceId: $id, from: \"2020-01-01T00:00:00Z\",
                to: \"2100-01-01T00:00:00Z\", format: CSV) { rowCount sha256 } }",
            may: May::Workspace(&["agent", "agent, no admin", "risk"]),
            prepare: |gateway, user| by_sql(gateway, user, &format!("SELECT {IN_WORKSPACE} AS id")),
        },
        case!(
            "exportAuditLog",
            EXPORTERS,
            "SELECT 1 AS n",
            "mutation { exportAuditLog(from: \"2020-01-01T00:00:00Z\", to: \"2100-01-01T00:00:00Z\", format: JSON) { rowCount } }"
        ),
        case!(
            "reviewAuditLog",
            EXPORTERS,
            "INSERT INTO audit_logs (organization_id, actor_type, actor_name, action, details, risk_level, requires_review)
             SELECT id, 'SYSTEM', 'System', 'TEST', '{}', 'high', true FROM organizations WHERE slug = 'aether-demo' RETURNING id",
            REVIEW
        ),
    ]
}

fn period(format: &str) -> Value {
    json!({ "from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "format": format })
}

#[tokio::test]
async fn a_workspace_trail_is_exported_whole_and_the_export_is_told() {
    let gateway = Gateway::demo().await;
    let risk = gateway.sign_in("risk@northgate-bank.example", "northgate-bank").await;
    let workspace = gateway.value(&format!("SELECT {IN_WORKSPACE}")).await;
    let workspace = workspace.as_str().expect("an id");
    // Somebody hopes that it is opened in a spreadsheet.
    gateway
        .execute(&format!(
            "INSERT INTO audit_events (workspace_id, actor_id, actor_name, event_type, reason)
             SELECT '{workspace}', id, '=HYPERLINK(\"http://evil.example\")', 'CLAUSE_EDIT', '@SUM(A1:A9)' FROM users LIMIT 1"
        ))
        .await;
    let count = format!("SELECT count(*) FROM audit_events WHERE workspace_id = '{workspace}'");
    let before = gateway.value(&count).await;
    let mut variables = period("JSON");
    variables["id"] = json!(workspace);
    let export = risk.run(EXPORT, variables.clone()).await.ok()["exportAudit"].clone();
    let content = export["content"].as_str().expect("content");
    assert_eq!(export["rowCount"], before);
    assert_eq!(export["sha256"], format!("{:x}", Sha256::digest(content)));
    let rows: Vec<Value> = serde_json::from_str(content).expect("JSON");
    assert_eq!(json!(rows.len()), before);
    assert!(rows.iter().all(|row| row["workspaceId"] == workspace));
    assert!(rows.is_sorted_by_key(|row| row["timestamp"].as_str().map(str::to_owned)));
    assert_eq!(rows.last().expect("a row")["actorName"], "=HYPERLINK(\"http://evil.example\")");

    let told = gateway
        .rows(&format!(
            "SELECT actor_name, target_type, after_state FROM audit_events WHERE workspace_id = '{workspace}'
                AND event_type = 'EXPORT_AUDIT' ORDER BY timestamp DESC LIMIT 1"
        ))
        .await
        .remove(0);
    assert_eq!((&told["target_type"], &told["after_state"]["sha256"]), (&json!("workspace"), &export["sha256"]));
    assert_eq!((&told["after_state"]["rowCount"], &told["after_state"]["format"]), (&before, &json!("JSON")));

    variables["format"] = json!("CSV");
    let export = risk.run(EXPORT, variables.clone()).await.ok()["exportAudit"].clone();
    let content = export["content"].as_str().expect("content");
    let mut reader = csv::Reader::from_reader(content.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let records: Vec<csv::StringRecord> = reader.records().map(|record| record.expect("a record")).collect();
    assert_eq!(json!(records.len()), export["rowCount"]);
    assert_eq!(export["rowCount"], json!(before.as_i64().expect("a count") + 1), "the first export is in the second");
    let cell = |record: &csv::StringRecord, name: &str| {
        record[header.iter().position(|column| column == name).expect("a column")].to_owned()
    };
    assert!(records.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])));
    let evil = records.iter().find(|record| cell(record, "actorName").contains("HYPERLINK")).expect("the row");
    assert_eq!(
        (cell(evil, "actorName").as_str(), cell(evil, "reason").as_str()),
        ("'=HYPERLINK(\"http://evil.example\")", "'@SUM(A1:A9)")
    );

    // Only the period that was asked for; and it has to be one.
    variables["to"] = json!("2020-01-02T00:00:00Z");
    assert_eq!(risk.run(EXPORT, variables.clone()).await.ok()["exportAudit"]["rowCount"], 0);
    variables["to"] = variables["from"].clone();
    let refused = risk.run(EXPORT, variables.clone()).await;
    assert_eq!(
        (refused.code(), &refused.body["errors"][0]["extensions"]["field"]),
        ("VALIDATION_FAILED", &json!("to"))
    );
    // What is too much is refused, never cut.
    gateway
        .execute(&format!(
            "INSERT INTO audit_events (workspace_id, actor_id, actor_name, event_type, timestamp)
             SELECT '{workspace}', u.id, 'Many', 'LOGIN', '2021-06-01' FROM (SELECT id FROM users LIMIT 1) u, generate_series(1, 50001)"
        ))
        .await;
    variables["to"] = json!("2100-01-01T00:00:00Z");
    let refused = risk.run(EXPORT, variables).await;
    assert_eq!(refused.code(), "VALIDATION_FAILED");
    assert!(refused.body["errors"][0]["message"].as_str().expect("a message").contains("50000"));
}

#[tokio::test]
async fn the_log_of_the_organization_is_exported_and_reviewed_by_somebody_else() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let export = cfo.run(EXPORT_LOG, period("JSON")).await.ok()["exportAuditLog"].clone();
    let rows: Vec<Value> = serde_json::from_str(export["content"].as_str().expect("content")).expect("JSON");
    assert_eq!(json!(rows.len()), export["rowCount"]);
    let own = "SELECT count(*) FROM audit_logs WHERE organization_id = (SELECT id FROM organizations WHERE slug = 'aether-demo')";
    assert_eq!(gateway.value(own).await, rows.len() as i64 + 1, "all of the organization, and then the export itself");
    let told = gateway
        .rows("SELECT * FROM audit_logs WHERE action = 'AUDIT_EXPORT' ORDER BY timestamp DESC LIMIT 1")
        .await
        .remove(0);
    assert_eq!(told["details"]["after"]["sha256"], export["sha256"]);
    assert_eq!(
        (&told["risk_level"], &told["requires_review"], &told["reviewed"]),
        (&json!("high"), &json!(true), &json!(false))
    );

    // Nobody reviews what they did themselves.
    let id = told["id"].as_str().expect("an id");
    let refused = cfo.run(REVIEW, json!({ "id": id })).await;
    assert_eq!(refused.code(), "FORBIDDEN", "{:#}", refused.body);
    let admin = gateway.sign_in("admin@aether-demo.com", "aether-demo").await;
    let reviewed = admin.run(REVIEW, json!({ "id": id })).await.ok()["reviewAuditLog"].clone();
    assert_eq!(
        (&reviewed["reviewed"], &reviewed["reviewedByUser"]["email"]),
        (&json!(true), &json!("admin@aether-demo.com"))
    );
    let review =
        gateway.rows("SELECT resource_type, resource_id, details FROM audit_logs WHERE action = 'AUDIT_REVIEW'").await;
    let review = review.last().expect("an entry");
    assert_eq!((&review["resource_type"], &review["resource_id"]), (&json!("audit_log"), &json!(id)));
    assert_eq!(review["details"]["reason"], "Within the limits");
    let twice = admin.run(REVIEW, json!({ "id": id })).await;
    assert_eq!(twice.code(), "PRECONDITION_FAILED");
    // Another organization's entry is not there.
    let foreign = gateway
        .value("SELECT id FROM audit_logs WHERE organization_id <> (SELECT id FROM organizations WHERE slug = 'aether-demo') AND NOT reviewed LIMIT 1")
        .await;
    assert_eq!(admin.run(REVIEW, json!({ "id": foreign })).await.code(), "NOT_FOUND");
}
