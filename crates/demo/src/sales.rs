//! Deals as they moved through the pipeline, with every step in their history.

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::copy::{Rows, row};
use crate::ids::Ids;
use crate::random::Random;
use crate::tenant::Tenant;
use crate::words::Account;

/// Open stages in order, with the usual probability, the days a deal stays and the chance that it ends there.
pub(crate) const OPEN: [(&str, i64, (f64, f64), f64); 5] = [
    ("Prospecting", 10, (8.0, 40.0), 0.13),
    ("Discovery", 25, (10.0, 45.0), 0.13),
    ("Proposal", 45, (10.0, 42.0), 0.14),
    ("Negotiation", 65, (8.0, 35.0), 0.13),
    ("Legal Review", 85, (5.0, 25.0), 0.08),
];

const REGIONS: [(&str, u32); 5] =
    [("North America", 40), ("Europe", 28), ("Asia Pacific", 16), ("Latin America", 9), ("Middle East", 7)];

/// Segment, share of deals, value in thousands.
const SEGMENTS: [((&str, f64, f64), u32); 3] =
    [(("Enterprise", 280.0, 1_900.0), 28), (("Mid-Market", 70.0, 420.0), 42), (("SMB", 9.0, 85.0), 30)];

/// Line of business, kind of revenue and what is sold.
const OFFERS: [((&str, &str, &str), u32); 7] = [
    (("Software", "Subscription", "Aether Platform subscription"), 34),
    (("Software", "Subscription", "Nexus Analytics rollout"), 16),
    (("Software", "License", "Platform licence, on premises"), 12),
    (("Software", "Subscription", "Platform renewal"), 8),
    (("Services", "Implementation", "Implementation programme"), 16),
    (("Services", "Implementation", "Data migration"), 8),
    (("Services", "Managed Service", "Managed close service"), 6),
];

const CHANNELS: [(&str, u32); 5] = [("Outbound", 34), ("Inbound", 28), ("Partner", 20), ("Referral", 12), ("Event", 6)];

const CAMPAIGNS: [&str; 6] = [
    "Spring CFO Summit",
    "Close Faster webinar",
    "Benchmark report",
    "Partner co-marketing",
    "Autumn brand campaign",
    "Search, branded",
];

const LOST: [&str; 6] =
    ["Price", "Missing functionality", "No decision", "Budget cut", "Chose a competitor", "Project postponed"];

const COMPETITORS: [&str; 4] = ["Plannerly", "Foresight Suite", "Budgetwise", "In-house build"];

/// What a snapshot needs to know of a deal.
pub(crate) struct Life {
    pub(crate) id: Uuid,
    pub(crate) region: &'static str,
    pub(crate) segment: &'static str,
    pub(crate) expected: NaiveDate,
    /// When each stage began, with its probability, in order.
    pub(crate) stages: Vec<(DateTime<Utc>, &'static str, i64)>,
    /// The value and the moment it became that, in order.
    pub(crate) values: Vec<(DateTime<Utc>, Decimal)>,
}

impl Life {
    /// Stage, probability and value at a moment, if the deal was there.
    pub(crate) fn at(&self, moment: DateTime<Utc>) -> Option<(&'static str, i64, Decimal)> {
        let (_, stage, probability) = self.stages.iter().rev().find(|(since, ..)| *since <= moment)?;
        let (_, value) = self.values.iter().rev().find(|(since, _)| *since <= moment)?;
        Some((stage, *probability, *value))
    }

    fn last(&self) -> (DateTime<Utc>, &'static str, i64) {
        *self.stages.last().expect("a deal begins with a stage")
    }

