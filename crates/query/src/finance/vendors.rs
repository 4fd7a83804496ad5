//! What is spent on vendors in some months and in others, and which contracts end.

use aether_entity::catalog::Kind;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{sales::all, seen, seen_as};
use crate::{
    actor::Audience,
    error::Result,
    read::{Reader, today},
    sql::{OfActor, Sql},
};

/// By what spend is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendDimension {
    /// The vendor.
    Vendor,
    /// The category of vendors.
    Category,
}

/// Months, by their first days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Months {
    /// The first.
    pub first: NaiveDate,
    /// The last.
    pub last: NaiveDate,
}

/// What was spent in some months and in others.
#[derive(Debug, Clone, Default)]
pub struct Spend {
    /// The vendor, if it is of one.
    pub vendor: Option<Uuid>,
    /// Its name.
    pub name: Option<String>,
    /// The category.
    pub category: Option<String>,
    /// What was spent.
    pub spent: Option<Decimal>,
    /// What was budgeted.
    pub budget: Option<Decimal>,
    /// What was spent in the months that they are compared with.
    pub compared: Option<Decimal>,
    /// For how many months of vendors spend is recorded, in both.
    pub months: i32,
    /// The same of the months that they are compared with.
    pub compared_months: i32,
}

/// A contract that ends.
#[derive(Debug, Clone)]
pub struct EndingContract {
    /// The vendor.
    pub vendor: Uuid,
    /// Its name.
    pub name: String,
    /// Its category.
    pub category: String,
    /// The last day.
    pub ends: NaiveDate,
    /// How many days are left.
    pub days_left: i32,
    /// Whether it renews itself.
    pub auto_renewal: bool,
    /// Its value over its whole term.
    pub value: Option<Decimal>,
    /// What was spent on the vendor in the last twelve months for which any spend is recorded.
    pub spent: Option<Decimal>,
    /// The currency.
    pub currency: String,
}

impl Reader {
    /// What was spent in some months and in others, by vendor or category, and the currency of it; all in one answer.
    pub async fn vendor_spend(
        &self,
        months: Months,
        compared: Months,
        by: SpendDimension,
    ) -> Result<(String, Vec<Spend>)> {
        let rows = self.rooted(|audience| spend(months, compared, by, audience)).await?;
        let currency = rows.first().map(|row| row.get("currency")).transpose()?.unwrap_or_default();
        let spends = all(rows.iter(), |row| {
            Ok(Spend {
                vendor: row.get("vendor")?,
                name: row.get("name")?,
                category: row.get("category")?,
                spent: row.get("spent")?,
                budget: row.get("budget")?,
                compared: row.get("compared")?,
                months: row.get("months")?,
                compared_months: row.get("compared_months")?,
            })
        })?;
        Ok((currency, spends))
    }

    /// The contracts of active vendors that end within so many days from today, the next first.
    pub async fn ending_contracts(&self, days: i32) -> Result<Vec<EndingContract>> {
        let rows = self.rooted(|audience| ending(days, audience)).await?;
        all(rows.iter(), |row| {
            Ok(EndingContract {
                vendor: row.get("vendor")?,
                name: row.get("name")?,
                category: row.get("category")?,
                ends: row.get("ends")?,
                days_left: row.get("days_left")?,
                auto_renewal: row.get("auto_renewal")?,
                value: row.get("value")?,
                spent: row.get("spent")?,
                currency: row.get("currency")?,
            })
        })
    }
}

/// The organization's currency, in which its costs are.
fn currency() -> Sql {
    let mut sql = Sql::new();
    sql.push("(SELECT coalesce(nullif(co.settings ->> 'currency', ''), 'USD') FROM organizations co WHERE co.id = ");
    sql.actor(OfActor::Organization).push(")");
    sql
}

fn spend(months: Months, compared: Months, by: SpendDimension, audience: Audience) -> Sql {
    let within = |sql: &mut Sql, Months { first, last }: Months| {
        sql.push("t.period_date BETWEEN ").value(Kind::Date, first.to_string()).push(" AND ");
        sql.value(Kind::Date, last.to_string());
    };
    let mut sql = Sql::new();
    sql.push("SELECT s.vendor IS NOT NULL OR s.category IS NOT NULL AS present, ").append(&currency());
    sql.push(" AS currency, s.* FROM (SELECT 1) one LEFT JOIN (SELECT ");
    sql.push(match by {
        SpendDimension::Vendor => "v.id AS vendor, v.name::text AS name, v.category::text AS category",
        SpendDimension::Category => "NULL::uuid AS vendor, NULL::text AS name, v.category::text AS category",
    });
    for (column, head, of, tail) in [
        ("spent", "sum(t.amount)", months, ""),
        ("budget", "sum(t.budget_amount)", months, ""),
        ("compared", "sum(t.amount)", compared, ""),
        ("months", "(count(*)", months, ")::integer"),
        ("compared_months", "(count(*)", compared, ")::integer"),
    ] {
        sql.push(", ").push(head).push(" FILTER (WHERE ");
        within(&mut sql, of);
        sql.push(")").push(tail).push(" AS ").push(column);
    }
    sql.push(" FROM vendor_spend t JOIN vendors v ON v.id = t.vendor_id AND ")
        .append(&seen_as("vendors", "v", audience));
    sql.push(" WHERE ").append(&seen("vendor_spend", audience)).push(" AND (");
    within(&mut sql, months);
    sql.push(" OR ");
    within(&mut sql, compared);
    sql.push(") GROUP BY ").push(match by {
        SpendDimension::Vendor => "v.id, v.name, v.category",
        SpendDimension::Category => "v.category",
    });
    sql.push(") s ON true ORDER BY s.name COLLATE natural_order, s.category COLLATE natural_order, s.vendor");
    sql
}

fn ending(days: i32, audience: Audience) -> Sql {
    let mut sql = Sql::new();
    sql.push("WITH o AS (SELECT ").append(&today());
    sql.push(" AS today), y AS (SELECT (max(t.period_date) - interval '11 months')::date AS first, max(t.period_date) AS last \
         FROM vendor_spend t CROSS JOIN o WHERE t.period_date <= o.today AND ");
    sql.append(&seen("vendor_spend", audience)).push(
        ") SELECT true AS present, v.id AS vendor, v.name::text, v.category::text, v.contract_end_date AS ends, \
         v.contract_end_date - o.today AS days_left, v.auto_renewal, v.contract_value AS value, \
         (SELECT sum(t.amount) FROM vendor_spend t, y WHERE t.vendor_id = v.id AND t.period_date BETWEEN y.first AND y.last AND ",
    );
    sql.append(&seen("vendor_spend", audience)).push(") AS spent, ").append(&currency());
    sql.push(" AS currency FROM o CROSS JOIN vendors v WHERE v.status = 'active' AND v.contract_end_date BETWEEN o.today AND o.today + ");
    sql.int(days).push(" AND ").append(&seen_as("vendors", "v", audience));
    sql.push(" ORDER BY v.contract_end_date, v.name COLLATE natural_order, v.id");
    sql
}
