//! Where a subscriber is in the stream of events: opaque to clients, the same on every gateway of a database.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::error::{Error, Result};

/// A place in the stream of events: behind the event of this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The stream, shortened: what tells a cursor of another database.
    stream: u32,
    pub(super) sequence: i64,
}

impl Cursor {
    pub(super) fn new(stream: Uuid, sequence: i64) -> Self {
        Self { stream: short(stream), sequence }
    }

    /// The cursor as clients have it.
    pub fn encode(self) -> String {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.stream.to_be_bytes());
        bytes[4..].copy_from_slice(&self.sequence.to_be_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor that a client sent as this argument.
    pub fn decode(text: &str, argument: &str) -> Result<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| <[u8; 12]>::try_from(bytes).ok());
        let [a, b, c, d, sequence @ ..] = bytes.ok_or_else(|| {
            Error::invalid(argument, "This is no cursor of an event. Pass one exactly as an earlier event had it.")
        })?;
        Ok(Self { stream: u32::from_be_bytes([a, b, c, d]), sequence: i64::from_be_bytes(sequence) })
    }

    pub(super) fn is_of(self, stream: Uuid) -> bool {
        self.stream == short(stream)
    }
}

fn short(stream: Uuid) -> u32 {
    let [a, b, c, d, ..] = stream.into_bytes();
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is() {
        let stream = Uuid::now_v7();
        for sequence in [0, 1, i64::MAX] {
            let cursor = Cursor::new(stream, sequence);
            assert_eq!(Cursor::decode(&cursor.encode(), "after"), Ok(cursor));
            assert!(cursor.is_of(stream));
            assert!(!cursor.is_of(Uuid::nil()));
        }
        for wrong in ["", "x", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAA", "ü"] {
            assert!(Cursor::decode(wrong, "after").is_err(), "{wrong}");
        }
    }
}
