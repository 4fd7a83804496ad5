//! Snapshots of the open pipeline, computed from what the deals really were at the time.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Value, json};

use crate::copy::{Rows, row};
use crate::metrics::REGIONS;
use crate::sales::{Life, OPEN};
use crate::tenant::{Tenant, midnight};

#[derive(Clone, Copy, Default)]
struct Heap {
    value: Decimal,
    count: i64,
}

impl Heap {
    fn add(&mut self, value: Decimal) {
        self.value += value;
        self.count += 1;
    }
}

type Heaps = BTreeMap<&'static str, Heap>;

/// Fills `pipeline_snapshots`: 30 days, 16 weeks, 14 months and 4 quarter ends.
pub(crate) fn snapshots(tenant: &Tenant, lives: &[Life]) -> Rows {
    let mut rows = Rows::new(
        "pipeline_snapshots",
        &[
            "id",
            "organization_id",
            "snapshot_date",
            "snapshot_type",
            "total_pipeline_value",
            "weighted_pipeline_value",
            "deal_count",
            "stage_breakdown",
            "region_breakdown",
            "segment_breakdown",
            "forecast_this_quarter",
            "forecast_next_quarter",
            "created_at",
        ],
    );
    let mut ids = tenant.ids("pipeline");
    for (day, kind) in days(tenant) {
        let taken = (midnight(day) + chrono::Duration::hours(23)).min(tenant.now());
        let heap = |names: &[&'static str]| -> Heaps { names.iter().map(|name| (*name, Heap::default())).collect() };
        let (mut stages, mut regions) = (heap(&OPEN.map(|(name, ..)| name)), heap(&REGIONS.map(|(name, ..)| name)));
        let mut segments = heap(&["Enterprise", "Mid-Market", "SMB"]);
        let (mut all, mut weighted) = (Heap::default(), Decimal::ZERO);
        let (mut this_quarter, mut next_quarter) = (Decimal::ZERO, Decimal::ZERO);
        for (life, stage, probability, value) in open(lives, taken) {
            let weight = value * Decimal::from(probability) / Decimal::ONE_HUNDRED;
            all.add(value);
            weighted += weight;
            stages.entry(stage).or_default().add(value);
            regions.entry(life.region).or_default().add(value);
            segments.entry(life.segment).or_default().add(value);
            match quarter(life.expected) - quarter(day) {
                ..=0 => this_quarter += weight,
                1 => next_quarter += weight,
                _ => {}
            }
        }
        rows.push(row![
            ids.at(taken),
            tenant.id(),
            day,
            kind,
            all.value,
            weighted,
            all.count,
            breakdown(&stages),
            breakdown(&regions),
            breakdown(&segments),
            this_quarter,
            next_quarter,
            taken,
        ]);
    }
    rows
}

fn open(lives: &[Life], moment: DateTime<Utc>) -> impl Iterator<Item = (&Life, &'static str, i64, Decimal)> {
    lives
        .iter()
        .filter_map(move |life| life.at(moment).map(|(stage, probability, value)| (life, stage, probability, value)))
        .filter(|(_, stage, ..)| !stage.starts_with("Closed"))
}

/// Quarters since the beginning of the calendar.
fn quarter(day: NaiveDate) -> i32 {
    day.year() * 4 + day.month0() as i32 / 3
}

fn days(tenant: &Tenant) -> Vec<(NaiveDate, &'static str)> {
    // Over in every time zone: nobody who takes the snapshot of its own day today finds it taken.
    let last = tenant.today - Days::new(2);
    let sunday = last - Days::new(u64::from(last.weekday().num_days_from_sunday()));
    let quarter = tenant.month(-(tenant.today.month0() as i32 % 3));
    let mut days: Vec<_> = (0..30).map(|back| (last - Days::new(back), "daily")).collect();
    days.extend((0..16).map(|back| (sunday - Days::new(7 * back), "weekly")));
    days.extend((0..14).map(|back| (tenant.month(-back) - Days::new(1), "monthly")));
    days.extend((0..4).map(|back| (quarter - Months::new(3 * back) - Days::new(1), "quarter_end")));
    days.sort();
    days
}

fn breakdown(heaps: &Heaps) -> Value {
    let entries = heaps.iter().map(|(name, heap)| {
        // Deal values are whole hundreds.
        ((*name).to_owned(), json!({ "value": heap.value.to_i64(), "count": heap.count }))
    });
    Value::Object(entries.collect())
}
