//! Budgets, metrics, departments, vendors, anomalies.

pub mod anomalies;
pub mod anomaly_model;
pub mod budget_model;
pub mod budgets;
pub mod departments;
pub mod kpis;
pub mod metrics;
pub mod vendor_growth;
pub mod vendors;
