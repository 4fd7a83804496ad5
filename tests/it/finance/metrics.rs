//! The metric series: imports, and forecasts that people override.

use serde_json::{Value, json};

use crate::{
    case,
    mutations::{Case, May},
    support::{Gateway, HOME, User},
};

const MANAGERS: May = May::Organization(&["CFO", "FINANCE_MANAGER"]);

pub fn cases() -> Vec<Case> {
    vec![
        case!(
            "importMetrics",
            MANAGERS,
            "SELECT 'date,metric_type,product,actual' || chr(10) || '2031-01-01,REVENUE,' || gen_random_uuid() || ',1' AS csv",
            "mutation($csv: String!) { importMetrics(csv: $csv) { inserted } }"
        ),
        case!(
            "undoMetricImport",
            MANAGERS,
            "INSERT INTO metric_imports (organization_id, inserted, updated) SELECT id, 0, 0 FROM organizations WHERE slug = 'aether-demo' RETURNING id",
            "mutation($id: UUID!) { undoMetricImport(id: $id, reason: \"The wrong file\") { undoneAt } }"
        ),
        case!(
            "deleteMetrics",
            MANAGERS,
            "INSERT INTO financial_metrics (organization_id, metric_date, metric_type, product)
             SELECT id, '2031-01-01', 'ARR', gen_random_uuid()::text FROM organizations WHERE slug = 'aether-demo' RETURNING id",
            "mutation($id: UUID!) { deleteMetrics(ids: [$id], reason: \"Recorded twice\") }"
        ),
        case!(
            "overrideForecast",
            MANAGERS,
            "INSERT INTO financial_metrics (organization_id, metric_date, metric_type, product, forecast_value)
             SELECT id, '2031-01-01', 'ARR', gen_random_uuid()::text, 5 FROM organizations WHERE slug = 'aether-demo'
             RETURNING id, row_version AS \"expectedVersion\"",
            "mutation($id: UUID!, $expectedVersion: Int!) {
                overrideForecast(metricId: $id, expectedVersion: $expectedVersion, forecastValue: \"6\", reason: \"Known better\") { forecastValue } }"
        ),
    ]
}

const IMPORT: &str = "mutation($csv: String!, $source: String, $dry: Boolean) {
    importMetrics(csv: $csv, sourceSystem: $source, dryRun: $dry) { inserted updated unchanged total dryRun } }";

async fn import(user: &User<'_>, csv: &str, dry: bool) -> Value {
    let answer = user.run(IMPORT, json!({ "csv": csv, "source": "Ledger", "dry": dry })).await.ok();
    let counts = &answer["importMetrics"];
    assert_eq!(counts["dryRun"], dry);
    json!([counts["inserted"], counts["updated"], counts["unchanged"], counts["total"]])
}

/// The problems that an import is refused for: line and field of each.
async fn problems(user: &User<'_>, csv: &str) -> Value {
    let answer = user.run(IMPORT, json!({ "csv": csv })).await;
    assert_eq!(answer.code(), "VALIDATION_FAILED", "{:#}", answer.body);
    assert!(answer.message().starts_with("Nothing was imported. Line "), "{}", answer.message());
    let lines = answer.body["errors"][0]["extensions"]["lines"].as_array().expect("lines").clone();
    assert!(lines.iter().all(|line| line["message"].as_str().is_some_and(|message| message.len() > 10)));
    lines.iter().map(|line| json!([line["line"], line["field"]])).collect()
}

async fn rows(gateway: &Gateway) -> Value {
    gateway
        .value("SELECT jsonb_agg(to_jsonb(m) ORDER BY metric_date, metric_type, region, product) FROM financial_metrics m WHERE metric_date >= '2031-01-01'")
        .await
}

async fn imports_told(gateway: &Gateway) -> i64 {
    gateway.value("SELECT count(*) FROM audit_logs WHERE action = 'METRICS_IMPORT'").await.as_i64().expect("a count")
}

