//! The open pipeline summed up, for snapshots.

#![expect(clippy::disallowed_methods, reason = "the pipeline is summed up by one statement, of one view of the deals")]

use aether_store::{Error, Result, sql::Sql, write::Change};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value as Json;

/// The open deals of an organization in its currency, summed up.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenPipeline {
    /// The sum of their values.
    pub total: Decimal,
    /// The sum of their values, each times its probability.
    pub weighted: Decimal,
    /// How many they are.
    pub count: i32,
    /// Value and count by stage.
    pub stages: Json,
    /// Value and count by region.
    pub regions: Json,
    /// Value and count by segment.
    pub segments: Json,
    /// The weighted value of those expected to close in the quarter of the date, or before it and overdue.
    pub this_quarter: Decimal,
    /// The weighted value of those expected to close in the quarter after.
    pub next_quarter: Decimal,
    /// How many open deals there are in other currencies, which are in none of the sums.
    pub left_out: i32,
    /// The currency of the sums.
    pub currency: String,
}

/// Sums the open pipeline up as it is now, with forecasts for the quarter of this date and the next.
///
/// The breakdowns name every open stage, every region and every segment, also those without deals. Quarters are those
/// of the calendar.
pub async fn open_pipeline(c: &Change, date: NaiveDate) -> Result<OpenPipeline> {
    // One statement, so one view of the deals: no sum can contradict another.
    let mut sql = Sql::new();
    sql.push(
        "WITH org AS (SELECT id, coalesce(nullif(settings ->> 'currency', ''), 'USD') AS currency \
         FROM organizations WHERE id = ",
    )
    .uuid(c.actor().organization_id)
    .push("), day AS (SELECT date_trunc('quarter', ")
    .text(date.to_string())
    .push(
        "::date::timestamp)::date AS quarter), open AS (SELECT d.*, d.currency = org.currency AS ours \
         FROM deals d JOIN org ON d.organization_id = org.id \
         WHERE d.stage NOT IN ('Closed Won', 'Closed Lost')), ",
    );
    for (name, column, labels) in [
        (
            "stages",
            "stage",
            "unnest(enum_range(NULL::deal_stage)) label WHERE label NOT IN ('Closed Won', 'Closed Lost')",
        ),
        ("regions", "region", "unnest(enum_range(NULL::deal_region)) label"),
        ("segments", "segment", "unnest(enum_range(NULL::deal_segment)) label"),
    ] {
        sql.push(name)
            .push(
                " AS (SELECT jsonb_object_agg(label, jsonb_build_object('value', round(coalesce(s.value, 0), 2)::text, \
                 'count', coalesce(s.count, 0))) AS value FROM (SELECT label FROM ",
            )
            .push(labels)
            .push(") l LEFT JOIN (SELECT ")
            .push(column)
            .push(", sum(value) AS value, count(*) AS count FROM open WHERE ours GROUP BY 1) s ON s.")
            .push(column)
            .push(" = l.label), ");
    }
    sql.push(
        "sums AS (SELECT coalesce(sum(value), 0) AS total, coalesce(sum(weighted_value), 0) AS weighted, \
         count(*)::integer AS count, \
         coalesce(sum(weighted_value) FILTER (WHERE expected_close_date < quarter + interval '3 months'), 0) AS this, \
         coalesce(sum(weighted_value) FILTER (WHERE expected_close_date >= quarter + interval '3 months' \
         AND expected_close_date < quarter + interval '6 months'), 0) AS next FROM open, day WHERE ours) \
         SELECT sums.total, sums.weighted, sums.count, stages.value, regions.value, segments.value, sums.this, sums.next, \
         (SELECT count(*)::integer FROM open WHERE NOT ours), org.currency FROM sums, stages, regions, segments, org",
    );
    let rows = c.run_sql(&sql).await?;
    let row = rows.first().ok_or_else(|| Error::internal("an actor without an organization"))?;
    Ok(OpenPipeline {
        total: row.try_get_by_index(0)?,
        weighted: row.try_get_by_index(1)?,
        count: row.try_get_by_index(2)?,
        stages: row.try_get_by_index(3)?,
        regions: row.try_get_by_index(4)?,
        segments: row.try_get_by_index(5)?,
        this_quarter: row.try_get_by_index(6)?,
        next_quarter: row.try_get_by_index(7)?,
        left_out: row.try_get_by_index(8)?,
        currency: row.try_get_by_index(9)?,
    })
}
