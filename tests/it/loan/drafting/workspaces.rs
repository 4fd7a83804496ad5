//! Opening workspaces and governing them.

use serde_json::{Value, json};

use super::{AGENT, AGENT2, COUNSEL, extension, id, join, open, sign_in, trail, try_add, version};
use crate::support::Gateway;

#[tokio::test]
async fn a_new_workspace_has_its_agent_its_rules_and_everything_that_is_filled_later() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let opened = agent
        .data(
            "mutation { createWorkspace(input: {
                name: \" Revolving facility \", currency: \"EUR\", amount: \"250000000.50\", standard: \"LSTA\",
                basePdfName: \"base.pdf\", governanceRules: { legalCanRevertDraft: true } }) {
                id rowVersion name currency amount standard basePdfName
                governanceRules { legalCanRevertDraft requireReasonForSensitiveEdits externalCounselReadOnly }
                members { nodes { role isAdmin status joinedAt user { email } } }
                goldenRecord { status integrityScore unresolvedHighDriftCount }
                graphState { integrityScore }
                downstreamConnectors { nodes { type status } }
            } }",
        )
        .await;
    let workspace = &opened["createWorkspace"];
    assert_eq!(workspace["name"], "Revolving facility");
    assert_eq!((&workspace["amount"], &workspace["currency"]), (&json!("250000000.50"), &json!("EUR")));
    assert_eq!(
        workspace["governanceRules"],
        json!({ "legalCanRevertDraft": true, "requireReasonForSensitiveEdits": true, "externalCounselReadOnly": false })
    );
    let members = workspace["members"]["nodes"].as_array().expect("members");
    assert_eq!(members.len(), 1);
    assert_eq!(members[0]["user"]["email"], AGENT.0);
    assert_eq!(
        (&members[0]["role"], &members[0]["isAdmin"], &members[0]["status"]),
        (&json!("AGENT"), &json!(true), &json!("ACTIVE"))
    );
    assert_eq!(workspace["goldenRecord"]["status"], "READY", "with nothing in it, nothing is open");
    assert_eq!(workspace["graphState"]["integrityScore"], workspace["goldenRecord"]["integrityScore"]);
    let mut kinds: Vec<&str> = workspace["downstreamConnectors"]["nodes"]
        .as_array()
        .expect("connectors")
        .iter()
        .map(|connector| {
            assert_eq!(connector["status"], "DISCONNECTED");
            connector["type"].as_str().expect("a type")
        })
        .collect();
    kinds.sort_unstable();
    let known = gateway.rows("SELECT unnest(enum_range(NULL::connector_type)) AS kind").await;
    assert_eq!(kinds.len(), known.len(), "one of each: {kinds:?}");
    kinds.dedup();
    assert_eq!(kinds.len(), known.len(), "one of each: {kinds:?}");

    let workspace = id(workspace);
    let events = trail(&gateway, &workspace).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["event_type"], "WORKSPACE_CREATE");
    assert_eq!(events[0]["workspace_id"], workspace.as_str());
    assert_eq!(events[0]["after_state"]["name"], "Revolving facility");
    let kinds: Vec<Value> =
        events[0]["after_state"]["also"].as_array().expect("rows").iter().map(|row| row["type"].clone()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "downstream_connector").count(), known.len());
    let told = gateway
        .value(&format!("SELECT count(*) FROM event_outbox WHERE workspace_id = '{workspace}' AND topic = 'workspace'"))
        .await;
    assert_eq!(told, 2, "the workspace and its first member");

    let colleague = sign_in(&gateway, AGENT2).await;
    let seen = colleague.run("query($id: UUID!) { workspace(id: $id) { id } }", json!({ "id": workspace })).await.ok();
    assert_eq!(seen["workspace"], Value::Null, "who is no member sees nothing of it, also in the same organization");
}

#[tokio::test]
async fn what_is_no_workspace_is_refused_and_nothing_is_opened() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let before = gateway.value("SELECT count(*) FROM workspaces").await;
    for (input, field) in [
        (json!({ "name": "  " }), "input.name"),
        (json!({ "name": "x".repeat(256) }), "input.name"),
        (json!({ "name": "Loan", "currency": "euro" }), "input.currency"),
        (json!({ "name": "Loan", "amount": "-1" }), "input.amount"),
        (json!({ "name": "Loan", "amount": "1.001" }), "input.amount"),
        (json!({ "name": "Loan", "amount": "1000000000000000000" }), "input.amount"),
        (json!({ "name": "Loan", "standard": "" }), "input.standard"),
        (json!({ "name": "Loan", "basePdfName": "x".repeat(256) }), "input.basePdfName"),
    ] {
        let create = "mutation($input: WorkspaceInput!) { createWorkspace(input: $input) { id } }";
        let answer = agent.run(create, json!({ "input": input })).await;
        assert_eq!((answer.code(), extension(&answer, "field")), ("VALIDATION_FAILED", &json!(field)), "{input}");
    }
    // A rule that there is not, written out, in a variable, and in a variable inside.
    for (query, variables) in [
        (
            "mutation { createWorkspace(input: { name: \"Loan\", governanceRules: { legalCanPublish: true } }) { id } }",
            json!({}),
        ),
        (
            "mutation($input: WorkspaceInput!) { createWorkspace(input: $input) { id } }",
            json!({ "input": { "name": "Loan", "governanceRules": { "legalCanPublish": true } } }),
        ),
        (
            "mutation($rules: GovernanceRulesInput) { createWorkspace(input: { name: \"Loan\", governanceRules: $rules }) { id } }",
            json!({ "rules": { "legalCanPublish": null } }),
        ),
    ] {
        let answer = agent.run(query, variables).await;
        assert_eq!(answer.code(), "GRAPHQL_VALIDATION_FAILED", "{query}: {:#}", answer.body);
        assert!(answer.message().contains("legalCanPublish"), "{}", answer.message());
    }
    assert_eq!(gateway.value("SELECT count(*) FROM workspaces").await, before);
}

