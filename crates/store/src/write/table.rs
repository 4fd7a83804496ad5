//! The tables that people change, each with the topic under which its changes are told to subscribers.
//!
//! A table that is not here cannot be written through a [`super::Change`]: it does not compile.

use aether_entity as entity;
use sea_orm::{EntityTrait, IntoActiveModel};

/// A table that can be changed through the executor.
pub trait Writable: EntityTrait<Model: IntoActiveModel<Self::ActiveModel> + Sync, ActiveModel: Send + Sync> {
    /// The topic of its events.
    const TOPIC: &'static str;
    /// The column that names the thing whose change this is, for subscribers: its own id, or its parent's.
    const AGGREGATE: &'static str;
}

/// A row of such a table, as it was read.
pub trait WritableRow: Sized {
    /// Its table.
    type Table: Writable;

    /// Itself, by the name that its table has for it.
    fn into_model(self) -> <Self::Table as EntityTrait>::Model;

    /// The reverse.
    fn from_model(model: <Self::Table as EntityTrait>::Model) -> Self;
}

/// A row of such a table, as it is to be written.
pub trait WritableEdit: Sized {
    /// Its table.
    type Table: Writable;

    /// Itself, by the name that its table has for it.
    fn into_active(self) -> <Self::Table as EntityTrait>::ActiveModel;
}

macro_rules! writable {
    ($($table:ident => $topic:literal $(of $aggregate:literal)?,)+) => {
        $(impl Writable for entity::$table::Entity {
            const TOPIC: &'static str = $topic;
            const AGGREGATE: &'static str = writable!(@aggregate $($aggregate)?);
        }

        impl WritableRow for entity::$table::Model {
            type Table = entity::$table::Entity;

            fn into_model(self) -> Self {
                self
            }

            fn from_model(model: Self) -> Self {
                model
            }
        }

        impl WritableEdit for entity::$table::ActiveModel {
            type Table = entity::$table::Entity;

            fn into_active(self) -> Self {
                self
            }
        })+
    };
    (@aggregate) => { "id" };
    (@aggregate $aggregate:literal) => { $aggregate };
}

/// A deal's row is [`Writable`] but neither a [`WritableRow`] nor a [`WritableEdit`]: only who wraps it can write it, which is the
/// sales domain's `deal`, for every change of a deal leaves its history.
impl Writable for entity::deals::Entity {
    const TOPIC: &'static str = "deal";
    const AGGREGATE: &'static str = "id";
}

writable! {
    organizations => "organization",
    users => "user",
    user_invitations => "user" of "user_id",
    user_recovery_codes => "user" of "user_id",
    user_sessions => "user" of "user_id",
    refresh_tokens => "user" of "session_id",
    financial_metrics => "metric",
    metric_imports => "metric",
    departments => "department",
    department_costs => "department" of "department_id",
    budgets => "budget",
    budget_line_items => "budget" of "budget_id",
    vendors => "vendor",
    vendor_spend => "vendor" of "vendor_id",
    anomalies => "anomaly",
    deal_history => "deal" of "deal_id",
    pipeline_snapshots => "pipeline_snapshot",
    ai_conversations => "conversation",
    ai_messages => "conversation" of "conversation_id",
    ai_models => "model",
    ai_model_metrics => "model" of "model_id",
    ai_actions => "ai_action",
    scenarios => "scenario",
    scenario_results => "scenario" of "scenario_id",
    compliance_controls => "compliance" ,
    compliance_issues => "compliance",
    data_lineage_nodes => "lineage",
    data_lineage_edges => "lineage",
    integrations => "integration",
    integration_syncs => "integration" of "integration_id",
    integration_logs => "integration" of "integration_id",
    row_exports => "row_export",
    workspaces => "workspace",
    workspace_members => "workspace" of "workspace_id",
    clauses => "clause",
    variables => "variable",
    covenants => "covenant",
    graph_nodes => "graph",
    graph_edges => "graph",
    graph_state => "graph",
    graph_warnings => "graph",
    drift_items => "drift",
    reconciliation_sessions => "reconciliation",
    reconciliation_items => "reconciliation" of "session_id",
    golden_records => "golden_record",
    golden_record_versions => "golden_record" of "golden_record_id",
    downstream_connectors => "connector",
    connector_deliveries => "connector" of "connector_id",
}

/// The table's name as the catalog has it.
pub(super) fn table_of<E: EntityTrait>() -> &'static str {
    aether_entity::catalog::table(E::default().table_name()).map_or("", |table| table.name)
}
