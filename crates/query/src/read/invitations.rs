//! One's own open invitations to workspaces: the one thing that is told of a workspace before one is a member of it.

use aether_entity::sea_orm_active_enums::WorkspaceRole;
use chrono::{DateTime, FixedOffset};
use uuid::Uuid;

use super::Reader;
use crate::{error::Result, rows::Row, sql::Sql};

/// An open invitation to a workspace.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// The workspace.
    pub workspace_id: Uuid,
    /// Its name.
    pub workspace_name: String,
    /// The name of the organization that hosts it.
    pub organization_name: String,
    /// As what one is invited.
    pub role: WorkspaceRole,
    /// Whether one is to administer it.
    pub is_admin: bool,
    /// Since when one is invited.
    pub invited_at: DateTime<FixedOffset>,
}

/// Invitations at most; nobody answers more at a time.
const MOST: u64 = 500;

impl Reader {
    /// The actor's open invitations, the oldest first.
    pub async fn invitations(&self) -> Result<Vec<Invitation>> {
        let actor = self.actor().await?;
        let mut sql = Sql::new();
        sql.push(
            "SELECT w.id AS workspace_id, w.name AS workspace_name, o.name AS organization_name, m.role::text AS role, m.is_admin, m.invited_at \
             FROM workspace_members m JOIN workspaces w ON w.id = m.workspace_id \
             JOIN organizations o ON o.id = w.organization_id \
             WHERE m.status = 'pending' AND w.deleted_at IS NULL AND o.deleted_at IS NULL AND m.user_id = ",
        )
        .uuid(actor.user_id)
        .push(" ORDER BY m.invited_at, m.id LIMIT ")
        .number(MOST);
        let rows = self.database().ask(&sql).await?;
        let invitation = |row: Row<'_>| {
            Ok(Invitation {
                workspace_id: row.get("workspace_id")?,
                workspace_name: row.get("workspace_name")?,
                organization_name: row.get("organization_name")?,
                role: row.label("role")?,
                is_admin: row.get("is_admin")?,
                invited_at: row.get("invited_at")?,
            })
        };
        rows.iter().map(invitation).collect()
    }
}
