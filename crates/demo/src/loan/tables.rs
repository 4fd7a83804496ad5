//! The tables of the loan domains, each with the columns that are filled.

use crate::copy::{Cell, Rows};

macro_rules! tables {
    ($($table:ident($($column:literal)+);)+) => {
        /// Rows of every table, in the order in which they can be inserted.
        #[derive(Debug)]
        pub(super) struct Tables {
            $($table: Rows,)+
        }

        impl Tables {
            pub(super) fn new() -> Self {
                Self { $($table: Rows::new(stringify!($table), &[$($column),+]),)+ }
            }

            pub(super) fn into_rows(self) -> Vec<Rows> {
                vec![$(self.$table,)+]
            }

            $(pub(super) fn $table(&mut self, cells: Vec<Cell>) {
                self.$table.push(cells);
            })+
        }
    };
}

tables! {
    workspaces(
        "id" "organization_id" "name" "currency" "amount" "standard" "base_pdf_name" "last_sync_at" "created_by_id"
        "governance_rules" "deleted_at" "created_at" "updated_at" "row_version"
    );
    workspace_members(
        "id" "workspace_id" "user_id" "role" "is_admin" "status" "invited_at" "joined_at" "created_at" "updated_at"
        "row_version"
    );
    clauses(
        "id" "workspace_id" "title" "body" "type" "order_index" "is_sensitive" "is_locked" "locked_by" "locked_at"
        "last_modified_at" "last_modified_by" "created_at" "updated_at" "row_version"
    );
    variables(
        "id" "workspace_id" "clause_id" "label" "type" "value" "unit" "baseline_value" "last_modified_at"
        "last_modified_by" "created_at" "updated_at" "row_version"
    );
    covenants(
        "id" "workspace_id" "clause_id" "name" "test_frequency" "threshold" "calculation_basis" "created_at"
        "updated_at"
    );
    graph_nodes(
        "id" "workspace_id" "label" "type" "clause_id" "variable_id" "value" "has_drift" "has_warning" "created_at"
        "updated_at"
    );
    graph_edges("id" "workspace_id" "source_id" "target_id" "weight" "created_at");
    graph_state("id" "workspace_id" "integrity_score" "last_computed_at");
    graph_warnings("id" "workspace_id" "graph_node_id" "kind" "subject" "message" "created_at");
    drift_items(
        "id" "workspace_id" "clause_id" "variable_id" "title" "type" "severity" "baseline_value"
        "baseline_approved_at" "current_value" "current_modified_at" "current_modified_by" "status" "approved_by"
        "approved_at" "approval_reason" "reason_category" "created_at" "updated_at" "row_version"
        "override_requested_by" "override_requested_at" "override_reason" "override_category"
    );
    reconciliation_sessions(
        "id" "workspace_id" "file_name" "file_type" "uploaded_at" "uploaded_by" "total_items" "applied_count"
        "rejected_count" "pending_count" "created_at" "updated_at" "row_version"
    );
    reconciliation_items(
        "id" "workspace_id" "session_id" "incoming_snippet" "target_clause_id" "target_variable_id" "confidence"
        "baseline_value" "current_value" "proposed_value" "decision" "decision_reason" "decided_by" "decided_at"
        "created_at" "updated_at" "row_version"
    );
    golden_records(
        "id" "workspace_id" "status" "integrity_score" "unresolved_high_drift_count" "last_export_at"
        "last_publish_at" "schema_json" "created_at" "updated_at" "row_version"
    );
    golden_record_versions(
        "id" "golden_record_id" "workspace_id" "version" "document" "document_hash" "integrity_score" "published_by"
        "published_at"
    );
    downstream_connectors(
        "id" "workspace_id" "name" "type" "status" "last_sync_at" "created_at" "updated_at" "row_version" "url"
        "encrypted_secret"
    );
    connector_deliveries(
        "id" "workspace_id" "connector_id" "version_id" "status" "attempts" "next_attempt_at" "delivered_at"
        "last_error" "created_at"
    );
    delivery_attempts("id" "workspace_id" "delivery_id" "attempt" "at" "response_status" "error" "duration_ms");
    audit_events(
        "id" "workspace_id" "timestamp" "actor_id" "actor_name" "event_type" "target_type" "target_id" "before_state"
        "after_state" "reason" "reason_category" "request_id" "ip_address" "user_agent"
    );
}
