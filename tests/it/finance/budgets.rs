//! Budgets, from draft to lock.

use serde_json::json;

use crate::{
    case,
    mutations::{Case, May},
    support::Gateway,
};

const DRAFTERS: May = May::Organization(&["CFO", "FINANCE_MANAGER", "ANALYST"]);
const APPROVERS: May = May::Organization(&["CFO", "FINANCE_MANAGER"]);

/// A budget of one line, in the draft.
const DRAFT: &str = "INSERT INTO budgets (organization_id, name, fiscal_year, version) \
     SELECT id, 'Test', 2030, gen_random_uuid()::text FROM organizations WHERE slug = 'aether-demo'; \
     INSERT INTO budget_line_items (budget_id, category, q1_amount) SELECT id, 'Payroll', 10 FROM budgets ORDER BY created_at DESC LIMIT 1; \
     SELECT b.id, b.row_version AS \"expectedVersion\", b.version || '+' AS version, l.id AS line \
       FROM budgets b JOIN budget_line_items l ON l.budget_id = b.id ORDER BY b.created_at DESC LIMIT 1";

/// One that somebody has submitted.
const SUBMITTED: &str = "INSERT INTO budgets (organization_id, name, fiscal_year, version, status, submitted_by, submitted_at) \
     SELECT o.id, 'Test', 2030, gen_random_uuid()::text, 'submitted', u.id, now() FROM organizations o \
       JOIN users u ON u.email = 'analyst@aether-demo.com' WHERE slug = 'aether-demo' \
     RETURNING id, row_version AS \"expectedVersion\"";

/// One that is approved.
const APPROVED: &str = "INSERT INTO budgets (organization_id, name, fiscal_year, version, status, submitted_by, submitted_at, \
       approved_by, approved_at) \
     SELECT o.id, 'Test', 2030, gen_random_uuid()::text, 'approved', u.id, now(), a.id, now() FROM organizations o \
       JOIN users u ON u.email = 'analyst@aether-demo.com' JOIN users a ON a.email = 'sarah.chen@aether-demo.com' \
      WHERE slug = 'aether-demo' RETURNING id, row_version AS \"expectedVersion\"";

