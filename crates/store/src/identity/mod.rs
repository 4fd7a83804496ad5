//! Signing in and out: who gets in by what, how a session goes on and how it ends.
//!
//! Passwords are checked with Argon2id (RFC 9106), second factors by TOTP (RFC 6238). A refresh token is good for one
//! exchange: who presents a spent one has stolen it or was stolen from, and the session ends (RFC 9700, section 4.14). Two tabs of
//! one browser may present the same token at once, so for a few seconds the last one spent is answered once more, by the
//! same next token: there is one chain, and whoever goes on with a token that the other has spent is found out then.

#![expect(
    clippy::disallowed_methods,
    reason = "sessions begin, expire and end by the gateway's clock, one look per request, and write their own audit rows"
)]

pub mod invitation;
mod password;
mod proof;
pub mod second_factor;
mod sign_in;
pub mod token;

use aether_entity::{
    organizations, refresh_tokens,
    sea_orm_active_enums::{SubscriptionStatus, UserStatus},
    user_sessions, users,
};
use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect, Statement, prelude::Expr,
};
use uuid::Uuid;

use self::token::{Access, Tokens};
pub use self::{
    password::{hash_password, new_password},
    proof::Proof,
    sign_in::Credentials,
};
pub use crate::write::Client;
use crate::{
    Store,
    audit_log::sign_in::{self as audit, Entry, Event},
    database::Transaction,
    encryption::Encryption,
    error::{Error, Result},
    write::{Change, KEY},
};

/// A session that was opened or renewed.
pub struct SignedIn {
    /// The user.
    pub user_id: Uuid,
    /// The session.
    pub session_id: Uuid,
    /// For the `Authorization` header.
    pub access_token: String,
    /// For the next refresh.
    pub refresh_token: String,
    /// Seconds until the access token expires.
    pub expires_in: u64,
    /// What the device is known by at the next sign-in, where it was signed in on with a password.
    pub device_token: Option<String>,
}

/// Opens, renews and ends sessions.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
    tokens: Tokens,
    encryption: Encryption,
}

/// For so long the refresh token that was spent last is answered again.
const GRACE: chrono::Duration = chrono::Duration::seconds(10);

fn stale() -> Error {
    Error::Unauthenticated("This refresh token is not good any more. Sign in again with the login mutation.".into())
}

impl Sessions {
    /// Sessions of this store.
    pub fn new(store: Store, tokens: Tokens, encryption: Encryption) -> Self {
        Self { store, tokens, encryption }
    }

    /// The encryption at rest.
    pub fn encryption(&self) -> &Encryption {
        &self.encryption
    }

    /// What an access token stands for.
    pub fn of_token(&self, token: &str) -> Result<Access> {
        self.tokens.read(token)
    }

    /// What this session may download this export by, until that moment (seconds since 1970).
    pub fn download_token(&self, export: Uuid, session: Uuid, until: i64) -> Result<String> {
        self.tokens.download(export, session, until)
    }

    /// The session that may download this export by this token.
    pub fn of_download_token(&self, export: Uuid, token: &str) -> Result<Uuid> {
        self.tokens.download_of(export, token)
    }

    fn signed_in(&self, user_id: Uuid, session_id: Uuid, refresh_token: String) -> Result<SignedIn> {
        Ok(SignedIn {
            user_id,
            session_id,
            access_token: self.tokens.access(user_id, session_id)?,
            refresh_token,
            expires_in: self.tokens.access_lifetime.as_secs(),
            device_token: None,
        })
    }

    /// The same for a device that was signed in on, which is to be known from now on.
    fn signed_in_on(
        &self,
        device_id: Uuid,
        user_id: Uuid,
        session_id: Uuid,
        refresh_token: String,
    ) -> Result<SignedIn> {
        let device_token = Some(self.tokens.device(user_id, device_id)?);
        Ok(SignedIn { device_token, ..self.signed_in(user_id, session_id, refresh_token)? })
    }

