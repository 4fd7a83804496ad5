//! Signing in and out, oneself, and whether the gateway is well.

use std::sync::Arc;

use aether_store::{
    Store,
    actor::Actor,
    identity::{Client, Credentials, Proof, Sessions, SignedIn},
    policy::{Permission, WorkspacePermission},
    read::{Invitation, MyMembership},
};
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use aether_entity::{sea_orm_active_enums::WorkspaceRole, users::Entity as User};
use chrono::{DateTime, FixedOffset};

use crate::{
    error::Failure,
    input::{Choice, Scalar},
    rate::Rates,
    rows::Row,
    run::{executor, reader},
};

/// What a device says of itself when it signs in; kept with the session, so that a user recognizes it.
#[derive(InputObject)]
pub(crate) struct DeviceInput {
    /// Browser and its version, such as `Firefox 145`.
    browser: Option<String>,
    /// Operating system and its version.
    os: Option<String>,
    /// The kind of device, such as `Desktop`.
    device: Option<String>,
    /// Where it is, city and country.
    location: Option<String>,
}

/// The signed-in user and what it may do.
struct Me(Arc<Actor>);

/// The signed-in user and what it may do.
#[Object]
impl Me {
    /// The user.
    async fn user(&self) -> Row<User> {
        Row::new(self.0.user_id)
    }

    /// The session that the request came by.
    async fn session_id(&self) -> uuid::Uuid {
        self.0.session_id
    }

    /// What the user may do, by its role and by grants of its own.
    async fn permissions(&self) -> Vec<GrantedPermission> {
        self.0.permissions.iter().map(|permission| (*permission).into()).collect()
    }

    /// Workspaces that the user is an active member of, or the one with this id, and what it may do in each, by its role there and
    /// by the rules of the workspace.
    async fn workspaces(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only the workspace with this id.")] id: Option<uuid::Uuid>,
    ) -> Result<Vec<OwnMembership>> {
        let memberships = reader(ctx).my_memberships(id).await.map_err(Failure)?;
        Ok(memberships.into_iter().map(Into::into).collect())
    }

    /// Workspaces that the user is invited to and has neither joined nor declined, the oldest invitation first.
    async fn invitations(&self, ctx: &Context<'_>) -> Result<Vec<WorkspaceInvitation>> {
        let invitations = reader(ctx).invitations().await.map_err(Failure)?;
        Ok(invitations.into_iter().map(Into::into).collect())
    }
}

/// A workspace that the user is a member of, and what it may do there.
#[derive(SimpleObject)]
struct OwnMembership {
    /// The workspace.
    workspace_id: uuid::Uuid,
    /// The role that the user has in it.
    role: Choice<WorkspaceRole>,
    /// Whether the user administers it.
    is_admin: bool,
    /// What the user may do in it.
    permissions: Vec<GrantedPermission>,
}

impl From<MyMembership> for OwnMembership {
    fn from(membership: MyMembership) -> Self {
        Self {
            workspace_id: membership.workspace_id,
            role: Choice(membership.role),
            is_admin: membership.is_admin,
            permissions: membership.permissions.into_iter().map(Into::into).collect(),
        }
    }
}

/// An open invitation to a workspace, of which the invited sees no more until it is accepted.
#[derive(SimpleObject)]
struct WorkspaceInvitation {
    /// The workspace, for `acceptInvitation` and `leaveWorkspace`.
    workspace_id: uuid::Uuid,
    /// Name of the workspace.
    workspace_name: String,
    /// Name of the organization that hosts it.
    organization_name: String,
    /// The role that the user is to have in it.
    role: Choice<WorkspaceRole>,
    /// Whether the user is to administer it.
    is_admin: bool,
    /// When the user was invited.
    invited_at: Scalar<DateTime<FixedOffset>>,
}

