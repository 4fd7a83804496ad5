//! What has moved in the pipeline and what bookings are made of, against calculations by hand.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::support::{Gateway, HOME};

/// A gateway on 20 November 2026 where the organization has these deals only: name, stage, region, currency, value, expected close, close, beginning;
/// with these changes: name, field, before, after, moment.
async fn with(deals: &[[&str; 8]], changes: &[[&str; 5]]) -> Gateway {
    let gateway = Gateway::as_of(NaiveDate::from_ymd_opt(2026, 11, 20).expect("a day")).await;
    let text = |text: &str| if text.is_empty() { "NULL".to_owned() } else { format!("'{text}'") };
    let row = |cells: &[&str]| format!("({})", cells.iter().map(|cell| text(cell)).collect::<Vec<_>>().join(", "));
    let (deals, changes) = (deals.iter().map(|cells| row(cells)), changes.iter().map(|cells| row(cells)));
    let (deals, changes) = (deals.collect::<Vec<_>>().join(", "), changes.collect::<Vec<_>>().join(", "));
    gateway
        .execute(&format!(
            "DELETE FROM deal_history WHERE deal_id IN (SELECT d.id FROM deals d JOIN organizations o ON o.id = d.organization_id WHERE o.slug = '{HOME}');
             DELETE FROM deals WHERE organization_id = (SELECT id FROM organizations WHERE slug = '{HOME}');
             UPDATE organizations SET settings = settings || '{{\"timezone\": \"America/New_York\"}}' WHERE slug = '{HOME}';
             INSERT INTO deals (organization_id, name, stage, region, segment, lob, currency, value, probability, expected_close_date, actual_close_date, close_reason, owner_id, created_at)
             SELECT u.organization_id, v.name, v.stage::deal_stage, v.region::deal_region, (enum_range(NULL::deal_segment))[1], (enum_range(NULL::deal_lob))[1],
                    v.currency, v.value::numeric, 50, v.expected::date, v.closed::date, CASE WHEN v.stage = 'Closed Lost' THEN 'Price' END, u.id, v.begun::timestamptz
               FROM (VALUES {deals}) v(name, stage, region, currency, value, expected, closed, begun), users u WHERE u.email = 'sarah.chen@aether-demo.com';
             INSERT INTO deal_history (deal_id, field_changed, old_value, new_value, change_source, changed_at)
             SELECT d.id, v.field, v.before, v.after, 'user', v.at::timestamptz FROM (VALUES {changes}) v(name, field, before, after, at) JOIN deals d ON d.name = v.name"
        ))
        .await;
    gateway
}

const TOTALS: &str = "opening { deals value } new { deals value } reopened { deals value } increased { deals value } decreased { deals value }
    won { deals value } lost { deals value } closing { deals value } advanced { deals value } wentBack { deals value } slipped { deals value } pulledIn { deals value }";

