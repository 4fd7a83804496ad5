//! Values of PostgreSQL's binary format written as text: what JSON and cursors have of them.

use std::io::Write as _;

use aether_entity::catalog::Kind;
use chrono::{DateTime, Days, NaiveDate, SecondsFormat};
use uuid::Uuid;

use crate::error::{Error, Result};

/// The canonical text of a value.
pub(super) fn text(value: &[u8], kind: Kind) -> Result<String> {
    let mut out = Vec::new();
    plain(&mut out, value, kind)?;
    String::from_utf8(out).map_err(|_| Error::internal("text that is not UTF-8"))
}

/// Text that was sent.
pub(super) fn utf8(value: &[u8]) -> Result<&str> {
    std::str::from_utf8(value).map_err(|_| Error::internal("text that is not UTF-8"))
}

/// `jsonb` travels as a version byte and text.
pub(super) fn json(value: &[u8]) -> Result<&[u8]> {
    match value {
        [1, text @ ..] => Ok(text),
        _ => Err(Error::internal("JSON of an unknown version")),
    }
}

fn fixed<const N: usize>(value: &[u8]) -> Result<[u8; N]> {
    value.try_into().map_err(|_| Error::internal("a value of another size than its type's"))
}

/// Writes the canonical text of a value.
pub(super) fn plain(out: &mut Vec<u8>, value: &[u8], kind: Kind) -> Result<()> {
    match kind {
        Kind::Uuid => {
            let id = Uuid::from_bytes(fixed(value)?);
            out.extend_from_slice(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
        }
        Kind::Boolean => out.extend_from_slice(if value == [1] { b"true" } else { b"false" }),
        Kind::Int => match value.len() {
            2 => number(out, i16::from_be_bytes(fixed(value)?).into()),
            _ => number(out, i32::from_be_bytes(fixed(value)?).into()),
        },
        Kind::BigInt => number(out, i64::from_be_bytes(fixed(value)?)),
        Kind::Date => date(out, i32::from_be_bytes(fixed(value)?))?,
        Kind::Timestamp => moment(out, i64::from_be_bytes(fixed(value)?))?,
        Kind::Decimal => decimal(out, value)?,
        Kind::Json => out.extend_from_slice(json(value)?),
        Kind::Text | Kind::Enum(_) | Kind::Inet | Kind::Bytes | Kind::UuidList | Kind::TextList => {
            out.extend_from_slice(utf8(value)?.as_bytes());
        }
    }
    Ok(())
}

fn number(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Digits of a number below ten thousand.
fn four(number: u16) -> [u8; 4] {
    let digit = |divisor: u16| b'0' + (number / divisor % 10) as u8;
    [digit(1_000), digit(100), digit(10), digit(1)]
}

/// Digits of a number below a hundred.
fn two(number: u32) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

/// Year, month and day of a day counted from 1970-01-01, for years of four digits (Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`).
fn civil(days: i64) -> Option<(u16, u32, u32)> {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let year = u16::try_from(year).ok().filter(|year| *year < 10_000)?;
    Some((year, u32::try_from(month).ok()?, u32::try_from(day).ok()?))
}

/// `YYYY-MM-DD`
fn calendar((year, month, day): (u16, u32, u32)) -> [u8; 10] {
    let ([a, b, c, d], [e, f], [g, h]) = (four(year), two(month), two(day));
    [a, b, c, d, b'-', e, f, b'-', g, h]
}

/// Days from 1970-01-01 to PostgreSQL's epoch, 2000-01-01.
const EPOCH_DAYS: i64 = 10_957;

fn date(out: &mut Vec<u8>, days: i32) -> Result<()> {
    if let Some(civil) = civil(i64::from(days) + EPOCH_DAYS) {
        out.extend_from_slice(&calendar(civil));
        return Ok(());
    }
    let shift = Days::new(u64::from(days.unsigned_abs()));
    let epoch = NaiveDate::from_ymd_opt(2000, 1, 1);
    let date =
        epoch.and_then(|epoch| if days < 0 { epoch.checked_sub_days(shift) } else { epoch.checked_add_days(shift) });
    let date = date.ok_or_else(|| Error::internal("a time beyond the calendar"))?;
    _ = write!(out, "{date}");
    Ok(())
}

/// A moment, in microseconds from PostgreSQL's epoch, as RFC 3339 has it.
fn moment(out: &mut Vec<u8>, micros: i64) -> Result<()> {
    const DAY: i64 = 86_400_000_000;
    let beyond = || Error::internal("a time beyond the calendar");
    if let Some(civil) = civil(micros.div_euclid(DAY) + EPOCH_DAYS) {
        let of_day = u64::try_from(micros.rem_euclid(DAY)).map_err(|_| beyond())?;
        let (seconds, micros) = ((of_day / 1_000_000) as u32, (of_day % 1_000_000) as u32);
        let (hours, minutes, seconds) = (two(seconds / 3_600), two(seconds / 60 % 60), two(seconds % 60));
        let mut text = *b"YYYY-MM-DDThh:mm:ss.ffffffZ";
        text[..10].copy_from_slice(&calendar(civil));
        text[11..13].copy_from_slice(&hours);
        text[14..16].copy_from_slice(&minutes);
        text[17..19].copy_from_slice(&seconds);
        text[20..22].copy_from_slice(&two(micros / 10_000));
        text[22..26].copy_from_slice(&four((micros % 10_000) as u16));
        out.extend_from_slice(&text);
        return Ok(());
    }
    let micros = micros.checked_add(EPOCH_DAYS * DAY).ok_or_else(beyond)?;
    let time = DateTime::from_timestamp_micros(micros).ok_or_else(beyond)?;
    _ = write!(out, "{}", time.to_rfc3339_opts(SecondsFormat::Micros, true));
    Ok(())
}

/// A `numeric` as it travels: how many groups of four digits there are, the place of the first, the sign, how many digits
/// follow the point, and the groups, 16 bits each (PostgreSQL's `numeric_send`, written as `numeric_out` does).
fn decimal(out: &mut Vec<u8>, value: &[u8]) -> Result<()> {
    let malformed = || Error::internal("a numeric that is none");
    let (words, rest) = value.as_chunks::<2>();
    let [_, weight, sign, scale, groups @ ..] = words else { return Err(malformed()) };
    if !rest.is_empty() {
        return Err(malformed());
    }
    let (weight, scale) = (i32::from(i16::from_be_bytes(*weight)), usize::from(u16::from_be_bytes(*scale)));
    match u16::from_be_bytes(*sign) {
        0 => {}
        0x4000 => out.push(b'-'),
        // Not a number, and the infinities: JSON has none, and neither has anything that is measured here.
        _ => return Err(Error::internal("a numeric that is no number")),
    }
    let group = |place: i32| {
        usize::try_from(place).ok().and_then(|place| groups.get(place)).map_or(0, |group| u16::from_be_bytes(*group))
    };
    // Nothing is before the point where the first group is behind it.
    number(out, if weight < 0 { 0 } else { group(0).into() });
    for place in 1..=weight {
        out.extend_from_slice(&four(group(place)));
    }
    if scale > 0 {
        out.push(b'.');
        let whole = out.len() + scale;
        // Groups between the point and the first one are zeros.
        for _ in weight..-1 {
            out.extend_from_slice(b"0000");
        }
        let mut behind = (weight + 1).max(0);
        while out.len() < whole {
            out.extend_from_slice(&four(group(behind)));
            behind += 1;
        }
        out.truncate(whole);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{text as text_of, *};

    /// As PostgreSQL sends them: `SELECT encode(numeric_send('…'), 'hex')`.
    #[test]
    fn a_numeric_is_written_as_postgresql_writes_it() {
        for (sent, text) in [
            ("0000000000000000", "0"),
            ("0000000000000002", "0.00"),
            ("00010000000000000001", "1"),
            ("00010000400000000001", "-1"),
            ("00010001000000000001", "10000"),
            ("0001000000000000270f", "9999"),
            ("0003000100000001000100001388", "10000.5"),
            ("0001ffff4000000201f4", "-0.05"),
            ("0001ffff000000040001", "0.0001"),
            ("0001fffe0000000503e8", "0.00001"),
            ("0002ffff0000000800010929", "0.00012345"),
            ("0001fffd0000000903e8", "0.000000001"),
            ("0006000200000009000109291a8504d2162e2328", "123456789.123456789"),
            ("000500030000000204d2162e23340d801e78", "1234567890123456.78"),
            ("00080006400000040063270f270f270f270f270f270f270f", "-99999999999999999999999999.9999"),
            ("00010002000000000001", "100000000"),
            ("0001ffff000000041388", "0.5000"),
            ("00010005000000000001", "100000000000000000000"),
            ("00080007000000000007240c0659059210f1172f112b014f", "79228162514264337593543950335"),
            ("0001fff90000001b000a", "0.000000000000000000000000001"),
            ("000200010000000202fd1770", "7656000.00"),
            ("0004000100000007000109291a850078", "12345.6789012"),
        ] {
            assert_eq!(text_of(&hex::decode(sent).unwrap(), Kind::Decimal).as_deref(), Ok(text));
        }
        for none in ["0000", "00000000c0000000", "00000000d0000000", "000000000000"] {
            assert!(text_of(&hex::decode(none).unwrap(), Kind::Decimal).is_err(), "{none}");
        }
    }

    /// Against the calendar of another library: every day of four digits' years and some beyond, and moments within them.
    #[test]
    fn days_and_moments_are_those_of_the_calendar() {
        let epoch = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
        for days in (-730_500..2_921_939)
            .step_by(7)
            .chain([-730_485, -730_121, -730_120, 0, 59, 60, 2_921_938, 2_921_939, 3_000_000])
        {
            let date = epoch.checked_add_signed(chrono::TimeDelta::days(days)).unwrap();
            assert_eq!(text_of(&i32::try_from(days).unwrap().to_be_bytes(), Kind::Date), Ok(date.to_string()));
            for micros in [0, 1, 999_999, 3_599_999_999, 43_200_000_000, 86_399_999_999] {
                let at = date.and_time(chrono::NaiveTime::MIN).and_utc() + chrono::TimeDelta::microseconds(micros);
                let sent = days * 86_400_000_000 + micros;
                assert_eq!(
                    text_of(&sent.to_be_bytes(), Kind::Timestamp),
                    Ok(at.to_rfc3339_opts(SecondsFormat::Micros, true))
                );
            }
        }
        for infinite in [i64::MAX, i64::MIN] {
            assert!(text_of(&infinite.to_be_bytes(), Kind::Timestamp).is_err());
        }
    }
}
