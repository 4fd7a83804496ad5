//! How deals go through the pipeline: what becomes of those that enter a stage, what is won of what is closed, and what the quarter and the next
//! may bring.

use aether_entity::catalog::Kind;
use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{seen, seen_as};
use crate::{
    actor::Audience,
    error::Result,
    read::{Bucket, Reader, timezone, today},
    rows::Row,
    sql::Sql,
};

/// Days from the first to the last, both included, in the organization's timezone.
#[derive(Debug, Clone, Copy)]
pub struct Days {
    /// The first.
    pub first: NaiveDate,
    /// The last; today unless given.
    pub last: Option<NaiveDate>,
}

/// By what figures of deals are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DealDimension {
    /// Who owns them.
    Owner,
    /// The sales region.
    Region,
    /// The customer segment.
    Segment,
}

/// What became of the deals that entered a stage.
#[derive(Debug, Clone)]
pub struct StageFlow {
    /// The stage, as it is stored.
    pub stage: String,
    /// How often it was entered.
    pub entered: i32,
    /// Of these, how many went on to a later stage or were won.
    pub advanced: i32,
    /// How many went back.
    pub went_back: i32,
    /// How many were lost from there.
    pub lost: i32,
    /// How many are there still.
    pub open: i32,
    /// The median of the days that those who left have been there.
    pub median_days: Option<Decimal>,
    /// Their mean.
    pub mean_days: Option<Decimal>,
}

/// What was won of what was closed, in one currency.
#[derive(Debug, Clone)]
pub struct Closed {
    /// Owner, region or segment, if it was asked for by one.
    pub slice: Option<String>,
    /// The currency of the values.
    pub currency: String,
    /// How many deals were won.
    pub won: i32,
    /// How many were lost.
    pub lost: i32,
    /// The value of those won.
    pub won_value: Option<Decimal>,
    /// The value of those lost.
    pub lost_value: Option<Decimal>,
    /// The mean number of days from the first contact to the close of those won.
    pub days_to_win: Option<Decimal>,
}

/// What a quarter may bring, in one currency.
#[derive(Debug, Clone)]
pub struct QuarterForecast {
    /// How many quarters ahead; 0 is the one that runs.
    pub ahead: i32,
    /// Its first day.
    pub first: NaiveDate,
    /// Its last day.
    pub last: NaiveDate,
    /// The currency.
    pub currency: String,
    /// What is won already.
    pub committed: Option<Decimal>,
    /// The value of open deals that are expected to close in it.
    pub open: Option<Decimal>,
    /// The same, weighted by probability.
    pub open_weighted: Option<Decimal>,
    /// How many deals are won already.
    pub won_deals: i32,
    /// How many open deals are expected to close in it.
    pub open_deals: i32,
    /// How many open deals were expected to close before today.
    pub overdue_deals: i32,
    /// Their value.
    pub overdue: Option<Decimal>,
}

const OPEN: &str = "t.stage NOT IN ('Closed Won', 'Closed Lost')";

impl Reader {
    /// What became of the deals that entered each open stage in these days.
    pub async fn stage_flows(&self, days: Days) -> Result<Vec<StageFlow>> {
        let rows = self.rooted(|audience| flows(days, audience)).await?;
        all(rows.iter(), |row| {
            Ok(StageFlow {
                stage: row.get("stage")?,
                entered: row.get("entered")?,
                advanced: row.get("advanced")?,
                went_back: row.get("went_back")?,
                lost: row.get("lost")?,
                open: row.get("open")?,
                median_days: row.get("median_days")?,
                mean_days: row.get("mean_days")?,
            })
        })
    }

    /// What was won and lost of the deals that were closed in these days.
    pub async fn closed_deals(&self, days: Days, by: Option<DealDimension>) -> Result<Vec<Closed>> {
        let rows = self.rooted(|audience| closed(days, by, audience)).await?;
        all(rows.iter(), |row| {
            Ok(Closed {
                slice: row.get("slice")?,
                currency: row.get("currency")?,
                won: row.get("won")?,
                lost: row.get("lost")?,
                won_value: row.get("won_value")?,
                lost_value: row.get("lost_value")?,
                days_to_win: row.get("days_to_win")?,
            })
        })
    }