impl From<Invitation> for WorkspaceInvitation {
    fn from(invitation: Invitation) -> Self {
        Self {
            workspace_id: invitation.workspace_id,
            workspace_name: invitation.workspace_name,
            organization_name: invitation.organization_name,
            role: Choice(invitation.role),
            is_admin: invitation.is_admin,
            invited_at: Scalar(invitation.invited_at),
        }
    }
}

/// Something that the user may do.
#[derive(SimpleObject)]
struct GrantedPermission {
    /// Its name, as it stands in a user's grants and in errors.
    name: &'static str,
    /// What it allows.
    description: &'static str,
}

impl From<Permission> for GrantedPermission {
    fn from(permission: Permission) -> Self {
        Self { name: permission.name(), description: permission.doc() }
    }
}

impl From<WorkspacePermission> for GrantedPermission {
    fn from(permission: WorkspacePermission) -> Self {
        Self { name: permission.name(), description: permission.doc() }
    }
}

/// Whether the gateway is well.
#[derive(SimpleObject)]
struct Health {
    /// Whether the database answers.
    database: bool,
    /// The gateway's version.
    version: &'static str,
}

/// A session with its tokens.
pub(crate) struct SignInPayload(pub(crate) SignedIn);

/// A session with its tokens.
#[Object]
impl SignInPayload {
    /// For the header `Authorization: Bearer …` of the requests that follow.
    async fn access_token(&self) -> &str {
        &self.0.access_token
    }

    /// Exchanged by `refresh` for the next pair of tokens; good for one exchange.
    async fn refresh_token(&self) -> &str {
        &self.0.refresh_token
    }

    /// Seconds until the access token expires.
    async fn expires_in(&self) -> i32 {
        i32::try_from(self.0.expires_in).unwrap_or(i32::MAX)
    }

    /// What this device is known by at the next `login` of the user, for 90 days. Keep it where the page or the program keeps what
    /// outlives a session: it opens nothing without the password. `null` from `refresh`.
    async fn device_token(&self) -> Option<&str> {
        self.0.device_token.as_deref()
    }

    /// The session.
    async fn session_id(&self) -> uuid::Uuid {
        self.0.session_id
    }

    /// The user; null, with an error that says why, where it cannot be read just now: the tokens are good all the same.
    async fn user(&self, ctx: &Context<'_>) -> Option<Row<User>> {
        let reader = reader(ctx);
        Some(Row::new(self.0.user_id).seen_by(reader.for_session(self.0.session_id)))
    }
}

/// Oneself, and the gateway's health.
#[derive(Default)]
pub(crate) struct AuthQuery;

#[Object]
impl AuthQuery {
    /// The signed-in user and what it may do.
    async fn me(&self, ctx: &Context<'_>) -> Result<Me> {
        let actor = reader(ctx).actor().await.map_err(Failure)?;
        Ok(Me(actor))
    }

    /// Whether the gateway is well; answers without a token.
    async fn health(&self, ctx: &Context<'_>) -> Health {
        let database = ctx.data_unchecked::<Store>().database().ping().await.is_ok();
        Health { database, version: env!("CARGO_PKG_VERSION") }
    }
}

/// Opening, renewing and ending sessions.
#[derive(Default)]
pub(crate) struct AuthMutation;

