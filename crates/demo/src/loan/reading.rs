//! What a plain reading of an agreement finds: defined terms, references between clauses, and flaws in both.

use std::collections::{BTreeMap, BTreeSet};

use super::agreement::Agreement;

/// The findings. Clauses are named by their position.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    /// How strongly, from 1 to 5, a clause leans on another: `(what it leans on, what leans) -> weight`.
    pub(super) dependencies: BTreeMap<(usize, usize), i32>,
    /// References to clauses that are not there: the clause they stand in, and the number they name.
    pub(super) missing: Vec<(usize, String)>,
    /// Terms used but defined nowhere: the clause they stand in, and the term.
    pub(super) undefined: Vec<(usize, String)>,
    /// Terms that are defined more than once.
    pub(super) repeated: Vec<(usize, String)>,
    /// Terms whose definition leads back to them.
    pub(super) circular: Vec<(usize, String)>,
}

impl Reading {
    /// The clauses with a flaw.
    pub(super) fn flawed(&self) -> BTreeSet<usize> {
        let all = [&self.missing, &self.undefined, &self.repeated, &self.circular];
        all.into_iter().flatten().map(|(clause, _)| *clause).collect()
    }
}

/// Two capitalized words in a row that are names of their own and want no definition.
const NAMES: [&str; 6] = [
    "United States",
    "United Kingdom",
    "European Union",
    "European Central Bank",
    "New York City",
    "Southern District",
];

/// Stands for something already understood. It is no capital, so that no phrase runs across it.
const UNDERSTOOD: &str = "·";

/// Reads an agreement.
pub(super) fn read(agreement: &Agreement) -> Reading {
    let mut reading = Reading::default();
    let numbers: BTreeMap<&str, usize> =
        agreement.clauses.iter().enumerate().map(|(at, clause)| (number(&clause.title), at)).collect();
    let mut terms: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, clause) in agreement.clauses.iter().enumerate() {
        for term in defined(&clause.body) {
            if terms.insert(term, at).is_some() {
                reading.repeated.push((at, term.to_owned()));
            }
        }
    }
    // Longest first, so that "Event of Default" is not taken for "Default".
    let mut ordered: Vec<&str> = terms.keys().copied().collect();
    ordered.sort_by_key(|term| (std::cmp::Reverse(term.len()), *term));

    for (at, clause) in agreement.clauses.iter().enumerate() {
        let (mut text, references) = without_references(&without_quotes(&clause.body));
        let mut lean = |on: usize, weight: i32| {
            if on != at {
                let strength = reading.dependencies.entry((on, at)).or_default();
                *strength = (*strength + weight).min(5);
            }
        };
        for number in references {
            match numbers.get(number.as_str()) {
                Some(&on) => lean(on, 2),
                None => reading.missing.push((at, number)),
            }
        }
        for term in &ordered {
            let (rest, uses) = without_term(&text, term);
            text = rest;
            // One mention is a weak tie; a term that carries the clause is a strong one.
            if uses > 0 {
                lean(terms[term], uses.min(3));
            }
        }
        reading.undefined.extend(phrases(&text).into_iter().map(|phrase| (at, phrase)));
    }
    // General clauses have no place in the graph, so nothing is said of names in them.
    reading.undefined.retain(|(at, _)| agreement.clauses[*at].kind != "general");
    reading.circular = circles(agreement, &terms, &ordered);
    reading
}

/// `7.1` of `7.1 Interest and Margin`, `11` of `Clause 11 Interest Rates`.
pub(super) fn number(title: &str) -> &str {
    let title = title.strip_prefix("Clause ").unwrap_or(title);
    title.split(' ').next().unwrap_or(title)
}

/// The quoted phrases that start with a capital: drafting puts a term in quotes only where it is defined.
pub(super) fn defined(body: &str) -> impl Iterator<Item = &str> {
    body.split('"').skip(1).step_by(2).filter(|quoted| quoted.starts_with(|c: char| c.is_ascii_uppercase()))
}

fn without_quotes(body: &str) -> String {
    let parts: Vec<&str> =
        body.split('"').enumerate().map(|(at, part)| if at % 2 == 1 { UNDERSTOOD } else { part }).collect();
    parts.concat()
}

/// Takes out `Clause 7.1 (Interest and Margin)`, and returns the numbers.
fn without_references(text: &str) -> (String, Vec<String>) {
    let (mut out, mut numbers, mut rest) = (String::new(), Vec::new(), text);
    while let Some(at) = rest.find("Clause ") {
        let (before, after) = rest.split_at(at);
        let after = &after["Clause ".len()..];
        let end = after.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(after.len());
        let number = after[..end].trim_end_matches('.');
        out.push_str(before);
        out.push_str(UNDERSTOOD);
        rest = &after[number.len()..];
        if !number.is_empty() {
            numbers.push(number.to_owned());
            if let Some(close) = rest.strip_prefix(" (").and_then(|title| title.find(')')) {
                rest = &rest[close + " ()".len()..];
            }
        }
    }
    (out + rest, numbers)
}

