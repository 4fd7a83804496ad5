//! Conversations with the assistant, its models, and what it did on its own.

use serde_json::{Value, json};

use crate::{
    case,
    mutations::{Case, May},
    support::{Gateway, HOME},
};

const CONVERSING: May = May::Organization(&["CFO", "FINANCE_MANAGER", "ANALYST"]);
const REGISTRARS: May = May::Organization(&["CFO", "ADMIN"]);
const REVIEWERS: May = May::Organization(&["CFO", "FINANCE_MANAGER"]);

/// A conversation of the caller's.
const OWN: &str = "INSERT INTO ai_conversations (organization_id, user_id) SELECT organization_id, id FROM users \
     WHERE id = '$user' RETURNING id, row_version AS \"expectedVersion\"";

const MODEL: &str = "INSERT INTO ai_models (organization_id, name, version, type) \
     SELECT id, 'Test', gen_random_uuid()::text, 'forecasting' FROM organizations WHERE slug = 'aether-demo' \
     RETURNING id, row_version AS \"expectedVersion\"";

const ACTION: &str = "INSERT INTO ai_actions (organization_id, action_type, description, inputs, requires_review) \
     SELECT id, 'BUDGET_SUGGESTION', 'Test', '{}', true FROM organizations WHERE slug = 'aether-demo' \
     RETURNING id, row_version AS \"expectedVersion\"";

