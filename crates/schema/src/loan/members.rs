//! Members of a workspace: invited, joined, given another role, removed. A workspace never loses its last admin.

use aether_entity::{
    sea_orm_active_enums::{MemberStatus, UserStatus, WorkspaceRole},
    users, workspace_members,
};
use aether_store::{
    Error,
    policy::WorkspacePermission,
    write::{Change, Invitee, Membership, action},
};
use async_graphql::{Context, InputObject, Object, Result};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Set};
use uuid::Uuid;

use crate::{
    change::change,
    graph::Row,
    input::{Choice, set},
};

/// Somebody to invite: by id, or by e-mail address and organization.
#[derive(InputObject)]
struct InviteMemberInput {
    /// The user.
    user_id: Option<Uuid>,
    /// E-mail address of the user, in any case, with `organization`.
    email: Option<String>,
    /// Slug of the organization that the user belongs to, such as `northgate-bank`.
    organization: Option<String>,
    /// The role in the workspace.
    role: Choice<WorkspaceRole>,
    /// Whether the member is to administer the workspace: an agent, invited by an admin.
    #[graphql(default)]
    is_admin: bool,
}

impl InviteMemberInput {
    fn invitee(&self) -> aether_store::Result<Invitee> {
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

/// Inviting, changing and removing members.
#[derive(Default)]
pub(crate) struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Invites a user, of whatever organization, to a workspace. The user sees the invitation in `me`, and nothing of the
    /// workspace until it is accepted.
    /// Whoever left or was removed can be invited again.
    async fn invite_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace.")] workspace_id: Uuid,
        #[graphql(desc = "Who is invited, and as what.")] input: InviteMemberInput,
    ) -> Result<Row<workspace_members::Entity>> {
        change(ctx, &action::INVITE_MEMBER, |c| async move {
            let membership = c.workspace(workspace_id).await?;
            let role = input.role.0.clone();
            admin_is_agent("input.isAdmin", &role, input.is_admin)?;
            if input.is_admin {
                decides_on_admins(&membership)?;
            }
            let user = c.invitee(&input.invitee()?).await?.ok_or_else(|| {
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
            Ok(Row::new(member.id))
        })
        .await
    }

    /// Accepts your invitation to a workspace.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace that you are invited to.")] workspace_id: Uuid,
    ) -> Result<Row<workspace_members::Entity>> {
        change(ctx, &action::ACCEPT_INVITATION, |c| async move {
            let membership = c.own_membership(workspace_id).await?;
            if membership.member.status != MemberStatus::Pending {
                return Err(Error::Precondition("You are a member of this workspace already.".into()));
            }
            let member = c
                .update(membership.member.clone(), |member| {
                    member.status = Set(MemberStatus::Active);
                    member.joined_at = Set(Some(c.now()));
                })
                .await?;
            Ok(Row::new(member.id))
        })
        .await
    }

    /// Leaves a workspace, or declines the invitation to it, and tells the workspace's id. The last admin cannot leave.
    async fn leave_workspace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace.")] workspace_id: Uuid,
        #[graphql(desc = "Why you leave.")] reason: Option<String>,
    ) -> Result<Uuid> {
        change(ctx, &action::LEAVE_WORKSPACE, |c| async move {
            c.reason(reason.as_deref(), None);
            let membership = c.own_membership(workspace_id).await?;
            keeps_an_admin(&c, &membership.member).await?;
            c.update(membership.member.clone(), |member| {
                member.status = Set(MemberStatus::Removed);
                member.is_admin = Set(false);
            })
            .await?;
            Ok(workspace_id)
        })
        .await
    }

    /// Gives a member, or somebody who is invited, another role. Only an admin makes or unmakes admins.
    async fn change_member_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The membership.")] id: Uuid,
        #[graphql(desc = "The version of the membership that you saw.")] expected_version: i32,
        #[graphql(desc = "The role from now on; as it is unless given.")] role: Option<Choice<WorkspaceRole>>,
        #[graphql(
            desc = "Whether the member administers the workspace, which only an agent does. As it is unless given, but \
                    whoever is no agent any more is no admin either."
        )]
        is_admin: Option<bool>,
        #[graphql(desc = "Why it changes.")] reason: Option<String>,
    ) -> Result<Row<workspace_members::Entity>> {
        change(ctx, &action::CHANGE_MEMBER_ROLE, |c| async move {
            c.reason(reason.as_deref(), None);
            let (membership, member) = c.edit_in_workspace::<workspace_members::Entity>(id, expected_version).await?;
            not_removed(&member)?;
            let next = role.as_ref().map_or(&member.role, |role| &role.0);
            let admin = is_admin.unwrap_or(member.is_admin && *next == WorkspaceRole::Agent);
            admin_is_agent("isAdmin", next, admin)?;
            if admin != member.is_admin {
                decides_on_admins(&membership)?;
            }
            if !admin {
                keeps_an_admin(&c, &member).await?;
            }
            c.update(member, |member| {
                set(&mut member.role, role);
                member.is_admin = Set(admin);
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Removes a member from a workspace, or takes an invitation back. The member sees nothing of it from then on; what it has
    /// locked stays locked until an agent unlocks it.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The membership.")] id: Uuid,
        #[graphql(desc = "The version of the membership that you saw.")] expected_version: i32,
        #[graphql(desc = "Why the member is removed.")] reason: Option<String>,
    ) -> Result<Row<workspace_members::Entity>> {
        change(ctx, &action::REMOVE_MEMBER, |c| async move {
            c.reason(reason.as_deref(), None);
            let (membership, member) = c.edit_in_workspace::<workspace_members::Entity>(id, expected_version).await?;
            not_removed(&member)?;
            if member.user_id == c.actor().user_id {
                return Err(Error::invalid("id", "This is your own membership. Use leaveWorkspace to leave."));
            }
            if member.is_admin {
                decides_on_admins(&membership)?;
            }
            keeps_an_admin(&c, &member).await?;
            c.update(member, |member| {
                member.status = Set(MemberStatus::Removed);
                member.is_admin = Set(false);
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }
}

fn admin_is_agent(field: &str, role: &WorkspaceRole, admin: bool) -> aether_store::Result<()> {
    if admin && *role != WorkspaceRole::Agent {
        return Err(Error::invalid(
            field,
            "Only an agent administers a workspace. Choose the role AGENT, or no admin.",
        ));
    }
    Ok(())
}

/// Governing takes more than managing members does, or every agent could give itself the rest.
fn decides_on_admins(membership: &Membership) -> aether_store::Result<()> {
    membership.require(WorkspacePermission::Govern)
}

fn not_removed(member: &workspace_members::Model) -> aether_store::Result<()> {
    if member.status == MemberStatus::Removed {
        return Err(Error::Precondition("This member has been removed. Invite the user again.".into()));
    }
    Ok(())
}

/// Refuses to do without this member if nobody else who can act administers the workspace.
async fn keeps_an_admin(c: &Change, member: &workspace_members::Model) -> aether_store::Result<()> {
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
