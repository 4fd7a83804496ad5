//! The rules of the product, as pure functions: no database, no clock, no randomness. Whatever is decided here is decided
//! the same way by the gateway, by the demo data and by the tests.
//!
//! - [`term`] reads commercial values, and [`drift`] says how grave it is that one has left its baseline.
//! - [`text`] reads the clauses of an agreement, and [`graph`] links them into the dependency graph.
//! - [`governance`] and [`golden`] hold the rules of a workspace and of its golden record.
//! - [`entry`] says which characters and dates people may enter.
//! - [`metric`] reads the metrics of an import, and [`sheet`] the CSV that anything is imported from.
//! - [`forecast`] says what a series is likely to be next.
//! - [`connector`] says where what is published may be delivered, signed how, and tried when.
//! - [`network`] says to which addresses the gateway goes when users name where.
//! - [`web_address`] reads addresses of the web that users name.
//! - [`scenario`] holds the assumptions of a what-if scenario.
//! - [`source`] says from where an integration may read, how and when.
//! - [`spelling`] says which spellings are of one name.
//! - [`budget`], [`deal`] and [`anomaly`] say which change of state may follow which.

#[macro_use]
mod stored;

pub mod anomaly;
pub mod budget;
pub mod connector;
pub mod deal;
pub mod drift;
pub mod entry;
pub mod forecast;
pub mod golden;
pub mod governance;
pub mod graph;
pub mod metric;
pub mod network;
pub mod scenario;
pub mod sheet;
pub mod source;
pub mod spelling;
pub mod term;
pub mod text;
pub mod web_address;
