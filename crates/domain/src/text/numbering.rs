//! The numbers of clauses.

use std::sync::LazyLock;

use regex::Regex;

/// A number as clauses have them: `7`, `7.1`, `26A.2`.
pub(super) const NUMBER: &str = r"\d{1,3}[A-Z]?(?:\.\d{1,3}[A-Z]?)*";

static TITLE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern =
        format!(r"^\s*(?:(?i:clause|section|article|(schedule))\s+)?({NUMBER})(?:[.:)]|\s*[-–—])?(?:\s+(.*))?$");
    Regex::new(&pattern).expect("a tested pattern")
});

/// Splits `7.1 Interest and Margin` or `Clause 11 Interest Rates` into the number and the heading.
pub(super) fn split(title: &str) -> (Option<String>, String) {
    let title = title.trim();
    let Some(found) = TITLE.captures(title) else { return (None, title.to_owned()) };
    let number = if found.get(1).is_some() { format!("Schedule {}", &found[2]) } else { found[2].to_owned() };
    (Some(number), found.get(3).map_or("", |heading| heading.as_str()).trim().to_owned())
}

/// Whether the number is one below the other: `7.1` is below `7`, and `71` is not.
pub(crate) fn is_below(number: &str, above: &str) -> bool {
    number.strip_prefix(above).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_split_where_the_number_ends() {
        for (title, number, heading) in [
            ("7.1 Interest and Margin", Some("7.1"), "Interest and Margin"),
            ("Clause 11 Interest Rates", Some("11"), "Interest Rates"),
            ("Section 2.01. The Loans", Some("2.01"), "The Loans"),
            ("26A – Resignation", Some("26A"), "Resignation"),
            ("Schedule 2 Conditions Precedent", Some("Schedule 2"), "Conditions Precedent"),
            ("12", Some("12"), ""),
            ("Confidentiality", None, "Confidentiality"),
            ("3rd Party Rights", None, "3rd Party Rights"),
            ("Clause and Effect", None, "Clause and Effect"),
        ] {
            assert_eq!(split(title), (number.map(str::to_owned), heading.to_owned()));
        }
        assert!(is_below("7.1", "7") && !is_below("71", "7") && !is_below("7", "7"));
    }
}
