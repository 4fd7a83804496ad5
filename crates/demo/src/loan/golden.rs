//! The golden record: what is frozen at each publication, and the systems that it goes to.

use aether_domain::connector::pause_after;
use aether_domain::golden;
use aether_domain::governance::Rules;
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use rand::Rng as _;
use serde_json::{Value, json};
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
    /// Every version that was published, and when.
    publications: Vec<(Uuid, DateTime<Utc>)>,
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
            publications: Vec::new(),
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
    let hash = golden::hash(&record.document);
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
    let hash = golden::hash(&document);
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
    record.publications.push((id, now));
    record.published = Some(now);
    record.edits += 1;
}

/// The document of the deal as it stands, in the shape that the gateway freezes.
fn document(desk: &Desk, version: i32) -> Value {
    let agreement = desk.agreement;
    let clauses = agreement.clauses.iter().zip(&desk.clauses);
    let covenants = clauses.clone().flat_map(|(clause, state)| {
        clause.covenants.iter().zip(&state.covenants).map(|(covenant, id)| golden::Covenant {
            id: *id,
            clause_id: state.id,
            name: &covenant.name,
            test_frequency: &covenant.test_frequency,
            threshold: &covenant.threshold,
            calculation_basis: &covenant.calculation_basis,
        })
    });
    let variables = desk.variables.iter().map(|state| {
        let source = &agreement.clauses[state.at.0].variables[state.at.1];
        golden::Variable {
            id: state.id,
            clause_id: desk.clauses[state.at.0].id,
            label: &source.label,
            kind: source.kind.as_str(),
            value: &state.value,
            unit: source.unit.as_deref(),
            baseline_value: Some(&state.baseline),
        }
    });
    golden::document(&golden::Deal {
        version,
        frozen_at: &desk.now.to_rfc3339_opts(SecondsFormat::Micros, true),
        integrity: graph::integrity(desk),
        unresolved_high_drift: desk.high() as u64,
        workspace_id: desk.workspace,
        name: &agreement.name,
        currency: &agreement.currency,
        amount: agreement.amount.into(),
        standard: &agreement.standard,
        base_pdf_name: Some(&agreement.base_pdf_name),
        rules: Rules::from_json(&desk.cast.rules.document()).expect("rules that there are"),
        variables: variables.collect(),
        covenants: covenants.collect(),
        clauses: clauses
            .enumerate()
            .map(|(position, (clause, state))| golden::Clause {
                id: state.id,
                order_index: position as i32 + 1,
                title: &clause.title,
                kind: clause.kind.as_str(),
                is_sensitive: clause.is_sensitive,
            })
            .collect(),
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
    for (number, &(name, kind, status)) in desk.cast.connectors.iter().enumerate() {
        let id = desk.ids.at(desk.opened);
        let synced = deliveries(desk, id, status, &record.publications, number == 0);
        let host = desk.cast.agent.split_once('@').map_or("bank.example", |(_, host)| host);
        desk.tables.downstream_connectors(row![
            id,
            desk.workspace,
            name,
            kind,
            status,
            synced,
            desk.opened,
            desk.opened,
            1,
            format!("https://{}.{host}/golden-records", kind.to_lowercase()),
            (desk.seal)(format!("demo-connector-secret-{}", number + 1).as_bytes()),
        ]);
    }
}

/// What was published, on its way to a connector; returns when the connector took the last delivery that it took.
fn deliveries(
    desk: &mut Desk,
    connector: Uuid,
    status: &str,
    publications: &[(Uuid, DateTime<Utc>)],
    stumbles: bool,
) -> Option<DateTime<Utc>> {
    const DOWN: (Option<i32>, Option<&str>) = (Some(503), Some("The connector answered with the HTTP status 503."));
    const GONE: (Option<i32>, Option<&str>) = (None, Some("The connector did not answer within 10 seconds."));
    const TAKEN: (Option<i32>, Option<&str>) = (Some(202), None);
    let mut synced = None;
    for (number, &(version, published)) in publications.iter().enumerate() {
        let is_last = number + 1 == publications.len();
        // What is in review had trouble with the last delivery, and what was disconnected has never taken it.
        let (outcome, attempts) = match status {
            "IN_REVIEW" if is_last => ("pending", vec![DOWN, GONE]),
            "DISCONNECTED" if is_last => ("failed", vec![GONE; 8]),
            _ if stumbles && is_last => ("delivered", vec![DOWN, TAKEN]),
            _ => ("delivered", vec![TAKEN]),
        };
        let delivery = desk.ids.at(published);
        let (mut at, mut log) = (published, Vec::new());
        for (number, (answer, error)) in attempts.iter().enumerate() {
            let took = if answer.is_some() { desk.rng.random_range(40..900) } else { 10_000 };
            at += Duration::milliseconds(took + 600);
            log.push(row![desk.ids.at(at), desk.workspace, delivery, number as i64 + 1, at, *answer, *error, took]);
            let pause = pause_after(number as i32 + 1, std::time::Duration::from_secs(1));
            at += pause
                .filter(|_| error.is_some())
                .map_or(Duration::zero(), |pause| Duration::seconds(pause.as_secs() as i64));
        }
        let delivered = (outcome == "delivered").then_some(at);
        desk.tables.connector_deliveries(row![
            delivery,
            desk.workspace,
            connector,
            version,
            outcome,
            attempts.len() as i64,
            (outcome == "pending").then_some(at),
            delivered,
            attempts.last().and_then(|(_, error)| *error),
            published,
        ]);
        log.into_iter().for_each(|row| desk.tables.delivery_attempts(row));
        synced = delivered.or(synced);
    }
    synced
}
