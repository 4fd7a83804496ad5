//! Phrases that look like defined terms and are defined nowhere.

use std::ops::Range;

use super::names;
use crate::text::{Phrase, is_capitalized, is_possessive};

/// What a word is, in the search for terms.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Part of a term or a title.
    Understood,
    /// A capital without an explanation.
    Open,
    /// Anything else; no term runs across it.
    Other,
}

/// Runs of two or more capitalized words of which at least one is not understood: `Approved Offtaker`, or `Approved Lender`
/// where only `Lender` is defined. A single capital is no sign of a term.
pub(super) fn find(phrase: &Phrase, words: &[&str], understood: &[Range<usize>]) -> Vec<String> {
    if phrase.heading {
        return Vec::new();
    }
    let mut kinds: Vec<Kind> = words.iter().map(|word| of(word)).collect();
    for at in 0..words.len() {
        let name = names::length(&words[at..]);
        kinds[at..at + name].fill(Kind::Other);
    }
    for range in understood {
        kinds[range.clone()].fill(Kind::Understood);
    }
    // A capital at the start of a sentence is mere grammar.
    if phrase.opens && kinds[0] == Kind::Open {
        kinds[0] = Kind::Other;
    }
    let (mut found, mut start) = (Vec::new(), 0);
    for at in 0..words.len() {
        let ends = at + 1 == words.len() || kinds[at + 1] == Kind::Other || is_possessive(words[at]);
        if kinds[at] == Kind::Other {
            start = at + 1;
        } else if ends {
            let run = start..at + 1;
            start = at + 1;
            if run.len() > 1 && kinds[run.clone()].contains(&Kind::Open) && !is_name(words, &run) {
                found.push(words[run].join(" "));
            }
        }
    }
    found
}

fn of(word: &str) -> Kind {
    // Abbreviations are known to those who use them.
    if is_capitalized(word) && word.chars().any(char::is_lowercase) { Kind::Open } else { Kind::Other }
}

/// A company, a statute, or something with a year.
fn is_name(words: &[&str], run: &Range<usize>) -> bool {
    words[run.clone()].iter().any(|word| names::is_ending(word))
        || words.get(run.end).is_some_and(|next| {
            names::is_ending(next) || (next.len() == 4 && next.chars().all(|char| char.is_ascii_digit()))
        })
}
