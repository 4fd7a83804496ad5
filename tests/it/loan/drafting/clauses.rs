//! Clauses: added, edited, moved, deleted.

use serde_json::{Value, json};

use super::{AGENT, COUNSEL, add, edit, edit_because, extension, id, join, open, sign_in, trail, try_add, version};
use crate::support::{Answer, Gateway, User};

/// The clauses of a workspace in their order.
async fn titles(user: &User<'_>, workspace: &str) -> Vec<String> {
    let query = "query($id: UUID!) { workspace(id: $id) { clauses { nodes { title orderIndex } } } }";
    let found = user.run(query, json!({ "id": workspace })).await.ok();
    let clauses = found["workspace"]["clauses"]["nodes"].as_array().expect("clauses");
    for (index, clause) in clauses.iter().enumerate() {
        assert_eq!(clause["orderIndex"], index + 1, "{clauses:?}");
    }
    clauses.iter().map(|clause| clause["title"].as_str().expect("a title").to_owned()).collect()
}

async fn move_to(user: &User<'_>, clause: &(String, i64), position: i32) -> Answer {
    let to = "mutation($id: UUID!, $version: Int!, $position: Int!) {
        moveClause(id: $id, expectedVersion: $version, position: $position) { id orderIndex rowVersion } }";
    user.run(to, json!({ "id": clause.0, "version": clause.1, "position": position })).await
}

async fn delete(user: &User<'_>, clause: &(String, i64), reason: &str) -> Answer {
    let delete = "mutation($id: UUID!, $version: Int!, $reason: String) {
        deleteClause(id: $id, expectedVersion: $version, reason: $reason, reasonCategory: LEGAL_REQUIREMENT) }";
    user.run(delete, json!({ "id": clause.0, "version": clause.1, "reason": reason })).await
}

#[tokio::test]
async fn an_edit_leaves_what_was_and_what_is_and_who_and_why() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let workspace = open(&agent, json!(null)).await;
    let (counsel, _) = join(&gateway, &agent, &workspace, COUNSEL, "LEGAL").await;
    let clause = add(&agent, &workspace, json!({})).await;
    let added = trail(&gateway, &clause.0).await;
    assert_eq!(added[0]["event_type"], "CLAUSE_EDIT");
    assert_eq!(added[0]["before_state"], Value::Null);
    assert_eq!(added[0]["after_state"]["body"], "The Margin is 3.25%.");

    let categories = ["BORROWER_REQUEST", "MARKET_CONDITIONS", "CREDIT_UPDATE", "LEGAL_REQUIREMENT", "OTHER"];
    for (round, category) in categories.iter().enumerate() {
        let edit = "mutation($id: UUID!, $version: Int!, $body: String!, $category: ReasonCategory!) {
            editClause(id: $id, expectedVersion: $version, input: { body: $body }, reason: \" As asked \", reasonCategory: $category) {
                rowVersion body title lastModifiedByUser { email } } }";
        let variables =
            json!({ "id": clause.0, "version": round + 1, "body": format!("Text {round}"), "category": category });
        let edited = counsel.run(edit, variables).await.ok();
        let edited = &edited["editClause"];
        assert_eq!((&edited["rowVersion"], &edited["body"]), (&json!(round + 2), &json!(format!("Text {round}"))));
        assert_eq!((&edited["title"], &edited["lastModifiedByUser"]["email"]), (&json!("Margin"), &json!(COUNSEL.0)));
        let events = trail(&gateway, &clause.0).await;
        let last = events.last().expect("an event");
        assert_eq!(events.len(), round + 2);
        assert_eq!((&last["event_type"], &last["reason"]), (&json!("CLAUSE_EDIT"), &json!("As asked")));
        assert_eq!(last["reason_category"], category.to_lowercase());
        assert_eq!(last["after_state"]["body"], format!("Text {round}"));
        let before = if round == 0 { "The Margin is 3.25%.".to_owned() } else { format!("Text {}", round - 1) };
        assert_eq!(last["before_state"]["body"], before);
        assert!(last["before_state"].get("title").is_none(), "only what has changed: {last}");
        for column in ["request_id", "session_id", "ip_address"] {
            assert!(last[column].is_string(), "{column}: {last}");
        }
    }
    let told = gateway
        .rows(&format!("SELECT kind, changed_fields FROM event_outbox WHERE topic = 'clause' AND aggregate_id = '{}' ORDER BY sequence", clause.0))
        .await;
    assert_eq!(told.len(), 6);
    assert_eq!((&told[0]["kind"], &told[5]["kind"]), (&json!("created"), &json!("updated")));
    assert!(told[5]["changed_fields"].as_array().expect("fields").contains(&json!("body")), "{}", told[5]);

    // What says the same leaves nothing behind; what concerns the text only counts as an edit of it.
    let version = 6;
    let same = edit(&agent, &(clause.0.clone(), version), json!({ "body": "Text 4", "title": "Margin" })).await.ok();
    assert_eq!(same["editClause"]["rowVersion"], version);
    assert_eq!(trail(&gateway, &clause.0).await.len(), 6);
    let marked = edit(&agent, &(clause.0.clone(), version), json!({ "isSensitive": true })).await.ok();
    assert_eq!(marked["editClause"]["lastModifiedByUser"]["email"], COUNSEL.0, "the text is still counsel's");
    let stale = edit(&counsel, &(clause.0.clone(), version), json!({ "body": "Lost" })).await;
    assert_eq!((stale.code(), extension(&stale, "currentVersion")), ("CONFLICT", &json!(version + 1)));
    assert_eq!(
        extension(&stale, "changedBy")["name"],
        gateway.value(&format!("SELECT name FROM users WHERE email = '{}'", AGENT.0)).await
    );
}

