//! Members of a workspace: invited, joined, given another role, removed. A workspace never loses its last admin.

use aether_entity::{
    sea_orm_active_enums::{MemberStatus, UserStatus, WorkspaceRole},
    users, workspace_members,
};
use aether_store::{
    Error, Result,
    policy::WorkspacePermission,
    write::{Change, Membership, UseCase, action},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Set};
use uuid::Uuid;

use super::invitee::{self, Invitee};
use crate::{patch::set, reason::Reason};

/// Somebody to invite: by id, or by e-mail address and organization.
pub struct NewMember {
    pub user_id: Option<Uuid>,
    pub email: Option<String>,
    pub organization: Option<String>,
    pub role: WorkspaceRole,
    pub is_admin: bool,
}

impl NewMember {
    fn invitee(&self) -> Result<Invitee> {
        match (self.user_id, &self.email, &self.organization) {
            (Some(id), None, None) => Ok(Invitee::User(id)),
            (None, Some(email), Some(organization)) => {
                Ok(Invitee::Account { email: email.clone(), organization: organization.clone() })
            }
            (None, Some(_), None) => Err(Error::invalid(
                "input.organization",
                "An e-mail address is unique within an organization only. Give the organization's slug too.",
            )),
            _ => Err(Error::invalid("input", "Name the user either by userId, or by email and organization.")),
        }
    }
}

/// Invites a user, of whatever organization, to a workspace.
pub fn invite(workspace_id: Uuid, input: NewMember) -> UseCase<Uuid> {
    UseCase::new(&action::INVITE_MEMBER, move |c| {
        Box::pin(async move {
            let membership = c.workspace(workspace_id).await?;
            let role = input.role.clone();
            admin_is_agent("input.isAdmin", &role, input.is_admin)?;
            if input.is_admin {
                decides_on_admins(&membership)?;
            }
            let user = invitee::find(c, &input.invitee()?).await?.ok_or_else(|| {
                let field = if input.user_id.is_some() { "input.userId" } else { "input.email" };
                Error::invalid(field, "There is no active user like this. Check the address and the organization.")
            })?;
            let known = workspace_members::Entity::find()
                .filter(workspace_members::Column::WorkspaceId.eq(workspace_id))
                .filter(workspace_members::Column::UserId.eq(user));
            let member = match c.one(known).await? {
                Some(member) if member.status == MemberStatus::Active => {
                    return Err(Error::Precondition("This user is a member already. Change the role instead.".into()));
                }
                Some(member) if member.status == MemberStatus::Pending => {
                    return Err(Error::Precondition(
                        "This user is invited already and has not answered. Change the role of the invitation instead, or \
                         remove it."
                            .into(),
                    ));
                }
                Some(member) => {
                    c.update(member, |member| {
                        member.role = Set(role);
                        member.is_admin = Set(input.is_admin);
                        member.status = Set(MemberStatus::Pending);
                        member.invited_at = Set(c.now());
                        member.joined_at = Set(None);
                    })
                    .await?
                }
                None => {
                    c.insert(workspace_members::ActiveModel {
                        workspace_id: Set(workspace_id),
                        user_id: Set(user),
                        role: Set(role),
                        is_admin: Set(input.is_admin),
                        status: Set(MemberStatus::Pending),
                        invited_at: Set(c.now()),
                        ..Default::default()
                    })
                    .await?
                }
            };
            Ok(member.id)
        })
    })
}

/// Accepts your invitation to a workspace.
pub fn accept_invitation(workspace_id: Uuid) -> UseCase<Uuid> {
    UseCase::new(&action::ACCEPT_INVITATION, move |c| {
        Box::pin(async move {
            let membership = c.my_membership(workspace_id).await?;
            if membership.member.status != MemberStatus::Pending {
                return Err(Error::Precondition("You are a member of this workspace already.".into()));
            }
            let member = c
                .update(membership.member.clone(), |member| {
                    member.status = Set(MemberStatus::Active);
                    member.joined_at = Set(Some(c.now()));
                })
                .await?;
            Ok(member.id)
        })
    })
}

