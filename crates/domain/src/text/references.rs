//! References to clauses, by number and by title.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::numbering::NUMBER;

/// A reference to a clause, or to a range of clauses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reference {
    /// What it calls the clause: `Clause`, `Section`, `Article` or `Schedule`.
    pub keyword: String,
    /// The number it names: `7.1`, or `Schedule 2`.
    pub number: Option<String>,
    /// The last number of a range: `21.3` of `Clauses 21.1 to 21.3`.
    pub through: Option<String>,
    /// The title it names.
    pub title: Option<String>,
    /// Whether it can only mean this agreement. `section 859` may be a statute's, and a schedule may be kept elsewhere.
    pub is_certain: bool,
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a tested pattern")
}

static KEYWORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b((?i:clause|section|article|schedule)(?i:s)?)\s+"));

/// A number with its paragraphs and its title: `7.1(a)(ii) (Interest and Margin)`.
static ELEMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"^({NUMBER})((?:\s?\((?:[a-z]{{1,5}}|[A-Z]{{1,2}}|\d{{1,2}})\))*)(?:\s+\(([A-Z][^()"]{{1,120}})\))?"#
    ))
});

/// What leads from one number to the next: a list, or a range.
static SEPARATOR: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\s*(?:(to|through|[-–—])|,?\s*(?:and|or)|,)\s*(?:(?i:clauses?|sections?)\s+)?"));

/// A number that counts something: the `30` of `Clauses 4 and 30 days`.
static COUNTS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:\s*%|,\d{3}|:\d|\s*(?i:per cent|percent|bps|basis|days?|months?|years?|business|weeks?|times|x|million|billion)\b)",
    )
});

/// `of the Intercreditor Agreement`, `Companies Act 2006`: somebody else's clause.
static ELSEWHERE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s*,?\s*(?:\(?inclusive\)?\s*)?(?:(of|to)\s+(\w+)(?:\s+(\w+))?|(?:of\s+)?(?:the\s+)?(?:[A-Z]\w+\s+){1,5}(?:Act|Code|Law|Regulations?|Directive|Ordinance)\b)",
    )
});