#[tokio::test]
async fn what_is_no_clause_is_refused_with_the_field() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let workspace = open(&agent, json!(null)).await;
    let clause = add(&agent, &workspace, json!({})).await;
    for (input, field) in [
        (json!({ "title": " " }), "input.title"),
        (json!({ "title": "x".repeat(256) }), "input.title"),
        (json!({ "body": "" }), "input.body"),
        (json!({ "body": "x".repeat(100_001) }), "input.body"),
    ] {
        for answer in [try_add(&agent, &workspace, input.clone()).await, edit(&agent, &clause, input.clone()).await] {
            assert_eq!((answer.code(), extension(&answer, "field")), ("VALIDATION_FAILED", &json!(field)));
        }
    }
    for position in [-1, 0, 3] {
        let answer = try_add(&agent, &workspace, json!({ "position": position })).await;
        assert_eq!((answer.code(), extension(&answer, "field")), ("VALIDATION_FAILED", &json!("input.position")));
    }
    for position in [-1, 0, 2] {
        let answer = move_to(&agent, &clause, position).await;
        assert_eq!((answer.code(), extension(&answer, "field")), ("VALIDATION_FAILED", &json!("position")));
    }
    assert_eq!(titles(&agent, &workspace).await, ["Margin"]);
}

#[tokio::test]
async fn a_moved_clause_is_edited_and_those_that_make_room_are_not() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let workspace = open(&agent, json!(null)).await;
    for title in ["A", "B", "C"] {
        add(&agent, &workspace, json!({ "title": title })).await;
    }
    let first = add(&agent, &workspace, json!({ "title": "First", "position": 1 })).await;
    assert_eq!(titles(&agent, &workspace).await, ["First", "A", "B", "C"]);
    let moved = move_to(&agent, &first, 3).await.ok();
    assert_eq!((&moved["moveClause"]["orderIndex"], version(&moved["moveClause"])), (&json!(3), 2));
    assert_eq!(titles(&agent, &workspace).await, ["A", "B", "First", "C"]);
    let others = gateway
        .rows(&format!("SELECT row_version FROM clauses WHERE workspace_id = '{workspace}' AND title <> 'First'"))
        .await;
    assert!(others.iter().all(|clause| clause["row_version"] == 1), "nobody has edited them: {others:?}");
    let stale = move_to(&agent, &first, 1).await;
    assert_eq!((stale.code(), extension(&stale, "currentVersion")), ("CONFLICT", &json!(2)));
    let stays = move_to(&agent, &(first.0.clone(), 2), 3).await.ok();
    assert_eq!(version(&stays["moveClause"]), 2, "where it is already, nothing is done");

    let events = trail(&gateway, &first.0).await;
    assert_eq!(events.len(), 2, "one audit row for a move: {events:?}");
    assert_eq!(
        (&events[1]["before_state"], &events[1]["after_state"]["orderIndex"]),
        (&json!({ "orderIndex": 1 }), &json!(3))
    );
    assert_eq!(events[1]["after_state"]["clausesMovedAlong"], 2);
    assert!(events[1]["after_state"].get("also").is_none());
}

