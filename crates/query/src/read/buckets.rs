//! Buckets of time: which days are one key of a group. Fiscal ones begin where the organization's year begins, and a moment is of
//! the day that it is in the organization's timezone.

use aether_entity::catalog::Kind;

use crate::sql::{OfActor, Sql};

/// How long a time is one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
    /// A quarter of the calendar's year.
    Quarter,
    /// A year of the calendar.
    Year,
    /// A quarter of the organization's fiscal year.
    FiscalQuarter,
    /// A fiscal year of the organization.
    FiscalYear,
}

/// How much earlier the group is that a group is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PriorPeriod {
    /// The bucket before.
    Bucket,
    /// A month.
    Month,
    /// A quarter.
    Quarter,
    /// A year; of weeks, 52 weeks.
    Year,
}

impl Bucket {
    /// Every one, by its name in GraphQL, and what it is.
    pub const ALL: [(&'static str, Self, &'static str); 7] = [
        ("DAY", Self::Day, "A day."),
        ("WEEK", Self::Week, "A week, from Monday (ISO 8601)."),
        ("MONTH", Self::Month, "A month; fiscal months are those of the calendar."),
        ("QUARTER", Self::Quarter, "A quarter of the calendar's year."),
        ("YEAR", Self::Year, "A year of the calendar."),
        (
            "FISCAL_QUARTER",
            Self::FiscalQuarter,
            "A quarter of your organization's fiscal year (`settings.fiscalYearStart`).",
        ),
        ("FISCAL_YEAR", Self::FiscalYear, "A fiscal year of your organization (`settings.fiscalYearStart`)."),
    ];

    /// The first day of the bucket that a day or a moment is in.
    pub(crate) fn of(self, value: &Sql, kind: Kind) -> Sql {
        let mut day = Sql::new();
        match kind {
            Kind::Timestamp => {
                day.push("((").append(value).push(") AT TIME ZONE ").append(&timezone()).push(")");
            }
            _ => {
                day.push("(").append(value).push(")::timestamp");
            }
        }
        let mut sql = Sql::new();
        let trunc = |sql: &mut Sql, unit: &'static str| {
            sql.push("date_trunc('").push(unit).push("', ").append(&day).push(")::date");
        };
        match self {
            Self::Day if matches!(kind, Kind::Date) => {
                sql.append(value);
            }
            Self::Day => {
                sql.append(&day).push("::date");
            }
            Self::Week => trunc(&mut sql, "week"),
            Self::Month => trunc(&mut sql, "month"),
            Self::Quarter => trunc(&mut sql, "quarter"),
            Self::Year => trunc(&mut sql, "year"),
            Self::FiscalQuarter | Self::FiscalYear => {
                let unit = if self == Self::FiscalYear { "year" } else { "quarter" };
                sql.push("(date_trunc('").push(unit).push("', ").append(&day).push(" - ").append(&fiscal_shift());
                sql.push(") + ").append(&fiscal_shift()).push(")::date");
            }
        }
        sql
    }

    /// How long it is, as an interval.
    pub(crate) fn length(self) -> &'static str {
        match self {
            Self::Day => "1 day",
            Self::Week => "7 days",
            Self::Month => "1 month",
            Self::Quarter | Self::FiscalQuarter => "3 months",
            Self::Year | Self::FiscalYear => "1 year",
        }
    }

    /// Whether whole buckets fit into such a time.
    pub fn fits_into(self, period: PriorPeriod) -> bool {
        let months = |bucket| match bucket {
            Self::Day | Self::Week => 0,
            Self::Month => 1,
            Self::Quarter | Self::FiscalQuarter => 3,
            Self::Year | Self::FiscalYear => 12,
        };
        match period {
            PriorPeriod::Bucket => true,
            PriorPeriod::Month => months(self) <= 1 && self != Self::Week,
            PriorPeriod::Quarter => months(self) <= 3 && self != Self::Week,
            PriorPeriod::Year => true,
        }
    }
}

impl PriorPeriod {
    /// Every one, by its name in GraphQL, and what it is.
    pub const ALL: [(&'static str, Self, &'static str); 4] = [
        ("BUCKET", Self::Bucket, "The bucket before."),
        ("MONTH", Self::Month, "A month earlier."),
        ("QUARTER", Self::Quarter, "Three months earlier."),
        ("YEAR", Self::Year, "A year earlier; of weeks, 52 weeks."),
    ];

    /// How long it is, as an interval.
    pub(super) fn length(self, bucket: Bucket) -> &'static str {
        match (self, bucket) {
            (Self::Bucket, bucket) => bucket.length(),
            (Self::Month, _) => "1 month",
            (Self::Quarter, _) => "3 months",
            (Self::Year, Bucket::Week) => "364 days",
            (Self::Year, _) => "1 year",
        }
    }
}

/// How far the organization's fiscal year begins behind the calendar's.
pub(crate) fn fiscal_shift() -> Sql {
    let mut sql = Sql::new();
    sql.push(
        "(SELECT make_interval(months => coalesce(array_position(ARRAY['january', 'february', 'march', 'april', 'may', 'june', \
         'july', 'august', 'september', 'october', 'november', 'december'], lower(fo.settings ->> 'fiscalYearStart')), 1) - 1) \
         FROM organizations fo WHERE fo.id = ",
    )
    .actor(OfActor::Organization)
    .push(")");
    sql
}

/// Today, in the organization's timezone.
pub(crate) fn today() -> Sql {
    let mut now = Sql::new();
    now.push("now()");
    Bucket::Day.of(&now, Kind::Timestamp)
}

/// The organization's timezone.
pub(crate) fn timezone() -> Sql {
    let mut sql = Sql::new();
    sql.push("(SELECT coalesce(zo.settings ->> 'timezone', 'UTC') FROM organizations zo WHERE zo.id = ")
        .actor(OfActor::Organization)
        .push(")");
    sql
}
