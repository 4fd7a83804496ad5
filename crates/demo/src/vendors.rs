//! Vendors and what is spent with them each month.

use chrono::{Datelike as _, Days, Duration, Months, NaiveDate};
use serde_json::{Value, json};

use crate::copy::{Rows, row};
use crate::finance::MONTHS;
use crate::random::{Random, cents, places};
use crate::tenant::{Tenant, midnight};
use crate::words::contact;

/// Name, category, yearly contract in thousands.
type Vendor = (&'static str, &'static str, f64);

#[rustfmt::skip]
const VENDORS: [Vendor; 32] = [
    ("Nimbus Cloud", "Cloud Infrastructure", 6_400.0),
    ("Stratos Compute", "Cloud Infrastructure", 2_150.0),
    ("Polar Storage", "Cloud Infrastructure", 480.0),
    ("Edgeline CDN", "Cloud Infrastructure", 310.0),
    ("Ledgerworks", "SaaS", 720.0),
    ("Peoplebase", "SaaS", 395.0),
    ("Pipeline One", "SaaS", 860.0),
    ("Signpost e-Sign", "SaaS", 95.0),
    ("Tallyboard BI", "SaaS", 240.0),
    ("Inkwell Docs", "SaaS", 130.0),
    ("Watchtower Monitoring", "SaaS", 415.0),
    ("Codeharbor", "SaaS", 280.0),
    ("Meetly Rooms", "SaaS", 160.0),
    ("Harcourt Advisory", "Professional Services", 1_300.0),
    ("Bellweather Audit", "Professional Services", 640.0),
    ("Carrow & Finch Counsel", "Professional Services", 520.0),
    ("Deltaforce Staffing", "Professional Services", 1_850.0),
    ("Brightpath Training", "Professional Services", 120.0),
    ("Loudwater Media", "Marketing", 1_420.0),
    ("Stagecraft Events", "Marketing", 690.0),
    ("Fieldnote Research", "Marketing", 180.0),
    ("Meridian Print", "Marketing", 60.0),
    ("Cobalt Telecom", "Telecommunications", 330.0),
    ("Quickline Fiber", "Telecommunications", 145.0),
    ("Hardhat Security", "Security", 410.0),
    ("Sentry Gate", "Security", 225.0),
    ("Redteam Labs", "Security", 150.0),
    ("Plaza Offices", "Facilities", 2_900.0),
    ("Greenleaf Cleaning", "Facilities", 175.0),
    ("Voltwise Energy", "Facilities", 390.0),
    ("Compass Travel", "Travel", 1_100.0),
    ("Laptop Depot", "Hardware", 540.0),
];

/// What a category's invoices are made of, with shares that sum to one.
fn parts(category: &str) -> &'static [(&'static str, f64)] {
    match category {
        "Cloud Infrastructure" => &[("compute", 0.58), ("storage", 0.22), ("network", 0.13), ("support", 0.07)],
        "SaaS" => &[("subscriptions", 0.85), ("addons", 0.15)],
        "Professional Services" => &[("fees", 0.9), ("expenses", 0.1)],
        "Marketing" => &[("media", 0.7), ("production", 0.3)],
        _ => &[],
    }
}

