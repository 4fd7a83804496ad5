//! Files that were taken out.

use serde_json::json;

use crate::copy::{Rows, row};
use crate::tenant::Tenant;

const DEALS: &str = "query OpenDeals($stage: DealStage!) { deals(filter: { stage: { eq: $stage } }) { nodes { name value owner { name } } } }";
const REGIONS: &str =
    "{ financialMetrics { groups(by: [{ region: {} }]) { nodes { key { region } actualValue { sum } } } } }";

/// Fills `row_exports`: a file that was downloaded, and one that could not be made.
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
    let (monday, friday) = (tenant.ago(12.0), tenant.ago(5.0));
    let minutes = |of: chrono::DateTime<chrono::Utc>, minutes| of + chrono::Duration::minutes(minutes);
    rows.push(row![
        ids.at(monday),
        tenant.id(),
        cfo,
        DEALS,
        "OpenDeals",
        json!({ "stage": "PROPOSAL" }),
        "CSV",
        "COMPLETED",
        27_i64,
        27_i64,
        1_804_i64,
        "2c624232cdd221771294dfbb310aca000a0df6ac8b66b696d90ef06fdefb64a3",
        None::<&str>,
        monday,
        minutes(monday, 15),
        minutes(monday, 1),
        minutes(monday, 1),
    ]);
    rows.push(row![
        ids.at(friday),
        tenant.id(),
        cfo,
        REGIONS,
        None::<&str>,
        json!({}),
        "PARQUET",
        "FAILED",
        None::<i64>,
        0_i64,
        0_i64,
        None::<&str>,
        "Amounts of several metrics cannot be summed: filter by one metricType, or make it a key.",
        friday,
        minutes(friday, 15),
        minutes(friday, 2),
        minutes(friday, 2),
    ]);
    rows
}
