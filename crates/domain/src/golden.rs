//! The golden record: when a deal is ready to be published, and the one spelling of its document that is hashed.

mod document;

use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};

pub use self::document::{Clause, Covenant, Deal, FORMAT, SCHEMA, Variable, document};

/// The integrity from which a golden record may be ready: 0.90.
pub const READY_FROM: Decimal = Decimal::from_parts(90, 0, 0, false, 2);

/// Whether a golden record is READY rather than IN_REVIEW: integrity of at least 0.90 and no unresolved HIGH drift.
#[must_use]
pub fn is_ready(integrity: Decimal, unresolved_high_drift: u64) -> bool {
    integrity >= READY_FROM && unresolved_high_drift == 0
}

/// The JSON of a document in the one spelling that everybody arrives at: RFC 8785, the JSON Canonicalization Scheme.
/// Names are sorted by their UTF-16 code units, there is no white space, and numbers are written as ECMAScript writes
/// them. Integers are written exactly, also those beyond 2^53 that the RFC leaves to text; our documents have none.
#[must_use]
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// The hash of a document: SHA-256 of its canonical JSON, as 64 lower-case hexadecimal digits.
#[must_use]
pub fn hash(document: &Value) -> String {
    format!("{:x}", Sha256::digest(canonical_json(document)))
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(entries) => write_object(entries, out),
    }
}

fn write_object(entries: &Map<String, Value>, out: &mut String) {
    let mut names: Vec<&String> = entries.keys().collect();
    names.sort_by(|one, other| one.encode_utf16().cmp(other.encode_utf16()));
    out.push('{');
    for (at, name) in names.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_string(name, out);
        out.push(':');
        write(&entries[name], out);
    }
    out.push('}');
}

fn write_number(number: &Number, out: &mut String) {
    match number.as_f64() {
        Some(float) if number.is_f64() => out.push_str(ryu_js::Buffer::new().format(float)),
        _ => out.push_str(&number.to_string()),
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        canonical_json(&serde_json::from_str(text).expect("JSON"))
    }

    /// RFC 8785, section 3.2.2 and 3.2.3; its number of seventeen digits is tested below, as reading one is another matter.
    #[test]
    fn the_sample_of_the_rfc() {
        let sample = r#"{
            "numbers": [1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"#;
        let expected = "{\"literals\":[null,true,false],\
            \"numbers\":[1e+30,4.5,0.002,1e-27],\
            \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(canonical(sample), expected);
    }

    /// RFC 8785, section 3.2.3: the order is that of UTF-16, in which U+1F600 comes before U+FB33.
    #[test]
    fn names_are_sorted_as_in_the_rfc() {
        let sample = r#"{
            "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
            "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
        }"#;
        let expected = "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\
            \"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\
            \"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}";
        assert_eq!(canonical(sample), expected);
    }

    /// RFC 8785, appendix B.
    #[test]
    fn numbers_are_written_as_in_the_rfc() {
        for (bits, expected) in [
            (0x0000_0000_0000_0000_u64, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
        ] {
            let number = Number::from_f64(f64::from_bits(bits)).expect("finite");
            assert_eq!(canonical_json(&Value::Number(number)), expected, "{bits:x}");
        }
        assert_eq!(canonical("[-0.0, 9007199254740991, -5]"), "[0,9007199254740991,-5]");
    }

    #[test]
    fn spelling_does_not_matter() {
        assert_eq!(canonical("{\"b\" : [ ],\n\"a\":{ }}"), "{\"a\":{},\"b\":[]}");
    }

    #[test]
    fn ready_needs_both() {
        let score = |hundredths| Decimal::new(hundredths, 2);
        assert!(is_ready(score(90), 0) && is_ready(score(100), 0));
        assert!(!is_ready(Decimal::new(8999, 4), 0) && !is_ready(score(100), 1));
    }
}