/// October 2026 in New York: it begins at 04:00 of UTC, and ends at 04:00 on the first of November.
async fn october() -> Gateway {
    with(
        &[
            ["Stays", "Proposal", "Europe", "USD", "100", "2026-12-01", "", "2026-01-01 12:00+00"],
            ["Grows", "Negotiation", "Europe", "USD", "250.50", "2027-01-01", "", "2026-01-01 12:00+00"],
            [
                "Shrinks and is won",
                "Closed Won",
                "Europe",
                "USD",
                "80",
                "2026-10-20",
                "2026-10-20",
                "2026-01-01 12:00+00",
            ],
            ["Comes", "Discovery", "North America", "USD", "40", "2026-12-31", "", "2026-10-01 04:00+00"],
            ["Came the evening before", "Discovery", "North America", "USD", "7", "", "", "2026-10-01 03:59+00"],
            [
                "Comes and is lost",
                "Closed Lost",
                "North America",
                "USD",
                "60",
                "2026-10-30",
                "2026-10-30",
                "2026-10-05 12:00+00",
            ],
            ["Is opened again", "Proposal", "Europe", "USD", "30", "2026-12-01", "", "2026-01-01 12:00+00"],
            ["Goes back", "Prospecting", "Europe", "USD", "20", "2026-11-15", "", "2026-01-01 12:00+00"],
            ["Comes later", "Prospecting", "Europe", "USD", "9000", "", "", "2026-11-01 05:00+00"],
            [
                "Was won before",
                "Closed Won",
                "Europe",
                "USD",
                "5000",
                "2026-05-01",
                "2026-05-01",
                "2026-01-01 12:00+00",
            ],
            ["In yen", "Prospecting", "Europe", "JPY", "11000", "", "", "2026-10-10 12:00+00"],
        ],
        &[
            ["Stays", "stage", "", "Proposal", "2026-01-01 12:00+00"],
            // There and back: it does not show.
            ["Stays", "value", "100.00", "999.00", "2026-10-10 12:00+00"],
            ["Stays", "value", "999.00", "100.00", "2026-10-11 12:00+00"],
            ["Grows", "stage", "", "Prospecting", "2026-01-01 12:00+00"],
            ["Grows", "stage", "Prospecting", "Proposal", "2026-05-01 12:00+00"],
            ["Grows", "stage", "Proposal", "Negotiation", "2026-10-15 12:00+00"],
            ["Grows", "value", "200.00", "250.50", "2026-10-15 12:00+00"],
            ["Grows", "expectedCloseDate", "2026-11-30", "2027-01-01", "2026-10-16 12:00+00"],
            ["Shrinks and is won", "stage", "", "Proposal", "2026-01-01 12:00+00"],
            ["Shrinks and is won", "value", "90.00", "80.00", "2026-10-19 12:00+00"],
            ["Shrinks and is won", "stage", "Proposal", "Closed Won", "2026-10-20 12:00+00"],
            ["Comes", "stage", "", "Discovery", "2026-10-01 04:00+00"],
            ["Came the evening before", "stage", "", "Discovery", "2026-10-01 03:59+00"],
            ["Comes and is lost", "stage", "", "Prospecting", "2026-10-05 12:00+00"],
            ["Comes and is lost", "stage", "Prospecting", "Closed Lost", "2026-10-30 12:00+00"],
            ["Is opened again", "stage", "", "Closed Lost", "2026-01-01 12:00+00"],
            ["Is opened again", "stage", "Closed Lost", "Proposal", "2026-10-07 12:00+00"],
            ["Goes back", "stage", "", "Proposal", "2026-01-01 12:00+00"],
            ["Goes back", "stage", "Proposal", "Prospecting", "2026-10-08 12:00+00"],
            ["Goes back", "expectedCloseDate", "2026-12-15", "2026-11-15", "2026-10-08 12:00+00"],
            // After the days that are asked for.
            ["Goes back", "value", "20.00", "20.00", "2026-11-05 12:00+00"],
            ["Comes later", "stage", "", "Prospecting", "2026-11-01 05:00+00"],
            ["Was won before", "stage", "", "Closed Won", "2026-05-01 12:00+00"],
            ["In yen", "stage", "", "Prospecting", "2026-10-10 12:00+00"],
        ],
    )
    .await
}

fn total(deals: i32, value: &str) -> Value {
    json!({ "deals": deals, "value": value })
}

