//! Key figures and variances, against calculations by hand.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::support::{Gateway, HOME, User};

/// A recorded metric: day, metric, region, line of business, product, actual, budget, currency.
type Recorded = [&'static str; 8];

/// A gateway where the organization has these metrics and no others.
async fn with(metrics: &[Recorded]) -> Gateway {
    let gateway = Gateway::demo().await;
    record(&gateway, metrics).await;
    gateway
}

async fn record(gateway: &Gateway, metrics: &[Recorded]) {
    let text = |text: &str| if text.is_empty() { "NULL".to_owned() } else { format!("'{text}'") };
    let rows = metrics.iter().map(|[day, kind, region, lob, product, actual, budget, currency]| {
        let (region, lob, product) = (text(region), text(lob), text(product));
        let (actual, budget) = (text(actual), text(budget));
        format!("('{day}', '{kind}', {region}, {lob}, {product}, {actual}, {budget}, '{currency}')")
    });
    let rows = rows.collect::<Vec<_>>().join(", ");
    gateway
        .execute(&format!(
            "DELETE FROM financial_metrics WHERE organization_id = (SELECT id FROM organizations WHERE slug = '{HOME}');
             INSERT INTO financial_metrics (organization_id, metric_date, metric_type, region, lob, product, actual_value, budget_value, currency)
             SELECT o.id, v.day::date, v.kind::metric_type, v.region, v.lob, v.product, v.actual::numeric, v.budget::numeric, v.currency
               FROM (VALUES {rows}) v(day, kind, region, lob, product, actual, budget, currency), organizations o WHERE o.slug = '{HOME}'"
        ))
        .await;
}

const R: &str = "REVENUE";
const U: &str = "USD";

/// The figures of a request: metric, slice, currency, value, budget, prior.
async fn figures(user: &User<'_>, arguments: &str) -> Vec<String> {
    let query = format!("{{ kpis({arguments}) {{ metricType slice currency value budget prior }} }}");
    let data = user.data(&query).await;
    let kpis = data["kpis"].as_array().expect("figures").iter();
    kpis.map(|kpi| {
        let told = ["metricType", "slice", "currency", "value", "budget", "prior"].map(|field| match &kpi[field] {
            Value::String(text) => text.clone(),
            _ => "-".into(),
        });
        told.join(" ")
    })
    .collect()
}

#[tokio::test]
async fn levels_are_counted_once_and_currencies_apart() {
    // As in the example of the docs: a detail beside its own total, in two currencies.
    let gateway = with(&[
        ["2026-01-01", R, "Europe", "Software", "Licences", "1000.50", "900", "EUR"],
        ["2026-01-01", R, "", "", "", "2000", "", U],
        ["2026-01-01", R, "Europe", "", "", "1200", "", U],
        ["2026-01-01", R, "Europe", "Software", "", "700", "650", U],
        ["2026-01-01", R, "Asia", "Software", "", "300", "310", U],
        ["2026-01-01", R, "Asia", "Services", "Suite", "50", "", U],
    ])
    .await;
    let cfo = gateway.cfo().await;
    let of = "types: [REVENUE], of: \"2026-01-31\"";
    // The total as it is recorded; of the budget, which has none, the sum of its parts.
    assert_eq!(figures(&cfo, of).await, ["REVENUE - EUR 1000.50 900.00 -", "REVENUE - USD 2000.00 960.00 -"]);
    assert_eq!(
        figures(&cfo, &format!("{of}, by: REGION")).await,
        [
            "REVENUE Europe EUR 1000.50 900.00 -",
            "REVENUE Asia USD 350.00 310.00 -",
            "REVENUE Europe USD 1200.00 650.00 -"
        ]
    );
    assert_eq!(
        figures(&cfo, &format!("{of}, by: LINE_OF_BUSINESS")).await,
        [
            "REVENUE Software EUR 1000.50 900.00 -",
            "REVENUE Services USD 50.00 - -",
            "REVENUE Software USD 1000.00 960.00 -"
        ]
    );
    assert_eq!(
        figures(&cfo, &format!("{of}, by: PRODUCT")).await,
        ["REVENUE Licences EUR 1000.50 900.00 -", "REVENUE Suite USD 50.00 - -"]
    );
    // The parts of a difference: what is recorded in no region is one of them.
    let data = cfo
        .data("{ variance(metricType: REVENUE, against: BUDGET, of: \"2026-01-31\") { currency total { value basis contribution status } parts { slice value basis contribution } } }")
        .await;
    assert_eq!(
        data["variance"][1],
        json!({
            "currency": "USD",
            "total": { "value": "2000.00", "basis": "960.00", "contribution": "1040.00", "status": "FAVORABLE" },
            "parts": [
                { "slice": "Asia", "value": "350.00", "basis": "310.00", "contribution": "40.00" },
                { "slice": "Europe", "value": "1200.00", "basis": "650.00", "contribution": "550.00" },
                { "slice": null, "value": "450.00", "basis": null, "contribution": "450.00" },
            ],
        })
    );
}

#[tokio::test]
async fn flows_add_up_stocks_stand_and_ratios_are_weighted() {
    let gateway = with(&[
        ["2026-01-01", R, "Europe", "", "A", "100", "110", U],
        ["2026-01-01", R, "Europe", "", "B", "200", "190", U],
        ["2026-01-01", R, "Asia", "", "", "700", "600", U],
        ["2026-02-01", R, "Europe", "", "", "400", "400", U],
        ["2026-02-01", R, "Asia", "", "", "600", "700", U],
        ["2026-01-01", "GROSS_MARGIN", "Europe", "", "", "50", "60", U],
        ["2026-01-01", "GROSS_MARGIN", "Asia", "", "", "80", "80", U],
        ["2026-02-01", "GROSS_MARGIN", "Europe", "", "", "40", "", U],
        ["2026-02-01", "GROSS_MARGIN", "Asia", "", "", "90", "", U],
        ["2026-01-15", "ARR", "Europe", "", "", "1000", "", U],
        ["2026-01-31", "ARR", "Europe", "", "", "1100", "1050", U],
        ["2026-02-28", "ARR", "Europe", "", "", "1300", "1250", U],
        ["2026-02-28", "ARR", "Asia", "", "", "500", "", U],
        // A budget of a later day is not that of the value.
        ["2026-03-31", "ARR", "Europe", "", "", "", "9999", U],
        ["2026-01-31", "CHURN_RATE", "Europe", "", "", "2", "", U],
        ["2026-02-28", "CHURN_RATE", "Europe", "", "", "3", "", U],
        ["2026-01-01", "CAC", "Europe", "", "", "100", "", U],
        ["2026-01-01", "CAC", "Asia", "", "", "200", "", U],
    ])
    .await;
    let cfo = gateway.cfo().await;
    let months = figures(&cfo, "types: [REVENUE, ARR, GROSS_MARGIN, CHURN_RATE, CAC], of: \"2026-02-01\"").await;
    assert_eq!(
        months,
        [
            "REVENUE - USD 1000.00 1100.00 1000.00",
            "ARR - USD 1800.00 1250.00 1100.00",
            // 40 % of 400 and 90 % of 600; before, 50 % of 300 and 80 % of 700.
            "GROSS_MARGIN - USD 70.0000 - 71.0000",
            "CAC - USD - - 150.00",
            "CHURN_RATE - USD 3.0000 - 2.0000",
        ]
    );
    let quarter =
        figures(&cfo, "types: [REVENUE, ARR, GROSS_MARGIN, CHURN_RATE], of: \"2026-02-01\", period: QUARTER").await;
    assert_eq!(
        quarter,
        [
            "REVENUE - USD 2000.00 2000.00 -",
            "ARR - USD 1800.00 1250.00 -",
            // (150 + 560 + 160 + 540) of 2000; the budget 60 % of 300 and 80 % of 600.
            "GROSS_MARGIN - USD 70.5000 73.3333 -",
            // 2 % of 1100 and 3 % of 1300.
            "CHURN_RATE - USD 2.5417 - -",
        ]
    );
    // Changes of ratios are in points, compared before they are rounded; costs are better lower; what is not known is said.
    let data = cfo
        .data("{ kpis(types: [GROSS_MARGIN, CHURN_RATE, REVENUE, CAC], of: \"2026-02-01\", points: 2) { metricType unit method values
            period { first last isComplete } priorPeriod { first } change { difference percent status } againstBudget { difference percent status }
            series { period { first } value } } }")
        .await;
    let of = |metric: &str| {
        data["kpis"].as_array().expect("figures").iter().find(|kpi| kpi["metricType"] == metric).expect("it").clone()
    };
    assert_eq!(
        of("GROSS_MARGIN"),
        json!({
            "metricType": "GROSS_MARGIN", "unit": "PERCENT", "method": "Mean weighted by REVENUE.", "values": 2,
            "period": { "first": "2026-02-01", "last": "2026-02-28", "isComplete": true }, "priorPeriod": { "first": "2026-01-01" },
            "change": { "difference": "-1.0000", "percent": null, "status": "UNFAVORABLE" }, "againstBudget": null,
            "series": [{ "period": { "first": "2026-01-01" }, "value": "71.0000" }, { "period": { "first": "2026-02-01" }, "value": "70.0000" }],
        })
    );
    assert_eq!(of("CHURN_RATE")["change"]["status"], "UNFAVORABLE");
    assert_eq!(of("REVENUE")["change"], json!({ "difference": "0.0000", "percent": "0.0000", "status": "UNCHANGED" }));
    assert_eq!(
        of("REVENUE")["againstBudget"],
        json!({ "difference": "-100.0000", "percent": "-9.0909", "status": "UNFAVORABLE" })
    );
    assert!(of("CAC")["method"].as_str().expect("words").starts_with("Unweighted mean"), "{}", of("CAC"));
    // Rate and mix of the margin: Europe s1 .4 r1 40 s0 .3 r0 50, Asia s1 .6 r1 90 s0 .7 r0 80, R0 71.
    let data = cfo
        .data("{ variance(metricType: GROSS_MARGIN, against: PRIOR_PERIOD, of: \"2026-02-01\") { total { contribution } parts { slice rateEffect mixEffect contribution status } } }")
        .await;
    let part = |slice: &str, rate: &str, mix: &str, all: &str, status: &str| json!({ "slice": slice, "rateEffect": rate, "mixEffect": mix, "contribution": all, "status": status });
    assert_eq!(
        data["variance"][0],
        json!({
            "total": { "contribution": "-1.0000" },
            "parts": [part("Asia", "6.0000", "-0.9000", "5.1000", "FAVORABLE"), part("Europe", "-4.0000", "-2.1000", "-6.1000", "UNFAVORABLE")],
        })
    );
}

