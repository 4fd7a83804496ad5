//! What people do with the gateway: a use case for each action, by domain.
//!
//! A use case is a function that takes what a person gives and answers with a [`UseCase`](aether_store::write::UseCase): the
//! checks of what was given and of the state, the rows that are written, and what follows from them. It knows neither GraphQL
//! nor HTTP, so that background jobs and tests carry it out, too; and it writes through the
//! [`Change`](aether_store::write::Change) that it is lent, which checks permissions, scopes rows, and audits.
//!
//! Errors name a field by its path in the mutation's arguments (`input.title`), for that is what people are told.

#![allow(
    missing_docs,
    reason = "what people may give is described where they read it: at the arguments in the GraphQL crate"
)]

pub mod assistant;
pub mod audit;
pub mod check;
pub mod exports;
pub mod finance;
pub mod governance;
pub mod imported;
pub mod integrations;
pub mod loan;
pub mod patch;
pub mod people;
pub mod reason;
pub mod sales;
pub mod scenarios;
mod spreadsheet;
