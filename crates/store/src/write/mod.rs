//! The executor: the only way to change anything.
//!
//! A mutation asks the [`Executor`] for a [`Change`] under an [`Action`]; the executor opens the transaction, checks that the actor
//! may, hands out rows that are in the actor's scope and locked, and notes every row that is written, before and after. When
//! the mutation has run, the audit row and the events of all that was noted are written and the transaction commits. A
//! [`Change`] is no database connection: there is no other way to write with it, and outside this crate there is no other
//! way to begin a transaction, for that takes a [`Key`].
//!
//! Around the executor does not compile:
//!
//! ```compile_fail,E0277
//! # use sea_orm::{ActiveModelTrait, ActiveValue::Set};
//! async fn around(change: aether_store::write::Change, budget: aether_entity::budgets::ActiveModel) {
//!     let _ = budget.insert(&change).await;
//! }
//! ```
//!
//! ```compile_fail,E0277
//! # use sea_orm::{ActiveModelTrait, ActiveValue::Set};
//! async fn around(store: aether_store::Store, budget: aether_entity::budgets::ActiveModel) {
//!     let _ = budget.insert(store.database()).await;
//! }
//! ```
//!
//! A table that is not classified as one that people change (see `table`) is not written either:
//!
//! ```compile_fail,E0277
//! async fn around(change: aether_store::write::Change, row: aether_entity::audit_logs::ActiveModel) {
//!     let _ = change.insert(row).await;
//! }
//! ```
//!
//! Through it does:
//!
//! ```
//! async fn through(change: aether_store::write::Change, budget: aether_entity::budgets::ActiveModel) {
//!     let _ = change.insert(budget).await;
//! }
//! ```

pub mod action;
mod audit;
mod change;
mod client;
mod constraint;
pub mod delivery;
mod entries;
mod executor;
pub mod idempotency;
mod membership;
mod my_membership;
mod record;
mod shared_transaction;
mod table;
mod use_case;
mod workspace;

pub use self::{
    action::Action,
    audit::MOST_LISTED,
    change::Change,
    client::Client,
    executor::Executor,
    membership::Membership,
    record::{Done, Record, named},
    table::{Writable, WritableEdit, WritableRow},
    use_case::UseCase,
};

/// What it takes to begin a transaction that may write; only this crate has it.
pub(crate) struct Key(());

/// See [`Key`].
pub(crate) const KEY: Key = Key(());
