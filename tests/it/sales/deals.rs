//! Deals, from the first contact to their end.

use serde_json::{Value, json};

use crate::{
    case,
    mutations::{Case, May},
    support::{Answer, Gateway, HOME, User},
};

const EDITORS: May = May::Organization(&["CFO", "FINANCE_MANAGER"]);

/// An open deal.
const OPEN: &str = "INSERT INTO deals (organization_id, name, region, segment, lob, stage, value, probability) \
     SELECT id, 'Test', 'Europe', 'SMB', 'Software', 'Discovery', 1000, 20 FROM organizations WHERE slug = 'aether-demo' \
     RETURNING id, row_version AS \"expectedVersion\", \
       (SELECT id FROM users WHERE email = 'analyst@aether-demo.com') AS owner";

/// One that was lost.
const LOST: &str = "INSERT INTO deals (organization_id, name, region, segment, lob, stage, value, probability, \
       actual_close_date, close_reason) \
     SELECT id, 'Test', 'Europe', 'SMB', 'Software', 'Closed Lost', 1000, 0, current_date, 'Price' FROM organizations \
      WHERE slug = 'aether-demo' RETURNING id, row_version AS \"expectedVersion\"";

pub fn cases() -> Vec<Case> {
    vec![
        case!(
            "createDeal",
            EDITORS,
            "SELECT 'New' AS name",
            "mutation($name: String!) { createDeal(input: { name: $name, region: EUROPE, segment: SMB, lob: SOFTWARE,
                value: \"10\", probability: \"5\" }) { weightedValue } }"
        ),
        case!(
            "editDeal",
            EDITORS,
            OPEN,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                editDeal(id: $id, expectedVersion: $expectedVersion, input: { value: \"7\" }) { weightedValue } }"
        ),
        case!(
            "advanceDeal",
            EDITORS,
            OPEN,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                advanceDeal(id: $id, expectedVersion: $expectedVersion, stage: PROPOSAL) { stageEnteredAt } }"
        ),
        case!(
            "reassignDeal",
            EDITORS,
            OPEN,
            "mutation($id: UUID!, $expectedVersion: Int!, $owner: UUID!) {
                reassignDeal(id: $id, expectedVersion: $expectedVersion, ownerId: $owner) { owner { name } } }"
        ),
        case!(
            "closeDealWon",
            EDITORS,
            OPEN,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                closeDealWon(id: $id, expectedVersion: $expectedVersion) { stage } }"
        ),
        case!(
            "closeDealLost",
            EDITORS,
            OPEN,
            "mutation($id: UUID!, $expectedVersion: Int!) {
                closeDealLost(id: $id, expectedVersion: $expectedVersion, reason: \"Price\") { stage } }"
        ),
        case!(
            "reopenDeal",
            EDITORS,
            LOST,
            "mutation($id: UUID!, $expectedVersion: Int!) { reopenDeal(id: $id, expectedVersion: $expectedVersion,
                stage: NEGOTIATION, probability: \"30\", reason: \"They called again\") { stage } }"
        ),
        case!(
            "importDeals",
            EDITORS,
            "SELECT 'external_deal_id,name,region,segment,lob,stage,value,probability' || chr(10) ||
                gen_random_uuid() || ',New,Europe,SMB,Services,Proposal,10,40' AS csv",
            "mutation($csv: String!) { importDeals(csv: $csv, externalSystem: \"salesforce\") { inserted } }"
        ),
    ]
}

const FIELDS: &str = "id rowVersion stage stageEnteredAt value currency probability weightedValue actualCloseDate closeReason \
     competitorLostTo daysInPipeline owner { email } history { nodes { fieldChanged oldValue newValue changeSource \
     changedByUser { email } } }";

async fn create(user: &User<'_>, more: &str) -> Value {
    let query = format!(
        "mutation {{ createDeal(input: {{ name: \"Rollout\", accountName: \"Orchid Foods\", segment: ENTERPRISE, lob: SOFTWARE,
            value: \"120000.50\", probability: \"10\" {more} }}) {{ {FIELDS} }} }}"
    );
    user.data(&query).await["createDeal"].clone()
}

/// Runs a mutation on a deal in the version that it has.
async fn on(user: &User<'_>, deal: &Value, mutation: &str, arguments: &str) -> Answer {
    let query = format!(
        "mutation($id: UUID!, $v: Int!) {{ {mutation}(id: $id, expectedVersion: $v {arguments}) {{ {FIELDS} }} }}"
    );
    user.run(&query, json!({ "id": deal["id"], "v": deal["rowVersion"] })).await
}

