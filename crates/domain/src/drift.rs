//! Drift: a term whose current value no longer says what its agreed baseline says, and how grave that is.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::term;

/// How far a term is from its agreed value. The order is by gravity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// A small deviation.
    Low,
    /// Worth a second look.
    Medium,
    /// Can block the publication.
    High,
}

impl Severity {
    /// As it is stored: `HIGH`, `MEDIUM`, `LOW`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        }
    }
}

stored! {
    /// What a deviating term is about: the type of a variable or of a clause.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum TermKind {
        /// An amount, a rate, a margin or a fee.
        Financial = "financial",
        /// A limit or a condition of a covenant.
        Covenant = "covenant",
        /// A ratio such as leverage; weighed as a covenant.
        Ratio = "ratio",
        /// A defined term.
        Definition = "definition",
        /// Something that refers elsewhere.
        Xref = "xref",
        /// Boilerplate.
        General = "general",
    }
}

/// How grave it is that a term has left its baseline; `None` if both values say the same, so that there is no drift.
///
/// Financial and covenant terms by the change of the number, relative to the baseline: from 10 % HIGH, from 5 % MEDIUM,
/// below LOW; from zero to anything HIGH. A definition, or a value that is not a number, is at least MEDIUM. Numbers of
/// different things (USD and EUR, a percentage and a ratio) cannot be compared and count as no numbers. Whatever else LOW.
///
/// ```
/// use aether_domain::drift::{Severity, TermKind, severity};
/// assert_eq!(severity(TermKind::Ratio, "4.50:1.00", "4.95x"), Some(Severity::High));
/// assert_eq!(severity(TermKind::Financial, "325 bps", "3.25%"), None);
/// ```
#[must_use]
pub fn severity(kind: TermKind, baseline: &str, current: &str) -> Option<Severity> {
    if term::same(baseline, current) {
        return None;
    }
    let numbers = match (term::parse(baseline), term::parse(current)) {
        (Some(from), Some(to)) if from.is_comparable_to(&to) => Some((from.number, to.number)),
        _ => None,
    };
    Some(match (kind, numbers) {
        (_, None) => Severity::Medium,
        (TermKind::Financial | TermKind::Covenant | TermKind::Ratio, Some((from, to))) => by_change(from, to),
        (TermKind::Definition, Some((from, to))) => by_change(from, to).max(Severity::Medium),
        (TermKind::Xref | TermKind::General, Some(_)) => Severity::Low,
    })
}

/// By |to − from| / |from|, without dividing, so that nothing is rounded.
fn by_change(from: Decimal, to: Decimal) -> Severity {
    let percent = |percent: i64| from.abs() * Decimal::new(percent, 2);
    match to.checked_sub(from).map(|change| change.abs()) {
        // Too far apart to be counted.
        None => Severity::High,
        Some(_) if from.is_zero() => Severity::High,
        Some(change) if change >= percent(10) => Severity::High,
        Some(change) if change >= percent(5) => Severity::Medium,
        Some(_) => Severity::Low,
    }
}
