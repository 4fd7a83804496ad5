//! Who may call what.

use crate::{
    case,
    mutations::{Case, May},
    shared_workspace,
};

const DRAFTERS: May = May::Workspace(&["agent", "agent, no admin", "legal"]);
const AGENTS: May = May::Workspace(&["agent", "agent, no admin"]);
const RISK: May = May::Workspace(&["risk"]);

/// A variable of a clause that nobody has locked.
macro_rules! variable {
    () => {
        concat!(
            "(SELECT v.id FROM variables v JOIN clauses c ON c.id = v.clause_id WHERE NOT c.is_locked AND v.workspace_id = ",
            shared_workspace!(),
            " ORDER BY v.id LIMIT 1)"
        )
    };
}

/// A variable that drifts, and its item.
macro_rules! drift {
    () => {
        concat!(
            "DELETE FROM drift_items WHERE status = 'unresolved' AND variable_id = ",
            variable!(),
            "; UPDATE variables SET value = 'USD 2', baseline_value = 'USD 1' WHERE id = ",
            variable!(),
            "; INSERT INTO drift_items (workspace_id, clause_id, variable_id, title, type, severity, baseline_value, baseline_approved_at,
                 current_value, current_modified_at, current_modified_by)
               SELECT workspace_id, clause_id, id, 'Test', 'financial', 'HIGH', 'USD 1', now(), 'USD 2', now(),
                 (SELECT id FROM users WHERE email = 'legal@harrow-and-lane.example') FROM variables WHERE id = ",
            variable!(),
            " RETURNING id, row_version AS \"expectedVersion\""
        )
    };
}

/// A change that a markup proposes.
macro_rules! proposal {
    () => {
        concat!(
            "INSERT INTO reconciliation_items (workspace_id, session_id, incoming_snippet, target_clause_id, target_variable_id, confidence,
                 baseline_value, current_value, proposed_value)
               SELECT v.workspace_id, (SELECT s.id FROM reconciliation_sessions s WHERE s.workspace_id = v.workspace_id ORDER BY id LIMIT 1),
                 'x', v.clause_id, v.id, 'HIGH', v.value, v.value, gen_random_uuid()::text FROM variables v WHERE v.id = ",
            variable!(),
            " RETURNING id, row_version AS \"expectedVersion\""
        )
    };
}

pub fn cases() -> Vec<Case> {
    vec![
        case!(
            "bindVariable",
            DRAFTERS,
            concat!(
                "SELECT id AS \"clauseId\" FROM clauses WHERE NOT is_locked AND type = 'financial' AND workspace_id = ",
                shared_workspace!(),
                " ORDER BY id LIMIT 1"
            ),
            "mutation($clauseId: UUID!) { bindVariable(clauseId: $clauseId, reason: \"Test\",
                input: { label: \"Fee\", type: FINANCIAL, value: \"1%\", baselineValue: \"2%\" }) { id } }"
        ),
        case!(
            "editVariable",
            DRAFTERS,
            concat!(
                "SELECT id, row_version AS \"expectedVersion\", gen_random_uuid()::text AS value FROM variables WHERE id = ",
                variable!()
            ),
            "mutation($id: UUID!, $expectedVersion: Int!, $value: String!) {
                editVariable(id: $id, expectedVersion: $expectedVersion, reason: \"Test\", input: { value: $value }) { value } }"
        ),
        case!(
            "unbindVariable",
            DRAFTERS,
            concat!(
                "INSERT INTO variables (workspace_id, clause_id, label, type, value) SELECT workspace_id, clause_id, 'Test', 'financial', '1%'
                   FROM variables WHERE id = ",
                variable!(),
                " RETURNING id, row_version AS \"expectedVersion\""
            ),
            "mutation($id: UUID!, $expectedVersion: Int!) { unbindVariable(id: $id, expectedVersion: $expectedVersion, reason: \"Test\") }"
        ),
        case!(
            "syncGraph",
            DRAFTERS,
            concat!("SELECT ", shared_workspace!(), " AS \"workspaceId\""),
            "mutation($workspaceId: UUID!) { syncGraph(workspaceId: $workspaceId) { nodes } }"
        ),
        case!(
            "overrideDrift",
            AGENTS,
            drift!(),
            "mutation($id: UUID!, $expectedVersion: Int!) { overrideDrift(id: $id, expectedVersion: $expectedVersion, reason: \"Test\") { status } }"
        ),
        case!(
            "revertDrift",
            DRAFTERS,
            drift!(),
            "mutation($id: UUID!, $expectedVersion: Int!) { revertDrift(id: $id, expectedVersion: $expectedVersion, reason: \"Test\") { status } }"
        ),
        case!(
            "approveDrift",
            RISK,
            drift!(),
            "mutation($id: UUID!, $expectedVersion: Int!) { approveDrift(id: $id, expectedVersion: $expectedVersion, reason: \"Test\") { status } }"
        ),
        case!(
            "applyReconciliationItem",
            DRAFTERS,
            proposal!(),
            "mutation($id: UUID!, $expectedVersion: Int!) {
                applyReconciliationItem(id: $id, expectedVersion: $expectedVersion, reason: \"Test\") { decision } }"
        ),
        case!(
            "rejectReconciliationItem",
            DRAFTERS,
            proposal!(),
            "mutation($id: UUID!, $expectedVersion: Int!) {
                rejectReconciliationItem(id: $id, expectedVersion: $expectedVersion, reason: \"Test\") { decision } }"
        ),
        case!(
            "applyReconciliationItems",
            DRAFTERS,
            proposal!(),
            "mutation($id: UUID!, $expectedVersion: Int!) {
                applyReconciliationItems(items: [{ id: $id, expectedVersion: $expectedVersion }], reason: \"Test\") { appliedCount } }"
        ),
        case!(
            "rejectReconciliationItems",
            DRAFTERS,
            proposal!(),
            "mutation($id: UUID!, $expectedVersion: Int!) {
                rejectReconciliationItems(items: [{ id: $id, expectedVersion: $expectedVersion }], reason: \"Test\") { rejectedCount } }"
        ),
    ]
}
