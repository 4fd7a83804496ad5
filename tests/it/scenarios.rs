//! What-if scenarios.

use serde_json::{Value, json};

use crate::{
    case,
    mutations::{Case, May},
    support::{Answer, Gateway, HOME, User},
};

const PLANNERS: May = May::Organization(&["CFO", "FINANCE_MANAGER", "ANALYST"]);

/// A scenario of the caller's.
const OWN: &str = "INSERT INTO scenarios (organization_id, created_by, name, parameters) \
     SELECT organization_id, id, 'Test', '{\"investment\": 0, \"headcount\": 0, \"price\": 1, \"distributions\": {}}' \
       FROM users WHERE id = '$user' RETURNING id, row_version AS \"expectedVersion\", \
       (SELECT id FROM users WHERE email = 'rafael.duarte@aether-demo.com') AS colleague";

/// A template of somebody else's, which everybody sees.
const TEMPLATE: &str = "INSERT INTO scenarios (organization_id, created_by, name, parameters, is_template) \
     SELECT organization_id, id, 'Test', '{\"investment\": 0, \"headcount\": 0, \"price\": 1, \"distributions\": {}}', true \
       FROM users WHERE email = 'rafael.duarte@aether-demo.com' RETURNING id, row_version AS \"expectedVersion\"";

const DELETE: &str =
    "mutation($id: UUID!, $expectedVersion: Int!) { deleteScenario(id: $id, expectedVersion: $expectedVersion) }";