const FILE: &str = "Date,Metric Type,Region,LOB,Product,Actual,Forecast,Budget,Confidence Lower,Confidence Upper,Forecast Model,Currency\n\
    2031-01,REVENUE,Europe,Software,,1000.50,1100,900,1000,1200,Prophet,EUR\n\
    2031-01,REVENUE,,,,2000,,,,,,\n\
    2031-02-15,churn rate,Europe,,\"Suite, large\",,3.25,,,,,EUR\n";

#[tokio::test]
async fn importing_a_file_again_changes_nothing() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    assert_eq!(import(&cfo, FILE, true).await, json!([3, 0, 0, 3]));
    assert_eq!((rows(&gateway).await, imports_told(&gateway).await), (Value::Null, 0), "a dry run wrote something");
    assert_eq!(import(&cfo, FILE, false).await, json!([3, 0, 0, 3]));
    let first = rows(&gateway).await;
    assert_eq!((first[0]["actual_value"].as_f64(), &first[0]["forecast_model"]), (Some(1000.5), &json!("Prophet")));
    assert_eq!((&first[1]["region"], &first[1]["currency"]), (&Value::Null, &json!("USD")));
    assert_eq!((&first[2]["metric_type"], &first[2]["product"]), (&json!("CHURN_RATE"), &json!("Suite, large")));
    assert!(first.as_array().is_some_and(|rows| rows.iter().all(|row| row["source_system"] == "Ledger")));
    assert_eq!(imports_told(&gateway).await, 1);

    assert_eq!(import(&cfo, FILE, false).await, json!([0, 0, 3, 3]));
    assert_eq!(
        (rows(&gateway).await, imports_told(&gateway).await),
        (first, 1),
        "nothing was new, yet something was written"
    );

    // One value of one line: one row, told before and after, and one event that says so.
    let corrected = FILE.replace("1000.50", "1000.75");
    assert_eq!(import(&cfo, &corrected, true).await, json!([0, 1, 2, 3]));
    assert_eq!(import(&cfo, &corrected, false).await, json!([0, 1, 2, 3]));
    let told =
        gateway.value("SELECT details FROM audit_logs WHERE action = 'METRICS_IMPORT' ORDER BY id DESC LIMIT 1").await;
    let row = &told["after"]["rows"][0];
    assert_eq!(
        (&row["before"], &row["after"]),
        (&json!({ "actualValue": "1000.50" }), &json!({ "actualValue": "1000.75" }))
    );
    assert_eq!(told["after"]["rows"].as_array().map(Vec::len), Some(1));
    let summary = json!({ "inserted": 0, "updated": 1, "unchanged": 2, "metricTypes": ["REVENUE"] });
    assert_eq!(told["after"]["metrics"], summary);
    let events = gateway.rows("SELECT kind, payload FROM event_outbox WHERE topic = 'metric' ORDER BY sequence").await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[1], json!({ "kind": "imported", "payload": summary }));
}

/// Lines meet rows whatever of the key is left out, and many of one date and metric at once.
#[tokio::test]
async fn lines_of_one_date_and_metric_are_told_apart() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let mut csv = "date,metric,region,lob,product,actual\n".to_owned();
    for at in 0..2_000 {
        let name = |bit: usize, of: &str| if at >> bit & 1 == 0 { String::new() } else { format!("{of}{at}") };
        csv += &format!("2031-01,ARR,{},{},Product {at},{at}\n", name(0, "R"), name(1, "L"));
    }
    csv += "2031-01,ARR,,,,1\n2031-01,ARR,R1,,,2\n2031-01,ARR,,R1,,3\n2031-01,ARR,,,R1,4\n";
    assert_eq!(import(&cfo, &csv, false).await, json!([2_004, 0, 0, 2_004]));
    assert_eq!(import(&cfo, &csv, false).await, json!([0, 0, 2_004, 2_004]));
    let corrected = csv.replace(",,R1,,3", ",,R1,,5");
    assert_eq!(import(&cfo, &corrected, false).await, json!([0, 1, 2_003, 2_004]));
}

