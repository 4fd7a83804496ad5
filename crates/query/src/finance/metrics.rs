//! The metrics of a period, as a controller would total them.
//!
//! - **Levels are counted once.** A metric may be recorded in total, by region, by product, and any of these at once. A row counts
//!   unless another of the same month and currency stands above it: one that leaves open what this one names and agrees in the rest. Where
//!   figures are asked for by region, rows without a region do not stand above any. Each of actual, budget and forecast by itself. Where
//!   a month is recorded by two divisions of which neither is beneath the other (by region, and by product), one of them counts: that of
//!   most rows.
//! - **Flows** add up. **Stocks** are those of the last month of the period in which there is an actual value: of each region, line and
//!   product what was recorded last. **Ratios** are weighted by what they are a share of in their month, where that is recorded for each of them, row
//!   by row; else their mean is taken, and said so.
//! - **Like is compared with like.** Once there are actual values in a period, its budget and forecast are those of the months that have some.
//! - **Currencies** are kept apart.

use aether_domain::metric::{Kind as Metric, Nature};
use aether_entity::catalog::Kind;
use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::seen;
use crate::{
    actor::Audience,
    error::{Error, Result},
    model::Kinds,
    read::{Bucket, Reader, today},
    sql::Sql,
};

/// What is asked of the metrics.
#[derive(Debug, Clone)]
pub struct MetricQuestion {
    /// Which metrics.
    pub metrics: Vec<Metric>,
    /// How long a time.
    pub period: ReportingPeriod,
    /// A day in it; none for the last one that has ended and has actual values.
    pub day: Option<NaiveDate>,
    /// How many months earlier the periods are that are asked for; 0 for that period itself.
    pub months_earlier: Vec<i32>,
    /// By what the figures are divided.
    pub by: Option<Dimension>,
}

/// How long a time figures are for. Quarters and years are those of the organization's fiscal year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportingPeriod {
    /// A month.
    Month,
    /// A fiscal quarter.
    Quarter,
    /// A fiscal year.
    Year,
    /// From the first day of the fiscal year to the end of the month.
    YearToDate,
    /// Twelve months to the end of the month.
    LastTwelveMonths,
}

/// By what the figures of a metric are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// The region.
    Region,
    /// The line of business.
    LineOfBusiness,
    /// The product.
    Product,
}

/// A period that figures are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricPeriod {
    /// How many months earlier it is.
    pub months_earlier: i32,
    /// Its first day.
    pub first: NaiveDate,
    /// Its last day.
    pub last: NaiveDate,
    /// Whether it has ended, today in the organization's timezone.
    pub is_complete: bool,
}

/// A metric in a period.
#[derive(Debug, Clone)]
pub struct MetricFigure {
    /// The metric.
    pub metric: Metric,
    /// The currency of its amounts.
    pub currency: String,
    /// The value of the dimension, if it is divided by one.
    pub slice: Option<String>,
    /// The period.
    pub period: MetricPeriod,
    /// The actual value.
    pub actual: Option<Decimal>,
    /// What was budgeted.
    pub budget: Option<Decimal>,
    /// What was forecast.
    pub forecast: Option<Decimal>,
    /// Of a ratio: the sum of what the actual value, the budget and the forecast are weighted by; none where they are not.
    pub weights: [Option<Decimal>; 3],
    /// How many recorded actual values it stands on.
    pub values: i32,
    /// Whether a division of the same figures was left out, for it cannot be added to the one that counts.
    pub has_other_division: bool,
}

impl ReportingPeriod {
    /// How many months lie between a period and the one before that has no day in common with it.
    #[must_use]
    pub fn months(self) -> i32 {
        match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Year | Self::YearToDate | Self::LastTwelveMonths => 12,
        }
    }

    /// How many months lie between the periods of a series.
    #[must_use]
    pub fn step(self) -> i32 {
        match self {
            Self::LastTwelveMonths => 1,
            other => other.months(),
        }
    }
}