const EDIT: &str = "mutation($id: UUID!, $expectedVersion: Int!) {
    editScenario(id: $id, expectedVersion: $expectedVersion, input: { description: \"Worse\" }) { description } }";

pub fn cases() -> Vec<Case> {
    vec![
        case!(
            "createScenario",
            PLANNERS,
            "SELECT 'New' AS name",
            "mutation($name: String!) { createScenario(input: { name: $name, parameters: { price: \"5\",
                distributions: { price: { normal: { mean: \"5\", standardDeviation: \"1\" } } } } }) { status } }"
        ),
        case!("editScenario", PLANNERS, OWN, EDIT),
        case!("editScenario", May::Organization(&["CFO"]), TEMPLATE, EDIT),
        case!(
            "copyScenario",
            PLANNERS,
            TEMPLATE,
            "mutation($id: UUID!) { copyScenario(id: $id, name: \"Mine\") { createdByUser { email } } }"
        ),
        case!(
            "shareScenario",
            PLANNERS,
            OWN,
            "mutation($id: UUID!, $expectedVersion: Int!, $colleague: UUID!) {
                shareScenario(id: $id, expectedVersion: $expectedVersion, userIds: [$colleague]) { sharedWith } }"
        ),
        case!("deleteScenario", PLANNERS, OWN, DELETE),
        case!("deleteScenario", May::Organization(&["CFO"]), TEMPLATE, DELETE),
    ]
}

const FIELDS: &str = "id rowVersion name description tags status isTemplate sharedWith results
    parameters { investment headcount price distributions } createdByUser { email }";

async fn on(user: &User<'_>, scenario: &Value, mutation: &str, arguments: &str) -> Answer {
    let query = format!(
        "mutation($id: UUID!, $v: Int!) {{ {mutation}(id: $id, expectedVersion: $v {arguments}) {{ {FIELDS} }} }}"
    );
    user.run(&query, json!({ "id": scenario["id"], "v": scenario["rowVersion"] })).await
}

#[tokio::test]
async fn a_scenario_is_its_owners_until_it_is_shared() {
    let gateway = Gateway::demo().await;
    let analyst = gateway.sign_in("analyst@aether-demo.com", HOME).await;
    let (manager, cfo) = (gateway.sign_in("finance.manager@aether-demo.com", HOME).await, gateway.cfo().await);
    let made = analyst
        .data(&format!(
            "mutation {{ createScenario(input: {{ name: \" Expansion \", tags: [\"growth\", \"growth\", \"apac\"], parameters: {{
                investment: \"2400000.50\", headcount: \"32\", distributions: {{
                    investment: {{ triangular: {{ min: \"1800000\", mode: \"2400000\", max: \"3300000\" }} }}
                    headcount: {{ lognormal: {{ mu: \"3.4\", sigma: \"0.2\" }} }}
                    price: {{ uniform: {{ min: \"-1.5\", max: \"2\" }} }} }} }} }}) {{ {FIELDS} }} }}"
        ))
        .await;
    let scenario = &made["createScenario"];
    assert_eq!((&scenario["name"], &scenario["tags"]), (&json!("Expansion"), &json!(["growth", "apac"])));
    assert_eq!(
        (&scenario["status"], &scenario["createdByUser"]["email"]),
        (&json!("DRAFT"), &json!("analyst@aether-demo.com"))
    );
    assert_eq!(
        scenario["parameters"],
        json!({ "investment": "2400000.5", "headcount": "32", "price": "0", "distributions": {
            "investment": { "type": "triangular", "min": 1_800_000, "mode": 2_400_000, "max": 3_300_000 },
            "headcount": { "type": "lognormal", "mu": 3.4, "sigma": 0.2 },
            "price": { "type": "uniform", "min": -1.5, "max": 2 },
        } })
    );
    let read = format!("{{ scenario(id: {}) {{ name }} }}", scenario["id"]);
    assert_eq!(manager.data(&read).await["scenario"], Value::Null);
    assert_eq!(on(&manager, scenario, "editScenario", ", input: { name: \"Mine\" }").await.code(), "NOT_FOUND");

    let marcus = gateway.value("SELECT id FROM users WHERE email = 'finance.manager@aether-demo.com'").await;
    let stranger = gateway.value("SELECT id FROM users WHERE email = 'analyst@meridian-capital.example'").await;
    let wrong = on(&analyst, scenario, "shareScenario", &format!(", userIds: [{marcus}, {stranger}]")).await;
    assert_eq!(
        (wrong.code(), &wrong.body["errors"][0]["extensions"]["field"]),
        ("VALIDATION_FAILED", &json!("userIds.1"))
    );
    let shared = on(&analyst, scenario, "shareScenario", &format!(", userIds: [{marcus}, {marcus}]")).await.ok();
    let shared = &shared["shareScenario"];
    assert_eq!(shared["sharedWith"], json!([marcus]));
    assert_eq!(manager.data(&read).await["scenario"]["name"], "Expansion");
    for (mutation, arguments) in [("editScenario", ", input: { name: \"Mine\" }"), ("shareScenario", ", userIds: []")] {
        let answer = on(&manager, shared, mutation, arguments).await;
        assert_eq!(
            (answer.code(), &answer.body["errors"][0]["extensions"]["permission"]),
            ("FORBIDDEN", &json!("scenarios:delete"))
        );
    }
    let copy = manager.data(&format!("mutation {{ copyScenario(id: {}) {{ {FIELDS} }} }}", scenario["id"])).await;
    let copy = &copy["copyScenario"];
    assert_eq!((&copy["parameters"], &copy["sharedWith"]), (&shared["parameters"], &json!([])));
    assert_eq!(copy["createdByUser"]["email"], "finance.manager@aether-demo.com");
    // The CFO may share and edit any.
    let ended = on(&cfo, shared, "shareScenario", ", userIds: []").await.ok();
    assert_eq!(ended["shareScenario"]["sharedWith"], json!([]));
    assert_eq!(manager.data(&read).await["scenario"], Value::Null, "no longer shared, no longer seen");
    assert_eq!(on(&analyst, shared, "editScenario", ", input: { name: \"Late\" }").await.code(), "CONFLICT");
    let trail = gateway
        .rows(&format!(
            "SELECT action, details FROM audit_logs WHERE resource_id = '{}' ORDER BY id",
            scenario["id"].as_str().expect("an id")
        ))
        .await;
    let actions: Vec<_> = trail.iter().map(|row| row["action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["SCENARIO_CREATE", "SCENARIO_SHARE", "SCENARIO_SHARE"]);
    assert_eq!(
        (&trail[1]["details"]["before"]["sharedWith"], &trail[1]["details"]["after"]["sharedWith"]),
        (&json!([]), &json!([marcus]))
    );
    let events = gateway.value("SELECT count(*) FROM event_outbox WHERE topic = 'scenario' AND kind = 'updated' AND 'sharedWith' = ANY(changed_fields)");
    assert_eq!(events.await, 2);
}

#[tokio::test]
async fn other_assumptions_undo_results_and_a_run_is_not_disturbed() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let find = async |status: &str| {
        let data = cfo
            .data(&format!(
                "{{ scenarios(filter: {{ status: {{ eq: {status} }} }}, first: 1) {{ nodes {{ {FIELDS} }} }} }}"
            ))
            .await;
        data["scenarios"]["nodes"][0].clone()
    };
    let completed = find("COMPLETED").await;
    assert!(completed["results"].is_object());
    let named = on(&cfo, &completed, "editScenario", ", input: { name: \"Other\", tags: [] }").await.ok();
    let named = &named["editScenario"];
    assert_eq!(
        (&named["status"], &named["results"], &named["tags"]),
        (&json!("COMPLETED"), &completed["results"], &json!([]))
    );
    let changed = on(&cfo, named, "editScenario", ", input: { parameters: { price: \"2.5\" } }").await.ok();
    let changed = &changed["editScenario"];
    assert_eq!((&changed["status"], &changed["results"]), (&json!("DRAFT"), &Value::Null));
    assert_eq!(changed["parameters"]["investment"], "0", "assumptions are given as a whole");
    let running = find("RUNNING").await;
    assert_eq!(on(&cfo, &running, "editScenario", ", input: { name: \"Other\" }").await.code(), "PRECONDITION_FAILED");
    let delete = "mutation($id: UUID!, $v: Int!) { deleteScenario(id: $id, expectedVersion: $v) }";
    let refused = cfo.run(delete, json!({ "id": running["id"], "v": running["rowVersion"] })).await;
    assert_eq!(refused.code(), "PRECONDITION_FAILED");
    let gone = cfo.run(delete, json!({ "id": changed["id"], "v": changed["rowVersion"] })).await.ok();
    assert_eq!(gone["deleteScenario"], changed["id"]);
    let runs = format!(
        "SELECT count(*) FROM scenario_results WHERE scenario_id = '{}'",
        changed["id"].as_str().expect("an id")
    );
    assert_eq!(gateway.value(&runs).await, 0);
}

#[tokio::test]
async fn assumptions_beyond_reason_are_refused_by_their_path() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    for (parameters, path) in [
        ("price: \"-101\"", "price"),
        ("investment: \"1e13\"", "investment"),
        (
            "distributions: { price: { normal: { mean: \"1\", standardDeviation: \"0\" } } }",
            "distributions.price.normal.standardDeviation",
        ),
        (
            "distributions: { headcount: { uniform: { min: \"2\", max: \"2\" } } }",
            "distributions.headcount.uniform.max",
        ),
        (
            "distributions: { investment: { triangular: { min: \"0\", mode: \"5\", max: \"4\" } } }",
            "distributions.investment.triangular.mode",
        ),
        ("distributions: { price: { lognormal: { mu: \"50\", sigma: \"1\" } } }", "distributions.price.lognormal.mu"),
    ] {
        let answer = cfo
            .query(&format!(
                "mutation {{ createScenario(input: {{ name: \"X\", parameters: {{ {parameters} }} }}) {{ id }} }}"
            ))
            .await;
        assert_eq!(
            (answer.code(), &answer.body["errors"][0]["extensions"]["field"]),
            ("VALIDATION_FAILED", &json!(format!("input.parameters.{path}"))),
            "{parameters}"
        );
    }
    let both = cfo
        .query(
            "mutation { createScenario(input: { name: \"X\", parameters: { distributions: { price: {
            normal: { mean: \"1\", standardDeviation: \"1\" }, uniform: { min: \"1\", max: \"2\" } } } } }) { id } }",
        )
        .await;
    assert_eq!(both.code(), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(gateway.value("SELECT count(*) FROM scenarios WHERE name = 'X'").await, 0);
}
