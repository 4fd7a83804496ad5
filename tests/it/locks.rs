//! Locks of clauses.

use crate::{
    case,
    mutations::{Case, May},
};

const AGENTS: May = May::Workspace(&["agent", "agent, no admin"]);

pub fn cases() -> Vec<Case> {
    vec![
        case!(
            "lockClause",
            AGENTS,
            "UPDATE clauses SET is_locked = false, locked_by = NULL, locked_at = NULL WHERE id = (SELECT id FROM clauses
               WHERE workspace_id = (SELECT m.workspace_id FROM workspace_members m JOIN users u ON u.id = m.user_id
                 WHERE u.email = 'agent2@northgate-bank.example' AND m.status = 'active' AND m.role = 'agent' LIMIT 1)
               ORDER BY order_index LIMIT 1) RETURNING id, row_version AS \"expectedVersion\"",
            "mutation($id: UUID!, $expectedVersion: Int!) { lockClause(id: $id, expectedVersion: $expectedVersion) { isLocked } }"
        ),
        case!(
            "unlockClause",
            AGENTS,
            "UPDATE clauses c SET is_locked = true, locked_by = m.user_id, locked_at = now() FROM workspace_members m
               JOIN users u ON u.id = m.user_id
              WHERE u.email = 'agent2@northgate-bank.example' AND m.status = 'active' AND m.role = 'agent'
                AND c.workspace_id = m.workspace_id AND c.order_index = (SELECT min(order_index) FROM clauses d WHERE d.workspace_id = c.workspace_id)
              RETURNING c.id, c.row_version AS \"expectedVersion\"",
            "mutation($id: UUID!, $expectedVersion: Int!) { unlockClause(id: $id, expectedVersion: $expectedVersion) { isLocked } }"
        ),
    ]
}