#[tokio::test]
async fn what_has_moved_is_what_a_hand_counts() {
    let gateway = october().await;
    let cfo = gateway.cfo().await;
    let query = format!(
        "{{ pipelineMovement(since: \"2026-10-01\", until: \"2026-10-31\") {{ slice currency {TOTALS}
            moves {{ name kinds effect before {{ stage value expectedCloseDate }} after {{ stage value expectedCloseDate }} }} }} }}"
    );
    cfo.data("{ me { user { id } } }").await;
    let answer = cfo.query(&query).await;
    assert_eq!(answer.statements(), 1);
    let data = answer.ok();
    let [yen, dollars] = &data["pipelineMovement"].as_array().expect("answers")[..] else { panic!("two currencies") };
    assert_eq!(
        (&yen["currency"], &yen["new"], &yen["closing"]),
        (&json!("JPY"), &total(1, "11000.00"), &total(1, "11000.00"))
    );
    for (name, expected) in [
        // Stays 100, Grows 200, Shrinks 90, Came the evening before 7, Goes back 20.
        ("opening", total(5, "417.00")),
        ("new", total(2, "100.00")),
        ("reopened", total(1, "30.00")),
        ("increased", total(1, "50.50")),
        ("decreased", total(1, "10.00")),
        ("won", total(1, "80.00")),
        ("lost", total(1, "60.00")),
        // Stays 100, Grows 250.50, Comes 40, Came 7, Is opened again 30, Goes back 20.
        ("closing", total(6, "447.50")),
        ("advanced", total(1, "250.50")),
        ("wentBack", total(1, "20.00")),
        ("slipped", total(1, "250.50")),
        ("pulledIn", total(1, "20.00")),
    ] {
        assert_eq!(dollars[name], expected, "{name}");
    }
    let moves: Vec<_> = dollars["moves"]
        .as_array()
        .expect("moves")
        .iter()
        .map(|moved| moved["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(moves, ["Shrinks and is won", "Grows", "Comes", "Is opened again", "Comes and is lost", "Goes back"]);
    assert_eq!(
        dollars["moves"][1],
        json!({ "name": "Grows", "kinds": ["ADVANCED", "INCREASED", "SLIPPED"], "effect": "50.50",
                "before": { "stage": "PROPOSAL", "value": "200.00", "expectedCloseDate": "2026-11-30" },
                "after": { "stage": "NEGOTIATION", "value": "250.50", "expectedCloseDate": "2027-01-01" } })
    );
    assert_eq!(dollars["moves"][4]["before"], Value::Null);
    assert_eq!(dollars["moves"][4]["kinds"], json!(["NEW", "LOST"]));
    let won = cfo
        .data("{ pipelineMovement(since: \"2026-10-01\", until: \"2026-10-31\", by: REGION) { slice currency opening { deals } moves(kinds: [WON], first: 1) { name owner } } }")
        .await;
    assert_eq!(
        won["pipelineMovement"],
        json!([
            { "slice": "Europe", "currency": "JPY", "opening": { "deals": 0 }, "moves": [] },
            { "slice": "Europe", "currency": "USD", "opening": { "deals": 4 }, "moves": [{ "name": "Shrinks and is won", "owner": "Sarah Chen" }] },
            { "slice": "North America", "currency": "USD", "opening": { "deals": 1 }, "moves": [] },
        ])
    );
    // Who is confined to a region counts that one only.
    let analyst = gateway.sign_in("europe.analyst@aether-demo.com", HOME).await;
    let europe = analyst
        .data("{ pipelineMovement(since: \"2026-10-01\", until: \"2026-10-31\") { currency closing { deals value } } }")
        .await;
    assert_eq!(
        europe["pipelineMovement"][1],
        json!({ "currency": "USD", "closing": { "deals": 4, "value": "400.50" } })
    );
}

/// As a snapshot on each of the days would have it: what is open now is what was open then and all that has moved since.
#[tokio::test]
async fn movements_lead_from_snapshot_to_snapshot() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let open = cfo
        .data(
            "{ deals(filter: { stage: { notIn: [CLOSED_WON, CLOSED_LOST] } }) { aggregate { count value { sum } } } }",
        )
        .await;
    let open = &open["deals"]["aggregate"];
    let mut closing = total(
        open["count"].as_i64().and_then(|count| count.try_into().ok()).expect("a number"),
        open["value"]["sum"].as_str().expect("a sum"),
    );
    let today: NaiveDate = gateway.value("SELECT (now() AT TIME ZONE (SELECT settings ->> 'timezone' FROM organizations WHERE slug = 'aether-demo'))::date::text").await.as_str().expect("a day").parse().expect("a day");
    for weeks in 0..12 {
        let last = today - chrono::Days::new(7 * weeks);
        let first = last - chrono::Days::new(6);
        let data = cfo.data(&format!("{{ pipelineMovement(since: \"{first}\", until: \"{last}\") {{ opening {{ deals value }} closing {{ deals value }} }} }}")).await;
        assert_eq!(data["pipelineMovement"][0]["closing"], closing, "{last}");
        closing = data["pipelineMovement"][0]["opening"].clone();
    }
}