/// Takes out every use of a term, in the singular and the plural, and counts them.
fn without_term(text: &str, term: &str) -> (String, i32) {
    // What the spellings have in common: "Facilit" of "Facility", "Lender" of "Lenders".
    let consonant = |stem: &str| stem.ends_with(|c: char| !"aeiou".contains(c));
    let stem = match term.strip_suffix('y').filter(|stem| consonant(stem)) {
        Some(stem) => stem,
        None => term.strip_suffix("ies").or(term.strip_suffix('s')).unwrap_or(term),
    };
    let (mut out, mut rest, mut uses) = (String::new(), text, 0);
    while let Some(at) = rest.find(stem) {
        let (before, found) = rest.split_at(at);
        let after = &found[stem.len()..];
        let end = after.find(|c: char| !c.is_alphanumeric()).unwrap_or(after.len());
        let whole = !before.ends_with(char::is_alphanumeric) && ["", "s", "y", "ies"].contains(&&after[..end]);
        out.push_str(before);
        if whole {
            out.push_str(UNDERSTOOD);
            rest = &after[end..];
            uses += 1;
        } else {
            out.push_str(stem);
            rest = after;
        }
    }
    (out + rest, uses)
}

/// Runs of two or more capitalized words inside a sentence: terms, by the look of them.
fn phrases(text: &str) -> Vec<String> {
    let text = NAMES.iter().fold(text.to_owned(), |text, name| text.replace(name, UNDERSTOOD));
    let mut found = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    let mut end = |run: &mut Vec<&str>| {
        if run.len() > 1 {
            found.push(run.join(" "));
        }
        run.clear();
    };
    let mut fresh = true;
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim().trim_matches(|c: char| !c.is_alphanumeric());
        let capital =
            bare.starts_with(|c: char| c.is_ascii_uppercase()) && bare.chars().any(|c| c.is_ascii_lowercase());
        if capital && !fresh {
            run.push(bare);
        } else {
            end(&mut run);
        }
        // A capital after a full stop, a colon or a list letter is mere grammar.
        fresh = word.ends_with('\n') || word.trim().ends_with(['.', ':', ';', ')']);
        if fresh || word.trim().ends_with(',') {
            end(&mut run);
        }
    }
    end(&mut run);
    found
}

/// Terms whose definitions go round in a circle.
fn circles(agreement: &Agreement, terms: &BTreeMap<&str, usize>, ordered: &[&str]) -> Vec<(usize, String)> {
    let mut uses: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (term, at) in terms {
        let body = &agreement.clauses[*at].body;
        let Some((_, meaning)) = body.split_once(&format!("\"{term}\" means ")) else { continue };
        // Up to the next definition or the end of the paragraph.
        let end = meaning.find('\n').unwrap_or(meaning.len());
        let end = meaning[..end].find("\" means ").map_or(end, |next| meaning[..next].rfind('"').unwrap_or(next));
        let (mut text, _) = without_references(&without_quotes(&meaning[..end]));
        for other in ordered {
            let (rest, count) = without_term(&text, other);
            text = rest;
            if count > 0 && other != term {
                uses.entry(term).or_default().push(other);
            }
        }
    }
    let leads_back = |start: &str| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
        while let Some(term) = open.pop() {
            for &next in uses.get(term).into_iter().flatten() {
                if next == start {
                    return true;
                }
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        false
    };
    terms.iter().filter(|(term, _)| leads_back(term)).map(|(term, at)| (*at, (*term).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::agreement;
    use super::*;

    #[test]
    fn the_flaws_are_the_ones_that_were_put_there() {
        let found = agreement::all().map(|agreement| {
            let reading = read(&agreement);
            let name = |list: Vec<(usize, String)>| -> Vec<String> {
                list.into_iter().map(|(at, what)| format!("{}: {what}", agreement.clauses[at].title)).collect()
            };
            (name(reading.missing), name(reading.undefined), name(reading.repeated), name(reading.circular))
        });
        let list = |items: &[&str]| -> Vec<String> { items.iter().map(|&item| item.to_owned()).collect() };
        let expected = [
            (
                list(&["11.1 Reports and Accounts: 18.4"]),
                list(&["3.2 Conditions to Each Utilisation: Approved Offtaker"]),
                list(&[]),
                list(&[]),
            ),
            (
                list(&["Clause 26 Remedies and Application of Proceeds: 34"]),
                list(&["Clause 19 Limitation on Debt: Qualified Receivables Program"]),
                list(&[]),
                list(&[
                    "Clause 4 Basket Definitions: Permitted Acquisition",
                    "Clause 4 Basket Definitions: Permitted Debt",
                ]),
            ),
            (
                list(&["6.3 Loss of the Sustainability Link: 19.2"]),
                list(&["6.2 Sustainability Reporting: Verified Emissions Statement"]),
                list(&[]),
                list(&[]),
            ),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn plurals_and_possessives_are_uses_and_longer_words_are_not() {
        assert_eq!(without_term("a Facility, Facilities; the Facility's Facilitate", "Facility").1, 3);
        assert_eq!(without_term("the Lender's share, Lenders, a Lenderly", "Lender").1, 2);
        assert_eq!(without_term("five Business Days' notice", "Business Day").1, 1);
    }
}
