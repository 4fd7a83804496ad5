//! Connectors: added, configured, disconnected, and failed deliveries sent again.

use serde_json::{Value, json};

use crate::{
    loan::golden,
    mutations::{Case, IN_WORKSPACE, May, by_sql},
    support::{Gateway, User},
};

const ADMINS: May = May::Workspace(&["agent"]);

/// A connector that is set up but receives nothing, and a delivery to it that failed.
pub const FRESH: &str = "INSERT INTO downstream_connectors (workspace_id, name, type, status, url, encrypted_secret) \
       VALUES (IN_WORKSPACE, 'Test', 'LoanIQ', 'READY', 'https://loans.example/records', '\\x01'); \
     INSERT INTO connector_deliveries (workspace_id, connector_id, version_id, status, attempts, last_error) \
       SELECT k.workspace_id, k.id, v.id, 'failed', 8, 'It is down.' FROM downstream_connectors k \
         JOIN golden_record_versions v ON v.workspace_id = k.workspace_id AND v.version = 1 WHERE k.name = 'Test' \
         ORDER BY k.created_at DESC LIMIT 1; \
     SELECT k.id, k.row_version AS \"expectedVersion\", k.workspace_id AS workspace, d.id AS delivery \
       FROM downstream_connectors k JOIN connector_deliveries d ON d.connector_id = k.id \
      WHERE k.name = 'Test' ORDER BY k.created_at DESC LIMIT 1";

macro_rules! fresh {
    ($mutation:literal, $may:expr, $operation:expr) => {
        Case {
            mutation: $mutation,
            operation: $operation,
            may: $may,
            prepare: |gateway, user| by_sql(gateway, user, &FRESH.replace("IN_WORKSPACE", IN_WORKSPACE)),
        }
    };
}

