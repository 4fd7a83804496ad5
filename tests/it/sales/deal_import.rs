//! Deals from a CRM.

use serde_json::{Value, json};

use crate::support::{Answer, Gateway, User};

const HEADER: &str =
    "external_deal_id,name,region,segment,lob,stage,value,probability,owner_email,actual_close_date,close_reason";

async fn import(user: &User<'_>, lines: &[&str], dry_run: bool) -> Answer {
    let csv = format!("{HEADER}\n{}\n", lines.join("\n"));
    user.run(
        "mutation($csv: String!, $dry: Boolean!) { importDeals(csv: $csv, externalSystem: \"hubspot\", dryRun: $dry) {
            inserted updated unchanged total dryRun } }",
        json!({ "csv": csv, "dry": dry_run }),
    )
    .await
}

async fn counts(user: &User<'_>, lines: &[&str]) -> [Value; 3] {
    let data = import(user, lines, false).await.ok();
    ["inserted", "updated", "unchanged"].map(|name| data["importDeals"][name].clone())
}

async fn lines(user: &User<'_>, given: &[&str]) -> Vec<(u64, String)> {
    let answer = import(user, given, false).await;
    assert_eq!(answer.code(), "VALIDATION_FAILED", "{:#}", answer.body);
    let lines = answer.body["errors"][0]["extensions"]["lines"].as_array().expect("lines").clone();
    lines
        .iter()
        .map(|line| {
            assert!(line["message"].as_str().is_some_and(|message| message.ends_with(['.', '?'])), "{line}");
            (line["line"].as_u64().expect("a number"), line["field"].as_str().expect("a column").to_owned())
        })
        .collect()
}

fn told(lines: &[(u64, &str)]) -> Vec<(u64, String)> {
    lines.iter().map(|(line, field)| (*line, (*field).to_owned())).collect()
}

#[tokio::test]
async fn an_import_is_all_or_nothing_and_changes_nothing_the_second_time() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let count = "SELECT count(*) FROM deals WHERE external_system = 'hubspot' AND external_deal_id LIKE 'I-%'";
    let first = [
        "I-1,One,Europe,SMB,Software,Discovery,1000,25,ANALYST@aether-demo.com,,",
        "I-2,\"Two, quoted\",Asia Pacific,Enterprise,Services,Closed Lost,250000.75,,,2026-02-01,Price",
        "I-3,Three,NORTH_AMERICA,mid market,software,LEGAL_REVIEW,99,90,,,",
    ];
    let wrong = ["I-4,Four,Europe,SMB,Software,Discovery,1,1,nobody@aether-demo.com,,"];
    assert_eq!(lines(&cfo, &[&first[..], &wrong].concat()).await, told(&[(5, "owner_email")]));
    assert_eq!(gateway.value(count).await, 0, "one wrong line, and nothing is imported");
    let dry = import(&cfo, &first, true).await.ok();
    assert_eq!(dry["importDeals"], json!({ "inserted": 3, "updated": 0, "unchanged": 0, "total": 3, "dryRun": true }));
    assert_eq!(gateway.value(count).await, 0, "a dry run imports nothing");

    assert_eq!(counts(&cfo, &first).await, [json!(3), json!(0), json!(0)]);
    let state = "SELECT d.*, (SELECT count(*) FROM deal_history h WHERE h.deal_id = d.id) AS steps FROM deals d
        WHERE external_deal_id LIKE 'I-%' ORDER BY external_deal_id";
    let before = gateway.rows(state).await;
    assert_eq!((&before[0]["currency"], &before[0]["stage"]), (&json!("USD"), &json!("Discovery")));
    assert!(before[0]["owner_id"].is_string() && before[0]["synced_at"].is_string());
    assert_eq!((&before[1]["actual_close_date"], &before[1]["probability"]), (&json!("2026-02-01"), &json!(0.00)));
    assert_eq!(counts(&cfo, &first).await, [json!(0), json!(0), json!(3)]);
    assert_eq!(gateway.rows(state).await, before, "the same file again changes nothing");

    let audit = gateway.rows("SELECT details FROM audit_logs WHERE action = 'DEALS_IMPORT'").await;
    assert_eq!(audit.len(), 1, "what changes nothing leaves no trail");
    assert_eq!(audit[0]["details"]["after"]["inserted"], 3);
    assert_eq!(audit[0]["details"]["also"].as_array().map(Vec::len), Some(6), "three deals, each with its first step");

    // An empty cell leaves what there is.
    assert_eq!(
        counts(&cfo, &["I-1,,,,,Negotiation,1500,,,,", first[1], first[2]]).await,
        [json!(0), json!(1), json!(2)]
    );
    let history = gateway
        .rows(
            "SELECT h.field_changed, h.old_value, h.new_value, h.change_source, u.email FROM deal_history h
            JOIN deals d ON d.id = h.deal_id LEFT JOIN users u ON u.id = h.changed_by
           WHERE d.external_deal_id = 'I-1' ORDER BY h.id",
        )
        .await;
    let steps: Vec<_> = history
        .iter()
        .map(|row| {
            assert_eq!((&row["change_source"], &row["email"]), (&json!("sync"), &json!("sarah.chen@aether-demo.com")));
            ["field_changed", "old_value", "new_value"].map(|name| row[name].as_str().unwrap_or("-"))
        })
        .collect();
    assert_eq!(
        steps,
        [["stage", "-", "Discovery"], ["stage", "Discovery", "Negotiation"], ["value", "1000.00", "1500.00"]]
    );
}