/// Leaves a workspace, or declines the invitation to it, and tells the workspace's id.
pub fn leave(workspace_id: Uuid, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::LEAVE_WORKSPACE, move |c| {
        Box::pin(async move {
            reason.note(c)?;
            let membership = c.my_membership(workspace_id).await?;
            keeps_an_admin(c, &membership.member).await?;
            c.update(membership.member.clone(), |member| {
                member.status = Set(MemberStatus::Removed);
                member.is_admin = Set(false);
            })
            .await?;
            Ok(workspace_id)
        })
    })
}

/// Gives a member, or somebody who is invited, another role.
pub fn change_role(
    id: Uuid,
    expected_version: i32,
    role: Option<WorkspaceRole>,
    is_admin: Option<bool>,
    reason: Reason,
) -> UseCase<Uuid> {
    UseCase::new(&action::CHANGE_MEMBER_ROLE, move |c| {
        Box::pin(async move {
            reason.note(c)?;
            let (membership, member) = c.edit_in_workspace::<workspace_members::Entity>(id, expected_version).await?;
            not_removed(&member)?;
            let next = role.as_ref().unwrap_or(&member.role);
            let admin = is_admin.unwrap_or(member.is_admin && *next == WorkspaceRole::Agent);
            admin_is_agent("isAdmin", next, admin)?;
            if admin != member.is_admin {
                decides_on_admins(&membership)?;
            }
            if !admin {
                keeps_an_admin(c, &member).await?;
            }
            c.update(member, |member| {
                set(&mut member.role, role);
                member.is_admin = Set(admin);
            })
            .await?;
            Ok(id)
        })
    })
}

/// Removes a member from a workspace, or takes an invitation back.
pub fn remove(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::REMOVE_MEMBER, move |c| {
        Box::pin(async move {
            reason.note(c)?;
            let (membership, member) = c.edit_in_workspace::<workspace_members::Entity>(id, expected_version).await?;
            not_removed(&member)?;
            if member.user_id == c.actor().user_id {
                return Err(Error::invalid("id", "This is your own membership. Use leaveWorkspace to leave."));
            }
            if member.is_admin {
                decides_on_admins(&membership)?;
            }
            keeps_an_admin(c, &member).await?;
            c.update(member, |member| {
                member.status = Set(MemberStatus::Removed);
                member.is_admin = Set(false);
            })
            .await?;
            Ok(id)
        })
    })
}

fn admin_is_agent(field: &str, role: &WorkspaceRole, admin: bool) -> Result<()> {
    if admin && *role != WorkspaceRole::Agent {
        return Err(Error::invalid(
            field,
            "Only an agent administers a workspace. Choose the role AGENT, or no admin.",
        ));
    }
    Ok(())
}

/// Governing takes more than managing members does, or every agent could give itself the rest.
fn decides_on_admins(membership: &Membership) -> Result<()> {
    membership.require(WorkspacePermission::Govern)
}

fn not_removed(member: &workspace_members::Model) -> Result<()> {
    if member.status == MemberStatus::Removed {
        return Err(Error::Precondition("This member has been removed. Invite the user again.".into()));
    }
    Ok(())
}

/// Refuses to do without this member if nobody else who can act administers the workspace.
async fn keeps_an_admin(c: &Change, member: &workspace_members::Model) -> Result<()> {
    if !member.is_admin || member.status != MemberStatus::Active {
        return Ok(());
    }
    let active = users::Entity::find()
        .select_only()
        .column(users::Column::Id)
        .filter(users::Column::Status.eq(UserStatus::Active))
        .filter(users::Column::DeletedAt.is_null());
    let others = workspace_members::Entity::find()
        .filter(workspace_members::Column::WorkspaceId.eq(member.workspace_id))
        .filter(workspace_members::Column::Id.ne(member.id))
        .filter(workspace_members::Column::IsAdmin.eq(true))
        .filter(workspace_members::Column::Role.eq(WorkspaceRole::Agent))
        .filter(workspace_members::Column::Status.eq(MemberStatus::Active))
        .filter(workspace_members::Column::UserId.in_subquery(active.into_query()));
    if c.count(others).await? == 0 {
        return Err(Error::Precondition(
            "This is the last admin of the workspace. Make another agent an admin first.".into(),
        ));
    }
    Ok(())
}
