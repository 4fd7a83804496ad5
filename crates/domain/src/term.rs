//! Reading a commercial value as people write it: `USD 500,000,000`, `£12m`, `3.25 per cent.`, `325 bps`, `4.50:1.00`.
//!
//! A value is a number only if all of it is understood. `84 months`, `up to 5%` and `1.250,00` are text: guessing would
//! compare what nobody meant. Grouping is English (`1,250.00`): a comma separates thousands, a point the decimals.

mod currency;

use rust_decimal::Decimal;

/// Longer values are prose, and reading them would only take time.
const LONGEST: usize = 120;

/// What a number counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Nothing that is said: `1,250`.
    Plain,
    /// Hundredths: `3.25%`, and basis points, of which a hundred are one percent.
    Percent,
    /// Money, as the ISO 4217 code: `USD 500,000,000`, `£12m`.
    Currency(&'static str),
    /// How many times one: `4.50:1.00`, `4.5x`.
    Ratio,
}

/// A number and what it counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Quantity {
    /// In units of one: `£12m` is 12,000,000, `325 bps` is 3.25 (percent), `9:2` is 4.5.
    pub number: Decimal,
    /// What it counts.
    pub unit: Unit,
}

impl Quantity {
    /// Whether the two count the same thing, so that their numbers may be compared. A plain number may be compared with a
    /// ratio, as both are pure numbers: `4.50` and `4.50:1.00` are two spellings. It is never taken for a percentage or
    /// for money.
    #[must_use]
    pub fn is_comparable_to(&self, other: &Self) -> bool {
        let pure = |unit: &Unit| matches!(unit, Unit::Plain | Unit::Ratio);
        self.unit == other.unit || (pure(&self.unit) && pure(&other.unit))
    }
}

/// Reads a value; `None` if it is not a number, or one too large to be counted exactly (28 digits).
///
/// ```
/// use aether_domain::term::{Unit, parse};
/// let margin = parse("325 bps").unwrap();
/// assert_eq!((margin.number.to_string().as_str(), &margin.unit), ("3.25", &Unit::Percent));
/// assert_eq!(parse("84 months"), None);
/// ```
#[must_use]
pub fn parse(value: &str) -> Option<Quantity> {
    if value.len() > LONGEST {
        return None;
    }
    let text = spaced(value).replace('\u{2212}', "-");
    let (negative, text) = match text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        // Accountants write negative numbers in parentheses.
        Some(inside) if !inside.starts_with('-') => (true, inside.trim()),
        Some(_) => return None,
        None => signed(&text),
    };
    let quantity =
        ratio(text).or_else(|| percent(text)).or_else(|| times(text)).or_else(|| money(text, !negative)).or_else(
            || {
                let number = counted(text, Magnitudes::Words)?;
                Some(Quantity { number, unit: Unit::Plain })
            },
        )?;
    let number = if negative { -quantity.number } else { quantity.number };
    Some(Quantity { number: number.normalize(), ..quantity })
}

/// Whether two values say the same: the same words, or the same number of the same thing. `325 bps` is `3.25%`, and
/// `USD 1m` is `1,000,000 USD`, but never `EUR 1m`. Case counts, as `Business Day` and `business day` are two things.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    spaced(one) == spaced(other)
        || match (parse(one), parse(other)) {
            (Some(one), Some(other)) => one.is_comparable_to(&other) && one.number == other.number,
            _ => false,
        }
}

/// What is said where a currency is none.
pub const NO_CURRENCY: &str = "A currency is the code of a circulating one by ISO 4217 in capitals, such as USD.";

/// Whether this is the code of a circulating currency (ISO 4217), such as `USD`.
#[must_use]
pub fn is_currency(code: &str) -> bool {
    currency::code(code).is_some()
}

/// The text with every run of white space, non-breaking ones too, as one space.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Takes a sign off.
fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// `4.50:1.00`, `4.5 : 1`, `4.50 to 1.00`. In words only against one: `10 to 20` is a range.
fn ratio(text: &str) -> Option<Quantity> {
    let (left, right) = match text.split_once(':') {
        Some((left, right)) => (left, number(right.trim())?),
        None => {
            let (left, right) = text.split_once(" to ")?;
            let right = if right.eq_ignore_ascii_case("one") { Decimal::ONE } else { number(right)? };
            (left, Some(right).filter(|right| *right == Decimal::ONE)?)
        }
    };
    // Dividing by zero is refused by checked_div.
    Some(Quantity { number: number(left.trim())?.checked_div(right)?, unit: Unit::Ratio })
}

