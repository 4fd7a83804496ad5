//! What people may enter, wherever they enter it: the characters of texts, the years of dates.
//!
//! A character that nobody sees makes two names look the same; one that turns the direction of writing makes a name read as
//! another (Unicode Technical Report 36, section 2). And a day in the year 20226 is a slip of the hand that no sum or chart recovers from.

use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate};
use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};

/// The years that business is done in.
pub const YEARS: RangeInclusive<i32> = 1900..=2200;

/// Whether a text is one line or many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// A name, a title, a label.
    One,
    /// A body, a description, a reason: it may have tabs, and lines that end as any system ends them.
    Many,
}

/// What is wrong with a text, and what to do; `None` if nothing is.
#[must_use]
pub fn text_problem(text: &str, lines: Lines) -> Option<String> {
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let ends_line = c == '\n' || c == '\r' && characters.peek() == Some(&'\n');
        if lines == Lines::Many && (c == '\t' || ends_line) {
            continue;
        }
        if c == '\t' || ends_line {
            return Some("This is one line: take the tabs and line breaks out.".into());
        }
        if c.is_control() {
            return Some(format!("This has a control character in it (U+{:04X}). Take it out.", u32::from(c)));
        }
        if turns_direction(c) {
            return Some(format!(
                "This has a character in it that turns the direction of writing (U+{:04X}). Take it out.",
                u32::from(c)
            ));
        }
        if lines == Lines::One && is_unseen(c) && !shapes_others(c) {
            return Some(format!("This has a character in it that nobody sees (U+{:04X}). Take it out.", u32::from(c)));
        }
    }
    None
}

/// Whether there is nothing to read in a text: white space, and characters that nobody sees.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_unseen(c))
}

/// Whether a character is shown as nothing by itself (Unicode's `Default_Ignorable_Code_Point`).
pub(crate) fn is_unseen(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// What joins letters or keeps them apart, chooses a form of them, or makes one emoji of several characters: it is unseen itself, but
/// those around it look otherwise.
fn shapes_others(c: char) -> bool {
    matches!(c, '\u{34f}' | '\u{200c}' | '\u{200d}' | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

/// The embeddings, overrides and isolates of the Unicode Bidirectional Algorithm (Unicode Standard Annex 9, section 2).
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What is wrong with a day, and what to do; `None` if nothing is.
#[must_use]
pub fn date_problem(date: NaiveDate) -> Option<String> {
    let (first, last) = (YEARS.start(), YEARS.end());
    (!YEARS.contains(&date.year())).then(|| format!("The year is outside of {first} to {last}. Is it mistyped?"))
}

/// Whether this is an e-mail address such as people sign in with; the database takes no other.
#[must_use]
pub fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, host)| {
        let among = |text: &str, marks: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
        };
        let top = host.rsplit_once('.').filter(|(rest, _)| !rest.is_empty()).map(|(_, top)| top);
        among(local, "._%+-")
            && among(host, ".-")
            && top.is_some_and(|top| top.len() >= 2 && top.chars().all(|c| c.is_ascii_alphabetic()))
    })
}

/// Whether this is the short name of an organization: lower-case letters and digits, with single hyphens between them.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    text.len() <= 100 && text.split('-').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_what_can_be_seen() {
        for text in ["", "Projekt Über, 4.50:1.00", "社債", "שלום", "e\u{301}", "👩‍💼", "a\u{a0}b"] {
            assert_eq!(text_problem(text, Lines::One), None, "{text:?}");
        }
        for text in ["a\tb\nc", "a\r\nb"] {
            assert_eq!(text_problem(text, Lines::Many), None, "{text:?}");
            assert!(text_problem(text, Lines::One).is_some_and(|problem| problem.contains("one line")), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_named() {
        let of = |range: RangeInclusive<char>| range.collect::<Vec<_>>();
        let all =
            [of('\0'..='\u{1f}'), of('\u{7f}'..='\u{9f}'), of('\u{202a}'..='\u{202e}'), of('\u{2066}'..='\u{2069}')];
        for c in all.into_iter().flatten() {
            for text in [format!("{c}"), format!("a{c}b"), format!("a{c}")] {
                assert!(text_problem(&text, Lines::One).is_some(), "{text:?}");
                assert_eq!(text_problem(&text, Lines::Many).is_none(), "\t\n".contains(c), "{text:?}");
            }
        }
        let problem = text_problem("pdf.\u{202e}exe", Lines::Many).expect("a problem");
        assert!(problem.contains("U+202E"), "{problem}");
    }

    #[test]
    fn names_have_no_characters_that_nobody_sees_and_a_text_of_them_says_nothing() {
        // From the lists of Unicode's DerivedCoreProperties.txt.
        for c in "\u{ad}\u{61c}\u{115f}\u{200b}\u{200e}\u{200f}\u{2060}\u{3164}\u{feff}\u{ffa0}\u{e0001}".chars() {
            assert!(
                text_problem(&format!("Qué{c}bec"), Lines::One).is_some_and(|problem| problem.contains("U+")),
                "{c:?}"
            );
            assert_eq!(text_problem(&format!("soft{c}hyphens of a pasted body"), Lines::Many), None, "{c:?}");
            assert!(is_blank(&format!(" {c}\n{c}")), "{c:?}");
        }
        for text in ["می\u{200c}خواهم", "👩\u{200d}💼", "❤\u{fe0f}"] {
            assert_eq!(text_problem(text, Lines::One), None, "{text:?}");
            assert!(!is_blank(text));
        }
        assert!(is_blank("\u{200d}") && is_blank("") && !is_blank(".") && !is_blank("\u{301}"));
    }

    #[test]
    fn dates_are_of_this_age() {
        let day = |year| NaiveDate::from_ymd_opt(year, 12, 31).expect("a day");
        assert_eq!([1900, 2026, 2200].map(|year| date_problem(day(year))), [None, None, None]);
        assert!([1899, 2201, 9999, 1, -1].into_iter().all(|year| date_problem(day(year)).is_some()));
    }

    #[test]
    fn addresses_and_slugs_are_as_the_database_has_them() {
        for email in ["a@b.co", "First.Last+tag@mail.example.com", "x_1%@a-b.org"] {
            assert!(is_email(email), "{email}");
        }
        for email in
            ["", "a", "@b.co", "a@", "a@b", "a@.co", "a@b.c", "a@b.c0", "a b@c.de", "a@b@c.de", "ü@b.co", "a@b.co\n"]
        {
            assert!(!is_email(email), "{email}");
        }
        let long = "a".repeat(100);
        for slug in ["acme", "acme-2", "4", &long] {
            assert!(is_slug(slug), "{slug}");
        }
        for slug in ["", "-", "Acme", "acme-", "-acme", "a--b", "a_b", "a.b", "a b", "ä", "a\n", &format!("{long}a")] {
            assert!(!is_slug(slug), "{slug}");
        }
    }
}
