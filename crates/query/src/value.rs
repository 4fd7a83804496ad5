//! Values as clients write them, checked before they go near a statement.

use aether_entity::catalog::Kind;
use chrono::{DateTime, NaiveDate, SecondsFormat, Timelike, Utc};
use rust_decimal::Decimal;
use sea_orm::ActiveEnum;
use uuid::Uuid;

/// The label of an enum's value in the database.
pub fn label<E: ActiveEnum<Value: Into<sea_orm::Value>>>(value: &E) -> String {
    match value.to_value().into() {
        sea_orm::Value::String(Some(label)) => label,
        sea_orm::Value::Enum(sea_orm::sea_query::OptionEnum::Some(label)) => label.value.into_owned(),
        _ => String::new(),
    }
}

/// The canonical text of a scalar of this kind, or `None` when it is none.
///
/// What is taken is what the scalar's description says, character by character: parsers of libraries also take what merely
/// looks like a value, and what one client gets away with, the next relies on.
pub fn canonical(kind: Kind, text: &str) -> Option<String> {
    Some(match kind {
        // The form of RFC 9562, of its length: neither braces, nor a URN, nor bare digits.
        Kind::Uuid => (text.len() == 36).then(|| text.parse::<Uuid>().ok())??.to_string(),
        // PostgreSQL's text has no NUL.
        Kind::Text => return (!text.contains('\0')).then(|| text.to_owned()),
        Kind::Boolean => text.parse::<bool>().ok()?.to_string(),
        Kind::Int => whole(text)?.parse::<i32>().ok()?.to_string(),
        Kind::BigInt => whole(text)?.parse::<i64>().ok()?.to_string(),
        Kind::Decimal => decimal(text)?,
        Kind::Date => date(text)?.to_string(),
        Kind::Timestamp => moment(text)?.to_rfc3339_opts(SecondsFormat::Micros, true),
        Kind::Enum(definition) => definition.values.iter().find(|value| value.label == text)?.label.to_owned(),
        // Of the standard library: dotted decimals without leading zeros, and RFC 4291.
        Kind::Inet => text.parse::<std::net::IpAddr>().ok()?.to_string(),
        Kind::Json | Kind::Bytes | Kind::UuidList | Kind::TextList => return None,
    })
}

/// A value of this kind as it is written, for those who wrote another.
pub fn example(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Uuid => "Write a UUID as 019312d0-3c5a-7b6e-8f00-0242ac120002.",
        Kind::BigInt => "Write a whole number as \"1250000\".",
        Kind::Decimal => "Write a number as \"1250000.50\".",
        Kind::Date => "Write a date as 2026-11-22.",
        Kind::Timestamp => "Write a moment as 2026-11-22T09:30:00Z.",
        Kind::Inet => "Write an address as 192.0.2.1 or 2001:db8::1.",
        _ => return None,
    })
}

/// The longest text of a number that is read.
const LONGEST_NUMBER: usize = 128;

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

/// A whole number: an optional minus and digits.
fn whole(text: &str) -> Option<&str> {
    is_digits(text.strip_prefix('-').unwrap_or(text)).then_some(text)
}

/// A number as in JSON, but that zeros may stand before it: an optional minus, digits, an optional fraction, an optional exponent.
fn decimal(text: &str) -> Option<String> {
    // What reads it calls itself for each digit.
    if text.len() > LONGEST_NUMBER {
        return None;
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let (before, after) = mantissa.split_once('.').map_or((mantissa, None), |(b, a)| (b, Some(a)));
    whole(before)?;
    if after.is_some_and(|digits| !is_digits(digits)) {
        return None;
    }
    let exact = Decimal::from_str_exact(mantissa).ok()?;
    let Some(exponent) = exponent else { return Some(exact.to_string()) };
    is_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)).then_some(())?;
    Some(Decimal::from_scientific(text).ok()?.to_string())
}

/// A day: `YYYY-MM-DD`.
fn date(text: &str) -> Option<NaiveDate> {
    is_shaped(text, "0000-00-00").then(|| text.parse().ok())?.filter(|date| in_range(*date))
}

