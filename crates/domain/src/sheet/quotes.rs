//! Quotation marks where RFC 4180 has none: the reader makes a value of them, and it would be another than was meant.

use std::collections::HashMap;

/// Where a cell stands.
#[derive(Clone, Copy, PartialEq)]
enum At {
    /// Nothing of it but spaces was read.
    Start,
    /// In a cell without quotation marks.
    Plain,
    /// Between quotation marks.
    Quoted,
    /// Behind a quotation mark that ends the cell, unless another follows.
    Closed,
}

/// The lines in which a cell is quoted otherwise than it may be: by the line in which the record begins, the place of the cell and
/// what is wrong. The first of each record is told.
pub(super) fn misquoted(text: &str) -> HashMap<u64, (usize, String)> {
    let mut found = HashMap::new();
    let mut note = |record: u64, cell: usize, told: &str| {
        found.entry(record).or_insert_with(|| (cell, told.to_owned()));
    };
    let (mut at, mut line, mut record, mut cell) = (At::Start, 1, 1, 0);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let ends = byte == b'\n' || byte == b'\r' && bytes.peek() != Some(&b'\n');
        line += u64::from(ends);
        match (at, byte) {
            (At::Quoted, b'"') => at = At::Closed,
            (At::Quoted, _) => {}
            (At::Closed, b'"') => at = At::Quoted,
            (_, b',') => (at, cell) = (At::Start, cell + 1),
            (_, b'\n' | b'\r') => (at, cell, record) = (At::Start, 0, line),
            (At::Start | At::Closed, b' ' | b'\t') => {}
            (At::Start, b'"') => at = At::Quoted,
            (At::Plain, b'"') => {
                note(
                    record,
                    cell,
                    "A quotation mark stands within this cell. Quote the cell as a whole and write the mark twice, as in \"12\"\" pipe\".",
                );
            }
            (At::Closed, _) => {
                note(
                    record,
                    cell,
                    "Something follows the quotation mark that ends this cell. Within quotes, a mark is written twice.",
                );
                at = At::Plain;
            }
            (At::Start | At::Plain, _) => at = At::Plain,
        }
    }
    if at == At::Quoted {
        note(record, cell, "The quotation mark that begins this cell is not closed. Is the file cut off?");
    }
    found
}
