//! Defined terms: what stands in quotes, and whether it is defined there.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// A term that a clause defines, or seems to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Definition {
    /// The term as it is spelled there.
    pub term: String,
    /// How it is defined.
    pub form: Form,
}

/// How a term is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Form {
    /// Quoted in running text. It counts as a definition only where there is no other: `shall become a "Lender"`.
    Mentioned,
    /// `"Margin" has the meaning given to it in Clause 7.1`: a sign that points to the definition.
    Points,
    /// `Northgate Bank plc (the "Agent")`.
    Bracketed,
    /// `"Margin" means …`.
    Means,
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a tested pattern")
}

/// In double quotes, or in single ones with `means` after them, as the apostrophe is a single quote as well. A quote opens
/// before a word and closes behind one, so that a stray one does not turn all others round.
static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:^|[\s(\[,/–—])"([^"\s](?:[^"\n]{0,118}[^"\s])?)"|(?:^|[\s(])'([A-Z][^'\n]{0,100})'(?:\s+(?:means|mean|shall|has|have)\b)"#,
    )
});

/// Further terms of `"A", "B" and "C" have the meanings …`.
static FURTHER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"^(?:\s*,)?\s*(?:(?:and|or)\s+)?(?:the\s+|each\s+)?"[^"\n]{1,120}""#));

static POINTS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s*,?\s*(?:shall\s+|will\s+)?(?:each\s+)?(?:ha(?:s|ve)\s+(?:the\s+)?(?:same\s+|respective\s+)?meanings?|bears?\s+the\s+meaning|(?:is|are)\s+defined\b|(?:is|are)\s+as\s+defined)",
    )
});

static MEANS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:\s*\([^()]{1,80}\))?\s*(?:,[^,.;]{1,80},)?,?\s*(?:(?:shall|will)\s+)?(?:(?:each|together|collectively)\s+)?(?:means?\b|denotes\b|is\s+the\b|are\s+the\b|signif(?:y|ies)\b)",
    )
});

/// `"Margin": 3.25 per cent.`, at the start of a paragraph.
static COLON: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*[:–—=]\s*\S"));

/// What stands before a quote that is no term: `marked "Confidential"`.
static LABEL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:headed|entitled|titled|captions?|marked|labell?ed|stamped|words?|expressions?|phrases?)\s+(?:the\s+)?$",
    )
});

/// What stands before a quote that only speaks of a term.
static SPOKEN_OF: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:terms?|definitions?\s+of|references?\s+to|meanings?\s+of|clause|section)\s+(?:the\s+|an?\s+|any\s+|each\s+)?$",
    )
});

/// From an open parenthesis to here: `(each a "Guarantor" and, together with the Borrowers, the `.
static IN_BRACKETS: LazyLock<Regex> = LazyLock::new(|| pattern(r#"\((?:[^()"]|"[^"]*"){0,160}$"#));

/// As much of the text around a quote as is looked at, in bytes, and as many terms of a list: a long clause takes no longer
/// by the word than a short one.
const NEAR: usize = 240;
const LISTED: usize = 24;

/// Finds the defined terms of a paragraph, with the place of each, quotes included.
/// Of a label there is the place only.
pub(super) fn find(text: &str) -> Vec<(Range<usize>, Option<Definition>)> {
    let mut found = Vec::new();
    for quoted in QUOTED.captures_iter(text) {
        let Some(inside) = quoted.get(1).or(quoted.get(2)) else { continue };
        let term = inside.as_str().trim().trim_end_matches([',', '.', ';', ':']);
        let term = term.strip_prefix("the ").unwrap_or(term).trim();
        let range = inside.start() - 1..inside.end() + 1;
        let before = &text[text.floor_char_boundary(range.start.saturating_sub(NEAR))..range.start];
        let after = &text[range.end..];
        let opens = range.start < 8 && starts_paragraph(before);
        if LABEL.is_match(before) {
            found.push((range, None));
            continue;
        }
        if !is_term(term) || SPOKEN_OF.is_match(before) {
            continue;
        }
        let term = term.split_whitespace().collect::<Vec<_>>().join(" ");
        let form = form(before, after, opens);
        found.push((range, Some(Definition { term, form })));
    }
    found
}

/// Whether this could be a term: a few words, the first of them with a capital or a number.
fn is_term(text: &str) -> bool {
    text.starts_with(|start: char| start.is_uppercase() || start.is_ascii_digit())
        && text.chars().any(char::is_uppercase)
        && text.split_whitespace().count() <= 10
        && !text.contains(['.', ';', ':'])
}

fn form(before: &str, after: &str, opens: bool) -> Form {
    let mut tail = after;
    for _ in 0..LISTED {
        let Some(further) = FURTHER.find(tail) else { break };
        tail = &tail[further.end()..];
    }
    if POINTS.is_match(tail) {
        Form::Points
    } else if MEANS.is_match(tail) || (opens && COLON.is_match(after)) {
        Form::Means
    } else if IN_BRACKETS.is_match(before) && closes(after) {
        Form::Bracketed
    } else {
        Form::Mentioned
    }
}

/// Whether nothing but the letter of an item stands before.
fn starts_paragraph(before: &str) -> bool {
    !before.contains(char::is_alphabetic) || before.trim_start().starts_with('(') && before.trim().len() <= 5
}

/// Whether the parenthesis closes, with nothing but further terms and a few words before that.
fn closes(after: &str) -> bool {
    let near = &after[..after.floor_char_boundary(NEAR)];
    near.find(')').is_some_and(|end| !near[..end].contains('('))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Form)> {
        find(text).into_iter().filter_map(|(_, it)| it.map(|it| (it.term, it.form))).collect()
    }

    #[test]
    fn the_form_follows_from_the_words_around() {
        let one = |text: &str| read(text).into_iter().map(|(_, form)| form).collect::<Vec<_>>();
        assert_eq!(one(r#""Loan" means a loan."#), [Form::Means]);
        assert_eq!(one(r#""Margin", in relation to a Loan, means 2%."#), [Form::Means]);
        assert_eq!(one(r#""Loan" and "Advance" each mean a loan."#), [Form::Means, Form::Means]);
        assert_eq!(one(r#""Loan" has the meaning given to it in Clause 2."#), [Form::Points]);
        assert_eq!(one(r#"X plc (the "Agent")"#), [Form::Bracketed]);
        assert_eq!(one(r#"(each a "Guarantor" and, with others, the "Obligors")"#), [Form::Bracketed, Form::Bracketed]);
        assert_eq!(one(r#"and so becomes a "Lender"."#), [Form::Mentioned]);
        assert_eq!(one("'Loan' means the Lender's loan."), [Form::Means]);
        assert_eq!(one(r#"a stray " and "Loan" means a loan."#), [Form::Means]);
    }

    #[test]
    fn what_is_only_spoken_of_is_not_defined() {
        for text in [
            r#"each reference to "Loan" is"#,
            r#"marked "Confidential""#,
            r#"the words "other than" and"#,
            r#"the definition of "Loan""#,
            r#"he said "No. Never; not.""#,
        ] {
            assert_eq!(read(text), []);
        }
    }
}
