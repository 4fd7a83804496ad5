//! The golden record: what is frozen at each publication, and the systems that it goes to.

use aether_domain::golden;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::desk::{Act, Desk};
use super::graph;
use crate::copy::row;

/// The golden record of a workspace.
pub(super) struct Record {
    id: Uuid,
    created: DateTime<Utc>,
    exported: Option<DateTime<Utc>>,
    published: Option<DateTime<Utc>>,
    /// What was frozen last.
    document: Value,
    versions: i32,
    edits: i32,
}

impl Record {
    /// A record that nothing has been frozen from.
    pub(super) fn new(desk: &mut Desk) -> Self {
        Self {
            id: desk.ids.at(desk.opened),
            created: desk.opened,
            exported: None,
            published: None,
            document: json!({}),
            versions: 0,
            edits: 1,
        }
    }
}

/// Risk takes a copy for its file.
pub(super) fn export(desk: &mut Desk, record: &mut Record, share: f64) {
    desk.go(share);
    record.document = document(desk, record.versions);
    let hash = sha256(&record.document);
    let act = Act::new("EXPORT_JSON", ("golden_record", record.id)).after(json!({ "documentHash": hash }));
    desk.record(desk.cast.risk, &act);
    record.exported = Some(desk.now);
    record.edits += 1;
}

/// The agent publishes a version.
pub(super) fn publish(desk: &mut Desk, record: &mut Record, share: f64) {
    desk.go(share);
    desk.wait(20..60);
    assert_eq!(desk.high(), 0, "HIGH drift blocks publishing");
    record.versions += 1;
    let document = document(desk, record.versions);
    let hash = sha256(&document);
    let id = desk.id();
    let after = json!({ "version": record.versions, "documentHash": hash });
    let act = Act::new("PUBLISH", ("golden_record", record.id)).after(after);
    let by = desk.record(desk.cast.agent, &act);
    let (now, score) = (desk.now, graph::integrity(desk));
    desk.tables.golden_record_versions(row![
        id,
        record.id,
        desk.workspace,
        record.versions,
        document.clone(),
        hash,
        score,
        by,
        now
    ]);
    record.document = document;
    record.published = Some(now);
    record.edits += 1;
}

/// The deal as structured data, with money and scores as strings, so that no reader rounds them.
fn document(desk: &Desk, version: i32) -> Value {
    let agreement = desk.agreement;
    let clauses: Vec<Value> = agreement
        .clauses
        .iter()
        .zip(&desk.clauses)
        .enumerate()
        .map(|(position, (clause, state))| {
            json!({
                "id": state.id,
                "orderIndex": position + 1,
                "title": clause.title,
                "type": clause.kind.as_str(),
                "isSensitive": clause.is_sensitive,
            })
        })
        .collect();
    let variables: Vec<Value> = desk
        .variables
        .iter()
        .map(|state| {
            let source = &agreement.clauses[state.at.0].variables[state.at.1];
            json!({
                "id": state.id,
                "clauseId": desk.clauses[state.at.0].id,
                "label": source.label,
                "type": source.kind.as_str(),
                "value": state.value,
                "unit": source.unit,
                "baselineValue": state.baseline,
            })
        })
        .collect();
    let covenants: Vec<Value> = agreement
        .clauses
        .iter()
        .zip(&desk.clauses)
        .flat_map(|(clause, state)| clause.covenants.iter().map(move |covenant| (covenant, state.id)))
        .map(|(covenant, clause)| {
            json!({
                "clauseId": clause,
                "name": covenant.name,
                "testFrequency": covenant.test_frequency,
                "threshold": covenant.threshold,
                "calculationBasis": covenant.calculation_basis,
            })
        })
        .collect();
    json!({
        "version": version,
        "frozenAt": desk.now.to_rfc3339_opts(SecondsFormat::Secs, true),
        "integrityScore": graph::integrity(desk).to_string(),
        "workspace": {
            "id": desk.workspace,
            "name": agreement.name,
            "currency": agreement.currency,
            "amount": format!("{}.00", agreement.amount),
            "standard": agreement.standard,
            "basePdfName": agreement.base_pdf_name,
        },
        "clauses": clauses,
        "variables": variables,
        "covenants": covenants,
    })
}

/// Fills `golden_records` and `downstream_connectors`.
pub(super) fn rows(desk: &mut Desk, record: Record) {
    let (score, high) = (graph::integrity(desk), desk.high() as u64);
    let ready = golden::is_ready(score, high);
    desk.tables.golden_records(row![
        record.id,
        desk.workspace,
        if ready { "READY" } else { "IN_REVIEW" },
        score,
        high as i64,
        record.exported,
        record.published,
        record.document,
        record.created,
        desk.now,
        record.edits,
    ]);
    for &(name, kind, status) in desk.cast.connectors {
        let id = desk.ids.at(desk.opened);
        // Only what is connected takes deliveries; what was disconnected had one before.
        let synced = if status == "IN_REVIEW" { None } else { record.published };
        desk.tables.downstream_connectors(row![
            id,
            desk.workspace,
            name,
            kind,
            status,
            synced,
            desk.opened,
            synced.unwrap_or(desk.opened),
            if synced.is_some() { 2 } else { 1 },
        ]);
    }
}

/// The hash of a document in its canonical spelling, SHA-256 in hexadecimal.
fn sha256(document: &Value) -> String {
    format!("{:x}", Sha256::digest(golden::canonical_json(document)))
}
