//! The lines in which metrics are imported, read from CSV.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::Kind;
use crate::{
    sheet::{self, Cells, Column, Line, LineError, MOST_PROBLEMS},
    spelling,
};

/// How many lines an import takes.
pub const MOST_LINES: usize = 50_000;

/// What a value of the series stands for: no two values of an organization have the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricKey {
    /// The date of the period.
    pub date: NaiveDate,
    /// The kind of metric.
    pub kind: Kind,
    /// The region, unless it is for all.
    pub region: Option<String>,
    /// The line of business, unless it is for all.
    pub lob: Option<String>,
    /// The product, unless it is for all.
    pub product: Option<String>,
}

impl MetricKey {
    /// The same for all spellings of its names.
    fn spelled_alike(&self) -> Self {
        let key = |name: &Option<String>| name.as_deref().map(spelling::key);
        Self {
            date: self.date,
            kind: self.kind,
            region: key(&self.region),
            lob: key(&self.lob),
            product: key(&self.product),
        }
    }
}

/// A forecast; its interval and its model belong to it, and a new one brings its own or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// What is expected.
    pub value: Decimal,
    /// The lower end of its confidence interval.
    pub lower: Option<Decimal>,
    /// The upper end, never below the lower.
    pub upper: Option<Decimal>,
    /// The model that made it.
    pub model: Option<String>,
}

/// A line of an import. What is `None` is not said, and leaves what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricLine {
    /// Its place in the text, counting from 1, which is the header.
    pub line: u64,
    /// What it is a value of.
    pub key: MetricKey,
    /// What was achieved.
    pub actual: Option<Decimal>,
    /// What is expected.
    pub forecast: Option<Forecast>,
    /// What was planned.
    pub budget: Option<Decimal>,
    /// The currency of its amounts, ISO 4217.
    pub currency: Option<String>,
}

const COLUMNS: [Column; 12] = [
    Column { name: "date", aliases: &["metric_date", "period", "month"], required: true },
    Column { name: "metric_type", aliases: &["metric", "type", "kpi"], required: true },
    Column { name: "region", aliases: &[], required: false },
    Column { name: "lob", aliases: &["line_of_business", "business_line"], required: false },
    Column { name: "product", aliases: &["product_line"], required: false },
    Column { name: "actual", aliases: &["actual_value", "actuals"], required: false },
    Column { name: "forecast", aliases: &["forecast_value"], required: false },
    Column { name: "budget", aliases: &["budget_value", "plan"], required: false },
    Column { name: "confidence_lower", aliases: &["forecast_lower", "lower"], required: false },
    Column { name: "confidence_upper", aliases: &["forecast_upper", "upper"], required: false },
    Column { name: "forecast_model", aliases: &["model"], required: false },
    Column { name: "currency", aliases: &["currency_code"], required: false },
];

/// Reads the CSV of an import of metrics.
///
/// # Errors
/// What is wrong, line by line: at most [`MOST_PROBLEMS`].
pub fn parse_metrics(text: &str) -> Result<Vec<MetricLine>, Vec<LineError>> {
    let lines = sheet::read(text, &COLUMNS, MOST_LINES)?;
    let (read, problems) = of_lines(&lines, MOST_PROBLEMS);
    if problems.is_empty() { Ok(read) } else { Err(problems) }
}

/// The same, taking what is right although other lines are wrong, and telling all that is wrong with those.
///
/// # Errors
/// What is wrong with the text as a whole: its header, or that it is too long.
pub fn parse_some_metrics(text: &str) -> Result<(Vec<MetricLine>, Vec<LineError>), Vec<LineError>> {
    let (lines, mut problems) = sheet::read_some(text, &COLUMNS, MOST_LINES)?;
    let (read, more) = of_lines(&lines, usize::MAX);
    problems.extend(more);
    problems.sort_by_key(|problem| problem.line);
    Ok((read, problems))
}

/// The lines that are right, and what is wrong with others, counted as far as said.
fn of_lines(lines: &[Line], most_problems: usize) -> (Vec<MetricLine>, Vec<LineError>) {
    let twice = |line, first| {
        let message =
            format!("Line {first} has a value for the same date, metric, region, line of business and product.");
        LineError::new(line, "", message)
    };
    sheet::rows(lines, &COLUMNS, most_problems, of_line, |metric| metric.key.spelled_alike(), twice)
}

/// One line; `None` if it is wrong, which is then noted.
fn of_line(cells: &mut Cells<'_>) -> Option<MetricLine> {
    let date = cells.needed(0).and_then(|_| cells.date(0));
    let kind = kind(cells, 1);
    let [region, lob, product] = [(2, 50), (3, 50), (4, 100)].map(|(column, most)| cells.spelled(column, most));
    let [actual, value, budget, lower, upper] = [5, 6, 7, 8, 9].map(|column| cells.amount(column));
    let model = cells.text(10, 100);
    let currency = cells.currency(11);
    if !cells.are_right() {
        return None;
    }
    if actual.is_none() && value.is_none() && budget.is_none() {
        cells.wrong(5, "This line has no value. Give an actual, a forecast or a budget.");
    }
    if value.is_none() && (lower.is_some() || upper.is_some() || model.is_some()) {
        cells.wrong(6, "A confidence interval or a model needs the forecast that it belongs to.");
    }
    if lower.zip(upper).is_some_and(|(lower, upper)| lower > upper) {
        cells.wrong(9, "The upper end of the confidence interval is below the lower one.");
    }
    Some(MetricLine {
        line: cells.line(),
        key: MetricKey { date: date?, kind: kind?, region, lob, product },
        actual,
        forecast: value.map(|value| Forecast { value, lower, upper, model }),
        budget,
        currency,
    })
}

fn kind(cells: &mut Cells<'_>, column: usize) -> Option<Kind> {
    let kind = Kind::read(cells.needed(column)?);
    if kind.is_none() {
        let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        cells.wrong(column, format!("There is no such metric. Metrics are: {}.", names.join(", ")));
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_line_and_column() {
        let text = "date,metric_type,actual,forecast,confidence_lower,confidence_upper,currency\n\
                    2026-01,REVENUE,1,,,,USD\n\
                    2026-01-01,revenue,2,,,,\n\
                    2026-13,PROFIT,x,,,,usd\n\
                    2026-02,MRR,,,,,\n\
                    2026-02,MRR,,1,3,2,\n\
                    2026-02,MRR,1,,3,,\n\
                    ,,1,,,,\n";
        let problems = parse_metrics(text).expect_err("much is wrong");
        let told: Vec<_> = problems.iter().map(|problem| (problem.line, problem.field.as_str())).collect();
        assert_eq!(
            told,
            [
                (3, ""),
                (4, "date"),
                (4, "metric_type"),
                (4, "actual"),
                (4, "currency"),
                (5, "actual"),
                (6, "confidence_upper"),
                (7, "forecast"),
                (8, "date"),
                (8, "metric_type"),
            ]
        );
    }
}
