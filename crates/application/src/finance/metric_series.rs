//! Metrics in bulk: what an import or a synchronization brings, merged into the series by natural key.
//!
//! A few statements whatever the number of lines: the rows that are there are read and locked, the difference is worked out
//! here, and what is new and what differs is written by one statement each.

#![expect(clippy::disallowed_methods, reason = "an import is written by a few statements whatever its length")]

use std::collections::{BTreeSet, HashMap};

use aether_domain::{
    metric::{self, MetricLine},
    sheet::{LineError, MOST_PROBLEMS},
};
use aether_entity::{catalog::Kind, financial_metrics};
use aether_store::{
    Error, Result,
    sql::Sql,
    write::{Change, MOST_LISTED},
};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, sea_query::LockType};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{metric_log, spelling};
use crate::imported::Imported;

/// Lines with their names as they were spelled first, and the series locked against other imports of its organization, so that none
/// spells them anew.
pub struct Lines(Vec<MetricLine>);

impl Lines {
    /// Spells the names of lines so, for as long as the change runs.
    pub async fn settle(c: &Change, mut lines: Vec<MetricLine>) -> Result<Self> {
        lock(c).await?;
        spelling::settle(c, &mut lines).await?;
        Ok(Self(lines))
    }

    /// Leaves out the lines with these numbers.
    pub fn leave_out(&mut self, numbers: &BTreeSet<u64>) {
        self.0.retain(|line| !numbers.contains(&line.line));
    }

    /// Leaves out all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Locks the series of the actor's organization against imports.
pub(super) async fn lock(c: &Change) -> Result<()> {
    let mut lock = Sql::new();
    lock.push("SELECT pg_advisory_xact_lock(hashtext('upsert_metrics'), hashtext(")
        .text(c.actor().organization_id.to_string())
        .push("))");
    c.run_sql(&lock).await?;
    Ok(())
}

/// How many of these metrics the actor sees, locked.
pub(super) async fn seen(c: &Change, ids: &[Uuid]) -> Result<usize> {
    let wanted = financial_metrics::Entity::find()
        .filter(financial_metrics::Column::Id.is_in(ids.iter().copied()))
        .lock(LockType::NoKeyUpdate);
    Ok(c.all(wanted).await?.len())
}

/// The values of a row.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
struct Values {
    actual_value: Option<Decimal>,
    forecast_value: Option<Decimal>,
    budget_value: Option<Decimal>,
    confidence_lower: Option<Decimal>,
    confidence_upper: Option<Decimal>,
    forecast_model: Option<String>,
    currency: Option<String>,
    source_system: Option<String>,
}

/// A row that is there.
#[derive(FromQueryResult)]
struct Known {
    line: i32,
    id: Uuid,
    #[sea_orm(nested)]
    values: Values,
}

/// A row to write: the line that asks for it, what it was, and what it will be.
struct Edit<'a> {
    line: &'a MetricLine,
    id: Uuid,
    before: Option<Values>,
    after: Values,
}

/// Merges lines into the series of the actor's organization. A value that a line does not give stays as it is; a forecast
/// brings its interval and its model. Tells the counts, and the id by which it can be taken back, if it wrote anything. The audit row tells the counts and the rows, one event tells that there was an
/// import; lines that say what is known leave neither.
///
/// # Errors
/// [`Error::Lines`] where a line is of a region that the actor does not see, or would change the currency of values that
/// it does not give.
pub async fn upsert(c: &Change, lines: &Lines, source: Option<&str>) -> Result<(Imported, Option<Uuid>)> {
    let (edits, counts) = difference(c, &lines.0, source).await?;
    let (new, changed): (Vec<_>, Vec<_>) = edits.iter().partition(|edit| edit.before.is_none());
    if !new.is_empty() {
        write(c, INSERT, &new).await?;
    }
    if !changed.is_empty() {
        write(c, UPDATE, &changed).await?;
    }
    if edits.is_empty() {
        return Ok((counts, None));
    }
    let import = Uuid::now_v7();
    metric_log::keep(c, import, source, counts, edits.iter().map(Edit::kept).collect()).await?;
    record(c, &edits, counts, import);
    Ok((counts, Some(import)))
}

/// What [`upsert`] would do, without doing it.
///
/// # Errors
/// The same.
pub async fn compare(c: &Change, lines: &Lines, source: Option<&str>) -> Result<Imported> {
    let (_, counts) = difference(c, &lines.0, source).await?;
    Ok(Imported { dry_run: true, ..counts })
}

