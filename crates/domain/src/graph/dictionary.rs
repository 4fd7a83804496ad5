//! The terms of an agreement, and where they are used.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use crate::text::{ClauseReading, Form, is_capitalized, lemma};

/// A defined term.
pub(super) struct Term<'a> {
    /// As it is spelled where it is defined.
    pub(super) name: &'a str,
    /// The clause that defines it.
    pub(super) home: usize,
    /// Which of that clause's definitions it is.
    pub(super) definition: usize,
    /// Clauses that define it once more.
    pub(super) again: Vec<usize>,
    /// Clauses that mention it in quotes, which is a use.
    pub(super) mentions: Vec<usize>,
}

/// What a phrase stands for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    /// The term of this position.
    Term(usize),
    /// The title of this clause.
    Title(usize),
}

struct Candidate<'a> {
    words: Vec<&'a str>,
    meaning: Meaning,
}

/// All terms, and titles that are as good as terms: those of two capitalized words or more.
pub(super) struct Dictionary<'a> {
    pub(super) terms: Vec<Term<'a>>,
    /// By the lemma of the first word, the longest first.
    candidates: HashMap<String, Vec<Candidate<'a>>>,
}

impl<'a> Dictionary<'a> {
    pub(super) fn new(readings: &[&'a ClauseReading]) -> Self {
        let mut found: BTreeMap<&str, Vec<(Form, usize, usize)>> = BTreeMap::new();
        for (clause, reading) in readings.iter().enumerate() {
            for (at, definition) in reading.definitions.iter().enumerate() {
                found.entry(&definition.term).or_default().push((definition.form, clause, at));
            }
        }
        let terms: Vec<Term> = found.into_iter().map(|(name, places)| term(name, &places)).collect();
        let mut candidates: HashMap<String, Vec<Candidate>> = HashMap::new();
        let mut add = |name: &'a str, meaning| {
            let words: Vec<&str> = name.split(' ').collect();
            candidates.entry(lemma(words[0]).into_owned()).or_default().push(Candidate { words, meaning });
        };
        for (at, term) in terms.iter().enumerate() {
            add(term.name, Meaning::Term(at));
        }
        for (clause, reading) in readings.iter().enumerate() {
            // `The Term Loan` at the start of a sentence is rather the term than the title.
            let title = ["The ", "A ", "An "].iter().find_map(|article| reading.heading.strip_prefix(article));
            let title = title.unwrap_or(&reading.heading);
            if title.split(' ').filter(|word| is_capitalized(word)).count() > 1 {
                add(title, Meaning::Title(clause));
            }
        }
        for list in candidates.values_mut() {
            list.sort_by_key(|candidate| std::cmp::Reverse(candidate.words.len()));
        }
        Self { terms, candidates }
    }

    /// What the words of a phrase stand for, the longest first: `Event of Default` is no use of `Default`.
    pub(super) fn read(&self, words: &[&str]) -> Vec<(Range<usize>, Meaning)> {
        let (mut found, mut at) = (Vec::new(), 0);
        while at < words.len() {
            match self.find(&words[at..]) {
                Some(candidate) => {
                    found.push((at..at + candidate.words.len(), candidate.meaning));
                    at += candidate.words.len();
                }
                None => at += 1,
            }
        }
        found
    }

    fn find(&self, words: &[&str]) -> Option<&Candidate<'a>> {
        let list = self.candidates.get(lemma(words[0]).as_ref())?;
        let fits = |candidate: &&Candidate| {
            let part = words.get(..candidate.words.len()).unwrap_or_default();
            !part.is_empty()
                && match candidate.meaning {
                    Meaning::Term(_) => {
                        part.iter().zip(&candidate.words).all(|(one, other)| lemma(one) == lemma(other))
                    }
                    // Where the capitals go on, it is the name of something else.
                    Meaning::Title(_) => {
                        part == candidate.words.as_slice()
                            && !words.get(part.len()).is_some_and(|next| is_capitalized(next))
                    }
                }
        };
        let first = list.iter().find(fits)?;
        // Among spellings of one length the very same one, and rather a term than a title.
        let rivals = list.iter().filter(|other| other.words.len() == first.words.len()).filter(fits);
        rivals.min_by_key(|it| (matches!(it.meaning, Meaning::Title(_)), !words.starts_with(&it.words)))
    }
}

/// The strongest definition counts; others as strong as a definition must be are repetitions.
fn term<'a>(name: &'a str, places: &[(Form, usize, usize)]) -> Term<'a> {
    let strongest = places.iter().map(|(form, ..)| *form).max().unwrap_or(Form::Mentioned);
    let home = places.iter().position(|(form, ..)| *form == strongest).unwrap_or_default();
    let (_, clause, definition) = places[home];
    let mut term = Term { name, home: clause, definition, again: Vec::new(), mentions: Vec::new() };
    for (at, &(form, clause, _)) in places.iter().enumerate() {
        if at != home {
            let list = if form >= Form::Bracketed { &mut term.again } else { &mut term.mentions };
            list.push(clause);
        }
    }
    term
}
