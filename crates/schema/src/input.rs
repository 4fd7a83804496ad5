//! What mutations take: the scalars and enums of the graph as Rust values, and fields that are absent, null or given.

use std::{borrow::Cow, ops::Deref};

use aether_domain::entry::{Lines, text_problem};
use aether_entity::catalog::Kind;
use aether_store::{Error, Result, model::enum_type_name, model::enum_value_name, value};
use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, MaybeUndefined, Name, OutputType, Positioned,
    ServerResult, Value, parser::types::Field, registry::Registry,
};
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate};
use rust_decimal::Decimal;
use sea_orm::{ActiveEnum, ActiveValue, Set};

use crate::scalar;

/// A scalar of the graph whose Rust type is this.
pub(crate) trait Simple: Sized + Send + Sync {
    /// Its kind.
    const KIND: Kind;
    /// Reads its canonical text.
    fn read(text: &str) -> Option<Self>;
    /// Writes it.
    fn write(&self) -> Value;
}

impl Simple for Decimal {
    const KIND: Kind = Kind::Decimal;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
    fn write(&self) -> Value {
        self.to_string().into()
    }
}

impl Simple for NaiveDate {
    const KIND: Kind = Kind::Date;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
    fn write(&self) -> Value {
        self.to_string().into()
    }
}

impl Simple for DateTime<FixedOffset> {
    const KIND: Kind = Kind::Timestamp;
    fn read(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok()
    }
    fn write(&self) -> Value {
        self.with_timezone(&chrono::Utc).to_rfc3339_opts(chrono::SecondsFormat::Micros, true).into()
    }
}

impl Simple for i64 {
    const KIND: Kind = Kind::BigInt;
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
    fn write(&self) -> Value {
        self.to_string().into()
    }
}

impl Simple for serde_json::Value {
    const KIND: Kind = Kind::Json;
    fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
    fn write(&self) -> Value {
        Value::from_json(self.clone()).unwrap_or_default()
    }
}

/// A scalar as an input or an output of a hand-written resolver.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar<T>(pub(crate) T);

/// An enum of the graph as an input or an output of a hand-written resolver.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice<E>(pub(crate) E);

impl<T> Deref for Scalar<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<E> Deref for Choice<E> {
    type Target = E;
    fn deref(&self) -> &E {
        &self.0
    }
}

impl<T: Simple> InputType for Scalar<T> {
    type RawValueType = T;

    fn type_name() -> Cow<'static, str> {
        scalar::type_name(T::KIND).into()
    }

    fn create_type_info(_: &mut Registry) -> String {
        // The type itself comes with the graph.
        <Self as InputType>::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let text = scalar::parse(T::KIND, &value.unwrap_or_default()).map_err(InputValueError::custom)?;
        T::read(&text).map(Self).ok_or_else(|| InputValueError::custom(scalar::wrong(T::KIND)))
    }

    fn to_value(&self) -> Value {
        self.0.write()
    }

    fn as_raw_value(&self) -> Option<&T> {
        Some(&self.0)
    }
}

impl<T: Simple> OutputType for Scalar<T> {
    fn type_name() -> Cow<'static, str> {
        <Self as InputType>::type_name()
    }

    fn create_type_info(_: &mut Registry) -> String {
        <Self as OutputType>::qualified_type_name()
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(self.0.write())
    }
}

/// An enum of the database.
pub(crate) trait Enumerated: ActiveEnum<Value: Into<sea_orm::Value>> + Send + Sync + Clone {}

impl<E: ActiveEnum<Value: Into<sea_orm::Value>> + Send + Sync + Clone> Enumerated for E {}

impl<E: Enumerated> Choice<E> {
    fn name(&self) -> Value {
        Value::Enum(Name::new(enum_value_name(&value::label(&self.0))))
    }
}

impl<E: Enumerated> InputType for Choice<E> {
    type RawValueType = E;

    fn type_name() -> Cow<'static, str> {
        enum_type_name(&E::name().to_string()).into()
    }

    fn create_type_info(_: &mut Registry) -> String {
        <Self as InputType>::qualified_type_name()
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let name = match value {
            Some(Value::Enum(name)) => name.to_string(),
            Some(Value::String(name)) => name,
            other => return Err(InputValueError::expected_type(other.unwrap_or_default())),
        };
        E::iter().find(|known| enum_value_name(&value::label(known)) == name).map(Self).ok_or_else(|| {
            InputValueError::custom(format!("{name} is no value of {}.", <Self as InputType>::type_name()))
        })
    }

    fn to_value(&self) -> Value {
        self.name()
    }

    fn as_raw_value(&self) -> Option<&E> {
        Some(&self.0)
    }
}

