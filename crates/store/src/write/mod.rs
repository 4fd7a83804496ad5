//! The door: the only way to change anything.
//!
//! A mutation asks the [`Door`] for a [`Change`] under an [`Action`]; the door opens the transaction, checks that the actor
//! may, hands out rows that are in the actor's scope and locked, and notes every row that is written, before and after. When
//! the mutation has run, the audit row and the events of all that was noted are written and the transaction commits. A
//! [`Change`] is no database connection: there is no other way to write with it, and outside this folder there is no other
//! way to begin a transaction.

pub mod action;
mod audit;
mod change;
mod constraint;
pub mod delivery;
mod door;
mod house;
pub mod idempotency;
mod import;
mod record;
mod review;
mod rotate;
pub mod session;
mod sign_in_audit;
pub mod sync;
mod table;
mod together;
mod trails;
mod workspace;

pub use self::{
    action::Action,
    change::Change,
    door::Door,
    import::Upserted,
    table::{Writable, WritableEdit, WritableRow},
    workspace::Membership,
};