/// `the clause headed "Fees"`, `the section entitled "Fees"`, `Clause (Fees)`.
static TITLED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"\b(?i:clause|section|covenant|provisions?)s?\s+(?:(?:headed|entitled|titled|called)\s+"([^"\n]{1,120})"|\(([A-Z][^()"]{2,120})\))"#,
    )
});

/// Finds the references of a paragraph. What refers elsewhere has its place, but is no reference of ours.
pub(super) fn find(text: &str) -> Vec<(Range<usize>, Vec<Reference>)> {
    let mut found: Vec<(Range<usize>, Vec<Reference>)> = Vec::new();
    for keyword in KEYWORD.captures_iter(text) {
        let (Some(whole), Some(word)) = (keyword.get(0), keyword.get(1)) else { continue };
        // `Clause 7.1 or Clause 7.2` has been read already.
        if found.last().is_some_and(|(before, _)| whole.start() < before.end) {
            continue;
        }
        if let Some((length, references)) = numbered(word.as_str(), &text[whole.end()..]) {
            found.push((whole.start()..whole.end() + length, references));
        }
    }
    for titled in TITLED.captures_iter(text) {
        let Some(title) = titled.get(1).or(titled.get(2)) else { continue };
        let range = titled.get(0).map_or(0..0, |whole| whole.range());
        let title = Some(title.as_str().trim().to_owned());
        let keyword = "Clause".to_owned();
        found.push((range, vec![Reference { keyword, number: None, through: None, title, is_certain: true }]));
    }
    found.sort_by_key(|(range, _)| range.start);
    found
}

/// Reads the numbers after a keyword; how far they go, and what they refer to.
fn numbered(keyword: &str, text: &str) -> Option<(usize, Vec<Reference>)> {
    let name = keyword.to_ascii_lowercase();
    let (is_plural, is_schedule) = (name.ends_with('s'), name.starts_with("schedule"));
    let is_certain = name.starts_with("clause") || keyword.starts_with("Section");
    let keyword = name[..1].to_uppercase() + name[1..].trim_end_matches('s');
    let spelled = |number: &str| if is_schedule { format!("Schedule {number}") } else { number.to_owned() };
    let (mut done, mut end, mut references) = (0, 0, Vec::<Reference>::new());
    let (mut range, mut ending) = (false, false);
    while let Some(element) = ELEMENT.captures(&text[end..]) {
        let length = element.get(0).map_or(0, |whole| whole.end());
        let bare = end + element.get(1).map_or(0, |number| number.end());
        // A letter after it makes it no number; after the first, it may be the start of something else.
        let goes_on = text[bare..].starts_with(|next: char| next.is_alphanumeric());
        // `Clause 7.1 or 7.2` is a list as well, `Clause 5 and 30` is none.
        let listed = is_plural || element[1].contains('.');
        if goes_on || (end > 0 && (!listed || COUNTS.is_match(&text[bare..]))) {
            break;
        }
        let number = spelled(&element[1]);
        match references.last_mut() {
            Some(first) if range => first.through = Some(number),
            _ => {
                let title = element.get(3).map(|title| title.as_str().trim().to_owned());
                let keyword = keyword.clone();
                references.push(Reference { keyword, number: Some(number), through: None, title, is_certain });
            }
        }
        let so_far = end + length;
        let Some(next) = SEPARATOR.captures(&text[so_far..]) else {
            return Some(finish(text, so_far, is_schedule, references));
        };
        let separator = next.get(0).map_or("", |whole| whole.as_str());
        range = next.get(1).is_some();
        // After `and` only a range may follow: `Clauses 4, 5 and 7 to 9`.
        if (ending && !range) || !text[so_far + separator.len()..].starts_with(|next: char| next.is_ascii_digit()) {
            return Some(finish(text, so_far, is_schedule, references));
        }
        ending |= !range && !separator.trim().starts_with(',') || separator.contains("and") || separator.contains("or");
        (done, end) = (so_far, so_far + separator.len());
    }
    // The last separator led to no number of ours.
    if references.is_empty() { None } else { Some(finish(text, done, is_schedule, references)) }
}

/// Drops the references if the text goes on with `of the Intercreditor Agreement`.
fn finish(text: &str, end: usize, is_schedule: bool, references: Vec<Reference>) -> (usize, Vec<Reference>) {
    let Some(found) = ELSEWHERE.captures(&text[end..]) else { return (end, references) };
    let ours = match (found.get(1).map(|word| word.as_str()), found.get(2).map(|word| word.as_str())) {
        (Some("of"), Some(of)) => {
            matches!(of, "this" | "these" | "which" | "whom")
                || (of == "the" && found.get(3).is_some_and(|word| word.as_str() == "Agreement"))
        }
        // A schedule is `to` an agreement, a clause is not.
        (Some(_), Some(to)) => !is_schedule || to == "this",
        _ => false,
    };
    (end, if ours { references } else { Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let spell = |it: Reference| {
            let mut out = it.number.unwrap_or_default();
            if let Some(through) = it.through {
                out += &format!("–{through}");
            }
            if let Some(title) = it.title {
                out += &format!(" ({title})");
            }
            out
        };
        find(text).into_iter().flat_map(|(_, references)| references).map(spell).collect()
    }

    #[test]
    fn numbers_lists_ranges_and_titles() {
        for (text, expected) in [
            ("under Clause 7.1 (Interest and Margin).", &["7.1 (Interest and Margin)"][..]),
            ("see clause 12.", &["12"]),
            ("Clauses 4 and 5 apply", &["4", "5"]),
            ("Clauses 21.1 to 21.3 (inclusive)", &["21.1–21.3"]),
            ("Clauses 4 (Purpose), 5.2 (Fees) and 7 to 9", &["4 (Purpose)", "5.2 (Fees)", "7–9"]),
            ("Section 2.01 and 30 days", &["2.01"]),
            ("Clause 7.1 or 7.2(a) and", &["7.1", "7.2"]),
            ("Clause 12.1 and 2.50:1.00, or 1.5x", &["12.1"]),
            ("Clause 12.1, 3.25% and 2.50 per cent", &["12.1"]),
            ("Clause 5 to 10 days", &["5"]),
            ("Clauses 4 and 30 days' notice", &["4"]),
            ("paragraph (b) of Clause 26A.2(a)(ii) or", &["26A.2"]),
            ("Schedule 2 (Conditions Precedent)", &["Schedule 2 (Conditions Precedent)"]),
            ("the clause headed \"Fees\" and", &[" (Fees)"]),
            ("Clause 5 of this Agreement", &["5"]),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn clauses_of_other_documents_are_not_ours() {
        for text in [
            "Clause 5 of the Intercreditor Agreement",
            "Clauses 4 and 5 (Fees) of the Fee Letter",
            "section 430 of the Companies Act 2006",
            "Section 2 Companies Act 2006",
            "Schedule 3 to the Fee Letter",
            "each Clause [●] and this Clause",
        ] {
            assert_eq!(read(text), [""; 0], "{text}");
        }
    }
}
