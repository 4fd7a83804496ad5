//! Signing in and out: the first writes of the gateway.
//!
//! Passwords are checked with Argon2id (RFC 9106), second factors by TOTP (RFC 6238). A refresh token is good for one
//! exchange: who presents a spent one has stolen it or was stolen from, and the session ends (RFC 9700, section 4.14).

#![expect(
    clippy::disallowed_methods,
    reason = "sessions begin, expire and end by the gateway's clock, one look per request, and write their own audit rows"
)]

use std::{
    net::IpAddr,
    sync::LazyLock,
    time::{Duration, Instant},
};

use aether_entity::{
    organizations, refresh_tokens,
    sea_orm_active_enums::{SubscriptionStatus, UserStatus},
    user_sessions, users,
};
use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString, rand_core::OsRng},
};
use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QuerySelect, prelude::Expr,
};
use serde_json::json;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::KEY;
use crate::{
    Store,
    error::{Error, Result},
    seal::Sealer,
    token::{self, Tokens},
    write::sign_in_audit::{self as audit, Entry, Event},
};

/// After so many failures in a row an account is locked …
const MOST_FAILURES: i32 = 5;
/// … for so long.
const LOCKED_FOR: chrono::Duration = chrono::Duration::minutes(15);
/// A refused sign-in answers so long after it began, whatever the reason, so that its time tells nothing.
const REFUSAL_TIME: Duration = Duration::from_millis(400);

/// What a user signs in with.
pub struct Credentials {
    /// E-mail address, in any case.
    pub email: String,
    /// Password.
    pub password: String,
    /// The slug of the organization.
    pub organization: String,
    /// The current code of the second factor, for users that have one.
    pub totp: Option<String>,
}

/// Where a request comes from, for the session and the audit log.
#[derive(Debug, Clone)]
pub struct Client {
    /// The peer's address.
    pub address: Option<IpAddr>,
    /// `User-Agent`
    pub user_agent: Option<String>,
    /// What the device says of itself.
    pub device: Option<serde_json::Value>,
    /// The request's id.
    pub request_id: Uuid,
}

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
}

/// Opens, renews and ends sessions.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
    tokens: Tokens,
    sealer: Sealer,
}

/// The same answer to whatever fails, so that it tells nothing of who exists.
fn refused() -> Error {
    Error::Unauthenticated(
        "Signing in failed: e-mail, password, organization or code is wrong, or the account is not active or locked for \
         a while after repeated failures."
            .into(),
    )
}

fn stale() -> Error {
    Error::Unauthenticated("This refresh token is not good any more. Sign in again with the login mutation.".into())
}

/// The hash of a password, in PHC string format.
pub fn hash_password(password: &str) -> Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes(), &SaltString::generate(&mut OsRng))
        .map(|hash| hash.to_string())
        .map_err(|_| Error::internal("a password that cannot be hashed"))
}

/// Whether the password is the hash's; takes as long where there is no hash.
async fn verify_password(password: String, hash: Option<String>) -> Result<bool> {
    static NOBODYS: LazyLock<String> = LazyLock::new(|| hash_password("nobody's").unwrap_or_default());
    // Each check takes 19 MiB and a core for a while: more at once than there are cores would only wait in each other's way.
    static TURNS: LazyLock<Semaphore> =
        LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, |n| n.get())));
    let _turn = TURNS.acquire().await.map_err(|_| Error::internal("a closed semaphore"))?;
    tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODYS.clone());
        let matches = PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        matches && known
    })
    .await
    .map_err(|_| Error::internal("a password check that was cut off"))
}

impl Sessions {
    /// Sessions of this store.
    pub fn new(store: Store, tokens: Tokens, sealer: Sealer) -> Self {
        Self { store, tokens, sealer }
    }

    /// The encryption at rest.
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// The session that an access token stands for.
    pub fn of_token(&self, token: &str) -> Result<Uuid> {
        self.tokens.session(token)
    }

    /// Opens a session.
    pub async fn sign_in(&self, credentials: Credentials, client: &Client) -> Result<SignedIn> {
        let began = Instant::now();
        let answer = self.try_sign_in(credentials, client).await;
        if matches!(answer, Err(Error::Unauthenticated(_))) {
            tokio::time::sleep_until((began + REFUSAL_TIME).into()).await;
        }
        answer
    }