#[tokio::test]
async fn what_a_line_does_not_say_stays() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    import(&cfo, FILE, false).await;
    // The actual alone: forecast, budget and currency stay.
    assert_eq!(
        import(&cfo, "date,metric,region,line of business,actual\n2031-01,REVENUE,Europe,Software,1\n", false).await,
        json!([0, 1, 0, 1])
    );
    let row = &rows(&gateway).await[0];
    let values = |row: &Value| {
        ["actual_value", "forecast_value", "budget_value", "confidence_lower"].map(|name| row[name].as_f64())
    };
    assert_eq!(values(row), [Some(1.0), Some(1100.0), Some(900.0), Some(1000.0)]);
    assert_eq!((&row["currency"], &row["row_version"]), (&json!("EUR"), &json!(2)));
    // A forecast brings its interval and its model, or none.
    import(&cfo, "date,metric,region,lob,forecast\n2031-01,REVENUE,Europe,Software,7\n", false).await;
    let row = &rows(&gateway).await[0];
    assert_eq!(values(row), [Some(1.0), Some(7.0), Some(900.0), None]);
    assert_eq!(row["forecast_model"], Value::Null);
    // The currency of what the line does not give cannot change under it.
    let dollars = "date,metric,region,lob,actual,currency\n2031-01,REVENUE,Europe,Software,8,USD\n";
    assert_eq!(problems(&cfo, dollars).await, json!([[2, "currency"]]));
    import(
        &cfo,
        "date,metric,region,lob,actual,forecast,budget,currency\n2031-01,REVENUE,Europe,Software,8,9,10,USD\n",
        false,
    )
    .await;
    assert_eq!(rows(&gateway).await[0]["currency"], "USD");
}

#[tokio::test]
async fn one_wrong_line_refuses_all_and_every_wrong_line_is_told() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    assert_eq!(problems(&cfo, "").await, json!([[1, ""]]));
    assert_eq!(problems(&cfo, "date;metric_type\n").await[0], json!([1, "date;metric_type"]));
    for code in ["ZZZ", "DEM", "usd", "US"] {
        let csv = format!("date,metric,region,lob,actual,currency\n2031-01,REVENUE,Europe,Software,8,{code}\n");
        assert_eq!(problems(&cfo, &csv).await, json!([[2, "currency"]]), "{code}");
    }
    let wrong = "date,metric_type,actual,currency\n\
        2031-01-01,REVENUE,1,USD\n2031-01-01,REVENUE,2,USD\n2031-02-30,PROFIT,\"1,000\",usd\n2031-03-01,ARR,1\n2031-04-01,ARR,,\n";
    assert_eq!(
        problems(&cfo, wrong).await,
        json!([[5, "currency"]]),
        "the shape of the lines comes first: with a cell too few nothing can be told of the others"
    );
    assert_eq!(
        problems(&cfo, &wrong.replace("ARR,1\n", "ARR,1,\n")).await,
        json!([[3, ""], [4, "date"], [4, "metric_type"], [4, "actual"], [4, "currency"], [6, "actual"]])
    );
    let many = format!("date,metric_type,actual\n{}", "2031-01-01,ARR,x\n".repeat(500));
    assert_eq!(problems(&cfo, &many).await.as_array().map(Vec::len), Some(100));
    assert_eq!((rows(&gateway).await, imports_told(&gateway).await), (Value::Null, 0));
}

