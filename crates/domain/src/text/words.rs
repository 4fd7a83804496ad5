//! Words: spelling, capitals, singular and plural.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// `**Margin** means`: bold instead of quotes, as in the drafting of some houses.
static BOLD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\*\*([^*\n"“”]{1,100})\*\*(\s+(?:means?|has|have|shall)\b)"#).expect("a tested pattern")
});

/// The text with one kind of quotes, apostrophes and spaces, and without Markdown's emphasis.
pub(super) fn plain(text: &str) -> String {
    BOLD.replace_all(text, "\"$1\"$2")
        .replace("\r\n", "\n")
        .replace("**", "")
        .replace("__", "")
        .chars()
        .map(|char| match char {
            '“' | '”' | '„' | '‟' | '«' | '»' => '"',
            '‘' | '’' => '\'',
            '\u{a0}' | '\u{202f}' | '\t' => ' ',
            other => other,
        })
        .collect()
}

/// Whether a word starts with a capital.
pub(crate) fn is_capitalized(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

/// Whether a word is in the possessive: `Agent's`, `Lenders'`.
pub(crate) fn is_possessive(word: &str) -> bool {
    word.ends_with("'s") || word.ends_with('\'')
}

/// What the singular, the plural and the possessive of a word have in common. It need not be a word: only that all of
/// them have the same matters. `Facilities`, `Facility's` and `Facility` are `Facility`.
pub(crate) fn lemma(word: &str) -> Cow<'_, str> {
    let word = word.strip_suffix("'s").or(word.strip_suffix('\'')).unwrap_or(word);
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return Cow::Owned(format!("{stem}y"));
    }
    if let Some(stem) = word.strip_suffix("es")
        && ["ss", "x", "ch", "sh", "zz"].iter().any(|end| stem.ends_with(end))
    {
        return Cow::Borrowed(stem);
    }
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !["s", "u", "i"].iter().any(|end| stem.ends_with(end)) => Cow::Borrowed(stem),
        _ => Cow::Borrowed(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn singular_plural_and_possessive_have_one_lemma() {
        for (one, many) in [
            ("Facility", "Facilities"),
            ("Lender", "Lenders'"),
            ("Business", "Businesses"),
            ("Loss", "Losses"),
            ("Tax", "Taxes"),
            ("Branch", "Branches"),
            ("Lease", "Leases"),
            ("Agent's", "Agents"),
            ("Day", "Days"),
        ] {
            assert_eq!(lemma(one), lemma(many));
        }
        for (one, other) in [("Loan", "Loaned"), ("Status", "Statu"), ("Basis", "Basi"), ("Default", "Defaulting")] {
            assert_ne!(lemma(one), lemma(other));
        }
    }

    #[test]
    fn spelling_is_made_one() {
        assert_eq!(plain("“**Loan**”\u{a0}the Lender’s\r\n"), "\"Loan\" the Lender's\n");
        assert_eq!(plain("**Loan** means **each** loan"), "\"Loan\" means each loan");
    }
}
