//! Decimals as figures are told: with a fixed number of places.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::input::Scalar;

/// Rounded to so many places, half away from zero, and written with all of them.
pub(crate) fn with_places(value: Decimal, places: u32) -> Scalar<Decimal> {
    let mut value = value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    value.rescale(places);
    Scalar(value)
}

/// A part of a whole, to four places; none of nothing.
pub(crate) fn share(part: Decimal, whole: Decimal) -> Option<Scalar<Decimal>> {
    part.checked_div(whole).map(|share| with_places(share, 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_kept_and_nothing_has_no_share() {
        let text = |value: Scalar<Decimal>| value.0.to_string();
        assert_eq!(text(with_places(Decimal::new(25, 1), 4)), "2.5000");
        assert_eq!(text(with_places(Decimal::new(-12_345, 4), 3)), "-1.235");
        assert_eq!(share(Decimal::ONE, Decimal::from(3)).map(text), Some("0.3333".into()));
        assert!(share(Decimal::ONE, Decimal::ZERO).is_none());
    }
}
