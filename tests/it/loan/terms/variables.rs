//! Binding, editing and unbinding terms.

use serde_json::json;

use super::{BIND, EDIT, SharedWorkspace, last_event, topics_since};
use crate::support::Gateway;

#[tokio::test]
async fn a_value_that_leaves_the_baseline_drifts_until_it_says_the_same_again() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let clause = workspace.clause("covenant", false, "The ratio.").await;
    // The clause has come behind the graph's back.
    workspace
        .agent
        .run("mutation($w: UUID!) { syncGraph(workspaceId: $w) { clausesRead } }", json!({ "w": workspace.id }))
        .await
        .ok();
    let variable = workspace.bind(&clause, "Test Ratio", "RATIO", "4.50:1.00").await;
    workspace.is_consistent().await;
    assert!(workspace.items(&variable).await.is_empty());
    assert_eq!(workspace.node(&variable).await["value"], "4.50:1.00");

    let before = last_event(&gateway).await;
    let edited = workspace.edit(&workspace.legal, &variable, "4.60:1.00").await.ok();
    assert_eq!(edited["editVariable"]["lastModifiedByUser"]["email"], "legal@harrow-and-lane.example");
    assert_eq!(topics_since(&gateway, &before).await["graph"], 1, "one event for the graph, however many nodes");
    assert_eq!(topics_since(&gateway, &before).await["drift"], 1);
    let items = workspace.items(&variable).await;
    let item = &items[0];
    assert_eq!(
        (&item["severity"], &item["baseline_value"], &item["current_value"]),
        (&json!("LOW"), &json!("4.50:1.00"), &json!("4.60:1.00"))
    );
    assert_eq!((&item["type"], &item["title"]), (&json!("covenant"), &json!("Test Ratio differs from the baseline")));
    workspace.is_consistent().await;
    let node = workspace.node(&variable).await;
    assert_eq!((&node["value"], &node["has_drift"]), (&json!("4.60:1.00"), &json!(true)));

    workspace.edit(&workspace.agent, &variable, "5.00:1.00").await.ok();
    let followed = workspace.items(&variable).await;
    assert_eq!((followed.len(), &followed[0]["id"], &followed[0]["severity"]), (1, &item["id"], &json!("HIGH")));
    assert_ne!(followed[0]["current_modified_by"], item["current_modified_by"]);
    workspace.is_consistent().await;
    let status =
        gateway.value(&format!("SELECT status FROM golden_records WHERE workspace_id = '{}'", workspace.id)).await;
    assert_eq!(status, "IN_REVIEW", "HIGH drift is unresolved");

    // A label is no value: the item is only named anew.
    let version = workspace.version("variables", &variable).await;
    let renamed = json!({ "id": variable, "v": version, "input": { "label": "Leverage" } });
    workspace.legal.run(EDIT, renamed).await.ok();
    let items = workspace.items(&variable).await;
    assert_eq!(
        (&items[0]["title"], &items[0]["current_modified_by"]),
        (&json!("Leverage differs from the baseline"), &followed[0]["current_modified_by"])
    );

    // The same in other words.
    workspace.edit(&workspace.legal, &variable, "4.5x").await.ok();
    assert!(workspace.items(&variable).await.is_empty());
    workspace.is_consistent().await;
    assert_eq!(workspace.node(&variable).await["has_drift"], false);

    let trail = workspace.trail("VARIABLE_EDIT", &variable).await;
    assert_eq!(trail.len(), 4);
    let last = &trail[3];
    assert_eq!(
        (&last["before_state"]["value"], &last["after_state"]["value"], &last["reason"]),
        (&json!("5.00:1.00"), &json!("4.5x"), &json!("Test"))
    );
    let also = last["after_state"]["also"].as_array().expect("other rows");
    let gone = also.iter().find(|also| also["type"] == "drift_item").expect("the item");
    assert_eq!((&gone["what"], &gone["before"]["severity"]), (&json!("deleted"), &json!("HIGH")));
    assert!(
        also.iter().any(|also| also["type"] == "graph_state" && also["after"]["integrityScore"].is_string()),
        "{also:#?}"
    );

    // Nothing changed is no edit.
    let before = last_event(&gateway).await;
    workspace.edit(&workspace.legal, &variable, "4.5x").await.ok();
    assert_eq!(topics_since(&gateway, &before).await, json!({}));
    assert_eq!(workspace.trail("VARIABLE_EDIT", &variable).await.len(), 4);
}

