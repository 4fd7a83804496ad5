//! Second factors: a device with TOTP codes, and recovery codes for when it is lost.

use aether_application::people::mfa;
use aether_entity as entity;
use async_graphql::{Context, Object, Result, SimpleObject};

use crate::{
    auth::prove,
    rows::Row,
    run::{executor, run},
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
    user: Row<entity::users::Entity>,
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
        executor(ctx).keep_secret();
        let (_, proof) = prove(ctx, "password", password, None).await?;
        let mfa::Enrolment { secret, uri } = run(ctx, mfa::enrol(proof)).await?;
        Ok(MfaEnrolmentPayload { secret, otpauth_uri: uri })
    }

    /// Confirms the device that `enrolMfa` set up: from now on signing in asks for its code. Answers with the recovery codes.
    async fn confirm_mfa(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code that the device shows now.", secret)] code: String,
    ) -> Result<RecoveryCodesPayload> {
        executor(ctx).keep_secret();
        let (user, recovery_codes) = run(ctx, mfa::confirm(code)).await?;
        Ok(RecoveryCodesPayload { user: Row::new(user), recovery_codes })
    }

    /// Disables one's own second factor, and its recovery codes with it. What is wrong counts as a failed sign-in does. It
    /// cannot be part of a `@transaction`.
    async fn disable_mfa(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your password.", secret)] password: String,
        #[graphql(desc = "The code that the device shows now, or a recovery code.", secret)] code: String,
    ) -> Result<Row<entity::users::Entity>> {
        let (_, proof) = prove(ctx, "password", password, Some(code)).await?;
        let id = run(ctx, mfa::disable(proof)).await?;
        Ok(Row::new(id))
    }

    /// Replaces one's recovery codes, used or not, by ten new ones. What is wrong counts as a failed sign-in does. It cannot be
    /// part of a `@transaction`.
    async fn regenerate_recovery_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your password.", secret)] password: String,
        #[graphql(desc = "The code that the device shows now, or a recovery code.", secret)] code: String,
    ) -> Result<RecoveryCodesPayload> {
        executor(ctx).keep_secret();
        let (_, proof) = prove(ctx, "password", password, Some(code)).await?;
        let (user, recovery_codes) = run(ctx, mfa::regenerate_recovery_codes(proof)).await?;
        Ok(RecoveryCodesPayload { user: Row::new(user), recovery_codes })
    }
}
