//! Days as the organization counts them: by the time zone of its settings.

#![expect(clippy::disallowed_methods, reason = "the setting of one's own organization, which nobody else's is read by")]

use aether_store::{Error, Result, sql::Sql, write::Change};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;

/// The days of an organization.
pub(super) struct Calendar {
    zone: Tz,
    /// Today.
    pub(super) today: NaiveDate,
}

impl Calendar {
    /// That of the actor's organization; UTC where its settings name no time zone.
    pub(super) async fn of(c: &Change) -> Result<Self> {
        let mut sql = Sql::new();
        sql.push("SELECT settings ->> 'timezone' FROM organizations WHERE id = ").uuid(c.actor().organization_id);
        let rows = c.run_sql(&sql).await?;
        let row = rows.first().ok_or_else(|| Error::internal("an actor without an organization"))?;
        let zone: Option<String> = row.try_get_by_index(0)?;
        let zone = zone.and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC);
        Ok(Self { zone, today: day(zone, c.now()) })
    }

    /// The day that this moment is on.
    pub(super) fn day(&self, at: DateTime<FixedOffset>) -> NaiveDate {
        day(self.zone, at)
    }

    /// The moment at which this day begins.
    pub(super) fn beginning(&self, date: NaiveDate) -> DateTime<FixedOffset> {
        let midnight = date.and_time(NaiveTime::MIN);
        // Where clocks are put forward at midnight there is none, and the day begins later.
        let begins = (0..24)
            .find_map(|hour| self.zone.from_local_datetime(&(midnight + chrono::Duration::hours(hour))).earliest());
        begins.map_or_else(|| midnight.and_utc().fixed_offset(), |at| at.fixed_offset())
    }
}

fn day(zone: Tz, at: DateTime<FixedOffset>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_and_end_where_the_organization_is() {
        let of = |zone: Tz| Calendar { zone, today: NaiveDate::default() };
        let date = |text: &str| text.parse::<NaiveDate>().unwrap();
        let begins = |zone, day| of(zone).beginning(date(day)).to_utc().to_rfc3339();
        assert_eq!(begins(Tz::America__New_York, "2026-10-15"), "2026-10-15T04:00:00+00:00");
        assert_eq!(begins(Tz::America__New_York, "2026-12-15"), "2026-12-15T05:00:00+00:00");
        assert_eq!(begins(Tz::Asia__Tokyo, "2026-10-15"), "2026-10-14T15:00:00+00:00");
        // Clocks go forward from midnight to one.
        assert_eq!(begins(Tz::Africa__Cairo, "2026-04-24"), "2026-04-23T22:00:00+00:00");
        for zone in [Tz::America__New_York, Tz::Africa__Cairo, Tz::Pacific__Apia, Tz::UTC] {
            for number in 0..4_000 {
                let day = date("2010-01-01") + chrono::Days::new(number);
                // Samoa went over the date line: it had no 30 December 2011.
                if zone != Tz::Pacific__Apia || day != date("2011-12-30") {
                    assert_eq!(of(zone).day(of(zone).beginning(day)), day, "{zone}");
                }
            }
        }
    }
}
