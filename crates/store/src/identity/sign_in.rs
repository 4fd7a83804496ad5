//! Signing in: the password, the second factor, and what happens to those who fail.

use std::time::{Duration, Instant};

use aether_entity::{
    organizations,
    sea_orm_active_enums::{SubscriptionStatus, UserStatus},
    user_sessions, users,
};
use chrono::{DateTime, FixedOffset, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect, Statement, prelude::Expr,
};
use serde_json::json;
use uuid::Uuid;

use super::{Client, Sessions, SignedIn, issue, password, second_factor, token};
use crate::{
    audit_log::sign_in::{self as audit, Entry, Event},
    database::Transaction,
    error::{Error, Result},
    write::KEY,
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
    /// The current code of the second factor or a recovery code, for users that have a second factor.
    pub totp: Option<String>,
    /// What the device is known by, if the user has signed in on it before.
    pub device_token: Option<String>,
}

/// A session that is being opened.
pub(super) struct Opened {
    /// Its id.
    pub session_id: Uuid,
    /// The device, which has the id of the first session on it.
    pub device_id: Uuid,
    /// Whether the account stays locked to all others.
    pub locked: bool,
}

/// The same answer to whatever fails, so that it tells nothing of who exists.
fn refused() -> Error {
    Error::Unauthenticated(
        "Signing in failed: e-mail, password, organization or code is wrong, or the account is not active or locked for \
         a while after repeated failures."
            .into(),
    )
}

impl Sessions {
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
        let Credentials { email, password, organization, totp, device_token } = credentials;
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
        self.store.database().commit(transaction).await?;
        let right = password::verify(password, user.as_ref().and_then(|user| user.password_hash.clone())).await?;
        let transaction = self.store.database().begin(KEY).await?;
        let (Some(organization), Some(found)) = (&organization, user) else {
            if let Some(organization) = &organization {
                let entry = Entry::new("LOGIN_FAILED", "Sign-in for an unknown e-mail address")
                    .risk_medium()
                    .detail("email", email);
                audit::log(&transaction, organization.id, None, None, client, entry);
            }
            self.store.database().commit(transaction).await?;
            return Err(refused());
        };
        let Some(user) = users::Entity::find_by_id(found.id).lock_exclusive().one(&transaction).await? else {
            return Err(refused());
        };
        let now = Utc::now().fixed_offset();
        // A known device has guesses of its own: strangers can neither use them up nor take them.
        let device = device_token.and_then(|token| self.tokens.device_of(user.id, &token));
        let guesses = match device {
            None => Guesses::of_account(&user, now),
            Some(device) => Guesses::of_device(&transaction, &user, device).await?,
        };
        let standing = user.status == UserStatus::Active
            && user.deleted_at.is_none()
            && organization.subscription_status == SubscriptionStatus::Active
            && !guesses.locked
            // Changed while it was being checked: the check was of the old one.
            && user.password_hash == found.password_hash;
        let shown = match right && standing {
            true => second_factor::shown(&transaction, &self.encryption, &user, totp.as_deref(), now).await?,
            false => None,
        };
        let Some(shown) = shown else {
            let entry = Entry::new("LOGIN_FAILED", "Sign-in refused");
            match device {
                None => fail(&transaction, user, entry, None, client, now).await?,
                Some(device) => fail_on(&transaction, &user, device, &guesses, entry, client),
            }
            self.store.database().commit(transaction).await?;
            return Err(refused());
        };
        let (user_id, session_id) = (user.id, Uuid::now_v7());
        let step = second_factor::spend(&transaction, &user, shown, Some(session_id), client, now).await?;
        let device_id = device.unwrap_or(session_id);
        let opened = Opened { session_id, device_id, locked: is_locked(&user, now) };
        let refresh_token = self.open(&transaction, user, step, opened, client, now).await?;
        self.store.database().commit(transaction).await?;
        self.signed_in_on(device_id, user_id, session_id, refresh_token)
    }

    /// Opens a session of a user who has shown everything, and returns its refresh token.
    pub(super) async fn open(
        &self,
        transaction: &Transaction,
        user: users::Model,
        step: Option<i64>,
        opened: Opened,
        client: &Client,
        now: DateTime<FixedOffset>,
    ) -> Result<String> {
        let Opened { session_id, device_id, locked } = opened;
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
        .insert(transaction)
        .await?;
        let refresh_token = token::refresh_token()?;
        issue(transaction, Uuid::now_v7(), session_id, &refresh_token, expires_at).await?;
        let entry = Entry::new("LOGIN", "Signed in")
            .resource("user_session", session_id)
            .detail("device", json!(device_id))
            .detail("locked", locked);
        audit::log(transaction, user.organization_id, Some(&user), Some(session_id), client, entry);
        audit::event(transaction, &user, session_id, client, Event::Login);
        let mut user = user.into_active_model();
        // Who comes in from a known device does not open the account to those for whom it is locked.
        if !locked {
            user.failed_login_attempts = Set(0);
            user.locked_until = Set(None);
        }
        user.last_login_at = Set(Some(now));
        user.mfa_last_step = Set(step);
        user.update(transaction).await?;
        Ok(refresh_token)
    }
}