#[tokio::test]
async fn a_line_keeps_to_the_rules_of_deals() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let known = [
        "R-1,One,Europe,SMB,Software,Closed Won,1000,,,2026-02-01,",
        "R-2,Two,Europe,SMB,Software,Discovery,1000,25,,,",
        "R-3,Three,Europe,SMB,Software,Proposal,1000,25,,,",
    ];
    assert_eq!(counts(&cfo, &known).await, [json!(3), json!(0), json!(0)]);
    let wrong = [
        "R-1,,,,,Closed Lost,,,,,Price",
        "R-2,,,,,Closed Lost,,,,,",
        "R-3,,,,,Closed Won,,50,,,",
        "R-4,Four,Europe,,Software,Discovery,,25,,,",
        "R-5,Five,Europe,SMB,Software,Discovery,10,,,,",
        "R-6,Six,Europe,SMB,Software,Discovery,10,10,,2026-01-01,Price",
        "R-7,Seven,Europe,SMB,Software,Closed Won,10,,,2199-01-01,",
    ];
    let expected = [
        (2, "stage"),
        (3, "close_reason"),
        (4, "probability"),
        (5, "segment"),
        (5, "value"),
        (6, "probability"),
        (7, "actual_close_date"),
        (7, "close_reason"),
        (8, "actual_close_date"),
    ];
    assert_eq!(lines(&cfo, &wrong).await, told(&expected));
    assert_eq!(lines(&cfo, &["R-1,,,,,Discovery,,,,,"]).await, told(&[(2, "probability")]), "it goes on again");
    let good =
        ["R-1,,,,,Discovery,,15,,,", "R-2,,,,,Closed Lost,,,,,No decision", "R-3,,,,,Closed Won,1200,100,,2026-03-01,"];
    assert_eq!(counts(&cfo, &good).await, [json!(0), json!(3), json!(0)]);
    let after = gateway
        .rows(
            "SELECT stage, probability::text AS p, actual_close_date AS date, close_reason AS reason, days_in_pipeline
            FROM deals WHERE external_deal_id LIKE 'R-%' ORDER BY external_deal_id",
        )
        .await;
    assert_eq!(
        [&after[0]["stage"], &after[0]["p"], &after[0]["date"]],
        [&json!("Discovery"), &json!("15.00"), &Value::Null]
    );
    assert_eq!(
        [&after[1]["stage"], &after[1]["p"], &after[1]["reason"]],
        [&json!("Closed Lost"), &json!("0.00"), &json!("No decision")]
    );
    assert_eq!(
        [&after[2]["stage"], &after[2]["p"], &after[2]["date"]],
        [&json!("Closed Won"), &json!("100.00"), &json!("2026-03-01")]
    );
    // Another organization has deals of its own with the same identifiers.
    let abroad = gateway.sign_in("cfo@meridian-capital.example", "meridian-capital").await;
    assert_eq!(counts(&abroad, &known).await, [json!(3), json!(0), json!(0)]);
}

