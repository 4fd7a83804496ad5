//! Figures of many rows: against sums by hand, and against what must hold of them whatever the rows are.

use std::collections::HashMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::support::{Gateway, HOME, User};

/// Deals of a hand-made pipeline: stage, region, currency, value, the day that it is expected to close.
const DEALS: [(&str, &str, &str, &str, Option<&str>); 9] = [
    ("Proposal", "Europe", "USD", "100.10", Some("2026-01-15")),
    ("Proposal", "Europe", "USD", "200.20", Some("2026-01-31")),
    ("Proposal", "North America", "USD", "300.30", Some("2026-04-01")),
    ("Discovery", "Europe", "USD", "400.40", Some("2025-01-20")),
    ("Discovery", "Europe", "USD", "500.50", Some("2026-03-31")),
    ("Discovery", "North America", "USD", "600.60", None),
    ("Closed Won", "Europe", "USD", "700.70", Some("2026-07-04")),
    ("Closed Won", "Europe", "JPY", "100000000", Some("2026-02-28")),
    ("Closed Won", "North America", "JPY", "5", Some("2026-02-01")),
];

/// A gateway where an organization has these deals and no others.
async fn pipeline() -> Gateway {
    let gateway = Gateway::demo().await;
    let rows = DEALS.iter().enumerate().map(|(i, (stage, region, currency, value, day))| {
        let day = day.map_or("NULL".into(), |day| format!("'{day}'"));
        format!("('Deal {i}', '{stage}', '{region}', '{currency}', {value}, {day})")
    });
    let rows = rows.collect::<Vec<_>>().join(", ");
    gateway
        .execute(&format!(
            "DELETE FROM deal_history WHERE deal_id IN (SELECT d.id FROM deals d JOIN organizations o ON o.id = d.organization_id WHERE o.slug = '{HOME}');
             DELETE FROM deals WHERE organization_id = (SELECT id FROM organizations WHERE slug = '{HOME}');
             INSERT INTO deals (organization_id, name, stage, region, segment, lob, currency, value, expected_close_date, actual_close_date, probability, owner_id)
             SELECT u.organization_id, v.name, v.stage::deal_stage, v.region::deal_region, (enum_range(NULL::deal_segment))[1], (enum_range(NULL::deal_lob))[1], v.currency, v.value, v.day::date, CASE WHEN v.stage LIKE 'Closed%' THEN current_date END, 50, u.id
               FROM (VALUES {rows}) v(name, stage, region, currency, value, day), users u
              WHERE u.email = 'sarah.chen@aether-demo.com'"
        ))
        .await;
    gateway
}

const USD: &str = "filter: { currency: { eq: \"USD\" } }";

fn decimal(value: &Value) -> Decimal {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no decimal"))
}

fn nodes(data: &Value) -> &Vec<Value> {
    data["deals"]["groups"]["nodes"].as_array().expect("nodes")
}

#[tokio::test]
async fn figures_are_those_of_a_hand_calculation() {
    let gateway = pipeline().await;
    let cfo = gateway.cfo().await;
    let data = cfo
        .data(&format!(
            "{{ deals({USD}) {{ aggregate {{ count depth key {{ stage owner {{ name }} }}
                value {{ count countDistinct sum avg min max median stddev variance p90: percentile(at: 0.9) p0: percentile(at: 0) share running }}
                expectedCloseDate {{ count min max }} name {{ min max countDistinct }}
                won: count(filter: {{ stage: {{ eq: CLOSED_WON }} }}) europe: value(filter: {{ region: {{ eq: EUROPE }} }}) {{ sum median }}
                probability {{ unweightedAvg }} }} }} }}"
        ))
        .await;
    // The values are 100.10 times 1 to 7: mean and median 4, variance of a sample 28/6, deviation 2.160247 times 100.1.
    assert_eq!(
        data["deals"]["aggregate"],
        json!({
            "count": 7, "depth": 0, "key": { "stage": null, "owner": { "name": null } },
            "value": {
                "count": 7, "countDistinct": 7, "sum": "2802.80", "avg": "400.400000", "min": "100.10", "max": "700.70",
                "median": "400.400000", "stddev": "216.240715", "variance": "46760.046667", "p90": "700.70", "p0": "100.10",
                "share": "1.000000", "running": "2802.80",
            },
            "expectedCloseDate": { "count": 6, "min": "2025-01-20", "max": "2026-07-04" },
            "name": { "min": "Deal 0", "max": "Deal 6", "countDistinct": 7 },
            "won": 1,
            // 1, 2, 4, 5, 7
            "europe": { "sum": "1901.90", "median": "400.400000" },
            "probability": { "unweightedAvg": "50.000000" },
        })
    );
    // An even number: the mean of the middle two.
    let data = cfo
        .data("{ deals(filter: { stage: { in: [PROPOSAL, DISCOVERY] } }) { aggregate { value { median } } } }")
        .await;
    assert_eq!(data["deals"]["aggregate"]["value"]["median"], "350.350000");
    // Of nothing there is no sum.
    let data = cfo.data("{ deals(filter: { name: { eq: \"none\" } }) { aggregate { count value { sum avg median share running } isLate: expectedCloseDate { max } } } }").await;
    assert_eq!(
        data["deals"]["aggregate"],
        json!({ "count": 0, "value": { "sum": null, "avg": null, "median": null, "share": null, "running": null }, "isLate": { "max": null } })
    );
}

