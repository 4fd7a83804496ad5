//! One binary, one private PostgreSQL cluster, one database per test.

mod columns;
mod coverage;
mod model;
mod paging;
mod reading;
mod scope;
mod support;
