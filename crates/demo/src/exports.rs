//! Files that were taken out.

use crate::copy::{Rows, row};
use crate::tenant::Tenant;

const DEALS: &str = "query OpenDeals($stage: DealStage!) { deals(filter: { stage: { eq: $stage } }) { nodes { name value owner { name } } } }";
const METRICS: &str = "{ financialMetrics { nodes { metricType metricDate region actualValue } } }";
const REGIONS: &str =
    "{ financialMetrics { groups(by: [{ region: {} }]) { nodes { key { region } actualValue { sum } } } } }";

/// A file: query, its operation's name, variables, format, how long ago in hours, status, rows in all and written, bytes, hash, failure.
type File = (
    &'static str,
    Option<&'static str>,
    &'static str,
    &'static str,
    f64,
    &'static str,
    (Option<i64>, i64, i64),
    Option<&'static str>,
    Option<&'static str>,
);

#[rustfmt::skip]
const FILES: [File; 5] = [
    (DEALS, Some("OpenDeals"), r#"{"stage": "PROPOSAL"}"#, "CSV", 300.0, "COMPLETED", (Some(27), 27, 1_804), Some("2c624232cdd221771294dfbb310aca000a0df6ac8b66b696d90ef06fdefb64a3"), None),
    (REGIONS, None, "{}", "PARQUET", 120.0, "FAILED", (None, 0, 0), None, Some("Figures of several metrics cannot be taken together: filter by metricType, or make it a key.")),
    (METRICS, None, "{}", "JSON_LINES", 48.0, "CANCELLED", (Some(1_136), 250, 61_440), None, None),
    (METRICS, None, "{}", "PARQUET", 0.05, "RUNNING", (Some(1_136), 500, 65_536), None, None),
    (METRICS, None, "{}", "CSV", 0.02, "REQUESTED", (None, 0, 0), None, None),
];

/// Fills `row_exports`: files in every state.
pub(crate) fn exports(tenant: &Tenant) -> Rows {
    let mut rows = Rows::new(
        "row_exports",
        &[
            "id",
            "organization_id",
            "requested_by",
            "query",
            "operation_name",
            "variables",
            "format",
            "status",
            "total_rows",
            "rows_written",
            "bytes_written",
            "sha256",
            "failure",
            "requested_at",
            "expires_at",
            "started_at",
            "finished_at",
        ],
    );
    let (mut ids, cfo) = (tenant.ids("row_exports"), tenant.role("CFO").id);
    for (query, name, variables, format, hours, status, (total, written, bytes), hash, failure) in FILES {
        let at = tenant.ago(hours);
        let later = |minutes| at + chrono::Duration::minutes(minutes);
        let has_begun = status != "REQUESTED";
        rows.push(row![
            ids.at(at),
            tenant.id(),
            cfo,
            query,
            name,
            serde_json::from_str::<serde_json::Value>(variables).unwrap_or_default(),
            format,
            status,
            total,
            written,
            bytes,
            hash,
            failure,
            at,
            later(15),
            has_begun.then(|| later(1)),
            (has_begun && status != "RUNNING").then(|| later(2)),
        ]);
    }
    rows
}
