//! Global ids: a type's name and a row's id, in one opaque string.

use aether_store::{
    Error, Result,
    model::{Model, Type},
};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use uuid::Uuid;

/// The type and the id that a global id names.
pub(crate) fn decode(node_id: &str) -> Result<(&'static Type, Uuid)> {
    let decoded = BASE64_STANDARD_NO_PAD.decode(node_id).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded
        .as_deref()
        .and_then(|text| text.split_once(':'))
        .and_then(|(name, id)| Some((Model::get().by_name(name)?, id.parse().ok()?)))
        .ok_or_else(|| Error::invalid("nodeId", "This is no nodeId. Pass one exactly as an earlier answer had it."))
}
