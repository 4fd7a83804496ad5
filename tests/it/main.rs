//! One binary, one private PostgreSQL cluster, one database per test.

mod columns;
mod model;
mod reading;
mod support;
