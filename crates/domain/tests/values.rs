//! The labelled values of `corpus/values.toml`, and properties of reading and weighing values.

use aether_domain::drift::{Severity, TermKind, severity};
use aether_domain::term::{Quantity, Unit, parse, same};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Corpus {
    /// `[text, number, unit]`
    numbers: Vec<(String, String, String)>,
    /// What is no number.
    texts: Vec<String>,
    /// `[kind, baseline, current, severity]`
    drift: Vec<(TermKind, String, String, String)>,
}

fn corpus() -> Corpus {
    toml::from_str(include_str!("../corpus/values.toml")).expect("the corpus is TOML")
}

fn told(unit: &Unit) -> &str {
    match unit {
        Unit::Plain => "plain",
        Unit::Percent => "percent",
        Unit::Ratio => "ratio",
        Unit::Currency(code) => code,
    }
}

#[test]
fn every_value_is_read_as_it_is_labelled() {
    let corpus = corpus();
    assert!(corpus.numbers.len() + corpus.texts.len() + corpus.drift.len() >= 120);
    for (text, number, unit) in &corpus.numbers {
        let quantity = parse(text).unwrap_or_else(|| panic!("{text:?} is a number"));
        assert_eq!((quantity.number.to_string(), told(&quantity.unit)), (number.clone(), unit.as_str()), "{text:?}");
    }
    for text in &corpus.texts {
        assert_eq!(parse(text), None, "{text:?} is no number");
    }
}

#[test]
fn every_change_is_as_grave_as_it_is_labelled() {
    for (kind, baseline, current, expected) in corpus().drift {
        let found = severity(kind, &baseline, &current).map_or("NONE", Severity::as_str);
        assert_eq!(found, expected, "{kind:?} {baseline:?} to {current:?}");
    }
}

/// The cells of each row of the documentation's tables, without the marks of code.
fn documented() -> Vec<Vec<String>> {
    let page = include_str!("../../../docs/drift-and-graph.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    rows.map(|row| row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()).collect()
}

#[test]
fn the_documentation_says_what_is_so() {
    let (mut values, mut changes) = (0, 0);
    for row in documented() {
        match row.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [text, "none", ""] => {
                values += 1;
                assert_eq!(parse(text), None, "{text:?}");
            }
            [text, number, unit] if number.parse::<Decimal>().is_ok() => {
                values += 1;
                let quantity = parse(text).unwrap_or_else(|| panic!("{text:?} is a number"));
                assert_eq!((quantity.number.to_string().as_str(), told(&quantity.unit)), (number, unit), "{text:?}");
            }
            [kind, baseline, current, expected] => {
                let Some(kind) = TermKind::from_name(kind) else { continue };
                changes += 1;
                let found = severity(kind, baseline, current).map_or("NONE", Severity::as_str);
                assert_eq!(found, expected, "{baseline:?} to {current:?}");
            }
            _ => {}
        }
    }
    assert!(values > 10 && changes > 10, "{values} values and {changes} changes are documented");
}

/// Up to ten digits with up to four decimals, of either sign.
fn number() -> impl Strategy<Value = Decimal> {
    (-9_999_999_999_i64..=9_999_999_999, 0_u32..=4).prop_map(|(digits, scale)| Decimal::new(digits, scale).normalize())
}

