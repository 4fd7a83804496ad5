//! A workspace under change: locked, so that one change of it follows another.

use std::sync::Arc;

use aether_domain::governance::Rules;
use aether_entity::{sea_orm_active_enums::MemberStatus, workspace_members, workspaces};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Select, prelude::Expr, sea_query::LockType};
use uuid::Uuid;

use super::{Change, Writable, action::Needs, constraint::words, membership::Membership, table::table_of};
use crate::error::{Error, Result};

impl Change {
    /// The workspace, locked until the change ends, once the actor is found to be a member that may do what the action does.
    pub async fn workspace(&self, id: Uuid) -> Result<Arc<Membership>> {
        if let Some(known) = self.membership() {
            if known.workspace.id == id {
                return Ok(known);
            }
            return Err(Error::internal("a change of two workspaces"));
        }
        let its = workspaces::Entity::find_by_id(id);
        self.lock(its).await?.ok_or_else(|| Error::NotFound("There is no workspace with this id.".into()))
    }

    /// Locks the workspace that is found so, and enters it; none where there is none of which the actor is a member.
    async fn lock(&self, workspace: Select<workspaces::Entity>) -> Result<Option<Arc<Membership>>> {
        let Some(workspace) = self.one(workspace.lock(LockType::NoKeyUpdate)).await? else { return Ok(None) };
        // Read only now that nobody else can change it.
        let member = workspace_members::Entity::find()
            .filter(workspace_members::Column::WorkspaceId.eq(workspace.id))
            .filter(workspace_members::Column::UserId.eq(self.actor().user_id))
            .filter(workspace_members::Column::Status.eq(MemberStatus::Active));
        let Some(member) = self.one(member).await? else { return Ok(None) };
        let membership = self.join(workspace, member)?;
        if let Needs::Workspace(permission) = self.action().needs {
            membership.require(permission)?;
        }
        Ok(Some(membership))
    }

    /// Makes this workspace, which is locked, the one that the change is of.
    pub(super) fn join(
        &self,
        workspace: workspaces::Model,
        member: workspace_members::Model,
    ) -> Result<Arc<Membership>> {
        let rules = Rules::from_json(&workspace.governance_rules)
            .map_err(|_| Error::internal("governance rules that cannot be read"))?;
        let of_host = self.actor().organization_id == workspace.organization_id;
        let membership = Arc::new(Membership { workspace, member, rules, of_host });
        self.enter(membership.clone());
        Ok(membership)
    }

    /// The workspace that the change is of.
    pub fn entered(&self) -> Result<Uuid> {
        let membership = self.membership().ok_or_else(|| Error::internal("a change of no workspace"))?;
        Ok(membership.workspace.id)
    }

    /// The row and its workspace, locked; the row is read after the lock.
    pub async fn in_workspace<E: Writable>(&self, id: Uuid) -> Result<(Arc<Membership>, E::Model)> {
        let membership = match self.membership() {
            Some(known) => known,
            None => {
                // The scope is asked when the workspace is locked; this only tells which one it is.
                let its = format!("workspaces.id = (SELECT workspace_id FROM {} WHERE id = $1)", table_of::<E>());
                let its = workspaces::Entity::find().filter(Expr::cust_with_values(its, [id]));
                let missing =
                    || Error::NotFound(format!("There is no {} with this id.", words(E::default().table_name())));
                self.lock(its).await?.ok_or_else(missing)?
            }
        };
        let row = self.find::<E>(id).await?;
        Ok((membership, row))
    }

    /// The same for an edit: the row must have the version that the client saw.
    pub async fn edit_in_workspace<E: Writable>(&self, id: Uuid, expected: i32) -> Result<(Arc<Membership>, E::Model)> {
        let (membership, row) = self.in_workspace::<E>(id).await?;
        self.expect::<E>(&row, expected).await?;
        Ok((membership, row))
    }
}
