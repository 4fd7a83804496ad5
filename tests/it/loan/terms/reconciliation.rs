//! Markups reconciled with the draft.

use serde_json::{Value, json};

use super::{SharedWorkspace, last_event, topics_since};
use crate::support::{Answer, Gateway};

const ONE: &str = "mutation($id: UUID!, $v: Int!, $reason: String, $category: ReasonCategory) {
    MUTATION(id: $id, expectedVersion: $v, reason: $reason, reasonCategory: $category) {
        decision decisionReason decidedAt decidedByUser { email } targetVariable { value }
        session { totalItems appliedCount rejectedCount pendingCount } } }";
const MANY: &str = "mutation($items: [ReconciliationItemInput!]!, $reason: String) {
    MUTATION(items: $items, reason: $reason) { id totalItems appliedCount rejectedCount pendingCount } }";

/// A new markup of the workspace.
async fn markup(workspace: &SharedWorkspace<'_>) -> String {
    let id = workspace
        .gateway
        .value(&format!(
            "INSERT INTO reconciliation_sessions (workspace_id, file_name, file_type, uploaded_by)
             SELECT '{}', 'Test.docx', 'docx', id FROM users WHERE email = 'legal@harrow-and-lane.example' RETURNING id::text",
            workspace.id
        ))
        .await;
    id.as_str().expect("an id").to_owned()
}

/// What a markup proposes: of a variable, or of the words of a clause.
async fn propose(
    workspace: &SharedWorkspace<'_>,
    session: &str,
    clause: &str,
    variable: Option<&str>,
    from: &str,
    to: &str,
) -> String {
    let variable = variable.map_or("NULL".to_owned(), |id| format!("'{id}'"));
    let id = workspace
        .gateway
        .value(&format!(
            "INSERT INTO reconciliation_items (workspace_id, session_id, incoming_snippet, target_clause_id, target_variable_id,
                confidence, baseline_value, current_value, proposed_value)
             VALUES ('{}', '{session}', 'x', '{clause}', {variable}, 'HIGH', '{from}', '{from}', '{to}') RETURNING id::text",
            workspace.id
        ))
        .await;
    id.as_str().expect("an id").to_owned()
}

async fn decide(workspace: &SharedWorkspace<'_>, mutation: &str, item: &str) -> Answer {
    let version = workspace.version("reconciliation_items", item).await;
    let variables =
        json!({ "id": item, "v": version, "reason": "As agreed on the call", "category": "MARKET_CONDITIONS" });
    workspace.legal.run(&ONE.replace("MUTATION", mutation), variables).await
}

async fn decide_all(workspace: &SharedWorkspace<'_>, mutation: &str, items: &[&str]) -> Answer {
    let mut named = Vec::new();
    for item in items {
        named.push(json!({ "id": item, "expectedVersion": workspace.version("reconciliation_items", item).await }));
    }
    workspace.legal.run(&MANY.replace("MUTATION", mutation), json!({ "items": named, "reason": "As agreed" })).await
}

async fn body(workspace: &SharedWorkspace<'_>, clause: &str) -> Value {
    workspace.gateway.value(&format!("SELECT body FROM clauses WHERE id = '{clause}'")).await
}

#[tokio::test]
async fn what_a_markup_proposes_is_taken_into_the_draft_with_its_drift() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let clause = workspace.clause("financial", true, "The fee is 5 per cent. within 15 per cent. of ten days.").await;
    let variable = workspace.bind(&clause, "Fee", "FINANCIAL", "5%").await;
    let session = markup(&workspace).await;
    let value = propose(&workspace, &session, &clause, Some(&variable), "5.00%", "6%").await;
    let late = propose(&workspace, &session, &clause, Some(&variable), "5%", "7%").await;
    let words = propose(&workspace, &session, &clause, None, "5 per cent.", "6 per cent.").await;
    let missing = propose(&workspace, &session, &clause, None, "twenty days", "ten days").await;
    let twice = propose(&workspace, &session, &clause, None, "per cent.", "%").await;

    let before = last_event(&gateway).await;
    let applied = decide(&workspace, "applyReconciliationItem", &value).await.ok();
    let applied = &applied["applyReconciliationItem"];
    assert_eq!((&applied["decision"], &applied["targetVariable"]["value"]), (&json!("APPLIED"), &json!("6%")));
    assert_eq!(
        applied["session"],
        json!({ "totalItems": 5, "appliedCount": 1, "rejectedCount": 0, "pendingCount": 4 })
    );
    assert_eq!(workspace.items(&variable).await[0]["severity"], "HIGH");
    workspace.is_consistent().await;
    let topics = topics_since(&gateway, &before).await;
    assert_eq!(
        (&topics["reconciliation"], &topics["variable"], &topics["drift"], &topics["graph"]),
        (&json!(1), &json!(1), &json!(1), &json!(1))
    );
    let trail = workspace.trail("RECON_APPLY", &value).await;
    assert_eq!(
        (&trail[0]["before_state"]["decision"], &trail[0]["after_state"]["decision"]),
        (&json!("PENDING"), &json!("APPLIED"))
    );
    assert_eq!(trail[0]["reason_category"], "market_conditions");

    // The draft is not what the markup was made of any more.
    let stale = decide(&workspace, "applyReconciliationItem", &late).await;
    assert_eq!(stale.code(), "PRECONDITION_FAILED");
    assert!(stale.message().contains("has changed since"), "{}", stale.message());
    assert_eq!(
        decide(&workspace, "applyReconciliationItem", &value).await.code(),
        "PRECONDITION_FAILED",
        "decided already"
    );
    let rejected = decide(&workspace, "rejectReconciliationItem", &late).await.ok();
    assert_eq!(rejected["rejectReconciliationItem"]["decision"], "REJECTED");
    assert_eq!(decide(&workspace, "rejectReconciliationItem", &late).await.code(), "PRECONDITION_FAILED");
    assert_eq!(workspace.trail("RECON_REJECT", &late).await.len(), 1);

    decide(&workspace, "applyReconciliationItem", &words).await.ok();
    assert_eq!(body(&workspace, &clause).await, "The fee is 6 per cent. within 15 per cent. of ten days.");
    for item in [&missing, &twice] {
        let answer = decide(&workspace, "applyReconciliationItem", item).await;
        assert_eq!(answer.code(), "PRECONDITION_FAILED", "{:#}", answer.body);
    }
    let session = gateway
        .rows(&format!(
            "SELECT applied_count, rejected_count, pending_count FROM reconciliation_sessions WHERE id = '{session}'"
        ))
        .await;
    assert_eq!(session[0], json!({ "applied_count": 2, "rejected_count": 1, "pending_count": 2 }));
}

