//! How a query is answered: the model of what there is and who sees it, a plan of what is asked for, one statement for each node of the
//! plan, and the answer's JSON.
//!
//! To be read in this order:
//!
//! 1. [`model`]: the graph, declared once as data
//! 2. [`policy`] and [`actor`]: who asks, and what that one may
//! 3. [`scope`]: what that means for a row, as SQL
//! 4. [`read`]: a plan in, the answer's JSON out; [`sql`] is a statement that is being written, [`rows`] what it was answered with
//! 5. [`finance`]: questions that one statement of its own answers
//! 6. [`database`]: the connections on which statements run, and whose turn it is
//!
//! Whoever has [`sql::Sql`] and a connection can read past the scope. So the store is the only crate that may depend on this one, and
//! shows others no more of it than plans, the model and what was read.

pub mod actor;
pub mod actors;
pub mod database;
pub mod error;
pub mod finance;
pub mod model;
pub mod policy;
pub mod read;
pub mod rows;
pub mod scope;
mod source;
pub mod sql;
pub mod value;

pub use self::{
    error::{Error, Result},
    source::Source,
};