#[tokio::test]
async fn groups_have_keys_orders_conditions_and_subtotals() {
    let gateway = pipeline().await;
    let cfo = gateway.cfo().await;
    let data = cfo
        .data(&format!(
            "{{ deals({USD}) {{ groups(by: [{{ stage: {{}} }}, {{ region: {{}} }}], rollup: true, first: 50) {{ totalCount nodes {{
                key {{ stage region }} depth count value {{ sum share }} }} }} }} }}"
        ))
        .await;
    let rows: Vec<String> = nodes(&data)
        .iter()
        .map(|node| {
            format!(
                "{} {} {} {} {}",
                node["key"]["stage"], node["key"]["region"], node["depth"], node["count"], node["value"]["sum"]
            )
            .replace('"', "")
        })
        .collect();
    assert_eq!(
        rows,
        [
            "DISCOVERY NORTH_AMERICA 2 1 600.60",
            "DISCOVERY EUROPE 2 2 900.90",
            "DISCOVERY null 1 3 1501.50",
            "PROPOSAL NORTH_AMERICA 2 1 300.30",
            "PROPOSAL EUROPE 2 2 300.30",
            "PROPOSAL null 1 3 600.60",
            "CLOSED_WON EUROPE 2 1 700.70",
            "CLOSED_WON null 1 1 700.70",
            "null null 0 7 2802.80",
        ]
    );
    assert_eq!(data["deals"]["groups"]["totalCount"], 9);
    for depth in 0..3 {
        let of_depth = nodes(&data).iter().filter(|node| node["depth"] == depth);
        let shares: Decimal = of_depth.map(|node| decimal(&node["value"]["share"])).sum();
        assert!((shares - Decimal::ONE).abs() < Decimal::new(1, 5), "the shares of depth {depth} sum to {shares}");
    }

    let data = cfo
        .data(&format!(
            "{{ deals({USD}) {{ groups(by: [{{ region: {{}} }}, {{ stage: {{}} }}], having: {{ count: {{ gte: 2 }}, value: {{ sum: {{ gt: \"300.29\" }} }} }},
                orderBy: [{{ value: {{ sum: DESC }} }}, {{ region: {{ key: DESC }} }}]) {{ nodes {{ key {{ stage region }} value {{ sum }} }} }} }} }}"
        ))
        .await;
    assert_eq!(
        *nodes(&data),
        [
            json!({ "key": { "stage": "DISCOVERY", "region": "EUROPE" }, "value": { "sum": "900.90" } }),
            json!({ "key": { "stage": "PROPOSAL", "region": "EUROPE" }, "value": { "sum": "300.30" } }),
        ]
    );
    let either = "having: { or: [{ count: { lt: 2 } }, { not: { value: { min: { gte: \"200\" } } } }] }";
    let data = cfo
        .data(&format!(
            "{{ deals({USD}) {{ groups(by: [{{ stage: {{}} }}], {either}) {{ nodes {{ key {{ stage }} }} }} }} }}"
        ))
        .await;
    assert_eq!(*nodes(&data), [json!({ "key": { "stage": "PROPOSAL" } }), json!({ "key": { "stage": "CLOSED_WON" } })]);

    // Through a relation, and the rows themselves.
    let data = cfo
        .data(&format!(
            "{{ deals({USD}) {{ groups(by: [{{ owner: {{ organization: {{ slug: {{}} }} }} }}, {{ stage: {{}} }}], first: 1) {{ nodes {{
                key {{ owner {{ organization {{ slug }} name }} }} rows(first: 2) {{ stage owner {{ email }} }} }} }} }} }}"
        ))
        .await;
    let row = json!({ "stage": "DISCOVERY", "owner": { "email": "sarah.chen@aether-demo.com" } });
    assert_eq!(
        *nodes(&data),
        [json!({ "key": { "owner": { "organization": { "slug": HOME }, "name": null } }, "rows": [row, row] })]
    );
}

