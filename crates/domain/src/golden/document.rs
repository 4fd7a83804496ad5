//! The document of a golden record: what is frozen, hashed and delivered.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::governance::Rules;

/// The format of the document, as it names itself and as its JSON Schema demands it.
pub const FORMAT: &str = "aether-nexus/golden-record/1";

/// The JSON Schema of the document, draft 2020-12.
pub const SCHEMA: &str = include_str!("record.schema.json");

/// A deal as it stands when it is frozen, its parts in the order in which the document has them.
#[derive(Debug, Clone)]
pub struct Deal<'a> {
    /// The number of the version: that of the publication, or of the last one for an export; 0 before the first.
    pub version: i32,
    /// When it is frozen, RFC 3339.
    pub frozen_at: &'a str,
    /// The integrity of the documentation, 0 to 1.
    pub integrity: Decimal,
    /// How many HIGH drift items are unresolved.
    pub unresolved_high_drift: u64,
    /// The identifier of the workspace.
    pub workspace_id: Uuid,
    /// The name of the deal.
    pub name: &'a str,
    /// The currency, ISO 4217.
    pub currency: &'a str,
    /// The facility amount in that currency.
    pub amount: Decimal,
    /// The documentation standard, such as LMA.
    pub standard: &'a str,
    /// The file name of the base agreement.
    pub base_pdf_name: Option<&'a str>,
    /// The rules under which it was drafted.
    pub rules: Rules,
    /// The clauses.
    pub clauses: Vec<Clause<'a>>,
    /// The bound terms.
    pub variables: Vec<Variable<'a>>,
    /// The covenants.
    pub covenants: Vec<Covenant<'a>>,
}

/// A clause of the deal.
#[derive(Debug, Clone)]
pub struct Clause<'a> {
    /// Its identifier.
    pub id: Uuid,
    /// Its position in the agreement.
    pub order_index: i32,
    /// Its heading.
    pub title: &'a str,
    /// Its type, as it is stored.
    pub kind: &'a str,
    /// Whether it is commercially sensitive.
    pub is_sensitive: bool,
}

/// A bound term of the deal.
#[derive(Debug, Clone)]
pub struct Variable<'a> {
    /// Its identifier.
    pub id: Uuid,
    /// The clause in which it stands.
    pub clause_id: Uuid,
    /// Its name.
    pub label: &'a str,
    /// Its type, as it is stored.
    pub kind: &'a str,
    /// Its value, in the words of the agreement.
    pub value: &'a str,
    /// The unit of the value.
    pub unit: Option<&'a str>,
    /// The agreed value.
    pub baseline_value: Option<&'a str>,
}

/// A covenant of the deal.
#[derive(Debug, Clone)]
pub struct Covenant<'a> {
    /// Its identifier.
    pub id: Uuid,
    /// The clause that sets it out.
    pub clause_id: Uuid,
    /// Its name.
    pub name: &'a str,
    /// How often it is tested.
    pub test_frequency: &'a str,
    /// The level that must be kept, in the words of the agreement.
    pub threshold: &'a str,
    /// How the tested figure is calculated.
    pub calculation_basis: &'a str,
}

/// The document of a deal. Money and scores are strings, so that no reader rounds them.
#[must_use]
pub fn document(deal: &Deal<'_>) -> Value {
    let clauses: Vec<Value> = deal
        .clauses
        .iter()
        .map(|clause| {
            json!({
                "id": clause.id,
                "orderIndex": clause.order_index,
                "title": clause.title,
                "type": clause.kind,
                "isSensitive": clause.is_sensitive,
            })
        })
        .collect();
    let variables: Vec<Value> = deal
        .variables
        .iter()
        .map(|variable| {
            json!({
                "id": variable.id,
                "clauseId": variable.clause_id,
                "label": variable.label,
                "type": variable.kind,
                "value": variable.value,
                "unit": variable.unit,
                "baselineValue": variable.baseline_value,
            })
        })
        .collect();
    let covenants: Vec<Value> = deal
        .covenants
        .iter()
        .map(|covenant| {
            json!({
                "id": covenant.id,
                "clauseId": covenant.clause_id,
                "name": covenant.name,
                "testFrequency": covenant.test_frequency,
                "threshold": covenant.threshold,
                "calculationBasis": covenant.calculation_basis,
            })
        })
        .collect();
    json!({
        "format": FORMAT,
        "version": deal.version,
        "frozenAt": deal.frozen_at,
        "integrityScore": digits(deal.integrity, 4),
        "unresolvedHighDriftCount": deal.unresolved_high_drift,
        "workspace": {
            "id": deal.workspace_id,
            "name": deal.name,
            "currency": deal.currency,
            "amount": digits(deal.amount, 2),
            "standard": deal.standard,
            "basePdfName": deal.base_pdf_name,
        },
        "governance": deal.rules.to_json(),
        "clauses": clauses,
        "variables": variables,
        "covenants": covenants,
    })
}

/// A number with exactly so many decimals, so that 0.9 and 0.9000 are one spelling.
fn digits(mut number: Decimal, decimals: u32) -> String {
    number.rescale(decimals);
    number.to_string()
}
