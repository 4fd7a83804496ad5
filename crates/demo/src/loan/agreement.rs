//! The three agreements as they are written in `data/`, and their variations for load tests.

use aether_domain::drift::TermKind;
use serde::Deserialize;

/// A facility agreement.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Agreement {
    pub(super) name: String,
    pub(super) currency: String,
    pub(super) amount: i64,
    pub(super) standard: String,
    pub(super) base_pdf_name: String,
    pub(super) clauses: Vec<Clause>,
    pub(super) sessions: Vec<Markup>,
}

/// A clause as it reads today.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Clause {
    pub(super) title: String,
    /// `financial`, `covenant`, `definition`, `xref` or `general`.
    #[serde(rename = "type")]
    pub(super) kind: TermKind,
    pub(super) is_sensitive: bool,
    /// Whether the clause ends up locked.
    #[serde(default)]
    pub(super) is_locked: bool,
    pub(super) body: String,
    #[serde(default)]
    pub(super) variables: Vec<Variable>,
    #[serde(default)]
    pub(super) covenants: Vec<Covenant>,
}

/// A commercial term of a clause.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Variable {
    pub(super) label: String,
    /// `financial`, `definition`, `covenant` or `ratio`.
    #[serde(rename = "type")]
    pub(super) kind: TermKind,
    pub(super) value: String,
    pub(super) unit: Option<String>,
    pub(super) baseline_value: String,
    /// Why the value left its baseline.
    pub(super) reason: Option<String>,
    pub(super) category: Option<String>,
    /// Whether an override of the baseline was asked for and waits for risk.
    #[serde(default)]
    pub(super) override_pending: bool,
    /// Deviations that have been dealt with.
    #[serde(default)]
    pub(super) settled: Vec<Settled>,
}

/// A deviation that has been dealt with.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Settled {
    /// `overridden`, `reverted` or `approved`.
    pub(super) status: String,
    pub(super) baseline: String,
    pub(super) current: String,
    pub(super) reason: String,
    pub(super) category: String,
}

/// A promise that is tested.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Covenant {
    pub(super) name: String,
    pub(super) test_frequency: String,
    pub(super) threshold: String,
    pub(super) calculation_basis: String,
}

/// A markup that was uploaded to be reconciled.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Markup {
    pub(super) file_name: String,
    pub(super) file_type: String,
    pub(super) items: Vec<Proposal>,
}

/// One change that a markup proposes.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Proposal {
    /// The title of the clause it touches.
    pub(super) clause: String,
    /// The label of the variable it touches, if it is a commercial one.
    pub(super) variable: Option<String>,
    pub(super) snippet: String,
    pub(super) confidence: String,
    /// The words it wants changed, where there is no variable.
    pub(super) current: Option<String>,
    pub(super) proposed: String,
    pub(super) decision: String,
    pub(super) reason: Option<String>,
    pub(super) category: Option<String>,
}

/// The three agreements.
pub(super) fn all() -> [Agreement; 3] {
    [
        include_str!("../../data/skerrow-wind.toml"),
        include_str!("../../data/corvane-packaging.toml"),
        include_str!("../../data/velderhaven-logistics.toml"),
    ]
    .map(|text| {
        let mut agreement: Agreement = toml::from_str(text).expect("the files in data/ are tested");
        for clause in &mut agreement.clauses {
            clause.body = unwrapped(&clause.body);
        }
        agreement
    })
}

/// The files are wrapped for people: an indented line goes on from the one before it.
fn unwrapped(body: &str) -> String {
    body.trim().replace("\n  ", " ")
}

impl Agreement {
    /// The same deal at another size. All money moves by the same factor, so that what adds up still does and
    /// every relative change stays what it was.
    pub(super) fn varied(&self, twentieths: i64, suffix: &str) -> Self {
        let mut other = self.clone();
        let scale = |text: &mut String| *text = scaled(text, twentieths);
        other.name = scaled(&self.name, twentieths) + suffix;
        other.amount = self.amount * twentieths / 20;
        for clause in &mut other.clauses {
            scale(&mut clause.body);
            for variable in &mut clause.variables {
                scale(&mut variable.value);
                scale(&mut variable.baseline_value);
                for settled in &mut variable.settled {
                    scale(&mut settled.baseline);
                    scale(&mut settled.current);
                }
            }
        }
        for proposal in other.sessions.iter_mut().flat_map(|markup| &mut markup.items) {
            scale(&mut proposal.snippet);
            scale(&mut proposal.proposed);
            if let Some(current) = &mut proposal.current {
                scale(current);
            }
        }
        other
    }
}

/// Scales every `GBP 1,234,000`, `GBP 350m` and `£12m` in a text.
fn scaled(text: &str, twentieths: i64) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        let end = number.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(number.len());
        // A comma after the number is punctuation.
        let end = number[..end].trim_end_matches(',').len();
        let (number, after) = number.split_at(end);
        out.push_str(before);
        if ["£", "GBP ", "USD ", "EUR "].iter().any(|currency| before.ends_with(currency)) {
            let amount: i64 = number.replace(',', "").parse().expect("digits and commas only");
            let amount = amount * twentieths;
            if after.starts_with('m') && amount % 20 != 0 {
                out.push_str(&format!("{}.{:02}", amount / 20, amount % 20 * 5));
            } else {
                out.push_str(&grouped(amount / 20));
            }
        } else {
            out.push_str(number);
        }
        rest = after;
    }
    out + rest
}

/// A number with its thousands set apart.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_scaled_and_nothing_else() {
        assert_eq!(
            scaled("pays GBP 1,500,000, or £10m, at 3.25% on 31 March under Clause 7.1 (GBP 85,000)", 21),
            "pays GBP 1,575,000, or £10.50m, at 3.25% on 31 March under Clause 7.1 (GBP 89,250)"
        );
        assert_eq!(scaled("£10m", 22), "£11m");
        assert_eq!(scaled("Skerrow Wind: GBP 350m", 22), "Skerrow Wind: GBP 385m");
    }

    #[test]
    fn wrapped_lines_are_joined_and_paragraphs_kept() {
        assert_eq!(unwrapped("\n(a) one\n  two\n(b) three\n"), "(a) one two\n(b) three");
    }
}
