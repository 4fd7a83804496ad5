//! Departments and their costs.

use serde_json::{Value, json};

use crate::{
    case,
    mutations::{Case, May},
    support::{Gateway, HOME, User},
};

const EDITORS: May = May::Organization(&["CFO", "FINANCE_MANAGER"]);

const DEPARTMENT: &str = "INSERT INTO departments (organization_id, name) SELECT id, gen_random_uuid()::text \
    FROM organizations WHERE slug = 'aether-demo' RETURNING id, row_version AS \"expectedVersion\"";

pub fn cases() -> Vec<Case> {
    vec![
        case!("createDepartment", EDITORS, "SELECT gen_random_uuid()::text AS name",
            "mutation($name: String!) { createDepartment(input: { name: $name }) { id } }"),
        case!("editDepartment", EDITORS, DEPARTMENT,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                editDepartment(id: $id, expectedVersion: $expectedVersion, input: { annualBudget: \"5\" }) { annualBudget } }"),
        case!("moveDepartment", EDITORS,
            "INSERT INTO departments (organization_id, name) SELECT id, gen_random_uuid()::text FROM organizations WHERE slug = 'aether-demo';
             SELECT d.id, d.row_version AS \"expectedVersion\", p.id AS \"parentId\" FROM departments d JOIN departments p
                 ON p.organization_id = d.organization_id AND p.name = 'Engineering'
              WHERE d.organization_id = (SELECT id FROM organizations WHERE slug = 'aether-demo') ORDER BY d.created_at DESC LIMIT 1",
            "mutation($id: UUID!, $expectedVersion: Int!, $parentId: UUID!) {
                moveDepartment(id: $id, expectedVersion: $expectedVersion, parentId: $parentId) { parentId } }"),
        case!("deleteDepartment", EDITORS, DEPARTMENT,
            "mutation($id: UUID!, $expectedVersion: Int!) { deleteDepartment(id: $id, expectedVersion: $expectedVersion) }"),
        case!("recordDepartmentCosts", EDITORS, DEPARTMENT,
            "mutation($id: UUID!) { recordDepartmentCosts(departmentId: $id, input: { periodDate: \"2031-01-01\", payroll: \"5\" }) { totalCost } }"),
    ]
}

const CREATE: &str =
    "mutation($input: DepartmentInput!) { createDepartment(input: $input) { id name parent { name } rowVersion } }";
const EDIT: &str = "mutation($id: UUID!, $v: Int!, $input: DepartmentPatch!) {
    editDepartment(id: $id, expectedVersion: $v, input: $input) { name code headUser { name } annualBudget rowVersion } }";
const MOVE: &str = "mutation($id: UUID!, $v: Int!, $to: UUID) { moveDepartment(id: $id, expectedVersion: $v, parentId: $to) { parentId rowVersion } }";
const DELETE: &str = "mutation($id: UUID!, $v: Int!) { deleteDepartment(id: $id, expectedVersion: $v) }";

async fn create(user: &User<'_>, name: &str, parent: &Value) -> Value {
    user.run(CREATE, json!({ "input": { "name": name, "parentId": parent } })).await.ok()["createDepartment"]["id"]
        .clone()
}

async fn refused(user: &User<'_>, operation: &str, variables: Value) -> (String, Value) {
    let answer = user.run(operation, variables).await;
    (answer.code().to_owned(), answer.body["errors"][0]["extensions"]["field"].clone())
}

fn invalid(field: &str) -> (String, Value) {
    ("VALIDATION_FAILED".into(), field.into())
}

#[tokio::test]
async fn departments_are_a_tree() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let top = create(&cfo, "Research", &Value::Null).await;
    let middle = create(&cfo, "Applied Research", &top).await;
    let leaf = create(&cfo, "Materials", &middle).await;
    // Neither below itself nor below what lies below it.
    for below in [&top, &middle, &leaf] {
        assert_eq!(refused(&cfo, MOVE, json!({ "id": top, "v": 1, "to": below })).await, invalid("parentId"));
    }
    let moved = cfo.run(MOVE, json!({ "id": leaf, "v": 1, "to": top })).await.ok();
    assert_eq!(moved["moveDepartment"], json!({ "parentId": top, "rowVersion": 2 }));
    cfo.run(MOVE, json!({ "id": middle, "v": 1, "to": leaf })).await.ok();
    // Two who move at once cannot make a circle either.
    let moves = [json!({ "id": leaf, "v": 2, "to": null }), json!({ "id": leaf, "v": 2, "to": middle })];
    let (up, down) = tokio::join!(cfo.run(MOVE, moves[0].clone()), cfo.run(MOVE, moves[1].clone()));
    assert!(up.body.get("errors").is_none(), "{:#}", up.body);
    assert!(["CONFLICT", "VALIDATION_FAILED"].contains(&down.code()));
    // Nobody's parent is of another organization.
    let strange = gateway.value("SELECT d.id FROM departments d JOIN organizations o ON o.id = d.organization_id WHERE o.slug <> 'aether-demo' LIMIT 1").await;
    assert_eq!(refused(&cfo, MOVE, json!({ "id": top, "v": 1, "to": strange })).await, invalid("parentId"));
    assert_eq!(refused(&cfo, EDIT, json!({ "id": strange, "v": 1, "input": {} })).await.0, "NOT_FOUND");
    assert_eq!(
        refused(&cfo, CREATE, json!({ "input": { "name": "X", "parentId": strange } })).await,
        invalid("input.parentId")
    );
    assert_eq!(
        refused(&cfo, CREATE, json!({ "input": { "name": "Research" } })).await,
        ("CONFLICT".into(), "name".into())
    );
    // Users and anomalies refer to a department by name, so that another spelling of one is taken, too; its own is not.
    let spelled = json!({ "name": "  applied  RESEARCH" });
    assert_eq!(refused(&cfo, CREATE, json!({ "input": spelled })).await, ("CONFLICT".into(), "name".into()));
    let other = create(&cfo, "Laboratory", &Value::Null).await;
    let edit = |id: &Value, v: i32, input: &Value| json!({ "id": id, "v": v, "input": input });
    assert_eq!(refused(&cfo, EDIT, edit(&other, 1, &spelled)).await, ("CONFLICT".into(), "name".into()));
    cfo.run(EDIT, edit(&other, 1, &json!({ "name": "LABORATORY" }))).await.ok();
    cfo.run(DELETE, json!({ "id": other, "v": 2 })).await.ok();

    assert_eq!(refused(&cfo, DELETE, json!({ "id": leaf, "v": 3 })).await.0, "PRECONDITION_FAILED");
    assert_eq!(cfo.run(DELETE, json!({ "id": middle, "v": 2 })).await.ok()["deleteDepartment"], middle);
    for (used, by) in [
        (
            "INSERT INTO department_costs (department_id, organization_id, period_date) SELECT id, organization_id, '2031-01-01' FROM departments WHERE id = ",
            "department_costs",
        ),
        (
            "INSERT INTO budgets (organization_id, department_id, name, fiscal_year) SELECT organization_id, id, 'X', 2031 FROM departments WHERE id = ",
            "budgets",
        ),
    ] {
        let id = leaf.as_str().expect("an id");
        gateway.execute(&format!("{used}'{id}'")).await;
        assert_eq!(refused(&cfo, DELETE, json!({ "id": leaf, "v": 3 })).await.0, "PRECONDITION_FAILED", "{by}");
        gateway.execute(&format!("DELETE FROM {by} WHERE department_id = '{id}'")).await;
    }
    cfo.run(DELETE, json!({ "id": leaf, "v": 3 })).await.ok();
    let told =
        gateway.value("SELECT details FROM audit_logs WHERE action = 'DEPARTMENT_EDIT' ORDER BY id DESC LIMIT 1").await;
    assert_eq!(told["before"]["name"], "Materials");
}

