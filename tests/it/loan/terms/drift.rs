//! Settling drift: overridden, reverted or approved, and by whom.

use serde_json::json;

use super::{SharedWorkspace, last_event, topics_since};
use crate::support::Gateway;

/// A drifting term of a new clause: the variable and its open item.
async fn drifting(workspace: &SharedWorkspace<'_>, sensitive: bool) -> (String, String) {
    let clause = workspace.clause("financial", sensitive, "The margin.").await;
    let variable = workspace.bind(&clause, "Margin", "FINANCIAL", "3.00%").await;
    workspace.edit(&workspace.legal, &variable, "3.20%").await.ok();
    let item = workspace.open(&variable).await;
    (variable, item)
}

#[tokio::test]
async fn an_override_waits_for_risk_and_never_for_the_one_who_asked() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let (variable, item) = drifting(&workspace, true).await;
    let asked = workspace.settle(&workspace.agent2, "overrideDrift", &item, "The borrower insists").await.ok();
    let asked = &asked["overrideDrift"];
    assert_eq!((&asked["status"], &asked["variable"]["baselineValue"]), (&json!("UNRESOLVED"), &json!("3.00%")));
    assert!(asked["overrideRequestedAt"].is_string());
    let trail = workspace.trail("DRIFT_OVERRIDE", &item).await;
    assert_eq!(
        (&trail[0]["after_state"]["overridePending"], &trail[0]["reason"]),
        (&json!(true), &json!("The borrower insists"))
    );
    let again = workspace.settle(&workspace.agent, "overrideDrift", &item, "Me too").await;
    assert_eq!(again.code(), "PRECONDITION_FAILED");
    let seen =
        workspace.investor.run("query($id: UUID!) { driftItem(id: $id) { id } }", json!({ "id": item })).await.ok();
    assert_eq!(seen["driftItem"], json!(null), "investors see what is settled");

    // The one who asked has become a risk member meanwhile.
    workspace.role("agent2@northgate-bank.example", "risk").await;
    let own = workspace.settle(&workspace.agent2, "approveDrift", &item, "I think so too").await;
    assert_eq!(own.code(), "FORBIDDEN", "{:#}", own.body);
    assert!(own.message().contains("you asked for this override"), "{}", own.message());

    let before = last_event(&gateway).await;
    let approved = workspace.settle(&workspace.risk, "approveDrift", &item, "Within appetite").await.ok();
    let approved = &approved["approveDrift"];
    assert_eq!(approved["status"], "OVERRIDDEN");
    assert_eq!(approved["variable"], json!({ "value": "3.20%", "baselineValue": "3.20%" }));
    assert_eq!(
        (&approved["approvalReason"], &approved["overrideRequestedAt"]),
        (&json!("Within appetite"), &json!(null))
    );
    assert_eq!(approved["approvedByUser"]["email"], "risk@northgate-bank.example");
    let topics = topics_since(&gateway, &before).await;
    assert_eq!(
        (&topics["drift"], &topics["variable"], &topics["graph"], &topics["audit"]),
        (&json!(1), &json!(1), &json!(1), &json!(2))
    );
    let (approvals, overrides) =
        (workspace.trail("DRIFT_APPROVE", &item).await, workspace.trail("DRIFT_OVERRIDE", &item).await);
    assert_eq!(approvals[0]["reason"], "Within appetite");
    assert_eq!(
        (&approvals[0]["before_state"]["status"], &approvals[0]["after_state"]["status"]),
        (&json!("UNRESOLVED"), &json!("OVERRIDDEN"))
    );
    assert_eq!((overrides.len(), &overrides[1]["reason"]), (2, &json!("The borrower insists")));
    assert_eq!(overrides[1]["after_state"]["also"][0]["after"]["baselineValue"], "3.20%");
    workspace.is_consistent().await;

    for mutation in ["overrideDrift", "revertDrift"] {
        let late = workspace.settle(&workspace.agent, mutation, &item, "Late").await;
        assert_eq!(late.code(), "PRECONDITION_FAILED", "{mutation}");
    }
    assert_eq!(workspace.settle(&workspace.risk, "approveDrift", &item, "Late").await.code(), "PRECONDITION_FAILED");
    // A later edit is a new matter, measured from the new baseline.
    workspace.edit(&workspace.legal, &variable, "3.00%").await.ok();
    let items = workspace.items(&variable).await;
    assert_eq!(
        (items.len(), &items[1]["baseline_value"], &items[1]["status"]),
        (2, &json!("3.20%"), &json!("unresolved"))
    );
    assert_eq!(items[1]["baseline_approved_at"], items[0]["approved_at"]);
}

