//! JSON documents of a known shape under edit: what is left out stays, null removes.

use aether_store::{Error, Result};
use serde_json::{Map, Value};

use crate::patch::Patch;

/// The document as an object.
pub(super) fn object(document: &Value) -> Map<String, Value> {
    document.as_object().cloned().unwrap_or_default()
}

/// Edits one key.
pub(super) fn put(document: &mut Map<String, Value>, key: &str, value: Patch<impl Into<Value>>) {
    match value {
        Patch::Absent => {}
        Patch::Null => {
            document.remove(key);
        }
        Patch::Value(value) => {
            document.insert(key.to_owned(), value.into());
        }
    }
}

/// Edits the object at a key; null removes it whole.
pub(super) fn put_within<T>(
    document: &mut Map<String, Value>,
    key: &str,
    value: Patch<T>,
    edit: impl FnOnce(&mut Map<String, Value>, T) -> Result<()>,
) -> Result<()> {
    let value = match value {
        Patch::Absent => return Ok(()),
        Patch::Null => Patch::Null,
        Patch::Value(value) => {
            let mut inner = document.get(key).map(object).unwrap_or_default();
            edit(&mut inner, value)?;
            Patch::Value(Value::Object(inner))
        }
    };
    put(document, key, value);
    Ok(())
}

/// The address of a picture: `https`, so that showing it neither runs anything nor tells the network what is shown.
pub(super) fn picture(field: &str, value: Patch<String>) -> Result<Patch<String>> {
    let value = crate::check::patch_text(field, value, 500)?;
    if let Patch::Value(address) = &value {
        let host = address.strip_prefix("https://").and_then(|rest| rest.split(['/', '?', '#']).next());
        if host.is_none_or(str::is_empty) || address.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(Error::invalid(field, "This must be the address of a picture that begins with https://."));
        }
    }
    Ok(value)
}
