//! What has moved in the pipeline: each deal as it was at the beginning of some days and as it was at their end.

use aether_entity::catalog::Kind;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    sales::{Days, DealDimension, all, of_days, slice},
    seen,
};
use crate::{
    actor::Audience,
    error::Result,
    read::{Reader, timezone},
    rows::Row,
    sql::Sql,
};

/// A deal that was in the pipeline before, after, or has come and gone between.
#[derive(Debug, Clone)]
pub struct DealMovement {
    /// The deal.
    pub id: Uuid,
    /// Its name.
    pub name: Option<String>,
    /// The owner's name, if the actor sees it.
    pub owner: Option<String>,
    /// Owner, region or segment, if it was asked for by one.
    pub slice: Option<String>,
    /// The currency of the values.
    pub currency: String,
    /// How it was before; none where it was not there.
    pub before: Option<DealState>,
    /// How it is after.
    pub after: DealState,
}

/// How a deal is at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct DealState {
    /// The stage, as it is stored.
    pub stage: String,
    /// Its place among the stages, from 1.
    pub place: i32,
    /// The value.
    pub value: Decimal,
    /// When it is expected to close.
    pub expected: Option<NaiveDate>,
}

impl Reader {
    /// The deals that were open before these days or after them, or closed within, each as it was then. Out of their history; the
    /// currency, the owner, the region and the segment are those of now.
    pub async fn deal_movements(&self, days: Days, by: Option<DealDimension>) -> Result<Vec<DealMovement>> {
        let rows = self.rooted(|audience| sql(days, by, audience)).await?;
        all(rows.iter(), |row| {
            Ok(DealMovement {
                id: row.get("id")?,
                name: row.get("name")?,
                owner: row.get("owner")?,
                slice: row.get("slice")?,
                currency: row.get("currency")?,
                before: row.get::<Option<String>>("stage0")?.map(|stage| state(row, stage, false)).transpose()?,
                after: state(row, row.get("stage1")?, true)?,
            })
        })
    }
}

fn state(row: Row<'_>, stage: String, after: bool) -> Result<DealState> {
    let [place, value, expected] =
        if after { ["place1", "value1", "expected1"] } else { ["place0", "value0", "expected0"] };
    Ok(DealState { stage, place: row.get(place)?, value: row.get(value)?, expected: row.get(expected)? })
}

/// What is followed of a deal: what its history is called here, the column, the field in the history, the value of now, and its type.
const TRACKED: [(&str, &str, &str, &str, &str); 3] = [
    ("c0", "stage", "stage", "t.stage::text", "text"),
    ("c1", "value", "value", "t.value", "numeric"),
    ("c2", "expected", "expectedCloseDate", "t.expected_close_date", "date"),
];

fn sql(days: Days, by: Option<DealDimension>, audience: Audience) -> Sql {
    let (owner, of_owner) = slice(Some(DealDimension::Owner), audience);
    let (part, _) = slice(by, audience);
    let mut sql = of_days(days);
    // The moments at which the first day begins and the last one ends.
    sql.push(", m AS (SELECT n.place, n.day::timestamp AT TIME ZONE ").append(&timezone());
    sql.push(
        " AS at FROM o CROSS JOIN LATERAL (VALUES (0, o.first), (1, o.last + 1)) n(place, day)), \
         c AS (SELECT t.id, m.place, h.field_changed AS field, bool_or(h.changed_at < m.at) AS changed, \
         (array_agg(h.new_value ORDER BY h.changed_at DESC, h.id DESC) FILTER (WHERE h.changed_at < m.at))[1] AS since, \
         (array_agg(h.old_value ORDER BY h.changed_at, h.id) FILTER (WHERE h.changed_at >= m.at))[1] AS until \
         FROM deals t JOIN deal_history h ON h.deal_id = t.id CROSS JOIN m \
         WHERE h.field_changed IN ('stage', 'value', 'expectedCloseDate') AND ",
    );
    sql.append(&seen("deals", audience)).push(" GROUP BY 1, 2, 3), s AS (SELECT t.id, m.place, ");
    for (known, column, _, now, ty) in TRACKED {
        sql.push("CASE WHEN ").push(known).push(".id IS NULL THEN ").push(now).push(" WHEN ").push(known);
        sql.push(".changed THEN ").push(known).push(".since::").push(ty).push(" ELSE ").push(known).push(".until::");
        sql.push(ty).push(" END AS ").push(column).push(", ");
    }
    sql.push("t.created_at < m.at AS begun FROM deals t CROSS JOIN m");
    for (known, _, field, ..) in TRACKED {
        sql.push(" LEFT JOIN c ").push(known).push(" ON ").push(known).push(".id = t.id AND ").push(known);
        sql.push(".place = m.place AND ").push(known).push(".field = ").value(Kind::Text, field);
    }
    sql.push(" WHERE ").append(&seen("deals", audience));
    sql.push(
        "), d AS (SELECT s.id, s.place, s.value, s.expected, CASE WHEN s.begun THEN s.stage END AS stage, \
         array_position(enum_range(NULL::deal_stage)::text[], s.stage) AS at FROM s) \
         SELECT true AS present, t.id, t.name::text, ",
    );
    sql.append(&owner).push(" AS owner, ").append(&part).push(
        " AS slice, t.currency::text, d0.stage AS stage0, d0.at AS place0, d0.value AS value0, d0.expected AS expected0, \
         d1.stage AS stage1, d1.at AS place1, d1.value AS value1, d1.expected AS expected1 \
         FROM d d0 JOIN d d1 ON d1.id = d0.id AND d0.place = 0 AND d1.place = 1 JOIN deals t ON t.id = d0.id",
    );
    sql.append(&of_owner).push(
        " CROSS JOIN o WHERE o.first <= o.last AND d1.stage IS NOT NULL AND (d0.stage IS DISTINCT FROM d1.stage OR d1.stage NOT IN ('Closed Won', 'Closed Lost')) \
         ORDER BY 5, 6, d1.value DESC, t.id",
    );
    sql
}