pub fn cases() -> Vec<Case> {
    vec![
        case!(
            "startConversation",
            CONVERSING,
            "SELECT 'Margins' AS title",
            "mutation($title: String) { startConversation(title: $title) { status } }"
        ),
        case!(
            "postMessage",
            CONVERSING,
            OWN,
            "mutation($id: UUID!) { postMessage(conversationId: $id, content: \"Why?\") { role conversation { messageCount } } }"
        ),
        case!(
            "renameConversation",
            CONVERSING,
            OWN,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                renameConversation(id: $id, expectedVersion: $expectedVersion, title: \"Costs\") { title } }"
        ),
        case!(
            "archiveConversation",
            CONVERSING,
            OWN,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                archiveConversation(id: $id, expectedVersion: $expectedVersion) { archivedAt } }"
        ),
        case!(
            "registerModel",
            REGISTRARS,
            "SELECT gen_random_uuid()::text AS version",
            "mutation($version: String!) { registerModel(input: { name: \"New\", version: $version, type: CLASSIFICATION }) { id } }"
        ),
        case!(
            "recordModelMetrics",
            REGISTRARS,
            MODEL,
            "mutation($id: UUID!) { recordModelMetrics(modelId: $id, input: { accuracy: \"0.9\" }) { recordedAt } }"
        ),
        case!(
            "retireModel",
            REGISTRARS,
            MODEL,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                retireModel(id: $id, expectedVersion: $expectedVersion, reason: \"Drift\") { status } }"
        ),
        case!(
            "reviewAiAction",
            REVIEWERS,
            ACTION,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                reviewAiAction(id: $id, expectedVersion: $expectedVersion, outcome: APPROVED) { reviewOutcome } }"
        ),
        case!(
            "overrideAiAction",
            REVIEWERS,
            ACTION,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                overrideAiAction(id: $id, expectedVersion: $expectedVersion, reason: \"Wrong\") { wasOverridden } }"
        ),
    ]
}

#[tokio::test]
async fn a_conversation_is_its_users_own_and_ends_in_the_archive() {
    let gateway = Gateway::demo().await;
    let (cfo, analyst) = (gateway.cfo().await, gateway.sign_in("analyst@aether-demo.com", HOME).await);
    let started = analyst
        .data("mutation { startConversation(title: \"Churn in Europe\") { id rowVersion status messageCount } }")
        .await;
    let conversation = &started["startConversation"];
    let post = "mutation($id: UUID!, $text: String!) { postMessage(conversationId: $id, content: $text) {
        role content conversation { messageCount rowVersion } } }";
    for number in 1..=2 {
        let posted = analyst.run(post, json!({ "id": conversation["id"], "text": "Why did churn rise? " })).await.ok();
        assert_eq!(
            posted["postMessage"],
            json!({ "role": "USER", "content": "Why did churn rise?",
                "conversation": { "messageCount": number, "rowVersion": conversation["rowVersion"] } })
        );
    }
    let empty = analyst.run(post, json!({ "id": conversation["id"], "text": " \n" })).await;
    assert_eq!(
        (empty.code(), &empty.body["errors"][0]["extensions"]["field"]),
        ("VALIDATION_FAILED", &json!("content"))
    );
    let foreign = cfo.run(post, json!({ "id": conversation["id"], "text": "Let me see" })).await;
    assert_eq!(foreign.code(), "NOT_FOUND", "not even the CFO");
    let versioned = json!({ "id": conversation["id"], "v": conversation["rowVersion"] });
    let rename = "mutation($id: UUID!, $v: Int!) { renameConversation(id: $id, expectedVersion: $v, title: \"Churn\") { title rowVersion } }";
    assert_eq!(cfo.run(rename, versioned.clone()).await.code(), "NOT_FOUND");
    let renamed = analyst.run(rename, versioned.clone()).await.ok();
    assert_eq!(analyst.run(rename, versioned).await.code(), "CONFLICT");
    let archive = "mutation($id: UUID!, $v: Int!) { archiveConversation(id: $id, expectedVersion: $v) { status archivedAt rowVersion } }";
    let archived = analyst
        .run(archive, json!({ "id": conversation["id"], "v": renamed["renameConversation"]["rowVersion"] }))
        .await
        .ok();
    assert_eq!(archived["archiveConversation"]["status"], "ARCHIVED");
    let again = analyst
        .run(archive, json!({ "id": conversation["id"], "v": archived["archiveConversation"]["rowVersion"] }))
        .await;
    assert_eq!(again.code(), "PRECONDITION_FAILED");
    let late = analyst.run(post, json!({ "id": conversation["id"], "text": "One more" })).await;
    assert_eq!(late.code(), "PRECONDITION_FAILED");

    let id = conversation["id"].as_str().expect("an id");
    let trail = gateway
        .rows("SELECT action, details FROM audit_logs WHERE action IN ('CONVERSATION_START', 'MESSAGE_POST', 'CONVERSATION_RENAME', 'CONVERSATION_ARCHIVE') ORDER BY id")
        .await;
    let actions: Vec<_> = trail.iter().map(|row| row["action"].as_str().expect("an action")).collect();
    assert_eq!(
        actions,
        ["CONVERSATION_START", "MESSAGE_POST", "MESSAGE_POST", "CONVERSATION_RENAME", "CONVERSATION_ARCHIVE"]
    );
    let told = Value::Array(trail).to_string();
    assert!(!told.contains("churn") && !told.contains("Churn"), "others read what was written: {told}");
    let events = gateway
        .value(&format!("SELECT count(*) FROM event_outbox WHERE topic = 'conversation' AND aggregate_id = '{id}'"))
        .await;
    assert_eq!(events, 5);
    assert_eq!(
        gateway
            .value(&format!("SELECT count(*) FROM ai_messages WHERE conversation_id = '{id}' AND role <> 'user'"))
            .await,
        0
    );
}