pub fn cases() -> Vec<Case> {
    vec![
        case!("createBudget", DRAFTERS, "SELECT gen_random_uuid()::text AS version",
            "mutation($version: String!) { createBudget(input: { name: \"New\", fiscalYear: 2031, version: $version,
                lines: [{ category: \"Travel\", q1Amount: \"100.50\" }] }) { id totalAmount } }"),
        case!(
            "editBudget",
            DRAFTERS,
            DRAFT,
            "mutation($id: UUID!, $expectedVersion: Int!) { editBudget(id: $id, expectedVersion: $expectedVersion, input: { name: \"Other\" }) { name } }"
        ),
        case!("addBudgetLines", DRAFTERS, DRAFT,
            "mutation($id: UUID!, $expectedVersion: Int!) { addBudgetLines(budgetId: $id, expectedVersion: $expectedVersion,
                lines: [{ category: \"Software\", q4Amount: \"5\" }]) { totalAmount } }"),
        case!("editBudgetLine", DRAFTERS, DRAFT,
            "mutation($line: UUID!) { editBudgetLine(id: $line, expectedVersion: 1, input: { q2Amount: \"7\" }) { annualAmount } }"),
        case!("removeBudgetLine", DRAFTERS, DRAFT,
            "mutation($line: UUID!) { removeBudgetLine(id: $line, expectedVersion: 1) { totalAmount } }"),
        case!("deleteBudget", DRAFTERS, DRAFT,
            "mutation($id: UUID!, $expectedVersion: Int!) { deleteBudget(id: $id, expectedVersion: $expectedVersion) }"),
        case!("submitBudget", DRAFTERS, DRAFT,
            "mutation($id: UUID!, $expectedVersion: Int!) { submitBudget(id: $id, expectedVersion: $expectedVersion) { status } }"),
        case!("approveBudget", APPROVERS, SUBMITTED,
            "mutation($id: UUID!, $expectedVersion: Int!) { approveBudget(id: $id, expectedVersion: $expectedVersion) { status } }"),
        case!("rejectBudget", APPROVERS, SUBMITTED,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                rejectBudget(id: $id, expectedVersion: $expectedVersion, reason: \"Too much travel\") { status } }"),
        case!("lockBudget", APPROVERS, APPROVED,
            "mutation($id: UUID!, $expectedVersion: Int!) { lockBudget(id: $id, expectedVersion: $expectedVersion) { status } }"),
        case!("copyBudget", DRAFTERS, DRAFT,
            "mutation($id: UUID!, $version: String!) { copyBudget(id: $id, version: $version) { totalAmount } }"),
    ]
}

#[tokio::test]
async fn a_budget_goes_from_draft_to_lock_and_never_by_one_person_alone() {
    let gateway = Gateway::demo().await;
    let (cfo, manager) = (gateway.cfo().await, gateway.sign_in("finance.manager@aether-demo.com", "aether-demo").await);
    let created = cfo
        .data(
            "mutation { createBudget(input: { name: \"Plan\", fiscalYear: 2032, version: \"v1\", lines: [
                { category: \"Payroll\", q1Amount: \"100.10\", q2Amount: \"200\" }, { category: \"Travel\", q4Amount: \"0.05\" }
             ] }) { id rowVersion totalAmount status lines: lineItems { nodes { id rowVersion category } } } }",
        )
        .await;
    let budget = &created["createBudget"];
    assert_eq!((&budget["totalAmount"], &budget["status"]), (&json!("300.15"), &json!("DRAFT")));
    let id = budget["id"].as_str().expect("an id");
    let version = &budget["rowVersion"];
    let line = &budget["lines"]["nodes"][0];
    let answer = cfo
        .run(
            "mutation($id: UUID!, $v: Int!) { editBudgetLine(id: $id, expectedVersion: $v, input: { q3Amount: \"9.999\" }) { id } }",
            json!({ "id": line["id"], "v": line["rowVersion"] }),
        )
        .await;
    assert_eq!(
        (answer.code(), &answer.body["errors"][0]["extensions"]["field"]),
        ("VALIDATION_FAILED", &json!("input.q3Amount"))
    );
    let submit = "mutation($id: UUID!, $v: Int!) { submitBudget(id: $id, expectedVersion: $v) { rowVersion status submittedByUser { email } } }";
    let stale = cfo.run(submit, json!({ "id": id, "v": 77 })).await;
    assert_eq!(stale.code(), "CONFLICT");
    let extensions = &stale.body["errors"][0]["extensions"];
    assert_eq!(&extensions["currentVersion"], version);
    assert_eq!(extensions["changedBy"]["name"], "Sarah Chen");
    let submitted = cfo.run(submit, json!({ "id": id, "v": version })).await.ok();
    let version = &submitted["submitBudget"]["rowVersion"];
    let approve =
        "mutation($id: UUID!, $v: Int!) { approveBudget(id: $id, expectedVersion: $v) { rowVersion status } }";
    let own = cfo.run(approve, json!({ "id": id, "v": version })).await;
    assert_eq!(own.code(), "FORBIDDEN", "{:#}", own.body);
    let approved = manager.run(approve, json!({ "id": id, "v": version })).await.ok();
    assert_eq!(approved["approveBudget"]["status"], "APPROVED");
    let late = cfo
        .run("mutation($id: UUID!, $v: Int!) { addBudgetLines(budgetId: $id, expectedVersion: $v, lines: [{ category: \"X\" }]) { id } }",
            json!({ "id": id, "v": approved["approveBudget"]["rowVersion"] }))
        .await;
    assert_eq!(late.code(), "PRECONDITION_FAILED");
    let trail =
        gateway.rows(&format!("SELECT action, details FROM audit_logs WHERE resource_id = '{id}' ORDER BY id")).await;
    let actions: Vec<_> = trail.iter().map(|row| row["action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["BUDGET_CREATE", "BUDGET_SUBMIT", "BUDGET_APPROVE"]);
    assert_eq!(trail[2]["details"]["before"]["status"], "SUBMITTED");
    assert_eq!(trail[2]["details"]["after"]["status"], "APPROVED");
}

/// The database sums a budget's lines: what is told is the sum, not what stood there before.
#[tokio::test]
async fn the_audit_log_tells_the_total_that_the_lines_come_to() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let told = async || {
        let logs = "{ auditLogs(first: 1, filter: { resourceType: { eq: \"budget\" } }, orderBy: [{ field: TIMESTAMP, direction: DESC }, { field: ID, direction: DESC }]) {
            nodes { action details { before after also } } } }";
        cfo.data(logs).await["auditLogs"]["nodes"][0].clone()
    };
    let created = cfo
        .data("mutation { createBudget(input: { name: \"Sum\", fiscalYear: 2034, version: \"v1\", lines: [{ category: \"Travel\", q1Amount: \"5\" }] }) {
            id rowVersion lines: lineItems { nodes { id } } } }")
        .await["createBudget"]
        .clone();
    assert_eq!(told().await["details"]["after"]["totalAmount"], "5.00");
    let add = "mutation($id: UUID!, $v: Int!) { addBudgetLines(budgetId: $id, expectedVersion: $v, lines: [{ category: \"Rent\", q2Amount: \"2.50\" }]) { id } }";
    cfo.run(add, json!({ "id": created["id"], "v": created["rowVersion"] })).await.ok();
    let added = told().await["details"].clone();
    assert_eq!((&added["before"]["totalAmount"], &added["after"]["totalAmount"]), (&json!("5.00"), &json!("7.50")));
    assert_eq!(added["also"][0]["after"]["category"], "Rent");
    let line = &created["lines"]["nodes"][0]["id"];
    let edit =
        "mutation($id: UUID!) { editBudgetLine(id: $id, expectedVersion: 1, input: { q1Amount: \"4\" }) { id } }";
    cfo.run(edit, json!({ "id": line })).await.ok();
    let edited = told().await["details"].clone();
    assert_eq!((&edited["before"]["totalAmount"], &edited["after"]["totalAmount"]), (&json!("7.50"), &json!("6.50")));
    assert_eq!(edited["also"][0]["before"]["q1Amount"], "5.00");
    let copy = "mutation($id: UUID!) { copyBudget(id: $id, version: \"v2\") { totalAmount } }";
    cfo.run(copy, json!({ "id": created["id"] })).await.ok();
    let copied = told().await;
    assert_eq!(
        (&copied["action"], &copied["details"]["after"]["totalAmount"]),
        (&json!("BUDGET_COPY"), &json!("6.50"))
    );
    let remove = "mutation($id: UUID!) { removeBudgetLine(id: $id, expectedVersion: 2) { totalAmount } }";
    cfo.run(remove, json!({ "id": line })).await.ok();
    assert_eq!(told().await["details"]["after"]["totalAmount"], "2.50");
}