#[tokio::test]
async fn periods_are_the_organizations_and_the_future_moves_nothing() {
    let gateway = Gateway::as_of(chrono::NaiveDate::from_ymd_opt(2026, 11, 20).expect("a day")).await;
    record(
        &gateway,
        &[
            ["2025-03-31", R, "", "", "", "1", "", U],
            ["2025-04-01", R, "", "", "", "10", "", U],
            ["2025-12-31", R, "", "", "", "100", "", U],
            ["2026-03-31", R, "", "", "", "1000", "", U],
            ["2026-04-01", R, "", "", "", "10000", "", U],
            // A stray row of the far future.
            ["2040-01-01", R, "", "", "", "999999", "", U],
        ],
    )
    .await;
    let cfo = gateway.cfo().await;
    let set = async |month: &str| {
        gateway
            .execute(&format!(
                "UPDATE organizations SET settings = settings || '{{\"fiscalYearStart\": \"{month}\"}}' WHERE slug = '{HOME}'"
            ))
            .await;
    };
    set("April").await;
    let value = async |arguments: &str| {
        let data = cfo
            .data(&format!("{{ kpis(types: [REVENUE], {arguments}) {{ value prior period {{ first last }} }} }}"))
            .await;
        let kpi = &data["kpis"][0];
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        [text(&kpi["period"]["first"]), text(&kpi["period"]["last"]), text(&kpi["value"]), text(&kpi["prior"])]
            .join(" ")
    };
    assert_eq!(value("of: \"2026-01-15\", period: YEAR").await, "2025-04-01 2026-03-31 1110.00 1.00");
    assert_eq!(value("of: \"2025-12-31\", period: QUARTER").await, "2025-10-01 2025-12-31 100.00 -");
    assert_eq!(value("of: \"2025-12-01\", period: YEAR_TO_DATE").await, "2025-04-01 2025-12-31 110.00 -");
    assert_eq!(value("of: \"2026-03-31\", period: LAST_TWELVE_MONTHS").await, "2025-04-01 2026-03-31 1110.00 1.00");
    assert_eq!(value("of: \"2026-04-30\", compareTo: PRIOR_YEAR").await, "2026-04-01 2026-04-30 10000.00 10.00");
    // The last that has ended and has actual values, whatever the future holds.
    assert_eq!(value("points: 1").await, "2026-04-01 2026-04-30 10000.00 1000.00");
    assert_eq!(value("period: QUARTER").await, "2026-04-01 2026-06-30 10000.00 1000.00");
    // A period that has not ended says so.
    let data = cfo.data("{ kpis(types: [REVENUE], of: \"2040-01-01\") { value period { isComplete } } }").await;
    assert_eq!(data["kpis"][0], json!({ "value": "999999.00", "period": { "isComplete": false } }));
    // Of nothing there is no figure.
    let data =
        cfo.data("{ kpis(types: [ARR]) { value } variance(metricType: ARR, against: BUDGET) { currency } }").await;
    assert_eq!(data, json!({ "kpis": [], "variance": [] }));
    for points in [0, 61] {
        let refused = cfo.query(&format!("{{ kpis(points: {points}) {{ value }} }}")).await;
        assert_eq!(refused.code(), "VALIDATION_FAILED");
    }
}