/// The failures that count against an attempt.
struct Guesses {
    failures: i32,
    locked: bool,
}

impl Guesses {
    /// Those of everybody whose device is not known.
    fn of_account(user: &users::Model, now: DateTime<FixedOffset>) -> Self {
        Self { failures: user.failed_login_attempts, locked: is_locked(user, now) }
    }

    /// Those on a device since it was last signed in on, within the time of a lock. The user's row is locked, so that no other
    /// attempt is between being counted and being kept.
    async fn of_device(transaction: &Transaction, user: &users::Model, device: Uuid) -> Result<Self> {
        let sql = "WITH recent AS (
                SELECT action, details, \"timestamp\" FROM audit_logs
                WHERE organization_id = $1 AND actor_id = $2 AND \"timestamp\" > now() - make_interval(secs => $4)
                AND action IN ('LOGIN', 'LOGIN_FAILED') AND details ->> 'device' = $3
            )
            SELECT count(*) FROM recent WHERE action = 'LOGIN_FAILED' AND (details -> 'counted') = 'true'::jsonb
            AND \"timestamp\" > coalesce((SELECT max(\"timestamp\") FROM recent WHERE action = 'LOGIN'), '-infinity')";
        let seconds = LOCKED_FOR.num_seconds() as f64;
        let values = [user.organization_id.into(), user.id.into(), device.to_string().into(), seconds.into()];
        let row = transaction.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
        let failures: i64 = row.ok_or_else(|| Error::internal("a count without a row"))?.try_get_by_index(0)?;
        let failures = i32::try_from(failures).unwrap_or(i32::MAX);
        Ok(Self { failures, locked: failures >= MOST_FAILURES })
    }
}

/// Tells the audit log of a failure on a known device, which counts there and not against the account.
fn fail_on(
    transaction: &Transaction,
    user: &users::Model,
    device: Uuid,
    guesses: &Guesses,
    entry: Entry,
    client: &Client,
) {
    let failures = guesses.failures.saturating_add(i32::from(!guesses.locked));
    let locks = !guesses.locked && failures >= MOST_FAILURES;
    let counted = !guesses.locked;
    let entry = entry
        .detail("failures", failures)
        .detail("locked", locks)
        .detail("device", json!(device))
        .detail("counted", counted);
    let entry = if locks { entry.risk_high() } else { entry.risk_medium() };
    audit::log(transaction, user.organization_id, Some(user), None, client, entry);
}

/// Whether the account is locked for a while.
pub(super) fn is_locked(user: &users::Model, now: DateTime<FixedOffset>) -> bool {
    user.locked_until.is_some_and(|until| until > now)
}

/// Tells the audit log, counts a failure and locks the account after too many.
pub(super) async fn fail(
    transaction: &Transaction,
    user: users::Model,
    entry: Entry,
    session_id: Option<Uuid>,
    client: &Client,
    now: DateTime<FixedOffset>,
) -> Result<()> {
    // A lock that is running is not made longer by trying: anybody could keep an account locked for ever.
    let locked = is_locked(&user, now);
    let failures = user.failed_login_attempts + i32::from(!locked);
    let locks = !locked && failures >= MOST_FAILURES;
    let entry = entry.detail("failures", failures).detail("locked", locks);
    let entry = if locks { entry.risk_high() } else { entry.risk_medium() };
    audit::log(transaction, user.organization_id, Some(&user), session_id, client, entry);
    let mut user = user.into_active_model();
    if locks {
        user.locked_until = Set(Some(now + LOCKED_FOR));
        user.failed_login_attempts = Set(0);
    } else {
        user.failed_login_attempts = Set(failures);
    }
    user.update(transaction).await?;
    Ok(())
}