#[tokio::test]
async fn a_model_is_registered_measured_and_retired() {
    let gateway = Gateway::demo().await;
    let admin = gateway.sign_in("admin@aether-demo.com", HOME).await;
    let register = "mutation($name: String!) { registerModel(input: { name: $name, version: \"1.0\", type: FORECASTING, mape: \"0.051\",
        trainingDataStart: \"2024-01-01\", trainingDataEnd: \"2026-01-01\", deployedAt: \"2026-02-01T00:00:00Z\" }) {
        id rowVersion status mape trainingDataRange { start end } organization { slug } } }";
    let made = admin.run(register, json!({ "name": "cash" })).await.ok();
    let model = &made["registerModel"];
    assert_eq!((&model["status"], &model["organization"]["slug"]), (&json!("ACTIVE"), &json!(HOME)));
    assert_eq!(model["trainingDataRange"], json!({ "start": "2024-01-01", "end": "2026-01-01" }));
    assert_eq!(admin.run(register, json!({ "name": "cash" })).await.code(), "CONFLICT", "one version of a name");
    let record = "mutation($id: UUID!, $input: ModelMetricsInput!) { recordModelMetrics(modelId: $id, input: $input) {
        accuracy latencyP95Ms errorCount costUsd model { name } } }";
    let measured = admin
        .run(
            record,
            json!({ "id": model["id"], "input": { "accuracy": "0.91", "latencyP50Ms": 80, "latencyP95Ms": 200,
            "requestsCount": 1000, "errorCount": 3, "costUsd": "1.2345" } }),
        )
        .await
        .ok();
    assert_eq!(
        measured["recordModelMetrics"],
        json!({ "accuracy": "0.9100", "latencyP95Ms": 200, "errorCount": 3, "costUsd": "1.2345", "model": { "name": "cash" } })
    );
    for (input, field) in [
        (json!({}), "input"),
        (json!({ "accuracy": "1.1" }), "input.accuracy"),
        (json!({ "latencyP50Ms": 300, "latencyP99Ms": 200 }), "input.latencyP99Ms"),
        (json!({ "requestsCount": 1, "errorCount": 2 }), "input.errorCount"),
        (json!({ "gpuUtilization": "101" }), "input.gpuUtilization"),
        (json!({ "memoryUsageMb": -1 }), "input.memoryUsageMb"),
        (json!({ "accuracy": "0.5", "recordedAt": "2999-01-01T00:00:00Z" }), "input.recordedAt"),
    ] {
        let answer = admin.run(record, json!({ "id": model["id"], "input": input })).await;
        assert_eq!(
            (answer.code(), answer.body["errors"][0]["extensions"]["field"].as_str()),
            ("VALIDATION_FAILED", Some(field)),
            "{input}"
        );
    }
    let retire = "mutation($id: UUID!, $v: Int!) { retireModel(id: $id, expectedVersion: $v, reason: \"Replaced\") { status rowVersion } }";
    assert_eq!(admin.run(retire, json!({ "id": model["id"], "v": 9 })).await.code(), "CONFLICT");
    let retired = admin.run(retire, json!({ "id": model["id"], "v": model["rowVersion"] })).await.ok();
    assert_eq!(retired["retireModel"]["status"], "DEPRECATED");
    let again = admin.run(retire, json!({ "id": model["id"], "v": retired["retireModel"]["rowVersion"] })).await;
    assert_eq!(again.code(), "PRECONDITION_FAILED");
    let late = admin.run(record, json!({ "id": model["id"], "input": { "accuracy": "0.5" } })).await;
    assert_eq!(late.code(), "PRECONDITION_FAILED");
    // What serves every organization is read by all and changed by none.
    let system = admin
        .data("{ aiModels(filter: { organizationId: { isNull: true } }, first: 1) { nodes { id rowVersion } } }")
        .await;
    let system = &system["aiModels"]["nodes"][0];
    let refused = admin.run(retire, json!({ "id": system["id"], "v": system["rowVersion"] })).await;
    assert_eq!(
        (refused.code(), &refused.body["errors"][0]["extensions"]["permission"]),
        ("FORBIDDEN", &json!("ai_models:register"))
    );
    let abroad = gateway.sign_in("admin@meridian-capital.example", "meridian-capital").await;
    assert_eq!(
        abroad.run(record, json!({ "id": model["id"], "input": { "accuracy": "0.5" } })).await.code(),
        "NOT_FOUND"
    );
    let trail = gateway
        .rows("SELECT action, details FROM audit_logs WHERE action IN ('MODEL_REGISTER', 'MODEL_METRICS_RECORD', 'MODEL_RETIRE') ORDER BY id")
        .await;
    let actions: Vec<_> = trail.iter().map(|row| row["action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["MODEL_REGISTER", "MODEL_METRICS_RECORD", "MODEL_RETIRE"]);
    assert_eq!(trail[2]["details"]["reason"], "Replaced");
    assert_eq!(
        (&trail[2]["details"]["before"]["status"], &trail[2]["details"]["after"]["status"]),
        (&json!("ACTIVE"), &json!("DEPRECATED"))
    );
    let events = gateway
        .value(&format!(
            "SELECT count(*) FROM event_outbox WHERE topic = 'model' AND aggregate_id = {}",
            model["id"].to_string().replace('"', "'")
        ))
        .await;
    assert_eq!(events, 3);
}

#[tokio::test]
async fn an_action_is_reviewed_once_and_overridden_once() {
    let gateway = Gateway::demo().await;
    let manager = gateway.sign_in("finance.manager@aether-demo.com", HOME).await;
    let fresh = async || gateway.rows(ACTION).await.remove(0);
    let review = "mutation($id: UUID!, $v: Int!, $outcome: ReviewOutcome!, $feedback: String) {
        reviewAiAction(id: $id, expectedVersion: $v, outcome: $outcome, feedback: $feedback) {
            rowVersion status reviewOutcome reviewFeedback reviewedAt reviewedByUser { email } } }";
    let over = "mutation($id: UUID!, $v: Int!, $reason: String!) { overrideAiAction(id: $id, expectedVersion: $v, reason: $reason) {
        rowVersion wasOverridden overrideReason overriddenByUser { email } } }";
    let taken = fresh().await;
    let (id, version) = (&taken["id"], &taken["expectedVersion"]);
    let silent = manager.run(review, json!({ "id": id, "v": version, "outcome": "REJECTED" })).await;
    assert_eq!(
        (silent.code(), &silent.body["errors"][0]["extensions"]["field"]),
        ("VALIDATION_FAILED", &json!("feedback"))
    );
    let rejected = manager
        .run(review, json!({ "id": id, "v": version, "outcome": "REJECTED", "feedback": "Too bold" }))
        .await
        .ok();
    let rejected = &rejected["reviewAiAction"];
    assert_eq!((&rejected["status"], &rejected["reviewOutcome"]), (&json!("REJECTED"), &json!("REJECTED")));
    assert_eq!(rejected["reviewedByUser"]["email"], "finance.manager@aether-demo.com");
    let again = manager.run(review, json!({ "id": id, "v": rejected["rowVersion"], "outcome": "APPROVED" })).await;
    assert_eq!(again.code(), "PRECONDITION_FAILED");
    let nothing = manager.run(over, json!({ "id": id, "v": rejected["rowVersion"], "reason": "Anyway" })).await;
    assert_eq!(nothing.code(), "PRECONDITION_FAILED");

    let taken = fresh().await;
    let approved = manager
        .run(review, json!({ "id": taken["id"], "v": taken["expectedVersion"], "outcome": "APPROVED" }))
        .await
        .ok();
    let approved = &approved["reviewAiAction"];
    assert_eq!((&approved["status"], &approved["reviewFeedback"]), (&json!("COMPLETED"), &Value::Null));
    let stale = manager.run(over, json!({ "id": taken["id"], "v": taken["expectedVersion"], "reason": "Wrong" })).await;
    assert_eq!(stale.code(), "CONFLICT");
    let empty = manager.run(over, json!({ "id": taken["id"], "v": approved["rowVersion"], "reason": "" })).await;
    assert_eq!(
        (empty.code(), &empty.body["errors"][0]["extensions"]["field"]),
        ("VALIDATION_FAILED", &json!("reason"))
    );
    let overridden = manager
        .run(over, json!({ "id": taken["id"], "v": approved["rowVersion"], "reason": "Wrong quarter" }))
        .await
        .ok();
    let overridden = &overridden["overrideAiAction"];
    assert_eq!((&overridden["wasOverridden"], &overridden["overrideReason"]), (&json!(true), &json!("Wrong quarter")));
    let twice = manager.run(over, json!({ "id": taken["id"], "v": overridden["rowVersion"], "reason": "Again" })).await;
    assert_eq!(twice.code(), "PRECONDITION_FAILED");
    let trail = gateway
        .rows(&format!(
            "SELECT action, risk_level, requires_review, details FROM audit_logs WHERE resource_id = {} ORDER BY id",
            taken["id"].to_string().replace('"', "'")
        ))
        .await;
    assert_eq!(
        (&trail[1]["action"], &trail[1]["risk_level"], &trail[1]["requires_review"]),
        (&json!("AI_ACTION_OVERRIDE"), &json!("high"), &json!(true))
    );
    assert_eq!(trail[1]["details"]["after"]["wasOverridden"], true);
    let events = gateway.value("SELECT count(*) FROM event_outbox WHERE topic = 'ai_action' AND kind = 'updated'");
    assert_eq!(events.await, 3);
}
