//! Who may do what, a second time.

use crate::{
    case,
    mutations::{Case, May},
    shared_workspace,
};

const ADMIN: May = May::Workspace(&["agent"]);
const AGENTS: May = May::Workspace(&["agent", "agent, no admin"]);
const DRAFTERS: May = May::Workspace(&["agent", "agent, no admin", "legal"]);

/// A clause of the workspace, at its end.
macro_rules! clause {
    () => {
        concat!(
            "INSERT INTO clauses (workspace_id, title, body, type, order_index, last_modified_by) \
             SELECT workspace_id, 'Notices', 'By post.', 'general'::clause_type, max(order_index) + 1, '$user'::uuid FROM clauses \
              WHERE workspace_id = ",
            shared_workspace!(),
            " GROUP BY 1 "
        )
    };
}

/// The same, with its id and version.
macro_rules! new_clause {
    () => {
        concat!(clause!(), "RETURNING id, row_version AS \"expectedVersion\"")
    };
}

/// A covenant of such a clause.
macro_rules! new_covenant {
    () => {
        concat!(
            clause!(),
            "; INSERT INTO covenants (workspace_id, clause_id, name, test_frequency, threshold, calculation_basis) \
             SELECT workspace_id, id, 'Leverage', 'Quarterly', '4.50:1.00', 'Debt to EBITDA' FROM clauses \
              ORDER BY created_at DESC, order_index DESC LIMIT 1 RETURNING id, row_version AS \"expectedVersion\""
        )
    };
}

/// Somebody else's membership of it.
macro_rules! new_member {
    () => {
        concat!(
            "INSERT INTO workspace_members (workspace_id, user_id, role, status, joined_at) SELECT ",
            shared_workspace!(),
            ", id, 'investor'::workspace_role, 'active'::member_status, now() FROM users WHERE email = 'viewer@aether-demo.com' \
             ON CONFLICT (user_id, workspace_id) DO UPDATE SET role = 'investor', status = 'active', joined_at = now() \
             RETURNING id, row_version AS \"expectedVersion\""
        )
    };
}

/// Another workspace, with the caller in it.
macro_rules! my_membership {
    ($status:literal) => {
        concat!(
            "INSERT INTO workspaces (organization_id, name, created_by_id) \
             SELECT organization_id, 'Elsewhere', id FROM users WHERE email = 'analyst@aether-demo.com'; \
             INSERT INTO workspace_members (workspace_id, user_id, role, status, joined_at) \
             SELECT id, '$user'::uuid, 'legal'::workspace_role, '",
            $status,
            "'::member_status, now() FROM workspaces ORDER BY created_at DESC LIMIT 1 RETURNING workspace_id AS workspace"
        )
    };
}

pub fn cases() -> Vec<Case> {
    vec![
        case!(
            "createWorkspace",
            May::SignedIn,
            "SELECT 'Term loan' AS name",
            "mutation($name: String!) { createWorkspace(input: { name: $name }) { id } }"
        ),
        case!(
            "updateGovernanceRules",
            ADMIN,
            concat!(
                "UPDATE workspaces SET governance_rules = governance_rules || '{\"requireReasonForSensitiveEdits\": true}' WHERE id = ",
                shared_workspace!(),
                " RETURNING id, row_version AS \"expectedVersion\""
            ),
            "mutation($id: UUID!, $expectedVersion: Int!) { updateGovernanceRules(workspaceId: $id, expectedVersion: $expectedVersion,
                input: { requireReasonForSensitiveEdits: false }) { id } }"
        ),
        case!(
            "inviteMember",
            AGENTS,
            concat!(
                "DELETE FROM workspace_members WHERE user_id = (SELECT id FROM users WHERE email = 'viewer@aether-demo.com') \
                 AND workspace_id = ",
                shared_workspace!(),
                "; SELECT ",
                shared_workspace!(),
                " AS workspace"
            ),
            "mutation($workspace: UUID!) { inviteMember(workspaceId: $workspace,
                input: { email: \"VIEWER@aether-demo.com\", organization: \"aether-demo\", role: INVESTOR }) { status } }"
        ),
        case!(
            "acceptInvitation",
            May::SignedIn,
            my_membership!("pending"),
            "mutation($workspace: UUID!) { acceptInvitation(workspaceId: $workspace) { status } }"
        ),
        case!(
            "leaveWorkspace",
            May::SignedIn,
            my_membership!("active"),
            "mutation($workspace: UUID!) { leaveWorkspace(workspaceId: $workspace) }"
        ),
        case!(
            "changeMemberRole",
            AGENTS,
            new_member!(),
            "mutation($id: UUID!, $expectedVersion: Int!) {
                changeMemberRole(id: $id, expectedVersion: $expectedVersion, role: RISK) { role } }"
        ),
        case!(
            "removeMember",
            AGENTS,
            new_member!(),
            "mutation($id: UUID!, $expectedVersion: Int!) { removeMember(id: $id, expectedVersion: $expectedVersion) { status } }"
        ),
        case!(
            "addClause",
            DRAFTERS,
            concat!("SELECT ", shared_workspace!(), " AS workspace"),
            "mutation($workspace: UUID!) { addClause(workspaceId: $workspace,
                input: { title: \"Notices\", body: \"By post.\", type: GENERAL, position: 1 }) { orderIndex } }"
        ),
        case!(
            "editClause",
            DRAFTERS,
            new_clause!(),
            "mutation($id: UUID!, $expectedVersion: Int!) {
                editClause(id: $id, expectedVersion: $expectedVersion, input: { body: \"By e-mail.\" }) { body } }"
        ),
        case!(
            "moveClause",
            DRAFTERS,
            new_clause!(),
            "mutation($id: UUID!, $expectedVersion: Int!) {
                moveClause(id: $id, expectedVersion: $expectedVersion, position: 1) { orderIndex } }"
        ),
        case!(
            "deleteClause",
            AGENTS,
            new_clause!(),
            "mutation($id: UUID!, $expectedVersion: Int!) { deleteClause(id: $id, expectedVersion: $expectedVersion) }"
        ),
        case!(
            "addCovenant",
            DRAFTERS,
            new_clause!(),
            "mutation($id: UUID!) { addCovenant(clauseId: $id, input: { name: \"Leverage\", testFrequency: \"Quarterly\",
                threshold: \"4.50:1.00\", calculationBasis: \"Debt to EBITDA\" }) { id } }"
        ),
        case!(
            "editCovenant",
            DRAFTERS,
            new_covenant!(),
            "mutation($id: UUID!, $expectedVersion: Int!) {
                editCovenant(id: $id, expectedVersion: $expectedVersion, input: { threshold: \"4.25:1.00\" }) { threshold } }"
        ),
        case!(
            "removeCovenant",
            DRAFTERS,
            new_covenant!(),
            "mutation($id: UUID!, $expectedVersion: Int!) { removeCovenant(id: $id, expectedVersion: $expectedVersion) }"
        ),
    ]
}