/// What an importer of ledgers meets: totals of another day than their parts, two divisions of one total, a late row, a gap.
#[tokio::test]
async fn what_is_recorded_unevenly_is_not_counted_twice() {
    let gateway = with(&[
        ["2026-01-01", R, "Europe", "", "", "400", "", U],
        ["2026-01-01", R, "Asia", "", "", "500", "", U],
        ["2026-01-31", R, "", "", "", "910", "", U],
        ["2026-02-01", R, "Europe", "", "", "400", "450", U],
        ["2026-02-01", R, "Asia", "", "", "500", "450", U],
        ["2026-02-01", R, "", "Software", "", "880", "", U],
        ["2026-03-01", R, "", "", "", "", "70000", U],
        ["2026-01-01", "ARR", "Europe", "", "", "1000", "", U],
        ["2026-01-01", "ARR", "Asia", "", "", "2000", "", U],
        ["2026-01-30", "ARR", "Europe", "", "", "1100", "1200", U],
    ])
    .await;
    let cfo = gateway.cfo().await;
    let of = async |arguments: &str| figures(&cfo, arguments).await;
    assert_eq!(of("types: [REVENUE], of: \"2026-01-01\"").await, ["REVENUE - USD 910.00 - -"]);
    // By region and by line, and in all: one of the two, and it is said.
    assert_eq!(of("types: [REVENUE], of: \"2026-02-01\"").await, ["REVENUE - USD 900.00 900.00 910.00"]);
    let data = cfo.data("{ kpis(types: [REVENUE], of: \"2026-02-01\") { method values } }").await;
    let method = data["kpis"][0]["method"].as_str().expect("words");
    assert!(method.contains("several divisions"), "{method}");
    assert_eq!(data["kpis"][0]["values"], 2);
    assert_eq!(
        of("types: [REVENUE], of: \"2026-02-01\", by: LINE_OF_BUSINESS").await,
        ["REVENUE Software USD 880.00 - -"]
    );
    // Of the quarter the budget of the months with actual values.
    assert_eq!(of("types: [REVENUE], of: \"2026-02-01\", period: QUARTER").await, ["REVENUE - USD 1810.00 900.00 -"]);
    // Nothing actual in a month: all that is planned.
    assert_eq!(of("types: [REVENUE], of: \"2026-03-01\"").await, ["REVENUE - USD - 70000.00 900.00"]);
    // A late row takes the place of its own series only.
    assert_eq!(of("types: [ARR], of: \"2026-01-01\"").await, ["ARR - USD 3100.00 1200.00 -"]);
    let data = cfo.data("{ kpis(types: [ARR], of: \"2026-01-01\", period: YEAR) { values } }").await;
    assert_eq!(data["kpis"][0]["values"], 2);
    // A total of the weight, on whatever day, takes nothing from the weights of the parts; a stock's weight is its last in the month.
    record(
        &gateway,
        &[
            ["2026-01-01", "GROSS_MARGIN", "Europe", "", "", "60", "", U],
            ["2026-01-01", "GROSS_MARGIN", "Asia", "", "", "40", "", U],
            ["2026-01-01", R, "Europe", "", "A", "500", "", U],
            ["2026-01-01", R, "Europe", "", "B", "400", "", U],
            ["2026-01-01", R, "Asia", "", "", "100", "", U],
            ["2026-01-31", R, "", "", "", "1000", "", U],
            ["2026-01-31", "NRR", "Europe", "", "", "110", "", U],
            ["2026-01-31", "NRR", "Asia", "", "", "90", "", U],
            ["2026-01-01", "MRR", "Europe", "", "", "30", "", U],
            ["2026-01-01", "MRR", "Asia", "", "", "10", "", U],
            ["2026-01-15", "MRR", "Asia", "", "", "20", "", U],
        ],
    )
    .await;
    assert_eq!(
        of("types: [REVENUE, GROSS_MARGIN, NRR], of: \"2026-01-01\"").await,
        ["REVENUE - USD 1000.00 - -", "GROSS_MARGIN - USD 58.0000 - -", "NRR - USD 102.0000 - -"]
    );
    record(
        &gateway,
        &[
            ["2026-01-01", "ARR", "Europe", "", "", "1000", "", U],
            ["2026-01-01", "ARR", "Asia", "", "", "2000", "", U],
            ["2026-01-30", "ARR", "Europe", "", "", "1100", "1200", U],
        ],
    )
    .await;
    // What is not divided so is one part.
    let data = cfo.data("{ variance(metricType: ARR, against: BUDGET, of: \"2026-01-01\", by: PRODUCT) { total { contribution } parts { slice contribution } } }").await;
    assert_eq!(
        data["variance"][0],
        json!({ "total": { "contribution": "1900.00" }, "parts": [{ "slice": null, "contribution": "1900.00" }] })
    );
    assert_eq!(cfo.data("{ kpis(types: []) { value } }").await, json!({ "kpis": [] }));
}

