//! A value against another: what it was budgeted or forecast to be, or was before.

use rust_decimal::{Decimal, RoundingStrategy};

use super::{Kind, Unit};

/// How a value stands against another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The value less the other, in the metric's unit: of percentages, in percentage points.
    pub difference: Decimal,
    /// The difference in percent of the other's size; none of percentages, and where the other is zero.
    pub percent: Option<Decimal>,
    /// Whether that is good.
    pub status: Status,
}

/// Whether a difference is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Better than the other: more of what is earned, less of what is spent or lost.
    Favorable,
    /// Worse.
    Unfavorable,
    /// Neither.
    Unchanged,
}

impl Comparison {
    /// Compares two values of a metric. They are compared as they are, and the result is rounded to four places.
    #[must_use]
    pub fn of(kind: Kind, value: Decimal, other: Decimal) -> Option<Self> {
        let difference = value.checked_sub(other)?;
        let percent = match kind.unit() {
            Unit::Percent => None,
            _ if other.is_zero() => None,
            _ => difference
                .checked_div(other.abs())
                .and_then(|ratio| ratio.checked_mul(Decimal::ONE_HUNDRED))
                .map(rounded),
        };
        Some(Self { difference: rounded(difference), percent, status: Status::of(kind, difference) })
    }
}

impl Status {
    /// Whether a metric that differs so much does better.
    #[must_use]
    pub fn of(kind: Kind, difference: Decimal) -> Self {
        match (difference.is_zero(), difference.is_sign_positive() != kind.is_cost()) {
            (true, _) => Self::Unchanged,
            (false, true) => Self::Favorable,
            (false, false) => Self::Unfavorable,
        }
    }
}

fn rounded(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero)
}

/// Rounds parts to so many places so that they add up to the rounded total: what rounding leaves over goes to those parts that lost
/// most by it (the method of the largest remainder, Hamilton's).
#[must_use]
pub fn apportion(parts: &[Decimal], places: u32) -> Vec<Decimal> {
    let unit = Decimal::new(1, places);
    let floor = |part: &Decimal| part.round_dp_with_strategy(places, RoundingStrategy::ToNegativeInfinity);
    let mut rounded: Vec<Decimal> = parts.iter().map(floor).collect();
    let total: Decimal = parts.iter().sum();
    let total = total.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    let mut left = total - rounded.iter().sum::<Decimal>();
    let mut by_loss: Vec<usize> = (0..parts.len()).collect();
    by_loss.sort_by_key(|&place| std::cmp::Reverse(parts[place] - rounded[place]));
    for place in by_loss {
        if left < unit {
            break;
        }
        rounded[place] += unit;
        left -= unit;
    }
    rounded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn costs_are_better_lower_and_percentages_differ_in_points() {
        let revenue = Comparison::of(Kind::Revenue, d("110"), d("100")).unwrap();
        assert_eq!(revenue, Comparison { difference: d("10"), percent: Some(d("10")), status: Status::Favorable });
        let cost = Comparison::of(Kind::OperatingExpense, d("110"), d("100")).unwrap();
        assert_eq!((cost.percent, cost.status), (Some(d("10")), Status::Unfavorable));
        // 1.87 of 1.90 are -0.03 points; rounded before, 1.9 of 1.9 would be none.
        let churn = Comparison::of(Kind::ChurnRate, d("1.87"), d("1.90")).unwrap();
        assert_eq!(churn, Comparison { difference: d("-0.03"), percent: None, status: Status::Favorable });
        let cac = Comparison::of(Kind::Cac, d("90"), d("100")).unwrap();
        assert_eq!((cac.percent, cac.status), (Some(d("-10")), Status::Favorable));
        // Of a loss the size counts: from -200 to -100 is half of it better.
        let ebitda = Comparison::of(Kind::Ebitda, d("-100"), d("-200")).unwrap();
        assert_eq!((ebitda.percent, ebitda.status), (Some(d("50")), Status::Favorable));
        let from_nothing = Comparison::of(Kind::Revenue, d("5"), d("0")).unwrap();
        assert_eq!((from_nothing.percent, from_nothing.status), (None, Status::Favorable));
        assert_eq!(Comparison::of(Kind::Revenue, d("5"), d("5.00")).unwrap().status, Status::Unchanged);
    }

    #[test]
    fn parts_are_rounded_to_their_total() {
        // A third each: one of them gets the cent.
        let third = d("1") / d("3");
        assert_eq!(apportion(&[third, third, third], 2), [d("0.34"), d("0.33"), d("0.33")]);
        assert_eq!(apportion(&[d("-0.005"), d("0.005")], 2).iter().sum::<Decimal>(), d("0"));
        assert!(apportion(&[], 2).is_empty());
    }

    proptest! {
        #[test]
        fn parts_always_add_up(parts in prop::collection::vec((-1_000_000_000_i64..1_000_000_000, 0_u32..9), 0..40)) {
            let parts: Vec<Decimal> = parts.into_iter().map(|(number, scale)| Decimal::new(number, scale)).collect();
            let total: Decimal = parts.iter().sum();
            let rounded = apportion(&parts, 2);
            prop_assert_eq!(rounded.iter().sum::<Decimal>(), total.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero));
            for (part, rounded) in parts.iter().zip(&rounded) {
                prop_assert!((part - rounded).abs() <= d("0.01"));
            }
        }
    }
}