#[tokio::test]
async fn time_comes_in_buckets_of_the_organization() {
    let gateway = pipeline().await;
    let cfo = gateway.cfo().await;
    let by = async |cfo: &User<'_>, bucket: &str, more: &str| {
        let query = format!(
            "{{ deals({USD}) {{ groups(by: [{{ expectedCloseDate: {{ bucket: {bucket} }} }}], first: 100{more}) {{ nodes {{
                key {{ expectedCloseDate }} count value {{ sum running }} }} }} }} }}"
        );
        let data = cfo.data(&query).await;
        let told = nodes(&data).iter().map(|node| {
            format!("{} {} {}", node["key"]["expectedCloseDate"], node["count"], node["value"]["sum"]).replace('"', "")
        });
        told.collect::<Vec<_>>()
    };
    let quarters =
        ["2025-01-01 1 400.40", "2026-01-01 3 800.80", "2026-04-01 1 300.30", "2026-07-01 1 700.70", "null 1 600.60"];
    assert_eq!(by(&cfo, "QUARTER", "").await, quarters);
    assert_eq!(by(&cfo, "YEAR", "").await, ["2025-01-01 1 400.40", "2026-01-01 5 1801.80", "null 1 600.60"]);
    // 2025-01-20 is a Monday.
    let weeks = by(&cfo, "WEEK", "").await;
    assert_eq!(weeks[..3], ["2025-01-20 1 400.40", "2026-01-12 1 100.10", "2026-01-26 1 200.20"]);
    let filled = by(&cfo, "QUARTER", ", fill: true").await;
    assert_eq!(filled[..3], ["2025-01-01 1 400.40", "2025-04-01 0 null", "2025-07-01 0 null"]);
    assert_eq!((filled.len(), filled.last().map(String::as_str)), (8, Some("null 1 600.60")));
    // From April on, a fiscal year.
    gateway
        .execute(&format!(
            "UPDATE organizations SET settings = settings || '{{\"fiscalYearStart\": \"April\"}}' WHERE slug = '{HOME}'"
        ))
        .await;
    assert_eq!(
        by(&cfo, "FISCAL_YEAR", "").await,
        ["2024-04-01 1 400.40", "2025-04-01 3 800.80", "2026-04-01 2 1001.00", "null 1 600.60"]
    );
    // February: its quarters begin in February, May, August and November.
    gateway
        .execute(&format!(
            "UPDATE organizations SET settings = settings || '{{\"fiscalYearStart\": \"February\"}}' WHERE slug = '{HOME}'"
        ))
        .await;
    assert_eq!(
        by(&cfo, "FISCAL_QUARTER", "").await,
        ["2024-11-01 1 400.40", "2025-11-01 2 300.30", "2026-02-01 2 800.80", "2026-05-01 1 700.70", "null 1 600.60"]
    );
    // A moment is of the day that it is in the organization's timezone: 3 a.m. in London is yesterday in New York.
    gateway
        .execute(&format!(
            "UPDATE deals SET created_at = '2026-02-01 03:00:00+00' WHERE organization_id = (SELECT id FROM organizations WHERE slug = '{HOME}')"
        ))
        .await;
    let data = cfo
        .data("{ deals { groups(by: [{ createdAt: { bucket: MONTH } }]) { nodes { key { createdAt } count } } } }")
        .await;
    assert_eq!(*nodes(&data), [json!({ "key": { "createdAt": "2026-01-01" }, "count": 9 })]);
}