#[tokio::test]
async fn a_proposal_is_applied_under_the_rules_of_an_edit() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let clause = workspace.clause("financial", true, "The fee is 5 per cent.").await;
    let variable = workspace.bind(&clause, "Fee", "FINANCIAL", "5%").await;
    let session = markup(&workspace).await;
    let item = propose(&workspace, &session, &clause, Some(&variable), "5%", "6%").await;
    let silent =
        workspace.legal.run(&ONE.replace("MUTATION", "applyReconciliationItem"), json!({ "id": item, "v": 1 })).await;
    assert_eq!(
        (silent.code(), &silent.body["errors"][0]["extensions"]["field"]),
        ("VALIDATION_FAILED", &json!("reason"))
    );
    let stale = workspace
        .legal
        .run(&ONE.replace("MUTATION", "applyReconciliationItem"), json!({ "id": item, "v": 5, "reason": "x" }))
        .await;
    assert_eq!(stale.code(), "CONFLICT");
    gateway.execute(&format!("UPDATE clauses SET is_locked = true, locked_at = now(), locked_by = (SELECT id FROM users WHERE email = 'agent@northgate-bank.example') WHERE id = '{clause}'")).await;
    assert_eq!(decide(&workspace, "applyReconciliationItem", &item).await.code(), "PRECONDITION_FAILED");
    // To turn it down changes no draft.
    decide(&workspace, "rejectReconciliationItem", &item).await.ok();
}

#[tokio::test]
async fn a_batch_is_decided_as_a_whole_or_not_at_all() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let clause = workspace.clause("financial", false, "The fees.").await;
    let session = markup(&workspace).await;
    let mut items = Vec::new();
    for (at, to) in ["6%", "7%", "5.1%"].into_iter().enumerate() {
        let variable = workspace.bind(&clause, &format!("Fee {at}"), "FINANCIAL", "5%").await;
        items.push(propose(&workspace, &session, &clause, Some(&variable), "5%", to).await);
    }
    let gone = workspace.bind(&clause, "Fee 3", "FINANCIAL", "5%").await;
    let changed = propose(&workspace, &session, &clause, Some(&gone), "4%", "6%").await;
    let all: Vec<&str> = items.iter().map(String::as_str).collect();

    let before = last_event(&gateway).await;
    let with_changed: Vec<&str> = all.iter().copied().chain([changed.as_str()]).collect();
    let refused = decide_all(&workspace, "applyReconciliationItems", &with_changed).await;
    assert_eq!(refused.code(), "PRECONDITION_FAILED");
    assert!(refused.message().starts_with("Item 4 of the batch: "), "{}", refused.message());
    let twice = decide_all(&workspace, "applyReconciliationItems", &[all[0], all[0]]).await;
    assert_eq!(
        (twice.code(), &twice.body["errors"][0]["extensions"]["field"]),
        ("VALIDATION_FAILED", &json!("items.1.id"))
    );
    assert_eq!(decide_all(&workspace, "applyReconciliationItems", &[]).await.code(), "VALIDATION_FAILED");
    let other = propose(&workspace, &markup(&workspace).await, &clause, None, "fees", "costs").await;
    let mixed = decide_all(&workspace, "rejectReconciliationItems", &[all[0], &other]).await;
    assert_eq!(
        (mixed.code(), &mixed.body["errors"][0]["extensions"]["field"]),
        ("VALIDATION_FAILED", &json!("items.1.id"))
    );
    assert_eq!(topics_since(&gateway, &before).await, json!({}), "nothing was done");
    assert_eq!(
        gateway
            .value("SELECT count(*) FROM reconciliation_items WHERE decided_at > now() - interval '10 minutes'")
            .await,
        0
    );

    let applied = decide_all(&workspace, "applyReconciliationItems", &all).await.ok();
    assert_eq!(
        applied["applyReconciliationItems"],
        json!({ "id": session, "totalItems": 4, "appliedCount": 3, "rejectedCount": 0, "pendingCount": 1 })
    );
    workspace.is_consistent().await;
    for item in &all {
        let trail = workspace.trail("RECON_APPLY", item).await;
        assert_eq!((trail.len(), &trail[0]["reason"]), (1, &json!("As agreed")), "one audit row for each");
    }
    let topics = topics_since(&gateway, &before).await;
    assert_eq!((&topics["audit"], &topics["drift"], &topics["graph"]), (&json!(3), &json!(3), &json!(1)));
    let rejected = decide_all(&workspace, "rejectReconciliationItems", &[&changed]).await.ok();
    assert_eq!(rejected["rejectReconciliationItems"]["rejectedCount"], 1);
}