const GOVERN: &str = "mutation($id: UUID!, $version: Int!, $rules: GovernanceRulesInput!) {
    updateGovernanceRules(workspaceId: $id, expectedVersion: $version, input: $rules, reason: \"Agreed with the lenders\") {
        rowVersion governanceRules { legalCanRevertDraft riskApprovalRequiredForOverride externalCounselReadOnly } } }";

#[tokio::test]
async fn rules_are_changed_one_by_one_by_an_admin_and_hold_from_then_on() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let workspace = open(&agent, json!({ "legalCanRevertDraft": true })).await;
    let (counsel, _) = join(&gateway, &agent, &workspace, COUNSEL, "LEGAL").await;
    let (other, _) = join(&gateway, &agent, &workspace, AGENT2, "AGENT").await;
    try_add(&counsel, &workspace, json!({})).await.ok();

    let rules = json!({ "externalCounselReadOnly": true, "riskApprovalRequiredForOverride": false });
    let variables = json!({ "id": workspace, "version": 1, "rules": rules });
    let refused = other.run(GOVERN, variables.clone()).await;
    assert_eq!((refused.code(), extension(&refused, "permission")), ("FORBIDDEN", &json!("workspace:govern")));
    let changed = agent.run(GOVERN, variables.clone()).await.ok();
    let changed = &changed["updateGovernanceRules"];
    assert_eq!(
        changed["governanceRules"],
        json!({ "legalCanRevertDraft": true, "riskApprovalRequiredForOverride": false, "externalCounselReadOnly": true })
    );
    let stale = agent.run(GOVERN, variables).await;
    assert_eq!((stale.code(), extension(&stale, "currentVersion")), ("CONFLICT", &changed["rowVersion"]));

    let blocked = try_add(&counsel, &workspace, json!({})).await;
    assert_eq!(
        (blocked.code(), extension(&blocked, "rule")),
        ("GOVERNANCE_BLOCKED", &json!("externalCounselReadOnly"))
    );
    let refusals = gateway
        .rows(&format!(
            "SELECT details FROM audit_logs WHERE action = 'GOVERNANCE_BLOCKED' AND resource_id = '{workspace}'"
        ))
        .await;
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0]["details"]["attempted"], "CLAUSE_ADD");

    // Null is the default, and what is as it was leaves nothing behind.
    let variables = json!({ "id": workspace, "version": version(changed),
        "rules": { "legalCanRevertDraft": null, "externalCounselReadOnly": null } });
    let changed = agent.run(GOVERN, variables).await.ok();
    let changed = &changed["updateGovernanceRules"];
    assert_eq!(
        changed["governanceRules"],
        json!({ "legalCanRevertDraft": false, "riskApprovalRequiredForOverride": false, "externalCounselReadOnly": false })
    );
    try_add(&counsel, &workspace, json!({})).await.ok();
    let same = json!({ "id": workspace, "version": version(changed), "rules": { "legalCanRevertDraft": false } });
    let same = agent.run(GOVERN, same).await.ok();
    assert_eq!(same["updateGovernanceRules"]["rowVersion"], changed["rowVersion"]);

    let events = trail(&gateway, &workspace).await;
    let kinds: Vec<_> = events.iter().map(|event| event["event_type"].as_str().expect("a type")).collect();
    assert_eq!(kinds, ["WORKSPACE_CREATE", "GOVERNANCE_UPDATED", "GOVERNANCE_UPDATED"]);
    assert_eq!(events[1]["reason"], "Agreed with the lenders");
    assert_eq!(events[1]["before_state"]["governanceRules"]["externalCounselReadOnly"], false);
    assert_eq!(events[1]["after_state"]["governanceRules"]["externalCounselReadOnly"], true);
    assert_eq!(events[1]["after_state"].as_object().expect("fields").len(), 1, "only what has changed: {}", events[1]);
}
