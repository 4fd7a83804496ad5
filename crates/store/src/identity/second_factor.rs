//! Second factors: codes of a device by TOTP (RFC 6238), each good once, and recovery codes for when the device is lost.

use aether_entity::{user_recovery_codes, users};
use chrono::{DateTime, FixedOffset};
use rand::{TryRngCore, rngs::OsRng};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QuerySelect,
};
use totp_rs::{Algorithm, Secret, TOTP};
use uuid::Uuid;

use super::{Client, token};
use crate::{
    audit_log::sign_in::{self as audit, Entry},
    database::Transaction,
    encryption::Encryption,
    error::{Error, Result},
};

/// How many recovery codes a user gets.
pub const RECOVERY_CODES: usize = 10;
/// Bytes of a secret: as many as HMAC-SHA-1 gives (RFC 4226, section 4).
const SECRET_BYTES: usize = 20;
/// Bytes of a recovery code: enough that its plain hash gives nothing away.
const RECOVERY_BYTES: usize = 10;
/// Seconds that a code stands for.
const PERIOD: i64 = 30;
/// How many periods a device's clock may be off, either way.
const SKEW: i64 = 1;
const ISSUER: &str = "Aether Nexus";

/// A secret that a device can be set up with.
pub struct Enrolment {
    /// The secret in base32, as people type it.
    pub secret: String,
    /// The same as an address for a QR code.
    pub uri: String,
    /// The secret, encrypted.
    pub encrypted: Vec<u8>,
}

/// A fresh secret for this user.
pub fn enrol(encryption: &Encryption, email: &str) -> Result<Enrolment> {
    let mut bytes = [0_u8; SECRET_BYTES];
    fill(&mut bytes)?;
    let secret = base32(&bytes);
    let totp =
        TOTP::new(Algorithm::SHA1, 6, 0, PERIOD.unsigned_abs(), bytes.to_vec(), Some(ISSUER.into()), email.into());
    let uri = totp.map_err(|_| Error::internal("an e-mail address that names no account"))?.get_url();
    let encrypted = encryption.encrypt(secret.as_bytes())?;
    Ok(Enrolment { secret, uri, encrypted })
}

/// The time step that a code of this encrypted secret stands for, if it is a current one and later than the last accepted.
pub fn step(
    encryption: &Encryption,
    encrypted: &[u8],
    code: &str,
    now: DateTime<FixedOffset>,
    last: Option<i64>,
) -> Result<Option<i64>> {
    // Kept as people type it into their device: base32.
    let secret = String::from_utf8(encryption.decrypt(encrypted)?).ok();
    let secret = secret.and_then(|text| Secret::Encoded(text).to_bytes().ok());
    let secret = secret.ok_or_else(|| Error::internal("a second factor that is no base32"))?;
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    // Unchecked: many devices hold 80 bits, and how long a secret must be is a question of enrolment.
    let totp = TOTP::new_unchecked(Algorithm::SHA1, 6, 0, PERIOD.unsigned_abs(), secret, None, String::new());
    let current = now.timestamp().div_euclid(PERIOD);
    Ok((current - SKEW..=current + SKEW)
        .filter(|step| last.is_none_or(|last| *step > last))
        .find(|step| u64::try_from(step * PERIOD).is_ok_and(|at| totp.check(&code, at))))
}

/// Fresh recovery codes: what the user gets to see once, and what the database keeps.
pub fn recovery_codes() -> Result<Vec<(String, Vec<u8>)>> {
    (0..RECOVERY_CODES)
        .map(|_| {
            let mut bytes = [0_u8; RECOVERY_BYTES];
            fill(&mut bytes)?;
            let code = base32(&bytes);
            let groups: Vec<&str> = (0..code.len()).step_by(4).filter_map(|at| code.get(at..at + 4)).collect();
            Ok((groups.join("-"), recovery_hash(&code)))
        })
        .collect()
}

/// The hash of a recovery code, however it is written.
fn recovery_hash(code: &str) -> Vec<u8> {
    let letters = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase());
    token::hash(&letters.collect::<String>())
}

fn base32(bytes: &[u8]) -> String {
    Secret::Raw(bytes.to_vec()).to_encoded().to_string()
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    OsRng.try_fill_bytes(bytes).map_err(|_| Error::internal("no randomness"))
}

