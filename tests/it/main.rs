//! One binary, one private PostgreSQL cluster, one database per test.

mod columns;
mod coverage;
mod model;
mod filters;
mod paging;
mod reading;
mod search;
mod statements;
mod scope;
mod sign_in;
mod support;
