//! Vendors and what is spent on them.

use serde_json::{Value, json};

use crate::{
    case,
    mutations::{Case, May},
    support::{Gateway, User},
};

const EDITORS: May = May::Organization(&["CFO", "FINANCE_MANAGER"]);

const VENDOR: &str = "INSERT INTO vendors (organization_id, name, category) SELECT id, gen_random_uuid()::text, 'SaaS' \
    FROM organizations WHERE slug = 'aether-demo' RETURNING id, row_version AS \"expectedVersion\"";

pub fn cases() -> Vec<Case> {
    vec![
        case!(
            "createVendor",
            EDITORS,
            "SELECT gen_random_uuid()::text AS name",
            "mutation($name: String!) { createVendor(input: { name: $name, category: \"SaaS\" }) { id } }"
        ),
        case!(
            "editVendor",
            EDITORS,
            VENDOR,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                editVendor(id: $id, expectedVersion: $expectedVersion, input: { riskLevel: HIGH }) { riskLevel } }"
        ),
        case!(
            "setVendorStatus",
            EDITORS,
            VENDOR,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                setVendorStatus(id: $id, expectedVersion: $expectedVersion, status: INACTIVE) { status } }"
        ),
        case!(
            "recordVendorSpend",
            EDITORS,
            VENDOR,
            "mutation($id: UUID!) { recordVendorSpend(vendorId: $id, input: { periodDate: \"2031-01-01\", amount: \"5\" }) { amount } }"
        ),
    ]
}

/// The field of a mutation that must be refused as invalid.
async fn invalid(user: &User<'_>, operation: &str, variables: Value) -> String {
    let answer = user.run(operation, variables).await;
    assert_eq!(answer.code(), "VALIDATION_FAILED", "{:#}", answer.body);
    answer.body["errors"][0]["extensions"]["field"].as_str().expect("a field").to_owned()
}