    /// Exchanges a refresh token for the next, and a new access token.
    pub async fn refresh(&self, refresh_token: &str, client: &Client) -> Result<SignedIn> {
        let transaction = self.store.database().begin(KEY).await?;
        let presented =
            refresh_tokens::Entity::find().filter(refresh_tokens::Column::TokenHash.eq(token::hash(refresh_token)));
        let Some(found) = presented.clone().one(&transaction).await? else { return Err(stale()) };
        // The session before its token, as in signing out: two requests of one session wait for each other in one order.
        let session = user_sessions::Entity::find_by_id(found.session_id).lock_exclusive().one(&transaction).await?;
        let Some(session) = session else { return Err(stale()) };
        let Some(spent) = presented.lock_exclusive().one(&transaction).await? else { return Err(stale()) };
        let Some(user) = users::Entity::find_by_id(session.user_id).one(&transaction).await? else {
            return Err(stale());
        };
        let organization = organizations::Entity::find_by_id(user.organization_id).one(&transaction).await?;
        // After the locks, and by one clock for all gateways: of two, one may be seconds behind.
        let now = clock(&transaction).await?;
        let repeated = match (spent.spent_at, spent.replaced_by_id) {
            (Some(at), Some(next)) if now - at <= GRACE => {
                let next = refresh_tokens::Entity::find_by_id(next).lock_exclusive().one(&transaction).await?;
                next.filter(|next| next.spent_at.is_none() && next.revoked_at.is_none())
            }
            _ => None,
        };
        if spent.spent_at.is_some() && repeated.is_none() && session.revoked_at.is_none() {
            revoke(&transaction, user.organization_id, &[session.id], now).await?;
            let entry =
                Entry::new("REFRESH_TOKEN_REUSED", "A spent refresh token was presented; the session was ended")
                    .resource("user_session", session.id)
                    .risk_high();
            audit::log(&transaction, user.organization_id, Some(&user), Some(session.id), client, entry);
            self.store.database().commit(transaction).await?;
            return Err(stale());
        }
        let stands = spent.revoked_at.is_none()
            && (spent.spent_at.is_none() || repeated.is_some())
            && spent.expires_at > now
            && session.revoked_at.is_none()
            && session.expires_at > now
            && user.status == UserStatus::Active
            && user.deleted_at.is_none()
            && organization
                .is_some_and(|o| o.subscription_status == SubscriptionStatus::Active && o.deleted_at.is_none());
        if !stands {
            return Err(stale());
        }
        if let Some(next) = repeated {
            let again = self.tokens.successor(refresh_token, next.id)?;
            // Exchanged by a gateway with another secret: nothing is known of what it answered, and nothing is given out.
            if token::hash(&again) != next.token_hash {
                return Err(stale());
            }
            let entry = Entry::new(
                "REFRESH_TOKEN_REPEATED",
                "Presented the refresh token that was just exchanged, and was answered again",
            )
            .resource("user_session", session.id)
            .risk_medium();
            audit::log(&transaction, user.organization_id, Some(&user), Some(session.id), client, entry);
            self.store.database().commit(transaction).await?;
            return self.signed_in(user.id, session.id, again);
        }
        let expires_at = now + self.tokens.refresh_lifetime;
        let next = Uuid::now_v7();
        let refresh_token = self.tokens.successor(refresh_token, next)?;
        issue(&transaction, next, session.id, &refresh_token, expires_at).await?;
        let mut spent = spent.into_active_model();
        spent.spent_at = Set(Some(now));
        spent.replaced_by_id = Set(Some(next));
        spent.update(&transaction).await?;
        let session_id = session.id;
        let mut session = session.into_active_model();
        session.last_activity_at = Set(now);
        session.expires_at = Set(expires_at);
        session.ip_address = Set(client.address.map(Into::into));
        session.update(&transaction).await?;
        let entry = Entry::new("TOKEN_REFRESHED", "Exchanged a refresh token").resource("user_session", session_id);
        audit::log(&transaction, user.organization_id, Some(&user), Some(session_id), client, entry);
        self.store.database().commit(transaction).await?;
        self.signed_in(user.id, session_id, refresh_token)
    }

