//! One organization whose FP&A data is being made: what all its domains share.

use chrono::{DateTime, Datelike as _, Duration, Months, NaiveDate, Utc};
use uuid::Uuid;

use crate::ids::Ids;
use crate::people::{HOME, Organization, User};
use crate::random::{Random, stream};

/// An organization with its people, the day the data ends on and its seed.
pub(crate) struct Tenant<'a> {
    pub(crate) organization: &'a Organization,
    pub(crate) users: Vec<&'a User>,
    pub(crate) today: NaiveDate,
    pub(crate) seed: u64,
    /// How many deals it has.
    pub(crate) deals: usize,
    /// How big its numbers are: the demo organization is 1.
    pub(crate) volume: f64,
}

impl Tenant<'_> {
    pub(crate) fn id(&self) -> Uuid {
        self.organization.id
    }

    /// Whether this is the demo organization, which has the rarities that need showing only once.
    pub(crate) fn is_home(&self) -> bool {
        self.organization.slug == HOME
    }

    pub(crate) fn random(&self, domain: &str) -> Random {
        Random(stream(self.seed, domain, &self.organization.slug))
    }

    pub(crate) fn ids(&self, domain: &str) -> Ids {
        Ids::new(stream(self.seed, &format!("{domain}/ids"), &self.organization.slug))
    }

    /// The midnight that today began with: the latest moment in the data.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        midnight(self.today)
    }

    /// A moment this many hours before the end of the data.
    pub(crate) fn ago(&self, hours: f64) -> DateTime<Utc> {
        self.now() - Duration::milliseconds((hours * 3_600_000.0) as i64)
    }

    /// The first day of the month this many months from now, which is negative for the past.
    pub(crate) fn month(&self, offset: i32) -> NaiveDate {
        let first = self.today.with_day(1).expect("every month has a first day");
        let months = Months::new(offset.unsigned_abs());
        if offset < 0 { first - months } else { first + months }
    }

    /// The first active user of a role.
    pub(crate) fn role(&self, role: &str) -> &User {
        self.users
            .iter()
            .find(|user| user.role == role && user.status == "active")
            .unwrap_or_else(|| panic!("{} has no {role}", self.organization.slug))
    }

    /// Everybody who is active and holds one of these roles.
    pub(crate) fn staff(&self, roles: &[&str]) -> Vec<&User> {
        let active = self.users.iter().filter(|user| user.status == "active");
        active.filter(|user| roles.contains(&user.role)).copied().collect()
    }
}

/// The moment a day begins.
pub(crate) fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_hms_opt(0, 0, 0).expect("midnight exists").and_utc()
}
