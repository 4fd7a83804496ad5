//! Snapshots of the pipeline.

use serde_json::{Value, json};

use crate::{
    case,
    mutations::{Case, May},
    support::{Gateway, HOME},
};

pub fn cases() -> Vec<Case> {
    vec![case!(
        "takePipelineSnapshot",
        May::Organization(&["CFO", "FINANCE_MANAGER"]),
        "DELETE FROM pipeline_snapshots WHERE snapshot_date >= current_date - 1 AND snapshot_type IS NULL; SELECT false AS replace",
        "mutation($replace: Boolean!) { takePipelineSnapshot(replace: $replace) { snapshot { id } } }"
    )]
}

const FIELDS: &str = "currency dealsLeftOut replaced snapshot { id snapshotDate snapshotType totalPipelineValue \
     weightedPipelineValue dealCount stageBreakdown { stage value count } regionBreakdown { region value count } \
     segmentBreakdown { segment value count } forecastThisQuarter forecastNextQuarter }";

/// The sum and the number of the open deals of the home organization in dollars that satisfy this.
async fn sum(gateway: &Gateway, what: &str, condition: &str) -> [Value; 2] {
    let row = gateway
        .rows(&format!(
            "SELECT coalesce(sum({what}), 0.00)::numeric(20,2)::text AS sum, count(*) AS count FROM deals
              WHERE organization_id = (SELECT id FROM organizations WHERE slug = 'aether-demo') AND currency = 'USD'
                AND actual_close_date IS NULL AND {condition}"
        ))
        .await
        .remove(0);
    [row["sum"].clone(), row["count"].clone()]
}

fn number(value: &Value) -> f64 {
    value.as_str().expect("a decimal").parse().expect("a number")
}

#[tokio::test]
async fn a_snapshot_is_what_the_deals_add_up_to() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    gateway
        .execute(
            "UPDATE deals SET currency = 'EUR' WHERE id IN (SELECT id FROM deals WHERE actual_close_date IS NULL
            AND organization_id = (SELECT id FROM organizations WHERE slug = 'aether-demo') ORDER BY id LIMIT 3);
          UPDATE deals SET stage = 'Discovery' WHERE stage = 'Negotiation'",
        )
        .await;
    let taken = cfo.data(&format!("mutation {{ takePipelineSnapshot(type: WEEKLY) {{ {FIELDS} }} }}")).await;
    let taken = &taken["takePipelineSnapshot"];
    let snapshot = &taken["snapshot"];
    assert_eq!(
        [&taken["currency"], &taken["dealsLeftOut"], &taken["replaced"]],
        [&json!("USD"), &json!(3), &json!(false)]
    );
    let [total, count] = sum(&gateway, "value", "true").await;
    assert!(count.as_i64() > Some(20), "too few deals to mean anything");
    assert_eq!((number(&snapshot["totalPipelineValue"]), &snapshot["dealCount"]), (number(&total), &count));
    let [weighted, _] = sum(&gateway, "round(value * probability / 100, 2)", "true").await;
    assert_eq!(number(&snapshot["weightedPipelineValue"]), number(&weighted));
    for (breakdown, key, column, groups) in [
        ("stageBreakdown", "stage", "stage", 5),
        ("regionBreakdown", "region", "region", 5),
        ("segmentBreakdown", "segment", "segment", 3),
    ] {
        let rows = snapshot[breakdown].as_array().expect("a breakdown");
        assert_eq!(rows.len(), groups, "{breakdown} names every group");
        for row in rows {
            // As the enum of the graph spells it: LEGAL_REVIEW, MID_MARKET.
            let named = format!(
                "upper(regexp_replace({column}::text, '[ -]', '_', 'g')) = {}",
                row[key].to_string().replace('"', "'")
            );
            let [value, count] = sum(&gateway, "value", &named).await;
            assert_eq!((number(&row["value"]), &row["count"]), (number(&value), &count), "{row}");
        }
        let all: i64 = rows.iter().map(|row| row["count"].as_i64().expect("a count")).sum();
        assert_eq!(all, count.as_i64().expect("a count"));
    }
    assert!(
        snapshot["stageBreakdown"]
            .as_array()
            .expect("stages")
            .iter()
            .any(|row| row["stage"] == "NEGOTIATION" && row["count"] == 0)
    );
    let day = snapshot["snapshotDate"].as_str().expect("a date");
    let quarter = format!("date_trunc('quarter', '{day}'::date)");
    for (field, from, to) in [
        ("forecastThisQuarter", "'-infinity'::timestamp", 3),
        ("forecastNextQuarter", &*format!("{quarter} + interval '3 months'"), 6),
    ] {
        let within =
            format!("expected_close_date >= {from} AND expected_close_date < {quarter} + interval '{to} months'");
        let [forecast, deals] = sum(&gateway, "weighted_value", &within).await;
        assert!(deals.as_i64() > Some(0), "{field}");
        assert_eq!(number(&snapshot[field]), number(&forecast), "{field}");
    }
    let audit = gateway.rows("SELECT details FROM audit_logs WHERE action = 'PIPELINE_SNAPSHOT'").await;
    assert_eq!(audit[0]["details"]["after"]["dealsLeftOut"], 3);
    let events =
        gateway.value("SELECT count(*) FROM event_outbox WHERE topic = 'pipeline_snapshot' AND kind = 'created'");
    assert_eq!(events.await, 1);
}

#[tokio::test]
async fn there_is_one_snapshot_of_a_date_and_type_unless_it_is_replaced() {
    let gateway = Gateway::demo().await;
    let (cfo, manager) = (gateway.cfo().await, gateway.sign_in("finance.manager@aether-demo.com", HOME).await);
    let take = |arguments: &str| format!("mutation {{ takePipelineSnapshot{arguments} {{ {FIELDS} }} }}");
    let first = cfo.data(&take("(type: MONTHLY)")).await;
    let again = manager.query(&take("(type: MONTHLY)")).await;
    assert_eq!((again.code(), &again.body["errors"][0]["extensions"]["field"]), ("CONFLICT", &json!("date")));
    cfo.data(&take("(type: QUARTER_END)")).await;
    cfo.data(&take("")).await;
    assert_eq!(cfo.query(&take("")).await.code(), "CONFLICT", "one on demand a day, too");
    gateway
        .execute("UPDATE deals SET value = value + 1 WHERE id = (SELECT id FROM deals WHERE actual_close_date IS NULL AND currency = 'USD'
            AND organization_id = (SELECT id FROM organizations WHERE slug = 'aether-demo') LIMIT 1)")
        .await;
    let replaced = manager.data(&take("(type: MONTHLY, replace: true)")).await;
    let (first, replaced) = (&first["takePipelineSnapshot"], &replaced["takePipelineSnapshot"]);
    assert_eq!((&replaced["replaced"], &replaced["snapshot"]["id"]), (&json!(true), &first["snapshot"]["id"]));
    let grown = number(&replaced["snapshot"]["totalPipelineValue"]) - number(&first["snapshot"]["totalPipelineValue"]);
    assert!((grown - 1.0).abs() < 0.001, "{grown}");
    for date in ["2020-01-31", "2999-01-01"] {
        let answer = cfo.query(&take(&format!("(type: DAILY, date: \"{date}\")"))).await;
        assert_eq!(
            (answer.code(), &answer.body["errors"][0]["extensions"]["field"]),
            ("VALIDATION_FAILED", &json!("date"))
        );
    }
}
