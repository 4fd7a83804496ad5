//! The golden record: frozen as a document, exported, and published to the connected systems.

use aether_domain::golden::{self, Clause, Covenant, Deal, READY_FROM, Variable};
use aether_entity::{
    clauses, connector_deliveries, covenants, downstream_connectors, drift_items, golden_record_versions,
    golden_records, graph_state,
    sea_orm_active_enums::{ConnectorStatus, DriftSeverity, DriftStatus, GoldenRecordStatus},
    variables,
};
use aether_store::{
    Error, Result,
    value::label,
    write::{Change, Membership, UseCase, action},
};
use chrono::{SecondsFormat, Utc};
use rust_decimal::Decimal;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::reason::Reason;

/// A workspace frozen as a document.
pub struct Frozen {
    pub document: Json,
    /// SHA-256 of the document in canonical form, hexadecimal.
    pub hash: String,
    /// The golden record.
    pub record_id: Uuid,
}

/// A publication.
pub struct Publication {
    pub frozen: Frozen,
    /// The version that was published.
    pub version_id: Uuid,
}

/// Freezes the workspace as it stands into a document.
pub fn export(workspace_id: Uuid) -> UseCase<Frozen> {
    UseCase::new(&action::EXPORT_GOLDEN_RECORD, move |c| {
        Box::pin(async move {
            let membership = c.workspace(workspace_id).await?;
            let record = record(c, workspace_id).await?;
            let standing = Standing::of(c, workspace_id).await?;
            let version = last_version(c, record.id).await?;
            let document = freeze(c, &membership, version, &standing).await?;
            let (hash, id) = (golden::hash(&document), record.id);
            c.about::<golden_records::Entity>(id);
            c.note("version", version);
            c.note("documentHash", hash.clone());
            c.update(record, |record| {
                standing.write(record);
                record.schema_json = Set(document.clone());
                record.last_export_at = Set(Some(c.now()));
            })
            .await?;
            Ok(Frozen { document, hash, record_id: id })
        })
    })
}

