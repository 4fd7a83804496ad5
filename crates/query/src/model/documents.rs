//! Loan documentation: workspaces and everything in them.

use super::{Entity, entity, shapes};
use crate::model::{Mask, Restriction, Scope};

const IN_WORKSPACE: Scope = Scope::Workspace("workspace_id");
/// For what tells which terms deviate from what was agreed, and by how much: investors learn that something is open, by the
/// integrity and the status of the golden record, but not what. Frozen documents have the agreed values, too.
const UNSETTLED: Mask = Mask::NotInvestors;

pub(super) fn entities() -> Vec<Entity> {
    vec![
        entity("workspaces", "Workspace", "workspaces", Scope::Workspace("id"))
            .order(&["-created_at"])
            .apart("currency", &["amount"])
            .shape("governance_rules", &shapes::GOVERNANCE_RULES)
            .refers("organization_id", "organization", "workspaces")
            .refers("created_by_id", "createdBy", "workspacesCreated"),
        entity("workspace_members", "WorkspaceMember", "workspaceMembers", IN_WORKSPACE)
            .order(&["invited_at"])
            .refers("workspace_id", "workspace", "members")
            .refers("user_id", "user", "workspaceMemberships"),
        entity("clauses", "Clause", "clauses", IN_WORKSPACE)
            .order(&["order_index"])
            .ordinals(&["order_index"])
            .search("body")
            .refers("workspace_id", "workspace", "clauses")
            .refers("locked_by", "lockedByUser", "clausesLocked")
            .refers("last_modified_by", "lastModifiedByUser", "clausesModified"),
        entity("variables", "Variable", "variables", IN_WORKSPACE)
            .order(&["label"])
            .mask(UNSETTLED, &["baseline_value", "last_modified_by"])
            .refers("workspace_id", "workspace", "variables")
            .refers("clause_id", "clause", "variables")
            .refers("last_modified_by", "lastModifiedByUser", "variablesModified"),
        entity("covenants", "Covenant", "covenants", IN_WORKSPACE)
            .order(&["name"])
            .refers("workspace_id", "workspace", "covenants")
            .refers("clause_id", "clause", "covenants"),
        entity("graph_nodes", "GraphNode", "graphNodes", IN_WORKSPACE)
            .order(&["label"])
            // What comes and goes with drift: a clause's node is written for no other reason between two synchronizations.
            .mask(UNSETTLED, &["has_drift", "has_warning", "updated_at"])
            .refers("workspace_id", "workspace", "graphNodes")
            .refers("clause_id", "clause", "graphNodes")
            .refers("variable_id", "variable", "graphNodes"),
        entity("graph_edges", "GraphEdge", "graphEdges", IN_WORKSPACE)
            .order(&["-weight"])
            .refers("workspace_id", "workspace", "graphEdges")
            .refers("source_id", "source", "edgesFrom")
            .refers("target_id", "target", "edgesTo"),
        entity("graph_warnings", "GraphWarning", "graphWarnings", IN_WORKSPACE)
            .order(&["created_at"])
            .restrict(Restriction::NotForInvestors("kind", "SENSITIVE_DRIFT"))
            .refers("workspace_id", "workspace", "graphWarnings")
            .refers("graph_node_id", "graphNode", "warnings"),
        entity("graph_state", "GraphState", "graphStates", IN_WORKSPACE)
            .order(&["last_computed_at"])
            .ratios(&["integrity_score"])
            .refers("workspace_id", "workspace", "graphState"),
        entity("drift_items", "DriftItem", "driftItems", IN_WORKSPACE)
            .order(&["-current_modified_at"])
            .restrict(Restriction::NotForInvestors("status", "unresolved"))
            .mask(
                Mask::NotInvestors,
                &[
                    "approval_reason",
                    "reason_category",
                    "override_requested_by",
                    "override_requested_at",
                    "override_reason",
                    "override_category",
                ],
            )
            .refers("workspace_id", "workspace", "driftItems")
            .refers("clause_id", "clause", "driftItems")
            .refers("variable_id", "variable", "driftItems")
            .refers("current_modified_by", "currentModifiedByUser", "driftItemsModified")
            .refers("approved_by", "approvedByUser", "driftItemsApproved")
            .refers("override_requested_by", "overrideRequestedByUser", "driftOverridesRequested"),
        entity("reconciliation_sessions", "ReconciliationSession", "reconciliationSessions", IN_WORKSPACE)
            .order(&["-uploaded_at"])
            .refers("workspace_id", "workspace", "reconciliationSessions")
            .refers("uploaded_by", "uploadedByUser", "reconciliationUploads"),
        entity("reconciliation_items", "ReconciliationItem", "reconciliationItems", IN_WORKSPACE)
            .order(&["created_at"])
            .mask(UNSETTLED, &["baseline_value"])
            .refers("workspace_id", "workspace", "reconciliationItems")
            .refers("session_id", "session", "items")
            .refers("target_clause_id", "targetClause", "reconciliationItems")
            .refers("target_variable_id", "targetVariable", "reconciliationItems")
            .refers("decided_by", "decidedByUser", "reconciliationDecisions"),
        entity("golden_records", "GoldenRecord", "goldenRecords", IN_WORKSPACE)
            .order(&["created_at"])
            .ratios(&["integrity_score"])
            .mask(UNSETTLED, &["unresolved_high_drift_count", "schema_json"])
            .refers("workspace_id", "workspace", "goldenRecord"),
        entity("golden_record_versions", "GoldenRecordVersion", "goldenRecordVersions", IN_WORKSPACE)
            .order(&["-version"])
            .ratios(&["integrity_score"])
            .ordinals(&["version"])
            .mask(UNSETTLED, &["document"])
            .refers("golden_record_id", "goldenRecord", "versions")
            .refers("workspace_id", "workspace", "goldenRecordVersions")
            .refers("published_by", "publishedByUser", "goldenRecordsPublished"),
        entity("downstream_connectors", "DownstreamConnector", "downstreamConnectors", IN_WORKSPACE)
            .order(&["name"])
            .mask(Mask::NotInvestors, &["url"])
            .refers("workspace_id", "workspace", "downstreamConnectors"),
        entity("connector_deliveries", "ConnectorDelivery", "connectorDeliveries", IN_WORKSPACE)
            .order(&["-created_at"])
            .mask(Mask::NotInvestors, &["last_error"])
            .refers("workspace_id", "workspace", "connectorDeliveries")
            .refers("connector_id", "connector", "deliveries")
            .refers("version_id", "version", "deliveries"),
        entity("delivery_attempts", "DeliveryAttempt", "deliveryAttempts", IN_WORKSPACE)
            .order(&["-at"])
            .ordinals(&["attempt", "response_status"])
            .mask(Mask::NotInvestors, &["error"])
            .refers("workspace_id", "workspace", "deliveryAttempts")
            .refers("delivery_id", "delivery", "log"),
        entity("audit_events", "AuditEvent", "auditEvents", Scope::AuditEvents)
            .order(&["-timestamp"])
            .refers("workspace_id", "workspace", "auditEvents")
            .refers("actor_id", "actor", "auditEvents"),
    ]
}
