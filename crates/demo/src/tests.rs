//! What can be known of the data without a database. What the columns and enums are is read from the migrations.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::copy::Rows;
use crate::load::{Demo, Options};

fn options(seed: u64, scale: u32) -> Options {
    Options {
        today: NaiveDate::from_ymd_opt(2026, 3, 17).unwrap(),
        seed,
        scale,
        password_hash: "$argon2id$".to_owned(),
        encrypt: std::sync::Arc::new(<[u8]>::to_vec),
    }
}

fn generate(options: &Options) -> Vec<Rows> {
    let demo = Demo::new(options);
    let mut all = demo.shared();
    all.extend(demo.tenants().flat_map(|tenant| demo.tenant(&tenant)));
    all
}

/// What most tests look at, made once.
static ALL: LazyLock<Vec<Rows>> = LazyLock::new(|| generate(&options(7, 1)));

/// The rows of a table as maps from column to text; NULL is left out.
fn table<'a>(all: &'a [Rows], name: &str) -> Vec<BTreeMap<&'a str, String>> {
    let batches = all.iter().filter(|rows| rows.table == name);
    let rows = batches.flat_map(|rows| rows.text.lines().map(|line| (rows.columns.as_slice(), line)));
    rows.map(|(columns, line)| {
        let cells = columns.iter().copied().zip(line.split('\t'));
        cells.filter(|(_, cell)| *cell != "\\N").map(|(name, cell)| (name, cell.replace("\\\\", "\\"))).collect()
    })
    .collect()
}

fn decimal(row: &BTreeMap<&str, String>, column: &str) -> Decimal {
    row.get(column).map_or(Decimal::ZERO, |text| text.parse().unwrap())
}

/// Enum types with their labels, and tables with their columns and the types of those.
struct Ddl {
    enums: BTreeMap<String, BTreeSet<String>>,
    tables: BTreeMap<String, BTreeMap<String, String>>,
}

fn ddl() -> Ddl {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migration/sql");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(".up.sql"));
    files.sort();
    let mut ddl = Ddl { enums: BTreeMap::new(), tables: BTreeMap::new() };
    for file in files {
        let sql = fs::read_to_string(file).unwrap();
        let (mut kind, mut relation) = (None, None);
        for line in sql.lines() {
            let mut words = line.split_whitespace();
            let first = words.next().unwrap_or_default();
            if let Some(rest) = line.strip_prefix("CREATE TYPE ") {
                kind = rest.strip_suffix(" AS ENUM (").map(ToOwned::to_owned);
            } else if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
                relation = rest.strip_suffix(" (").map(ToOwned::to_owned);
            } else if line.starts_with(')') {
                (kind, relation) = (None, None);
            } else if let Some(kind) = &kind {
                let label = first.trim_end_matches(',');
                let label = line.trim().split('\'').nth(1).unwrap_or(label);
                ddl.enums.entry(kind.clone()).or_default().insert(label.to_owned());
            } else if let Some(relation) = &relation
                && first.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_' || letter.is_ascii_digit())
                && let Some(of) = words.next()
            {
                let columns = ddl.tables.entry(relation.clone()).or_default();
                columns.insert(first.to_owned(), of.trim_end_matches(',').to_owned());
            }
        }
    }
    ddl
}

#[test]
fn the_same_day_seed_and_scale_make_the_same_rows() {
    let rows = generate(&options(7, 2));
    assert!(rows == generate(&options(7, 2)), "a second run differs");
    assert!(rows != generate(&options(8, 2)), "the seed changes nothing");

    let deals = |all: &[Rows]| all.iter().find(|rows| rows.table == "deals").unwrap().text.clone();
    assert!(deals(&rows) == deals(&ALL), "the scale changes the demo organization");
}

#[test]
fn keys_are_unique() {
    let all = generate(&options(7, 2));
    let mut seen = BTreeSet::new();
    for rows in all.iter().filter(|rows| rows.columns[0] == "id") {
        for line in rows.text.lines() {
            let key = line.split('\t').next().unwrap();
            assert!(seen.insert((rows.table, key.to_owned())), "{} {key} twice", rows.table);
        }
    }
}

