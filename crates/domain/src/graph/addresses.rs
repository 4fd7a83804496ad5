//! Where references lead.

use std::collections::HashMap;

use crate::text::{ClauseReading, Reference, is_below};

/// The clauses by number and by title.
pub(super) struct Addresses<'a> {
    readings: &'a [&'a ClauseReading],
    numbers: HashMap<&'a str, usize>,
    headings: HashMap<String, usize>,
}

/// Where a reference leads.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Destination {
    /// The clauses it leads to, each with how much it says of their tie.
    pub(super) clauses: Vec<(usize, u8)>,
    /// The numbers and titles that are not there, each with a clause that may have been meant.
    pub(super) missing: Vec<(String, Option<usize>)>,
}

/// A reference is a firm tie, one to a whole chapter a weak tie to each of its clauses.
const DIRECT: u8 = 2;
const CHAPTER: u8 = 1;

impl<'a> Addresses<'a> {
    pub(super) fn new(readings: &'a [&'a ClauseReading]) -> Self {
        let mut addresses = Self { readings, numbers: HashMap::new(), headings: HashMap::new() };
        for (at, reading) in readings.iter().enumerate() {
            if let Some(number) = &reading.number {
                addresses.numbers.entry(number).or_insert(at);
            }
            if !reading.heading.is_empty() {
                addresses.headings.entry(reading.heading.to_lowercase()).or_insert(at);
            }
        }
        addresses
    }

    /// Follows a reference.
    pub(super) fn follow(&self, reference: &Reference) -> Destination {
        let mut destination = Destination::default();
        let titled = reference.title.as_ref().and_then(|title| self.headings.get(&title.to_lowercase())).copied();
        match (&reference.number, &reference.through) {
            (None, _) => match (titled, &reference.title) {
                (Some(clause), _) => destination.clauses.push((clause, DIRECT)),
                (None, Some(title)) => destination.missing.push((format!("the clause headed \"{title}\""), None)),
                (None, None) => {}
            },
            (Some(first), through) => {
                for number in std::iter::once(first).chain(through) {
                    let found = self.numbered(number);
                    // Clauses without numbers of their own are found by their titles.
                    let unnumbered = titled.filter(|&clause| self.readings[clause].number.is_none());
                    if let Some(clause) = unnumbered.filter(|_| found.is_empty()) {
                        destination.clauses.push((clause, DIRECT));
                    } else if found.is_empty() {
                        destination.missing.push((spelled(&reference.keyword, number), titled));
                        destination.clauses.extend(titled.map(|clause| (clause, DIRECT)));
                    }
                    destination.clauses.extend(found);
                }
                if let Some(last) = through {
                    let between = |number: &str| is_between(number, first, last);
                    let inside = self.numbers.iter().filter(|(number, _)| between(number));
                    destination.clauses.extend(inside.map(|(_, clause)| (*clause, DIRECT)));
                }
            }
        }
        // Where no clause has a number, nothing can be said of numbers.
        if !reference.is_certain || (reference.number.is_some() && self.numbers.is_empty()) {
            destination.missing.clear();
        }
        destination.clauses.sort_unstable();
        destination.clauses.dedup_by_key(|(clause, _)| *clause);
        destination
    }

    /// The clause of this number, or the one in which it is a paragraph, or all that are below it.
    fn numbered(&self, number: &str) -> Vec<(usize, u8)> {
        if let Some(&clause) = self.numbers.get(number) {
            return vec![(clause, DIRECT)];
        }
        let numbered = |reading: &ClauseReading| reading.number.as_ref().is_none_or(|above| is_below(number, above));
        let holds = |reading: &&'a ClauseReading| numbered(reading) && reading.paragraphs.iter().any(|it| it == number);
        if let Some(clause) = self.readings.iter().position(holds) {
            return vec![(clause, DIRECT)];
        }
        let below = self.numbers.iter().filter(|(other, _)| is_below(other, number));
        below.map(|(_, clause)| (*clause, CHAPTER)).collect()
    }
}

fn spelled(keyword: &str, number: &str) -> String {
    if number.starts_with(keyword) { number.to_owned() } else { format!("{keyword} {number}") }
}

/// Whether a number lies strictly between two others of its own level.
fn is_between(number: &str, first: &str, last: &str) -> bool {
    let split = |number: &str| -> Option<(String, u32)> {
        let (above, own) = number.rsplit_once('.').unwrap_or(("", number));
        Some((above.to_owned(), own.parse().ok()?))
    };
    let (Some(number), Some(first), Some(last)) = (split(number), split(first), split(last)) else { return false };
    number.0 == first.0 && number.0 == last.0 && first.1 < number.1 && number.1 < last.1
}
