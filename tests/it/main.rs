//! One binary, one private PostgreSQL cluster, one database per test.

mod reading;
mod support;
