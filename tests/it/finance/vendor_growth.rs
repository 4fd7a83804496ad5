//! How the spend on vendors grows and which contracts end, against calculations by hand.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::support::{Gateway, HOME};

/// A gateway on 20 November 2026 where the organization has these vendors only: name, category, end of the contract; with this spend: vendor,
/// month, amount, budget.
async fn with(vendors: &[[&str; 3]], spend: &[[&str; 4]]) -> Gateway {
    let gateway = Gateway::as_of(NaiveDate::from_ymd_opt(2026, 11, 20).expect("a day")).await;
    let text = |text: &str| if text.is_empty() { "NULL".to_owned() } else { format!("'{text}'") };
    let row = |cells: &[&str]| format!("({})", cells.iter().map(|cell| text(cell)).collect::<Vec<_>>().join(", "));
    let vendors = vendors.iter().map(|cells| row(cells)).collect::<Vec<_>>().join(", ");
    let spend = spend.iter().map(|cells| row(cells)).collect::<Vec<_>>().join(", ");
    gateway
        .execute(&format!(
            "DELETE FROM vendors WHERE organization_id = (SELECT id FROM organizations WHERE slug = '{HOME}');
             INSERT INTO vendors (organization_id, name, category, contract_start_date, contract_end_date, contract_value, status)
             SELECT o.id, v.name, v.category, '2020-01-01', v.ends::date, 1000, CASE WHEN v.name LIKE 'Former%' THEN 'inactive' ELSE 'active' END::vendor_status
               FROM (VALUES {vendors}) v(name, category, ends), organizations o WHERE o.slug = '{HOME}';
             INSERT INTO vendor_spend (organization_id, vendor_id, period_date, amount, budget_amount)
             SELECT v.organization_id, v.id, s.month::date, s.amount::numeric, s.budget::numeric
               FROM (VALUES {spend}) s(name, month, amount, budget) JOIN vendors v ON v.name = s.name JOIN organizations o ON o.id = v.organization_id AND o.slug = '{HOME}'"
        ))
        .await;
    gateway
}