/// A moment by RFC 3339: day, `T`, time, and `Z` or the distance from it. A leap second is the second after it, as there is
/// none in PostgreSQL.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let (clock, rest) = text.split_at_checked(19)?;
    is_shaped(clock, "0000-00-00T00:00:00").then_some(())?;
    let zone = rest.strip_prefix('.').map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let offset = zone.strip_prefix(['+', '-']).is_some_and(|offset| is_shaped(offset, "00:00"));
    if !offset && !zone.eq_ignore_ascii_case("z") || rest.starts_with('.') && rest.len() - zone.len() < 2 {
        return None;
    }
    let mut time = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
    if time.timestamp_subsec_nanos() >= 1_000_000_000 {
        (time.hour() == 23 && time.minute() == 59).then_some(())?;
        time = DateTime::from_timestamp(time.timestamp() + 1, time.timestamp_subsec_nanos() - 1_000_000_000)?;
    }
    in_range(time.date_naive()).then_some(time)
}

/// Whether the text has digits where the pattern has zeros, and what the pattern has elsewhere; letters of either case.
fn is_shaped(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(c, p)| match p {
            b'0' => c.is_ascii_digit(),
            _ => c.eq_ignore_ascii_case(&p),
        })
}

/// The days that PostgreSQL and every client can take.
fn in_range(date: NaiveDate) -> bool {
    use chrono::Datelike;
    (1..=9999).contains(&date.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn taken(kind: Kind, cases: &[(&str, &str)]) {
        for (text, canonical) in cases {
            assert_eq!(super::canonical(kind, text).as_deref(), Some(*canonical), "{text}");
        }
    }

    #[track_caller]
    fn refused(kind: Kind, cases: &[&str]) {
        for text in cases {
            assert_eq!(canonical(kind, text), None, "{text:?}");
        }
    }

    #[test]
    fn uuids_are_written_as_rfc_9562_writes_them() {
        taken(
            Kind::Uuid,
            &[
                // Its example, section 4.
                ("f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
                ("F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
                // Nil and Max, sections 5.9 and 5.10.
                ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"),
                ("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
            ],
        );
        refused(
            Kind::Uuid,
            &[
                "",
                "f81d4fae7dec11d0a76500a0c91e6bf6",
                "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
                "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",
                " f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
                "f81d4fae-7dec-11d0-a765-00a0c91e6bf6\n",
                "f81d4fa-e7dec-11d0-a765-00a0c91e6bf6",
                "f81d4fae-7dec-11d0-a765-00a0c91e6bfg",
                "f81d4fae-7dec-11d0-a765-00a0c91e6bf",
            ],
        );
    }

    #[test]
    fn days_are_written_as_rfc_3339_writes_them() {
        taken(
            Kind::Date,
            &[
                ("1996-12-19", "1996-12-19"),
                ("2024-02-29", "2024-02-29"),
                ("0001-01-01", "0001-01-01"),
                ("9999-12-31", "9999-12-31"),
            ],
        );
        refused(
            Kind::Date,
            &[
                "",
                "2024 - 02 - 03",
                " 2024-02-03",
                "2024-02-03 ",
                "+2024-02-03",
                "-2024-02-03",
                "2024-2-3",
                "24-02-03",
                "02024-02-03",
                "20240203",
                "2024/02/03",
                "2024-02-03T00:00:00Z",
                "2026-02-29",
                "2026-13-01",
                "2026-00-10",
                "2026-01-00",
                "0000-01-01",
                "10000-01-01",
                "٢٠٢٤-٠٢-٠٣",
                "infinity",
                "today",
            ],
        );
    }

    #[test]
    fn moments_are_those_of_rfc_3339() {
        taken(
            Kind::Timestamp,
            &[
                // Section 5.8.
                ("1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520000Z"),
                ("1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57.000000Z"),
                ("1990-12-31T23:59:60Z", "1991-01-01T00:00:00.000000Z"),
                ("1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00.000000Z"),
                ("1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.870000Z"),
                // Section 5.6: the letters may be small. Section 4.3: the local offset is not known.
                ("1985-04-12t23:20:50z", "1985-04-12T23:20:50.000000Z"),
                ("1985-04-12T23:20:50-00:00", "1985-04-12T23:20:50.000000Z"),
                // Microseconds are kept, as PostgreSQL keeps them.
                ("2026-02-01T10:00:00.123456789Z", "2026-02-01T10:00:00.123456Z"),
            ],
        );
        refused(
            Kind::Timestamp,
            &[
                "",
                "2026-02-01",
                "2026-02-01T10:00:00",
                "2026-02-01 10:00:00Z",
                "2026-02-01T10:00Z",
                "2026-02-01T10:00:00.Z",
                "2026-02-01T10:00:00,5Z",
                "2026-02-01T10:00:00 Z",
                "2026-02-01T10:00:00+0200",
                "2026-02-01T10:00:00+02",
                "2026-02-01T10:00:00+2:00",
                "2026-02-01T10:00:00+24:00",
                "2026-02-01T10:00:00+02:60",
                "2026-02-01T24:00:00Z",
                "2026-02-01T10:60:00Z",
                "2026-02-01T10:00:61Z",
                "2026-02-01T10:00:60Z",
                "2026-02-30T10:00:00Z",
                "+2026-02-01T10:00:00Z",
                " 2026-02-01T10:00:00Z",
                "2026-02-01T10:00:00Z\n",
                "9999-12-31T23:59:59-01:00",
                "0001-01-01T00:00:00+01:00",
                "2026-02-01T10:00:00é",
                "infinity",
                "now",
            ],
        );
    }

    #[test]
    fn numbers_are_digits() {
        taken(
            Kind::Decimal,
            &[
                ("1.50", "1.50"),
                ("-0.5", "-0.5"),
                ("007", "7"),
                // As JSON writes numbers (RFC 8259, section 6).
                ("1e3", "1000"),
                ("1.5E+2", "150"),
                ("25e-2", "0.25"),
                ("79228162514264337593543950335", "79228162514264337593543950335"),
            ],
        );
        refused(
            Kind::Decimal,
            &[
                "",
                "-",
                "+1",
                "1_000",
                "1,000",
                "1 000",
                " 1",
                "1 ",
                ".5",
                "1.",
                "1.2.3",
                "--1",
                "0x1F",
                "1e",
                "1e1.5",
                "1e_3",
                "e3",
                "NaN",
                "Infinity",
                "-inf",
                "١٢",
                "1/2",
                // More digits than are kept: none is lost in silence.
                "79228162514264337593543950336",
                "0.12345678901234567890123456789",
                "0.12345678901234567890123456789e1",
                "1e40",
                "1e-40",
            ],
        );
        taken(
            Kind::BigInt,
            &[("9223372036854775807", "9223372036854775807"), ("-9223372036854775808", "-9223372036854775808")],
        );
        refused(Kind::BigInt, &["", "-", "+1", "1_000", " 1", "1.0", "1e3", "9223372036854775808", "١"]);
        taken(Kind::Int, &[("-2147483648", "-2147483648")]);
        refused(Kind::Int, &["2147483648", "+1", "1.0"]);
    }

    #[test]
    fn addresses_are_whole_and_unambiguous() {
        taken(
            Kind::Inet,
            &[
                ("192.0.2.1", "192.0.2.1"),
                // RFC 4291, section 2.2, in the form of RFC 5952.
                ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
                ("::FFFF:129.144.52.38", "::ffff:129.144.52.38"),
                ("::", "::"),
            ],
        );
        refused(
            Kind::Inet,
            &[
                "",
                "192.0.2",
                "192.0.2.01",
                "192.0.2.256",
                "3221225985",
                "0x7f.1",
                "192.0.2.1/24",
                "192.0.2.1:80",
                "fe80::1%eth0",
                "[::1]",
                "1::2::3",
            ],
        );
    }

    #[test]
    fn text_is_anything_but_nul() {
        taken(Kind::Text, &[("", ""), ("a\\u0000b", "a\\u0000b")]);
        refused(Kind::Text, &["a\0b"]);
    }

    #[test]
    fn what_is_told_to_write_is_taken() {
        for kind in [Kind::Uuid, Kind::BigInt, Kind::Decimal, Kind::Date, Kind::Timestamp] {
            let told = example(kind).expect("an example").trim_end_matches('.').rsplit_once(" as ").expect("a value").1;
            assert!(canonical(kind, told.trim_matches('"')).is_some(), "{told}");
        }
    }
}
