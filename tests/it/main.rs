//! One binary, one private PostgreSQL cluster, one database per test.

mod audit_exports;
mod budgets;
mod columns;
mod compliance;
mod connectors;
mod coverage;
mod database;
mod deliveries;
mod door;
mod errors;
mod filters;
mod golden;
mod integrations;
mod lineage;
mod locks;
mod migrations;
mod model;
mod paging;
mod reading;
mod scope;
mod search;
mod sign_in;
mod statements;
mod support;
