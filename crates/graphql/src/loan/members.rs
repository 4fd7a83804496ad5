//! Members of a workspace: invited, joined, given another role, removed. A workspace never loses its last admin.

use aether_application::loan::members;
use aether_entity::{self as entity, sea_orm_active_enums::WorkspaceRole};
use async_graphql::{Context, InputObject, Object, Result};
use uuid::Uuid;

use crate::{
    input::{Choice, Plain, plain, why},
    rows::Row,
    run::run,
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

plain!(InviteMemberInput as members::NewMember { user_id, email, organization, role, is_admin });

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
    ) -> Result<Row<entity::workspace_members::Entity>> {
        let id = run(ctx, members::invite(workspace_id, input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Accepts your invitation to a workspace.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace that you are invited to.")] workspace_id: Uuid,
    ) -> Result<Row<entity::workspace_members::Entity>> {
        let id = run(ctx, members::accept_invitation(workspace_id)).await?;
        Ok(Row::new(id))
    }

    /// Leaves a workspace, or declines the invitation to it, and tells the workspace's id. The last admin cannot leave.
    async fn leave_workspace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace.")] workspace_id: Uuid,
        #[graphql(desc = "Why you leave.")] reason: Option<String>,
    ) -> Result<Uuid> {
        run(ctx, members::leave(workspace_id, why(reason, None))).await
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
    ) -> Result<Row<entity::workspace_members::Entity>> {
        let id =
            run(ctx, members::change_role(id, expected_version, role.plain(), is_admin, why(reason, None))).await?;
        Ok(Row::new(id))
    }

    /// Removes a member from a workspace, or takes an invitation back. The member sees nothing of it from then on; what it has
    /// locked stays locked until an agent unlocks it.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The membership.")] id: Uuid,
        #[graphql(desc = "The version of the membership that you saw.")] expected_version: i32,
        #[graphql(desc = "Why the member is removed.")] reason: Option<String>,
    ) -> Result<Row<entity::workspace_members::Entity>> {
        let id = run(ctx, members::remove(id, expected_version, why(reason, None))).await?;
        Ok(Row::new(id))
    }
}
