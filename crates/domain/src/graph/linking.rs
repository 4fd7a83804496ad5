//! Linking clauses that have been read: who leans on whom, and what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use super::addresses::Addresses;
use super::dictionary::{Dictionary, Meaning};
use super::{Clause, WarningKind, circles, undefined};
use crate::text::ClauseReading;

/// The strongest tie.
const STRONGEST: u8 = 5;
/// One mention of a term is a weak tie, a term that carries the clause is a strong one; more than this adds nothing.
const MENTIONS: u32 = 3;
/// A clause's title in the text is a reference.
const TITLE: u32 = 2;

/// What linking finds. Clauses are named by position.
#[derive(Default)]
pub(super) struct Links {
    /// `(what is leaned on, what leans) -> how strongly`.
    pub(super) ties: BTreeMap<(usize, usize), u8>,
    pub(super) uses: Vec<Use>,
    pub(super) flaws: Vec<Flaw>,
}

/// A term that another clause than its own uses.
pub(super) struct Use {
    pub(super) term: String,
    pub(super) home: usize,
    pub(super) clause: usize,
    pub(super) count: u32,
}

/// What is wrong with a clause.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flaw {
    pub(super) clause: usize,
    pub(super) kind: WarningKind,
    pub(super) subject: String,
    pub(super) message: String,
}

impl Links {
    pub(super) fn find(clauses: &[(Clause, ClauseReading)]) -> Self {
        let readings: Vec<&ClauseReading> = clauses.iter().map(|(_, reading)| reading).collect();
        let mut links = Self::default();
        links.follow_references(clauses, &readings);
        links.find_terms(clauses, &readings);
        links.flaws.sort();
        links.flaws.dedup();
        links
    }

    fn lean(&mut self, on: usize, at: usize, weight: u32) {
        if on != at && weight > 0 {
            let tie = self.ties.entry((on, at)).or_default();
            *tie = u8::try_from(weight).unwrap_or(STRONGEST).saturating_add(*tie).min(STRONGEST);
        }
    }

    fn flaw(&mut self, clause: usize, kind: WarningKind, subject: &str, message: String) {
        self.flaws.push(Flaw { clause, kind, subject: subject.to_owned(), message });
    }

    fn follow_references(&mut self, clauses: &[(Clause, ClauseReading)], readings: &[&ClauseReading]) {
        let addresses = Addresses::new(readings);
        for (at, reading) in readings.iter().enumerate() {
            for reference in &reading.references {
                let destination = addresses.follow(reference);
                for (on, weight) in destination.clauses {
                    self.lean(on, at, u32::from(weight));
                }
                for (what, meant) in destination.missing {
                    let hint = match meant {
                        Some(clause) => format!(" A clause of that title is {}.", clauses[clause].0.title),
                        None => String::new(),
                    };
                    let message = format!("Refers to {what}, which is not there.{hint}");
                    self.flaw(at, WarningKind::DanglingReference, &what, message);
                }
            }
        }
    }

    fn find_terms(&mut self, clauses: &[(Clause, ClauseReading)], readings: &[&ClauseReading]) {
        let dictionary = Dictionary::new(readings);
        let places: BTreeMap<(usize, usize), usize> =
            dictionary.terms.iter().enumerate().map(|(at, term)| ((term.home, term.definition), at)).collect();
        // Which terms the meaning of a term uses.
        let mut meanings: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (at, reading) in readings.iter().enumerate() {
            let mut uses: BTreeMap<usize, u32> = BTreeMap::new();
            let mut unknown = BTreeSet::new();
            for phrase in &reading.phrases {
                let words: Vec<&str> = phrase.words.split(' ').collect();
                let found = dictionary.read(&words);
                for (_, meaning) in &found {
                    match *meaning {
                        Meaning::Term(term) => {
                            *uses.entry(term).or_default() += phrase.count;
                            let defined = phrase.within.and_then(|definition| places.get(&(at, definition)));
                            if let Some(&defined) = defined.filter(|defined| **defined != term) {
                                meanings.entry(defined).or_default().insert(term);
                            }
                        }
                        Meaning::Title(clause) => self.lean(clause, at, TITLE.saturating_mul(phrase.count)),
                    }
                }
                let understood: Vec<_> = found.into_iter().map(|(range, _)| range).collect();
                unknown.extend(undefined::find(phrase, &words, &understood));
            }
            for (term, count) in uses {
                let term = &dictionary.terms[term];
                self.lean(term.home, at, count.min(MENTIONS));
                if term.home != at {
                    self.uses.push(Use { term: term.name.to_owned(), home: term.home, clause: at, count });
                }
            }
            for term in unknown {
                let message = format!("Uses \"{term}\", which no clause defines.");
                self.flaw(at, WarningKind::UndefinedTerm, &term, message);
            }
        }
        self.judge_definitions(clauses, &dictionary, &meanings);
    }

    fn judge_definitions(
        &mut self,
        clauses: &[(Clause, ClauseReading)],
        dictionary: &Dictionary,
        meanings: &BTreeMap<usize, BTreeSet<usize>>,
    ) {
        for term in &dictionary.terms {
            for &clause in &term.mentions {
                self.lean(term.home, clause, 1);
            }
            for &clause in &term.again {
                let message = if clause == term.home {
                    format!("Defines \"{}\" twice.", term.name)
                } else {
                    format!("Defines \"{}\", as {} does.", term.name, clauses[term.home].0.title)
                };
                self.flaw(clause, WarningKind::DuplicateDefinition, term.name, message);
            }
        }
        for (term, way) in circles::find(meanings) {
            let term = &dictionary.terms[term];
            let way: Vec<String> = way.iter().map(|&other| format!("\"{}\"", dictionary.terms[other].name)).collect();
            let message = format!("The definition of \"{}\" leads back to it through {}.", term.name, way.join(", "));
            self.flaw(term.home, WarningKind::CircularDefinition, term.name, message);
        }
    }
}