/// Labels that nothing in the data has: no anomaly is injected in metrics that follow from others, nobody has drifted
/// from a general clause or a cross-reference yet, one override waits, and no draft defines a term twice.
const ELSEWHERE: [(&str, &str, &str); 11] = [
    ("drift_items", "type", "general"),
    ("drift_items", "type", "xref"),
    ("anomalies", "metric_type", "ARR"),
    ("anomalies", "metric_type", "LTV"),
    ("anomalies", "metric_type", "NET_INCOME"),
    ("anomalies", "metric_type", "NRR"),
    ("graph_warnings", "kind", "DUPLICATE_DEFINITION"),
    ("drift_items", "override_category", "credit_update"),
    ("drift_items", "override_category", "legal_requirement"),
    ("drift_items", "override_category", "market_conditions"),
    ("drift_items", "override_category", "other"),
];

/// Columns that the database fills: counted, summed or generated.
const KEPT: [&str; 7] = [
    "row_version",
    "annual_amount",
    "weighted_value",
    "total_cost",
    "cost_per_employee",
    "message_count",
    "total_tokens_used",
];

/// Columns that are still NULL in every row: gaps of the loan data, and what the gateway notes while something is under way.
const GAPS: [(&str, &str); 5] = [
    ("audit_events", "session_id"),
    ("workspaces", "deleted_at"),
    ("integration_syncs", "leased_until"),
    ("users", "mfa_last_step"),
    ("users", "mfa_pending_secret"),
];

#[test]
fn every_column_has_something_to_show() {
    let (ddl, all) = (ddl(), &*ALL);
    let mut empty = Vec::new();
    for (name, columns) in ddl.tables.iter().filter(|(name, _)| all.iter().any(|rows| rows.table == *name)) {
        let rows = table(all, name);
        for column in columns.keys().filter(|column| !KEPT.contains(&column.as_str())) {
            let gap = GAPS.contains(&(name, column));
            if !gap && !rows.iter().any(|row| row.contains_key(column.as_str())) {
                empty.push(format!("{name}.{column}"));
            }
        }
    }
    assert!(empty.is_empty(), "always NULL or left to a default: {empty:#?}");
}