    async fn try_sign_in(&self, credentials: Credentials, client: &Client) -> Result<SignedIn> {
        let Credentials { email, password, organization, totp } = credentials;
        let transaction = self.store.database().begin(KEY).await?;
        let organization = organizations::Entity::find()
            .filter(organizations::Column::Slug.eq(organization))
            .filter(organizations::Column::DeletedAt.is_null())
            .one(&transaction)
            .await?;
        let user = match &organization {
            None => None,
            Some(organization) => {
                users::Entity::find()
                    .filter(users::Column::OrganizationId.eq(organization.id))
                    .filter(Expr::cust_with_values("lower(email) = lower($1)", [email.clone()]))
                    .filter(users::Column::DeletedAt.is_null())
                    .one(&transaction)
                    .await?
            }
        };
        // The check of the password takes long; nothing is locked and no connection held meanwhile.
        transaction.commit().await?;
        let right = verify_password(password, user.as_ref().and_then(|user| user.password_hash.clone())).await?;
        let transaction = self.store.database().begin(KEY).await?;
        let (Some(organization), Some(found)) = (&organization, user) else {
            if let Some(organization) = &organization {
                let entry = Entry::new("LOGIN_FAILED", "Sign-in for an unknown e-mail address")
                    .risk_medium()
                    .details(json!({ "email": email }));
                audit::log(&transaction, organization.id, None, None, client, entry).await?;
            }
            transaction.commit().await?;
            return Err(refused());
        };
        let Some(user) = users::Entity::find_by_id(found.id).lock_exclusive().one(&transaction).await? else {
            return Err(refused());
        };
        let now = Utc::now().fixed_offset();
        let standing = user.status == UserStatus::Active
            && user.deleted_at.is_none()
            && organization.subscription_status == SubscriptionStatus::Active
            && user.locked_until.is_none_or(|until| until <= now)
            // Changed while it was being checked: the check was of the old one.
            && user.password_hash == found.password_hash;
        let passes = right && standing && self.passes_second_factor(&user, totp.as_deref())?;
        if passes {
            self.open(transaction, user, client, now).await
        } else {
            fail(transaction, user, client, now).await
        }
    }

    fn passes_second_factor(&self, user: &users::Model, code: Option<&str>) -> Result<bool> {
        if !user.mfa_enabled {
            return Ok(true);
        }
        let (Some(secret), Some(code)) = (&user.mfa_secret, code) else { return Ok(false) };
        // Kept as people type it into their device: base32.
        let secret = String::from_utf8(self.sealer.open(secret)?).ok();
        let secret = secret.and_then(|text| totp_rs::Secret::Encoded(text).to_bytes().ok());
        let secret = secret.ok_or_else(|| Error::internal("a second factor that is no base32"))?;
        // Unchecked: many devices hold 80 bits, and how long a secret must be is a question of enrolment.
        let totp = totp_rs::TOTP::new_unchecked(totp_rs::Algorithm::SHA1, 6, 1, 30, secret);
        totp.check_current(code).map_err(|_| Error::internal("a clock before 1970"))
    }

    async fn open(
        &self,
        transaction: DatabaseTransaction,
        user: users::Model,
        client: &Client,
        now: DateTime<FixedOffset>,
    ) -> Result<SignedIn> {
        let session_id = Uuid::now_v7();
        let expires_at = now + self.tokens.refresh_lifetime;
        user_sessions::ActiveModel {
            id: Set(session_id),
            user_id: Set(user.id),
            device_info: Set(client.device.clone()),
            ip_address: Set(client.address.map(Into::into)),
            user_agent: Set(client.user_agent.clone()),
            expires_at: Set(expires_at),
            last_activity_at: Set(now),
            ..Default::default()
        }
        .insert(&transaction)
        .await?;
        let refresh_token = issue(&transaction, session_id, expires_at).await?.1;
        audit::log(
            &transaction,
            user.organization_id,
            Some(&user),
            Some(session_id),
            client,
            Entry::new("LOGIN", "Signed in").resource("user_session", session_id),
        )
        .await?;
        audit::event(&transaction, &user, session_id, client, Event::Login).await?;
        let user_id = user.id;
        let mut user = user.into_active_model();
        user.failed_login_attempts = Set(0);
        user.locked_until = Set(None);
        user.last_login_at = Set(Some(now));
        user.update(&transaction).await?;
        transaction.commit().await?;
        self.signed_in(user_id, session_id, refresh_token)
    }

