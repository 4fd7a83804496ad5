//! The golden record: what is frozen at each publication, and the systems that it goes to.

use aether_domain::connector::pause_after;
use aether_domain::golden;
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use rand::Rng as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::graph;
use super::simulator::{Act, Simulator};
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
    pub(super) fn new(simulator: &mut Simulator) -> Self {
        Self {
            id: simulator.ids.at(simulator.opened),
            created: simulator.opened,
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
pub(super) fn export(simulator: &mut Simulator, record: &mut Record, share: f64) {
    simulator.go(share);
    record.document = document(simulator, record.versions);
    let hash = golden::hash(&record.document);
    let act = Act::new("EXPORT_JSON", ("golden_record", record.id)).after(json!({ "documentHash": hash }));
    simulator.record(simulator.parties.risk, &act);
    record.exported = Some(simulator.now);
    record.edits += 1;
}

/// The agent publishes a version.
pub(super) fn publish(simulator: &mut Simulator, record: &mut Record, share: f64) {
    simulator.go(share);
    simulator.wait(20..60);
    assert_eq!(simulator.high(), 0, "HIGH drift blocks publishing");
    record.versions += 1;
    let document = document(simulator, record.versions);
    let hash = golden::hash(&document);
    let id = simulator.id();
    let after = json!({ "version": record.versions, "documentHash": hash });
    let act = Act::new("PUBLISH", ("golden_record", record.id)).after(after);
    let by = simulator.record(simulator.parties.agent, &act);
    let (now, score) = (simulator.now, graph::integrity(simulator));
    simulator.tables.golden_record_versions(row![
        id,
        record.id,
        simulator.workspace,
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
fn document(simulator: &Simulator, version: i32) -> Value {
    let agreement = simulator.agreement;
    let clauses = agreement.clauses.iter().zip(&simulator.clauses);
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
    let variables = simulator.variables.iter().map(|state| {
        let source = &agreement.clauses[state.at.0].variables[state.at.1];
        golden::Variable {
            id: state.id,
            clause_id: simulator.clauses[state.at.0].id,
            label: &source.label,
            kind: source.kind.as_str(),
            value: &state.value,
            unit: source.unit.as_deref(),
            baseline_value: Some(&state.baseline),
        }
    });
    golden::document(&golden::Deal {
        version,
        frozen_at: &simulator.now.to_rfc3339_opts(SecondsFormat::Micros, true),
        integrity: graph::integrity(simulator),
        unresolved_high_drift: simulator.high() as u64,
        workspace_id: simulator.workspace,
        name: &agreement.name,
        currency: &agreement.currency,
        amount: agreement.amount.into(),
        standard: &agreement.standard,
        base_pdf_name: Some(&agreement.base_pdf_name),
        rules: simulator.parties.rules,
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
pub(super) fn rows(simulator: &mut Simulator, record: Record) {
    let (score, high) = (graph::integrity(simulator), simulator.high() as u64);
    let ready = golden::is_ready(score, high);
    simulator.tables.golden_records(row![
        record.id,
        simulator.workspace,
        if ready { "READY" } else { "IN_REVIEW" },
        score,
        high as i64,
        record.exported,
        record.published,
        record.document,
        record.created,
        simulator.now,
        record.edits,
    ]);
    for (number, &(name, kind, status)) in simulator.parties.connectors.iter().enumerate() {
        let id = simulator.ids.at(simulator.opened);
        let synced = deliveries(simulator, id, status, &record.publications, number == 0);
        let host = simulator.parties.agent.split_once('@').map_or("bank.example", |(_, host)| host);
        simulator.tables.downstream_connectors(row![
            id,
            simulator.workspace,
            name,
            kind,
            status,
            synced,
            simulator.opened,
            simulator.opened,
            1,
            format!("https://{}.{host}/golden-records", kind.to_lowercase()),
            (simulator.encrypt)(format!("demo-connector-secret-{}", number + 1).as_bytes()),
        ]);
    }
}

/// What was published, on its way to a connector; returns when the connector took the last delivery that it took.
fn deliveries(
    simulator: &mut Simulator,
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
        let delivery = simulator.ids.at(published);
        let (mut at, mut log) = (published, Vec::new());
        for (number, (answer, error)) in attempts.iter().enumerate() {
            let took = if answer.is_some() { simulator.rng.random_range(40..900) } else { 10_000 };
            at += Duration::milliseconds(took + 600);
            log.push(row![
                simulator.ids.at(at),
                simulator.workspace,
                delivery,
                number as i64 + 1,
                at,
                *answer,
                *error,
                took
            ]);
            let pause = pause_after(number as i32 + 1, std::time::Duration::from_secs(1));
            at += pause
                .filter(|_| error.is_some())
                .map_or(Duration::zero(), |pause| Duration::seconds(pause.as_secs() as i64));
        }
        let delivered = (outcome == "delivered").then_some(at);
        simulator.tables.connector_deliveries(row![
            delivery,
            simulator.workspace,
            connector,
            version,
            outcome,
            attempts.len() as i64,
            (outcome == "pending").then_some(at),
            delivered,
            attempts.last().and_then(|(_, error)| *error),
            published,
        ]);
        log.into_iter().for_each(|row| simulator.tables.delivery_attempts(row));
        synced = delivered.or(synced);
    }
    synced
}
