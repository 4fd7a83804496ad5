//! The lineage of the data, from the ERP through staging and the warehouse to the dashboards.

use uuid::Uuid;

use crate::copy::{Rows, row};
use crate::tenant::Tenant;

/// Key, label, type, subtype, status, system, classification, how often, column and row of the drawing.
type Node = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    i32,
    i32,
);

#[rustfmt::skip]
pub(crate) const NODES: [Node; 17] = [
    ("sap_gl", "General ledger", "source", "ERP", "active", "sap", "restricted", "hourly", 0, 0),
    ("sap_ap", "Accounts payable", "source", "ERP", "active", "sap", "confidential", "hourly", 0, 1),
    ("salesforce_opportunities", "Opportunities", "source", "CRM", "active", "salesforce", "confidential", "every 15 minutes", 0, 2),
    ("workday_people", "Worker records", "source", "HRIS", "error", "workday", "restricted", "daily", 0, 3),
    ("fx_rates", "ECB exchange rates", "source", "API", "active", "ecb", "public", "daily", 0, 4),
    ("ingest_erp", "ERP extract", "process", "ETL", "active", "airflow", "restricted", "hourly", 1, 0),
    ("ingest_crm", "CRM change stream", "process", "ETL", "processing", "airflow", "confidential", "every 15 minutes", 1, 2),
    ("ingest_hr", "Worker file import", "process", "ETL", "error", "airflow", "restricted", "daily", 1, 3),
    ("staging", "Staging schema", "storage", "Snowflake", "active", "snowflake", "restricted", "hourly", 2, 2),
    ("dbt_finance", "Finance models", "process", "dbt", "active", "dbt", "confidential", "hourly", 3, 1),
    ("dbt_sales", "Sales models", "process", "dbt", "active", "dbt", "confidential", "hourly", 3, 3),
    ("warehouse_finance", "Finance mart", "storage", "Snowflake", "active", "snowflake", "confidential", "hourly", 4, 1),
    ("warehouse_sales", "Sales mart", "storage", "Snowflake", "active", "snowflake", "confidential", "hourly", 4, 3),
    ("forecast_job", "Forecast run", "process", "ML", "active", "aether", "confidential", "daily", 5, 2),
    ("dashboard_cfo", "CFO dashboard", "output", "Dashboard", "active", "aether", "confidential", "every 5 minutes", 6, 1),
    ("dashboard_sales", "Pipeline dashboard", "output", "Dashboard", "active", "aether", "internal", "every 5 minutes", 6, 3),
    ("board_pack", "Board pack (retired)", "output", "Report", "inactive", "tableau", "internal", "quarterly", 6, 4),
];

/// Source, target, transformation, volume, latency.
type Edge = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const EDGES: [Edge; 19] = [
    ("sap_gl", "ingest_erp", "extract", "240K records/day", "< 1 hour"),
    ("sap_ap", "ingest_erp", "extract", "31K records/day", "< 1 hour"),
    ("salesforce_opportunities", "ingest_crm", "extract", "9K records/day", "< 15 minutes"),
    ("workday_people", "ingest_hr", "extract", "2K records/day", "< 1 day"),
    ("fx_rates", "staging", "load", "170 records/day", "< 1 day"),
    ("ingest_erp", "staging", "load", "271K records/day", "< 10 minutes"),
    ("ingest_crm", "staging", "load", "9K records/day", "< 5 minutes"),
    ("ingest_hr", "staging", "load", "2K records/day", "< 10 minutes"),
    ("staging", "dbt_finance", "transform", "282K records/day", "< 20 minutes"),
    ("staging", "dbt_sales", "transform", "12K records/day", "< 20 minutes"),
    ("dbt_finance", "warehouse_finance", "aggregate", "48K records/day", "< 5 minutes"),
    ("dbt_sales", "warehouse_sales", "aggregate", "4K records/day", "< 5 minutes"),
    ("warehouse_finance", "forecast_job", "extract", "5K records/day", "< 1 minute"),
    ("warehouse_sales", "forecast_job", "extract", "1K records/day", "< 1 minute"),
    ("forecast_job", "dashboard_cfo", "aggregate", "1K records/day", "< 1 minute"),
    ("warehouse_finance", "dashboard_cfo", "aggregate", "48K records/day", "< 1 minute"),
    ("warehouse_sales", "dashboard_sales", "aggregate", "4K records/day", "< 1 minute"),
    ("forecast_job", "dashboard_sales", "aggregate", "1K records/day", "< 1 minute"),
    ("warehouse_finance", "board_pack", "aggregate", "300 records/quarter", "< 1 day"),
];

/// Fills `data_lineage_nodes` and `data_lineage_edges`.
pub(crate) fn lineage(tenant: &Tenant) -> Vec<Rows> {
    let mut nodes = Rows::new(
        "data_lineage_nodes",
        &[
            "id",
            "organization_id",
            "node_key",
            "label",
            "type",
            "subtype",
            "status",
            "last_sync",
            "description",
            "system_name",
            "owner",
            "refresh_frequency",
            "data_classification",
            "position_x",
            "position_y",
            "created_at",
            "updated_at",
        ],
    );
    let mut edges = Rows::new(
        "data_lineage_edges",
        &[
            "id",
            "organization_id",
            "source_node_id",
            "target_node_id",
            "transformation_type",
            "description",
            "data_volume",
            "latency",
            "created_at",
            "updated_at",
        ],
    );
    let (mut random, mut ids) = (tenant.random("lineage"), tenant.ids("lineage"));
    let made = tenant.ago(24.0 * 640.0);
    let mut keys: Vec<(&str, Uuid)> = Vec::new();
    for (key, label, kind, subtype, status, system, classification, often, column, line) in NODES {
        let id = ids.at(made);
        let synced = match status {
            "inactive" => tenant.ago(24.0 * 240.0),
            "error" => tenant.ago(24.0 * 3.2),
            _ => tenant.ago(random.between(0.1, 20.0)),
        };
        nodes.push(row![
            id,
            tenant.id(),
            key,
            label,
            kind,
            subtype,
            status,
            synced,
            format!("{label}: {subtype} in {system}, refreshed {often}."),
            system,
            if matches!(kind, "output") { "Finance" } else { "Data and AI" },
            often,
            classification,
            80 + column * 220,
            60 + line * 130,
            made,
            synced,
        ]);
        keys.push((key, id));
    }
    let find = |name: &str| keys.iter().find(|(key, _)| *key == name).map(|(_, id)| *id);
    for (source, target, kind, volume, latency) in EDGES {
        edges.push(row![
            ids.at(made),
            tenant.id(),
            find(source),
            find(target),
            kind,
            format!("{source} to {target}, {kind}"),
            volume,
            latency,
            made,
            made,
        ]);
    }
    vec![nodes, edges]
}
