//! Accepting an invitation: the first sign-in of a user, who chooses a password.

use std::sync::Arc;

use aether_entity::{
    organizations,
    sea_orm_active_enums::{SubscriptionStatus, UserStatus},
    user_invitations, users,
};
use chrono::Utc;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::{Client, Sessions, SignedIn, password, sign_in::Opened, token};
use crate::{
    actor::Actor,
    audit_log::sign_in::{self as audit, Entry},
    database::Transaction,
    error::{Error, Result},
    write::{Change, KEY, action},
};

/// How long an invitation can be accepted.
pub const GOOD_FOR: chrono::Duration = chrono::Duration::days(7);

fn refused() -> Error {
    Error::Unauthenticated(
        "This invitation is not good any more: it was accepted, replaced by a newer one or withdrawn, or has expired. Ask whoever \
         invited you for a new one."
            .into(),
    )
}

impl Sessions {
    /// Accepts the invitation of this token with a password of the user's choice, and opens a session.
    pub async fn accept_invitation(&self, token: &str, password: String, client: &Client) -> Result<SignedIn> {
        let transaction = self.store.database().begin(KEY).await?;
        let (invitation, found) = self::find(&transaction, token).await?.ok_or_else(refused)?;
        self.store.database().commit(transaction).await?;
        let password_hash = password::new_password("password", password, &found.email, &found.name).await?;

        let transaction = Arc::new(self.store.database().begin(KEY).await?);
        let user = users::Entity::find_by_id(found.id).lock_exclusive().one(&*transaction).await?;
        let user = user.ok_or_else(refused)?;
        let invitation =
            user_invitations::Entity::find_by_id(invitation.id).lock_exclusive().one(&*transaction).await?;
        let organization = organizations::Entity::find_by_id(user.organization_id).one(&*transaction).await?;
        let now = Utc::now().fixed_offset();
        let stands = user.status == UserStatus::Pending
            && user.deleted_at.is_none()
            && organization
                .is_some_and(|o| o.subscription_status == SubscriptionStatus::Active && o.deleted_at.is_none());
        let Some(invitation) =
            invitation.filter(|known| stands && known.accepted_at.is_none() && known.expires_at > now)
        else {
            let entry = Entry::new("INVITATION_REFUSED", "An invitation was presented that is not good any more")
                .resource("user", user.id)
                .risk_medium();
            audit::log(&transaction, user.organization_id, Some(&user), None, client, entry);
            self.store.database().commit_shared(transaction).await?;
            return Err(refused());
        };
        let (user_id, session_id) = (user.id, Uuid::now_v7());
        // The invited user has no session yet.
        let change = Change::begun(
            transaction,
            Arc::new(Actor::invited(&user, session_id)?),
            &action::ACCEPT_USER_INVITATION,
            client.clone(),
            self.encryption.clone(),
            now,
        );
        change.about::<users::Entity>(user_id);
        change.update(invitation, |invitation| invitation.accepted_at = Set(Some(now))).await?;
        let user = change
            .update(user, |user| {
                user.password_hash = Set(Some(password_hash));
                user.status = Set(UserStatus::Active);
            })
            .await?;
        let step = user.mfa_last_step;
        let refresh_token = self
            .open(
                change.transaction(),
                user,
                step,
                Opened { session_id, device_id: session_id, locked: false },
                client,
                now,
            )
            .await?;
        change.finish(self.store.database()).await?;
        self.signed_in_on(session_id, user_id, session_id, refresh_token)
    }
}

/// The invitation of a token, and whom it invites.
async fn find(transaction: &Transaction, token: &str) -> Result<Option<(user_invitations::Model, users::Model)>> {
    let invitation = user_invitations::Entity::find()
        .filter(user_invitations::Column::TokenHash.eq(token::hash(token)))
        .one(transaction)
        .await?;
    let Some(invitation) = invitation else { return Ok(None) };
    let user = users::Entity::find_by_id(invitation.user_id).one(transaction).await?;
    Ok(user.map(|user| (invitation, user)))
}
