//! One binary, one private PostgreSQL cluster, one database per test.

#![expect(clippy::disallowed_methods, reason = "tests look at their databases as the owner, whom the store never is")]

mod anomalies;
mod anomaly_model;
mod assistant;
mod audit_exports;
mod audit_log;
mod budget_model;
mod budgets;
mod columns;
mod compliance;
mod connectors;
mod coverage;
mod database;
mod deal_import;
mod deal_sequences;
mod deals;
mod deliveries;
mod departments;
mod docs_pages;
mod door;
mod drafting;
mod errors;
mod filters;
mod golden;
mod integrations;
mod lineage;
mod live;
mod locks;
mod masks;
mod metrics;
mod migrations;
mod model;
mod paging;
mod people;
mod pipeline;
mod reading;
mod requests;
mod scenarios;
mod scope;
mod search;
mod sign_in;
mod statements;
mod support;
mod terms;
mod vendors;