#[tokio::test]
async fn who_sees_one_region_imports_and_overrides_that_region_only() {
    let gateway = Gateway::demo().await;
    gateway.execute("UPDATE users SET region = 'Europe' WHERE email = 'finance.manager@aether-demo.com'").await;
    let (cfo, manager) = (gateway.cfo().await, gateway.sign_in("finance.manager@aether-demo.com", HOME).await);
    assert_eq!(problems(&manager, FILE).await, json!([[3, "region"]]));
    import(&cfo, FILE, false).await;
    assert_eq!(import(&manager, "date,metric,region,actual\n2031-05,MRR,Europe,5\n", false).await, json!([1, 0, 0, 1]));
    let ids = gateway.value("SELECT jsonb_object_agg(coalesce(region, 'all'), id) FROM financial_metrics WHERE metric_date = '2031-01-01'").await;
    let write = "mutation($id: UUID!, $reason: String!, $value: Decimal!, $version: Int!) {
        overrideForecast(metricId: $id, expectedVersion: $version, forecastValue: $value, reason: $reason) {
            forecastValue forecastModel confidenceLower confidenceUpper rowVersion } }";
    let arguments = |id: &Value, value: &str, version: i32, reason: &str| json!({ "id": id, "value": value, "version": version, "reason": reason });
    let elsewhere = manager.run(write, arguments(&ids["all"], "1", 1, "No business of mine")).await;
    assert_eq!(elsewhere.code(), "NOT_FOUND");
    for (value, reason, field) in [("1.234", "Because", "forecastValue"), ("1", "  ", "reason")] {
        let refused = manager.run(write, arguments(&ids["Europe"], value, 1, reason)).await;
        assert_eq!(refused.code(), "VALIDATION_FAILED");
        assert_eq!(refused.body["errors"][0]["extensions"]["field"], field);
    }
    let done = manager.run(write, arguments(&ids["Europe"], "1234.5", 1, "A large renewal slipped")).await.ok();
    assert_eq!(
        done["overrideForecast"],
        json!({ "forecastValue": "1234.50", "forecastModel": "manual override", "confidenceLower": null, "confidenceUpper": null, "rowVersion": 2 })
    );
    let id = ids["Europe"].as_str().expect("an id");
    let told = gateway.rows(&format!("SELECT * FROM audit_logs WHERE resource_id = '{id}'")).await;
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["risk_level"], &told[0]["requires_review"]), (&json!("high"), &json!(true)));
    assert_eq!(
        (&told[0]["action"], &told[0]["details"]["reason"]),
        (&json!("FORECAST_OVERRIDE"), &json!("A large renewal slipped"))
    );
    assert_eq!(
        told[0]["details"]["before"],
        json!({ "forecastValue": "1100.00", "forecastModel": "Prophet", "confidenceLower": "1000.00", "confidenceUpper": "1200.00" })
    );
    // Who was slower is told who was faster; after an import, which has no event for each row, nobody is named for it.
    let stale = cfo.run(write, arguments(&ids["Europe"], "1", 1, "Late")).await;
    assert_eq!(stale.code(), "CONFLICT");
    assert_eq!(stale.body["errors"][0]["extensions"]["changedBy"]["name"], "Marcus Webb");
    import(&cfo, FILE, false).await;
    let stale = cfo.run(write, arguments(&ids["Europe"], "1", 1, "Late")).await;
    let extensions = &stale.body["errors"][0]["extensions"];
    assert_eq!((&extensions["currentVersion"], &extensions["changedBy"]), (&json!(3), &Value::Null));
}

const UNDO: &str = "mutation($id: UUID!, $reason: String!) { undoMetricImport(id: $id, reason: $reason) { inserted updated sourceSystem undoneByUser { name } importedByUser { name } } }";

/// Imports, and tells the id by which it can be taken back.
async fn import_id(user: &User<'_>, csv: &str) -> Value {
    let answer = user
        .run(
            "mutation($csv: String!) { importMetrics(csv: $csv, sourceSystem: \"Ledger\") { importId } }",
            json!({ "csv": csv }),
        )
        .await;
    answer.ok()["importMetrics"]["importId"].clone()
}