#[Object]
impl AuthMutation {
    /// Opens a session. The answer is the same, and takes as long, whatever is wrong. After five failures in a row the
    /// account is locked for 15 minutes, but for devices that its user has signed in on before; each of these is locked after five
    /// failures of its own.
    #[allow(clippy::too_many_arguments, reason = "each is an argument of the mutation")]
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "E-mail address, in any case.")] email: String,
        #[graphql(desc = "Password.", secret)] password: String,
        #[graphql(desc = "The slug of the organization, such as `aether-demo`.")] organization: String,
        #[graphql(
            desc = "For users that have a second factor: its current code, which is good once, or a recovery code.",
            secret
        )]
        totp: Option<String>,
        #[graphql(desc = "What the device says of itself.")] device: Option<DeviceInput>,
        #[graphql(
            desc = "The `deviceToken` of the last sign-in on this device. With it, failures elsewhere do not keep the user out.",
            secret
        )]
        device_token: Option<String>,
    ) -> Result<SignInPayload> {
        let client = signing_in(ctx, device)?;
        let credentials = Credentials { email, password, organization, totp, device_token };
        Ok(SignInPayload(sessions(ctx).sign_in(credentials, &client).await.map_err(Failure)?))
    }

    /// Exchanges a refresh token for the next, and a new access token. The token that was exchanged last is answered by the same next
    /// one for ten seconds, for tabs that refresh at once; any other that was exchanged before ends its session.
    async fn refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token.", secret)] refresh_token: String,
    ) -> Result<SignInPayload> {
        alone(ctx)?;
        executor(ctx).keep_secret();
        Ok(SignInPayload(sessions(ctx).refresh(&refresh_token, &client(ctx)).await.map_err(Failure)?))
    }

    /// Ends the session that the request came by.
    async fn logout(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(sign_out(ctx, false).await? > 0)
    }

    /// Ends all sessions of the signed-in user and tells how many.
    async fn logout_everywhere(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(i32::try_from(sign_out(ctx, true).await?).unwrap_or(i32::MAX))
    }
}

/// Refuses to open or end sessions as a part of a transaction, which could not take a token back.
pub(crate) fn alone(ctx: &Context<'_>) -> Result<()> {
    Ok(executor(ctx).alone().map_err(Failure)?)
}

async fn sign_out(ctx: &Context<'_>, everywhere: bool) -> Result<u64> {
    alone(ctx)?;
    let actor = reader(ctx).actor().await.map_err(Failure)?;
    Ok(sessions(ctx).sign_out(actor.session_id, everywhere, &client(ctx)).await.map_err(Failure)?)
}

pub(crate) fn sessions<'a>(ctx: &Context<'a>) -> &'a Sessions {
    ctx.data_unchecked::<Sessions>()
}

fn client(ctx: &Context<'_>) -> Client {
    ctx.data_unchecked::<Client>().clone()
}

/// The client that opens a session on this device: by no transaction, not more often than it may, and with an answer that is
/// not kept.
pub(crate) fn signing_in(ctx: &Context<'_>, device: Option<DeviceInput>) -> Result<Client> {
    alone(ctx)?;
    let mut client = client(ctx);
    client.device = Some(device_info(device, client.user_agent.as_deref()));
    ctx.data_unchecked::<Rates>().sign_in(client.address).map_err(Failure)?;
    executor(ctx).keep_secret();
    Ok(client)
}

/// Has who is signed in prove it anew, by the password in this field and the second factor if one is given. That takes long
/// and must be kept even if what follows fails, so it goes before the change and not with others.
pub(crate) async fn prove(
    ctx: &Context<'_>,
    field: &str,
    password: String,
    code: Option<String>,
) -> Result<(Arc<Actor>, Proof)> {
    alone(ctx)?;
    let actor = reader(ctx).actor().await.map_err(Failure)?;
    let proof = sessions(ctx).prove(&actor, field, password, code, &client(ctx)).await.map_err(Failure)?;
    Ok((actor, proof))
}

/// What the device says, or else what its user agent begins with.
fn device_info(device: Option<DeviceInput>, user_agent: Option<&str>) -> serde_json::Value {
    let short = |text: Option<String>| text.map(|text| text.chars().take(200).collect::<String>());
    match device {
        Some(DeviceInput { browser, os, device, location }) => serde_json::json!({
            "browser": short(browser), "os": short(os), "device": short(device), "location": short(location),
        }),
        None => {
            let product = user_agent.and_then(|agent| agent.split_whitespace().next());
            serde_json::json!({ "browser": product.map(|product| product.replace('/', " ")) })
        }
    }
}