#[tokio::test]
async fn a_group_knows_itself_earlier() {
    let gateway = pipeline().await;
    let cfo = gateway.cfo().await;
    let data = cfo
        .data(&format!(
            "{{ deals({USD}) {{ groups(by: [{{ stage: {{}} }}, {{ expectedCloseDate: {{ bucket: QUARTER }} }}], first: 100) {{ nodes {{
                key {{ stage expectedCloseDate }} value {{ sum }} year: prior(by: YEAR) {{ key {{ expectedCloseDate }} value {{ sum running }} count }}
                prior {{ value {{ sum }} }} }} }} }} }}"
        ))
        .await;
    let of = |stage: &str, day: &str| {
        let is = |node: &&Value| node["key"]["stage"] == stage && node["key"]["expectedCloseDate"] == day;
        nodes(&data).iter().find(is).unwrap_or_else(|| panic!("no {stage} {day}")).clone()
    };
    let year = json!({ "key": { "expectedCloseDate": "2025-01-01" }, "value": { "sum": "400.40", "running": "400.40" }, "count": 1 });
    assert_eq!(of("DISCOVERY", "2026-01-01")["year"], year);
    assert_eq!(of("DISCOVERY", "2026-01-01")["prior"], Value::Null);
    assert_eq!(of("PROPOSAL", "2026-04-01")["prior"], json!({ "value": { "sum": "300.30" } }));
    // Another stage's quarter is no earlier one of this.
    assert_eq!(of("PROPOSAL", "2026-01-01")["year"], Value::Null);
    for (by, prior) in [("{ stage: {} }", "prior"), ("{ expectedCloseDate: { bucket: QUARTER } }", "prior(by: MONTH)")]
    {
        let refused =
            cfo.query(&format!("{{ deals {{ groups(by: [{by}]) {{ nodes {{ {prior} {{ count }} }} }} }} }}")).await;
        assert_eq!(refused.code(), "VALIDATION_FAILED", "{}", refused.message());
    }
}

