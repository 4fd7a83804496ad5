//! Compliance controls and their issues.

use serde_json::{Value, json};

use crate::{
    case,
    mutations::{Case, May},
    support::Gateway,
};

const EDITORS: May = May::Organization(&["CFO", "FINANCE_MANAGER", "ADMIN"]);

/// A control, not verified yet.
const CONTROL: &str = "INSERT INTO compliance_controls (organization_id, control_id, framework, category, name, frequency) \
     SELECT id, left(gen_random_uuid()::text, 50), 'SOX', 'Access', 'Test', 'monthly' FROM organizations WHERE slug = 'aether-demo' \
     RETURNING id, row_version AS v";

/// An issue of a control, open.
const ISSUE: &str = "INSERT INTO compliance_issues (control_id, organization_id, description, severity) \
     SELECT c.id, c.organization_id, 'Test', 'high' FROM compliance_controls c JOIN organizations o ON o.id = c.organization_id \
      WHERE o.slug = 'aether-demo' LIMIT 1 \
     RETURNING id, row_version AS v, control_id AS control, \
       (SELECT id FROM users WHERE email = 'analyst@aether-demo.com') AS \"user\"";

pub fn cases() -> Vec<Case> {
    vec![
        case!("createControl", EDITORS, "SELECT left(gen_random_uuid()::text, 50) AS r",
            "mutation($r: String!) { createControl(input: { controlId: $r, framework: \"SOX\", category: \"Access\", name: \"New\",
                frequency: MONTHLY }) { status } }"),
        case!("editControl", EDITORS, CONTROL,
            "mutation($id: UUID!, $v: Int!) { editControl(id: $id, expectedVersion: $v, input: { name: \"Other\" }) { name } }"),
        case!("verifyControl", EDITORS, CONTROL,
            "mutation($id: UUID!, $v: Int!) { verifyControl(id: $id, expectedVersion: $v, status: PASS, evidence: \"Seen\") { status } }"),
        case!("changeControlStatus", EDITORS, CONTROL,
            "mutation($id: UUID!, $v: Int!) {
                changeControlStatus(id: $id, expectedVersion: $v, status: NOT_APPLICABLE, reason: \"Outsourced\") { status } }"),
        case!("raiseIssue", EDITORS, ISSUE,
            "mutation($control: UUID!) { raiseIssue(input: { controlId: $control, description: \"New\", severity: LOW }) { status } }"),
        case!("assignIssue", EDITORS, ISSUE,
            "mutation($id: UUID!, $v: Int!, $user: UUID!) { assignIssue(id: $id, expectedVersion: $v, assignedTo: $user) { status } }"),
        case!("resolveIssue", EDITORS, ISSUE,
            "mutation($id: UUID!, $v: Int!) { resolveIssue(id: $id, expectedVersion: $v, notes: \"Mended\") { status } }"),
        case!("acceptRisk", EDITORS, ISSUE,
            "mutation($id: UUID!, $v: Int!) { acceptRisk(id: $id, expectedVersion: $v, notes: \"Small\") { status } }"),
    ]
}

const CREATE: &str =
    "mutation($owner: UUID) { createControl(input: { controlId: \"SOX-T-1\", framework: \"SOX\", category: \"Access\",
    name: \"Leavers lose access\", frequency: QUARTERLY, ownerId: $owner, evidenceRequired: [\"List of leavers\"] })
    { id rowVersion status lastVerifiedAt owner { email } } }";

const VERIFY: &str =
    "mutation($id: UUID!, $v: Int!, $status: ControlStatus!, $evidence: String!, $issue: FoundIssueInput) {
    verifyControl(id: $id, expectedVersion: $v, status: $status, evidence: $evidence, issue: $issue) {
        rowVersion status lastVerifiedAt nextVerificationAt
        issues { nodes { id rowVersion status severity assignedToUser { email } } } } }";