/// `3.25%`, `3.25 per cent. per annum`, `325 bps p.a.`. A rate is a rate by the year, so saying so adds nothing.
fn percent(text: &str) -> Option<Quantity> {
    let text = without_suffix(text, &[" per annum", " p.a.", " p.a", " pa", " per year", " a year"]).unwrap_or(text);
    let number = if let Some(digits) = without_suffix(text, &["%", "per cent.", "per cent", "percent"]) {
        number(digits)?
    } else {
        let digits = without_suffix(text, &["basis points", "basis point", "bps", "bp"])?;
        number(digits)?.checked_div(Decimal::ONE_HUNDRED)?
    };
    Some(Quantity { number, unit: Unit::Percent })
}

/// `4.5x`, `4.50 times`.
fn times(text: &str) -> Option<Quantity> {
    let digits = without_suffix(text, &["times", "x", "×"])?;
    Some(Quantity { number: number(digits)?, unit: Unit::Ratio })
}

/// `USD 500,000,000`, `500 million dollars`, `€1.2bn`; with the sign after the currency, if there was none before it.
fn money(text: &str, may_be_signed: bool) -> Option<Quantity> {
    let (code, amount) = currency::split(text)?;
    let (negative, amount) = if may_be_signed { signed(amount) } else { (false, amount) };
    let number = counted(amount, Magnitudes::All)?;
    Some(Quantity { number: if negative { -number } else { number }, unit: Unit::Currency(code) })
}

/// Which abbreviations of large numbers are understood.
#[derive(Clone, Copy, PartialEq)]
enum Magnitudes {
    /// Those that cannot be anything else: `12 million`. A bare `12m` could be twelve months.
    Words,
    /// Also `k`, `m` and `bn`, which beside a currency are clear.
    All,
}

/// `500`, `500 million`, `1.2bn`.
fn counted(text: &str, magnitudes: Magnitudes) -> Option<Decimal> {
    const WORDS: [(&str, u32); 4] = [("thousand", 3), ("million", 6), ("billion", 9), ("trillion", 12)];
    const LETTERS: [(&str, u32); 12] = [
        ("mln", 6),
        ("mio", 6),
        ("mm", 6),
        ("mn", 6),
        ("bln", 9),
        ("bn", 9),
        ("tn", 12),
        ("k", 3),
        ("m", 6),
        ("b", 9),
        ("t", 12),
        ("millions", 6),
    ];
    let letters: &[(&str, u32)] = if magnitudes == Magnitudes::All { &LETTERS } else { &[] };
    for (name, zeros) in WORDS.iter().chain(letters) {
        if let Some(digits) = without_suffix(text, &[name]) {
            return number(digits)?.checked_mul(Decimal::from(10_u64.pow(*zeros)));
        }
    }
    number(text)
}

/// Takes off the first of the suffixes that is there, in whatever case, and the space before it.
fn without_suffix<'a>(text: &'a str, suffixes: &[&str]) -> Option<&'a str> {
    suffixes.iter().find_map(|suffix| {
        let (rest, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
        end.eq_ignore_ascii_case(suffix).then(|| rest.trim_end())
    })
}

/// Digits with points and commas where English puts them, and without a sign.
fn number(text: &str) -> Option<Decimal> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if fraction.is_some_and(|fraction| !digits(fraction)) {
        return None;
    }
    let mut groups = whole.split(',');
    let first = groups.next().filter(|first| digits(first))?;
    let mut plain = first.to_owned();
    for group in groups {
        if first.len() > 3 || group.len() != 3 || !digits(group) {
            return None;
        }
        plain.push_str(group);
    }
    if let Some(fraction) = fraction {
        plain.push('.');
        plain.push_str(fraction);
    }
    Decimal::from_str_exact(&plain).ok()
}
