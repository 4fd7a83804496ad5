//! Golden records: frozen, checked against their JSON Schema, gated, published.

use jsonschema::Validator;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    mutations::{Case, IN_WORKSPACE, May},
    support::Gateway,
};

/// Makes the golden record of the demo workspace one that may be published.
pub const READY: &str = "UPDATE drift_items SET status = 'approved', approved_at = now(), approval_reason = 'Agreed' \
     WHERE status = 'unresolved' AND workspace_id = IN_WORKSPACE; \
     UPDATE graph_state SET integrity_score = 0.95 WHERE workspace_id = IN_WORKSPACE; \
     SELECT workspace_id AS id, row_version AS \"expectedVersion\" FROM golden_records WHERE workspace_id = IN_WORKSPACE";

pub const PUBLISH: &str = "mutation($id: UUID!, $expectedVersion: Int!) {
    publishGoldenRecord(workspaceId: $id, expectedVersion: $expectedVersion, reason: \"Signing\") {
        document hash version { id version documentHash document } goldenRecord { status rowVersion lastPublishAt }
    } }";

const EXPORT: &str = "mutation($id: UUID!) {
    exportGoldenRecord(workspaceId: $id) { document hash goldenRecord { status rowVersion lastExportAt schemaJson } } }";

pub fn cases() -> Vec<Case> {
    vec![
        Case {
            mutation: "exportGoldenRecord",
            operation: EXPORT,
            may: May::Workspace(&["agent", "agent, no admin", "risk"]),
            prepare: |gateway, user| crate::mutations::by_sql(gateway, user, &format!("SELECT {IN_WORKSPACE} AS id")),
        },
        Case {
            mutation: "publishGoldenRecord",
            operation: PUBLISH,
            may: May::Workspace(&["agent", "agent, no admin"]),
            prepare: |gateway, user| {
                crate::mutations::by_sql(gateway, user, &READY.replace("IN_WORKSPACE", IN_WORKSPACE))
            },
        },
    ]
}

/// The variables of a workspace whose golden record may be published.
pub async fn ready(gateway: &Gateway) -> Value {
    crate::mutations::by_sql(gateway, "", &READY.replace("IN_WORKSPACE", IN_WORKSPACE)).await
}

async fn validator(gateway: &Gateway) -> Validator {
    let url = format!("{}/golden-record.schema.json", gateway.url);
    let answer = gateway.http().get(url).send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/schema+json");
    let served: Value = answer.json().await.expect("JSON");
    // Whoever receives records has no account, and need not have one.
    let told = gateway.stranger().data("{ goldenRecordSchema }").await;
    assert_eq!(told["goldenRecordSchema"], served);
    assert!(jsonschema::draft202012::meta::is_valid(&served), "the schema is none itself");
    jsonschema::draft202012::options().should_validate_formats(true).build(&served).expect("a schema")
}