impl Dimension {
    /// Its column, and its bit in the level of a row.
    fn column(self) -> (&'static str, u64) {
        match self {
            Self::Region => ("region", 1),
            Self::LineOfBusiness => ("lob", 2),
            Self::Product => ("product", 4),
        }
    }
}

impl Reader {
    /// The metrics in each of the periods asked for: those first, and then what is recorded in them.
    pub async fn metrics(&self, question: &MetricQuestion) -> Result<(Vec<MetricPeriod>, Vec<MetricFigure>)> {
        let rows = self.rooted(|audience| sql(question, audience)).await?;
        let (mut periods, mut figures) = (Vec::<MetricPeriod>::new(), Vec::new());
        for row in rows.iter() {
            let period = MetricPeriod {
                months_earlier: row.get("off")?,
                first: row.get("first")?,
                last: row.get("last")?,
                is_complete: row.get("is_complete")?,
            };
            if !periods.contains(&period) {
                periods.push(period);
            }
            let Some(metric) = row.get::<Option<String>>("metric_type")? else { continue };
            let metric = Metric::from_name(&metric).ok_or_else(|| Error::internal("a metric that the domain lacks"))?;
            figures.push(MetricFigure {
                metric,
                currency: row.get("currency")?,
                slice: row.get("slice")?,
                period,
                actual: row.get("a")?,
                budget: row.get("b")?,
                forecast: row.get("f")?,
                weights: [row.get("wa")?, row.get("wb")?, row.get("wf")?],
                values: row.get("values")?,
                has_other_division: row.get("other")?,
            });
        }
        Ok((periods, figures))
    }
}

/// The names of the metrics, and for each its nature and what it is weighted by.
fn kinds(sql: &mut Sql, metrics: &[Metric]) {
    let texts = |of: &dyn Fn(Metric) -> &'static str| metrics.iter().map(|metric| of(*metric).to_owned()).collect();
    let base = |metric: Metric, place: usize| metric.bases().get(place).map_or("", |base| base.as_str());
    sql.push("SELECT v.kind::metric_type, v.nature, nullif(v.base, '')::metric_type AS base, nullif(v.second, '')::metric_type AS second FROM unnest(");
    sql.values(Kind::Text, texts(&|metric| metric.as_str())).push(", ");
    sql.values(
        Kind::Text,
        texts(&|metric| match metric.nature() {
            Nature::Flow => "flow",
            Nature::Stock => "stock",
            Nature::Ratio => "ratio",
        }),
    );
    sql.push(", ").values(Kind::Text, texts(&|metric| base(metric, 0))).push(", ");
    sql.values(Kind::Text, texts(&|metric| base(metric, 1))).push(") v(kind, nature, base, second)");
}

/// The first day of the bucket that this day is in.
fn first_of(bucket: Bucket, day: &'static str) -> Sql {
    let mut sql = Sql::new();
    sql.push(day);
    bucket.of(&sql, Kind::Date)
}