#[tokio::test]
async fn an_import_is_taken_back_as_a_whole() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let without_versions = async || {
        let rows = "SELECT jsonb_agg(to_jsonb(m) - 'row_version' - 'updated_at' ORDER BY id) FROM financial_metrics m WHERE metric_date >= '2031-01-01'";
        gateway.value(rows).await
    };
    let first = import_id(&cfo, FILE).await;
    let before = without_versions().await;
    let second =
        import_id(&cfo, &(FILE.replace("1000.50", "1.25").replace("3.25", "4") + "2031-03,ARR,,,,7,,,,,,\n")).await;
    assert_eq!(import_id(&cfo, "date,metric,actual\n2031-03,ARR,7\n").await, Value::Null, "nothing was written");
    // Not before what came later.
    let refused = cfo.run(UNDO, json!({ "id": first, "reason": "The wrong file" })).await;
    assert_eq!(refused.code(), "PRECONDITION_FAILED");
    assert!(refused.message().starts_with("2 of the 3 values"), "{}", refused.message());
    assert_eq!(cfo.run(UNDO, json!({ "id": second, "reason": " " })).await.code(), "VALIDATION_FAILED");
    let done = cfo.run(UNDO, json!({ "id": second, "reason": "The wrong file" })).await.ok();
    assert_eq!(
        done["undoMetricImport"],
        json!({ "inserted": 1, "updated": 2, "sourceSystem": "Ledger", "undoneByUser": { "name": "Sarah Chen" }, "importedByUser": { "name": "Sarah Chen" } })
    );
    assert_eq!(without_versions().await, before);
    assert_eq!(cfo.run(UNDO, json!({ "id": second, "reason": "Again" })).await.code(), "PRECONDITION_FAILED");
    let told = gateway.value("SELECT details FROM audit_logs WHERE action = 'METRICS_IMPORT_UNDO'").await;
    assert_eq!(
        (&told["reason"], &told["after"]["deleted"]["count"], &told["after"]["restored"]["count"]),
        (&json!("The wrong file"), &json!(1), &json!(2))
    );
    assert_eq!(told["after"]["deleted"]["rows"][0]["actualValue"], "7.00");
    // Others' imports are not there.
    let stranger = gateway.sign_in("cfo@meridian-capital.example", "meridian-capital").await;
    assert_eq!(stranger.run(UNDO, json!({ "id": first, "reason": "Mischief" })).await.code(), "NOT_FOUND");
    // The one before can be taken back now; not where somebody has changed a value meanwhile.
    let row =
        gateway.rows("SELECT id, row_version FROM financial_metrics WHERE metric_date = '2031-02-15'").await.remove(0);
    let write = "mutation($id: UUID!, $version: Int!) { overrideForecast(metricId: $id, expectedVersion: $version, forecastValue: \"9\", reason: \"Known better\") { rowVersion } }";
    cfo.run(write, json!({ "id": row["id"], "version": row["row_version"] })).await.ok();
    assert_eq!(cfo.run(UNDO, json!({ "id": first, "reason": "That too" })).await.code(), "PRECONDITION_FAILED");
    gateway
        .execute("UPDATE metric_import_rows SET metric_version = metric_version + 1 WHERE metric_date = '2031-02-15'")
        .await;
    cfo.run(UNDO, json!({ "id": first, "reason": "That too" })).await.ok();
    assert_eq!(rows(&gateway).await, Value::Null);
    let list = cfo.data("{ metricImports { nodes { id inserted updated undoneAt } totalCount } }").await;
    // With the one of the demo data.
    assert_eq!(list["metricImports"]["totalCount"], 3);
}

#[tokio::test]
async fn metrics_are_deleted_all_or_none() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    import(&cfo, FILE, false).await;
    let ids = gateway.value("SELECT jsonb_agg(id) FROM financial_metrics WHERE metric_date >= '2031-01-01'").await;
    let delete = "mutation($ids: [UUID!]!, $reason: String!) { deleteMetrics(ids: $ids, reason: $reason) }";
    let foreign = gateway
        .value("SELECT m.id FROM financial_metrics m JOIN organizations o ON o.id = m.organization_id WHERE o.slug = 'meridian-capital' LIMIT 1")
        .await;
    let more: Vec<Value> = ids.as_array().expect("ids").iter().cloned().chain([foreign]).collect();
    let refused = cfo.run(delete, json!({ "ids": more, "reason": "All of them" })).await;
    assert_eq!(
        (refused.code(), refused.message()),
        ("NOT_FOUND", "There is no metric with 1 of these ids. Nothing was deleted.")
    );
    for (ids, reason) in [(json!([]), "None"), (ids.clone(), " ")] {
        assert_eq!(cfo.run(delete, json!({ "ids": ids, "reason": reason })).await.code(), "VALIDATION_FAILED");
    }
    gateway.execute("UPDATE users SET region = 'Europe' WHERE email = 'finance.manager@aether-demo.com'").await;
    let manager = gateway.sign_in("finance.manager@aether-demo.com", HOME).await;
    assert_eq!(manager.run(delete, json!({ "ids": ids, "reason": "Of all regions" })).await.code(), "NOT_FOUND");
    assert_eq!(cfo.run(delete, json!({ "ids": ids, "reason": "Imported by mistake" })).await.ok()["deleteMetrics"], 3);
    assert_eq!(rows(&gateway).await, Value::Null);
    let told = gateway.value("SELECT details FROM audit_logs WHERE action = 'METRICS_DELETE'").await;
    assert_eq!((&told["reason"], &told["after"]["deleted"]["count"]), (&json!("Imported by mistake"), &json!(3)));
    assert!(told.to_string().contains("1000.50"), "{told}");
}

