//! The tamper-evident audit trail: append-only Merkle logs (RFC 6962) over the rows of both audit tables, one for each
//! organization and each workspace, so that the size of one tells nothing of another's.
//!
//! - [`tree`]: hashes, proofs and their verification
//! - [`head`]: signed tree heads
//! - `entry`: what of a row is hashed, and in which tree
//! - `append`: pending rows become leaves, in the background
//! - [`proof`]: what an auditor asks for
//! - [`verify`]: all logs, recomputed
//! - `review`, `export`: what people do with the rows
//! - `sign_in`: rows of signing in and out, which no change writes
//!
//! The formats, and what they prove, are in `docs/audit-trail.md`.

mod append;
mod entry;
mod export;
pub mod head;
mod node;
pub mod proof;
mod review;
pub(crate) mod sign_in;
pub mod tree;
pub mod verify;

use self::tree::Hash;
use crate::{
    error::{Error, Result},
    rows::Row,
};

pub use self::{
    head::{Keys, TreeHead},
    tree::Subtree,
};

/// A hash as the database has it.
fn hash(row: Row<'_>, column: &str) -> Result<Hash> {
    let bytes: Vec<u8> = row.get(column)?;
    bytes.try_into().map_err(|_| Error::internal("a hash of the audit log that is not of 32 bytes"))
}

/// A count or a place as the database has it.
fn number(row: Row<'_>, column: &str) -> Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| Error::internal("a negative place in the audit log"))
}

/// A count or a place as the database takes it.
fn bigint(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| Error::internal("an audit log too large to count"))
}
