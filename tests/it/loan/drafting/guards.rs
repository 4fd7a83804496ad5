//! What stands between a member and the text: locks, reasons for sensitive edits, approved definitions.

use serde_json::{Value, json};

use super::{AGENT, AGENT2, COUNSEL, add, edit, edit_because, extension, join, open, sign_in, trail};
use crate::support::{Gateway, User};

async fn lock(user: &User<'_>, clause: &(String, i64), lock: &str) -> (String, i64) {
    let query = format!(
        "mutation($id: UUID!, $version: Int!) {{ {lock}(id: $id, expectedVersion: $version) {{ id rowVersion }} }}"
    );
    let locked = user.run(&query, json!({ "id": clause.0, "version": clause.1 })).await.ok();
    (clause.0.clone(), super::version(&locked[lock]))
}

/// Everything that changes a clause or what is bound in it: operations, each with the clause's id and version.
const CHANGES: [&str; 5] = [
    "mutation($id: UUID!, $version: Int!, $reason: String) { editClause(id: $id, expectedVersion: $version, reason: $reason, input: { body: \"Changed\" }) { rowVersion } }",
    "mutation($id: UUID!, $version: Int!, $reason: String) { a: editClause(id: $id, expectedVersion: $version, reason: $reason, input: { isSensitive: false, type: GENERAL }) { rowVersion } }",
    "mutation($id: UUID!, $version: Int!, $reason: String) { deleteClause(id: $id, expectedVersion: $version, reason: $reason) }",
    "mutation($id: UUID!, $reason: String) { addCovenant(clauseId: $id, reason: $reason, input: { name: \"Leverage\", testFrequency: \"Quarterly\", threshold: \"4\", calculationBasis: \"Debt\" }) { id } }",
    "mutation($id: UUID!, $version: Int!, $reason: String) { moveClause(id: $id, expectedVersion: $version, position: 1, reason: $reason) { rowVersion } }",
];

#[tokio::test]
async fn a_locked_clause_is_changed_by_nobody_but_its_holder() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let workspace = open(&agent, json!(null)).await;
    let (counsel, _) = join(&gateway, &agent, &workspace, COUNSEL, "LEGAL").await;
    let (other, _) = join(&gateway, &agent, &workspace, AGENT2, "AGENT").await;
    add(&agent, &workspace, json!({ "title": "Before" })).await;
    let clause = add(&agent, &workspace, json!({})).await;
    let clause = lock(&agent, &clause, "lockClause").await;
    let holder = gateway.value(&format!("SELECT name FROM users WHERE email = '{}'", AGENT.0)).await;
    for change in CHANGES {
        let answer = other.run(change, json!({ "id": clause.0, "version": clause.1, "reason": "Mine" })).await;
        assert_eq!(answer.code(), "PRECONDITION_FAILED", "{change}: {:#}", answer.body);
        assert!(answer.message().contains(holder.as_str().expect("a name")), "who holds it: {}", answer.message());
    }
    assert_eq!(edit(&counsel, &clause, json!({ "body": "Mine" })).await.code(), "PRECONDITION_FAILED");
    let edited = edit(&agent, &clause, json!({ "body": "The holder's" })).await.ok();
    let clause = (clause.0, super::version(&edited["editClause"]));
    let clause = lock(&other, &clause, "unlockClause").await;
    edit(&counsel, &clause, json!({ "body": "Counsel's" })).await.ok();
}

#[tokio::test]
async fn a_sensitive_clause_asks_for_a_reason_where_the_rules_do() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    for (asked, rules) in [(true, json!(null)), (false, json!({ "requireReasonForSensitiveEdits": false }))] {
        let workspace = open(&agent, rules).await;
        add(&agent, &workspace, json!({ "title": "Before" })).await;
        for change in &CHANGES[..4] {
            let clause = add(&agent, &workspace, json!({ "isSensitive": true })).await;
            for reason in [json!(null), json!("  ")].iter().filter(|_| asked) {
                let answer = agent.run(change, json!({ "id": clause.0, "version": clause.1, "reason": reason })).await;
                assert_eq!(
                    (answer.code(), extension(&answer, "field")),
                    ("VALIDATION_FAILED", &json!("reason")),
                    "{change}"
                );
                assert!(answer.message().contains("requireReasonForSensitiveEdits"), "{}", answer.message());
            }
            let reason = if asked { json!("The lenders asked for it") } else { Value::Null };
            agent.run(change, json!({ "id": clause.0, "version": clause.1, "reason": reason })).await.ok();
            let events = gateway
                .rows(&format!(
                    "SELECT reason FROM audit_events WHERE workspace_id = '{workspace}' ORDER BY id DESC LIMIT 1"
                ))
                .await;
            assert_eq!(events[0]["reason"], reason);
        }
        // Where it stands is no text.
        let clause = add(&agent, &workspace, json!({ "isSensitive": true })).await;
        agent.run(CHANGES[4], json!({ "id": clause.0, "version": clause.1 })).await.ok();
        let plain = add(&agent, &workspace, json!({})).await;
        edit(&agent, &plain, json!({ "body": "No reason needed" })).await.ok();
    }
}