#[tokio::test]
async fn a_deleted_clause_takes_along_what_is_bound_in_it_and_the_trail_keeps_it() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let workspace = open(&agent, json!(null)).await;
    let (counsel, _) = join(&gateway, &agent, &workspace, COUNSEL, "LEGAL").await;
    let clause = add(&agent, &workspace, json!({ "title": "Covenants", "type": "COVENANT" })).await;
    let rest = add(&agent, &workspace, json!({ "title": "Fees" })).await;
    let user = gateway.value(&format!("SELECT id FROM users WHERE email = '{}'", AGENT.0)).await;
    let (user, gone, kept) = (user.as_str().expect("an id"), &clause.0, &rest.0);
    gateway
        .execute(&format!(
            "INSERT INTO variables (workspace_id, clause_id, label, type, value, baseline_value) VALUES
               ('{workspace}', '{gone}', 'Leverage', 'ratio', '5.00:1.00', '4.00:1.00'), ('{workspace}', '{kept}', 'Fee', 'financial', '1%', '1%');
             INSERT INTO covenants (workspace_id, clause_id, name, test_frequency, threshold, calculation_basis) VALUES
               ('{workspace}', '{gone}', 'Leverage Ratio', 'Quarterly', '5.00:1.00', 'Debt to EBITDA');
             INSERT INTO drift_items (workspace_id, clause_id, variable_id, title, type, severity, baseline_value, baseline_approved_at,
                 current_value, current_modified_at, current_modified_by)
             SELECT '{workspace}', '{gone}', id, 'Leverage', 'covenant', 'HIGH', '4.00:1.00', now(), '5.00:1.00', now(), '{user}'
               FROM variables WHERE clause_id = '{gone}';
             INSERT INTO reconciliation_sessions (workspace_id, file_name, file_type, uploaded_by) VALUES ('{workspace}', 'm.docx', 'docx', '{user}');
             INSERT INTO reconciliation_items (workspace_id, session_id, incoming_snippet, target_clause_id, confidence, baseline_value,
                 current_value, proposed_value)
             SELECT '{workspace}', id, 'not more than 4.5', '{gone}', 'HIGH', '4.00:1.00', '5.00:1.00', '4.50:1.00'
               FROM reconciliation_sessions WHERE workspace_id = '{workspace}';
             INSERT INTO graph_nodes (workspace_id, label, type, clause_id) VALUES
               ('{workspace}', 'Covenants', 'covenant', '{gone}'), ('{workspace}', 'Fees', 'financial', '{kept}');
             INSERT INTO graph_nodes (workspace_id, label, type, clause_id, variable_id, has_drift)
             SELECT '{workspace}', 'Leverage', 'covenant', clause_id, id, true FROM variables WHERE clause_id = '{gone}';
             INSERT INTO graph_edges (workspace_id, source_id, target_id)
             SELECT '{workspace}', a.id, b.id FROM graph_nodes a JOIN graph_nodes b ON b.label = 'Leverage' AND b.workspace_id = a.workspace_id
              WHERE a.workspace_id = '{workspace}' AND a.label <> 'Leverage';
             UPDATE graph_state SET integrity_score = 0.8 WHERE workspace_id = '{workspace}';
             UPDATE golden_records SET integrity_score = 0.8, status = 'IN_REVIEW' WHERE workspace_id = '{workspace}'"
        ))
        .await;
    let count = format!("SELECT unresolved_high_drift_count FROM golden_records WHERE workspace_id = '{workspace}'");
    assert_eq!(gateway.value(&count).await, 1);

    let refused = delete(&counsel, &clause, "Not wanted").await;
    assert_eq!((refused.code(), extension(&refused, "permission")), ("FORBIDDEN", &json!("clause:manage")));
    let deleted = delete(&agent, &clause, "Moved to a side letter").await.ok();
    assert_eq!(deleted["deleteClause"], clause.0.as_str());
    assert_eq!(delete(&agent, &clause, "Again").await.code(), "NOT_FOUND");
    assert_eq!(titles(&agent, &workspace).await, ["Fees"]);
    for (table, left) in [
        ("variables", 1),
        ("covenants", 0),
        ("drift_items", 0),
        ("reconciliation_items", 0),
        ("graph_nodes", 1),
        ("graph_edges", 0),
    ] {
        let rows = gateway.value(&format!("SELECT count(*) FROM {table} WHERE workspace_id = '{workspace}'")).await;
        assert_eq!(rows, left, "{table}");
    }
    assert_eq!(gateway.value(&count).await, 0);
    // With the deviation gone, nothing stands in the way of publishing any more.
    let record = format!("SELECT status, integrity_score FROM golden_records WHERE workspace_id = '{workspace}'");
    let record = gateway.rows(&record).await;
    assert_eq!((&record[0]["status"], record[0]["integrity_score"].as_f64()), (&json!("READY"), Some(1.0)));
    let state = format!("SELECT integrity_score FROM graph_state WHERE workspace_id = '{workspace}'");
    assert_eq!(gateway.value(&state).await.as_f64(), Some(1.0));
    let sessions =
        format!("SELECT total_items + pending_count FROM reconciliation_sessions WHERE workspace_id = '{workspace}'");
    assert_eq!(gateway.value(&sessions).await, 0);

    let events = trail(&gateway, &clause.0).await;
    let event = events.last().expect("an event");
    assert_eq!((&event["event_type"], &event["reason"]), (&json!("CLAUSE_EDIT"), &json!("Moved to a side letter")));
    assert_eq!(event["reason_category"], "legal_requirement");
    assert_eq!(event["before_state"]["title"], "Covenants");
    let also = event["after_state"]["also"].as_array().expect("what went along");
    let deleted = also.iter().filter(|row| row["what"] == "deleted");
    let mut went: Vec<&str> = deleted.map(|row| row["type"].as_str().expect("a type")).collect();
    went.sort_unstable();
    assert_eq!(went, ["covenant", "drift_item", "reconciliation_item", "variable"]);
    let variable = also.iter().find(|row| row["type"] == "variable").expect("the variable");
    assert_eq!(variable["before"]["value"], "5.00:1.00");
}

