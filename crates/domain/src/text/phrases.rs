//! Capitalized phrases: the places where a defined term can be used.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::words::is_capitalized;

/// Capitalized words in a row, with the small words that join them: `Cashflow Available for Debt Service`. Terms are
/// found in it when the clauses are linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Phrase {
    /// The words, with single spaces.
    pub words: String,
    /// Whether the first word would have a capital whatever it was, as it opens a sentence or an item.
    pub opens: bool,
    /// Whether it stands in a heading.
    pub heading: bool,
    /// The definition in whose meaning it stands, by position.
    pub within: Option<usize>,
    /// How often it stands there.
    pub count: u32,
}

/// Words that may join capitalized ones within a term.
const JOINING: [&str; 27] = [
    "a", "an", "and", "as", "at", "by", "for", "from", "in", "into", "its", "not", "of", "on", "or", "over", "per",
    "than", "that", "the", "their", "to", "under", "upon", "with", "within", "without",
];

/// Kinds of company that stand behind a comma: `Tallgrass Logistics, Inc.`
const COMPANY: [&str; 7] = ["Inc", "Incorporated", "LLC", "L.L.C", "LP", "L.P", "N.A"];

static WORD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\p{L}\p{N}]+(?:['\-&.][\p{L}\p{N}]+)*'?").expect("a tested pattern"));

type Key = (String, bool, bool, Option<usize>);

/// Gathers the phrases of a clause, in the order in which they first occur.
#[derive(Default)]
pub(super) struct Collector {
    places: BTreeMap<Key, usize>,
    phrases: Vec<Phrase>,
}

/// A phrase on its way.
#[derive(Default)]
struct Chain<'a> {
    words: Vec<&'a str>,
    opens: bool,
}

impl Collector {
    /// Reads a paragraph, leaving out what is understood. Where a definition's meaning starts, `understood` names it;
    /// the definition that the next paragraph may go on with is returned.
    pub(super) fn read(
        &mut self,
        text: &str,
        understood: &[(Range<usize>, Option<usize>)],
        mut within: Option<usize>,
        heading: bool,
    ) -> Option<usize> {
        let mut understood = understood.iter().peekable();
        let mut chain = Chain::default();
        // Up to here the text has been read; a word opens a sentence if nothing but punctuation stands before it.
        let (mut done, mut fresh) = (0, true);
        for word in WORD.find_iter(text) {
            while let Some((range, starts)) = understood.next_if(|(range, _)| range.start <= word.start()) {
                self.end(&mut chain, heading, within);
                if range.end > done {
                    done = range.end;
                    fresh = false;
                }
                within = starts.or(within);
            }
            if word.start() < done {
                continue;
            }
            let gap = &text[done..word.start()];
            let spelled = possessive(word.as_str(), &text[word.end()..]);
            done = word.start() + spelled.len();
            if gap.contains(['.', '!', '?', ':', ';', ')', '•']) {
                fresh = true;
            }
            let names_company = gap == ", " && COMPANY.contains(&spelled);
            if !gap.chars().all(|char| char == ' ') && !names_company {
                self.end(&mut chain, heading, within);
            }
            if is_capitalized(spelled) {
                chain.opens |= chain.words.is_empty() && fresh;
                chain.words.push(spelled);
            } else if !chain.words.is_empty()
                && (JOINING.contains(&spelled)
                    || ["&", "plc"].contains(&spelled)
                    || spelled.starts_with(|c: char| c.is_ascii_digit()))
            {
                chain.words.push(spelled);
            } else {
                self.end(&mut chain, heading, within);
            }
            // The number of a paragraph does not open its sentence.
            fresh = fresh && spelled.starts_with(|char: char| char.is_ascii_digit());
        }
        self.end(&mut chain, heading, within);
        understood.filter_map(|(_, starts)| *starts).next_back().or(within)
    }

    fn end(&mut self, chain: &mut Chain, heading: bool, within: Option<usize>) {
        let Chain { mut words, opens } = std::mem::take(chain);
        while words.last().is_some_and(|last| JOINING.contains(last)) {
            words.pop();
        }
        if words.is_empty() {
            return;
        }
        let key = (words.join(" "), opens, heading, within);
        if let Some(&at) = self.places.get(&key) {
            self.phrases[at].count += 1;
            return;
        }
        self.places.insert(key.clone(), self.phrases.len());
        self.phrases.push(Phrase { words: key.0, opens, heading, within, count: 1 });
    }

    pub(super) fn finish(self) -> Vec<Phrase> {
        self.phrases
    }
}

/// The word without an apostrophe that closes a quotation rather than marks a possessive.
fn possessive<'a>(word: &'a str, after: &str) -> &'a str {
    match word.strip_suffix('\'') {
        Some(bare) if !bare.ends_with('s') || !after.starts_with(' ') => bare,
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, bool, u32)> {
        let mut collector = Collector::default();
        collector.read(text, &[], None, false);
        collector.finish().into_iter().map(|phrase| (phrase.words, phrase.opens, phrase.count)).collect()
    }

    #[test]
    fn capitalized_words_and_what_joins_them() {
        let text = "(a) Each Lender, on a Calculation Date, tests Cashflow Available for Debt Service on five Business \
            Days' notice. A Calculation Date is a date.";
        let expected = [
            ("Each Lender", true, 1),
            ("Calculation Date", false, 1),
            ("Cashflow Available for Debt Service", false, 1),
            ("Business Days'", false, 1),
            ("A Calculation Date", true, 1),
        ];
        assert_eq!(read(text), expected.map(|(words, opens, count)| (words.to_owned(), opens, count)));
    }

    #[test]
    fn what_is_understood_is_left_out_and_meanings_are_kept_apart() {
        let text = "\"Loan\" means an Advance under Clause 2 (The Loans); and Fees";
        let mut collector = Collector::default();
        let clause = text.find("Clause").expect("a place");
        let within = collector.read(text, &[(0..6, Some(7)), (clause..clause + 20, None)], None, false);
        let found: Vec<(String, Option<usize>)> =
            collector.finish().into_iter().map(|phrase| (phrase.words, phrase.within)).collect();
        assert_eq!(found, [("Advance".to_owned(), Some(7)), ("Fees".to_owned(), Some(7))]);
        assert_eq!(within, Some(7));
    }
}