/// On the demo data: parts add up, whatever they are; and everybody has the figures of the rows that they see.
#[tokio::test]
async fn parts_add_up_exactly_and_figures_are_of_what_is_seen() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let mut compared = 0;
    for metric in ["REVENUE", "ARR", "EBITDA", "OPERATING_EXPENSE", "GROSS_MARGIN", "NRR", "CHURN_RATE"] {
        for against in ["BUDGET", "PRIOR_PERIOD", "PRIOR_YEAR"] {
            for by in ["REGION", "LINE_OF_BUSINESS", "PRODUCT"] {
                for period in ["MONTH", "QUARTER", "YEAR_TO_DATE"] {
                    let query = format!(
                        "{{ variance(metricType: {metric}, against: {against}, by: {by}, period: {period}) {{ total {{ contribution }} parts {{ contribution rateEffect mixEffect }} }} }}"
                    );
                    let data = cfo.data(&query).await;
                    let answer = &data["variance"][0];
                    let sum = |field: &str| -> Option<Decimal> {
                        let parts = answer["parts"].as_array()?;
                        parts.iter().map(|part| part[field].as_str()?.parse::<Decimal>().ok()).sum()
                    };
                    let total: Option<Decimal> =
                        answer["total"]["contribution"].as_str().and_then(|text| text.parse().ok());
                    if let (Some(total), Some(parts)) =
                        (total, sum("contribution").filter(|_| answer["parts"] != json!([])))
                    {
                        assert_eq!(total, parts, "{query}");
                        compared += 1;
                        if let (Some(rate), Some(mix)) = (sum("rateEffect"), sum("mixEffect")) {
                            assert_eq!(rate + mix, total, "{query}");
                        }
                    }
                }
            }
        }
    }
    assert!(compared > 120, "only {compared} differences are made of parts");
    // Who is confined to a region has its figures, and no others.
    let europe = gateway.sign_in("europe.analyst@aether-demo.com", HOME).await;
    let own = figures(&europe, "types: [REVENUE, EBITDA]").await;
    let all = figures(&cfo, "types: [REVENUE, EBITDA], by: REGION").await;
    let of_europe: Vec<String> =
        all.iter().filter(|kpi| kpi.contains(" Europe ")).map(|kpi| kpi.replace(" Europe ", " - ")).collect();
    assert_eq!(own, of_europe);
    // The totals are those of SQL by hand.
    let by_hand = gateway
        .value(&format!(
            "SELECT sum(m.actual_value)::text FROM financial_metrics m JOIN organizations o ON o.id = m.organization_id
              WHERE o.slug = '{HOME}' AND m.metric_type = 'REVENUE' AND m.metric_date = (
                SELECT max(n.metric_date) FROM financial_metrics n WHERE n.organization_id = o.id AND n.actual_value IS NOT NULL
                   AND n.metric_date < date_trunc('month', now() AT TIME ZONE (o.settings ->> 'timezone'))::date)"
        ))
        .await;
    let data = cfo.data("{ kpis(types: [REVENUE]) { value } }").await;
    assert_eq!(data["kpis"][0]["value"], by_hand);
    // A stranger has none.
    assert_eq!(gateway.stranger().query("{ kpis { value } }").await.code(), "UNAUTHENTICATED");
}