/// Of each row of `rows` whether a row of these `levels` stands above it that has an actual value, a budget, a forecast: one of the same month,
/// which leaves open what the row names. `of` are keys that both must have besides. Told by windows, not by a join, whose size PostgreSQL would
/// have to guess: so it takes as long as sorting.
fn stood_above(
    sql: &mut Sql,
    rows: &'static str,
    levels: &'static str,
    of: &'static [&'static str],
    among: &'static str,
) {
    let keys = |sql: &mut Sql, alias: &'static str| {
        for key in of {
            sql.push(", ").column(alias, key);
        }
    };
    sql.push("(SELECT e.id");
    keys(sql, "e");
    sql.push(", bool_or(e.ua) AS a, bool_or(e.ub) AS b, bool_or(e.uf) AS f FROM (SELECT e.*");
    for (value, name) in [("a", " AS ua"), ("b", " AS ub"), ("f", " AS uf")] {
        sql.push(", bool_or(").column("e", value).push(") OVER above").push(name);
    }
    sql.push(" FROM (SELECT NULL::uuid AS id");
    keys(sql, "n");
    sql.push(", u.metric_type, u.month, u.currency, u.level");
    for column in ["region", "lob", "product"] {
        sql.push(", coalesce(").column("u", column).push(", '') AS ").push(column);
    }
    sql.push(", u.a IS NOT NULL AS a, u.b IS NOT NULL AS b, u.f IS NOT NULL AS f FROM ").push(rows).push(" u");
    if !of.is_empty() {
        sql.push(" JOIN n ON n.base = u.metric_type AND u.level & ~n.level = 0");
    }
    sql.push(" UNION ALL SELECT c.id");
    keys(sql, "n");
    sql.push(", c.metric_type, c.month, c.currency, l.level");
    for dimension in [Dimension::Region, Dimension::LineOfBusiness, Dimension::Product] {
        let (column, bit) = dimension.column();
        sql.push(", CASE WHEN l.level & ").number(bit).push(" = 0 THEN ").column("c", column).push(" ELSE '' END");
    }
    sql.push(", NULL, NULL, NULL FROM ").push(rows).push(" c");
    if !of.is_empty() {
        sql.push(" JOIN n ON n.base = c.metric_type AND c.level & ~n.level = 0");
    }
    sql.push(" JOIN ").push(levels);
    sql.push(" l ON l.metric_type = c.metric_type AND l.level & c.level = c.level AND l.level <> c.level").push(among);
    sql.push(") e WINDOW above AS (PARTITION BY ");
    for key in of {
        sql.column("e", key).push(", ");
    }
    sql.push("e.metric_type, e.month, e.currency, e.level, e.region, e.lob, e.product)) e WHERE e.id IS NOT NULL GROUP BY e.id");
    keys(sql, "e");
    sql.push(")");
}

fn sql(question: &MetricQuestion, audience: Audience) -> Sql {
    let seen = seen("financial_metrics", audience);
    let period = question.period;
    let bucket = match period {
        ReportingPeriod::Month | ReportingPeriod::YearToDate | ReportingPeriod::LastTwelveMonths => Bucket::Month,
        ReportingPeriod::Quarter => Bucket::FiscalQuarter,
        ReportingPeriod::Year => Bucket::FiscalYear,
    };
    let mut sql = Sql::new();
    sql.push("WITH o AS (SELECT ").append(&today()).push(" AS today), k AS (");
    kinds(&mut sql, &question.metrics);
    // The day that the period is of.
    sql.push("), e AS (SELECT coalesce(");
    match question.day {
        Some(day) => {
            sql.value(Kind::Date, day.to_string());
        }
        None => {
            sql.push("(SELECT max(t.metric_date) FROM financial_metrics t WHERE ").append(&seen);
            let running = first_of(bucket, "o.today");
            sql.push(" AND t.actual_value IS NOT NULL AND t.metric_type = ANY(ARRAY(SELECT kind FROM k)) AND t.metric_date < (SELECT ");
            sql.append(&running).push(" FROM o)), (SELECT ").append(&running).push(" - 1 FROM o)");
        }
    }
    sql.push(") AS day), p AS (SELECT ");
    match period {
        ReportingPeriod::YearToDate => sql.append(&first_of(Bucket::FiscalYear, "e.day")),
        ReportingPeriod::LastTwelveMonths => {
            sql.push("(").append(&first_of(bucket, "e.day")).push(" - interval '11 months')::date")
        }
        _ => sql.append(&first_of(bucket, "e.day")),
    };
    sql.push(" AS first, (")
        .append(&first_of(bucket, "e.day"))
        .push(" + interval '")
        .push(bucket.length())
        .push("')::date");
    sql.push(" AS next FROM e), w AS (SELECT v.off, (p.first - make_interval(months => v.off))::date AS first, (p.next - make_interval(months => v.off))::date AS next FROM p, unnest(");
    let months = question.months_earlier.iter().map(ToString::to_string).collect();
    sql.values(Kind::Int, months).push(") v(off)), ");
    recorded(&mut sql, &seen, question.by);
    weighted(&mut sql, question.by);
    totals(&mut sql);
    sql
}