#[tokio::test]
async fn what_is_no_table_of_deals_is_told_by_line() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let run = async |csv: &str| {
        let answer =
            cfo.run("mutation($csv: String!) { importDeals(csv: $csv) { total } }", json!({ "csv": csv })).await;
        assert_eq!(answer.code(), "VALIDATION_FAILED", "{csv}");
        answer.body["errors"][0]["extensions"]["lines"][0].clone()
    };
    assert_eq!(run("").await["line"], 1);
    assert_eq!(run("name\nOne\n").await["field"], "external_deal_id");
    assert_eq!(run("external_deal_id,shoe_size\n1,42\n").await["field"], "shoe_size");
    assert_eq!(run("external_deal_id\n1\n").await["field"], "external_system");
    let many =
        format!("external_deal_id,external_system\n{}", (0..5_001).map(|n| format!("{n},crm\n")).collect::<String>());
    assert_eq!(run(&many).await["line"], 5_002);
}

/// A dry run refuses what the import would, by line: deals of a region, and of an identifier, that the actor does not see.
#[tokio::test]
async fn a_confined_view_is_told_by_line() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    import(
        &cfo,
        &["C-1,One,Asia Pacific,SMB,Software,Discovery,1,5,,,", "C-2,Two,Europe,SMB,Software,Discovery,1,5,,,"],
        false,
    )
    .await
    .ok();
    gateway.execute("UPDATE users SET region = 'Europe' WHERE email = 'finance.manager@aether-demo.com'").await;
    let manager = gateway.sign_in("finance.manager@aether-demo.com", "aether-demo").await;
    let given = [
        "C-1,One,Europe,SMB,Software,Discovery,2,5,,,",
        "C-2,,Asia Pacific,,,,,,,,",
        "C-3,Three,North America,SMB,Software,Discovery,1,5,,,",
        "C-4,Four,EUROPE,SMB,Software,Discovery,1,5,,,",
    ];
    for dry in [true, false] {
        let answer = import(&manager, &given, dry).await;
        assert_eq!(answer.code(), "VALIDATION_FAILED", "{:#}", answer.body);
        let told = answer.body["errors"][0]["extensions"]["lines"].as_array().expect("lines").clone();
        let told: Vec<Value> = told.iter().map(|line| json!([line["line"], line["field"]])).collect();
        assert_eq!(told, [json!([2, "external_deal_id"]), json!([3, "region"]), json!([4, "region"])], "dry: {dry}");
    }
    assert_eq!(counts(&manager, &given[3..]).await, [1, 0, 0].map(Value::from));
    // The same identifier in another system is another deal.
    let csv = "external_deal_id,external_system,name,region,segment,lob,stage,value,probability\n\
        C-4,hubspot,Four,Europe,SMB,Software,Discovery,1,5\nC-4,sap,Four,Europe,SMB,Software,Discovery,1,5\n\
        C-1,sap,One,Europe,SMB,Software,Discovery,1,5\n";
    let answer = manager
        .run("mutation($csv: String!) { importDeals(csv: $csv) { inserted unchanged } }", json!({ "csv": csv }))
        .await;
    assert_eq!(answer.ok()["importDeals"], json!({ "inserted": 2, "unchanged": 1 }));
}