/// Freezes the workspace into the next version, keeps it and delivers it to every connector that is READY; for agents.
pub fn publish(workspace_id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Publication> {
    UseCase::new(&action::PUBLISH_GOLDEN_RECORD, move |c| {
        Box::pin(async move {
            reason.note(c)?;
            let membership = c.workspace(workspace_id).await?;
            let record = record(c, workspace_id).await?;
            c.expect::<golden_records::Entity>(&record, expected_version).await?;
            let standing = Standing::of(c, workspace_id).await?;
            standing.gate(&membership)?;
            let number = last_version(c, record.id).await? + 1;
            let document = freeze(c, &membership, number, &standing).await?;
            let (hash, id) = (golden::hash(&document), record.id);
            c.about::<golden_records::Entity>(id);
            c.note("version", number);
            c.note("documentHash", hash.clone());
            let version = c
                .insert(golden_record_versions::ActiveModel {
                    golden_record_id: Set(id),
                    workspace_id: Set(workspace_id),
                    version: Set(number),
                    document: Set(document.clone()),
                    document_hash: Set(hash.clone()),
                    integrity_score: Set(standing.integrity.unwrap_or_default()),
                    published_by: Set(c.actor().user_id),
                    published_at: Set(c.now()),
                    ..Default::default()
                })
                .await?;
            c.update(record, |record| {
                standing.write(record);
                record.schema_json = Set(document.clone());
                record.last_publish_at = Set(Some(c.now()));
            })
            .await?;
            deliver(c, workspace_id, version.id).await?;
            Ok(Publication { frozen: Frozen { document, hash, record_id: id }, version_id: version.id })
        })
    })
}

/// The status of a golden record of this integrity, with so much HIGH drift that nobody has settled.
pub(super) fn status(integrity: Decimal, high_drift: u64) -> GoldenRecordStatus {
    match golden::is_ready(integrity, high_drift) {
        true => GoldenRecordStatus::Ready,
        false => GoldenRecordStatus::InReview,
    }
}

/// How the documentation stands.
struct Standing {
    /// The integrity as last computed; none before the graph was first synchronized.
    integrity: Option<Decimal>,
    high_drift: u64,
}

impl Standing {
    async fn of(c: &Change, workspace: Uuid) -> Result<Self> {
        let graph = graph_state::Entity::find().filter(graph_state::Column::WorkspaceId.eq(workspace));
        let high = drift_items::Entity::find()
            .filter(drift_items::Column::WorkspaceId.eq(workspace))
            .filter(drift_items::Column::Severity.eq(DriftSeverity::High))
            .filter(drift_items::Column::Status.eq(DriftStatus::Unresolved));
        let integrity = c.one(graph).await?.map(|graph| graph.integrity_score);
        Ok(Self { integrity, high_drift: c.count(high).await? })
    }

    fn status(&self) -> GoldenRecordStatus {
        status(self.integrity.unwrap_or_default(), self.high_drift)
    }

    fn write(&self, record: &mut golden_records::ActiveModel) {
        record.status = Set(self.status());
        record.integrity_score = Set(self.integrity.unwrap_or_default());
    }

    /// Refuses to publish what is not ready.
    fn gate(&self, membership: &Membership) -> Result<()> {
        if self.high_drift > 0 && membership.rules.publish_blocked_when_high_drift {
            let (items, them) = if self.high_drift == 1 { ("item is", "it") } else { ("items are", "them") };
            return Err(Error::Governance {
                rule: "publishBlockedWhenHighDrift",
                message: format!(
                    "{} HIGH drift {items} unresolved. Override, revert or approve {them} before you publish.",
                    self.high_drift
                ),
            });
        }
        match self.integrity {
            None => Err(Error::Precondition(
                "The integrity of the documentation is not known yet. Synchronize the graph with syncGraph, then publish."
                    .into(),
            )),
            Some(integrity) if integrity < READY_FROM => Err(Error::Precondition(format!(
                "The integrity of the documentation is {integrity}, and publishing needs {READY_FROM}. Settle drift, resolve \
                 the warnings of the graph, and synchronize it with syncGraph."
            ))),
            Some(_) => Ok(()),
        }
    }
}

/// The workspace's golden record, locked; made when there is none yet.
async fn record(c: &Change, workspace: Uuid) -> Result<golden_records::Model> {
    let found = golden_records::Entity::find().filter(golden_records::Column::WorkspaceId.eq(workspace));
    match c.one(found).await? {
        // Read again once it is locked: the count of drift on it is written by others.
        Some(record) => c.find::<golden_records::Entity>(record.id).await,
        None => c.insert(golden_records::ActiveModel { workspace_id: Set(workspace), ..Default::default() }).await,
    }
}

/// The number of the last published version; 0 before the first.
async fn last_version(c: &Change, record: Uuid) -> Result<i32> {
    let last = golden_record_versions::Entity::find()
        .filter(golden_record_versions::Column::GoldenRecordId.eq(record))
        .order_by_desc(golden_record_versions::Column::Version)
        .limit(1);
    Ok(c.one(last).await?.map_or(0, |version| version.version))
}

/// The document of the workspace as it stands.
async fn freeze(c: &Change, of: &Membership, version: i32, standing: &Standing) -> Result<Json> {
    let workspace = &of.workspace;
    let clauses = clauses::Entity::find()
        .filter(clauses::Column::WorkspaceId.eq(workspace.id))
        .order_by_asc(clauses::Column::OrderIndex);
    let clauses = c.all(clauses).await?;
    let position = |id: Uuid| clauses.iter().position(|clause| clause.id == id);
    let variables = variables::Entity::find().filter(variables::Column::WorkspaceId.eq(workspace.id));
    let mut variables = c.all(variables).await?;
    variables.sort_by_cached_key(|variable| (position(variable.clause_id), variable.label.clone(), variable.id));
    let covenants = covenants::Entity::find().filter(covenants::Column::WorkspaceId.eq(workspace.id));
    let mut covenants = c.all(covenants).await?;
    covenants.sort_by_cached_key(|covenant| (position(covenant.clause_id), covenant.name.clone(), covenant.id));
    let kinds: Vec<String> = clauses.iter().map(|clause| label(&clause.r#type)).collect();
    let variable_kinds: Vec<String> = variables.iter().map(|variable| label(&variable.r#type)).collect();
    let frozen_at = c.now().with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Micros, true);
    Ok(golden::document(&Deal {
        version,
        frozen_at: &frozen_at,
        integrity: standing.integrity.unwrap_or_default(),
        unresolved_high_drift: standing.high_drift,
        workspace_id: workspace.id,
        name: &workspace.name,
        currency: &workspace.currency,
        amount: workspace.amount,
        standard: &workspace.standard,
        base_pdf_name: workspace.base_pdf_name.as_deref(),
        rules: of.rules,
        clauses: clauses
            .iter()
            .zip(&kinds)
            .map(|(clause, kind)| Clause {
                id: clause.id,
                order_index: clause.order_index,
                title: &clause.title,
                kind,
                is_sensitive: clause.is_sensitive,
            })
            .collect(),
        variables: variables
            .iter()
            .zip(&variable_kinds)
            .map(|(variable, kind)| Variable {
                id: variable.id,
                clause_id: variable.clause_id,
                label: &variable.label,
                kind,
                value: &variable.value,
                unit: variable.unit.as_deref(),
                baseline_value: variable.baseline_value.as_deref(),
            })
            .collect(),
        covenants: covenants
            .iter()
            .map(|covenant| Covenant {
                id: covenant.id,
                clause_id: covenant.clause_id,
                name: &covenant.name,
                test_frequency: &covenant.test_frequency,
                threshold: &covenant.threshold,
                calculation_basis: &covenant.calculation_basis,
            })
            .collect(),
    }))
}

/// Puts a delivery of the version in the queue of each connector that is READY.
async fn deliver(c: &Change, workspace: Uuid, version: Uuid) -> Result<()> {
    let ready = downstream_connectors::Entity::find()
        .filter(downstream_connectors::Column::WorkspaceId.eq(workspace))
        .filter(downstream_connectors::Column::Status.eq(ConnectorStatus::Ready))
        .order_by_asc(downstream_connectors::Column::Id);
    let deliveries = c.all(ready).await?.into_iter().map(|connector| connector_deliveries::ActiveModel {
        workspace_id: Set(workspace),
        connector_id: Set(connector.id),
        version_id: Set(version),
        next_attempt_at: Set(Some(c.now())),
        ..Default::default()
    });
    c.insert_all(deliveries.collect()).await?;
    Ok(())
}
