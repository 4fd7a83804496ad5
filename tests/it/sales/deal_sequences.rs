//! Deals under random sequences of mutations, against a model of what they must be.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use crate::support::{Gateway, User};

const STAGES: [(&str, &str); 7] = [
    ("PROSPECTING", "Prospecting"),
    ("DISCOVERY", "Discovery"),
    ("PROPOSAL", "Proposal"),
    ("NEGOTIATION", "Negotiation"),
    ("LEGAL_REVIEW", "Legal Review"),
    ("CLOSED_WON", "Closed Won"),
    ("CLOSED_LOST", "Closed Lost"),
];

/// The fields that a history tells, as text.
type Fields = BTreeMap<&'static str, Option<String>>;

/// What a deal must be.
struct Deal {
    id: String,
    version: i64,
    now: Fields,
    /// How many changes of fields there were, and what the deal was after each mutation that changed it.
    past: Vec<(usize, Fields)>,
}

impl Deal {
    fn is_closed(&self) -> bool {
        self.now["stage"].as_deref().is_some_and(|stage| stage.starts_with("Closed"))
    }

    /// What a mutation that succeeds does; a mutation that changes nothing writes nothing.
    fn becomes(&mut self, edit: impl FnOnce(&mut Fields)) {
        let before = self.now.clone();
        edit(&mut self.now);
        let changes = before.iter().filter(|(field, value)| self.now[*field] != **value).count();
        if changes > 0 {
            self.version += 1;
            self.past.push((changes, self.now.clone()));
        }
    }
}

const READ: &str = "SELECT stage::text AS stage, name, account_name AS \"accountName\", region::text AS region,
        segment::text AS segment, value::text AS value, currency, probability::text AS probability,
        expected_close_date::text AS \"expectedCloseDate\", actual_close_date::text AS \"actualCloseDate\",
        owner_id::text AS \"ownerId\", close_reason AS \"closeReason\", competitor_lost_to AS \"competitorLostTo\",
        row_version, stage_entered_at, days_in_pipeline, (created_at AT TIME ZONE 'UTC')::date::text AS \"createdAt\"
      FROM deals WHERE id = ";

const TOLD: [&str; 14] = [
    "stage",
    "name",
    "accountName",
    "region",
    "segment",
    "value",
    "currency",
    "probability",
    "expectedCloseDate",
    "actualCloseDate",
    "ownerId",
    "closeReason",
    "competitorLostTo",
    "createdAt",
];

fn fields(row: &Value) -> Fields {
    TOLD.iter().map(|name| (*name, row[*name].as_str().map(str::to_owned))).collect()
}

/// One mutation of a deal: its name and arguments, what it makes of a deal, and whether it needs an open one (or a closed).
struct Step {
    name: &'static str,
    arguments: String,
    edit: Box<dyn FnOnce(&mut Fields)>,
    wants_open: Option<bool>,
}

/// A deal came into the pipeline no later than on this day.
fn began_by(deal: &mut Fields, day: &str) {
    if deal["createdAt"].as_deref().is_some_and(|began| began > day) {
        deal.insert("createdAt", Some(day.to_owned()));
    }
}

