//! Second factors: a device with TOTP codes, and recovery codes for when it is lost.

use aether_entity::{user_recovery_codes, users};
use aether_store::{
    Error,
    session::second_factor,
    write::{Change, action},
};
use async_graphql::{Context, Object, Result, SimpleObject};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use crate::{
    auth::prove,
    change::{change, door},
    graph::Row,
};

/// What a device is set up with. It is shown only here.
#[derive(SimpleObject)]
struct MfaEnrolmentPayload {
    /// The secret in base32, to type into an authenticator.
    secret: String,
    /// The same as an address, to show as a QR code.
    otpauth_uri: String,
}

/// Recovery codes, each of which stands in for a code of the device once. They are shown only here.
#[derive(SimpleObject)]
struct RecoveryCodesPayload {
    /// The user.
    user: Row<users::Entity>,
    /// The codes, to be kept where the device is not.
    recovery_codes: Vec<String>,
}

/// One's own second factor.
#[derive(Default)]
pub(crate) struct MfaMutation;

#[Object]
impl MfaMutation {
    /// Begins to enrol a second factor: set up a device with the answer, then give its code to `confirmMfa`. Beginning again
    /// replaces what was begun. It cannot be part of a `@transaction`.
    async fn enrol_mfa(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your password.", secret)] password: String,
    ) -> Result<MfaEnrolmentPayload> {
        door(ctx).keep_secret();
        let (_, proof) = prove(ctx, "password", password, None).await?;
        change(ctx, &action::ENROL_MFA, |c| async move {
            let user = c.find::<users::Entity>(c.actor().user_id).await?;
            proof.holds(&user)?;
            not_yet(&user)?;
            let enrolment = second_factor::enrol(c.sealer(), &user.email)?;
            c.update(user, |user| user.mfa_pending_secret = Set(Some(enrolment.sealed))).await?;
            Ok(MfaEnrolmentPayload { secret: enrolment.secret, otpauth_uri: enrolment.uri })
        })
        .await
    }

    /// Confirms the device that `enrolMfa` set up: from now on signing in asks for its code. Answers with the recovery codes.
    async fn confirm_mfa(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code that the device shows now.", secret)] code: String,
    ) -> Result<RecoveryCodesPayload> {
        door(ctx).keep_secret();
        change(ctx, &action::CONFIRM_MFA, |c| async move {
            let user = c.find::<users::Entity>(c.actor().user_id).await?;
            not_yet(&user)?;
            let sealed = user.mfa_pending_secret.clone().ok_or_else(|| {
                Error::Precondition("There is no enrolment to confirm. Begin one with enrolMfa.".into())
            })?;
            let step = second_factor::step(c.sealer(), &sealed, &code, c.now(), None)?.ok_or_else(|| {
                Error::invalid(
                    "code",
                    "The code is wrong. Give the one that the device shows now, and check its clock.",
                )
            })?;
            let id = user.id;
            c.update(user, |user| {
                user.mfa_secret = Set(Some(sealed));
                user.mfa_pending_secret = Set(None);
                user.mfa_enabled = Set(true);
                user.mfa_last_step = Set(Some(step));
            })
            .await?;
            let recovery_codes = new_recovery_codes(&c, id).await?;
            Ok(RecoveryCodesPayload { user: Row::new(id), recovery_codes })
        })
        .await
    }

    /// Disables one's own second factor, and its recovery codes with it. What is wrong counts as a failed sign-in does. It
    /// cannot be part of a `@transaction`.
    async fn disable_mfa(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your password.", secret)] password: String,
        #[graphql(desc = "The code that the device shows now, or a recovery code.", secret)] code: String,
    ) -> Result<Row<users::Entity>> {
        let (_, proof) = prove(ctx, "password", password, Some(code)).await?;
        change(ctx, &action::DISABLE_MFA, |c| async move {
            let user = c.find::<users::Entity>(c.actor().user_id).await?;
            proof.holds(&user)?;
            let id = user.id;
            c.about::<users::Entity>(id);
            drop_recovery_codes(&c, id).await?;
            c.update(user, |user| {
                user.mfa_enabled = Set(false);
                user.mfa_secret = Set(None);
                user.mfa_pending_secret = Set(None);
                user.mfa_last_step = Set(None);
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Replaces one's recovery codes, used or not, by ten new ones. What is wrong counts as a failed sign-in does. It cannot be
    /// part of a `@transaction`.
    async fn regenerate_recovery_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your password.", secret)] password: String,
        #[graphql(desc = "The code that the device shows now, or a recovery code.", secret)] code: String,
    ) -> Result<RecoveryCodesPayload> {
        door(ctx).keep_secret();
        let (_, proof) = prove(ctx, "password", password, Some(code)).await?;
        change(ctx, &action::REGENERATE_RECOVERY_CODES, |c| async move {
            let user = c.find::<users::Entity>(c.actor().user_id).await?;
            proof.holds(&user)?;
            c.about::<users::Entity>(user.id);
            let recovery_codes = new_recovery_codes(&c, user.id).await?;
            Ok(RecoveryCodesPayload { user: Row::new(user.id), recovery_codes })
        })
        .await
    }
}

fn not_yet(user: &users::Model) -> aether_store::Result<()> {
    match user.mfa_enabled {
        false => Ok(()),
        true => Err(Error::Precondition("You have a second factor already. Disable it first to enrol another.".into())),
    }
}

async fn new_recovery_codes(c: &Change, user: Uuid) -> aether_store::Result<Vec<String>> {
    drop_recovery_codes(c, user).await?;
    let (codes, rows): (Vec<_>, Vec<_>) = second_factor::recovery_codes()?
        .into_iter()
        .map(|(code, hash)| {
            let row =
                user_recovery_codes::ActiveModel { user_id: Set(user), code_hash: Set(hash), ..Default::default() };
            (code, row)
        })
        .unzip();
    c.insert_all(rows).await?;
    Ok(codes)
}

async fn drop_recovery_codes(c: &Change, user: Uuid) -> aether_store::Result<()> {
    let old = user_recovery_codes::Entity::find().filter(user_recovery_codes::Column::UserId.eq(user));
    for code in c.all(old).await? {
        c.delete(code).await?;
    }
    Ok(())
}