#[test]
fn every_label_of_every_enum_is_shown() {
    let (ddl, all) = (ddl(), &*ALL);
    let mut missing = Vec::new();
    for (name, columns) in ddl.tables.iter().filter(|(name, _)| all.iter().any(|rows| rows.table == *name)) {
        let rows = table(all, name);
        for (column, kind) in columns {
            let Some(labels) = ddl.enums.get(kind) else { continue };
            for label in labels {
                if !rows.iter().any(|row| row.get(column.as_str()) == Some(label))
                    && !ELSEWHERE.contains(&(name, column, label))
                {
                    missing.push(format!("{name}.{column} = {label}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "nowhere: {missing:#?}");
}

#[test]
fn budgets_are_the_sum_of_their_lines() {
    let all = &*ALL;
    let mut totals: BTreeMap<String, Decimal> = BTreeMap::new();
    for line in table(all, "budget_line_items") {
        let sum = ["q1_amount", "q2_amount", "q3_amount", "q4_amount"].map(|quarter| decimal(&line, quarter));
        *totals.entry(line["budget_id"].clone()).or_default() += sum.iter().sum::<Decimal>();
    }
    for budget in table(all, "budgets") {
        assert_eq!(decimal(&budget, "total_amount"), totals[&budget["id"]], "{}", budget["name"]);
    }
}

#[test]
fn breakdowns_sum_to_their_totals() {
    let all = &*ALL;
    for spend in table(all, "vendor_spend") {
        if let Some(breakdown) = spend.get("breakdown") {
            let parts: BTreeMap<String, f64> = serde_json::from_str(breakdown).unwrap();
            let sum = crate::random::cents(parts.values().sum());
            assert_eq!(sum, decimal(&spend, "amount"), "{breakdown}");
        }
    }
    for snapshot in table(all, "pipeline_snapshots") {
        for breakdown in ["stage_breakdown", "region_breakdown", "segment_breakdown"] {
            let heaps: BTreeMap<String, Value> = serde_json::from_str(&snapshot[breakdown]).unwrap();
            let sum = |field: &str| heaps.values().map(|heap| heap[field].as_i64().unwrap()).sum::<i64>();
            assert_eq!(Decimal::from(sum("value")), decimal(&snapshot, "total_pipeline_value"), "{breakdown}");
            assert_eq!(Decimal::from(sum("count")), decimal(&snapshot, "deal_count"), "{breakdown}");
        }
    }
}

#[test]
fn the_last_snapshot_is_nearly_the_pipeline_of_today() {
    let all = &*ALL;
    let open = table(all, "deals").iter().filter(|deal| !deal["stage"].starts_with("Closed")).count();
    let snapshots = table(all, "pipeline_snapshots");
    let daily: Vec<_> = snapshots.iter().filter(|snapshot| snapshot["snapshot_type"] == "daily").collect();
    let newest = daily.iter().map(|snapshot| &snapshot["snapshot_date"]).max().unwrap();
    let counted: Decimal = daily
        .iter()
        .filter(|snapshot| snapshot["snapshot_date"] == *newest)
        .map(|snapshot| decimal(snapshot, "deal_count"))
        .sum();
    let difference = (Decimal::from(open) - counted).abs();
    assert!(difference <= Decimal::from(6), "{open} open deals, {counted} in the snapshot");
}

#[test]
fn history_leads_to_what_the_deal_is() {
    let all = &*ALL;
    let mut histories: BTreeMap<String, Vec<BTreeMap<&str, String>>> = BTreeMap::new();
    for step in table(all, "deal_history") {
        histories.entry(step["deal_id"].clone()).or_default().push(step);
    }
    for deal in table(all, "deals") {
        let steps = &histories[&deal["id"]];
        assert!((2..=8).contains(&steps.len()), "{} steps", steps.len());
        assert!(steps.is_sorted_by_key(|step| &step["changed_at"]), "{}", deal["id"]);
        let last = |field: &str| steps.iter().rfind(|step| step["field_changed"] == field);
        assert_eq!(last("stage").unwrap()["new_value"], deal["stage"]);
        if let Some(step) = last("value") {
            assert_eq!(step["new_value"].parse::<Decimal>().unwrap(), decimal(&deal, "value"));
        }
        assert_eq!(deal.contains_key("actual_close_date"), deal["stage"].starts_with("Closed"));
        assert_eq!(deal.contains_key("close_reason"), deal["stage"] == "Closed Lost");
    }
}

#[test]
fn anomalies_tell_what_the_metrics_show() {
    let all = &*ALL;
    let metrics = table(all, "financial_metrics");
    for anomaly in table(all, "anomalies") {
        let ratio = crate::metrics::is_ratio(&anomaly["metric_type"]);
        let seen: Decimal = metrics
            .iter()
            .filter(|metric| {
                ["organization_id", "metric_type"].iter().all(|column| metric[column] == anomaly[column])
                    && metric["region"] == anomaly["affected_region"]
                    && metric["metric_date"] == anomaly["affected_period_start"]
            })
            .map(|metric| decimal(metric, "actual_value") - decimal(metric, "forecast_value"))
            .max_by_key(|difference| if ratio { difference.abs() } else { Decimal::ZERO })
            .unwrap();
        let told = decimal(&anomaly, "impact_value");
        assert!(!told.is_zero() && told.is_sign_negative() == (decimal(&anomaly, "impact_percentage") < Decimal::ZERO));
        if ratio {
            assert_eq!(told.is_sign_negative(), seen.is_sign_negative(), "{}", anomaly["description"]);
        }
    }
}

#[test]
fn nothing_comes_from_the_future() {
    let all = generate(&options(7, 2));
    for rows in &all {
        for (index, column) in
            rows.columns.iter().enumerate().filter(|(_, column)| matches!(**column, "created_at" | "updated_at"))
        {
            let latest =
                rows.text.lines().filter_map(|line| line.split('\t').nth(index)).filter(|cell| *cell != "\\N").max();
            assert!(
                latest.is_none_or(|latest| latest <= "2026-03-17 00:00:00.000000+00"),
                "{}.{column}: {latest:?}",
                rows.table
            );
        }
    }
}
