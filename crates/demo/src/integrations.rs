//! Connected systems, their synchronizations and what those logged.

use chrono::Duration;
use serde_json::{Value, json};

use crate::copy::{Rows, row};
use crate::tenant::Tenant;

/// Name, type, provider, status, frequency, schedule, records in one sync.
type System = (&'static str, &'static str, &'static str, &'static str, Option<&'static str>, Option<&'static str>, i64);

#[rustfmt::skip]
pub(crate) const SYSTEMS: [System; 8] = [
    ("SAP S/4HANA", "ERP", "sap", "active", Some("hourly"), Some("5 * * * *"), 11_300),
    ("Salesforce", "CRM", "salesforce", "active", Some("realtime"), None, 420),
    ("HubSpot (EMEA)", "CRM", "hubspot", "active", Some("hourly"), Some("20 * * * *"), 260),
    ("Workday", "HRIS", "workday", "error", Some("daily"), Some("15 3 * * *"), 1_900),
    ("Snowflake", "DW", "snowflake", "active", Some("hourly"), Some("40 * * * *"), 52_000),
    ("Tableau", "BI", "tableau", "inactive", Some("daily"), Some("0 6 * * *"), 90),
    ("Coupa", "OTHER", "coupa", "pending_setup", None, None, 0),
    ("ECB rates", "OTHER", "ecb", "active", Some("daily"), Some("30 16 * * *"), 170),
];

/// Fills `integrations`, `integration_syncs` and `integration_logs`.
pub(crate) fn integrations(tenant: &Tenant, encrypt: &dyn Fn(&[u8]) -> Vec<u8>) -> Vec<Rows> {
    let mut integrations = Rows::new(
        "integrations",
        &[
            "id",
            "organization_id",
            "name",
            "type",
            "provider",
            "connection_config",
            "sync_enabled",
            "sync_frequency",
            "sync_schedule",
            "status",
            "last_successful_sync",
            "last_sync_attempt",
            "consecutive_failures",
            "records_synced_total",
            "owner_id",
            "created_at",
            "updated_at",
        ],
    );
    let mut syncs = Rows::new(
        "integration_syncs",
        &[
            "id",
            "integration_id",
            "started_at",
            "completed_at",
            "status",
            "records_read",
            "records_written",
            "records_failed",
            "duration_ms",
            "errors",
            "trigger_type",
            "triggered_by",
        ],
    );
    let mut logs =
        Rows::new("integration_logs", &["id", "integration_id", "sync_id", "level", "message", "details", "at"]);
    let (mut random, mut ids) = (tenant.random("integrations"), tenant.ids("integrations"));
    let admin = tenant.role("ADMIN").id;
    for (name, kind, provider, status, frequency, schedule, volume) in SYSTEMS {
        let made = tenant.ago(24.0 * random.between(300.0, 900.0));
        let id = ids.at(made);
        let (mut success, mut attempt, mut failures, mut total) = (None, None, 0, volume * 2_400);
        let count = if volume == 0 { 0 } else { 28 };
        let pause = if status == "inactive" { 24.0 * 60.0 } else { 1.5 };
        for number in (0..count).rev() {
            let started = tenant.ago(pause + 9.0 * f64::from(number) + random.between(0.0, 6.0));
            let outcome = match (status, number) {
                ("error", 0..=4) => "failed",
                ("active", 0) if provider == "snowflake" => "running",
                (_, 9) => "partial",
                (_, 17) => "failed",
                _ => "success",
            };
            let (trigger, by) = match number % 7 {
                3 => ("manual", Some(admin)),
                5 if frequency == Some("realtime") => ("webhook", None),
                _ => ("scheduled", None),
            };
            let read = if outcome == "failed" {
                random.whole(0, volume / 4)
            } else {
                random.whole(volume * 8 / 10, volume * 12 / 10)
            };
            let failed = match outcome {
                "partial" => read / 40 + 1,
                "failed" => read,
                _ => 0,
            };
            let running = outcome == "running";
            let millis = random.whole(1_200, 94_000);
            let completed = (!running).then(|| started + Duration::milliseconds(millis));
            let sync = ids.at(started);
            syncs.push(row![
                sync,
                id,
                started,
                completed,
                outcome,
                read,
                if running { 0 } else { read - failed },
                failed,
                completed.map(|_| millis),
                errors(outcome, provider, failed),
                trigger,
                by,
            ]);
            let mut log = |level: &str, message: String, details: Value, after: i64| {
                let at = started + Duration::milliseconds(after);
                logs.push(row![ids.at(at), id, sync, level, message, details, at]);
            };
            if number < 12 {
                let page = json!({ "cursor": read * 3, "pageSize": 500 });
                log("debug", format!("Asked {provider} for the first page"), page, 40);
                log("info", format!("Read {read} records"), json!({ "records": read }), millis);
            }
            match outcome {
                "partial" => log(
                    "warning",
                    format!("{failed} records were skipped"),
                    json!({ "reason": "unknown currency" }),
                    millis,
                ),
                "failed" => log(
                    "error",
                    "The synchronization was given up".to_owned(),
                    json!({ "code": "UPSTREAM_TIMEOUT" }),
                    millis,
                ),
                _ => {}
            }
            attempt = Some(started);
            match outcome {
                "failed" => failures += 1,
                "running" => {}
                _ => {
                    failures = 0;
                    success = completed;
                    total += read - failed;
                }
            }
        }
        let config = json!({ "host": format!("{provider}.{}.example", tenant.organization.slug), "user": "aether-sync", "secret": "demo-only" });
        integrations.push(row![
            id,
            tenant.id(),
            name,
            kind,
            provider,
            encrypt(config.to_string().as_bytes()),
            !matches!(status, "inactive" | "pending_setup"),
            frequency,
            schedule,
            status,
            success,
            attempt,
            failures,
            if count == 0 { 0 } else { total },
            (provider != "ecb").then_some(admin),
            made,
            attempt.unwrap_or(made),
        ]);
    }
    vec![integrations, syncs, logs]
}

fn errors(outcome: &str, provider: &str, failed: i64) -> Option<Value> {
    match outcome {
        "partial" => Some(json!([
            { "code": "UNKNOWN_CURRENCY", "message": "Currency XTS is not known", "records": failed },
        ])),
        "failed" => Some(json!([
            { "code": "UPSTREAM_TIMEOUT", "message": format!("{provider} did not answer within 30 seconds"), "records": failed },
        ])),
        _ => None,
    }
}
