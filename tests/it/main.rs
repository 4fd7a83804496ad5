//! One binary, one private PostgreSQL cluster, one database per test.

mod anomalies;
mod anomaly_model;
mod budget_model;
mod budgets;
mod columns;
mod coverage;
mod database;
mod departments;
mod door;
mod errors;
mod filters;
mod finance_docs;
mod locks;
mod metrics;
mod migrations;
mod model;
mod paging;
mod reading;
mod scope;
mod search;
mod sign_in;
mod statements;
mod support;
mod vendors;