/// What the schema has against a document.
fn problems(validator: &Validator, document: &Value) -> Vec<String> {
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[tokio::test]
async fn every_frozen_document_follows_the_schema_and_what_is_amiss_does_not() {
    let gateway = Gateway::demo().await;
    let validator = validator(&gateway).await;
    let rows = gateway
        .rows("SELECT document, document_hash FROM golden_record_versions UNION ALL SELECT schema_json, NULL FROM golden_records")
        .await;
    assert!(rows.len() > 6, "{}", rows.len());
    for row in &rows {
        assert_eq!(problems(&validator, &row["document"]), [""; 0]);
    }
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let ready = ready(&gateway).await;
    let exported = agent.run(EXPORT, ready.clone()).await.ok();
    let document = &exported["exportGoldenRecord"]["document"];
    assert_eq!(problems(&validator, document), [""; 0]);
    let count = |part: &str| document[part].as_array().expect("a list").len() as i64;
    for part in ["clauses", "variables", "covenants"] {
        let sql = format!("SELECT count(*) FROM {part} WHERE workspace_id = {IN_WORKSPACE}");
        assert_eq!(gateway.value(&sql).await, count(part), "{part}");
        assert!(count(part) > 0);
    }
    assert_eq!(document["integrityScore"], "0.9500");
    // Each part that is missing, is too much or is of another kind is found.
    let spoil = |spoil: &dyn Fn(&mut Value)| {
        let mut document = document.clone();
        spoil(&mut document);
        assert!(!validator.is_valid(&document), "{document:#}");
    };
    for part in document.as_object().expect("an object").keys() {
        spoil(&|document| drop(document.as_object_mut().expect("an object").remove(part)));
    }
    spoil(&|document| document["more"] = json!(1));
    spoil(&|document| document["workspace"]["amount"] = json!(5.5));
    spoil(&|document| document["integrityScore"] = json!("0.95"));
    spoil(&|document| document["frozenAt"] = json!("yesterday"));
    spoil(&|document| document["clauses"][0]["type"] = json!("poem"));
    spoil(&|document| document["governance"]["more"] = json!(true));
    spoil(&|document| document["variables"][0]["clauseId"] = json!("7"));
}

#[tokio::test]
async fn publishing_freezes_the_next_version_and_leaves_its_trail() {
    let gateway = Gateway::demo().await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let variables = ready(&gateway).await;
    let workspace = variables["id"].as_str().expect("an id");
    let before = gateway
        .value(&format!("SELECT max(version) FROM golden_record_versions WHERE workspace_id = '{workspace}'"))
        .await
        .as_i64()
        .expect("a version");
    let exported = agent.run(EXPORT, variables.clone()).await.ok();
    assert_eq!(exported["exportGoldenRecord"]["document"]["version"], before);
    assert!(exported["exportGoldenRecord"]["goldenRecord"]["lastExportAt"].is_string());
    // The export has edited the record, so the version seen before it is stale.
    assert_eq!(agent.run(PUBLISH, variables.clone()).await.code(), "CONFLICT");
    let version = &exported["exportGoldenRecord"]["goldenRecord"]["rowVersion"];
    let published = agent.run(PUBLISH, json!({ "id": workspace, "expectedVersion": version })).await.ok();
    let published = &published["publishGoldenRecord"];
    assert_eq!(
        (&published["document"]["version"], &published["version"]["version"]),
        (&json!(before + 1), &json!(before + 1))
    );
    assert_eq!(published["goldenRecord"]["status"], "READY");
    assert_eq!(published["version"]["document"], published["document"]);
    // Names are sorted and nothing needs escaping, so that the canonical form is that of the database's text, without spaces.
    let canonical = serde_json::to_string(&sorted(&published["document"])).expect("JSON");
    assert_eq!(published["hash"], format!("{:x}", Sha256::digest(canonical)));
    assert_eq!(published["version"]["documentHash"], published["hash"]);

    let ready = gateway
        .value(&format!(
            "SELECT count(*) FROM downstream_connectors WHERE workspace_id = '{workspace}' AND status = 'READY'"
        ))
        .await;
    let queued = gateway
        .value(&format!(
            "SELECT count(*) FROM connector_deliveries WHERE status = 'pending' AND version_id = '{}'",
            published["version"]["id"].as_str().expect("an id")
        ))
        .await;
    assert!(ready != 0 && ready == queued, "{ready} connectors, {queued} deliveries");

    let trail = gateway
        .rows(&format!(
            "SELECT id, event_type, target_type, reason, before_state, after_state FROM audit_events
              WHERE workspace_id = '{workspace}' ORDER BY timestamp DESC, id DESC LIMIT 2"
        ))
        .await;
    assert_eq!((&trail[0]["event_type"], &trail[1]["event_type"]), (&json!("PUBLISH"), &json!("EXPORT_JSON")));
    assert_eq!((&trail[0]["reason"], &trail[0]["target_type"]), (&json!("Signing"), &json!("golden_record")));
    assert_eq!(trail[0]["after_state"]["documentHash"], published["hash"]);
    assert_eq!(trail[0]["after_state"]["version"], before + 1);
    assert_eq!(trail[1]["after_state"]["documentHash"], exported["exportGoldenRecord"]["hash"]);
    let frozen = trail[0]["after_state"]["schemaJson"].as_str().expect("the hash in place of the document");
    assert_eq!(json!(frozen), json!(format!("sha256:{}", published["hash"].as_str().expect("a hash"))));
    let events = gateway
        .rows(&format!(
            "SELECT topic, kind FROM event_outbox WHERE workspace_id = '{workspace}' AND transaction_id =
               (SELECT transaction_id FROM event_outbox WHERE aggregate_id = '{}')",
            trail[0]["id"].as_str().expect("an id")
        ))
        .await;
    for topic in ["golden_record", "connector", "audit"] {
        assert!(events.iter().any(|event| event["topic"] == topic), "{topic}: {events:?}");
    }
    // Investors see that it was published, and the version itself.
    let investor = gateway.sign_in("investor@castlebrook-investors.example", "castlebrook-investors").await;
    let query = format!(
        "{{ workspace(id: \"{workspace}\") {{ goldenRecordVersions(first: 1) {{ nodes {{ version }} }}
             auditEvents(first: 1) {{ nodes {{ eventType }} }} }} }}"
    );
    let seen = &investor.data(&query).await["workspace"];
    assert_eq!(seen["goldenRecordVersions"]["nodes"][0]["version"], before + 1);
    assert_eq!(seen["auditEvents"]["nodes"][0]["eventType"], "PUBLISH");
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut names: Vec<_> = entries.keys().collect();
            names.sort();
            Value::Object(names.into_iter().map(|name| (name.clone(), sorted(&entries[name]))).collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn what_is_not_ready_is_not_published() {
    let gateway = Gateway::demo().await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let variables = ready(&gateway).await;
    let workspace = variables["id"].as_str().expect("an id");
    let versions = format!("SELECT count(*) FROM golden_record_versions WHERE workspace_id = '{workspace}'");
    let before = gateway.value(&versions).await;

    gateway
        .execute(&format!("UPDATE graph_state SET integrity_score = 0.8999 WHERE workspace_id = '{workspace}'"))
        .await;
    let low = agent.run(PUBLISH, variables.clone()).await;
    assert_eq!(low.code(), "PRECONDITION_FAILED");
    let message = low.body["errors"][0]["message"].as_str().expect("a message");
    assert!(message.contains("0.8999") && message.contains("0.90"), "{message}");

    gateway.execute(&format!("UPDATE graph_state SET integrity_score = 0.90 WHERE workspace_id = '{workspace}'")).await;
    gateway
        .execute(&format!(
            "UPDATE drift_items SET status = 'unresolved', severity = 'HIGH', approved_by = NULL, approved_at = NULL, approval_reason = NULL
              WHERE id = (SELECT id FROM drift_items WHERE workspace_id = '{workspace}' LIMIT 1)"
        ))
        .await;
    let blocked = agent.run(PUBLISH, variables.clone()).await;
    assert_eq!(blocked.code(), "GOVERNANCE_BLOCKED", "{:#}", blocked.body);
    assert_eq!(blocked.body["errors"][0]["extensions"]["rule"], "publishBlockedWhenHighDrift");
    let refusal = gateway
        .rows("SELECT details FROM audit_logs WHERE action = 'GOVERNANCE_BLOCKED' ORDER BY timestamp DESC LIMIT 1")
        .await;
    assert_eq!(refusal[0]["details"]["attempted"], "PUBLISH");
    assert_eq!(gateway.value(&versions).await, before);

    // Exporting is not gated, and says how things stand.
    let exported = agent.run(EXPORT, variables.clone()).await.ok();
    let exported = &exported["exportGoldenRecord"];
    assert_eq!(exported["document"]["unresolvedHighDriftCount"], 1);
    assert_eq!(exported["goldenRecord"]["status"], "IN_REVIEW");

    // With the rule off HIGH drift alone does not block.
    gateway
        .execute(&format!(
            "UPDATE workspaces SET governance_rules = '{{\"publishBlockedWhenHighDrift\": false}}' WHERE id = '{workspace}'"
        ))
        .await;
    let version = &exported["goldenRecord"]["rowVersion"];
    let published = agent.run(PUBLISH, json!({ "id": workspace, "expectedVersion": version })).await.ok();
    assert_eq!(published["publishGoldenRecord"]["goldenRecord"]["status"], "IN_REVIEW");
    assert_eq!(published["publishGoldenRecord"]["document"]["governance"]["publishBlockedWhenHighDrift"], false);
}