/// How a second factor was shown.
pub(super) enum Shown {
    /// None is asked for.
    Unneeded,
    /// By the code of this time step.
    Step(i64),
    /// By a recovery code.
    Recovery(user_recovery_codes::Model),
}

/// How this code, or its absence, shows the user's second factor; `None` when it does not.
pub(super) async fn shown(
    transaction: &Transaction,
    encryption: &Encryption,
    user: &users::Model,
    code: Option<&str>,
    now: DateTime<FixedOffset>,
) -> Result<Option<Shown>> {
    if !user.mfa_enabled {
        return Ok(Some(Shown::Unneeded));
    }
    let (Some(encrypted), Some(code)) = (&user.mfa_secret, code) else { return Ok(None) };
    if let Some(step) = step(encryption, encrypted, code, now, user.mfa_last_step)? {
        return Ok(Some(Shown::Step(step)));
    }
    let recovery = user_recovery_codes::Entity::find()
        .filter(user_recovery_codes::Column::UserId.eq(user.id))
        .filter(user_recovery_codes::Column::CodeHash.eq(recovery_hash(code)))
        .filter(user_recovery_codes::Column::UsedAt.is_null())
        .lock_exclusive()
        .one(transaction)
        .await?;
    Ok(recovery.map(Shown::Recovery))
}

/// Spends what was shown, so that it is not accepted again; the user's row is to be updated by the caller.
pub(super) async fn spend(
    transaction: &Transaction,
    user: &users::Model,
    shown: Shown,
    session_id: Option<Uuid>,
    client: &Client,
    now: DateTime<FixedOffset>,
) -> Result<Option<i64>> {
    match shown {
        Shown::Unneeded => Ok(user.mfa_last_step),
        Shown::Step(step) => Ok(Some(step)),
        Shown::Recovery(code) => {
            let id = code.id;
            let mut code = code.into_active_model();
            code.used_at = Set(Some(now));
            code.update(transaction).await?;
            let left = user_recovery_codes::Entity::find()
                .filter(user_recovery_codes::Column::UserId.eq(user.id))
                .filter(user_recovery_codes::Column::UsedAt.is_null())
                .count(transaction)
                .await?;
            let entry = Entry::new("RECOVERY_CODE_USED", "Used a recovery code in place of the second factor")
                .resource("user_recovery_code", id)
                .detail("left", left)
                .risk_medium();
            audit::log(transaction, user.organization_id, Some(user), session_id, client, entry);
            Ok(user.mfa_last_step)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encryption() -> Encryption {
        Encryption::new([(1, "key".into())])
    }

    fn at(seconds: i64) -> DateTime<FixedOffset> {
        DateTime::from_timestamp(seconds, 0).unwrap().fixed_offset()
    }

    /// RFC 6238, appendix B: the secret `12345678901234567890`, and the last six of its eight digits.
    #[test]
    fn the_codes_of_the_standard_are_accepted_at_their_time_and_once() {
        let encrypted = encryption().encrypt(b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            let step = |now, last| super::step(&encryption(), &encrypted, code, at(now), last).unwrap();
            let own = seconds / 30;
            assert_eq!(step(seconds, None), Some(own));
            assert_eq!(step(seconds + 30, Some(own - 1)), Some(own));
            assert_eq!(step(seconds + 90, None), None, "too late");
            assert_eq!(step(seconds, Some(own)), None, "a second time");
        }
    }

    #[test]
    fn a_fresh_secret_is_what_its_address_says() {
        let Ok(enrolment) = enrol(&encryption(), "sarah+x@example.com") else { panic!("it enrols") };
        assert_eq!(encryption().decrypt(&enrolment.encrypted).unwrap(), enrolment.secret.as_bytes());
        assert_eq!(enrolment.secret.len(), 32);
        assert!(enrolment.uri.starts_with("otpauth://totp/Aether%20Nexus:sarah%2Bx%40example.com?secret="));
        assert!(enrolment.uri.contains(&enrolment.secret));
    }

    #[test]
    fn recovery_codes_differ_and_may_be_written_in_any_way() {
        let codes = recovery_codes().unwrap();
        let all: std::collections::BTreeSet<_> = codes.iter().map(|(code, _)| code.clone()).collect();
        assert_eq!(all.len(), RECOVERY_CODES);
        let (code, hash) = &codes[0];
        assert_eq!(code.len(), 19, "{code}");
        assert_eq!(&recovery_hash(&code.to_lowercase().replace('-', " ")), hash);
    }
}
