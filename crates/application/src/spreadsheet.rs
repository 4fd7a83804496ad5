//! Cells that a spreadsheet can open without harm.

use std::borrow::Cow;

/// A text as a cell of CSV. What a spreadsheet would run as a formula gets an apostrophe before it, as OWASP advises.
pub(crate) fn text_cell(text: &str) -> Cow<'_, str> {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}
