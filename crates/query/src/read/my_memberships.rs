//! One's own place in workspaces, and what one may do there.

use aether_domain::governance::Rules;
use aether_entity::sea_orm_active_enums::WorkspaceRole;
use uuid::Uuid;

use super::Reader;
use crate::{
    error::{Error, Result},
    policy::{WorkspacePermission, WorkspaceRights},
    sql::{NATURAL_ORDER, Sql},
};

/// A workspace that one is an active member of.
#[derive(Debug)]
pub struct MyMembership {
    /// The workspace.
    pub workspace_id: Uuid,
    /// One's role there.
    pub role: WorkspaceRole,
    /// Whether one administers it.
    pub is_admin: bool,
    /// What one may do there.
    pub permissions: Vec<WorkspacePermission>,
}

/// Workspaces at most.
const MOST: u64 = 500;

impl Reader {
    /// The actor's place in each of its workspaces, or in the one with this id.
    pub async fn my_memberships(&self, workspace: Option<Uuid>) -> Result<Vec<MyMembership>> {
        let actor = self.actor().await?;
        let mut sql = Sql::new();
        sql.push(
            "SELECT w.id AS workspace_id, w.organization_id, w.governance_rules, m.role::text AS role, m.is_admin \
             FROM workspace_members m JOIN workspaces w ON w.id = m.workspace_id \
             WHERE m.status = 'active' AND w.deleted_at IS NULL AND m.user_id = ",
        )
        .uuid(actor.user_id);
        if let Some(workspace) = workspace {
            sql.push(" AND w.id = ").uuid(workspace);
        }
        sql.push(" ORDER BY w.name").push(NATURAL_ORDER).push(", w.id LIMIT ").number(MOST);
        let rows = self.database().ask(&sql).await?;
        rows.iter()
            .map(|row| {
                let role: WorkspaceRole = row.label("role")?;
                let is_admin = row.get("is_admin")?;
                let rules = Rules::from_json(&row.get("governance_rules")?)
                    .map_err(|_| Error::internal("governance rules that cannot be read"))?;
                let of_host = row.get::<Uuid>("organization_id")? == actor.organization_id;
                let permissions = WorkspaceRights { role: &role, is_admin, of_host, rules: &rules }.permissions();
                Ok(MyMembership { workspace_id: row.get("workspace_id")?, role, is_admin, permissions })
            })
            .collect()
    }
}
