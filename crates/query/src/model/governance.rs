//! The audit log, compliance and data lineage.

use super::{Entity, entity, shapes};
use crate::{
    model::{Restriction, Scope},
    policy::Permission,
};

pub(super) fn entities() -> Vec<Entity> {
    vec![
        entity("audit_logs", "AuditLog", "auditLogs", Scope::Organization)
            .order(&["-timestamp"])
            .restrict(Restriction::Requires(Permission::AuditRead))
            .shape("details", &shapes::AUDIT_DETAILS)
            .refers("organization_id", "organization", "auditLogs")
            .refers("reviewed_by", "reviewedByUser", "auditLogsReviewed"),
        entity("compliance_controls", "ComplianceControl", "complianceControls", Scope::Organization)
            .order(&["control_id"])
            .refers("organization_id", "organization", "complianceControls")
            .refers("owner_id", "owner", "complianceControlsOwned"),
        entity("compliance_issues", "ComplianceIssue", "complianceIssues", Scope::Organization)
            .order(&["-detected_at"])
            .refers("control_id", "control", "issues")
            .refers("organization_id", "organization", "complianceIssues")
            .refers("assigned_to", "assignedToUser", "complianceIssuesAssigned")
            .refers("resolved_by", "resolvedByUser", "complianceIssuesResolved"),
        entity("data_lineage_nodes", "DataLineageNode", "dataLineageNodes", Scope::Organization)
            .order(&["node_key"])
            .ordinals(&["position_x", "position_y"])
            .refers("organization_id", "organization", "dataLineageNodes"),
        entity("data_lineage_edges", "DataLineageEdge", "dataLineageEdges", Scope::Organization)
            .order(&["created_at"])
            .refers("organization_id", "organization", "dataLineageEdges")
            .refers("source_node_id", "sourceNode", "outgoingEdges")
            .refers("target_node_id", "targetNode", "incomingEdges"),
    ]
}
