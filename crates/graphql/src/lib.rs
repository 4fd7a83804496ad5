//! The GraphQL schema of the gateway.
//!
//! Types, filters, orders and connections are read off the store's model (`types`); a selection becomes one plan for the
//! store (`plan`); hand-written resolvers, by domain, have their arguments and the docs of both, and leave what is done to the
//! application; errors get their codes in [`error`].

// Merged objects nest: the future of a mutation is as deep as there are groups of mutations, several levels for each.
#![recursion_limit = "512"]

mod asker;
mod assistant;
mod audit;
mod audit_log;
mod auth;
mod compiled;
mod decimals;
pub mod error;
mod execute;
mod exports;
mod figures;
mod filter;
mod finance;
mod governance;
mod groups;
mod input;
mod integrations;
mod kept;
mod limits;
mod live;
mod loan;
mod meta;
mod node;
mod page;
mod people;
mod plan;
mod rate;
mod request;
mod resolvers;
mod root;
mod root_fields;
mod rows;
mod run;
mod sales;
mod scalar;
mod scenarios;
mod schema;
mod types;

pub use self::{
    asker::{Asker, Identity, Introspection},
    exports::download::File,
    limits::Limits,
    request::{Ready, Request, Response},
    schema::{Prepared, Schema},
};
pub use aether_operation::OperationType;