/// Has PostgreSQL take rows for many. It knows nothing of the periods when it plans, would take what is in them for a row or two, and would join those
/// one by one; a function that it takes for a thousand rows, and that has one, has it hash them, however many there are.
const MANY: &str = " CROSS JOIN regexp_split_to_table('', ' ')";

/// `m`: the rows of the metrics and of what they are weighted by; and `x`: those of the metrics, with what stands beneath another taken out.
fn recorded(sql: &mut Sql, seen: &Sql, by: Option<Dimension>) {
    sql.push(
        "m AS MATERIALIZED (SELECT t.id, t.metric_type, t.metric_date, date_trunc('month', t.metric_date::timestamp)::date AS month, t.currency, t.region, t.lob, t.product, \
         t.actual_value AS a, t.budget_value AS b, t.forecast_value AS f, \
         (t.region IS NULL)::int + 2 * (t.lob IS NULL)::int + 4 * (t.product IS NULL)::int AS level \
         FROM financial_metrics t",
    );
    sql.push(MANY).push(" WHERE ").append(seen).push(
        " AND t.metric_type = ANY(ARRAY(SELECT kind FROM k UNION SELECT base FROM k UNION SELECT second FROM k)) \
         AND t.metric_date >= (SELECT min(first) FROM w) AND t.metric_date < (SELECT max(next) FROM w)), \
         dv AS MATERIALIZED (SELECT m.* FROM m JOIN (SELECT metric_type FROM m GROUP BY metric_type HAVING min(level) <> max(level)) d USING (metric_type)), \
         l AS MATERIALIZED (SELECT DISTINCT metric_type, level FROM dv",
    );
    if let Some(by) = by {
        sql.push(" WHERE level & ").number(by.column().1).push(" = 0");
    }
    sql.push("), h AS ");
    stood_above(&mut *sql, "dv", "l", &[], "");
    sql.push(
        ", \
         v AS (SELECT m.*, CASE WHEN h.a IS NOT TRUE THEN m.a END AS ta, CASE WHEN h.b IS NOT TRUE THEN m.b END AS tb, \
         CASE WHEN h.f IS NOT TRUE THEN m.f END AS tf FROM m LEFT JOIN h USING (id) WHERE m.metric_type = ANY(ARRAY(SELECT kind FROM k))",
    );
    if let Some(by) = by {
        // What is asked for by region is not told by what is recorded without one.
        sql.push(" AND m.level & ").number(by.column().1).push(" = 0");
    }
    sql.push("), d AS (SELECT metric_type, currency, month");
    for (value, level) in [("ta", " AS la"), ("tb", " AS lb"), ("tf", " AS lf")] {
        sql.push(", mode() WITHIN GROUP (ORDER BY level) FILTER (WHERE ").push(value).push(" IS NOT NULL)").push(level);
    }
    sql.push(
        " FROM v GROUP BY metric_type, currency, month), \
         x AS MATERIALIZED (SELECT v.metric_type, v.metric_date, v.month, v.currency, v.region, v.lob, v.product, v.level",
    );
    for (value, level, name) in [("ta", "la", " AS a"), ("tb", "lb", " AS b"), ("tf", "lf", " AS f")] {
        sql.push(", CASE WHEN v.level & ").column("d", level).push(" IN (v.level, ").column("d", level).push(") THEN ");
        sql.column("v", value).push(" END").push(name);
    }
    sql.push(
        ", v.ta IS NOT NULL AND v.level & d.la NOT IN (v.level, d.la) AS other FROM v JOIN d USING (metric_type, currency, month)",
    );
    sql.push(MANY).push("), ");
}

