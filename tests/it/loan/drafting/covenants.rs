//! Covenants of a clause.

use serde_json::json;

use super::{AGENT, COUNSEL, RISK, add, extension, id, join, open, sign_in, trail, version};
use crate::support::Gateway;

const EDIT: &str = "mutation($id: UUID!, $version: Int!, $patch: CovenantPatch!) {
    editCovenant(id: $id, expectedVersion: $version, input: $patch, reason: \"Term sheet\", reasonCategory: CREDIT_UPDATE) {
        id rowVersion threshold name } }";

#[tokio::test]
async fn a_covenant_is_added_edited_and_removed_under_its_clauses_lock() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let workspace = open(&agent, json!(null)).await;
    let (counsel, _) = join(&gateway, &agent, &workspace, COUNSEL, "LEGAL").await;
    let (risk, _) = join(&gateway, &agent, &workspace, RISK, "RISK").await;
    let clause = add(&agent, &workspace, json!({ "type": "COVENANT", "title": "Financial covenants" })).await;
    let added = counsel
        .run(
            "mutation($clause: UUID!) { addCovenant(clauseId: $clause, input: { name: \"Leverage\", testFrequency: \"Quarterly\",
                threshold: \"4.50:1.00\", calculationBasis: \"Total Net Debt to Adjusted EBITDA\" }) {
                id rowVersion clause { id } workspace { id } } }",
            json!({ "clause": clause.0 }),
        )
        .await
        .ok();
    let added = &added["addCovenant"];
    assert_eq!((&added["clause"]["id"], &added["workspace"]["id"]), (&json!(clause.0), &json!(workspace)));
    let (covenant, first) = (id(added), version(added));

    let lower = json!({ "id": covenant, "version": first, "patch": { "threshold": "4.25:1.00" } });
    let refused = risk.run(EDIT, lower.clone()).await;
    assert_eq!((refused.code(), extension(&refused, "permission")), ("FORBIDDEN", &json!("clause:edit")));
    let edited = counsel.run(EDIT, lower.clone()).await.ok();
    assert_eq!(edited["editCovenant"]["threshold"], "4.25:1.00");
    assert_eq!(edited["editCovenant"]["name"], "Leverage");
    let stale = agent.run(EDIT, lower).await;
    assert_eq!(
        (stale.code(), extension(&stale, "currentVersion")),
        ("CONFLICT", &edited["editCovenant"]["rowVersion"])
    );
    let second = version(&edited["editCovenant"]);
    for (patch, field) in [
        (json!({ "name": "" }), "input.name"),
        (json!({ "testFrequency": "x".repeat(101) }), "input.testFrequency"),
        (json!({ "threshold": " " }), "input.threshold"),
        (json!({ "calculationBasis": "" }), "input.calculationBasis"),
    ] {
        let answer = counsel.run(EDIT, json!({ "id": covenant, "version": second, "patch": patch })).await;
        assert_eq!((answer.code(), extension(&answer, "field")), ("VALIDATION_FAILED", &json!(field)));
    }

    let lock = "mutation($id: UUID!, $version: Int!) { lockClause(id: $id, expectedVersion: $version) { rowVersion } }";
    agent.run(lock, json!({ "id": clause.0, "version": clause.1 })).await.ok();
    let remove = "mutation($id: UUID!, $version: Int!) { removeCovenant(id: $id, expectedVersion: $version) }";
    let variables = json!({ "id": covenant, "version": second });
    let edit = json!({ "id": covenant, "version": second, "patch": { "threshold": "9" } });
    assert_eq!(counsel.run(EDIT, edit).await.code(), "PRECONDITION_FAILED");
    assert_eq!(counsel.run(remove, variables.clone()).await.code(), "PRECONDITION_FAILED");
    agent.run(remove, variables.clone()).await.ok();
    assert_eq!(agent.run(remove, variables).await.code(), "NOT_FOUND");

    let events = trail(&gateway, &covenant).await;
    assert!(events.iter().all(|event| event["event_type"] == "CLAUSE_EDIT" && event["target_type"] == "covenant"));
    assert_eq!(events.len(), 3);
    assert_eq!(events[1]["before_state"], json!({ "threshold": "4.50:1.00" }));
    assert_eq!(events[1]["after_state"], json!({ "threshold": "4.25:1.00" }));
    assert_eq!((&events[1]["reason"], &events[1]["reason_category"]), (&json!("Term sheet"), &json!("credit_update")));
    assert_eq!(events[2]["before_state"]["threshold"], "4.25:1.00");
}
