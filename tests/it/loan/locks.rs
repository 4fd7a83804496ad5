//! Locks of clauses.

use crate::{
    case,
    mutations::{Case, May},
    shared_workspace,
};

const AGENTS: May = May::Workspace(&["agent", "agent, no admin"]);

/// The first clause of the workspace.
macro_rules! first_clause {
    () => {
        concat!("(SELECT id FROM clauses WHERE workspace_id = ", shared_workspace!(), " ORDER BY order_index LIMIT 1)")
    };
}

pub fn cases() -> Vec<Case> {
    vec![
        case!(
            "lockClause",
            AGENTS,
            concat!(
                "UPDATE clauses SET is_locked = false, locked_by = NULL, locked_at = NULL WHERE id = ",
                first_clause!(),
                " RETURNING id, row_version AS \"expectedVersion\""
            ),
            "mutation($id: UUID!, $expectedVersion: Int!) { lockClause(id: $id, expectedVersion: $expectedVersion) { isLocked } }"
        ),
        case!(
            "unlockClause",
            AGENTS,
            concat!(
                "UPDATE clauses SET is_locked = true, locked_at = now(), locked_by = (SELECT id FROM users
                   WHERE email = 'agent2@northgate-bank.example') WHERE id = ",
                first_clause!(),
                " RETURNING id, row_version AS \"expectedVersion\""
            ),
            "mutation($id: UUID!, $expectedVersion: Int!) { unlockClause(id: $id, expectedVersion: $expectedVersion) { isLocked } }"
        ),
    ]
}