/// `y`: the rows of the metrics, each ratio with what it is a share of in its month: that of the same region, line and product, or else the sum
/// of what is recorded beneath; whatever totals stand above both.
fn weighted(sql: &mut Sql, by: Option<Dimension>) {
    sql.push(
        "n AS (SELECT DISTINCT k.kind, b.base, x.level, x.level AS of, b.place FROM x JOIN k ON k.kind = x.metric_type \
         CROSS JOIN LATERAL (VALUES (k.base, 1), (k.second, 2)) b(base, place) WHERE b.base IS NOT NULL), \
         c AS (SELECT m.*",
    );
    for (value, name) in [("a", " AS ka"), ("b", " AS kb"), ("f", " AS kf")] {
        // Of a stock that is recorded several times in a month the last counts.
        sql.push(", m.metric_type NOT IN (");
        Kinds::labels(sql, Nature::Stock);
        sql.push(") OR m.metric_date = max(m.metric_date) FILTER (WHERE ").column("m", value);
        sql.push(" IS NOT NULL) OVER ser").push(name);
    }
    sql.push(" FROM m").push(MANY).push(
        " WHERE m.metric_type = ANY(ARRAY(SELECT base FROM n)) \
         WINDOW ser AS (PARTITION BY m.metric_type, m.month, m.currency, m.region, m.lob, m.product)), \
         dc AS MATERIALIZED (SELECT c.* FROM c JOIN (SELECT metric_type FROM c GROUP BY metric_type HAVING min(level) <> max(level)) d USING (metric_type)), \
         j AS MATERIALIZED (SELECT DISTINCT metric_type, level FROM dc), \
         i AS ",
    );
    stood_above(&mut *sql, "dc", "j", &["kind", "place", "of"], " AND l.level & ~n.level = 0");
    sql.push(
        ", \
         s AS (SELECT n.kind, n.level, n.place, c.month, c.currency, CASE WHEN n.level & 1 = 0 THEN c.region ELSE '' END AS region, \
         CASE WHEN n.level & 2 = 0 THEN c.lob ELSE '' END AS lob, CASE WHEN n.level & 4 = 0 THEN c.product ELSE '' END AS product, \
         sum(c.a) FILTER (WHERE c.ka AND i.a IS NOT TRUE) AS a, sum(c.b) FILTER (WHERE c.kb AND i.b IS NOT TRUE) AS b, \
         sum(c.f) FILTER (WHERE c.kf AND i.f IS NOT TRUE) AS f \
         FROM n JOIN c ON c.metric_type = n.base AND c.level & ~n.level = 0 \
         LEFT JOIN i ON i.kind = n.kind AND i.of = n.of AND i.place = n.place AND i.id = c.id GROUP BY 1, 2, 3, 4, 5, 6, 7, 8), \
         y AS (SELECT x.metric_type, k.nature, x.metric_date, x.month, x.currency, x.region, x.lob, x.product, x.other, ",
    );
    match by {
        Some(by) => sql.column("x", by.column().0).push("::text"),
        None => sql.push("NULL::text"),
    };
    sql.push(
        " AS slice, x.a, x.b, x.f, coalesce(s1.a, s2.a) AS wa, coalesce(s1.b, s2.b) AS wb, coalesce(s1.f, s2.f) AS wf \
         FROM x JOIN k ON k.kind = x.metric_type",
    );
    for (alias, place) in [("s1", 1), ("s2", 2)] {
        sql.push(" LEFT JOIN s ").push(alias).push(" ON ").push(alias).push(".place = ").number(place);
        for (column, other) in
            [("kind", "metric_type"), ("level", "level"), ("month", "month"), ("currency", "currency")]
        {
            sql.push(" AND ").column(alias, column).push(" = ").column("x", other);
        }
        for column in ["region", "lob", "product"] {
            sql.push(" AND ").column(alias, column).push(" = coalesce(").column("x", column).push(", '')");
        }
    }
    sql.push("), ");
}