#[tokio::test]
async fn bookings_differ_by_volume_price_and_mix() {
    let mut deals = Vec::new();
    let names: Vec<String> = (0..40).map(|n| format!("Deal {n}")).collect();
    let won = |name, region, value, day| [name, "Closed Won", region, "USD", value, day, day, "2025-01-01 12:00+00"];
    // 2025: in Europe ten of 100, in North America ten of 200. 2026: five of 110 and fifteen of 200.
    for (n, name) in names.iter().enumerate() {
        deals.push(match n {
            0..10 => won(name, "Europe", "100", "2025-06-30"),
            10..20 => won(name, "North America", "200", "2025-04-01"),
            20..25 => won(name, "Europe", "110", "2026-06-30"),
            _ => won(name, "North America", "200", "2026-04-01"),
        });
    }
    deals.push(won("Before", "Europe", "77777", "2026-03-31"));
    deals.push(won("After", "Europe", "77777", "2026-07-01"));
    let gateway = with(&deals, &[["Before", "stage", "", "Closed Won", "2026-03-31 12:00+00"]]).await;
    let cfo = gateway.cfo().await;
    let fields = "slice deals value comparedDeals comparedValue difference volumeEffect priceEffect mixEffect";
    let query = format!(
        "{{ bookingsVariance(since: \"2026-04-01\", until: \"2026-06-30\", by: REGION) {{ currency total {{ {fields} }} parts {{ {fields} }} }} }}"
    );
    let data = cfo.data(&query).await;
    let part = |slice: Value, of: [i32; 2], values: [&str; 2], effects: [&str; 4]| {
        json!({ "slice": slice, "deals": of[0], "value": values[0], "comparedDeals": of[1], "comparedValue": values[1],
                "difference": effects[0], "volumeEffect": effects[1], "priceEffect": effects[2], "mixEffect": effects[3] })
    };
    assert_eq!(
        data["bookingsVariance"],
        json!([{
            "currency": "USD",
            "total": part(Value::Null, [20, 20], ["3550.00", "3000.00"], ["550.00", "0.00", "50.00", "500.00"]),
            "parts": [
                part(json!("Europe"), [5, 10], ["550.00", "1000.00"], ["-450.00", "0.00", "50.00", "-500.00"]),
                part(json!("North America"), [15, 10], ["3000.00", "2000.00"], ["1000.00", "0.00", "0.00", "1000.00"]),
            ],
        }])
    );
    let none = cfo.data("{ bookingsVariance(since: \"2020-01-01\", until: \"2020-12-31\") { currency } }").await;
    assert_eq!(none["bookingsVariance"], json!([]));
    for (arguments, field) in [
        ("since: \"0001-01-01\", until: \"0001-12-31\"", "since"),
        ("since: \"2026-04-01\", until: \"9999-12-31\"", "until"),
        ("since: \"2026-06-30\", until: \"2026-04-01\"", "until"),
        (
            "since: \"2026-04-01\", until: \"2026-06-30\", comparedSince: \"2026-04-01\", comparedUntil: \"2026-03-31\"",
            "comparedUntil",
        ),
    ] {
        let answer = cfo.query(&format!("{{ bookingsVariance({arguments}) {{ currency }} }}")).await;
        assert_eq!(answer.code(), "VALIDATION_FAILED");
        assert_eq!(answer.body["errors"][0]["extensions"]["field"], field);
    }
}
