//! One binary, one private PostgreSQL cluster, one database per test.

#![expect(clippy::disallowed_methods, reason = "tests look at their databases as the owner, whom the store never is")]

mod assistant;
mod audit;
mod database;
mod docs_pages;
mod finance;
mod governance;
mod integrations;
mod layers;
mod live;
mod loan;
mod mutations;
mod operation;
mod people;
mod query;
mod sales;
mod scenarios;
mod support;
mod use_cases;