/// A settled deviation of the clause.
async fn settle(gateway: &Gateway, clause: &str, status: &str) {
    gateway
        .execute(&format!(
            "INSERT INTO drift_items (workspace_id, clause_id, title, type, severity, baseline_value, baseline_approved_at, current_value,
                 current_modified_at, current_modified_by, status, approved_by, approved_at, approval_reason)
             SELECT workspace_id, id, 'Term', 'definition', 'MEDIUM', 'a', now(), 'b', now(), last_modified_by, '{status}', last_modified_by,
                    now(), 'Agreed' FROM clauses WHERE id = '{clause}'"
        ))
        .await;
}

async fn publish(gateway: &Gateway, workspace: &str) {
    gateway
        .execute(&format!(
            "INSERT INTO golden_record_versions (golden_record_id, workspace_id, version, document, document_hash, integrity_score, published_by)
             SELECT g.id, w.id, 1, '{{}}', repeat('0', 64), 1, w.created_by_id FROM golden_records g JOIN workspaces w ON w.id = g.workspace_id
              WHERE w.id = '{workspace}'"
        ))
        .await;
}

#[tokio::test]
async fn an_approved_definition_stays_as_it_is_while_the_rule_is_on() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let workspace = open(&agent, json!(null)).await;
    add(&agent, &workspace, json!({ "title": "Before" })).await;
    let definition = json!({ "title": "Majority Lenders", "type": "DEFINITION" });
    let reason = json!("Asked for");
    for (settled, locks) in [("approved", true), ("overridden", true), ("reverted", false)] {
        let clause = add(&agent, &workspace, definition.clone()).await;
        settle(&gateway, &clause.0, settled).await;
        if !locks {
            edit(&agent, &clause, json!({ "body": "Changed" })).await.ok();
            continue;
        }
        for change in &CHANGES[..4] {
            let answer = agent.run(change, json!({ "id": clause.0, "version": clause.1, "reason": reason })).await;
            assert_eq!(
                (answer.code(), extension(&answer, "rule")),
                ("GOVERNANCE_BLOCKED", &json!("definitionsLockedAfterApproval")),
                "{change}"
            );
        }
        agent.run(CHANGES[4], json!({ "id": clause.0, "version": clause.1 })).await.ok();
    }
    let (definition, other) =
        (add(&agent, &workspace, definition.clone()).await, add(&agent, &workspace, json!({})).await);
    settle(&gateway, &other.0, "approved").await;
    publish(&gateway, &workspace).await;
    edit(&agent, &other, json!({ "body": "No definition" })).await.ok();
    let blocked = edit_because(&agent, &definition, json!({ "body": "Changed" }), reason.clone()).await;
    assert_eq!(blocked.code(), "GOVERNANCE_BLOCKED");
    assert_eq!(trail(&gateway, &definition.0).await.len(), 1, "a refusal is no event of the clause");

    // With the rule off it can be edited, and what is edited has not been approved.
    let govern = "mutation($id: UUID!, $version: Int!, $on: Boolean!) { updateGovernanceRules(workspaceId: $id,
        expectedVersion: $version, input: { definitionsLockedAfterApproval: $on }) { rowVersion } }";
    agent.run(govern, json!({ "id": workspace, "version": 1, "on": false })).await.ok();
    let edited = edit(&agent, &definition, json!({ "body": "Changed" })).await.ok();
    agent.run(govern, json!({ "id": workspace, "version": 2, "on": true })).await.ok();
    let definition = (definition.0, super::version(&edited["editClause"]));
    edit(&agent, &definition, json!({ "body": "Changed again" })).await.ok();
}
