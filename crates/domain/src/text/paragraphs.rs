//! The paragraphs of a clause, with wrapped lines put together again.

use std::sync::LazyLock;

use regex::Regex;

use super::numbering::NUMBER;

/// Longer lines are no headings.
const HEADING: usize = 80;

/// A paragraph.
#[derive(Debug, PartialEq)]
pub(super) struct Paragraph {
    /// Its text, in one line.
    pub(super) text: String,
    /// The number it starts with, such as `19.2`.
    pub(super) number: Option<String>,
    /// Whether it goes on from the one before: `(b) in any other case …`.
    pub(super) continues: bool,
    /// Whether it is a line of title-case words above another paragraph. All its capitals are mere typography.
    pub(super) is_heading: bool,
}

/// `(a)`, `(iv)`, `a)`, `•`, or the start of a definition: a line that starts so is a paragraph of its own. A number is no
/// such sign after a line that does not end: `Sections 2.01 and` goes on with `2.02.`
static MARKER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^(?:\([A-Za-z0-9]{1,4}\)|[a-z0-9]{1,3}\)|[•\-–*]\s|"[^"]+"\s+(?:means?|ha(?:s|ve)|shall)\b)"#)
        .expect("a tested pattern")
});

static NUMBERED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(&format!(r#"^({NUMBER})\.?\s+["(A-Z]"#)).expect("a tested pattern"));

/// The paragraphs of a text.
pub(super) fn split(text: &str) -> Vec<Paragraph> {
    let mut lines: Vec<String> = Vec::new();
    let mut apart = true;
    for line in text.lines().map(str::trim) {
        match lines.last_mut().filter(|before| !apart && !line.is_empty() && is_wrapped(before, line)) {
            Some(before) => {
                before.push(' ');
                before.push_str(line);
            }
            None if !line.is_empty() => lines.push(line.to_owned()),
            None => {}
        }
        apart = line.is_empty();
    }
    let last = lines.len().saturating_sub(1);
    let paragraph = |(at, text): (usize, String)| Paragraph {
        number: NUMBERED.captures(&text).map(|found| found[1].to_owned()),
        continues: text.starts_with(|start: char| "(•-–*".contains(start) || start.is_lowercase()),
        is_heading: at < last && is_heading(&text),
        text,
    };
    lines.into_iter().enumerate().map(paragraph).collect()
}

/// Whether a line goes on in the next one.
fn is_wrapped(line: &str, next: &str) -> bool {
    let heading = is_heading(line) && line.len() < HEADING / 2 && next.starts_with(char::is_uppercase);
    !line.ends_with(['.', ';', ':']) && !MARKER.is_match(next) && !heading
}

/// `Financial Covenants`, `7.2 Voluntary cancellation`.
fn is_heading(line: &str) -> bool {
    line.len() < HEADING
        && !line.contains('"')
        && !line.ends_with(['.', ';', ':', ','])
        && (is_title_case(line) || (NUMBERED.is_match(line) && line.len() < HEADING / 2))
}

/// Whether all words that matter start with a capital.
fn is_title_case(line: &str) -> bool {
    let words = line.split_whitespace().filter(|word| word.chars().filter(|char| char.is_alphabetic()).count() > 3);
    let mut words = words.peekable();
    words.peek().is_some() && words.all(|word| word.starts_with(char::is_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_are_joined_and_items_are_not() {
        let text = "19.1 Financial Covenants\nThe Company shall ensure that the\nLeverage Ratio is low:\n(a) at first; and\n\
            (b) later\n    on.\n\n\"Loan\" means a loan.";
        let texts: Vec<(String, bool, bool)> =
            split(text).into_iter().map(|it| (it.text, it.continues, it.is_heading)).collect();
        let expected = [
            ("19.1 Financial Covenants", false, true),
            ("The Company shall ensure that the Leverage Ratio is low:", false, false),
            ("(a) at first; and", true, false),
            ("(b) later on.", true, false),
            ("\"Loan\" means a loan.", false, false),
        ];
        assert_eq!(texts, expected.map(|(text, continues, heading)| (text.to_owned(), continues, heading)));
        assert_eq!(split(text)[0].number.as_deref(), Some("19.1"));
    }
}