    /// What the fiscal quarter that runs, and the next, may bring.
    pub async fn quarter_forecasts(&self) -> Result<Vec<QuarterForecast>> {
        let rows = self.rooted(forecasts).await?;
        all(rows.iter(), |row| {
            Ok(QuarterForecast {
                ahead: row.get("ahead")?,
                first: row.get("first")?,
                last: row.get("last")?,
                currency: row.get("currency")?,
                committed: row.get("committed")?,
                open: row.get("open")?,
                open_weighted: row.get("open_weighted")?,
                won_deals: row.get("won_deals")?,
                open_deals: row.get("open_deals")?,
                overdue_deals: row.get("overdue_deals")?,
                overdue: row.get("overdue")?,
            })
        })
    }
}

/// The rows that there are; where there are none, a single one says so.
pub(super) fn all<'r, T>(rows: impl Iterator<Item = Row<'r>>, read: impl Fn(Row<'r>) -> Result<T>) -> Result<Vec<T>> {
    rows.filter_map(|row| match row.get::<Option<bool>>("present") {
        Ok(Some(true)) => Some(read(row)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
    .collect()
}

/// `o`: today, and the first and the last of these days.
pub(super) fn of_days(days: Days) -> Sql {
    let mut sql = Sql::new();
    sql.push("WITH o AS (SELECT ").value(Kind::Date, days.first.to_string()).push(" AS first, ");
    match days.last {
        Some(last) => sql.value(Kind::Date, last.to_string()),
        None => sql.append(&today()),
    };
    sql.push(" AS last) ");
    sql
}

/// By what figures of the deals `t` are divided, and what is joined for that.
pub(super) fn slice(by: Option<DealDimension>, audience: Audience) -> (Sql, Sql) {
    let (mut part, mut joined) = (Sql::new(), Sql::new());
    part.push(match by {
        None => "NULL::text",
        Some(DealDimension::Owner) => "u.name::text",
        Some(DealDimension::Region) => "t.region::text",
        Some(DealDimension::Segment) => "t.segment::text",
    });
    if by == Some(DealDimension::Owner) {
        joined.push(" LEFT JOIN users u ON u.id = t.owner_id AND ").append(&seen_as("users", "u", audience));
    }
    (part, joined)
}

fn flows(days: Days, audience: Audience) -> Sql {
    let mut sql = of_days(days);
    sql.push(
        ", s AS (SELECT label, place FROM unnest(enum_range(NULL::deal_stage)::text[]) WITH ORDINALITY AS e(label, place)), \
         v AS (SELECT h.new_value AS stage, h.changed_at AS entered, lead(h.changed_at) OVER w AS gone, lead(h.new_value) OVER w AS next \
         FROM deals t JOIN deal_history h ON h.deal_id = t.id AND h.field_changed = 'stage' WHERE ",
    );
    sql.append(&seen("deals", audience)).push(" WINDOW w AS (PARTITION BY h.deal_id ORDER BY h.changed_at, h.id)), x AS (SELECT v.*, s.place, n.place AS next_place, (extract(epoch FROM v.gone - v.entered) / 86400)::numeric AS days FROM v JOIN s ON s.label = v.stage LEFT JOIN s n ON n.label = v.next CROSS JOIN o WHERE v.stage NOT IN ('Closed Won', 'Closed Lost') AND (v.entered AT TIME ZONE ");
    sql.append(&timezone()).push(
        ")::date BETWEEN o.first AND o.last) \
         SELECT true AS present, x.stage, count(*)::integer AS entered, \
         (count(*) FILTER (WHERE x.next <> 'Closed Lost' AND x.next_place > x.place))::integer AS advanced, \
         (count(*) FILTER (WHERE x.next_place <= x.place))::integer AS went_back, \
         (count(*) FILTER (WHERE x.next = 'Closed Lost'))::integer AS lost, \
         (count(*) FILTER (WHERE x.gone IS NULL))::integer AS open, \
         round((percentile_cont(0.5) WITHIN GROUP (ORDER BY x.days::double precision))::numeric, 1) AS median_days, round(avg(x.days), 1) AS mean_days \
         FROM x GROUP BY x.stage, x.place ORDER BY x.place",
    );
    sql
}

fn closed(days: Days, by: Option<DealDimension>, audience: Audience) -> Sql {
    let (part, of_owner) = slice(by, audience);
    let mut sql = of_days(days);
    sql.push("SELECT true AS present, ").append(&part);
    sql.push(
        " AS slice, t.currency::text, (count(*) FILTER (WHERE t.stage = 'Closed Won'))::integer AS won, \
         (count(*) FILTER (WHERE t.stage = 'Closed Lost'))::integer AS lost, sum(t.value) FILTER (WHERE t.stage = 'Closed Won') AS won_value, \
         sum(t.value) FILTER (WHERE t.stage = 'Closed Lost') AS lost_value, \
         round(avg(t.actual_close_date - (t.created_at AT TIME ZONE ",
    );
    sql.append(&timezone())
        .push(")::date) FILTER (WHERE t.stage = 'Closed Won'), 1) AS days_to_win FROM o CROSS JOIN deals t");
    sql.append(&of_owner);
    sql.push(" WHERE ").append(&seen("deals", audience)).push(" AND t.stage IN ('Closed Won', 'Closed Lost') AND t.actual_close_date BETWEEN o.first AND o.last GROUP BY 2, 3 ORDER BY won DESC, 2, 3");
    sql
}

fn forecasts(audience: Audience) -> Sql {
    let mut sql = Sql::new();
    sql.push("WITH o AS (SELECT d.today, ");
    let mut day = Sql::new();
    day.push("d.today");
    sql.append(&Bucket::FiscalQuarter.of(&day, Kind::Date)).push(" AS quarter FROM (SELECT ").append(&today());
    sql.push(
        " AS today) d), q AS (SELECT n AS ahead, (o.quarter + make_interval(months => 3 * n))::date AS first, \
         (o.quarter + make_interval(months => 3 * n + 3))::date AS next FROM o CROSS JOIN generate_series(0, 1) n) \
         SELECT true AS present, q.ahead, q.first, q.next - 1 AS last, t.currency::text, \
         sum(t.value) FILTER (WHERE t.stage = 'Closed Won' AND t.actual_close_date >= q.first AND t.actual_close_date < q.next) AS committed, \
         (count(*) FILTER (WHERE t.stage = 'Closed Won' AND t.actual_close_date >= q.first AND t.actual_close_date < q.next))::integer AS won_deals",
    );
    for (head, tail) in [
        (", sum(t.value) FILTER (WHERE ", ") AS open"),
        (", sum(t.weighted_value) FILTER (WHERE ", ") AS open_weighted"),
        (", (count(*) FILTER (WHERE ", "))::integer AS open_deals"),
    ] {
        sql.push(head)
            .push(OPEN)
            .push(" AND t.expected_close_date >= q.first AND t.expected_close_date < q.next")
            .push(tail);
    }
    for (head, tail) in [
        (", sum(t.value) FILTER (WHERE ", ") AS overdue"),
        (", (count(*) FILTER (WHERE ", "))::integer AS overdue_deals"),
    ] {
        sql.push(head).push(OPEN).push(" AND q.ahead = 0 AND t.expected_close_date < o.today").push(tail);
    }
    sql.push(" FROM o CROSS JOIN q CROSS JOIN deals t WHERE ").append(&seen("deals", audience));
    sql.push(" GROUP BY q.ahead, q.first, q.next, t.currency ORDER BY q.ahead, t.currency");
    sql
}
