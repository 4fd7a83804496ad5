//! One binary, one private PostgreSQL cluster, one database per test.

mod assistant;
mod budgets;
mod columns;
mod coverage;
mod database;
mod deal_import;
mod deal_sequences;
mod deals;
mod door;
mod errors;
mod filters;
mod locks;
mod migrations;
mod model;
mod paging;
mod pipeline;
mod reading;
mod scenarios;
mod scope;
mod search;
mod sign_in;
mod statements;
mod support;