#[tokio::test]
async fn outsiders_and_members_who_only_read_change_nothing() {
    let gateway = Gateway::demo().await;
    let agent = sign_in(&gateway, AGENT).await;
    let workspace = open(&agent, json!(null)).await;
    let clause = add(&agent, &workspace, json!({})).await;
    let outsider = sign_in(&gateway, COUNSEL).await;
    for answer in [
        edit_because(&outsider, &clause, json!({ "body": "Mine" }), json!("Why not")).await,
        move_to(&outsider, &clause, 1).await,
        delete(&outsider, &clause, "Why not").await,
        try_add(&outsider, &workspace, json!({})).await,
    ] {
        assert_eq!(answer.code(), "NOT_FOUND", "{:#}", answer.body);
    }
    let (risk, _) = join(&gateway, &agent, &workspace, super::RISK, "RISK").await;
    for answer in [
        edit(&risk, &clause, json!({ "body": "Mine" })).await,
        move_to(&risk, &clause, 1).await,
        try_add(&risk, &workspace, json!({})).await,
    ] {
        assert_eq!((answer.code(), extension(&answer, "permission")), ("FORBIDDEN", &json!("clause:edit")));
    }
    let row =
        gateway.rows(&format!("SELECT id, body, row_version FROM clauses WHERE workspace_id = '{workspace}'")).await;
    assert_eq!((row.len(), id(&row[0]), &row[0]["row_version"]), (1, clause.0, &json!(1)));
}