impl<E: Enumerated> OutputType for Choice<E> {
    fn type_name() -> Cow<'static, str> {
        <Self as InputType>::type_name()
    }

    fn create_type_info(_: &mut Registry) -> String {
        <Self as OutputType>::qualified_type_name()
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(self.name())
    }
}

/// An input without its GraphQL clothes.
pub(crate) trait Plain {
    /// What is underneath.
    type Plain: Into<sea_orm::Value>;
    /// Takes them off.
    fn plain(self) -> Self::Plain;
}

macro_rules! plain {
    ($($ty:ty),+) => {
        $(impl Plain for $ty {
            type Plain = Self;
            fn plain(self) -> Self {
                self
            }
        })+
    };
}

plain!(String, bool, i32, uuid::Uuid, Vec<String>, Vec<uuid::Uuid>);

impl<T: Simple + Into<sea_orm::Value>> Plain for Scalar<T> {
    type Plain = T;
    fn plain(self) -> T {
        self.0
    }
}

impl<E: Enumerated + Into<sea_orm::Value>> Plain for Choice<E> {
    type Plain = E;
    fn plain(self) -> E {
        self.0
    }
}

/// Sets a column that cannot be empty, if a value is given.
pub(crate) fn set<P: Plain>(column: &mut ActiveValue<P::Plain>, value: Option<P>) {
    if let Some(value) = value {
        *column = Set(value.plain());
    }
}

/// Sets a column that can be empty: absent leaves it, null empties it.
pub(crate) fn patch<P: Plain>(column: &mut ActiveValue<Option<P::Plain>>, value: MaybeUndefined<P>)
where
    Option<P::Plain>: Into<sea_orm::Value>,
{
    match value {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => *column = Set(None),
        MaybeUndefined::Value(value) => *column = Set(Some(value.plain())),
    }
}

/// Texts that may be longer than this many characters are written in lines; shorter ones are names, titles, labels.
const LONGEST_LINE: usize = 500;

/// A text that must say something, trimmed, of at most so many characters, none of them unseen.
pub(crate) fn text(field: &str, value: &str, most: usize) -> Result<String> {
    let value = value.trim();
    if value.is_empty() {
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
pub(crate) fn optional_text(field: &str, value: Option<String>, most: usize) -> Result<Option<String>> {
    match value {
        Some(value) if !value.trim().is_empty() => text(field, &value, most).map(Some),
        _ => Ok(None),
    }
}

/// The same for a field that is absent, null or given.
pub(crate) fn patch_text(field: &str, value: MaybeUndefined<String>, most: usize) -> Result<MaybeUndefined<String>> {
    Ok(match value {
        MaybeUndefined::Value(value) => match optional_text(field, Some(value), most)? {
            Some(value) => MaybeUndefined::Value(value),
            None => MaybeUndefined::Null,
        },
        other => other,
    })
}

/// An amount of money: at most two decimals, at most 18 digits before the point.
pub(crate) fn money(field: &str, value: Decimal) -> Result<Decimal> {
    if value.normalize().scale() > 2 {
        return Err(Error::invalid(field, "An amount has at most two decimals."));
    }
    if value.abs() >= Decimal::from(1_000_000_000_000_000_000_i64) {
        return Err(Error::invalid(field, "An amount has at most 18 digits before the point."));
    }
    Ok(value)
}

/// An amount of money that is not negative.
pub(crate) fn positive_money(field: &str, value: Decimal) -> Result<Decimal> {
    if value.is_sign_negative() && !value.is_zero() {
        return Err(Error::invalid(field, "This amount must not be negative."));
    }
    money(field, value)
}

/// The code of a currency, ISO 4217.
pub(crate) fn currency(field: &str, value: &str) -> Result<String> {
    if aether_domain::term::is_currency(value) {
        return Ok(value.to_owned());
    }
    Err(Error::invalid(field, aether_domain::term::NO_CURRENCY))
}

/// The month in which an amount falls, which is given as its first day.
pub(crate) fn first_of_month(field: &str, date: NaiveDate) -> Result<NaiveDate> {
    match date.day() {
        1 => Ok(date),
        _ => Err(Error::invalid(field, "A month is given as its first day, such as 2026-01-01.")),
    }
}
