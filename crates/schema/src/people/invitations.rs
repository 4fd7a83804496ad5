//! Invitations: how somebody becomes a user of the organization.

use aether_domain::entry::is_email;
use aether_entity::{
    organizations,
    sea_orm_active_enums::{UserRole, UserStatus},
    user_invitations, users,
};
use aether_store::{Error, session::invitation::GOOD_FOR, token, write::action};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set, prelude::Expr, sea_query::LockType};

use super::{rights, users::withdraw_invitations};
use crate::{
    auth::{DeviceInput, SignInPayload, sessions, signing_in},
    change::{change, door},
    error::Failure,
    graph::Row,
    input::{Choice, Scalar, text},
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

/// An invitation to pass on.
#[derive(SimpleObject)]
struct UserInvitationPayload {
    /// The invited user, pending until the invitation is accepted.
    user: Row<users::Entity>,
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
        door(ctx).keep_secret();
        change(ctx, &action::INVITE_USER, |c| async move {
            let email = email("input.email", &input.email)?;
            let name = text("input.name", &input.name, 255)?;
            let role = input.role.0;
            let granted = rights::permissions("input.permissions", input.permissions)?;
            let given = |value: Option<String>| value.map_or(MaybeUndefined::Null, MaybeUndefined::Value);
            let region = rights::region(&c, "input.region", given(input.region)).await?.take();
            let department = rights::department(&c, "input.department", given(input.department)).await?.take();
            // One who is pending may have been given more than this actor holds, and the token would be all it takes.
            let is_first =
                granted.as_array().is_some_and(Vec::is_empty) && rights::may_invite_first_cfo(&c, &role).await?;
            if !is_first {
                rights::may_give(&c, &role, &granted, None)?;
            }
            rights::may_open(&c, region.as_deref(), department.as_deref())?;
            let organization = c.find::<organizations::Entity>(c.actor().organization_id).await?;
            let known = users::Entity::find()
                .filter(users::Column::OrganizationId.eq(organization.id))
                .filter(Expr::cust_with_values("lower(users.email) = lower($1)", [email.clone()]))
                .lock(LockType::NoKeyUpdate);
            let user = match c.one(known).await? {
                Some(user) if user.status == UserStatus::Pending => {
                    withdraw_invitations(&c, user.id).await?;
                    c.update(user, |user| {
                        user.name = Set(name);
                        user.role = Set(role);
                        user.permissions = Set(granted);
                        user.region = Set(region);
                        user.department = Set(department);
                    })
                    .await?
                }
                Some(user) => {
                    return Err(Error::Taken {
                        field: "input.email".into(),
                        message: match user.status {
                            UserStatus::Inactive => {
                                "There is a deactivated user with this e-mail address. Reactivate the user instead."
                            }
                            _ => "There is a user with this e-mail address already. Choose another.",
                        }
                        .into(),
                    });
                }
                None => {
                    c.insert(users::ActiveModel {
                        organization_id: Set(organization.id),
                        email: Set(email),
                        name: Set(name),
                        role: Set(role),
                        permissions: Set(granted),
                        region: Set(region),
                        department: Set(department),
                        status: Set(UserStatus::Pending),
                        ..Default::default()
                    })
                    .await?
                }
            };
            c.about::<users::Entity>(user.id);
            let (token, token_hash) = token::one_time()?;
            let expires_at = c.now() + GOOD_FOR;
            c.insert(user_invitations::ActiveModel {
                user_id: Set(user.id),
                token_hash: Set(token_hash),
                invited_by: Set(Some(c.actor().user_id)),
                created_at: Set(c.now()),
                expires_at: Set(expires_at),
                ..Default::default()
            })
            .await?;
            Ok(UserInvitationPayload { user: Row::new(user.id), token, expires_at: Scalar(expires_at) })
        })
        .await
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

/// An e-mail address such as the database takes.
fn email(field: &str, value: &str) -> aether_store::Result<String> {
    let value = text(field, value, 255)?;
    match is_email(&value) {
        true => Ok(value),
        false => Err(Error::invalid(field, "This is no e-mail address. Give one such as name@example.com.")),
    }
}
