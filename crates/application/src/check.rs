//! Checks of what people enter that many use cases share. Each takes the path of the field, for the message.

use aether_domain::entry::{Lines, is_blank, text_problem};
use aether_store::{Error, Result};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use crate::patch::Patch;

/// Texts that may be longer than this many characters are written in lines; shorter ones are names, titles, labels.
const LONGEST_LINE: usize = 500;

/// A text that must say something, trimmed, of at most so many characters, none of them unseen.
pub fn text(field: &str, value: &str, most: usize) -> Result<String> {
    let value = value.trim();
    if is_blank(value) {
        return Err(Error::invalid(field, "This must not be empty."));
    }
    if value.chars().count() > most {
        return Err(Error::invalid(field, format!("This must have at most {most} characters.")));
    }
    let lines = if most > LONGEST_LINE { Lines::Many } else { Lines::One };
    match text_problem(value, lines) {
        Some(problem) => Err(Error::invalid(field, problem)),
        None => Ok(value.to_owned()),
    }
}

/// The same where nothing need be said: empty is nothing.
pub fn optional_text(field: &str, value: Option<String>, most: usize) -> Result<Option<String>> {
    match value {
        Some(value) if !is_blank(&value) => text(field, &value, most).map(Some),
        _ => Ok(None),
    }
}

/// The same for a field that is absent, null or given.
pub fn patch_text(field: &str, value: Patch<String>, most: usize) -> Result<Patch<String>> {
    Ok(match value {
        Patch::Value(value) => optional_text(field, Some(value), most)?.map_or(Patch::Null, Patch::Value),
        other => other,
    })
}

/// An amount of money: at most two decimals, at most 18 digits before the point.
pub fn money(field: &str, value: Decimal) -> Result<Decimal> {
    if value.normalize().scale() > 2 {
        return Err(Error::invalid(field, "An amount has at most two decimals."));
    }
    if value.abs() >= Decimal::from(1_000_000_000_000_000_000_i64) {
        return Err(Error::invalid(field, "An amount has at most 18 digits before the point."));
    }
    Ok(value)
}

/// An amount of money that is not negative.
pub fn positive_money(field: &str, value: Decimal) -> Result<Decimal> {
    if value.is_sign_negative() && !value.is_zero() {
        return Err(Error::invalid(field, "This amount must not be negative."));
    }
    money(field, value)
}

/// The code of a currency, ISO 4217.
pub fn currency(field: &str, value: &str) -> Result<String> {
    if aether_domain::term::is_currency(value) {
        return Ok(value.to_owned());
    }
    Err(Error::invalid(field, aether_domain::term::NO_CURRENCY))
}

/// The month in which an amount falls, which is given as its first day.
pub fn first_of_month(field: &str, date: NaiveDate) -> Result<NaiveDate> {
    match date.day() {
        1 => Ok(date),
        _ => Err(Error::invalid(field, "A month is given as its first day, such as 2026-01-01.")),
    }
}
