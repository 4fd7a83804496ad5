//! Numbers in commercial terms, and how grave a change of them is.
//!
//! The gateway has rules of its own for both; these make the demo data agree with what it will find.

use rust_decimal::Decimal;

/// The number in a value, with `bps` brought to percent and `m` to units: `4.50:1.00`, `USD 500,000,000`, `3.25%`,
/// `325 bps` and `£12m` are numbers, `84 months` is not.
pub(super) fn number(value: &str) -> Option<Decimal> {
    let value = value.trim();
    let currency =
        value.get(..4).filter(|code| code.ends_with(' ') && code[..3].chars().all(|c| c.is_ascii_uppercase()));
    let value = value.strip_prefix(currency.unwrap_or_default())?.trim_start_matches(['£', '€', '$']);
    let (digits, factor) = if let Some(digits) = value.strip_suffix("bps") {
        (digits, Decimal::new(1, 2))
    } else if let Some(digits) = value.strip_suffix('%') {
        (digits, Decimal::ONE)
    } else if let Some(digits) = value.strip_suffix('m') {
        (digits, Decimal::from(1_000_000))
    } else if let Some((left, right)) = value.split_once(':') {
        let right: Decimal = right.parse().ok().filter(|right: &Decimal| !right.is_zero())?;
        (left, Decimal::ONE / right)
    } else {
        (value, Decimal::ONE)
    };
    let plain = digits.trim().replace(',', "");
    plain.parse::<Decimal>().ok().map(|number| number * factor)
}

/// Whether two values say the same: `325 bps` is `3.25%`.
pub(super) fn same(one: &str, other: &str) -> bool {
    one == other || number(one).is_some_and(|value| Some(value) == number(other))
}

/// How grave it is that a term of a clause of this type has left its baseline.
pub(super) fn severity(kind: &str, baseline: &str, current: &str) -> &'static str {
    let change = match (number(baseline), number(current)) {
        (Some(from), Some(to)) if !from.is_zero() => Some(((to - from) / from).abs() * Decimal::ONE_HUNDRED),
        _ => None,
    };
    let by_number = match change {
        Some(percent) if percent >= Decimal::TEN => "HIGH",
        Some(percent) if percent >= Decimal::from(5) => "MEDIUM",
        Some(_) => "LOW",
        None => "MEDIUM",
    };
    match kind {
        "financial" | "covenant" => by_number,
        "definition" if by_number == "LOW" => "MEDIUM",
        "definition" => by_number,
        _ => "LOW",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_spellings_are_numbers() {
        let numbers = ["4.50:1.00", "USD 500,000,000", "3.25%", "325 bps", "£12m", "10"].map(number);
        let expected = ["4.5", "500000000", "3.25", "3.25", "12000000", "10"].map(|n| n.parse::<Decimal>().ok());
        assert_eq!(numbers.map(|n| n.map(|n| n.normalize())), expected.map(|n| n.map(|n| n.normalize())));
        assert_eq!(["84 months", "London", "", "4.50:0"].map(number), [None; 4]);
        assert!(same("325 bps", "3.25%") && !same("London", "Leeds"));
    }

    #[test]
    fn severity_follows_the_relative_change() {
        assert_eq!(severity("financial", "100", "110"), "HIGH");
        assert_eq!(severity("covenant", "4.00:1.00", "3.80:1.00"), "MEDIUM");
        assert_eq!(severity("covenant", "100 bps", "1.04%"), "LOW");
        assert_eq!(severity("definition", "100", "101"), "MEDIUM");
        assert_eq!(severity("definition", "London", "Leeds"), "MEDIUM");
        assert_eq!(severity("xref", "1", "2"), "LOW");
    }
}