#[tokio::test]
async fn an_override_takes_effect_at_once_where_the_rules_let_it() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    workspace.rule("riskApprovalRequiredForOverride", false).await;
    let (_, item) = drifting(&workspace, false).await;
    let done = workspace.settle(&workspace.agent, "overrideDrift", &item, "Agreed").await.ok();
    assert_eq!(done["overrideDrift"]["status"], "OVERRIDDEN");
    assert_eq!(done["overrideDrift"]["variable"]["baselineValue"], "3.20%");
    workspace.is_consistent().await;
    let trail = workspace.trail("DRIFT_OVERRIDE", &item).await;
    assert_eq!((trail.len(), &trail[0]["after_state"]["status"]), (1, &json!("OVERRIDDEN")));
}

#[tokio::test]
async fn another_value_withdraws_an_override_that_waits() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let (variable, item) = drifting(&workspace, false).await;
    workspace.settle(&workspace.agent, "overrideDrift", &item, "Agreed").await.ok();
    workspace.edit(&workspace.legal, &variable, "3.10%").await.ok();
    let items = workspace.items(&variable).await;
    assert_eq!(
        (&items[0]["id"], &items[0]["override_requested_at"], &items[0]["override_reason"]),
        (&json!(item), &json!(null), &json!(null))
    );
    // What risk approves now is the deviation itself.
    let approved = workspace.settle(&workspace.risk, "approveDrift", &item, "Small enough").await.ok();
    assert_eq!(approved["approveDrift"]["status"], "APPROVED");
    assert_eq!(approved["approveDrift"]["variable"], json!({ "value": "3.10%", "baselineValue": "3.00%" }));
    assert!(workspace.trail("DRIFT_OVERRIDE", &item).await.len() == 1, "asked for, and never done");
    workspace.is_consistent().await;
    // Spelled anew it stays accepted; another value is a new matter.
    workspace.edit(&workspace.legal, &variable, "310 bps").await.ok();
    assert_eq!(workspace.items(&variable).await.len(), 1);
    workspace.edit(&workspace.legal, &variable, "3.15%").await.ok();
    assert_eq!(workspace.items(&variable).await.len(), 2);
}

#[tokio::test]
async fn nobody_accepts_a_deviation_of_their_own() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let (variable, item) = drifting(&workspace, false).await;
    workspace.edit(&workspace.agent2, &variable, "3.30%").await.ok();
    workspace.role("agent2@northgate-bank.example", "risk").await;
    let denials = "SELECT count(*) FROM audit_logs WHERE action = 'PERMISSION_DENIED' AND details ->> 'attempted' = 'DRIFT_APPROVE'";
    let before = gateway.value(denials).await.as_i64().expect("a number");
    let own = workspace.settle(&workspace.agent2, "approveDrift", &item, "Fine").await;
    assert_eq!(own.code(), "FORBIDDEN");
    assert_eq!(own.body["errors"][0]["extensions"]["permission"], "drift:approve");
    assert_eq!(gateway.value(denials).await, before + 1);
    workspace.settle(&workspace.risk, "approveDrift", &item, "Fine").await.ok();
}

/// Who only spells a value anew has neither drafted it nor withdrawn what was asked for it.
#[tokio::test]
async fn a_value_spelled_anew_stays_the_draft_of_whoever_set_it() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let (variable, item) = drifting(&workspace, false).await;
    workspace.edit(&workspace.agent2, &variable, "9%").await.ok();
    workspace.settle(&workspace.agent, "overrideDrift", &item, "Agreed").await.ok();
    workspace.edit(&workspace.legal, &variable, "900 bps").await.ok();
    let items = workspace.items(&variable).await;
    assert_eq!((&items[0]["current_value"], items[0]["override_requested_at"].is_null()), (&json!("900 bps"), false));
    let drafted =
        format!("SELECT u.email FROM drift_items d JOIN users u ON u.id = d.current_modified_by WHERE d.id = '{item}'");
    assert_eq!(gateway.value(&drafted).await, "agent2@northgate-bank.example");
    gateway.execute(&format!("UPDATE drift_items SET override_requested_at = NULL, override_requested_by = NULL, override_reason = NULL, override_category = NULL WHERE id = '{item}'")).await;
    workspace.role("agent2@northgate-bank.example", "risk").await;
    assert_eq!(workspace.settle(&workspace.agent2, "approveDrift", &item, "Fine").await.code(), "FORBIDDEN");
    workspace.settle(&workspace.risk, "approveDrift", &item, "Fine").await.ok();
}