#[tokio::test]
async fn a_vendor_is_created_edited_and_given_up() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let create = "mutation($input: VendorInput!) { createVendor(input: $input) {
        id name status riskLevel autoRenewal contractValue contractEndDate description rowVersion } }";
    let input = json!({ "name": " Orbital Cloud ", "category": "Cloud", "contractValue": "120000", "contractStartDate": "2026-01-01",
        "description": "Compute", "primaryContactEmail": "ops@orbital.example" });
    let vendor = cfo.run(create, json!({ "input": input })).await.ok()["createVendor"].clone();
    assert_eq!(
        (&vendor["name"], &vendor["status"], &vendor["riskLevel"]),
        (&json!("Orbital Cloud"), &json!("ACTIVE"), &json!("LOW"))
    );
    assert_eq!((&vendor["contractValue"], &vendor["contractEndDate"]), (&json!("120000.00"), &Value::Null));
    let twice = cfo.run(create, json!({ "input": input })).await;
    assert_eq!((twice.code(), &twice.body["errors"][0]["extensions"]["field"]), ("CONFLICT", &json!("name")));
    let mut spelled = input.clone();
    spelled["name"] = json!("ORBITAL\u{a0} cloud");
    let spelled = cfo.run(create, json!({ "input": spelled })).await;
    assert_eq!((spelled.code(), &spelled.body["errors"][0]["extensions"]["field"]), ("CONFLICT", &json!("name")));
    for (field, value) in [
        ("name", json!("Orbital\u{200b} Cloud")),
        ("name", json!("\u{200b}\u{2060}")),
        ("name", json!(" ")),
        ("category", json!("x".repeat(101))),
        ("contractValue", json!("-1")),
        ("contractValue", json!("0.001")),
        ("contractEndDate", json!("2025-12-31")),
        ("primaryContactEmail", json!("ops at orbital")),
    ] {
        let mut input = input.clone();
        input[field] = value;
        assert_eq!(invalid(&cfo, create, json!({ "input": input })).await, format!("input.{field}"));
    }

    let edit = "mutation($id: UUID!, $v: Int!, $input: VendorPatch!) { editVendor(id: $id, expectedVersion: $v, input: $input) {
        contractValue contractEndDate description primaryContactEmail rowVersion } }";
    let patch = json!({ "contractEndDate": "2026-12-31", "description": null, "contractValue": "130000.5" });
    let edited = cfo.run(edit, json!({ "id": vendor["id"], "v": 1, "input": patch })).await.ok();
    assert_eq!(
        edited["editVendor"],
        json!({ "contractValue": "130000.50", "contractEndDate": "2026-12-31", "description": null,
            "primaryContactEmail": "ops@orbital.example", "rowVersion": 2 })
    );
    let early = json!({ "id": vendor["id"], "v": 2, "input": { "contractStartDate": "2027-01-01" } });
    assert_eq!(invalid(&cfo, edit, early).await, "input.contractEndDate");
    assert_eq!(cfo.run(edit, json!({ "id": vendor["id"], "v": 1, "input": {} })).await.code(), "CONFLICT");

    let status = "mutation($id: UUID!) { setVendorStatus(id: $id, expectedVersion: 2, status: INACTIVE, reason: \"Too dear\") { status } }";
    assert_eq!(cfo.run(status, json!({ "id": vendor["id"] })).await.ok()["setVendorStatus"]["status"], "INACTIVE");
    let id = vendor["id"].as_str().expect("an id");
    let trail = gateway.rows(&format!("SELECT details FROM audit_logs WHERE resource_id = '{id}' ORDER BY id")).await;
    assert_eq!(trail.len(), 3);
    assert_eq!(
        trail[1]["details"]["before"],
        json!({ "contractEndDate": null, "description": "Compute", "contractValue": "120000.00" })
    );
    assert_eq!(trail[2]["details"]["reason"], "Too dear");
    assert_eq!(
        (&trail[2]["details"]["before"], &trail[2]["details"]["after"]),
        (&json!({ "status": "ACTIVE" }), &json!({ "status": "INACTIVE" }))
    );
    let elsewhere = gateway.sign_in("cfo@meridian-capital.example", "meridian-capital").await;
    assert_eq!(elsewhere.run(status, json!({ "id": id })).await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn spend_is_compared_with_the_year_before_both_ways() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let vendor = cfo.data("mutation { createVendor(input: { name: \"Orbital\", category: \"Cloud\" }) { id } }").await
        ["createVendor"]["id"]
        .clone();
    let record = "mutation($id: UUID!, $v: Int, $input: VendorSpendInput!) { recordVendorSpend(vendorId: $id, expectedVersion: $v, input: $input) {
        periodDate amount budgetAmount yoyChange breakdown rowVersion } }";
    let spend = async |version: Option<i32>, input: Value| {
        cfo.run(record, json!({ "id": vendor, "v": version, "input": input })).await.ok()["recordVendorSpend"].clone()
    };
    // The later year first: there is nothing to compare it with until the year before is recorded.
    assert_eq!(spend(None, json!({ "periodDate": "2027-03-01", "amount": "110" })).await["yoyChange"], Value::Null);
    let input = json!({ "periodDate": "2026-03-01", "amount": "100", "budgetAmount": "90", "breakdown": { "compute": 60, "storage": "40.00" } });
    let first = spend(None, input.clone()).await;
    assert_eq!((&first["yoyChange"], &first["budgetAmount"]), (&Value::Null, &json!("90.00")));
    let change = async |year: i32| {
        gateway
            .value(&format!(
                "SELECT yoy_change::text FROM vendor_spend WHERE vendor_id = '{}' AND period_date = '{year}-03-01'",
                vendor.as_str().expect("an id")
            ))
            .await
    };
    assert_eq!(change(2027).await, "10.00");
    // A correction needs the version, keeps the budget that it does not name, and counts for the next year.
    let again = cfo.run(record, json!({ "id": vendor, "input": input })).await;
    assert_eq!(
        (again.code(), &again.body["errors"][0]["extensions"]["field"]),
        ("VALIDATION_FAILED", &json!("expectedVersion"))
    );
    assert_eq!(cfo.run(record, json!({ "id": vendor, "v": 9, "input": input })).await.code(), "CONFLICT");
    let corrected = spend(Some(1), json!({ "periodDate": "2026-03-01", "amount": "220" })).await;
    assert_eq!((&corrected["budgetAmount"], &corrected["breakdown"]), (&json!("90.00"), &Value::Null));
    assert_eq!(change(2027).await, "-50.00");
    let wrong = [
        (json!({ "periodDate": "2026-03-02", "amount": "1" }), "input.periodDate"),
        (json!({ "periodDate": "2026-04-01", "amount": "1.005" }), "input.amount"),
        (json!({ "periodDate": "2026-04-01", "amount": "1", "budgetAmount": "-1" }), "input.budgetAmount"),
        (json!({ "periodDate": "2026-04-01", "amount": "100", "breakdown": { "compute": 60 } }), "input.breakdown"),
        (
            json!({ "periodDate": "2026-04-01", "amount": "1", "breakdown": { "compute": "much" } }),
            "input.breakdown.compute",
        ),
        (json!({ "periodDate": "2026-04-01", "amount": "1", "breakdown": [1] }), "input.breakdown"),
    ];
    for (input, field) in wrong {
        assert_eq!(invalid(&cfo, record, json!({ "id": vendor, "input": input })).await, field);
    }
    let trail = gateway.rows("SELECT details FROM audit_logs WHERE action = 'VENDOR_SPEND_RECORD' ORDER BY id").await;
    assert_eq!(trail.len(), 3, "{trail:#?}");
    assert_eq!(trail[2]["details"]["also"][0]["before"]["amount"], "100.00");
    assert_eq!(trail[2]["details"]["also"][1]["after"], json!({ "yoyChange": "-50.00" }));
}