/// Departments over departments, two versions of a budget, costs of half a year.
#[tokio::test]
async fn budgets_are_used_up_by_department_with_those_below() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    gateway
        .execute(&format!(
            "UPDATE organizations SET settings = settings || '{{\"fiscalYearStart\": \"April\"}}' WHERE slug = '{HOME}';
             INSERT INTO departments (organization_id, code, name, parent_id) SELECT id, 'X1', 'Upper', NULL FROM organizations WHERE slug = '{HOME}';
             INSERT INTO departments (organization_id, code, name, parent_id) SELECT organization_id, 'X2', 'Lower', id FROM departments WHERE code = 'X1';
             INSERT INTO budgets (organization_id, fiscal_year, version, name, status, department_id, created_by, submitted_by, submitted_at, approved_by, approved_at)
             SELECT d.organization_id, 2031, v.version, v.version, v.status::budget_status, d.id, u.id, u.id, '2030-01-01', a.id, v.at::timestamptz
               FROM (VALUES ('X1', 'old', 'approved', '2030-02-01'), ('X1', 'new', 'locked', '2030-03-01'), ('X2', 'only', 'approved', '2030-02-01')) v(code, version, status, at)
               JOIN departments d ON d.code = v.code JOIN users u ON u.email = 'analyst@aether-demo.com' JOIN users a ON a.email = 'sarah.chen@aether-demo.com';
             INSERT INTO budget_line_items (budget_id, category, q1_amount, q2_amount, q3_amount, q4_amount)
             SELECT b.id, v.category, v.q1, v.q2, v.q3, v.q4
               FROM (VALUES ('old', 'Payroll', 999, 999, 999, 999), ('new', 'payroll', 300, 300, 300, 300), ('new', 'Facilities', 30, 60, 90, 120),
                            ('only', 'Travel', 12, 24, 36, 48)) v(version, category, q1, q2, q3, q4)
               JOIN budgets b ON b.version = v.version AND b.fiscal_year = 2031;
             INSERT INTO department_costs (organization_id, department_id, period_date, payroll, travel, other)
             SELECT d.organization_id, d.id, v.day::date, v.payroll, v.travel, v.other
               FROM (VALUES ('X1', '2030-03-01', 9000, 0, 0), ('X1', '2030-04-01', 90, 0, 5), ('X1', '2030-08-01', 110, 0, 0),
                            ('X2', '2030-05-01', 50, 20, 0), ('X2', '2031-04-01', 7000, 0, 0)) v(code, day, payroll, travel, other)
               JOIN departments d ON d.code = v.code"
        ))
        .await;
    let data = cfo
        .data("{ budgetConsumption(fiscalYear: 2031, asOf: \"2031-12-31\") { name depth through
            total { category budget budgetToDate actual remaining consumed varianceToDate ownBudget ownActual } categories { category budget budgetToDate actual consumed } } }")
        .await;
    // April to August: five months, a quarter and two thirds of one.
    assert_eq!(
        data["budgetConsumption"],
        json!([
            {
                "name": "Upper", "depth": 0, "through": "2030-08-01",
                "total": { "category": null, "budget": "1620.00", "budgetToDate": "598.00", "actual": "275.00", "remaining": "1345.00", "consumed": "0.1698",
                           "varianceToDate": "323.00", "ownBudget": "1500.00", "ownActual": "205.00" },
                "categories": [
                    { "category": "PAYROLL", "budget": "1200.00", "budgetToDate": "500.00", "actual": "250.00", "consumed": "0.2083" },
                    { "category": "SOFTWARE", "budget": null, "budgetToDate": null, "actual": "0.00", "consumed": null },
                    { "category": "TRAVEL", "budget": "120.00", "budgetToDate": "28.00", "actual": "20.00", "consumed": "0.1667" },
                    { "category": "MARKETING", "budget": null, "budgetToDate": null, "actual": "0.00", "consumed": null },
                    { "category": "OTHER", "budget": "300.00", "budgetToDate": "70.00", "actual": "5.00", "consumed": "0.0167" },
                ],
            },
            {
                "name": "Lower", "depth": 1, "through": "2030-08-01",
                "total": { "category": null, "budget": "120.00", "budgetToDate": "28.00", "actual": "70.00", "remaining": "50.00", "consumed": "0.5833",
                           "varianceToDate": "-42.00", "ownBudget": "120.00", "ownActual": "70.00" },
                "categories": [
                    { "category": "PAYROLL", "budget": null, "budgetToDate": null, "actual": "50.00", "consumed": null },
                    { "category": "SOFTWARE", "budget": null, "budgetToDate": null, "actual": "0.00", "consumed": null },
                    { "category": "TRAVEL", "budget": "120.00", "budgetToDate": "28.00", "actual": "20.00", "consumed": "0.1667" },
                    { "category": "MARKETING", "budget": null, "budgetToDate": null, "actual": "0.00", "consumed": null },
                    { "category": "OTHER", "budget": null, "budgetToDate": null, "actual": "0.00", "consumed": null },
                ],
            },
        ])
    );
    // Who is confined to a department sees it, and what is below.
    let engineering = gateway.sign_in("engineering.analyst@aether-demo.com", HOME).await;
    let seen = engineering.data("{ budgetConsumption(fiscalYear: 2026) { name } }").await;
    let all = cfo.data("{ budgetConsumption(fiscalYear: 2027) { name } }").await;
    assert!(!seen.to_string().contains("Finance") && seen.to_string().contains("Engineering"), "{seen}");
    assert!(all["budgetConsumption"].is_array());
    assert_eq!(cfo.query("{ budgetConsumption(fiscalYear: 1) { name } }").await.code(), "VALIDATION_FAILED");
}