    /// Ends this session, or (with `everywhere`) all of its user's. Tells how many were ended.
    pub async fn sign_out(&self, session_id: Uuid, everywhere: bool, client: &Client) -> Result<u64> {
        let actor = self.store.actors().load(self.store.connections(), session_id).await?;
        let transaction = self.store.database().begin(KEY).await?;
        let mut open = user_sessions::Entity::find()
            .filter(user_sessions::Column::UserId.eq(actor.user_id))
            .filter(user_sessions::Column::ExpiresAt.gt(Utc::now().fixed_offset()))
            .filter(user_sessions::Column::RevokedAt.is_null());
        if !everywhere {
            open = open.filter(user_sessions::Column::Id.eq(session_id));
        }
        let open: Vec<Uuid> = open.lock_exclusive().all(&transaction).await?.into_iter().map(|s| s.id).collect();
        let user = users::Entity::find_by_id(actor.user_id).one(&transaction).await?;
        let user = user.ok_or_else(|| Error::internal("an actor without a user"))?;
        revoke(&transaction, user.organization_id, &open, Utc::now().fixed_offset()).await?;
        let entry = if everywhere {
            Entry::new("LOGOUT_EVERYWHERE", "Signed out of every session").detail("sessions", open.len())
        } else {
            Entry::new("LOGOUT", "Signed out")
        };
        let entry = entry.resource("user_session", session_id);
        audit::log(&transaction, user.organization_id, Some(&user), Some(session_id), client, entry);
        audit::event(&transaction, &user, session_id, client, Event::Logout);
        self.store.database().commit(transaction).await?;
        Ok(open.len() as u64)
    }
}

/// What time it is by the clock that all gateways share.
async fn clock(transaction: &Transaction) -> Result<DateTime<FixedOffset>> {
    let now =
        transaction.query_one_raw(Statement::from_string(DbBackend::Postgres, "SELECT clock_timestamp()")).await?;
    now.ok_or_else(|| Error::internal("a database without a clock"))?.try_get_by_index(0).map_err(Into::into)
}

/// Keeps a refresh token of a session.
async fn issue(
    transaction: &Transaction,
    id: Uuid,
    session_id: Uuid,
    text: &str,
    expires_at: DateTime<FixedOffset>,
) -> Result<()> {
    refresh_tokens::ActiveModel {
        id: Set(id),
        session_id: Set(session_id),
        token_hash: Set(token::hash(text)),
        expires_at: Set(expires_at),
        ..Default::default()
    }
    .insert(transaction)
    .await?;
    Ok(())
}

/// Ends sessions and their tokens.
pub(super) async fn revoke(
    transaction: &Transaction,
    organization_id: Uuid,
    sessions: &[Uuid],
    now: DateTime<FixedOffset>,
) -> Result<()> {
    user_sessions::Entity::update_many()
        .col_expr(user_sessions::Column::RevokedAt, Expr::value(now))
        .filter(user_sessions::Column::Id.is_in(sessions.iter().copied()))
        .filter(user_sessions::Column::RevokedAt.is_null())
        .exec(transaction)
        .await?;
    refresh_tokens::Entity::update_many()
        .col_expr(refresh_tokens::Column::RevokedAt, Expr::value(now))
        .filter(refresh_tokens::Column::SessionId.is_in(sessions.iter().copied()))
        .filter(refresh_tokens::Column::RevokedAt.is_null())
        .exec(transaction)
        .await?;
    audit::sessions_ended(transaction, organization_id, sessions);
    Ok(())
}

impl Change {
    /// Ends these sessions and their refresh tokens. Their next request is refused.
    pub async fn end_sessions(&self, sessions: &[Uuid]) -> Result<()> {
        revoke(self.transaction(), self.actor().organization_id, sessions, self.now()).await
    }
}
