//! One binary, one private PostgreSQL cluster, one database per test.

mod audit_log;
mod budgets;
mod columns;
mod coverage;
mod database;
mod door;
mod errors;
mod filters;
mod locks;
mod migrations;
mod model;
mod paging;
mod people;
mod reading;
mod requests;
mod scope;
mod search;
mod sign_in;
mod statements;
mod support;
