//! Values as clients write them, checked before they go near a statement.

use aether_entity::catalog::Kind;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
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
pub fn canonical(kind: Kind, text: &str) -> Option<String> {
    Some(match kind {
        Kind::Uuid => text.parse::<Uuid>().ok()?.to_string(),
        // PostgreSQL's text has no NUL.
        Kind::Text => return (!text.contains('\0')).then(|| text.to_owned()),
        Kind::Boolean => text.parse::<bool>().ok()?.to_string(),
        Kind::Int => text.parse::<i32>().ok()?.to_string(),
        Kind::BigInt => text.parse::<i64>().ok()?.to_string(),
        Kind::Decimal => decimal(text)?,
        Kind::Date => text.parse::<NaiveDate>().ok().filter(|date| in_range(*date))?.to_string(),
        Kind::Timestamp => {
            let time = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
            in_range(time.date_naive()).then(|| time.to_rfc3339_opts(SecondsFormat::Micros, true))?
        }
        Kind::Enum(definition) => definition.values.iter().find(|value| value.label == text)?.label.to_owned(),
        Kind::Inet => text.parse::<std::net::IpAddr>().ok()?.to_string(),
        Kind::Json | Kind::Bytes | Kind::UuidList | Kind::TextList => return None,
    })
}

fn decimal(text: &str) -> Option<String> {
    let decimal = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()?;
    Some(decimal.to_string())
}

/// The days that PostgreSQL and every client can take.
fn in_range(date: NaiveDate) -> bool {
    use chrono::Datelike;
    (1..=9999).contains(&date.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_checked_and_made_canonical() {
        assert_eq!(canonical(Kind::Decimal, "1.50").as_deref(), Some("1.50"));
        assert_eq!(canonical(Kind::Decimal, "1e3").as_deref(), Some("1000"));
        assert_eq!(canonical(Kind::Decimal, "NaN"), None);
        assert_eq!(canonical(Kind::Int, "2147483648"), None);
        assert_eq!(canonical(Kind::Date, "2026-02-30"), None);
        assert_eq!(
            canonical(Kind::Timestamp, "2026-02-01T10:00:00+02:00").as_deref(),
            Some("2026-02-01T08:00:00.000000Z")
        );
        assert_eq!(canonical(Kind::Timestamp, "infinity"), None);
        assert_eq!(canonical(Kind::Text, "a\0b"), None);
    }
}