#[tokio::test]
async fn growth_and_its_movers_are_those_of_a_hand_calculation() {
    let gateway = with(
        &[
            ["Cloud", "IT", ""],
            ["Licences", "IT", ""],
            ["Travel", "Other", ""],
            ["Gone", "Other", ""],
            ["Fresh", "Other", ""],
        ],
        &[
            ["Cloud", "2025-01-01", "100", ""],
            ["Cloud", "2025-02-01", "100", ""],
            ["Cloud", "2026-01-01", "150", "120"],
            ["Cloud", "2026-02-01", "170", "120"],
            // Outside of the months.
            ["Cloud", "2026-03-01", "9999", ""],
            ["Cloud", "2025-12-01", "9999", ""],
            ["Licences", "2025-01-01", "50", ""],
            ["Licences", "2026-01-01", "40", ""],
            ["Travel", "2025-02-01", "33.33", ""],
            ["Travel", "2026-02-01", "33.34", ""],
            ["Gone", "2025-01-01", "60", ""],
            ["Fresh", "2026-02-01", "25", ""],
        ],
    )
    .await;
    let cfo = gateway.cfo().await;
    let fields =
        "name category spent budget compared change { difference percent status } contribution months comparedMonths";
    let query = |arguments: &str| {
        format!(
            "{{ vendorSpendGrowth(since: \"2026-01-31\", until: \"2026-02-01\"{arguments}) {{ currency months {{ first last }} comparedMonths {{ first last }}
                total {{ {fields} }} movers {{ {fields} }} others {{ {fields} }} }} }}"
        )
    };
    cfo.data("{ me { user { id } } }").await;
    let answer = cfo.query(&query(", first: 2")).await;
    assert_eq!(answer.statements(), 1);
    let data = answer.ok();
    let growth = &data["vendorSpendGrowth"];
    assert_eq!(growth["months"], json!({ "first": "2026-01-01", "last": "2026-02-01" }));
    assert_eq!(growth["comparedMonths"], json!({ "first": "2025-01-01", "last": "2025-02-01" }));
    // 418.34 against 343.33: 75.01, which are 21.847785… percent.
    assert_eq!(
        growth["total"],
        json!({ "name": null, "category": null, "spent": "418.34", "budget": "240.00", "compared": "343.33",
                "change": { "difference": "75.0100", "percent": "21.8478", "status": "UNFAVORABLE" }, "contribution": "21.8478",
                "months": 5, "comparedMonths": 5 })
    );
    // 120 of 343.33, and −60 of it.
    assert_eq!(
        growth["movers"],
        json!([
            { "name": "Cloud", "category": "IT", "spent": "320.00", "budget": "240.00", "compared": "200.00",
              "change": { "difference": "120.0000", "percent": "60.0000", "status": "UNFAVORABLE" }, "contribution": "34.9518", "months": 2, "comparedMonths": 2 },
            { "name": "Gone", "category": "Other", "spent": null, "budget": null, "compared": "60.00", "change": null, "contribution": "-17.4759",
              "months": 0, "comparedMonths": 1 },
        ])
    );
    // Fresh 25, Licences −10, Travel 0.01.
    assert_eq!(growth["others"]["change"]["difference"], "15.0100");
    assert_eq!(growth["others"]["contribution"], "4.3719", "rounded so that 34.9518 − 17.4759 + 4.3719 is 21.8478");
    let categories = cfo.data(&query(", by: CATEGORY")).await;
    let movers = &categories["vendorSpendGrowth"]["movers"];
    let shown: Vec<_> =
        movers.as_array().expect("movers").iter().map(|of| (&of["category"], &of["spent"], &of["compared"])).collect();
    assert_eq!(
        shown,
        [(&json!("IT"), &json!("360.00"), &json!("250.00")), (&json!("Other"), &json!("58.34"), &json!("93.33"))]
    );
    assert_eq!(categories["vendorSpendGrowth"]["others"], Value::Null);
    let nothing = cfo.data("{ vendorSpendGrowth(since: \"2010-01-01\", until: \"2010-02-01\") { currency total { spent compared contribution } movers { name } others { spent } } }").await;
    assert_eq!(
        nothing["vendorSpendGrowth"],
        json!({ "currency": "USD", "total": { "spent": null, "compared": null, "contribution": null }, "movers": [], "others": null })
    );
    for (arguments, field) in [
        ("since: \"2026-02-01\", until: \"2026-01-01\"", "until"),
        ("since: \"0001-01-01\", until: \"2026-01-01\"", "since"),
        ("since: \"2026-01-01\", until: \"2026-02-01\", comparedUntil: \"2020-01-01\"", "comparedUntil"),
        ("since: \"2026-01-01\", until: \"2026-02-01\", first: 501", "first"),
        ("since: \"2026-01-01\", until: \"2026-02-01\", first: -1", "first"),
    ] {
        let answer = cfo.query(&format!("{{ vendorSpendGrowth({arguments}) {{ currency }} }}")).await;
        assert_eq!(answer.code(), "VALIDATION_FAILED", "{arguments}");
        assert_eq!(answer.body["errors"][0]["extensions"]["field"], field, "{arguments}");
    }
}

#[tokio::test]
async fn contracts_end_by_the_organizations_own_day() {
    let gateway = with(
        &[
            ["Today", "IT", "2026-11-20"],
            ["Soon", "IT", "2026-12-20"],
            ["Later", "IT", "2026-12-21"],
            ["Past", "IT", "2026-11-19"],
            ["Open", "IT", ""],
            ["Former", "IT", "2026-11-25"],
        ],
        &[
            ["Later", "2027-03-01", "500", ""],
            ["Soon", "2026-10-01", "10", ""],
            ["Soon", "2025-11-01", "5", ""],
            ["Soon", "2025-10-01", "1000", ""],
        ],
    )
    .await;
    // The day is that of the database's clock, so the dates are moved to where it is.
    gateway
        .execute(&format!(
            "UPDATE vendors SET contract_end_date = contract_end_date + ((now() AT TIME ZONE o.zone)::date - date '2026-11-20')
               FROM (SELECT id, settings ->> 'timezone' AS zone FROM organizations WHERE slug = '{HOME}') o WHERE organization_id = o.id"
        ))
        .await;
    let cfo = gateway.cfo().await;
    let data = cfo.data("{ contractsEnding(withinDays: 30) { name daysLeft autoRenewal contractValue spentLastTwelveMonths currency } }").await;
    assert_eq!(
        data["contractsEnding"],
        json!([
            { "name": "Today", "daysLeft": 0, "autoRenewal": false, "contractValue": "1000.00", "spentLastTwelveMonths": null, "currency": "USD" },
            { "name": "Soon", "daysLeft": 30, "autoRenewal": false, "contractValue": "1000.00", "spentLastTwelveMonths": "15.00", "currency": "USD" },
        ])
    );
    assert_eq!(cfo.query("{ contractsEnding(withinDays: -1) { name } }").await.code(), "VALIDATION_FAILED");
    assert_eq!(gateway.stranger().query("{ contractsEnding { name } }").await.code(), "UNAUTHENTICATED");
}
