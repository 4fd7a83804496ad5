//! Memberships where the actor sees no row yet: its own invitation, and users of other organizations who are to be invited.

use std::sync::Arc;

use aether_entity::{sea_orm_active_enums::MemberStatus, workspace_members, workspaces};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};
use uuid::Uuid;

use super::{Change, Membership};
use crate::{
    error::{Error, Result},
    sql::Sql,
};

/// Who is to be invited, of whatever organization.
#[derive(Debug, Clone)]
pub enum Invitee {
    /// The user with this id.
    User(Uuid),
    /// The user with this address in the organization with this slug.
    Account {
        /// E-mail address, in any case.
        email: String,
        /// Slug of the organization.
        organization: String,
    },
}

impl Change {
    /// The user, if it can act: it and its organization are active.
    pub async fn invitee(&self, who: &Invitee) -> Result<Option<Uuid>> {
        let mut sql = Sql::new();
        sql.push(
            "SELECT u.id FROM users u JOIN organizations o ON o.id = u.organization_id \
             WHERE u.status = 'active' AND u.deleted_at IS NULL \
             AND o.subscription_status = 'active' AND o.deleted_at IS NULL AND ",
        );
        match who {
            Invitee::User(id) => sql.push("u.id = ").uuid(*id),
            Invitee::Account { email, organization } => {
                sql.push("lower(u.email) = lower(").text(email.trim()).push(") AND o.slug = ").text(organization.trim())
            }
        };
        let found = self.query(&sql).await?;
        Ok(found.first().map(|row| row.try_get_by_index(0)).transpose()?)
    }

    /// The actor's own membership of a workspace, active or still an invitation, with the workspace locked until the change
    /// ends. It allows nothing but to accept it or to end it.
    pub async fn own_membership(&self, workspace: Uuid) -> Result<Arc<Membership>> {
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
