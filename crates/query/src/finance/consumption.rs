//! How much of the budgets is used up: what departments were granted against what they have cost, each with those below it.

use aether_entity::catalog::Kind;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::seen;
use crate::{
    actor::Audience,
    error::Result,
    read::{Reader, fiscal_shift, today},
    sql::Sql,
};

/// A department's budget and costs in a fiscal year, of one category or of all.
#[derive(Debug, Clone)]
pub struct Consumption {
    /// The department.
    pub department: Uuid,
    /// Its name.
    pub name: String,
    /// The one above it, if the actor sees it.
    pub parent: Option<Uuid>,
    /// How many are above it.
    pub depth: i32,
    /// One of [`CATEGORIES`]; none for all.
    pub category: Option<String>,
    /// What was granted it and those below it for the year.
    pub budget: Option<Decimal>,
    /// What of that was granted for the months for which there are costs.
    pub budget_to_date: Option<Decimal>,
    /// What they have cost.
    pub actual: Option<Decimal>,
    /// What was granted the department itself.
    pub own_budget: Option<Decimal>,
    /// What it has cost itself.
    pub own_actual: Option<Decimal>,
    /// The last month for which there are costs; none without any.
    pub through: Option<NaiveDate>,
}

/// The categories of costs. A line of a budget is of the one that it is called after, else of the last.
pub const CATEGORIES: [&str; 5] = ["payroll", "software", "travel", "marketing", "other"];

impl Reader {
    /// The consumption of the approved budgets of a fiscal year, as of a day: today unless given. A fiscal year is called after the calendar year
    /// in which it ends.
    pub async fn budget_consumption(&self, fiscal_year: i32, day: Option<NaiveDate>) -> Result<Vec<Consumption>> {
        let rows = self.rooted(|audience| sql(fiscal_year, day, audience)).await?;
        let mut told = Vec::new();
        for row in rows.iter() {
            let Some(department) = row.get::<Option<Uuid>>("department")? else { continue };
            told.push(Consumption {
                department,
                name: row.get("name")?,
                parent: row.get("parent")?,
                depth: row.get("depth")?,
                category: row.get("category")?,
                budget: row.get("budget")?,
                budget_to_date: row.get("budget_to_date")?,
                actual: row.get("actual")?,
                own_budget: row.get("own_budget")?,
                own_actual: row.get("own_actual")?,
                through: row.get("through")?,
            });
        }
        Ok(told)
    }
}

fn sql(fiscal_year: i32, day: Option<NaiveDate>, audience: Audience) -> Sql {
    let mut sql = Sql::new();
    // The year that ends in the one that it is called after.
    sql.push("WITH RECURSIVE y AS (SELECT f.first, (f.first + interval '1 year')::date AS next, ");
    match day {
        Some(day) => sql.value(Kind::Date, day.to_string()),
        None => sql.append(&today()),
    };
    sql.push(" AS day FROM (SELECT (make_date(").int(fiscal_year).push(", 1, 1) + s.shift - CASE WHEN s.shift > interval '0' THEN interval '1 year' ELSE interval '0' END)::date AS first FROM (SELECT ");
    sql.append(&fiscal_shift())
        .push(" AS shift) s) f), d AS (SELECT t.id, t.name, t.parent_id FROM departments t WHERE ");
    sql.append(&seen("departments", audience));
    // Costs are not recorded by region: beside the budgets of one they would say nothing.
    if audience.is_confined_to_a_region() {
        sql.push(" AND false");
    }
    sql.push("), tree (top, id, depth) AS (SELECT d.id, d.id, 0 FROM d UNION SELECT tree.top, d.id, tree.depth + 1 FROM tree JOIN d ON d.parent_id = tree.id), ");
    // Of several versions that were approved the newest counts.
    sql.push("b AS (SELECT DISTINCT ON (t.department_id) t.id, t.department_id FROM budgets t WHERE ");
    sql.append(&seen("budgets", audience));
    sql.push(" AND t.fiscal_year = ").int(fiscal_year).push(
        " AND t.status IN ('approved', 'locked') AND t.department_id IS NOT NULL \
         ORDER BY t.department_id, t.approved_at DESC NULLS LAST, t.created_at DESC, t.id), \
         c AS (SELECT t.* FROM department_costs t CROSS JOIN y WHERE ",
    );
    sql.append(&seen("department_costs", audience));
    sql.push(" AND t.period_date >= y.first AND t.period_date < y.next AND t.period_date <= y.day), m AS (SELECT max(c.period_date) AS through, ");
    sql.push(
        "coalesce(extract(year FROM age(date_trunc('month', max(c.period_date)::timestamp), y.first)) * 12 \
         + extract(month FROM age(date_trunc('month', max(c.period_date)::timestamp), y.first)) + 1, 0)::integer AS months \
         FROM y LEFT JOIN c ON true GROUP BY y.first), ",
    );
    sql.push("granted AS (SELECT b.department_id, CASE WHEN lower(l.category) = ANY(")
        .values(Kind::Text, CATEGORIES.map(str::to_owned).to_vec());
    sql.push(
        ") THEN lower(l.category) ELSE 'other' END AS category, sum(l.annual_amount) AS budget, \
         sum(l.q1_amount * least(greatest(m.months, 0), 3) + l.q2_amount * least(greatest(m.months - 3, 0), 3) \
         + l.q3_amount * least(greatest(m.months - 6, 0), 3) + l.q4_amount * least(greatest(m.months - 9, 0), 3)) / 3 AS to_date \
         FROM b JOIN budget_line_items l ON l.budget_id = b.id CROSS JOIN m GROUP BY 1, 2), \
         spent AS (SELECT c.department_id, v.category, sum(v.amount) AS actual FROM c CROSS JOIN LATERAL (VALUES ('payroll', c.payroll), \
         ('software', c.software), ('travel', c.travel), ('marketing', c.marketing), ('other', c.other)) v(category, amount) GROUP BY 1, 2), \
         own AS (SELECT coalesce(granted.department_id, spent.department_id) AS department_id, category, granted.budget, granted.to_date, \
         spent.actual FROM granted FULL JOIN spent USING (department_id, category)) \
         SELECT d.id AS department, d.name, p.id AS parent, (SELECT max(up.depth) FROM tree up WHERE up.id = d.id) AS depth, own.category, \
         sum(own.budget) AS budget, round(sum(own.to_date), 2) AS budget_to_date, sum(own.actual) AS actual, \
         sum(own.budget) FILTER (WHERE tree.id = d.id) AS own_budget, sum(own.actual) FILTER (WHERE tree.id = d.id) AS own_actual, m.through \
         FROM d LEFT JOIN d p ON p.id = d.parent_id JOIN tree ON tree.top = d.id JOIN own ON own.department_id = tree.id CROSS JOIN m \
         GROUP BY d.id, d.name, p.id, m.through, GROUPING SETS ((own.category), ()) \
         ORDER BY depth, d.name COLLATE natural_order, d.id, array_position(ARRAY['payroll', 'software', 'travel', 'marketing', 'other'], own.category) NULLS FIRST",
    );
    sql
}
