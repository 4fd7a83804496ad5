//! The scalars that are the schema's own.

use async_graphql_value::ConstValue;

/// What knows the custom scalars of a schema.
pub trait Scalars: Send + Sync {
    /// Whether this is a value of the scalar, or what is wrong with it, as a sentence that shows a right one. A number comes
    /// as the text that was written wherever the scalar is exact ([`Scalars::is_exact`]).
    fn check(&self, scalar: &str, value: &ConstValue) -> Result<(), String>;

    /// Whether numbers are handed over as text, so that no digit is lost.
    fn is_exact(&self, scalar: &str) -> bool;
}

/// A number as JSON that has no exact decimals: refused if it would be another number then.
pub(crate) fn json_number(text: &str) -> Result<ConstValue, String> {
    if let Ok(number) = text.parse::<i64>() {
        return Ok(number.into());
    }
    if let Ok(number) = text.parse::<u64>() {
        return Ok(number.into());
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let exact = number.filter(|number| digits(text) == digits(&format!("{number:e}")));
    let number = exact.and_then(serde_json::Number::from_f64);
    number.map(ConstValue::Number).ok_or_else(|| {
        format!(
            "The number {} has more digits than JSON numbers keep. Send it as a string.",
            crate::problem::shown(text)
        )
    })
}

/// A number's sign, its digits without zeros around them, and the power of ten of the first one.
pub(crate) fn digits(text: &str) -> (bool, String, i64) {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.trim_start_matches('+').parse().unwrap_or(i64::MAX / 2);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let leading = all.len() - all.trim_start_matches('0').len();
    let all = all.trim_matches('0');
    if all.is_empty() {
        return (false, String::new(), 0);
    }
    (negative, all.to_owned(), exponent.saturating_add(whole.len() as i64 - leading as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_itself_or_refused() {
        for text in
            ["0", "-0.0", "1.5", "0.1", "1e2", "1.00", "123456789.125", "-2.50e-3", "18446744073709551615", "1e300"]
        {
            assert!(json_number(text).is_ok(), "{text}");
        }
        for text in ["1234567890123456.78", "0.12345678901234567890", "18446744073709551617", "1e400", "-1e999"] {
            assert!(json_number(text).is_err(), "{text}");
        }
        assert_eq!(json_number("1234567890123456"), Ok(1_234_567_890_123_456_i64.into()));
    }
}