#[tokio::test]
async fn currencies_and_metrics_are_never_mixed() {
    let gateway = pipeline().await;
    let cfo = gateway.cfo().await;
    for figures in [
        "value { sum }",
        "value { avg }",
        "weightedValue { max }",
        "value { share }",
        "big: value(filter: { region: { eq: EUROPE } }) { median }",
    ] {
        let refused = cfo.query(&format!("{{ deals {{ aggregate {{ {figures} }} }} }}")).await;
        assert_eq!(
            (refused.code(), &refused.body["errors"][0]["extensions"]["field"]),
            ("MIXED_UNITS", &json!("currency")),
            "{figures}"
        );
        let refused =
            cfo.query(&format!("{{ deals {{ groups(by: [{{ stage: {{}} }}]) {{ nodes {{ {figures} }} }} }} }}")).await;
        assert_eq!(refused.code(), "MIXED_UNITS", "{figures}");
    }
    // Where a condition would leave it out, it is told as well.
    let refused = cfo
        .query(
            "{ deals { groups(by: [{ stage: {} }], having: { value: { sum: { gt: \"1\" } } }) { nodes { count } } } }",
        )
        .await;
    assert_eq!(refused.code(), "MIXED_UNITS");
    // Nor is it told in how many groups it holds.
    for page in ["totalCount", "pageInfo { hasNextPage }"] {
        let refused = cfo.query(&format!("{{ deals {{ groups(by: [{{ stage: {{}} }}], having: {{ value: {{ sum: {{ gt: \"1\" }} }} }}) {{ {page} }} }} }}")).await;
        assert_eq!(refused.code(), "MIXED_UNITS", "{page}");
    }
    // After a change it is said why the answer could not be read.
    let told = cfo
        .query("mutation { editProfile(expectedVersion: 1, input: { name: \"Chief of figures\" }) { organization { deals { aggregate { value { sum } } } } } }")
        .await;
    assert_eq!(told.code(), "CHANGE_COMMITTED");
    assert!(told.message().contains("several currencies"), "{}", told.message());
    // Counting is no sum.
    let data = cfo.data("{ deals { aggregate { count value { count countDistinct } } } }").await;
    assert_eq!(data["deals"]["aggregate"]["count"], 9);
    // One by one, of one only, and as one of the keys.
    let data = cfo
        .data("{ deals { aggregate { value(filter: { currency: { eq: \"JPY\" } }) { sum } usd: value(filter: { currency: { in: [\"USD\"] } }) { sum } } } }")
        .await;
    assert_eq!(data["deals"]["aggregate"], json!({ "value": { "sum": "100000005.00" }, "usd": { "sum": "2802.80" } }));
    let data = cfo
        .data("{ deals { groups(by: [{ currency: {} }, { stage: {} }], rollup: true) { nodes { key { currency stage } value { sum share } } } } }")
        .await;
    let told: HashMap<String, String> = nodes(&data)
        .iter()
        .map(|node| {
            (
                format!("{} {}", node["key"]["currency"], node["key"]["stage"]).replace('"', ""),
                node["value"].to_string(),
            )
        })
        .collect();
    assert_eq!(told["JPY null"], json!({ "sum": "100000005.00", "share": "1.000000" }).to_string());
    assert_eq!(told["USD CLOSED_WON"], json!({ "sum": "700.70", "share": "0.250000" }).to_string());
    assert_eq!(told["null null"], json!({ "sum": null, "share": null }).to_string(), "the total is of two currencies");
    // What is neither told of one group nor of another: each has one currency, and nobody says which.
    let refused = cfo.query("{ deals(filter: { stage: { in: [CLOSED_WON, PROPOSAL] }, region: { eq: NORTH_AMERICA } }) { groups(by: [{ stage: {} }]) { nodes { value { sum } } } } }").await;
    assert_eq!(refused.code(), "MIXED_UNITS");
    // Subtotals over the currency are of none, whatever there is; also where the currency is the last key.
    let data = cfo.data("{ deals { groups(by: [{ region: {} }, { currency: {} }], rollup: true) { nodes { depth value { sum share running } } } } }").await;
    for node in nodes(&data) {
        assert_eq!(node["depth"] == 2, !node["value"]["sum"].is_null(), "{node}");
        assert_eq!(node["value"]["sum"].is_null(), node["value"]["running"].is_null(), "{node}");
    }

    // Metrics: kinds apart, ratios neither added nor averaged, stocks not over time.
    let refused = cfo.query("{ financialMetrics { aggregate { actualValue { sum } } } }").await;
    assert_eq!(
        (refused.code(), &refused.body["errors"][0]["extensions"]["field"]),
        ("MIXED_UNITS", &json!("metricType"))
    );
    let data = cfo
        .data("{ financialMetrics { groups(by: [{ metricType: {} }], first: 50) { nodes { key { metricType } actualValue { sum avg max } } } } }")
        .await;
    for node in data["financialMetrics"]["groups"]["nodes"].as_array().expect("nodes") {
        let (kind, told) = (node["key"]["metricType"].as_str().expect("a kind"), &node["actualValue"]);
        let has = (!told["sum"].is_null(), !told["avg"].is_null(), !told["max"].is_null());
        let expected = match kind {
            "GROSS_MARGIN" | "NRR" | "CHURN_RATE" | "CAC" | "LTV" => (false, false, true),
            "ARR" | "MRR" => (false, true, true),
            _ => (true, true, true),
        };
        assert_eq!(has, expected, "{kind}");
    }
    // On one day a stock has a sum, and shares of it.
    let data = cfo
        .data(
            "{ financialMetrics(filter: { metricType: { eq: ARR } }) { groups(by: [{ metricDate: { bucket: MONTH } }, { region: {} }], first: 500) { nodes {
                key { metricDate } actualValue { sum share running } } } } }",
        )
        .await;
    let groups = data["financialMetrics"]["groups"]["nodes"].as_array().expect("nodes");
    assert!(groups.iter().any(|node| !node["actualValue"]["sum"].is_null()));
    for node in groups {
        assert_eq!(
            (&node["actualValue"]["share"], &node["actualValue"]["running"]),
            (&Value::Null, &Value::Null),
            "over several days"
        );
    }
}

