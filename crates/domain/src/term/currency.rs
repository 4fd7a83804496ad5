//! Currencies: codes, symbols and names.

/// The circulating currencies of ISO 4217.
#[rustfmt::skip]
const CODES: [&str; 156] = [
    "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF",
    "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP", "CNY", "COP", "CRC",
    "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS",
    "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD",
    "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL",
    "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN", "NAD",
    "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD",
    "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP",
    "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VES",
    "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG", "XDR",
];

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

pub(super) fn code(text: &str) -> Option<&'static str> {
    CODES.into_iter().find(|code| *code == text)
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