/// What a closed deal keeps against an edit it keeps against an import; its other fields are brought up to date.
#[tokio::test]
async fn a_closed_deal_keeps_its_figures() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    import(&cfo, &["K-1,One,Europe,SMB,Software,Closed Won,100,,,2026-02-01,"], false).await.ok();
    for (line, field) in [
        ("K-1,,,,,,200,,,,", "value"),
        ("K-1,,,,,Closed Won,,,,2026-02-02,", "actual_close_date"),
        ("K-1,,,,,Closed Won,,,,1900-01-01,", "actual_close_date"),
        ("K-1,,,,,,,25,,,", "probability"),
    ] {
        assert!(lines(&cfo, &[line]).await.contains(&(2, field.to_owned())), "{line}");
    }
    assert_eq!(counts(&cfo, &["K-1,Renamed,,,,Closed Won,100.00,100,,2026-02-01,"]).await, [0, 1, 0].map(Value::from));
    // One that goes on has figures of its own again.
    assert_eq!(counts(&cfo, &["K-1,,,,,Negotiation,200,60,,,"]).await, [0, 1, 0].map(Value::from));
    assert_eq!(
        lines(&cfo, &["K-2,Two,Europe,SMB,Software,Closed Won,1,,,1950-01-01,"]).await,
        told(&[(2, "actual_close_date")])
    );
}

/// A deal that closed before it was created, or is expected in another age, is a slip that is told.
#[tokio::test]
async fn dates_out_of_order_or_of_another_age_are_told() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let import = async |lines: &str| {
        let csv = format!(
            "external_deal_id,name,region,segment,lob,stage,value,probability,created_date,expected_close_date,actual_close_date,close_reason\n{lines}"
        );
        let query = "mutation($csv: String!) { importDeals(csv: $csv, externalSystem: \"crm\") { inserted } }";
        cfo.run(query, json!({ "csv": csv })).await
    };
    let answer = import(
        "D-1,One,Europe,SMB,Software,Closed Won,1000,,2026-03-01,,2026-02-01,\n\
         D-2,Two,Europe,SMB,Software,Discovery,1000,25,,1950-01-01,,\n\
         D-3,Three,Europe,SMB,Software,Discovery,1000,25,,2199-01-01,,\n",
    )
    .await;
    let told = &answer.body["errors"][0]["extensions"]["lines"];
    let told: Vec<Value> = told.as_array().expect("lines").iter().map(|l| json!([l["line"], l["field"]])).collect();
    assert_eq!(
        told,
        [json!([2, "actual_close_date"]), json!([3, "expected_close_date"]), json!([4, "expected_close_date"])]
    );
    // When it came into the pipeline is not said: no later than it closed.
    import("D-4,Four,Europe,SMB,Software,Closed Lost,1000,,,,2026-02-01,Price\n").await.ok();
    let began = "SELECT created_at::date::text || ' ' || days_in_pipeline FROM deals WHERE external_deal_id = 'D-4'";
    assert_eq!(gateway.value(began).await, "2026-02-01 0");
    // Nor later than it closes, where it was open; the audit log tells of each.
    let open =
        ["D-5,Five,Europe,SMB,Software,Discovery,1,25,,,,\n", "D-6,Six,Europe,SMB,Software,Discovery,1,25,,,,\n"];
    import(&open.concat()).await.ok();
    import("D-5,,,,,Closed Won,,,,,2026-02-03,\nD-6,,,,,Closed Won,,,,,2026-02-04,\n").await.ok();
    let moved = "SELECT string_agg(also #>> '{after,createdAt}', ' ' ORDER BY also #>> '{after,actualCloseDate}') FROM audit_logs,
        jsonb_array_elements(details -> 'also') AS also WHERE action = 'DEALS_IMPORT' AND also -> 'before' ? 'createdAt'";
    assert_eq!(gateway.value(moved).await, "2026-02-03T05:00:00.000000Z 2026-02-04T05:00:00.000000Z");
    let created = cfo
        .run(
            "mutation($on: Date) { createDeal(input: { name: \"Early\", region: EUROPE, segment: SMB, lob: SOFTWARE, stage: DISCOVERY,
                value: \"1\", probability: \"5\", expectedCloseDate: $on }) { id } }",
            json!({ "on": "1950-06-30" }),
        )
        .await;
    assert_eq!(created.code(), "VALIDATION_FAILED");
    assert!(created.message().contains("Is the year right?"), "{}", created.message());
}
