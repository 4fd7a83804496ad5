//! The queries, and whether two answers say the same.

use sea_orm::prelude::DateTimeWithTimeZone;
use serde_json::{Value, json};

use super::load::CONNECTIONS;

/// The kinds of metrics on the dashboard.
pub const METRIC_TYPES: [&str; 4] = ["REVENUE", "EBITDA", "OPERATING_EXPENSE", "NET_INCOME"];

/// A query of the benchmark. The baseline has it under its name.
pub struct Query {
    pub name: &'static str,
    /// How many rows its innermost lists have together.
    pub rows: usize,
    /// Over how many connections it is asked for. A statement over many rows takes several processors at once, where others leave it any.
    pub connections: u32,
    graphql: &'static str,
}

pub const QUERIES: [Query; 5] = [
    Query {
        name: "document",
        rows: 5 * 20 * 10 * 5,
        connections: CONNECTIONS,
        graphql: "query Document {
            workspaces(first: 5) { nodes { id name currency amount
                clauses(first: 20) { nodes { id title orderIndex type
                    variables(first: 10) { nodes { id label value baselineValue
                        graphNodes(first: 5) { nodes { id label type hasDrift } } } } } } } }
        }",
    },
    Query {
        name: "deals",
        rows: 50 * 5,
        connections: CONNECTIONS,
        graphql: "query Deals {
            deals(first: 50) { nodes { id name stage value probability expectedCloseDate
                owner { id name }
                history(first: 5) { nodes { fieldChanged oldValue newValue changedAt } } } }
        }",
    },
    Query {
        name: "workspace",
        rows: 1,
        connections: CONNECTIONS,
        graphql: "query Workspace($id: UUID!) { workspace(id: $id) { id name currency amount standard createdAt } }",
    },
    Query {
        name: "metrics",
        rows: 288,
        connections: CONNECTIONS,
        graphql: "query Metrics($types: [MetricType!]!, $since: Date!) {
            financialMetrics(first: 288, filter: {metricType: {in: $types}, metricDate: {gte: $since}}) {
                nodes { id metricDate metricType region actualValue forecastValue budgetValue } }
        }",
    },
    // A million rows and some of the demo data, by month and region.
    Query {
        name: "groups",
        rows: 42 * 5,
        connections: 1,
        graphql: "query Groups {
            financialMetrics(filter: {metricType: {eq: CASH_FLOW}, currency: {eq: \"USD\"}}) {
                groups(by: [{metricDate: {bucket: MONTH}}, {region: {}}], first: 500) {
                    nodes { key { metricDate region } count actualValue { sum } } } }
        }",
    },
];

/// The body of a request for the document's four levels of so many workspaces.
pub fn document(workspaces: usize) -> String {
    let graphql = QUERIES[0].graphql.replacen("workspaces(first: 5)", &format!("workspaces(first: {workspaces})"), 1);
    json!({ "query": graphql }).to_string()
}

impl Query {
    /// The body of its request.
    pub fn body(&self, workspace: &str, metrics_since: &str) -> String {
        let variables = match self.name {
            "workspace" => json!({ "id": workspace }),
            "metrics" => json!({ "types": METRIC_TYPES, "since": metrics_since }),
            _ => json!({}),
        };
        json!({ "query": self.graphql, "variables": variables }).to_string()
    }
}

/// How many rows the innermost lists have; one where there is none.
pub fn rows(answer: &Value) -> usize {
    fn innermost(value: &Value) -> Option<usize> {
        let inner = |values: &mut dyn Iterator<Item = &Value>| values.filter_map(innermost).reduce(|a, b| a + b);
        match value {
            Value::Array(items) => Some(inner(&mut items.iter()).unwrap_or(items.len())),
            Value::Object(fields) => inner(&mut fields.values()),
            _ => None,
        }
    }
    innermost(answer).unwrap_or(1)
}

/// Where two answers differ first. Moments may be spelled differently.
pub fn difference(ours: &Value, theirs: &Value, path: &str) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) if a.keys().eq(b.keys()) => {
            a.iter().find_map(|(key, value)| difference(value, &b[key], &format!("{path}.{key}")))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(i, (a, b))| difference(a, b, &format!("{path}[{i}]")))
        }
        (a, b) if a == b => None,
        (Value::String(a), Value::String(b)) if matches!((moment(a), moment(b)), (Some(a), Some(b)) if a == b) => None,
        (a, b) => Some(format!("{path}: the gateway says {}, the baseline {}", brief(a), brief(b))),
    }
}

fn moment(text: &str) -> Option<DateTimeWithTimeZone> {
    DateTimeWithTimeZone::parse_from_rfc3339(text).ok()
}

fn brief(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn innermost_rows_are_counted() {
        assert_eq!(rows(&json!({ "a": { "nodes": [{ "b": { "nodes": [1, 2] } }, { "b": { "nodes": [3] } }] } })), 3);
        assert_eq!(rows(&json!({ "a": { "nodes": [{ "id": 1 }] } })), 1);
        assert_eq!(rows(&json!({ "a": { "id": 1 } })), 1);
    }

    #[test]
    fn only_the_spelling_of_moments_may_differ() {
        let a = json!({ "at": ["2026-11-22T09:30:00.100000Z"], "id": 1 });
        assert_eq!(difference(&a, &json!({ "at": ["2026-11-22T09:30:00.1+00:00"], "id": 1 }), ""), None);
        assert!(difference(&a, &json!({ "at": ["2026-11-22T09:30:01+00:00"], "id": 1 }), "").is_some());
        assert!(difference(&a, &json!({ "at": [], "id": 1 }), "").is_some());
        assert!(difference(&a, &json!({ "at": ["2026-11-22T09:30:00.1+00:00"] }), "").is_some());
    }
}