#[tokio::test]
async fn pages_of_groups_hold_each_group_once_in_every_order() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let orders = [
        "",
        "orderBy: [{ count: DESC }]",
        "orderBy: [{ value: { avg: ASC } }]",
        "orderBy: [{ closeReason: { key: DESC } }]",
        "orderBy: [{ expectedCloseDate: { max: DESC } }, { count: ASC }]",
    ];
    let by = "by: [{ closeReason: { nulls: FIRST } }, { stage: {} }, { owner: { name: {} } }]";
    let told = "nodes { key { closeReason stage owner { name } } count } totalCount pageInfo { hasNextPage endCursor }";
    for order in orders {
        let whole = cfo.data(&format!("{{ deals {{ groups({by} {order} first: 500) {{ {told} }} }} }}")).await;
        let whole = &whole["deals"]["groups"];
        let (mut walked, mut after) = (Vec::new(), String::new());
        loop {
            let data = cfo.data(&format!("{{ deals {{ groups({by} {order} first: 7{after}) {{ {told} }} }} }}")).await;
            let page = &data["deals"]["groups"];
            walked.extend(page["nodes"].as_array().expect("nodes").iter().cloned());
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = format!(", after: {}", page["pageInfo"]["endCursor"]);
        }
        assert_eq!(json!(walked), whole["nodes"], "{order}");
        assert_eq!(whole["totalCount"], walked.len(), "{order}");
        let rows: i64 = walked.iter().filter_map(|node| node["count"].as_i64()).sum();
        assert_eq!(rows, gateway.value("SELECT count(*) FROM deals d JOIN organizations o ON o.id = d.organization_id WHERE o.slug = 'aether-demo'").await.as_i64().expect("a number"));
    }
    // A cursor of other groups is refused.
    let data = cfo.data(&format!("{{ deals {{ groups({by}, first: 1) {{ {told} }} }} }}")).await;
    let cursor = &data["deals"]["groups"]["pageInfo"]["endCursor"];
    let refused = cfo
        .query(&format!(
            "{{ deals {{ groups({by}, rollup: true, after: {cursor}) {{ totalCount nodes {{ count }} }} }} }}"
        ))
        .await;
    assert_eq!(refused.code(), "VALIDATION_FAILED");
}

/// What is asked for wrongly is refused with words, whatever it is.
#[tokio::test]
async fn what_cannot_be_grouped_is_refused() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    gateway.execute("UPDATE deals SET expected_close_date = '1600-01-01' WHERE id = (SELECT min(id::text)::uuid FROM deals WHERE organization_id = (SELECT id FROM organizations WHERE slug = 'aether-demo'))").await;
    let wrong = [
        "groups(by: []) { totalCount }",
        "groups(by: [{}]) { totalCount }",
        "groups(by: [{ stage: {}, region: {} }]) { totalCount }",
        "groups(by: [{ stage: {} }, { stage: {} }]) { totalCount }",
        "groups(by: [{ createdAt: {} }, { expectedCloseDate: {} }]) { totalCount }",
        "groups(by: [{ owner: {} }]) { totalCount }",
        "groups(by: [{ stage: {} }], fill: true) { totalCount }",
        "groups(by: [{ createdAt: {} }], fill: true, rollup: true) { totalCount }",
        "groups(by: [{ stage: {} }], first: 501) { totalCount }",
        // Four centuries of days.
        "groups(by: [{ expectedCloseDate: {} }], fill: true) { totalCount }",
        "groups(by: [{ expectedCloseDate: {} }], fill: true) { nodes { count } }",
        "groups(by: [{ stage: {} }], first: -1) { totalCount }",
        "groups(by: [{ stage: {} }], after: \"x\") { totalCount }",
        "groups(by: [{ stage: {} }], orderBy: [{ region: { key: ASC } }]) { totalCount }",
        "groups(by: [{ stage: {} }], orderBy: [{ owner: { name: { count: ASC } } }]) { totalCount }",
        "groups(by: [{ stage: {} }], orderBy: [{ count: ASC, value: { sum: ASC } }]) { totalCount }",
        "groups(by: [{ stage: {} }], having: { value: { sum: null } }) { totalCount }",
        "aggregate { prior { count } }",
        "aggregate { value { percentile(at: 1.5) } }",
        "groups(by: [{ createdAt: {} }]) { nodes { prior { prior { count } } } }",
        "groups(by: [{ stage: {} }]) { nodes { rows(first: 501) { id } } }",
    ];
    for field in wrong {
        let answer = cfo.query(&format!("{{ deals {{ {field} }} }}")).await;
        assert_eq!(answer.code(), "VALIDATION_FAILED", "{field}: {}", answer.body);
        assert!(answer.message().len() > 20, "{field}: {}", answer.message());
    }
    // What the schema itself does not have.
    for field in [
        "groups(by: [{ id: {} }]) { totalCount }",
        "aggregate { stage { sum } }",
        "aggregate { probability { sum } }",
        "groups { totalCount }",
    ] {
        assert_eq!(
            cfo.query(&format!("{{ deals {{ {field} }} }}")).await.code(),
            "GRAPHQL_VALIDATION_FAILED",
            "{field}"
        );
    }
}