#[tokio::test]
async fn recurring_revenue_comes_and_goes_by_its_parts() {
    let gateway = with(&[
        ["2026-01-31", "ARR", "", "", "Kept", "1000", "", U],
        ["2026-01-31", "ARR", "", "", "Grown", "500.10", "", U],
        ["2026-01-31", "ARR", "", "", "Gone", "70", "", U],
        ["2026-01-31", "ARR", "", "", "Shrunk", "200", "", U],
        ["2026-02-28", "ARR", "", "", "Kept", "1000", "", U],
        ["2026-02-28", "ARR", "", "", "Grown", "600.30", "", U],
        ["2026-02-28", "ARR", "", "", "Shrunk", "150", "", U],
        ["2026-02-28", "ARR", "", "", "Come", "40.05", "", U],
    ])
    .await;
    let cfo = gateway.cfo().await;
    let data = cfo
        .data(
            "{ variance(metricType: ARR, against: PRIOR_PERIOD, of: \"2026-02-01\", by: PRODUCT) {
                waterfall { opening new expansion contraction churn closing } }
              budget: variance(metricType: ARR, against: BUDGET, of: \"2026-02-01\", by: PRODUCT) { waterfall { opening } } }",
        )
        .await;
    assert_eq!(
        data["variance"][0]["waterfall"],
        json!({ "opening": "1770.10", "new": "40.05", "expansion": "100.20", "contraction": "50.00", "churn": "70.00", "closing": "1790.35" })
    );
    assert_eq!(data["budget"][0]["waterfall"], Value::Null);
}

