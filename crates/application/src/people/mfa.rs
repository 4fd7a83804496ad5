//! Second factors: a device with TOTP codes, and recovery codes for when it is lost.

use aether_entity::{user_recovery_codes, users};
use aether_store::{
    Error, Result,
    identity::{Proof, second_factor},
    write::{Change, UseCase, action},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

/// What a device is set up with.
pub struct Enrolment {
    /// The secret in base32.
    pub secret: String,
    /// The same as an `otpauth` address.
    pub uri: String,
}

/// Begins to enrol a second factor: set up a device with the answer, then give its code to `confirmMfa`.
pub fn enrol(proof: Proof) -> UseCase<Enrolment> {
    UseCase::new(&action::ENROL_MFA, move |c| {
        Box::pin(async move {
            let user = c.find::<users::Entity>(c.actor().user_id).await?;
            proof.holds(&user)?;
            not_yet(&user)?;
            let enrolment = second_factor::enrol(c.encryption(), &user.email)?;
            c.update(user, |user| user.mfa_pending_secret = Set(Some(enrolment.encrypted))).await?;
            Ok(Enrolment { secret: enrolment.secret, uri: enrolment.uri })
        })
    })
}

/// Confirms the device that [`enrol`] set up: from now on signing in asks for its code. Gives the user's id and recovery codes.
pub fn confirm(code: String) -> UseCase<(Uuid, Vec<String>)> {
    UseCase::new(&action::CONFIRM_MFA, move |c| {
        Box::pin(async move {
            let user = c.find::<users::Entity>(c.actor().user_id).await?;
            not_yet(&user)?;
            let encrypted = user.mfa_pending_secret.clone().ok_or_else(|| {
                Error::Precondition("There is no enrolment to confirm. Begin one with enrolMfa.".into())
            })?;
            let step = second_factor::step(c.encryption(), &encrypted, &code, c.now(), None)?.ok_or_else(|| {
                Error::invalid(
                    "code",
                    "The code is wrong. Give the one that the device shows now, and check its clock.",
                )
            })?;
            let id = user.id;
            c.update(user, |user| {
                user.mfa_secret = Set(Some(encrypted));
                user.mfa_pending_secret = Set(None);
                user.mfa_enabled = Set(true);
                user.mfa_last_step = Set(Some(step));
            })
            .await?;
            let recovery_codes = new_recovery_codes(c, id).await?;
            Ok((id, recovery_codes))
        })
    })
}

/// Disables one's own second factor, and its recovery codes with it.
pub fn disable(proof: Proof) -> UseCase<Uuid> {
    UseCase::new(&action::DISABLE_MFA, move |c| {
        Box::pin(async move {
            let user = c.find::<users::Entity>(c.actor().user_id).await?;
            proof.holds(&user)?;
            let id = user.id;
            c.about::<users::Entity>(id);
            drop_recovery_codes(c, id).await?;
            c.update(user, |user| {
                user.mfa_enabled = Set(false);
                user.mfa_secret = Set(None);
                user.mfa_pending_secret = Set(None);
                user.mfa_last_step = Set(None);
            })
            .await?;
            Ok(id)
        })
    })
}

/// Replaces one's recovery codes, used or not, by ten new ones. Gives the user's id and the codes.
pub fn regenerate_recovery_codes(proof: Proof) -> UseCase<(Uuid, Vec<String>)> {
    UseCase::new(&action::REGENERATE_RECOVERY_CODES, move |c| {
        Box::pin(async move {
            let user = c.find::<users::Entity>(c.actor().user_id).await?;
            proof.holds(&user)?;
            c.about::<users::Entity>(user.id);
            let recovery_codes = new_recovery_codes(c, user.id).await?;
            Ok((user.id, recovery_codes))
        })
    })
}

fn not_yet(user: &users::Model) -> Result<()> {
    match user.mfa_enabled {
        false => Ok(()),
        true => Err(Error::Precondition("You have a second factor already. Disable it first to enrol another.".into())),
    }
}

async fn new_recovery_codes(c: &Change, user: Uuid) -> Result<Vec<String>> {
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

async fn drop_recovery_codes(c: &Change, user: Uuid) -> Result<()> {
    let old = user_recovery_codes::Entity::find().filter(user_recovery_codes::Column::UserId.eq(user));
    for code in c.all(old).await? {
        c.delete(code).await?;
    }
    Ok(())
}