#[tokio::test]
async fn an_edit_is_refused_where_a_rule_says_so() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let clause = workspace.clause("definition", true, "\"Margin\" means 3.25 per cent.").await;
    let variable = workspace.bind(&clause, "Margin", "FINANCIAL", "3.25%").await;
    let version = workspace.version("variables", &variable).await;
    let edit = |input: serde_json::Value, reason: &str| json!({ "id": variable, "v": version, "input": input, "reason": reason });

    let field = |answer: &crate::support::Answer| answer.body["errors"][0]["extensions"]["field"].clone();
    let silent = workspace.legal.run(EDIT, edit(json!({ "value": "3.30%" }), " ")).await;
    assert_eq!((silent.code(), field(&silent)), ("VALIDATION_FAILED", json!("reason")));
    for (input, wrong) in [
        (json!({ "value": " " }), "input.value"),
        (json!({ "label": "x".repeat(256) }), "input.label"),
        (json!({ "unit": "x".repeat(21) }), "input.unit"),
    ] {
        let answer = workspace.legal.run(EDIT, edit(input, "Test")).await;
        assert_eq!((answer.code(), field(&answer)), ("VALIDATION_FAILED", json!(wrong)));
    }
    let stale = workspace
        .legal
        .run(EDIT, json!({ "id": variable, "v": 77, "input": { "value": "3.30%" }, "reason": "Test" }))
        .await;
    assert_eq!((stale.code(), &stale.body["errors"][0]["extensions"]["currentVersion"]), ("CONFLICT", &version));

    gateway.execute(&format!("UPDATE clauses SET is_locked = true, locked_at = now(), locked_by = (SELECT id FROM users WHERE email = 'agent@northgate-bank.example') WHERE id = '{clause}'")).await;
    for answer in [
        workspace.edit(&workspace.legal, &variable, "3.30%").await,
        workspace.legal.run("mutation($id: UUID!, $v: Int!) { unbindVariable(id: $id, expectedVersion: $v, reason: \"Test\") }", json!({ "id": variable, "v": version })).await,
        workspace.legal.run(BIND, json!({ "clauseId": clause, "reason": "Test", "input": { "label": "Fee", "type": "FINANCIAL", "value": "1%" } })).await,
    ] {
        assert_eq!(answer.code(), "PRECONDITION_FAILED", "{:#}", answer.body);
        assert!(answer.message().contains("locked by"), "{}", answer.message());
    }
    workspace.edit(&workspace.agent, &variable, "3.30%").await.ok();
    gateway
        .execute(&format!(
            "UPDATE clauses SET is_locked = false, locked_at = NULL, locked_by = NULL WHERE id = '{clause}'"
        ))
        .await;

    workspace.rule("externalCounselReadOnly", true).await;
    let counsel = workspace.edit(&workspace.legal, &variable, "3.35%").await;
    assert_eq!(
        (counsel.code(), &counsel.body["errors"][0]["extensions"]["rule"]),
        ("GOVERNANCE_BLOCKED", &json!("externalCounselReadOnly"))
    );
    workspace.rule("externalCounselReadOnly", false).await;

    workspace.rule("definitionsLockedAfterApproval", true).await;
    let item = workspace.open(&variable).await;
    workspace.settle(&workspace.risk, "approveDrift", &item, "Fine").await.ok();
    let approved = workspace.edit(&workspace.agent, &variable, "3.40%").await;
    assert_eq!(
        (approved.code(), &approved.body["errors"][0]["extensions"]["rule"]),
        ("GOVERNANCE_BLOCKED", &json!("definitionsLockedAfterApproval"))
    );
    let refused = gateway.value("SELECT count(*) FROM audit_logs WHERE action = 'GOVERNANCE_BLOCKED'").await;
    assert_eq!(refused, 2);
}

