//! How a query is answered: what is seen of which rows, in which order, by how many statements.

pub mod columns;
pub mod coverage;
pub mod exports;
pub mod filters;
pub mod groups;
pub mod kept;
pub mod masks;
pub mod model;
pub mod paging;
pub mod reading;
pub mod recorded;
pub mod scope;
pub mod search;
pub mod statements;