    fn signed_in(&self, user_id: Uuid, session_id: Uuid, refresh_token: String) -> Result<SignedIn> {
        Ok(SignedIn {
            user_id,
            session_id,
            access_token: self.tokens.access(user_id, session_id)?,
            refresh_token,
            expires_in: self.tokens.access_lifetime.as_secs(),
        })
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
        let now = Utc::now().fixed_offset();
        if spent.spent_at.is_some() && session.revoked_at.is_none() {
            revoke(&transaction, &[session.id], now).await?;
            let entry =
                Entry::new("REFRESH_TOKEN_REUSED", "A spent refresh token was presented; the session was ended")
                    .resource("user_session", session.id)
                    .risk_high();
            audit::log(&transaction, user.organization_id, Some(&user), Some(session.id), client, entry).await?;
            transaction.commit().await?;
            return Err(stale());
        }
        let stands = spent.spent_at.is_none()
            && spent.revoked_at.is_none()
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
        let expires_at = now + self.tokens.refresh_lifetime;
        let (next, refresh_token) = issue(&transaction, session.id, expires_at).await?;
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
        audit::log(&transaction, user.organization_id, Some(&user), Some(session_id), client, entry).await?;
        transaction.commit().await?;
        self.signed_in(user.id, session_id, refresh_token)
    }

    /// Ends this session, or (with `everywhere`) all of its user's. Tells how many were ended.
    pub async fn sign_out(&self, session_id: Uuid, everywhere: bool, client: &Client) -> Result<u64> {
        let actor = self.store.actors().load(self.store.database(), session_id).await?;
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
        revoke(&transaction, &open, Utc::now().fixed_offset()).await?;
        let entry = if everywhere {
            Entry::new("LOGOUT_EVERYWHERE", "Signed out of every session").details(json!({ "sessions": open.len() }))
        } else {
            Entry::new("LOGOUT", "Signed out")
        };
        let entry = entry.resource("user_session", session_id);
        audit::log(&transaction, user.organization_id, Some(&user), Some(session_id), client, entry).await?;
        audit::event(&transaction, &user, session_id, client, Event::Logout).await?;
        transaction.commit().await?;
        Ok(open.len() as u64)
    }
}

/// Counts a failure and locks the account after too many.
async fn fail(
    transaction: DatabaseTransaction,
    user: users::Model,
    client: &Client,
    now: DateTime<FixedOffset>,
) -> Result<SignedIn> {
    // A lock that is running is not made longer by trying: anybody could keep an account locked for ever.
    let locked = user.locked_until.is_some_and(|until| until > now);
    let failures = user.failed_login_attempts + i32::from(!locked);
    let locks = !locked && failures >= MOST_FAILURES;
    let entry = Entry::new("LOGIN_FAILED", "Sign-in refused").details(json!({ "failures": failures, "locked": locks }));
    let entry = if locks { entry.risk_high() } else { entry.risk_medium() };
    audit::log(&transaction, user.organization_id, Some(&user), None, client, entry).await?;
    let mut user = user.into_active_model();
    if locks {
        user.locked_until = Set(Some(now + LOCKED_FOR));
        user.failed_login_attempts = Set(0);
    } else {
        user.failed_login_attempts = Set(failures);
    }
    user.update(&transaction).await?;
    transaction.commit().await?;
    Err(refused())
}

/// A fresh refresh token of a session: its id and its text.
async fn issue(
    transaction: &DatabaseTransaction,
    session_id: Uuid,
    expires_at: DateTime<FixedOffset>,
) -> Result<(Uuid, String)> {
    let (id, text) = (Uuid::now_v7(), token::refresh_token()?);
    refresh_tokens::ActiveModel {
        id: Set(id),
        session_id: Set(session_id),
        token_hash: Set(token::hash(&text)),
        expires_at: Set(expires_at),
        ..Default::default()
    }
    .insert(transaction)
    .await?;
    Ok((id, text))
}

/// Ends sessions and their tokens.
async fn revoke(transaction: &DatabaseTransaction, sessions: &[Uuid], now: DateTime<FixedOffset>) -> Result<()> {
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
    Ok(())
}
