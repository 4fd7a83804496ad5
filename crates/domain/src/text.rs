//! Reading a clause: its number, the terms it defines, the clauses it refers to, and the capitalized phrases it uses.
//!
//! The conventions are those of English-law (LMA) and New York-law drafting: a term is written with capitals and stands in
//! quotes only where it is defined; a clause is referred to by its number, often with its title in parentheses.

mod numbering;
mod paragraphs;
mod phrases;
mod quotes;
mod references;
mod words;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(crate) use numbering::is_below;
pub use phrases::Phrase;
pub use quotes::{Definition, Form};
pub use references::Reference;
pub(crate) use words::{is_capitalized, is_possessive, lemma};

/// Counts up whenever the same text would be read differently, so that stored readings are made anew.
const READER: u8 = 1;

/// All that one clause alone tells. It can be stored: nothing else of the text is needed to link the clause to others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClauseReading {
    /// SHA-256, in hexadecimal, of what was read and of the reader's own version.
    pub hash: String,
    /// The number in the title: `7.1`, or `Schedule 2`.
    pub number: Option<String>,
    /// The title without its number.
    pub heading: String,
    /// Numbers that paragraphs of the text start with: `19.2`.
    pub paragraphs: Vec<String>,
    /// The terms it defines, in order.
    pub definitions: Vec<Definition>,
    /// The clauses it refers to, in order.
    pub references: Vec<Reference>,
    /// The capitalized phrases it uses.
    pub phrases: Vec<Phrase>,
}

/// Reads a clause.
#[must_use]
pub fn read_clause(title: &str, body: &str) -> ClauseReading {
    let (number, heading) = numbering::split(title);
    let mut reading = ClauseReading { hash: hash(title, body), number, heading, ..ClauseReading::default() };
    let mut phrases = phrases::Collector::default();
    // The definition whose meaning the text is in.
    let mut within = None;
    for paragraph in paragraphs::split(&words::plain(body)) {
        reading.paragraphs.extend(paragraph.number.clone());
        if !paragraph.continues {
            within = None;
        }
        let text = paragraph.text.as_str();
        // What is understood already is no phrase; where a meaning starts, the phrases are its own.
        let mut understood = Vec::new();
        for (range, references) in references::find(text) {
            reading.references.extend(references);
            understood.push((range, None));
        }
        let referred = understood.len();
        for (range, definition) in quotes::find(text) {
            // A title in quotes after `the clause headed` is part of the reference.
            let after = understood[..referred].partition_point(|(other, _)| other.end <= range.start);
            if understood[..referred].get(after).is_some_and(|(other, _)| other.start < range.end) {
                continue;
            }
            let means = definition.as_ref().is_some_and(|it| it.form == Form::Means);
            understood.push((range, means.then_some(reading.definitions.len())));
            reading.definitions.extend(definition);
        }
        understood.sort_by_key(|(range, _)| range.start);
        within = phrases.read(text, &understood, within, paragraph.is_heading);
    }
    reading.phrases = phrases.finish();
    reading
}

impl ClauseReading {
    /// Whether this is what reading the clause now would yield.
    #[must_use]
    pub fn is_of(&self, title: &str, body: &str) -> bool {
        self.hash == hash(title, body)
    }
}

fn hash(title: &str, body: &str) -> String {
    let mut hash = Sha256::new_with_prefix([READER]);
    hash.update((title.len() as u64).to_be_bytes());
    hash.update(title);
    hash.update(body);
    format!("{:x}", hash.finalize())
}