/// With commas between the thousands.
fn grouped(number: Decimal) -> String {
    let text = number.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    let sign = if number.is_sign_negative() && !number.is_zero() { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{out}") } else { format!("{sign}{out}.{fraction}") }
}

/// Every way of writing a number of each unit.
fn spellings(number: Decimal) -> Vec<(String, Quantity)> {
    let (plain, commas, size) = (number.to_string(), grouped(number), grouped(number.abs()));
    let negative = number.is_sign_negative() && !number.is_zero();
    let sign = if negative { "-" } else { "" };
    let of = |texts: Vec<String>, number: Decimal, unit: Unit| {
        texts.into_iter().map(move |text| (text, Quantity { number: number.normalize(), unit: unit.clone() }))
    };
    let mut all = Vec::new();
    all.extend(of(vec![plain.clone(), commas.clone(), format!("  {commas}\u{a0}")], number, Unit::Plain));
    if negative {
        all.extend(of(vec![format!("({size})"), format!("−{size}")], number, Unit::Plain));
    }
    let rates = ["%", " %", " per cent.", " per cent", " percent", "% per annum", " per cent. per annum", "% p.a."];
    all.extend(of(rates.map(|end| format!("{commas}{end}")).into(), number, Unit::Percent));
    let points = ["bps", " bps", " basis points", "bp", " bps p.a."];
    all.extend(of(points.map(|end| format!("{commas}{end}")).into(), number / Decimal::ONE_HUNDRED, Unit::Percent));
    let ratios = [":1.00", " : 1", " to 1.00", " to one", "x", " x", " times"];
    all.extend(of(ratios.map(|end| format!("{commas}{end}")).into(), number, Unit::Ratio));
    all.extend(of(vec![format!("{commas}:4")], number / Decimal::from(4), Unit::Ratio));
    for (zeros, ends) in [
        (0, &[""][..]),
        (3, &["k", " thousand"]),
        (6, &["m", " mn", "mm", " million", " mln"]),
        (9, &["bn", " billion", "b"]),
    ] {
        let value = number * Decimal::from(10_i64.pow(zeros));
        for end in ends {
            let money = [
                format!("{sign}£{size}{end}"),
                format!("£{sign}{size}{end}"),
                format!("GBP {commas}{end}"),
                format!("{sign}GBP{size}{end}"),
                format!("{commas}{end} GBP"),
                format!("{commas}{end} pounds sterling"),
            ];
            all.extend(of(money.into(), value, Unit::Currency("GBP")));
        }
    }
    all
}

fn kind() -> impl Strategy<Value = TermKind> {
    prop::sample::select(TermKind::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_never_panics(text in "\\PC*", near in "[-+(]?(USD|£|US\\$|€)? ?[0-9,.:]{0,40} ?(m|bn|%|bps|x|to|:|per cent|p\\.a\\.)?\\)?") {
        let _ = (parse(&text), parse(&near), same(&text, &near));
        for kind in TermKind::ALL {
            let _ = severity(kind, &text, &near);
        }
    }

    #[test]
    fn every_spelling_is_the_same_quantity(number in number()) {
        for (text, quantity) in spellings(number) {
            prop_assert_eq!(parse(&text), Some(quantity), "{}", text);
        }
    }

    #[test]
    fn saying_the_same_goes_both_ways_and_is_no_drift(one in number(), other in number(), kind in kind()) {
        let (all, others) = (spellings(one), spellings(other));
        for ((one, quantity), (other, counterpart)) in all.iter().zip(&others) {
            prop_assert!(same(one, one));
            prop_assert_eq!(same(one, other), same(other, one));
            let equal = quantity.is_comparable_to(counterpart) && quantity.number == counterpart.number;
            prop_assert_eq!(same(one, other), equal);
            prop_assert_eq!(severity(kind, one, other).is_none(), same(one, other));
        }
    }

    /// Up or down does not matter, nor the unit in which both are counted, nor how they are spelled.
    #[test]
    fn severity_is_by_the_relative_change(baseline in 1_i64..1_000_000, change in 0_i64..1_000_000, scale in 1_i64..1_000) {
        let text = |number: i64| grouped(Decimal::from(number));
        let (up, down) = (text(baseline + change), text(baseline - change));
        let by = |kind, current: &str| severity(kind, &text(baseline), current);
        prop_assert_eq!(by(TermKind::Financial, &up), by(TermKind::Financial, &down));
        let scaled = severity(TermKind::Ratio, &text(baseline * scale), &text((baseline + change) * scale));
        prop_assert_eq!(by(TermKind::Ratio, &up), scaled);
        let money = severity(TermKind::Covenant, &format!("USD {}k", text(baseline)), &format!("${},000", up));
        prop_assert_eq!(by(TermKind::Covenant, &up), money);
        // As the rule is written: percent of the baseline.
        let expected = match change * 100 {
            0 => None,
            change if change >= 10 * baseline => Some(Severity::High),
            change if change >= 5 * baseline => Some(Severity::Medium),
            _ => Some(Severity::Low),
        };
        prop_assert_eq!(by(TermKind::Financial, &up), expected);
        prop_assert_eq!(by(TermKind::Definition, &up), expected.map(|it| it.max(Severity::Medium)));
        prop_assert_eq!(by(TermKind::Xref, &up), expected.map(|_| Severity::Low));
    }

    #[test]
    fn a_larger_change_is_never_less_grave(baseline in number(), one in number(), other in number(), kind in kind()) {
        let (near, far) = if one.abs() <= other.abs() { (one, other) } else { (other, one) };
        let by = |change: Decimal| severity(kind, &baseline.to_string(), &(baseline + change).to_string());
        prop_assert!(by(near) <= by(far));
    }
}