/// Fills `vendors` and `vendor_spend`.
pub(crate) fn vendors(tenant: &Tenant) -> Vec<Rows> {
    let mut vendors = Rows::new(
        "vendors",
        &[
            "id",
            "organization_id",
            "name",
            "category",
            "description",
            "contract_value",
            "contract_start_date",
            "contract_end_date",
            "payment_terms",
            "auto_renewal",
            "risk_level",
            "risk_notes",
            "primary_contact_name",
            "primary_contact_email",
            "status",
            "created_at",
            "updated_at",
        ],
    );
    let mut spend = Rows::new(
        "vendor_spend",
        &[
            "id",
            "vendor_id",
            "organization_id",
            "period_date",
            "amount",
            "budget_amount",
            "yoy_change",
            "breakdown",
            "created_at",
            "updated_at",
        ],
    );
    let (mut random, mut ids) = (tenant.random("vendors"), tenant.ids("vendors"));
    for (index, (name, category, thousands)) in VENDORS.into_iter().enumerate() {
        // Some are new this year: no year to compare with.
        let age = if index % 7 == 5 { random.whole(6, 11) } else { random.whole(25, 44) } as i32;
        let start = tenant.month(-age);
        let made = midnight(start - Days::new(12));
        let id = ids.at(made);
        let yearly = thousands * 1_000.0 * tenant.volume;
        let risk = ["low", "low", "medium", "low", "high", "low", "medium", "low", "low", "critical"][index % 10];
        let notes = match risk {
            "medium" => Some("Sole supplier of one service; exit plan reviewed once a year."),
            "high" => Some("Financial statements are late; payment moved from prepaid to monthly."),
            "critical" => Some("Data-processing agreement expired; renewal is with counsel."),
            _ => None,
        };
        let status = match index % 16 {
            6 => "inactive",
            9 => "pending_review",
            _ => "active",
        };
        let (person, local) = contact(&mut random);
        let domain: String = name.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect();
        vendors.push(row![
            id,
            tenant.id(),
            name,
            category,
            format!("{category} under a framework contract, reviewed every {}.", start.format("%B")),
            cents(yearly * f64::from(age / 12 + 1)),
            start,
            contract_end(tenant, start, index),
            random.pick(&["Net 30", "Net 45", "Net 60", "Annual prepaid", "Quarterly in advance"]),
            random.chance(0.6),
            risk,
            notes,
            person,
            format!("{local}@{domain}.example"),
            status,
            made,
            tenant.ago(24.0 * random.between(1.0, 150.0)),
        ]);
        let series = Series { yearly, growth: random.between(0.02, 0.22), category, age };
        let amounts: Vec<f64> = (1 - MONTHS - 12..=0).map(|offset| series.draw(&mut random, tenant, offset)).collect();
        let last = if status == "inactive" { -5 } else { 0 };
        for offset in (1 - MONTHS).max(-age)..=last {
            let place = (offset + MONTHS + 11) as usize;
            let (amount, before) = (amounts[place], amounts[place - 12]);
            let change = (offset - 12 >= -age).then(|| places((amount / before - 1.0) * 100.0, 2));
            let day = tenant.month(offset);
            let booked = (midnight(day + Months::new(1)) + Duration::hours(50)).min(tenant.now());
            spend.push(row![
                ids.at(booked),
                id,
                tenant.id(),
                day,
                cents(amount),
                cents(series.level(offset) * 1.01),
                change,
                breakdown(category, amount),
                booked,
                booked,
            ]);
        }
    }
    vec![vendors, spend]
}

/// Contracts end at different times: some soon, some long ago and renewed from month to month.
fn contract_end(tenant: &Tenant, start: NaiveDate, index: usize) -> Option<NaiveDate> {
    match index % 8 {
        3 => None,
        5 => Some(tenant.today + Days::new(25 + index as u64)),
        _ => {
            let years = (tenant.today.year() - start.year() + 1 + (index % 2) as i32).unsigned_abs();
            Some(start + Months::new(12 * years) - Days::new(1))
        }
    }
}

struct Series {
    yearly: f64,
    growth: f64,
    category: &'static str,
    age: i32,
}

impl Series {
    fn level(&self, offset: i32) -> f64 {
        self.yearly / 12.0 * (1.0 + self.growth * f64::from(offset) / 12.0)
    }

    fn draw(&self, random: &mut Random, tenant: &Tenant, offset: i32) -> f64 {
        let noise = 1.0 + random.noise(if self.category == "SaaS" { 0.008 } else { 0.06 });
        // The load-test cluster that the anomalies tell of.
        let leak = if offset == -1 && self.category == "Cloud Infrastructure" { 1.35 } else { 1.0 };
        let audit =
            if self.category == "Professional Services" && tenant.month(offset).month() == 2 { 1.4 } else { 1.0 };
        let first = if offset == -self.age { 1.2 } else { 1.0 };
        self.level(offset) * noise * leak * audit * first
    }
}

/// The parts sum to the amount: the last one takes what is left over.
fn breakdown(category: &str, amount: f64) -> Option<Value> {
    let parts = parts(category);
    let (last, others) = parts.split_last()?;
    let total = (amount * 100.0).round() as i64;
    let mut left = total;
    let mut object = serde_json::Map::new();
    for (name, share) in others {
        let part = (total as f64 * share).round() as i64;
        left -= part;
        object.insert((*name).to_owned(), json!(part as f64 / 100.0));
    }
    object.insert(last.0.to_owned(), json!(left as f64 / 100.0));
    Some(Value::Object(object))
}
