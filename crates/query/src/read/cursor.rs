//! Keyset cursors: the place of a row in an order, by the values that order it.

use aether_entity::catalog::Kind;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::order::{SelectedColumn, Term};
use crate::{
    error::{Error, Result},
    value,
};

/// The values of a row that its order looks at, as canonical text; null is `None`.
pub type Position = Vec<Option<String>>;

/// A cursor as it travels: opaque to clients.
#[derive(Serialize, Deserialize)]
pub struct Cursor(u64, Position);

impl Cursor {
    /// The cursor of the row at this position of the page with this fingerprint.
    pub fn encode(fingerprint: u64, position: Position) -> String {
        let json = serde_json::to_vec(&Self(fingerprint, position)).unwrap_or_default();
        BASE64_URL_SAFE_NO_PAD.encode(json)
    }

    /// The position that a client's cursor names, refused when it belongs to another query or order. What is ordered by is of
    /// these kinds.
    pub fn decode(
        argument: &str,
        text: &str,
        kind: impl Fn(SelectedColumn) -> Kind,
        fingerprint: u64,
        order: &[Term],
    ) -> Result<Position> {
        let refuse = |message: &str| Error::invalid(argument, message);
        let cursor: Self = BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or_else(|| refuse("This is no cursor. Pass a cursor exactly as an earlier page returned it."))?;
        if cursor.0 != fingerprint {
            return Err(refuse(
                "This cursor belongs to another query or order. Cursors are good for the same field with the same \
                 filter, search and orderBy only; start again without one.",
            ));
        }
        // A position is taken as its canonical text: what only looks like a value must not reach a statement.
        let canonical = |(text, term): (Option<String>, &Term)| match (text, term.column) {
            (None, _) => term.nullable.then_some(None),
            (Some(text), column) => value::canonical(kind(column), &text).map(Some),
        };
        let position = (cursor.1.len() == order.len())
            .then(|| cursor.1.into_iter().zip(order).map(canonical).collect::<Option<Position>>())
            .flatten();
        position.ok_or_else(|| refuse("This cursor is damaged. Start again without one."))
    }
}