pub fn cases() -> Vec<Case> {
    vec![
        fresh!(
            "addConnector",
            ADMINS,
            "mutation($workspace: UUID!) { addConnector(workspaceId: $workspace, input: { name: \"New\", type: ALLVUE,
                url: \"https://funds.example/records\", secret: \"sixteen-characters\", enabled: true }) { status url } }"
        ),
        fresh!(
            "configureConnector",
            ADMINS,
            "mutation($id: UUID!, $expectedVersion: Int!) { configureConnector(id: $id, expectedVersion: $expectedVersion,
                input: { url: \"https://elsewhere.example/records\" }) { url } }"
        ),
        fresh!(
            "disconnectConnector",
            ADMINS,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                disconnectConnector(id: $id, expectedVersion: $expectedVersion, reason: \"Moved\") { status } }"
        ),
        fresh!(
            "redeliver",
            May::Workspace(&["agent", "agent, no admin"]),
            "mutation($delivery: UUID!) { redeliver(deliveryId: $delivery) { status nextAttemptAt } }"
        ),
    ]
}

const CONFIGURE: &str = "mutation($id: UUID!, $v: Int!, $input: ConnectorPatch!) {
    configureConnector(id: $id, expectedVersion: $v, input: $input) { id rowVersion status url name } }";

/// Refused: the code, and the field that is at fault.
async fn refused(user: &User<'_>, connector: &Value, input: Value) -> (String, Value) {
    let variables = json!({ "id": connector["id"], "v": connector["rowVersion"], "input": input });
    let answer = user.run(CONFIGURE, variables).await;
    (answer.code().to_owned(), answer.body["errors"][0]["extensions"]["field"].clone())
}

#[tokio::test]
async fn a_connector_goes_where_it_may_and_keeps_its_secret() {
    let gateway = Gateway::demo().await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let workspace = golden::ready(&gateway).await["id"].clone();
    let add = "mutation($workspace: UUID!, $input: ConnectorInput!) {
        addConnector(workspaceId: $workspace, input: $input) { id rowVersion status url } }";
    let input = json!({ "name": "Ledger", "type": "LOAN_IQ" });
    let added = agent.run(add, json!({ "workspace": workspace, "input": input })).await;
    let added = added.ok()["addConnector"].clone();
    assert_eq!((&added["status"], &added["url"]), (&json!("IN_REVIEW"), &json!(null)));

    let bad = |field: &str| ("VALIDATION_FAILED".to_owned(), json!(field));
    for url in [
        "loans.example/records",
        "ftp://loans.example/",
        "http://loans.example/",
        "http://10.0.0.7/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/",
        "https://u:p@loans.example/",
    ] {
        assert_eq!(refused(&agent, &added, json!({ "url": url })).await, bad("input.url"), "{url}");
    }
    assert_eq!(refused(&agent, &added, json!({ "secret": "short" })).await, bad("input.secret"));
    assert_eq!(refused(&agent, &added, json!({ "enabled": true })).await, bad("input.url"));
    let url = "https://loans.example/records";
    assert_eq!(refused(&agent, &added, json!({ "enabled": true, "url": url })).await, bad("input.secret"));
    let stale = json!({ "id": added["id"], "rowVersion": 7 });
    assert_eq!(refused(&agent, &stale, json!({ "name": "Other" })).await.0, "CONFLICT");

    let secret = "the-secret-of-the-ledger";
    let variables = json!({ "id": added["id"], "v": added["rowVersion"], "input": { "url": url, "secret": secret, "enabled": true } });
    let configured = agent.run(CONFIGURE, variables).await.ok()["configureConnector"].clone();
    assert_eq!((&configured["status"], &configured["url"]), (&json!("READY"), &json!(url)));
    // Without its secret it could not be READY any more.
    assert_eq!(refused(&agent, &configured, json!({ "secret": null })).await, bad("input.secret"));

    let id = configured["id"].as_str().expect("an id");
    let kept = format!("SELECT encode(encrypted_secret, 'escape') FROM downstream_connectors WHERE id = '{id}'");
    assert!(!gateway.value(&kept).await.as_str().expect("bytes").contains(secret));
    let trail = gateway
        .rows(&format!(
            "SELECT event_type, before_state, after_state FROM audit_events WHERE target_id = '{id}' ORDER BY timestamp"
        ))
        .await;
    assert_eq!(trail.len(), 2);
    assert_eq!(trail[1]["after_state"]["encryptedSecret"], "(secret)");
    assert_eq!(
        (&trail[1]["before_state"]["status"], &trail[1]["after_state"]["status"]),
        (&json!("IN_REVIEW"), &json!("READY"))
    );
    assert!(!trail[1].to_string().contains(secret));
    // Investors know of the connector, not of its address.
    let investor = gateway.sign_in("investor@castlebrook-investors.example", "castlebrook-investors").await;
    let seen = investor.data(&format!("{{ downstreamConnector(id: \"{id}\") {{ name url }} }}")).await;
    assert_eq!(seen["downstreamConnector"], json!({ "name": "Ledger", "url": null }));
    // That it takes a delivery is no edit of it.
    gateway.execute(&format!("UPDATE downstream_connectors SET last_sync_at = now() WHERE id = '{id}'")).await;
    let version = gateway.value(&format!("SELECT row_version FROM downstream_connectors WHERE id = '{id}'")).await;
    assert_eq!(version, configured["rowVersion"]);
}

#[tokio::test]
async fn unencrypted_connectors_are_for_whoever_allows_them() {
    let gateway = Gateway::with(&["--allow-insecure-connectors", "true"]).await;
    let agent = gateway.sign_in("agent@northgate-bank.example", "northgate-bank").await;
    let connector = by_sql(&gateway, "", &FRESH.replace("IN_WORKSPACE", IN_WORKSPACE)).await;
    let connector = json!({ "id": connector["id"], "rowVersion": connector["expectedVersion"] });
    let input = json!({ "url": "http://10.0.0.7/records" });
    let variables = json!({ "id": connector["id"], "v": connector["rowVersion"], "input": input });
    let configured = agent.run(CONFIGURE, variables).await.ok();
    assert_eq!(configured["configureConnector"]["url"], "http://10.0.0.7/records");
    let metadata = json!({ "url": "http://169.254.169.254/" });
    let connector = &configured["configureConnector"];
    assert_eq!(refused(&agent, connector, metadata).await.0, "VALIDATION_FAILED");
}