async fn done(user: &User<'_>, deal: &Value, mutation: &str, arguments: &str) -> Value {
    on(user, deal, mutation, arguments).await.ok()[mutation].clone()
}

fn field(answer: &Answer) -> (&str, &str) {
    (answer.code(), answer.body["errors"][0]["extensions"]["field"].as_str().unwrap_or_default())
}

/// A slip of the date does not cost a deal its beginning.
#[tokio::test]
async fn reopening_gives_a_deal_its_beginning_back() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let deal = cfo
        .data("mutation { createDeal(input: { name: \"Slip\", region: EUROPE, segment: SMB, lob: SOFTWARE, stage: DISCOVERY, value: \"1\", probability: \"5\" }) { id createdAt } }")
        .await["createDeal"]
        .clone();
    let close = "mutation($id: UUID!, $v: Int!, $on: Date) { closeDealLost(id: $id, expectedVersion: $v, reason: \"Slip\", closeDate: $on) { createdAt daysInPipeline rowVersion } }";
    let another_age = cfo.run(close, json!({ "id": deal["id"], "v": 1, "on": "1905-01-01" })).await;
    assert_eq!(
        (another_age.code(), &another_age.body["errors"][0]["extensions"]["field"]),
        ("VALIDATION_FAILED", &json!("closeDate"))
    );
    let closed = cfo.run(close, json!({ "id": deal["id"], "v": 1, "on": "2020-02-29" })).await.ok();
    assert_eq!(
        (&closed["closeDealLost"]["createdAt"], &closed["closeDealLost"]["daysInPipeline"]),
        (&json!("2020-02-29T05:00:00.000000Z"), &json!(0))
    );
    let reopen = "mutation($id: UUID!) { reopenDeal(id: $id, expectedVersion: 2, stage: DISCOVERY, probability: \"5\", reason: \"Slip\") { createdAt daysInPipeline
        history(filter: { fieldChanged: { eq: \"createdAt\" } }) { totalCount } } }";
    let reopened = cfo.run(reopen, json!({ "id": deal["id"] })).await.ok()["reopenDeal"].clone();
    assert_eq!((&reopened["createdAt"], &reopened["daysInPipeline"]), (&deal["createdAt"], &json!(0)));
    assert_eq!(reopened["history"]["totalCount"], 2);
}

#[tokio::test]
async fn a_deal_is_won_and_its_history_tells_how() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let deal = create(&cfo, ", region: EUROPE").await;
    assert_eq!((&deal["stage"], &deal["currency"]), (&json!("PROSPECTING"), &json!("USD")));
    assert_eq!(deal["owner"]["email"], "sarah.chen@aether-demo.com", "the owner is who creates it, unless said");
    let edited =
        done(&cfo, &deal, "editDeal", ", input: { value: \"150000\", accountName: null, channel: \"Partner\" }").await;
    assert_eq!(edited["weightedValue"], "15000.00");
    assert_eq!(edited["stageEnteredAt"], deal["stageEnteredAt"], "an edit is no new stage");
    let stale = on(&cfo, &deal, "advanceDeal", ", stage: PROPOSAL").await;
    assert_eq!(stale.code(), "CONFLICT");
    assert_eq!(stale.body["errors"][0]["extensions"]["changedBy"]["name"], "Sarah Chen");
    let advanced = done(&cfo, &edited, "advanceDeal", ", stage: LEGAL_REVIEW, probability: \"85\"").await;
    assert_ne!(advanced["stageEnteredAt"], deal["stageEnteredAt"]);
    let won = done(&cfo, &advanced, "closeDealWon", ", closeDate: \"2026-01-15\", finalValue: \"149000.99\"").await;
    assert_eq!((&won["stage"], &won["probability"]), (&json!("CLOSED_WON"), &json!("100.00")));
    assert_eq!((&won["actualCloseDate"], &won["value"]), (&json!("2026-01-15"), &json!("149000.99")));

    let mut told: Vec<_> = won["history"]["nodes"].as_array().expect("history").iter().collect();
    told.reverse();
    let mut told: Vec<_> = told
        .into_iter()
        .map(|row| {
            assert_eq!(
                (&row["changeSource"], &row["changedByUser"]["email"]),
                (&json!("USER"), &json!("sarah.chen@aether-demo.com"))
            );
            [&row["fieldChanged"], &row["oldValue"], &row["newValue"]].map(|value| value.as_str().unwrap_or("-"))
        })
        .collect();
    // The deal closed before it was entered here.
    let moved = told.pop().expect("a row");
    assert_eq!((moved[0], moved[2]), ("createdAt", "2026-01-15T05:00:00.000000Z"));
    assert_eq!(
        told,
        [
            ["stage", "-", "Prospecting"],
            ["accountName", "Orchid Foods", "-"],
            ["value", "120000.50", "150000.00"],
            ["channel", "-", "Partner"],
            ["stage", "Prospecting", "Legal Review"],
            ["probability", "10.00", "85.00"],
            ["stage", "Legal Review", "Closed Won"],
            ["value", "150000.00", "149000.99"],
            ["probability", "85.00", "100.00"],
            ["actualCloseDate", "-", "2026-01-15"],
        ]
    );

    let id = deal["id"].as_str().expect("an id");
    let trail = gateway
        .rows(&format!("SELECT action, details, id FROM audit_logs WHERE resource_id = '{id}' ORDER BY id"))
        .await;
    let actions: Vec<_> = trail.iter().map(|row| row["action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["DEAL_CREATE", "DEAL_UPDATE", "DEAL_STAGE_CHANGE", "DEAL_CLOSE"]);
    assert_eq!(trail[2]["details"]["before"]["stage"], "PROSPECTING");
    assert_eq!(trail[2]["details"]["after"]["stage"], "LEGAL_REVIEW");
    let also: Vec<_> =
        trail[1]["details"]["also"].as_array().expect("the history").iter().map(|row| &row["type"]).collect();
    assert_eq!(also, [&json!("deal_history"); 3]);
    let events = gateway
        .rows(&format!("SELECT kind, changed_fields FROM event_outbox WHERE topic = 'deal' AND payload ->> 'id' = '{id}' ORDER BY sequence"))
        .await;
    let kinds: Vec<_> = events.iter().map(|row| row["kind"].as_str().expect("a kind")).collect();
    assert_eq!(kinds, ["created", "updated", "updated", "resolved"]);
    assert!(events[2]["changed_fields"].as_array().expect("fields").contains(&json!("stage")), "{events:?}");
}

#[tokio::test]
async fn a_closed_deal_stays_so_until_it_is_reopened() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let deal = create(&cfo, ", region: MIDDLE_EAST").await;
    assert_eq!(field(&on(&cfo, &deal, "closeDealLost", ", reason: \"  \"").await), ("VALIDATION_FAILED", "reason"));
    assert_eq!(
        field(&on(&cfo, &deal, "closeDealLost", ", reason: \"Price\", closeDate: \"2999-01-01\"").await),
        ("VALIDATION_FAILED", "closeDate")
    );
    assert_eq!(
        on(&cfo, &deal, "reopenDeal", ", stage: PROPOSAL, probability: \"5\", reason: \"x\"").await.code(),
        "PRECONDITION_FAILED"
    );
    let lost = done(&cfo, &deal, "closeDealLost", ", reason: \"Price\", competitor: \"Plannerly\"").await;
    assert_eq!((&lost["closeReason"], &lost["competitorLostTo"]), (&json!("Price"), &json!("Plannerly")));
    assert_eq!((&lost["stage"], &lost["probability"]), (&json!("CLOSED_LOST"), &json!("0.00")));
    assert!(lost["actualCloseDate"].is_string());
    for (mutation, arguments) in [
        ("closeDealWon", ""),
        ("closeDealLost", ", reason: \"Again\""),
        ("advanceDeal", ", stage: PROPOSAL"),
        ("editDeal", ", input: { value: \"1\" }"),
        ("editDeal", ", input: { expectedCloseDate: null }"),
    ] {
        assert_eq!(on(&cfo, &lost, mutation, arguments).await.code(), "PRECONDITION_FAILED", "{mutation}{arguments}");
    }
    let renamed = done(&cfo, &lost, "editDeal", ", input: { name: \"Rollout, first try\" }").await;
    assert_eq!(
        field(&on(&cfo, &renamed, "reopenDeal", ", stage: CLOSED_WON, probability: \"5\", reason: \"x\"").await),
        ("VALIDATION_FAILED", "stage")
    );
    let again =
        done(&cfo, &renamed, "reopenDeal", ", stage: NEGOTIATION, probability: \"40\", reason: \"They called\"").await;
    assert_eq!((&again["stage"], &again["probability"]), (&json!("NEGOTIATION"), &json!("40.00")));
    assert_eq!([&again["closeReason"], &again["competitorLostTo"], &again["actualCloseDate"]], [&Value::Null; 3]);
    let reason = gateway
        .value(&format!(
            "SELECT details ->> 'reason' FROM audit_logs WHERE action = 'DEAL_REOPEN' AND resource_id = '{}'",
            again["id"].as_str().expect("an id")
        ))
        .await;
    assert_eq!(reason, "They called");
}

#[tokio::test]
async fn what_a_deal_cannot_be_is_refused_by_its_field() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let deal = create(&cfo, ", region: EUROPE, externalSystem: \"salesforce\", externalDealId: \"T-1\"").await;
    let other = gateway.value("SELECT id FROM users WHERE email = 'analyst@meridian-capital.example'").await;
    let idle = gateway.value("SELECT id FROM users WHERE email = 'olivia.grant@aether-demo.com'").await;
    for (arguments, named) in [
        (", input: { value: \"-1\" }", "input.value"),
        (", input: { value: \"1.005\" }", "input.value"),
        (", input: { probability: \"100.01\" }", "input.probability"),
        (", input: { currency: \"usd\" }", "input.currency"),
        (", input: { name: \" \" }", "input.name"),
        (", input: { externalSystem: null }", "input.externalDealId"),
    ] {
        assert_eq!(field(&on(&cfo, &deal, "editDeal", arguments).await), ("VALIDATION_FAILED", named), "{arguments}");
    }
    for user in [other, idle] {
        let arguments = format!(", ownerId: {user}");
        assert_eq!(field(&on(&cfo, &deal, "reassignDeal", &arguments).await), ("VALIDATION_FAILED", "ownerId"));
    }
    assert_eq!(field(&on(&cfo, &deal, "advanceDeal", ", stage: CLOSED_WON").await), ("VALIDATION_FAILED", "stage"));
    assert_eq!(on(&cfo, &deal, "advanceDeal", ", stage: PROSPECTING").await.code(), "PRECONDITION_FAILED");
    let twin = cfo
        .query(
            "mutation { createDeal(input: { name: \"Twin\", region: EUROPE, segment: SMB, lob: SOFTWARE, value: \"1\",
                probability: \"1\", externalSystem: \"salesforce\", externalDealId: \"T-1\" }) { id } }",
        )
        .await;
    assert_eq!(twin.code(), "CONFLICT", "{:#}", twin.body);
    let begun = cfo
        .query(
            "mutation { createDeal(input: { name: \"Won\", region: EUROPE, segment: SMB, lob: SOFTWARE, value: \"1\",
                probability: \"1\", stage: CLOSED_WON }) { id } }",
        )
        .await;
    assert_eq!(field(&begun), ("VALIDATION_FAILED", "input.stage"));
    let abroad = gateway.sign_in("cfo@meridian-capital.example", "meridian-capital").await;
    assert_eq!(on(&abroad, &deal, "closeDealWon", "").await.code(), "NOT_FOUND");
    let unchanged = done(&cfo, &deal, "editDeal", ", input: { value: \"120000.5\" }").await;
    assert_eq!(unchanged["rowVersion"], deal["rowVersion"], "the same value is no change");
}

#[tokio::test]
async fn a_manager_of_one_region_keeps_to_it() {
    let gateway = Gateway::demo().await;
    gateway.execute("UPDATE users SET region = 'Europe' WHERE email = 'finance.manager@aether-demo.com'").await;
    let (cfo, manager) = (gateway.cfo().await, gateway.sign_in("finance.manager@aether-demo.com", HOME).await);
    let (here, there) = (create(&cfo, ", region: EUROPE").await, create(&cfo, ", region: ASIA_PACIFIC").await);
    assert_eq!(on(&manager, &there, "closeDealWon", "").await.code(), "NOT_FOUND");
    let moved = on(&manager, &here, "editDeal", ", input: { region: ASIA_PACIFIC }").await;
    assert_eq!(
        (moved.code(), &moved.body["errors"][0]["extensions"]["permission"]),
        ("FORBIDDEN", &json!("deals:edit"))
    );
    let made = manager
        .query(
            "mutation { createDeal(input: { name: \"Far\", region: LATIN_AMERICA, segment: SMB, lob: SOFTWARE, value: \"1\",
                probability: \"1\" }) { id } }",
        )
        .await;
    assert_eq!(made.code(), "FORBIDDEN");
    assert_eq!(gateway.value("SELECT count(*) FROM deals WHERE name = 'Far'").await, 0);
    assert_eq!(manager.query("mutation { takePipelineSnapshot { currency } }").await.code(), "FORBIDDEN");
    assert_eq!(done(&manager, &here, "editDeal", ", input: { value: \"5\" }").await["value"], "5.00");
}

#[tokio::test]
async fn stalled_deals_are_the_open_ones_of_which_nothing_has_changed() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    for (argument, days) in [("", 90), ("(olderThanDays: 30)", 30), ("(olderThanDays: 200)", 200)] {
        let expected = gateway.value(&format!(
            "SELECT count(*) FROM deals d WHERE organization_id = (SELECT id FROM organizations WHERE slug = 'aether-demo')
                AND stage NOT IN ('Closed Won', 'Closed Lost') AND created_at < now() - interval '{days} days'
                AND NOT EXISTS (SELECT FROM deal_history h WHERE h.deal_id = d.id AND h.changed_at >= now() - interval '{days} days')"
        )).await;
        let answer = cfo
            .query(&format!(
                "{{ stalledDeals{argument} {{ totalCount nodes {{ stage createdAt owner {{ name }} }} }} }}"
            ))
            .await;
        assert!(answer.statements() <= 3, "{} statements", answer.statements());
        let data = answer.ok();
        assert_eq!(data["stalledDeals"]["totalCount"], expected, "{days}");
        assert!(expected.as_i64() > Some(0), "the demo has none older than {days} days");
        for deal in data["stalledDeals"]["nodes"].as_array().expect("deals") {
            assert!(!deal["stage"].as_str().expect("a stage").starts_with("CLOSED"));
        }
    }
    // What moves is stalled no more, however old it is.
    let stalled = cfo.data("{ stalledDeals(first: 1) { totalCount nodes { id rowVersion value } } }").await;
    let deal = &stalled["stalledDeals"]["nodes"][0];
    let edit = "mutation($id: UUID!, $version: Int!) { editDeal(id: $id, expectedVersion: $version, input: { value: \"4711\" }) { value } }";
    cfo.run(edit, json!({ "id": deal["id"], "version": deal["rowVersion"] })).await.ok();
    let now = cfo.data("{ stalledDeals { totalCount nodes { id } } }").await;
    let before = stalled["stalledDeals"]["totalCount"].as_i64().expect("a number");
    assert_eq!(now["stalledDeals"]["totalCount"], before - 1);
    assert!(now["stalledDeals"]["nodes"].as_array().expect("deals").iter().all(|other| other["id"] != deal["id"]));
    let page = cfo
        .data(
            "{ stalledDeals(first: 2, olderThanDays: 30, filter: { region: { eq: EUROPE } }, orderBy: [{ field: CREATED_AT }]) {
            nodes { id region } pageInfo { endCursor } } }",
        )
        .await;
    let cursor = &page["stalledDeals"]["pageInfo"]["endCursor"];
    let next = cfo
        .data(&format!("{{ stalledDeals(first: 2, olderThanDays: 30, after: {cursor}, filter: {{ region: {{ eq: EUROPE }} }}, orderBy: [{{ field: CREATED_AT }}]) {{
            nodes {{ id region }} }} }}"))
        .await;
    assert_ne!(page["stalledDeals"]["nodes"][0], next["stalledDeals"]["nodes"][0]);
    assert_eq!(next["stalledDeals"]["nodes"][0]["region"], "EUROPE");
    let europe = gateway.sign_in("europe.analyst@aether-demo.com", HOME).await;
    let seen = europe.data("{ stalledDeals(first: 500) { nodes { region } } }").await;
    assert!(seen["stalledDeals"]["nodes"].as_array().expect("deals").iter().all(|deal| deal["region"] == "EUROPE"));
    assert_eq!(
        field(&cfo.query("{ stalledDeals(olderThanDays: -1) { totalCount } }").await),
        ("VALIDATION_FAILED", "olderThanDays")
    );
}