#[tokio::test]
async fn users_and_anomalies_follow_a_department_to_its_new_name() {
    let gateway = Gateway::demo().await;
    let (cfo, confined) = (gateway.cfo().await, gateway.sign_in("engineering.analyst@aether-demo.com", HOME).await);
    let engineering = gateway
        .value("SELECT jsonb_build_object('id', d.id, 'v', d.row_version) FROM departments d JOIN organizations o ON o.id = d.organization_id WHERE o.slug = 'aether-demo' AND d.name = 'Engineering'")
        .await;
    gateway
        .execute(
            "INSERT INTO anomalies (organization_id, metric_type, severity, description, affected_department)
        SELECT id, 'REVENUE', 'low', 'Own', 'Engineering' FROM organizations",
        )
        .await;
    let mine = "{ departments(orderBy: { field: NAME }) { nodes { name } } anomalies { totalCount } departmentCosts { totalCount } }";
    let before = confined.data(mine).await;
    let mut expected = before.clone();
    for name in expected["departments"]["nodes"].as_array_mut().expect("departments") {
        if name["name"] == "Engineering" {
            name["name"] = json!("Technology");
        }
    }
    let input = json!({ "name": "Technology", "code": "TEC-1", "annualBudget": null });
    let renamed = cfo.run(EDIT, json!({ "id": engineering["id"], "v": engineering["v"], "input": input })).await.ok();
    assert_eq!(renamed["editDepartment"]["name"], "Technology");
    let after = confined.data(mine).await;
    let names = |data: &Value| {
        let mut names: Vec<_> =
            data["departments"]["nodes"].as_array().expect("departments").iter().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(names(&after), names(&expected));
    assert_eq!((&after["anomalies"], &after["departmentCosts"]), (&before["anomalies"], &before["departmentCosts"]));
    let left = "SELECT count(*) FROM anomalies a JOIN organizations o ON o.id = a.organization_id WHERE affected_department = 'Engineering' AND slug ";
    assert_eq!(gateway.value(&format!("{left} = 'aether-demo'")).await, 0);
    assert_ne!(gateway.value(&format!("{left} <> 'aether-demo'")).await, 0, "another organization's were renamed");
    let told =
        gateway.value("SELECT details FROM audit_logs WHERE action = 'DEPARTMENT_EDIT' ORDER BY id DESC LIMIT 1").await;
    assert_eq!((&told["before"]["name"], &told["after"]["name"]), (&json!("Engineering"), &json!("Technology")));
    assert_eq!(told["after"]["usersConfined"].as_array().map(Vec::len), Some(1));
    // While somebody is confined to it, it stays.
    let id = create(&cfo, "Lab", &Value::Null).await;
    gateway.execute("UPDATE users SET department = 'Lab' WHERE email = 'viewer@aether-demo.com'").await;
    assert_eq!(refused(&cfo, DELETE, json!({ "id": id, "v": 1 })).await.0, "PRECONDITION_FAILED");
}

#[tokio::test]
async fn who_is_confined_to_a_department_stays_in_it() {
    let gateway = Gateway::demo().await;
    gateway
        .execute("UPDATE users SET department = 'Engineering' WHERE email = 'finance.manager@aether-demo.com'")
        .await;
    let manager = gateway.sign_in("finance.manager@aether-demo.com", HOME).await;
    let ids = gateway.value("SELECT jsonb_object_agg(d.name, d.id) FROM departments d JOIN organizations o ON o.id = d.organization_id WHERE o.slug = 'aether-demo'").await;
    let elsewhere = ids
        .as_object()
        .expect("departments")
        .iter()
        .find(|(name, _)| *name == "Sales" || *name == "Finance")
        .expect("another")
        .1;
    for operation in [MOVE, DELETE] {
        assert_eq!(refused(&manager, operation, json!({ "id": elsewhere, "v": 1, "to": null })).await.0, "NOT_FOUND");
    }
    assert_eq!(refused(&manager, CREATE, json!({ "input": { "name": "Lab" } })).await, invalid("input.parentId"));
    assert_eq!(
        refused(&manager, CREATE, json!({ "input": { "name": "Lab", "parentId": elsewhere } })).await,
        invalid("input.parentId")
    );
    let lab = create(&manager, "Lab", &ids["Engineering"]).await;
    assert_eq!(refused(&manager, MOVE, json!({ "id": lab, "v": 1, "to": null })).await, invalid("parentId"));
    let record = "mutation($id: UUID!) { recordDepartmentCosts(departmentId: $id, input: { periodDate: \"2031-01-01\" }) { totalCost } }";
    assert_eq!(manager.run(record, json!({ "id": lab })).await.ok()["recordDepartmentCosts"]["totalCost"], "0.00");
    assert_eq!(refused(&manager, record, json!({ "id": elsewhere })).await.0, "NOT_FOUND");
    let budget = "mutation($department: UUID) { createBudget(input: { name: \"B\", fiscalYear: 2031, version: \"v1\", departmentId: $department }) { id } }";
    assert_eq!(refused(&manager, budget, json!({ "department": null })).await, invalid("input.departmentId"));
    assert_eq!(refused(&manager, budget, json!({ "department": elsewhere })).await, invalid("input.departmentId"));
    manager.run(budget, json!({ "department": lab })).await.ok();
}

#[tokio::test]
async fn costs_of_a_month_are_recorded_and_corrected() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let lab = create(&cfo, "Lab", &Value::Null).await;
    let record = "mutation($id: UUID!, $v: Int, $input: DepartmentCostInput!) { recordDepartmentCosts(departmentId: $id, expectedVersion: $v, input: $input) {
        payroll travel totalCost headcount costPerEmployee rowVersion } }";
    let first = json!({ "periodDate": "2031-01-01", "payroll": "1000.10", "travel": "-0.10", "headcount": 3 });
    let recorded = cfo.run(record, json!({ "id": lab, "input": first })).await.ok();
    assert_eq!(
        recorded["recordDepartmentCosts"],
        json!({ "payroll": "1000.10", "travel": "-0.10", "totalCost": "1000.00", "headcount": 3, "costPerEmployee": "333.33", "rowVersion": 1 })
    );
    assert_eq!(refused(&cfo, record, json!({ "id": lab, "input": first })).await, invalid("expectedVersion"));
    assert_eq!(refused(&cfo, record, json!({ "id": lab, "v": 2, "input": first })).await.0, "CONFLICT");
    let corrected = cfo
        .run(
            record,
            json!({ "id": lab, "v": 1, "input": { "periodDate": "2031-01-01", "travel": "5", "headcount": null } }),
        )
        .await
        .ok();
    assert_eq!(
        corrected["recordDepartmentCosts"],
        json!({ "payroll": "1000.10", "travel": "5.00", "totalCost": "1005.10", "headcount": null, "costPerEmployee": null, "rowVersion": 2 })
    );
    for (input, field) in [
        (json!({ "periodDate": "2031-01-31" }), "input.periodDate"),
        (json!({ "periodDate": "2031-02-01", "software": "1.001" }), "input.software"),
        (json!({ "periodDate": "2031-02-01", "headcount": -1 }), "input.headcount"),
    ] {
        assert_eq!(refused(&cfo, record, json!({ "id": lab, "input": input })).await, invalid(field));
    }
    let told = gateway
        .value("SELECT details FROM audit_logs WHERE action = 'DEPARTMENT_COSTS_RECORD' ORDER BY id DESC LIMIT 1")
        .await;
    assert_eq!(
        told["also"][0]["before"],
        json!({ "travel": "-0.10", "headcount": 3, "totalCost": "1000.00", "costPerEmployee": "333.33" })
    );
}
