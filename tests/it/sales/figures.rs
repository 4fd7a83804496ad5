//! Funnel, win rate and forecast, against calculations by hand.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::support::{Gateway, HOME};

/// A deal: name, stage, region, currency, value, probability, the day it is expected to close, and the day it closed.
type Deal = [&'static str; 8];

/// A gateway on 20 November 2026 where the organization has no deals but these, which entered these stages at these moments.
async fn with(deals: &[Deal], history: &[[&str; 3]]) -> Gateway {
    let gateway = Gateway::as_of(NaiveDate::from_ymd_opt(2026, 11, 20).expect("a day")).await;
    let text = |text: &str| if text.is_empty() { "NULL".to_owned() } else { format!("'{text}'") };
    let rows = deals.iter().map(|[name, stage, region, currency, value, probability, expected, closed]| {
        let (expected, closed) = (text(expected), text(closed));
        format!("('{name}', '{stage}', '{region}', '{currency}', {value}, {probability}, {expected}, {closed})")
    });
    let moves = history.iter().map(|[name, stage, at]| format!("('{name}', '{stage}', '{at}')"));
    let (rows, moves) = (rows.collect::<Vec<_>>().join(", "), moves.collect::<Vec<_>>().join(", "));
    gateway
        .execute(&format!(
            "DELETE FROM deal_history WHERE deal_id IN (SELECT d.id FROM deals d JOIN organizations o ON o.id = d.organization_id WHERE o.slug = '{HOME}');
             DELETE FROM deals WHERE organization_id = (SELECT id FROM organizations WHERE slug = '{HOME}');
             INSERT INTO deals (organization_id, name, stage, region, segment, lob, currency, value, probability, expected_close_date, actual_close_date, close_reason, owner_id, created_at)
             SELECT u.organization_id, v.name, v.stage::deal_stage, v.region::deal_region, (enum_range(NULL::deal_segment))[1], (enum_range(NULL::deal_lob))[1],
                    v.currency, v.value, v.probability, v.expected::date, v.closed::date, CASE WHEN v.stage = 'Closed Lost' THEN 'Price' END, u.id, '2026-01-01 12:00+00'
               FROM (VALUES {rows}) v(name, stage, region, currency, value, probability, expected, closed), users u
              WHERE u.email = 'sarah.chen@aether-demo.com';
             INSERT INTO deal_history (deal_id, field_changed, new_value, change_source, changed_at)
             SELECT d.id, 'stage', v.stage, 'user', v.at::timestamptz FROM (VALUES {moves}) v(name, stage, at) JOIN deals d ON d.name = v.name"
        ))
        .await;
    gateway
}

#[tokio::test]
async fn figures_of_the_pipeline_are_those_of_a_hand_calculation() {
    let gateway = with(
        &[
            ["Won", "Closed Won", "Europe", "USD", "1000", "100", "2026-10-10", "2026-10-12"],
            ["Won before", "Closed Won", "Europe", "USD", "500", "100", "2026-09-10", "2026-09-30"],
            ["Lost", "Closed Lost", "North America", "USD", "3000", "0", "2026-10-01", "2026-10-02"],
            ["Lost in yen", "Closed Lost", "Europe", "JPY", "700", "0", "2026-10-01", "2026-10-02"],
            ["Open", "Proposal", "Europe", "USD", "2000", "40", "2026-12-31", ""],
            ["Overdue", "Discovery", "Europe", "USD", "100", "10", "2026-10-05", ""],
            ["Long overdue", "Discovery", "Europe", "USD", "50", "10", "2026-03-05", ""],
            ["Next", "Discovery", "Europe", "USD", "400", "50", "2027-01-01", ""],
            ["Later", "Discovery", "Europe", "USD", "9000", "50", "2027-04-01", ""],
        ],
        &[
            ["Won", "Prospecting", "2026-02-01 00:00+00"],
            ["Won", "Discovery", "2026-02-11 00:00+00"],
            ["Won", "Closed Won", "2026-10-12 00:00+00"],
            ["Lost", "Prospecting", "2026-02-01 00:00+00"],
            ["Lost", "Closed Lost", "2026-02-21 00:00+00"],
            ["Open", "Prospecting", "2026-02-01 00:00+00"],
            ["Open", "Discovery", "2026-02-05 12:00+00"],
            // Back, and on again: it entered the stage twice.
            ["Open", "Prospecting", "2026-03-01 00:00+00"],
            ["Open", "Proposal", "2026-03-03 00:00+00"],
            ["Next", "Prospecting", "2026-04-01 12:00+00"],
            // Before the days that are asked for.
            ["Overdue", "Prospecting", "2025-12-31 12:00+00"],
        ],
    )
    .await;
    let cfo = gateway.cfo().await;
    let data = cfo
        .data("{ salesFunnel(since: \"2026-01-01\", until: \"2026-04-01\") { stage entered advanced wentBack lost open conversion medianDays meanDays } }")
        .await;
    assert_eq!(
        data["salesFunnel"],
        json!([
            // 10, 20, 4.5 and 2 days.
            { "stage": "PROSPECTING", "entered": 5, "advanced": 3, "wentBack": 0, "lost": 1, "open": 1, "conversion": "0.7500", "medianDays": "7.3", "meanDays": "9.1" },
            { "stage": "DISCOVERY", "entered": 2, "advanced": 1, "wentBack": 1, "lost": 0, "open": 0, "conversion": "0.5000", "medianDays": "133.3", "meanDays": "133.3" },
            { "stage": "PROPOSAL", "entered": 1, "advanced": 0, "wentBack": 0, "lost": 0, "open": 1, "conversion": null, "medianDays": null, "meanDays": null },
        ])
    );
    let data = cfo
        .data("{ winRates(since: \"2026-10-01\", until: \"2026-12-31\") { slice currency won lost rate wonValue lostValue rateByValue daysToWin } }")
        .await;
    assert_eq!(
        data["winRates"],
        json!([
            { "slice": null, "currency": "USD", "won": 1, "lost": 1, "rate": "0.5000", "wonValue": "1000.00", "lostValue": "3000.00", "rateByValue": "0.2500", "daysToWin": "284.0" },
            { "slice": null, "currency": "JPY", "won": 0, "lost": 1, "rate": "0.0000", "wonValue": null, "lostValue": "700.00", "rateByValue": "0.0000", "daysToWin": null },
        ])
    );
    let data = cfo.data("{ winRates(since: \"2026-09-01\", by: OWNER) { slice currency won } regions: winRates(since: \"2026-09-01\", by: REGION) { slice currency won lost } }").await;
    assert_eq!(data["winRates"][0], json!({ "slice": "Sarah Chen", "currency": "USD", "won": 2 }));
    assert_eq!(data["regions"][0], json!({ "slice": "Europe", "currency": "USD", "won": 2, "lost": 0 }));
    let data = cfo
        .data("{ salesForecast { ahead first last currency committed weighted best wonDeals openDeals overdueDeals overdue } }")
        .await;
    let usd: Vec<&Value> =
        data["salesForecast"].as_array().expect("quarters").iter().filter(|one| one["currency"] == "USD").collect();
    assert_eq!(
        json!(usd),
        json!([
            { "ahead": 0, "first": "2026-10-01", "last": "2026-12-31", "currency": "USD", "committed": "1000.00", "weighted": "1810.00", "best": "3100.00",
              "wonDeals": 1, "openDeals": 2, "overdueDeals": 2, "overdue": "150.00" },
            { "ahead": 1, "first": "2027-01-01", "last": "2027-03-31", "currency": "USD", "committed": null, "weighted": "200.00", "best": "400.00",
              "wonDeals": 0, "openDeals": 1, "overdueDeals": 0, "overdue": null },
        ])
    );
    // Another region's figures are not one's own.
    let europe = gateway.sign_in("europe.analyst@aether-demo.com", HOME).await;
    let data = europe
        .data("{ winRates(since: \"2026-10-01\") { currency won lost } salesFunnel(since: \"2026-01-01\") { lost } }")
        .await;
    assert_eq!(
        data["winRates"],
        json!([{ "currency": "USD", "won": 1, "lost": 0 }, { "currency": "JPY", "won": 0, "lost": 1 }])
    );
    assert!(data["salesFunnel"].as_array().expect("stages").iter().all(|stage| stage["lost"] == 0));
    assert_eq!(
        cfo.query("{ winRates(since: \"2026-10-02\", until: \"2026-10-01\") { won } }").await.code(),
        "VALIDATION_FAILED"
    );
    let nothing = cfo.data("{ winRates(since: \"1999-01-01\", until: \"1999-12-31\") { won } salesFunnel(since: \"1999-01-01\", until: \"1999-01-02\") { entered } }").await;
    assert_eq!(nothing, json!({ "winRates": [], "salesFunnel": [] }));
    assert_eq!(gateway.stranger().query("{ salesForecast { best } }").await.code(), "UNAUTHENTICATED");
}