/// Whatever the keys: groups add up to the whole, and each subtotal to the groups below it.
#[tokio::test]
async fn groups_add_up_and_subtotals_are_the_sums_of_their_level() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    // A list, what is summed of it, and keys: how each is asked for, and where it stands in the answer.
    type Keyed = (&'static str, &'static str, &'static [(&'static str, &'static str)]);
    let lists: [Keyed; 5] = [
        (
            "deals(filter: { currency: { eq: \"USD\" } })",
            "value",
            &[
                ("stage: {}", "stage"),
                ("channel: {}", "channel"),
                ("owner: { region: {} }", "owner.region"),
                ("expectedCloseDate: { bucket: MONTH }", "expectedCloseDate"),
                ("segment: {}", "segment"),
            ],
        ),
        (
            "financialMetrics(filter: { metricType: { eq: REVENUE }, currency: { eq: \"USD\" } })",
            "actualValue",
            &[
                ("region: {}", "region"),
                ("lob: {}", "lob"),
                ("metricDate: { bucket: YEAR }", "metricDate"),
                ("sourceSystem: {}", "sourceSystem"),
            ],
        ),
        (
            "vendorSpends",
            "amount",
            &[
                ("vendor: { category: {} }", "vendor.category"),
                ("vendor: { autoRenewal: {} }", "vendor.autoRenewal"),
                ("periodDate: { bucket: QUARTER }", "periodDate"),
            ],
        ),
        (
            "departmentCosts",
            "totalCost",
            &[("department: { name: {} }", "department.name"), ("periodDate: { bucket: FISCAL_YEAR }", "periodDate")],
        ),
        (
            "budgetLineItems",
            "annualAmount",
            &[
                ("category: {}", "category"),
                ("budget: { status: {} }", "budget.status"),
                ("budget: { fiscalYear: {} }", "budget.fiscalYear"),
            ],
        ),
    ];
    let at = |node: &Value, path: &str| path.split('.').fold(&node["key"], |value, step| &value[step]).clone();
    let selected = |path: &str| match path.split_once('.') {
        Some((one, other)) => format!("{one} {{ {other} }}"),
        None => path.to_owned(),
    };
    let mut groups = 0;
    for (list, figure, keys) in lists {
        for (first, one) in keys {
            for (second, other) in keys.iter().filter(|(_, other)| other != one) {
                let query = format!(
                    "{{ it: {list} {{ aggregate {{ count {figure} {{ sum }} }}
                        groups(by: [{{ {first} }}, {{ {second} }}], rollup: true, first: 500) {{ pageInfo {{ hasNextPage }}
                          nodes {{ depth key {{ {} {} }} count {figure} {{ sum }} }} }} }} }}",
                    selected(one),
                    selected(other)
                );
                let data = cfo.data(&query).await;
                let page = &data["it"]["groups"];
                assert_eq!(page["pageInfo"]["hasNextPage"], false, "{query}");
                let nodes = page["nodes"].as_array().expect("groups");
                let sums = |depth: i64, prefix: &[Value]| {
                    let below = nodes.iter().filter(|node| node["depth"] == depth);
                    let below =
                        below.filter(|node| prefix.iter().zip([one, other]).all(|(key, path)| at(node, path) == *key));
                    below.fold((0, Decimal::ZERO), |(count, sum), node| {
                        let value = &node[figure]["sum"];
                        let value = if value.is_null() { Decimal::ZERO } else { decimal(value) };
                        (count + node["count"].as_i64().expect("a number"), sum + value)
                    })
                };
                let whole = &data["it"]["aggregate"];
                let whole = (whole["count"].as_i64().expect("a number"), decimal(&whole[figure]["sum"]));
                for depth in 0..=2 {
                    assert_eq!(sums(depth, &[]), whole, "{depth} of {query}");
                }
                for node in nodes.iter().filter(|node| node["depth"] == 1) {
                    let key = [at(node, one)];
                    assert_eq!(sums(2, &key), sums(1, &key), "{key:?} of {query}");
                }
                groups += nodes.len();
            }
        }
    }
    assert!(groups > 500, "{groups} groups were looked at");
}
