//! One binary, one private PostgreSQL cluster, one database per test.

mod audit_log;
mod columns;
mod coverage;
mod database;
mod errors;
mod filters;
mod migrations;
mod model;
mod paging;
mod reading;
mod scope;
mod search;
mod sign_in;
mod statements;
mod support;
