//! Currencies: codes, symbols and names.

use iso_currency::Currency;

/// Signs. A bare `$` is the United States dollar and `¥` the yen, as in the loan market; every other dollar says whose it is.
const SYMBOLS: [(&str, &str); 15] = [
    ("US$", "USD"),
    ("U.S.$", "USD"),
    ("AU$", "AUD"),
    ("A$", "AUD"),
    ("CA$", "CAD"),
    ("C$", "CAD"),
    ("HK$", "HKD"),
    ("NZ$", "NZD"),
    ("S$", "SGD"),
    ("R$", "BRL"),
    ("$", "USD"),
    ("£", "GBP"),
    ("€", "EUR"),
    ("¥", "JPY"),
    ("₹", "INR"),
];

/// Names after the amount; the longer of two that end alike comes first.
const NAMES: [(&str, &str); 10] = [
    (" US dollars", "USD"),
    (" U.S. dollars", "USD"),
    (" United States dollars", "USD"),
    (" dollars", "USD"),
    (" pounds sterling", "GBP"),
    (" pounds", "GBP"),
    (" sterling", "GBP"),
    (" euros", "EUR"),
    (" euro", "EUR"),
    (" yen", "JPY"),
];

/// The code, if it is of a currency that circulates by ISO 4217.
pub(super) fn code(text: &str) -> Option<&'static str> {
    let currency = Currency::from_code(text)?;
    let circulates = match currency {
        // Loans are made in special drawing rights, too; and ISO 4217 has the bolívar under two codes, this one for everyday use.
        Currency::XDR | Currency::VES => true,
        _ => !currency.is_fund() && !currency.is_special() && currency.is_superseded().is_none(),
    };
    circulates.then(|| currency.code())
}

/// The currency of an amount of money and the amount without it, if exactly one is named.
pub(super) fn split(text: &str) -> Option<(&'static str, &str)> {
    before(text).or_else(|| after(text))
}

fn before(text: &str) -> Option<(&'static str, &str)> {
    if let Some((found, rest)) = SYMBOLS.iter().find_map(|(sign, code)| Some((*code, text.strip_prefix(sign)?))) {
        return Some((found, rest.trim_start()));
    }
    let (start, rest) = text.split_at_checked(3)?;
    Some((code(start)?, rest.trim_start()))
}

fn after(text: &str) -> Option<(&'static str, &str)> {
    for (name, code) in NAMES {
        if let Some(amount) = super::without_suffix(text, &[name]) {
            return Some((code, amount));
        }
    }
    if let Some((found, rest)) = SYMBOLS.iter().find_map(|(sign, code)| Some((*code, text.strip_suffix(sign)?))) {
        return Some((found, rest.trim_end()));
    }
    let (rest, end) = text.split_at_checked(text.len().checked_sub(3)?)?;
    Some((code(end)?, rest.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_those_that_circulate() {
        for circulating in ["USD", "EUR", "JPY", "KWD", "SLE", "VED", "VES", "XAF", "XCG", "XDR", "ZWG"] {
            assert_eq!(code(circulating), Some(circulating));
        }
        for other in [
            "ANG", "BGN", "BOV", "CLF", "DEM", "HRK", "USN", "XAG", "XAU", "XSU", "XTS", "XUA", "XXX", "ZWL", "ZZZ",
            "usd", "US", "USDX", "",
        ] {
            assert_eq!(code(other), None, "{other}");
        }
        // None comes or goes with the data of a new release without somebody looking.
        let codes = (0..26_u32.pow(3)).filter(|number| {
            let letters = [number / 676, number / 26 % 26, number % 26].map(|letter| char::from(b'A' + letter as u8));
            code(&letters.iter().collect::<String>()).is_some()
        });
        assert_eq!(codes.count(), 156);
    }
}