fn refused(answer: &crate::support::Answer, code: &str, field: &str) {
    assert_eq!(answer.code(), code, "{:#}", answer.body);
    let named = answer.body["errors"][0]["extensions"]["field"].as_str().unwrap_or_default();
    assert_eq!(named, field, "{:#}", answer.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_control_is_verified_and_its_issue_settled() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let analyst = gateway.value("SELECT id FROM users WHERE email = 'analyst@aether-demo.com'").await;
    let elsewhere = gateway
        .value(
            "SELECT u.id FROM users u JOIN organizations o ON o.id = u.organization_id
        WHERE o.slug <> 'aether-demo' LIMIT 1",
        )
        .await;
    refused(&cfo.run(CREATE, json!({ "owner": elsewhere })).await, "VALIDATION_FAILED", "input.ownerId");
    let created = cfo.run(CREATE, json!({ "owner": analyst })).await.ok()["createControl"].take();
    assert_eq!((&created["status"], &created["lastVerifiedAt"]), (&json!("NOT_VERIFIED"), &Value::Null));
    assert_eq!(created["owner"]["email"], "analyst@aether-demo.com");
    assert_eq!(cfo.run(CREATE, json!({})).await.code(), "CONFLICT", "the reference is taken");
    let (id, v) = (&created["id"], &created["rowVersion"]);

    let with =
        |status: &str, evidence: &str, v: &Value| json!({ "id": id, "v": v, "status": status, "evidence": evidence });
    refused(&cfo.run(VERIFY, with("FAIL", " ", v)).await, "VALIDATION_FAILED", "evidence");
    refused(&cfo.run(VERIFY, with("NOT_APPLICABLE", "x", v)).await, "VALIDATION_FAILED", "status");
    let mut failing = with("FAIL", "Two leavers kept access", v);
    failing["issue"] = json!({ "description": "Revoke by hand", "severity": "CRITICAL", "dueDate": "2020-01-01" });
    refused(&cfo.run(VERIFY, failing.clone()).await, "VALIDATION_FAILED", "issue.dueDate");
    failing["issue"] = json!({ "description": "Revoke by hand", "severity": "CRITICAL" });
    let verified = cfo.run(VERIFY, failing).await.ok()["verifyControl"].take();
    assert_eq!(verified["status"], "FAIL");
    let months = gateway
        .value("SELECT (next_verification_at = (last_verified_at AT TIME ZONE 'UTC' + interval '3 months') AT TIME ZONE 'UTC')::text
                  FROM compliance_controls WHERE control_id = 'SOX-T-1'")
        .await;
    assert_eq!(months, "true", "a quarter later");
    let issue = &verified["issues"]["nodes"][0];
    assert_eq!((&issue["status"], &issue["severity"]), (&json!("OPEN"), &json!("CRITICAL")));

    let assign =
        "mutation($id: UUID!, $v: Int!, $user: UUID!) { assignIssue(id: $id, expectedVersion: $v, assignedTo: $user,
        remediationPlan: \"Script it\") { rowVersion status assignedToUser { email } remediationPlan } }";
    let assigned = cfo.run(assign, json!({ "id": issue["id"], "v": issue["rowVersion"], "user": analyst })).await.ok();
    let assigned = &assigned["assignIssue"];
    assert_eq!((&assigned["status"], &assigned["remediationPlan"]), (&json!("IN_PROGRESS"), &json!("Script it")));
    let accept =
        "mutation($id: UUID!, $v: Int!, $notes: String!) { acceptRisk(id: $id, expectedVersion: $v, notes: $notes) {
        rowVersion status resolvedAt resolvedByUser { email } resolutionNotes } }";
    let with = |v: &Value, notes: &str| json!({ "id": issue["id"], "v": v, "notes": notes });
    refused(&cfo.run(accept, with(&assigned["rowVersion"], "")).await, "VALIDATION_FAILED", "notes");
    refused(&cfo.run(accept, with(&issue["rowVersion"], "Small")).await, "CONFLICT", "");
    let accepted = cfo.run(accept, with(&assigned["rowVersion"], "Small")).await.ok()["acceptRisk"].take();
    assert_eq!(accepted["status"], "ACCEPTED_RISK");
    assert_eq!(accepted["resolvedByUser"]["email"], "sarah.chen@aether-demo.com");
    assert!(accepted["resolvedAt"].is_string());
    refused(&cfo.run(accept, with(&accepted["rowVersion"], "Again")).await, "PRECONDITION_FAILED", "");

    let trail = gateway.rows("SELECT action, risk_level, requires_review, details FROM audit_logs WHERE actor_email = 'sarah.chen@aether-demo.com'
        AND action IN ('CONTROL_CREATE', 'CONTROL_VERIFY', 'ISSUE_RAISE', 'ISSUE_ASSIGN', 'ISSUE_ACCEPT_RISK')
        AND timestamp > now() - interval '5 minutes' ORDER BY id").await;
    let actions: Vec<_> = trail.iter().map(|row| row["action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["CONTROL_CREATE", "CONTROL_VERIFY", "ISSUE_RAISE", "ISSUE_ASSIGN", "ISSUE_ACCEPT_RISK"]);
    assert_eq!(trail[1]["details"]["after"]["evidence"], "Two leavers kept access");
    assert_eq!(trail[1]["details"]["before"]["status"], "NOT_VERIFIED");
    assert_eq!((&trail[4]["risk_level"], &trail[4]["requires_review"]), (&json!("high"), &json!(true)));
    assert_eq!(trail[4]["details"]["reason"], "Small");
    let events = gateway.value("SELECT count(*) FROM event_outbox WHERE topic = 'compliance'").await;
    assert_eq!(events, 5, "control and issue, each change once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_control_that_does_not_apply_is_not_verified() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let created = cfo.run(CREATE, json!({})).await.ok()["createControl"].take();
    let change = "mutation($id: UUID!, $v: Int!, $status: ControlStatus!, $reason: String!) {
        changeControlStatus(id: $id, expectedVersion: $v, status: $status, reason: $reason) { rowVersion status nextVerificationAt } }";
    let with = |v: &Value, status: &str, reason: &str| json!({ "id": created["id"], "v": v, "status": status, "reason": reason });
    let v = &created["rowVersion"];
    refused(&cfo.run(change, with(v, "PASS", "I say so")).await, "VALIDATION_FAILED", "status");
    refused(&cfo.run(change, with(v, "NOT_APPLICABLE", "")).await, "VALIDATION_FAILED", "reason");
    refused(&cfo.run(change, with(v, "NOT_VERIFIED", "Again")).await, "PRECONDITION_FAILED", "");
    let changed = cfo.run(change, with(v, "NOT_APPLICABLE", "Outsourced")).await.ok()["changeControlStatus"].take();
    assert_eq!((&changed["status"], &changed["nextVerificationAt"]), (&json!("NOT_APPLICABLE"), &Value::Null));
    let verify = json!({ "id": created["id"], "v": changed["rowVersion"], "status": "PASS", "evidence": "Seen" });
    refused(&cfo.run(VERIFY, verify).await, "PRECONDITION_FAILED", "");
    let edit = "mutation($id: UUID!, $v: Int!) { editControl(id: $id, expectedVersion: $v, input: { name: \"Other\", objective: null,
        nextVerificationAt: \"2020-01-01T00:00:00Z\" }) { id } }";
    let past = cfo.run(edit, json!({ "id": created["id"], "v": changed["rowVersion"] })).await;
    refused(&past, "VALIDATION_FAILED", "input.nextVerificationAt");
}