#[tokio::test]
async fn a_draft_goes_back_to_its_baseline() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let (variable, item) = drifting(&workspace, true).await;
    let blank = workspace.settle(&workspace.agent, "revertDrift", &item, "  ").await;
    assert_eq!(
        (blank.code(), &blank.body["errors"][0]["extensions"]["field"]),
        ("VALIDATION_FAILED", &json!("reason"))
    );
    let stale =
        workspace.settle_for(&workspace.agent, "revertDrift", json!({ "id": item, "v": 9, "reason": "No" })).await;
    assert_eq!(stale.code(), "CONFLICT");
    workspace.rule("legalCanRevertDraft", false).await;
    let counsel = workspace.settle(&workspace.legal, "revertDrift", &item, "Not agreed").await;
    assert_eq!(
        (counsel.code(), &counsel.body["errors"][0]["extensions"]["permission"]),
        ("FORBIDDEN", &json!("drift:revert"))
    );
    workspace.rule("legalCanRevertDraft", true).await;
    gateway
        .execute(&format!(
            "UPDATE clauses SET is_locked = true, locked_at = now(), locked_by = (SELECT id FROM users WHERE email = 'agent@northgate-bank.example')
              WHERE id = (SELECT clause_id FROM variables WHERE id = '{variable}')"
        ))
        .await;
    assert_eq!(
        workspace.settle(&workspace.legal, "revertDrift", &item, "Not agreed").await.code(),
        "PRECONDITION_FAILED"
    );
    gateway.execute("UPDATE clauses SET is_locked = false, locked_at = NULL, locked_by = NULL").await;
    let reverted = workspace.settle(&workspace.legal, "revertDrift", &item, "Not agreed").await.ok();
    assert_eq!(reverted["revertDrift"]["status"], "REVERTED");
    assert_eq!(reverted["revertDrift"]["variable"], json!({ "value": "3.00%", "baselineValue": "3.00%" }));
    assert_eq!(workspace.items(&variable).await.len(), 1, "the item is kept as reverted");
    let trail = workspace.trail("DRIFT_REVERT", &item).await;
    assert_eq!(trail[0]["after_state"]["also"][0]["after"]["value"], "3.00%");
    workspace.is_consistent().await;
}

#[tokio::test]
async fn words_of_a_clause_go_back_too() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let clause = workspace.clause("general", false, "Notices reach London and Edinburgh within 5 days.").await;
    let item = async |baseline: &str, current: &str| {
        let item = gateway
            .value(&format!(
                "INSERT INTO drift_items (workspace_id, clause_id, title, type, severity, baseline_value, baseline_approved_at, current_value,
                    current_modified_at, current_modified_by)
                 SELECT workspace_id, id, 'Notices', 'general', 'MEDIUM', '{baseline}', now(), '{current}', now(), last_modified_by
                   FROM clauses WHERE id = '{clause}' RETURNING id::text"
            ))
            .await;
        item.as_str().expect("an id").to_owned()
    };
    let lost = workspace.settle(&workspace.agent, "revertDrift", &item("Paris", "Rome").await, "Not agreed").await;
    assert_eq!(lost.code(), "PRECONDITION_FAILED", "{:#}", lost.body);
    workspace
        .settle(&workspace.agent, "revertDrift", &item("London", "London and Edinburgh").await, "Not agreed")
        .await
        .ok();
    let body = gateway.value(&format!("SELECT body FROM clauses WHERE id = '{clause}'")).await;
    assert_eq!(body, "Notices reach London within 5 days.");
}

#[tokio::test]
async fn every_kind_of_reason_is_kept_with_the_item_and_in_the_trail() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let kinds = ["BORROWER_REQUEST", "MARKET_CONDITIONS", "CREDIT_UPDATE", "LEGAL_REQUIREMENT", "OTHER"];
    for (at, kind) in kinds.into_iter().enumerate() {
        let (_, item) = drifting(&workspace, false).await;
        let version = workspace.version("drift_items", &item).await;
        let (user, mutation) =
            if at % 2 == 0 { (&workspace.risk, "approveDrift") } else { (&workspace.agent, "revertDrift") };
        let variables = json!({ "id": item, "v": version, "reason": "For a reason", "category": kind });
        let settled = workspace.settle_for(user, mutation, variables).await.ok();
        assert_eq!(settled[mutation]["reasonCategory"], kind);
        let event = if at % 2 == 0 { "DRIFT_APPROVE" } else { "DRIFT_REVERT" };
        assert_eq!(workspace.trail(event, &item).await[0]["reason_category"], kind.to_lowercase());
    }
}