async fn difference<'a>(
    c: &Change,
    lines: &'a [MetricLine],
    source: Option<&str>,
) -> Result<(Vec<Edit<'a>>, Imported)> {
    let actor = c.actor();
    let mut problems = Vec::new();
    if let Some(region) = actor.confining_region() {
        for line in lines.iter().filter(|line| line.key.region.as_deref() != Some(region)).take(MOST_PROBLEMS) {
            let message =
                format!("Your view is confined to the region {region}, so you import rows of that region only.");
            problems.push(LineError::new(line.line, "region", message));
        }
    }
    refuse(problems)?;
    let mut known: HashMap<usize, Known> = HashMap::new();
    for row in stored(c, lines).await? {
        known.insert(usize::try_from(row.line).unwrap_or_default(), row);
    }
    let (mut edits, mut counts, mut problems) = (Vec::new(), Imported::default(), Vec::new());
    for (at, line) in lines.iter().enumerate() {
        match known.remove(&at) {
            None => {
                counts.inserted += 1;
                edits.push(Edit { line, id: Uuid::now_v7(), before: None, after: merged(None, line, source) });
            }
            Some(Known { id, values: before, .. }) => {
                if let Some(from) = mixed(&before, line) {
                    let message = format!(
                        "The row has values in {from} that this line does not give, so its currency cannot change. Give all."
                    );
                    problems.push(LineError::new(line.line, "currency", message));
                }
                let after = merged(Some(&before), line, source);
                if after == before {
                    counts.unchanged += 1;
                } else {
                    counts.updated += 1;
                    edits.push(Edit { line, id, before: Some(before), after });
                }
            }
        }
    }
    problems.truncate(MOST_PROBLEMS);
    refuse(problems)?;
    Ok((edits, counts))
}

/// The rows that the lines are about, locked.
async fn stored(c: &Change, lines: &[MetricLine]) -> Result<Vec<Known>> {
    let organization = c.actor().organization_id;
    let keys = lines.iter().enumerate().map(|(at, line)| {
        let key = &line.key;
        json!({ "line": at, "key": [key.date.to_string(), key.kind.as_str(), key.region, key.lob, key.product] })
    });
    let dates: BTreeSet<String> = lines.iter().map(|line| line.key.date.to_string()).collect();
    let kinds: BTreeSet<&str> = lines.iter().map(|line| line.key.kind.as_str()).collect();
    let mut sql = Sql::new();
    sql.push(
        "SELECT l.line, m.id, m.actual_value, m.forecast_value, m.budget_value, m.confidence_lower, \
                m.confidence_upper, m.forecast_model, m.currency, m.source_system \
           FROM jsonb_to_recordset(",
    )
    .json(keys.collect())
    .push(
        // One value, nulls included, so that lines meet rows by its hash, however many are of one date and metric.
        ") AS l (line int, key jsonb) \
           JOIN financial_metrics m ON jsonb_build_array(m.metric_date, m.metric_type, m.region, m.lob, m.product) = l.key \
          WHERE m.metric_date = ANY(",
    )
    .values(Kind::Date, dates.into_iter().collect())
    .push(") AND m.metric_type::text = ANY(")
    .values(Kind::Text, kinds.into_iter().map(str::to_owned).collect())
    .push(") AND m.organization_id = ")
    .uuid(organization)
    .push(" ORDER BY m.metric_date, m.id FOR NO KEY UPDATE OF m");
    let rows = c.run_sql(&sql).await?;
    Ok(rows.iter().map(|row| Known::from_query_result(row, "")).collect::<Result<_, _>>()?)
}

