//! What mutations take: the scalars and enums of the graph as Rust values, and fields that are absent, null or given.

use std::{borrow::Cow, ops::Deref};

use aether_application::{patch::Patch, reason::Reason};
use aether_entity::{catalog::Kind, sea_orm_active_enums::ReasonCategory};
use aether_store::{Error, model::enum_type_name, model::enum_value_name, value};
use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, MaybeUndefined, Name, OutputType, Positioned,
    ServerResult, Value, parser::types::Field, registry::Registry,
};
use chrono::{DateTime, FixedOffset, Months, NaiveDate};
use rust_decimal::Decimal;
use sea_orm::ActiveEnum;

use crate::{error::Failure, scalar};

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
    /// The value that the database calls so.
    pub(crate) fn of_label(label: &str) -> async_graphql::Result<Self> {
        let found = E::iter().find(|value| value::label(value) == label);
        Ok(Self(found.ok_or_else(|| Failure(Error::internal("a label that its enum lacks")))?))
    }

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

/// An input as the application takes it: without what it is called in GraphQL.
pub(crate) trait Plain {
    /// What is underneath.
    type Plain;
    /// Takes it out.
    fn plain(self) -> Self::Plain;
}

macro_rules! is_plain {
    ($($ty:ty),+) => {
        $(impl Plain for $ty {
            type Plain = Self;
            fn plain(self) -> Self {
                self
            }
        })+
    };
}

is_plain!(String, bool, i32, f64, uuid::Uuid);

impl<T: Simple> Plain for Scalar<T> {
    type Plain = T;
    fn plain(self) -> T {
        self.0
    }
}

impl<E: Enumerated> Plain for Choice<E> {
    type Plain = E;
    fn plain(self) -> E {
        self.0
    }
}

impl<T: Plain> Plain for Option<T> {
    type Plain = Option<T::Plain>;
    fn plain(self) -> Self::Plain {
        self.map(Plain::plain)
    }
}

impl<T: Plain> Plain for Vec<T> {
    type Plain = Vec<T::Plain>;
    fn plain(self) -> Self::Plain {
        self.into_iter().map(Plain::plain).collect()
    }
}

impl<T: Plain> Plain for MaybeUndefined<T> {
    type Plain = Patch<T::Plain>;
    fn plain(self) -> Self::Plain {
        match self {
            Self::Undefined => Patch::Absent,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(value.plain()),
        }
    }
}

/// Says of which input of the application an input object has the fields.
macro_rules! plain {
    ($input:ident as $plain:path { $($field:ident),+ $(,)? }) => {
        impl $crate::input::Plain for $input {
            type Plain = $plain;
            fn plain(self) -> $plain {
                $plain { $($field: $crate::input::Plain::plain(self.$field)),+ }
            }
        }
    };
}

pub(crate) use plain;

/// The reason and its kind, as mutations take them.
pub(crate) fn why(reason: Option<String>, category: Option<Choice<ReasonCategory>>) -> Reason {
    Reason::new(reason, category.plain())
}

/// A day of this age, as whoever asks for figures means one.
pub(crate) fn day(field: &str, Scalar(day): Scalar<NaiveDate>) -> async_graphql::Result<NaiveDate> {
    match aether_domain::entry::date_problem(day) {
        None => Ok(day),
        Some(problem) => Err(Failure(Error::invalid(field, problem)).into()),
    }
}

/// The same day a year before; where that month is shorter, its last.
pub(crate) fn year_before(field: &str, day: NaiveDate) -> async_graphql::Result<NaiveDate> {
    let before = day.checked_sub_months(Months::new(12));
    before.ok_or_else(|| Failure(Error::invalid(field, "There is no year before this day.")).into())
}