fn money(rng: &mut StdRng) -> String {
    let cents: u32 = rng.random_range(0..100_000_000);
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn step(rng: &mut StdRng, deal: &Deal, owners: &[String], today: &str) -> Step {
    match rng.random_range(0..10) {
        0..=3 => {
            let (value, chance) = (money(rng), rng.random_range(0..=100));
            let account = rng.random_bool(0.5).then(|| format!("Account {}", rng.random_range(0..5)));
            let date = rng.random_bool(0.7).then(|| format!("2027-{:02}-15", rng.random_range(1..=12)));
            let region = *[("EUROPE", "Europe"), ("MIDDLE_EAST", "Middle East")].choose(rng).expect("two");
            let numbers = rng.random_bool(0.6);
            let mut arguments = format!(
                ", input: {{ accountName: {}, region: {}",
                account.as_ref().map_or("null".into(), |name| format!("\"{name}\"")),
                region.0
            );
            if numbers {
                arguments += &format!(
                    ", value: \"{value}\", probability: \"{chance}\", expectedCloseDate: {}",
                    date.as_ref().map_or("null".into(), |date| format!("\"{date}\""))
                );
            }
            Step {
                name: "editDeal",
                arguments: arguments + " }",
                wants_open: numbers.then_some(true),
                edit: Box::new(move |deal| {
                    deal.insert("accountName", account);
                    deal.insert("region", Some(region.1.into()));
                    if numbers {
                        deal.insert("value", Some(value));
                        deal.insert("probability", Some(format!("{chance}.00")));
                        deal.insert("expectedCloseDate", date);
                    }
                }),
            }
        }
        4 | 5 => {
            let others: Vec<_> =
                STAGES[..5].iter().filter(|(_, stage)| deal.now["stage"].as_deref() != Some(stage)).collect();
            let (name, stage) = **others.choose(rng).expect("stages");
            Step {
                name: "advanceDeal",
                arguments: format!(", stage: {name}"),
                wants_open: Some(true),
                edit: Box::new(move |deal| {
                    deal.insert("stage", Some(stage.into()));
                }),
            }
        }
        6 => {
            let (value, today) = (money(rng), today.to_owned());
            Step {
                name: "closeDealWon",
                arguments: format!(", finalValue: \"{value}\""),
                wants_open: Some(true),
                edit: Box::new(move |deal| {
                    deal.insert("stage", Some("Closed Won".into()));
                    deal.insert("value", Some(value));
                    deal.insert("probability", Some("100.00".into()));
                    began_by(deal, &today);
                    deal.insert("actualCloseDate", Some(today));
                }),
            }
        }
        7 => {
            let competitor = rng.random_bool(0.5).then(|| "Plannerly".to_owned());
            let named = competitor.as_ref().map(|name| format!(", competitor: \"{name}\"")).unwrap_or_default();
            Step {
                name: "closeDealLost",
                arguments: format!(", reason: \"Price\", closeDate: \"2026-03-04\"{named}"),
                wants_open: Some(true),
                edit: Box::new(move |deal| {
                    deal.insert("stage", Some("Closed Lost".into()));
                    deal.insert("probability", Some("0.00".into()));
                    deal.insert("actualCloseDate", Some("2026-03-04".into()));
                    began_by(deal, "2026-03-04");
                    deal.insert("closeReason", Some("Price".into()));
                    deal.insert("competitorLostTo", competitor);
                }),
            }
        }
        8 => {
            let began = deal.past[0].1["createdAt"].clone();
            let ((name, stage), chance) = (*STAGES[..5].choose(rng).expect("stages"), rng.random_range(0..=99));
            Step {
                name: "reopenDeal",
                arguments: format!(", stage: {name}, probability: \"{chance}\", reason: \"They called\""),
                wants_open: Some(false),
                edit: Box::new(move |deal| {
                    deal.insert("stage", Some(stage.into()));
                    deal.insert("probability", Some(format!("{chance}.00")));
                    deal.insert("createdAt", began);
                    for gone in ["actualCloseDate", "closeReason", "competitorLostTo"] {
                        deal.insert(gone, None);
                    }
                }),
            }
        }
        _ => {
            let owner = owners.choose(rng).expect("owners").clone();
            Step {
                name: "reassignDeal",
                arguments: format!(", ownerId: \"{owner}\""),
                wants_open: None,
                edit: Box::new(move |deal| {
                    deal.insert("ownerId", Some(owner));
                }),
            }
        }
    }
}

async fn begin(gateway: &Gateway, user: &User<'_>) -> Deal {
    let made = user
        .data("mutation { createDeal(input: { name: \"Random\", region: EUROPE, segment: SMB, lob: SOFTWARE, value: \"1\",
            probability: \"1\" }) { id } }")
        .await;
    let id = made["createDeal"]["id"].as_str().expect("an id").to_owned();
    let row = gateway.rows(&format!("{READ}'{id}'")).await.remove(0);
    Deal { id, version: 1, now: fields(&row), past: vec![(1, fields(&row))] }
}

/// Walks the history back from what the deal is, and finds everything that it ever was.
async fn verify(gateway: &Gateway, deal: &Deal) {
    let row = gateway.rows(&format!("{READ}'{}'", deal.id)).await.remove(0);
    assert_eq!(fields(&row), deal.now);
    assert_eq!(row["row_version"], deal.version);
    let history = gateway
        .rows(&format!(
            "SELECT field_changed AS field, old_value AS old, new_value AS new, changed_at FROM deal_history
              WHERE deal_id = '{}' ORDER BY changed_at DESC, id DESC",
            deal.id
        ))
        .await;
    assert_eq!(history.len(), deal.past.iter().map(|(changes, _)| changes).sum::<usize>());
    let (mut state, mut steps) = (fields(&row), history.iter());
    for (changes, known) in deal.past.iter().rev() {
        assert_eq!(state, *known);
        for step in steps.by_ref().take(*changes) {
            let field = TOLD.iter().find(|name| step["field"] == **name).unwrap_or_else(|| panic!("{step}"));
            // The model knows the day of a beginning.
            let said = |value: &Value| {
                value.as_str().map(|value| if *field == "createdAt" { &value[..10] } else { value }.to_owned())
            };
            assert_eq!(said(&step["new"]), state[field], "{field}");
            state.insert(field, said(&step["old"]));
        }
    }
    assert_eq!(state["stage"], None, "before its first step there was no deal");
    let entered = history.iter().find(|step| step["field"] == "stage").expect("a stage");
    assert_eq!(row["stage_entered_at"], entered["changed_at"]);
    assert_eq!(row["actualCloseDate"].is_string(), deal.is_closed());
}

#[tokio::test]
async fn random_mutations_leave_what_the_model_says_and_a_history_that_tells_all() {
    let gateway = Gateway::demo().await;
    let cfo = gateway.cfo().await;
    let owners: Vec<String> = gateway
        .rows("SELECT id FROM users WHERE organization_id = (SELECT id FROM organizations WHERE slug = 'aether-demo') AND status = 'active'")
        .await
        .iter()
        .map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect();
    let (mut done, mut refused) = (0, 0);
    for seed in 0..4 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut deals = vec![begin(&gateway, &cfo).await, begin(&gateway, &cfo).await];
        for _ in 0..40 {
            let today = gateway
                .value(
                    "SELECT (now() AT TIME ZONE coalesce(settings ->> 'timezone', 'UTC'))::date::text
                FROM organizations WHERE slug = 'aether-demo'",
                )
                .await;
            let at = rng.random_range(0..deals.len());
            let deal = &mut deals[at];
            let step = step(&mut rng, deal, &owners, today.as_str().expect("a date"));
            let stale = rng.random_bool(0.1);
            let query = format!(
                "mutation($id: UUID!, $v: Int!) {{ {}(id: $id, expectedVersion: $v {}) {{ rowVersion }} }}",
                step.name, step.arguments
            );
            let version = if stale { deal.version + 7 } else { deal.version };
            let answer = cfo.run(&query, json!({ "id": deal.id, "v": version })).await;
            if stale {
                assert_eq!(answer.code(), "CONFLICT");
                refused += 1;
            } else if step.wants_open.is_some_and(|open| open == deal.is_closed()) {
                assert_eq!(answer.code(), "PRECONDITION_FAILED", "{query}");
                refused += 1;
            } else {
                deal.becomes(step.edit);
                assert_eq!(answer.ok()[step.name]["rowVersion"], deal.version, "{query}");
                done += 1;
            }
        }
        for deal in &deals {
            verify(&gateway, deal).await;
        }
    }
    assert!(done > 80 && refused > 20, "{done} done, {refused} refused: the sequences try too little");
}
