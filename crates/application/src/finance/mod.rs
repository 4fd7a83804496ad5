//! The finance domain: what is measured, planned and spent, and what stands out of it.

pub mod anomalies;
pub mod budget_approval;
pub mod budget_lines;
mod budget_status;
pub mod budgets;
pub mod costs;
mod department_names;
pub mod departments;
pub mod kpis;
pub mod metric_imports;
mod metric_log;
pub mod metric_series;
pub mod metrics;
mod month;
pub(crate) mod spelling;
pub mod spend_growth;
pub mod vendor_spend;
pub mod vendors;
