//! Invitations: how somebody becomes a user of the organization.

use aether_application::people::invitations;
use aether_entity::{self as entity, sea_orm_active_enums::UserRole};
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, FixedOffset};

use crate::{
    auth::{DeviceInput, SignInPayload, sessions, signing_in},
    error::Failure,
    input::{Choice, Plain, Scalar, plain},
    rows::Row,
    run::{executor, run},
};

/// Somebody to invite.
#[derive(InputObject)]
struct InviteUserInput {
    /// E-mail address, with which the user will sign in.
    email: String,
    /// Full name.
    name: String,
    /// Role in the organization.
    role: Choice<UserRole>,
    /// The region that the user is confined to, such as `Europe`; every region unless given.
    region: Option<String>,
    /// The name of the department that the user is confined to, with all below it; every department unless given.
    department: Option<String>,
    /// Permissions beyond the role, such as `audit:read`.
    #[graphql(default)]
    permissions: Vec<String>,
}

plain!(InviteUserInput as invitations::NewUser { email, name, role, region, department, permissions });

/// An invitation to pass on.
#[derive(SimpleObject)]
struct UserInvitationPayload {
    /// The invited user, pending until the invitation is accepted.
    user: Row<entity::users::Entity>,
    /// The token for `acceptUserInvitation`. It is shown only here: pass it on to the user on a way that nobody else reads.
    token: String,
    /// When the invitation stops being accepted.
    expires_at: Scalar<DateTime<FixedOffset>>,
}

/// Inviting users, and joining.
#[derive(Default)]
pub(crate) struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Invites somebody to the organization and answers with the token to pass on, good for seven days. Whoever is still
    /// pending gets a new token, which replaces the old one, and what is given here. Nobody can invite with a role or
    /// permissions that they do not hold themselves, but for an administrator who invites the first CFO of the organization.
    async fn invite_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom to invite, as what.")] input: InviteUserInput,
    ) -> Result<UserInvitationPayload> {
        executor(ctx).keep_secret();
        let invitations::Invitation { user_id, token, expires_at } =
            run(ctx, invitations::invite(input.plain())).await?;
        Ok(UserInvitationPayload { user: Row::new(user_id), token, expires_at: Scalar(expires_at) })
    }

    /// Accepts an invitation: sets the password, makes the user active and opens a session, as `login` does.
    async fn accept_user_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token of the invitation.", secret)] token: String,
        #[graphql(
            desc = "The password to sign in with from now on: 12 to 200 characters, and not the name or e-mail address.",
            secret
        )]
        password: String,
        #[graphql(desc = "What the device says of itself.")] device: Option<DeviceInput>,
    ) -> Result<SignInPayload> {
        let client = signing_in(ctx, device)?;
        Ok(SignInPayload(sessions(ctx).accept_invitation(&token, password, &client).await.map_err(Failure)?))
    }
}