#[tokio::test]
async fn a_draft_is_edited_rejected_and_deleted_with_its_lines() {
    let gateway = Gateway::demo().await;
    let (cfo, analyst) = (gateway.cfo().await, gateway.sign_in("analyst@aether-demo.com", "aether-demo").await);
    let created = analyst
        .data("mutation { createBudget(input: { name: \"Draft\", fiscalYear: 2033, version: \"v1\", lines: [{ category: \"Travel\", q1Amount: \"7\" }] }) { id } }")
        .await["createBudget"]
        .clone();
    let id = created["id"].as_str().expect("an id");
    let edit = "mutation($id: UUID!, $v: Int!, $input: BudgetPatch!) { editBudget(id: $id, expectedVersion: $v, input: $input) {
        name fiscalYear version region totalAmount rowVersion } }";
    let edited =
        analyst.run(edit, json!({ "id": id, "v": 2, "input": { "name": "Plan", "region": "Europe" } })).await.ok();
    assert_eq!(
        edited["editBudget"],
        json!({ "name": "Plan", "fiscalYear": 2033, "version": "v1", "region": "Europe", "totalAmount": "7.00", "rowVersion": 3 })
    );
    for (input, field) in [
        (json!({ "fiscalYear": 33 }), "input.fiscalYear"),
        (json!({ "name": "" }), "input.name"),
        (json!({ "departmentId": "00000000-0000-0000-0000-000000000000" }), "input.departmentId"),
    ] {
        let refused = analyst.run(edit, json!({ "id": id, "v": 3, "input": input })).await;
        assert_eq!(
            (refused.code(), &refused.body["errors"][0]["extensions"]["field"]),
            ("VALIDATION_FAILED", &json!(field))
        );
    }
    let step = |name: &str, more: &str| {
        format!(
            "mutation($id: UUID!, $v: Int!) {{ {name}(id: $id, expectedVersion: $v{more}) {{ status submittedAt }} }}"
        )
    };
    analyst.run(&step("submitBudget", ""), json!({ "id": id, "v": 3 })).await.ok();
    let late = analyst.run(edit, json!({ "id": id, "v": 4, "input": { "name": "Late" } })).await;
    assert_eq!(late.code(), "PRECONDITION_FAILED");
    let rejected = cfo.run(&step("rejectBudget", ", reason: \"Too dear\""), json!({ "id": id, "v": 4 })).await.ok();
    assert_eq!(rejected["rejectBudget"], json!({ "status": "DRAFT", "submittedAt": null }));
    let delete = "mutation($id: UUID!, $v: Int!) { deleteBudget(id: $id, expectedVersion: $v) }";
    assert_eq!(analyst.run(delete, json!({ "id": id, "v": 5 })).await.ok()["deleteBudget"], id);
    let trail =
        gateway.rows(&format!("SELECT action, details FROM audit_logs WHERE resource_id = '{id}' ORDER BY id")).await;
    let actions: Vec<_> = trail.iter().map(|row| row["action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["BUDGET_CREATE", "BUDGET_EDIT", "BUDGET_SUBMIT", "BUDGET_REJECT", "BUDGET_DELETE"]);
    assert_eq!(trail[3]["details"]["reason"], "Too dear");
    let deleted = &trail[4]["details"];
    assert_eq!(
        (&deleted["before"]["name"], &deleted["also"][0]["before"]["q1Amount"]),
        (&json!("Plan"), &json!("7.00"))
    );
}

/// The regions of deals are the same in the budget of one, however a client has them.
#[tokio::test]
async fn a_budget_is_for_a_region_in_any_spelling() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let create = "mutation($region: String, $version: String!) {
        createBudget(input: { name: \"Spelled\", fiscalYear: 2039, version: $version, region: $region }) { region } }";
    for (version, given) in ["NORTH_AMERICA", "north  america", "North America"].into_iter().enumerate() {
        let budget = cfo.run(create, json!({ "region": given, "version": format!("v{version}") })).await.ok();
        assert_eq!(budget["createBudget"]["region"], "North America", "{given}");
    }
}

#[tokio::test]
async fn who_sees_one_region_budgets_for_it() {
    let gateway = Gateway::demo().await;
    let europe = gateway.sign_in("europe.analyst@aether-demo.com", "aether-demo").await;
    let create = "mutation($region: String, $version: String!) {
        createBudget(input: { name: \"Mine\", fiscalYear: 2034, version: $version, region: $region }) { id region } }";
    let own = europe.run(create, json!({ "version": "v1" })).await.ok();
    assert_eq!(own["createBudget"]["region"], "Europe");
    let other = europe.run(create, json!({ "version": "v2", "region": "Asia" })).await;
    assert_eq!(
        (other.code(), &other.body["errors"][0]["extensions"]["field"]),
        ("VALIDATION_FAILED", &json!("input.region"))
    );
    let copy = "mutation($id: UUID!) { copyBudget(id: $id, version: \"v3\") { region } }";
    let copied = europe.run(copy, json!({ "id": own["createBudget"]["id"] })).await.ok();
    assert_eq!(copied["copyBudget"]["region"], "Europe");
}
