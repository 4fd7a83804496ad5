//! The actor's own membership, where it sees no row of the workspace yet.

use std::sync::Arc;

use aether_entity::{sea_orm_active_enums::MemberStatus, workspace_members, workspaces};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};
use uuid::Uuid;

use super::{Change, membership::Membership};
use crate::error::{Error, Result};

impl Change {
    /// The actor's own membership of a workspace, active or still an invitation, with the workspace locked until the change
    /// ends. It allows nothing but to accept it or to end it.
    pub async fn my_membership(&self, workspace: Uuid) -> Result<Arc<Membership>> {
        let missing =
            || Error::NotFound("You are neither a member of a workspace with this id nor invited to it.".into());
        // Not scoped: who is invited does not see the workspace yet.
        let locked = workspaces::Entity::find_by_id(workspace)
            .filter(workspaces::Column::DeletedAt.is_null())
            .lock(LockType::NoKeyUpdate);
        let workspace = locked.one(self.transaction()).await?.ok_or_else(missing)?;
        let member = workspace_members::Entity::find()
            .filter(workspace_members::Column::WorkspaceId.eq(workspace.id))
            .filter(workspace_members::Column::UserId.eq(self.actor().user_id))
            .filter(workspace_members::Column::Status.ne(MemberStatus::Removed));
        let member = member.one(self.transaction()).await?.ok_or_else(missing)?;
        self.join(workspace, member)
    }
}