    fn is_closed(&self) -> bool {
        self.last().1.starts_with("Closed")
    }
}

/// Fills `deals` and `deal_history`.
pub(crate) fn deals(tenant: &Tenant) -> (Vec<Rows>, Vec<Life>) {
    let mut deals = Rows::new(
        "deals",
        &[
            "id",
            "organization_id",
            "external_deal_id",
            "external_system",
            "name",
            "account_name",
            "account_id",
            "region",
            "segment",
            "lob",
            "vertical",
            "revenue_type",
            "stage",
            "stage_entered_at",
            "value",
            "currency",
            "probability",
            "days_in_pipeline",
            "expected_close_date",
            "actual_close_date",
            "owner_id",
            "channel",
            "campaign_source",
            "close_reason",
            "competitor_lost_to",
            "created_at",
            "updated_at",
            "synced_at",
        ],
    );
    let mut history = Rows::new(
        "deal_history",
        &["id", "deal_id", "field_changed", "old_value", "new_value", "changed_by", "change_source", "changed_at"],
    );
    let (mut random, mut ids) = (tenant.random("deals"), tenant.ids("deals"));
    let accounts: Vec<(Account, Uuid)> =
        (0..tenant.deals * 2 / 5 + 1).map(|_| (Account::draw(&mut random), ids.at(tenant.ago(24.0 * 800.0)))).collect();
    let sellers = tenant.staff(&["FINANCE_MANAGER", "ANALYST"]);
    let mut lives = Vec::with_capacity(tenant.deals);
    for number in 0..tenant.deals {
        let (account, account_id) = random.pick(&accounts);
        let (lob, revenue, offer) = random.weighted(&OFFERS);
        let life = live(tenant, &mut random, &mut ids);
        let (began, ..) = life.stages[0];
        let (entered, stage, probability) = life.last();
        let closed = life.is_closed();
        let lost = stage == "Closed Lost";
        let sellers: Vec<_> = sellers.iter().filter(|user| user.region.is_none_or(|of| of == life.region)).collect();
        // A few wait for somebody to take them.
        let owner = (number % 29 != 7).then(|| random.pick(&sellers).id);
        let system = match number % 20 {
            0..=12 => Some("salesforce"),
            13..=16 => Some("hubspot"),
            _ => None,
        };
        let reason = lost.then(|| random.pick(&LOST));
        let competitor = reason.filter(|why| matches!(*why, "Price" | "Chose a competitor" | "Missing functionality"));
        let until = if closed { entered } else { tenant.now() };
        let updated = steps(tenant, &mut random, &mut ids, &life, owner, system.is_some(), &mut history);
        deals.push(row![
            life.id,
            tenant.id(),
            system.map(|system| match system {
                "salesforce" => format!("006{:011}", 4_100_000 + number * 37),
                _ => format!("{}", 9_200_000_000_u64 + number as u64 * 411),
            }),
            system,
            format!("{} – {offer}", account.name()),
            account.name(),
            account_id,
            life.region,
            life.segment,
            lob,
            account.vertical,
            revenue,
            stage,
            entered,
            life.values.last().map(|(_, value)| *value),
            "USD",
            probability,
            (until - began).num_days(),
            life.expected,
            closed.then(|| entered.date_naive()),
            owner,
            random.weighted(&CHANNELS),
            random.chance(0.45).then(|| random.pick(&CAMPAIGNS)),
            reason,
            competitor.map(|_| random.pick(&COMPETITORS)),
            began,
            updated,
            system.map(|_| tenant.ago(random.between(0.2, 20.0)).max(updated)),
        ]);
        lives.push(life);
    }
    (vec![deals, history], lives)
}

/// Plays a deal from its first day to its end, or to the end of the data.
fn live(tenant: &Tenant, random: &mut Random, ids: &mut Ids) -> Life {
    let age = if random.chance(0.5) { random.between(1.0, 170.0) } else { random.between(170.0, 720.0) };
    let mut moment = tenant.ago(24.0 * age);
    let id = ids.at(moment);
    let region = random.weighted(&REGIONS);
    let (segment, low, high) = random.weighted(&SEGMENTS);
    let value = random.hundreds(low * 1_000.0, high * 1_000.0);
    let mut values = vec![(moment, value)];
    let mut stages = Vec::new();
    let mut end = None;
    for (index, &(stage, probability, (shortest, longest), risk)) in OPEN.iter().enumerate() {
        stages.push((moment, stage, (probability + random.whole(-5, 5)).clamp(5, 95)));
        // Some deals get stuck, and show up as stalled.
        let stuck = if random.chance(0.035) { 400.0 } else { 0.0 };
        moment += Duration::minutes(((random.between(shortest, longest) + stuck) * 1440.0) as i64);
        if moment > tenant.ago(2.0) {
            break;
        }
        if random.chance(risk) {
            end = Some("Closed Lost");
        } else if index + 1 == OPEN.len() {
            end = Some("Closed Won");
        }
        if let Some(end) = end {
            stages.push((moment, end, if end == "Closed Won" { 100 } else { 0 }));
            break;
        }
    }
    let began = stages[0].0;
    let until = if end.is_some() { moment } else { tenant.ago(1.0) };
    let revisions = if stages.len() < 2 { 1 } else { random.whole(0, 2) };
    for revision in 0..revisions {
        let share = (revision as f64 + random.between(0.1, 0.9)) / revisions as f64;
        let at = began + Duration::milliseconds(((until - began).num_milliseconds() as f64 * share) as i64);
        let (_, before) = values[values.len() - 1];
        let percent = Decimal::from(random.whole(82, 124));
        let after = (before * percent / Decimal::from(10_000)).round() * Decimal::ONE_HUNDRED;
        if after != before {
            values.push((at, after));
        }
    }
    let expected = if end.is_some() {
        let slip = random.whole(-20, 12);
        until.date_naive() + Duration::days(slip)
    } else {
        // Most are still to come, some are overdue.
        tenant.today + Days::new(random.whole(0, 190) as u64) - Days::new(18)
    };
    Life { id, region, segment, expected, stages, values }
}

/// Writes a deal's history in the order of time and returns the time of the last step.
fn steps(
    tenant: &Tenant,
    random: &mut Random,
    ids: &mut Ids,
    life: &Life,
    owner: Option<Uuid>,
    synced: bool,
    history: &mut Rows,
) -> DateTime<Utc> {
    let mut steps: Vec<(DateTime<Utc>, &str, Option<String>, String)> = Vec::new();
    let mut before = None;
    for &(at, stage, _) in &life.stages {
        steps.push((at, "stage", before.replace(stage.to_owned()), stage.to_owned()));
    }
    for pair in life.values.windows(2) {
        steps.push((pair[1].0, "value", Some(pair[0].1.to_string()), pair[1].1.to_string()));
    }
    if steps.len() < 8 && (steps.len() < 2 || random.chance(0.35)) {
        let (from, until) = (life.stages[0].0, life.last().0);
        let half = from + (until - from) / 2 + Duration::minutes(7);
        let planned = life.expected - Duration::days(random.whole(7, 45));
        steps.push((half, "expectedCloseDate", Some(planned.to_string()), life.expected.to_string()));
    }
    steps.sort_by_key(|(at, ..)| *at);
    for (index, (at, field, old, new)) in steps.iter().enumerate() {
        let source = match index {
            0 if !synced => "system",
            _ if synced && random.chance(0.5) => "sync",
            _ => "user",
        };
        let by = owner.filter(|_| source == "user").or((source == "user").then(|| tenant.role("CFO").id));
        history.push(row![ids.at(*at), life.id, *field, old.clone(), new.as_str(), by, source, *at]);
    }
    steps.last().expect("a deal has a first step").0
}