#[tokio::test]
async fn what_is_bound_is_in_the_graph_and_what_is_unbound_is_not() {
    let gateway = Gateway::demo().await;
    let workspace = SharedWorkspace::of(&gateway).await;
    let clause = workspace.clause("financial", false, "The fees.").await;
    let sync = async || {
        let sync = "mutation($w: UUID!) { syncGraph(workspaceId: $w) { clausesRead
            added { nodes edges warnings } changed { nodes edges warnings } removed { nodes edges warnings } } }";
        workspace.agent.run(sync, json!({ "w": workspace.id })).await.ok()["syncGraph"].clone()
    };
    sync().await;
    let mut bound = Vec::new();
    for (label, value) in [("First Fee", "1%"), ("Second Fee", "2%"), ("Third Fee", "3%")] {
        bound.push(workspace.bind(&clause, label, "FINANCIAL", value).await);
    }
    let nothing = json!({ "nodes": 0, "edges": 0, "warnings": 0 });
    let same = json!({ "clausesRead": 0, "added": nothing, "changed": nothing, "removed": nothing });
    assert_eq!(sync().await, same, "binding does what the synchronization would");
    let edges = |id: &str| {
        format!(
            "SELECT count(*) FROM graph_edges e JOIN graph_nodes n ON n.id IN (e.source_id, e.target_id) WHERE n.variable_id = '{id}'"
        )
    };
    assert_eq!(gateway.value(&edges(&bound[1])).await, 3, "to its clause, from the one before, to the one after");

    workspace.edit(&workspace.legal, &bound[1], "9%").await.ok();
    let item = workspace.open(&bound[1]).await;
    workspace.settle(&workspace.agent, "revertDrift", &item, "Not agreed").await.ok();
    workspace.edit(&workspace.legal, &bound[1], "8%").await.ok();
    let open = workspace.open(&bound[1]).await;
    let version = workspace.version("variables", &bound[1]).await;
    let unbind = "mutation($id: UUID!, $v: Int!) { unbindVariable(id: $id, expectedVersion: $v, reason: \"Not agreed\", reasonCategory: LEGAL_REQUIREMENT) }";
    let unbound = workspace.legal.run(unbind, json!({ "id": bound[1], "v": version })).await.ok();
    assert_eq!(unbound["unbindVariable"], json!(bound[1]));
    workspace.is_consistent().await;
    assert_eq!(sync().await, same, "unbinding does what the synchronization would");
    let left = gateway
        .rows(&format!("SELECT status::text, variable_id FROM drift_items WHERE id IN ('{item}', '{open}')"))
        .await;
    assert_eq!(left, [json!({ "status": "reverted", "variable_id": null })], "what was settled stays");
    assert_eq!(gateway.value(&edges(&bound[2])).await, 2, "to its clause, and from the one that is now before it");
    let trail = workspace.trail("VARIABLE_BIND", &bound[1]).await;
    assert_eq!(trail[0]["after_state"]["label"], "Second Fee");
    assert_eq!(
        (&trail[1]["before_state"]["value"], &trail[1]["reason_category"]),
        (&json!("8%"), &json!("legal_requirement"))
    );

    // A value that is bound with another baseline drifts from the start; without one there is nothing to drift from.
    let bind = async |baseline: serde_json::Value| {
        let input = json!({ "label": "Late Fee", "type": "FINANCIAL", "value": "USD 12m", "baselineValue": baseline });
        let bound = workspace.legal.run(BIND, json!({ "clauseId": clause, "input": input })).await.ok();
        workspace.items(bound["bindVariable"]["id"].as_str().expect("an id")).await
    };
    assert_eq!(bind(json!("USD 10m")).await[0]["severity"], "HIGH");
    assert!(bind(json!(null)).await.is_empty());
    workspace.is_consistent().await;
}