async fn write(c: &Change, (before, after): (&'static str, &'static str), edits: &[&Edit<'_>]) -> Result<()> {
    let rows = edits.iter().map(|edit| {
        let mut row = key(edit.line);
        row["id"] = edit.id.to_string().into();
        for (name, value) in edit.after.fields() {
            row[name] = value;
        }
        row
    });
    let organization = c.actor().organization_id;
    let mut sql = Sql::new();
    sql.push("WITH own AS (SELECT id, settings ->> 'currency' AS currency FROM organizations WHERE id = ")
        .uuid(organization)
        .push("), l AS (SELECT r.*, own.id AS organization_id, own.currency AS own_currency FROM own, jsonb_to_recordset(")
        .json(rows.collect())
        .push(
            ") AS r (id uuid, metric_date date, metric_type metric_type, region text, lob text, product text, \
             actual_value numeric, forecast_value numeric, budget_value numeric, confidence_lower numeric, \
             confidence_upper numeric, forecast_model text, currency text, source_system text)) ",
        )
        .push(before)
        .push(after);
    let written = c.run_sql(&sql).await?;
    // Somebody else wrote one of the rows in the meantime, by another way than this.
    if written.len() != edits.len() { Err(Error::Busy) } else { Ok(()) }
}

fn record(c: &Change, edits: &[Edit<'_>], counts: Imported, import: Uuid) {
    let kinds: BTreeSet<metric::Kind> = edits.iter().map(|edit| edit.line.key.kind).collect();
    let kinds: Vec<_> = kinds.into_iter().map(metric::Kind::as_str).collect();
    let summary = json!({
        "inserted": counts.inserted,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "metricTypes": kinds,
    });
    let shown = edits.iter().take(MOST_LISTED).map(Edit::shown);
    c.note("importId", import.to_string());
    c.note("metrics", summary.clone());
    c.note("rows", shown.collect::<Vec<_>>());
    if edits.len() > MOST_LISTED {
        c.note("rowsNotListed", edits.len() - MOST_LISTED);
    }
    c.announce("metric", c.actor().organization_id, "imported", summary);
}

const INSERT: (&str, &str) = (
    "INSERT INTO financial_metrics (id, organization_id, metric_date, metric_type, region, lob, product, actual_value, \
        forecast_value, budget_value, confidence_lower, confidence_upper, forecast_model, currency, source_system) \
     SELECT id, organization_id, metric_date, metric_type, region, lob, product, actual_value, forecast_value, budget_value, \
        confidence_lower, confidence_upper, forecast_model, coalesce(currency, own_currency, 'USD'), source_system ",
    "FROM l ORDER BY metric_date, id ON CONFLICT DO NOTHING RETURNING 1",
);

const UPDATE: (&str, &str) = (
    "UPDATE financial_metrics m SET actual_value = l.actual_value, forecast_value = l.forecast_value, \
        budget_value = l.budget_value, confidence_lower = l.confidence_lower, confidence_upper = l.confidence_upper, \
        forecast_model = l.forecast_model, currency = l.currency, source_system = l.source_system ",
    "FROM l WHERE m.id = l.id AND m.metric_date = l.metric_date AND m.organization_id = l.organization_id RETURNING 1",
);

fn refuse(problems: Vec<LineError>) -> Result<()> {
    if problems.is_empty() { Ok(()) } else { Err(Error::Lines(problems)) }
}

/// What a line is a value of, as the database's columns.
fn key(line: &MetricLine) -> Value {
    json!({
        "metric_date": line.key.date.to_string(),
        "metric_type": line.key.kind.as_str(),
        "region": line.key.region,
        "lob": line.key.lob,
        "product": line.key.product,
    })
}

/// The values after a line has been merged into them.
fn merged(before: Option<&Values>, line: &MetricLine, source: Option<&str>) -> Values {
    let mut values = before.cloned().unwrap_or(Values {
        actual_value: None,
        forecast_value: None,
        budget_value: None,
        confidence_lower: None,
        confidence_upper: None,
        forecast_model: None,
        currency: None,
        source_system: None,
    });
    values.actual_value = line.actual.or(values.actual_value);
    values.budget_value = line.budget.or(values.budget_value);
    if let Some(forecast) = &line.forecast {
        values.forecast_value = Some(forecast.value);
        values.confidence_lower = forecast.lower;
        values.confidence_upper = forecast.upper;
        values.forecast_model = forecast.model.clone();
    }
    values.currency = line.currency.clone().or(values.currency);
    values.source_system = source.map(ToOwned::to_owned).or(values.source_system);
    values
}

/// The currency of values that the line leaves as they are, if it names another.
fn mixed<'a>(before: &'a Values, line: &MetricLine) -> Option<&'a str> {
    let currency = before.currency.as_deref()?;
    let leaves = before.actual_value.is_some() && line.actual.is_none()
        || before.forecast_value.is_some() && line.forecast.is_none()
        || before.budget_value.is_some() && line.budget.is_none();
    (leaves && line.currency.as_deref().is_some_and(|to| to != currency)).then_some(currency)
}

impl Values {
    /// The columns with their values.
    fn fields(&self) -> [(&'static str, Value); 8] {
        // With the decimals of the column, so that the same number is the same text.
        let number = |value: Option<Decimal>| {
            Value::from(value.map(|mut value| {
                value.rescale(2);
                value.to_string()
            }))
        };
        [
            ("actual_value", number(self.actual_value)),
            ("forecast_value", number(self.forecast_value)),
            ("budget_value", number(self.budget_value)),
            ("confidence_lower", number(self.confidence_lower)),
            ("confidence_upper", number(self.confidence_upper)),
            ("forecast_model", self.forecast_model.clone().into()),
            ("currency", self.currency.clone().into()),
            ("source_system", self.source_system.clone().into()),
        ]
    }
}

impl Edit<'_> {
    /// The row with its values before, for whoever takes the import back.
    fn kept(&self) -> Value {
        let before = self
            .before
            .as_ref()
            .map(|before| Map::from_iter(before.fields().map(|(name, value)| (name.to_owned(), value))));
        json!({ "metric_id": self.id, "metric_date": self.line.key.date.to_string(), "before": before })
    }

    /// The row as the audit trail shows it: what it is, and the fields that changed.
    fn shown(&self) -> Value {
        use heck::ToLowerCamelCase;
        let (mut was, mut is) = (Map::new(), Map::new());
        let before = self.before.as_ref().map(Values::fields);
        for (at, (name, value)) in self.after.fields().into_iter().enumerate() {
            let old = before.as_ref().map_or(Value::Null, |fields| fields[at].1.clone());
            if old != value {
                was.insert(name.to_lower_camel_case(), old);
                is.insert(name.to_lower_camel_case(), value);
            }
        }
        let date: NaiveDate = self.line.key.date;
        let mut shown =
            json!({ "id": self.id, "metricDate": date.to_string(), "metricType": self.line.key.kind.as_str() });
        for (name, value) in
            [("region", &self.line.key.region), ("lob", &self.line.key.lob), ("product", &self.line.key.product)]
        {
            if let Some(value) = value {
                shown[name] = value.as_str().into();
            }
        }
        if self.before.is_some() {
            shown["before"] = was.into();
        }
        shown["after"] = is.into();
        shown
    }
}