/// The figures of each period, by the nature of the metric.
fn totals(sql: &mut Sql) {
    // Of each series of a stock the last row of the month counts; of all of them the last month with an actual value.
    sql.push("z AS (SELECT y.*, w.off, bool_or(y.a IS NOT NULL) OVER mon AS in_month, bool_or(y.a IS NOT NULL) OVER per AS in_period");
    for (value, month, day) in
        [("a", " AS month_a", " AS day_a"), ("b", " AS month_b", " AS day_b"), ("f", " AS month_f", " AS day_f")]
    {
        sql.push(", max(y.month) FILTER (WHERE ").column("y", value).push(" IS NOT NULL) OVER per").push(month);
        sql.push(", max(y.metric_date) FILTER (WHERE ").column("y", value).push(" IS NOT NULL) OVER ser").push(day);
    }
    sql.push(
        " FROM y JOIN w ON y.metric_date >= w.first AND y.metric_date < w.next \
         WINDOW per AS (PARTITION BY y.metric_type, y.currency, w.off), mon AS (PARTITION BY y.metric_type, y.currency, w.off, y.month), \
         ser AS (PARTITION BY y.metric_type, y.currency, w.off, y.month, y.region, y.lob, y.product)), \
         q AS (SELECT z.off, z.metric_type, z.nature, z.currency, z.slice, z.other, z.wa, z.wb, z.wf",
    );
    for (value, month, day, name) in
        [("a", "month_a", "day_a", " AS a"), ("b", "month_b", "day_b", " AS b"), ("f", "month_f", "day_f", " AS f")]
    {
        sql.push(", CASE WHEN z.nature <> 'stock' THEN ");
        if value == "a" {
            sql.push("z.a");
        } else {
            sql.push("CASE WHEN z.in_month OR NOT z.in_period THEN ").column("z", value).push(" END");
        }
        sql.push(" WHEN z.month = coalesce(z.month_a, ")
            .column("z", month)
            .push(") AND z.metric_date = ")
            .column("z", day);
        sql.push(" THEN ").column("z", value).push(" END").push(name);
    }
    sql.push(" FROM z), r AS (SELECT q.off, q.metric_type, q.currency, q.slice, count(q.a)::integer AS values, bool_or(q.other) AS other");
    for (value, weight, as_value, as_weight) in
        [("a", "wa", " AS a", " AS wa"), ("b", "wb", " AS b", " AS wb"), ("f", "wf", " AS f", " AS wf")]
    {
        let is_weighted = |sql: &mut Sql| {
            sql.push("bool_and(").column("q", weight).push(" IS NOT NULL) FILTER (WHERE ").column("q", value);
            sql.push(" IS NOT NULL) AND sum(")
                .column("q", weight)
                .push(") FILTER (WHERE ")
                .column("q", value)
                .push(" IS NOT NULL) <> 0");
        };
        sql.push(", CASE WHEN q.nature <> 'ratio' THEN sum(").column("q", value).push(") ELSE CASE WHEN ");
        is_weighted(sql);
        sql.push(" THEN round(sum(")
            .column("q", value)
            .push(" * ")
            .column("q", weight)
            .push(") / sum(")
            .column("q", weight);
        sql.push(") FILTER (WHERE ").column("q", value).push(" IS NOT NULL), 10) ELSE round(avg(").column("q", value);
        sql.push("), 10) END END").push(as_value);
        sql.push(", CASE WHEN q.nature = 'ratio' AND ");
        is_weighted(sql);
        sql.push(" THEN sum(")
            .column("q", weight)
            .push(") FILTER (WHERE ")
            .column("q", value)
            .push(" IS NOT NULL) END")
            .push(as_weight);
    }
    sql.push(
        " FROM q GROUP BY q.off, q.metric_type, q.currency, q.slice, q.nature) \
         SELECT w.off, w.first, w.next - 1 AS last, w.next <= o.today AS is_complete, r.metric_type::text, r.currency::text, r.slice, \
         r.values, coalesce(r.other, false) AS other, r.a, r.b, r.f, r.wa, r.wb, r.wf FROM w CROSS JOIN o LEFT JOIN r USING (off) \
         ORDER BY w.off, r.metric_type, r.currency, r.slice COLLATE natural_order",
    );
}