/// Whatever is recorded in many parts at several levels is added up by sorting: a statement that compared each with each would be stopped.
#[tokio::test]
async fn many_parts_at_several_levels_are_added_up_in_time() {
    let gateway = with(&[
        ["2026-01-31", R, "Europe", "", "", "7", "", U],
        ["2026-01-31", "GROSS_MARGIN", "Europe", "", "", "50", "", U],
    ])
    .await;
    gateway
        .execute(&format!(
            "INSERT INTO financial_metrics (organization_id, metric_date, metric_type, region, product, actual_value, currency)
             SELECT o.id, '2026-01-31', k.kind::metric_type, CASE WHEN n % 2 = 0 THEN 'Asia' END, 'P' || n, 1, 'USD'
               FROM organizations o, generate_series(1, 20000) n, unnest(ARRAY['REVENUE', 'GROSS_MARGIN', 'CAC']) k(kind) WHERE o.slug = '{HOME}'"
        ))
        .await;
    let cfo = gateway.cfo().await;
    let data = cfo.data("{ kpis(types: [REVENUE], of: \"2026-01-31\", by: REGION) { slice value } all: kpis(of: \"2026-01-31\") { metricType } }").await;
    assert_eq!(data["kpis"], json!([{ "slice": "Asia", "value": "10000.00" }, { "slice": "Europe", "value": "7.00" }]));
    assert_eq!(data["all"].as_array().map(Vec::len), Some(3));
}