#[tokio::test]
async fn ten_thousand_lines_are_a_handful_of_statements() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let lines = |values: u32| {
        let lines = (0..10_000).map(|n| format!("2031-{:02}-01,ARR,P{n},{}\n", n % 12 + 1, values + n));
        format!("date,metric_type,product,actual\n{}", lines.collect::<String>())
    };
    let answer = cfo.run(IMPORT, json!({ "csv": lines(0) })).await;
    let statements = answer.statements();
    assert_eq!(answer.ok()["importMetrics"]["inserted"], 10_000);
    assert!(statements < 20, "{statements}");
    assert_eq!(import(&cfo, &lines(1), false).await, json!([0, 10_000, 0, 10_000]));
    let told = gateway
        .value("SELECT details -> 'after' FROM audit_logs WHERE action = 'METRICS_IMPORT' ORDER BY id DESC LIMIT 1")
        .await;
    assert_eq!((told["rows"].as_array().map(Vec::len), &told["rowsNotListed"]), (Some(1_000), &json!(9_000)));
}

/// What differs by case, spaces or Unicode form is the same name, and what is stored is the first spelling.
#[tokio::test]
async fn a_name_is_stored_as_it_was_spelled_first() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let first = "date,metric_type,region,lob,product,actual\n\
                 2031-01-01,REVENUE,\u{ce}le  de France,Data Platform,Strong Box,1\n\
                 2031-02-01,REVENUE,\u{ee}LE DE FRANCE,data platform,STRONG BOX,2\n";
    assert_eq!(import(&cfo, first, false).await, json!([2, 0, 0, 2]));
    // The same, decomposed, with other spaces and case: nothing is new.
    let again = "date,metric_type,region,lob,product,actual\n\
                 2031-01-01,REVENUE,I\u{302}le\u{a0}de france,DATA PLATFORM, strong  box ,1\n\
                 2031-02-01,REVENUE,\u{ce}LE DE FRANCE,Data platform,Strong box,3\n\
                 2031-03-01,REVENUE,\u{ee}le de france,Data  Platform,strong box,4\n";
    assert_eq!(import(&cfo, again, true).await, json!([1, 1, 1, 3]), "told beforehand");
    assert_eq!(import(&cfo, again, false).await, json!([1, 1, 1, 3]));
    let names = gateway
        .rows("SELECT DISTINCT region, lob, product FROM financial_metrics WHERE metric_date >= '2031-01-01'")
        .await;
    assert_eq!(names, [json!({ "region": "\u{ce}le de France", "lob": "Data Platform", "product": "Strong Box" })]);
    // The regions of deals have their spelling, too; and so have budgets and whoever is confined.
    let csv = "date,metric_type,region,actual\n2031-04-01,ARR,asia  PACIFIC,5\n";
    assert_eq!(import(&cfo, csv, false).await, json!([1, 0, 0, 1]));
    let region = "SELECT region FROM financial_metrics WHERE metric_date = '2031-04-01'";
    assert_eq!(gateway.value(region).await, "Asia Pacific");
    let budget = cfo
        .data(r#"mutation { createBudget(input: { name: "Spelled", fiscalYear: 2031, version: "v1", region: "\u00eele de FRANCE" }) { region } }"#)
        .await;
    assert_eq!(budget["createBudget"]["region"], "\u{ce}le de France");
    // Twice in one file is twice, however it is spelled.
    let twice = "date,metric_type,region,actual\n2031-05-01,ARR,Norden,5\n2031-05-01,ARR, NORDEN ,6\n";
    assert_eq!(problems(&cfo, twice).await, json!([[3, ""]]));
}
