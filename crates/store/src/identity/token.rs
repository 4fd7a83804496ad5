//! Tokens: short-lived access tokens that a gateway can check by itself, and refresh tokens that only their hash recalls.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors::ErrorKind};
use quick_cache::sync::Cache;
use rand::{TryRngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{Error, Result};

const ISSUER: &str = "aether-nexus";
/// The issuer of what devices are known by: it differs, so that neither kind of token is taken for the other.
const DEVICE_ISSUER: &str = "aether-nexus/device";
/// The issuer of what a file may be downloaded by.
const DOWNLOAD_ISSUER: &str = "aether-nexus/download";
/// What refresh tokens are derived from first: nothing that is signed with the same secret begins like this.
const REFRESH: &[u8] = b"aether-nexus/refresh\0";
/// How long a device is known after it was last signed in on.
const DEVICE_LIFETIME: Duration = Duration::from_secs(90 * 24 * 3_600);

/// What an access token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: Uuid,
    sid: Uuid,
    iat: i64,
    exp: i64,
}

/// What a device's token says.
#[derive(Serialize, Deserialize)]
struct DeviceClaims {
    iss: String,
    sub: Uuid,
    did: Uuid,
    exp: i64,
}

/// What the token in the address of a download says.
#[derive(Serialize, Deserialize)]
struct DownloadClaims {
    iss: String,
    /// The export.
    sub: Uuid,
    sid: Uuid,
    exp: i64,
}

/// What an access token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// The user.
    pub user: Uuid,
    /// The session.
    pub session: Uuid,
    /// Until when the token is good, in seconds since 1970.
    pub expires_at: i64,
}

impl Access {
    /// How long the token is still good.
    pub fn left(&self) -> Duration {
        #[expect(clippy::disallowed_methods, reason = "a token ends by this gateway's clock, as it began")]
        let now = chrono::Utc::now();
        let left = self.expires_at.saturating_mul(1_000).saturating_sub(now.timestamp_millis());
        Duration::from_millis(u64::try_from(left).unwrap_or_default())
    }
}

/// Signs and checks access tokens (JWT, RFC 7519, HS256).
#[derive(Clone)]
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    /// What refresh tokens' successors are derived with.
    secret: Arc<[u8]>,
    /// How long an access token is good for.
    pub access_lifetime: Duration,
    /// How long a session lives without being refreshed.
    pub refresh_lifetime: Duration,
    /// Access tokens whose signature was verified lately, by their text: they are good until they expire.
    verified: Arc<Cache<Box<str>, Access>>,
}

/// How many verified tokens are remembered.
const REMEMBERED: usize = 4_096;

impl Tokens {
    /// Tokens signed with this secret.
    pub fn new(secret: &[u8], access_lifetime: Duration, refresh_lifetime: Duration) -> Self {
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            secret: secret.into(),
            access_lifetime,
            refresh_lifetime,
            verified: Arc::new(Cache::new(REMEMBERED)),
        }
    }

    /// An access token for this session.
    pub fn access(&self, user_id: Uuid, session_id: Uuid) -> Result<String> {
        #[expect(clippy::disallowed_methods, reason = "a token begins when it is signed")]
        let now = chrono::Utc::now().timestamp();
        let claims = Claims {
            iss: ISSUER.into(),
            sub: user_id,
            sid: session_id,
            iat: now,
            exp: now.saturating_add_unsigned(self.access_lifetime.as_secs()),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|_| Error::internal("a token that cannot be signed"))
    }

    /// What an access token stands for.
    pub fn read(&self, token: &str) -> Result<Access> {
        if let Some(access) = self.verified.get(token).filter(|access| !access.left().is_zero()) {
            return Ok(access);
        }
        let access = self.verify(token)?;
        self.verified.insert(token.into(), access);
        Ok(access)
    }

    fn verify(&self, token: &str) -> Result<Access> {
        let refused = |why: &str| Error::Unauthenticated(why.to_owned());
        let none = || refused("This is no access token of this gateway. Sign in with the login mutation.");
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.validate_nbf = true;
        validation.leeway = 0;
        let token = decode::<Claims>(token, &self.decoding, &validation).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => {
                refused("The access token has expired. Get a new one with the refresh mutation.")
            }
            ErrorKind::ImmatureSignature => {
                refused("The access token is not good yet. Use it from the time on that its `nbf` says.")
            }
            _ => none(),
        })?;
        // What is critical to whoever signed it must be understood, and nothing of that kind is (RFC 7515, section 4.1.11).
        if token.header.crit.is_some() {
            return Err(none());
        }
        Ok(Access { user: token.claims.sub, session: token.claims.sid, expires_at: token.claims.exp })
    }

    /// What this user's device is known by at the next sign-in.
    pub fn device(&self, user_id: Uuid, device_id: Uuid) -> Result<String> {
        #[expect(clippy::disallowed_methods, reason = "a token begins when it is signed")]
        let now = chrono::Utc::now().timestamp();
        let exp = now.saturating_add_unsigned(DEVICE_LIFETIME.as_secs());
        let claims = DeviceClaims { iss: DEVICE_ISSUER.into(), sub: user_id, did: device_id, exp };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|_| Error::internal("a token that cannot be signed"))
    }

    /// The device that this is the token of, if this user has signed in on it.
    pub(crate) fn device_of(&self, user_id: Uuid, token: &str) -> Option<Uuid> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[DEVICE_ISSUER]);
        let claims = decode::<DeviceClaims>(token, &self.decoding, &validation).ok()?.claims;
        (claims.sub == user_id).then_some(claims.did)
    }

    /// What this session may download this export by, until that moment (seconds since 1970).
    pub(crate) fn download(&self, export: Uuid, session: Uuid, until: i64) -> Result<String> {
        let claims = DownloadClaims { iss: DOWNLOAD_ISSUER.into(), sub: export, sid: session, exp: until };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|_| Error::internal("a token that cannot be signed"))
    }

    /// The session that may download this export by this token.
    pub(crate) fn download_of(&self, export: Uuid, token: &str) -> Result<Uuid> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[DOWNLOAD_ISSUER]);
        validation.leeway = 0;
        let refused = |why: &str| Error::Unauthenticated(why.to_owned());
        let claims =
            decode::<DownloadClaims>(token, &self.decoding, &validation).map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => Error::Precondition(
                    "The address of this export has expired. Ask for it again with the exportRows mutation.".into(),
                ),
                _ => refused("This is no address of an export. Ask for one with the exportRows mutation."),
            })?;
        match claims.claims.sub == export {
            true => Ok(claims.claims.sid),
            false => Err(refused("This address is of another export. Ask for one with the exportRows mutation.")),
        }
    }

    /// The refresh token with this id that takes the place of the one that was presented. It is the same whenever and wherever it
    /// is asked for, so whoever has missed the answer can be answered again, and nobody without the secret can work it out.
    pub(crate) fn successor(&self, presented: &str, id: Uuid) -> Result<String> {
        let mac =
            Hmac::<Sha256>::new_from_slice(&self.secret).map_err(|_| Error::internal("a secret that is no key"))?;
        let mac = mac.chain_update(REFRESH).chain_update(id.as_bytes()).chain_update(presented.as_bytes());
        Ok(BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }
}

/// A fresh refresh token.
pub(crate) fn refresh_token() -> Result<String> {
    let mut bytes = [0_u8; 32];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| Error::internal("no randomness"))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// A fresh token that is good once: its text, and what the database keeps of it.
pub fn one_time() -> Result<(String, Vec<u8>)> {
    let text = refresh_token()?;
    let hash = hash(&text);
    Ok((text, hash))
}

/// What the database keeps of a refresh token. It has 256 bits of chance, so a plain hash gives nothing away.
pub(crate) fn hash(refresh_token: &str) -> Vec<u8> {
    Sha256::digest(refresh_token).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(secret: &str, seconds: u64) -> Tokens {
        Tokens::new(secret.as_bytes(), Duration::from_secs(seconds), Duration::from_secs(60))
    }

    #[test]
    fn a_token_stands_for_its_session() {
        let session = Uuid::new_v4();
        let token = tokens("one", 60).access(Uuid::new_v4(), session).unwrap();
        assert_eq!(tokens("one", 60).read(&token).unwrap().session, session);
    }

    #[test]
    fn a_token_of_another_key_or_with_a_changed_claim_is_none() {
        let token = tokens("one", 60).access(Uuid::new_v4(), Uuid::new_v4()).unwrap();
        assert!(matches!(tokens("two", 60).read(&token), Err(Error::Unauthenticated(_))));
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", token.split('.').nth(1).unwrap());
        assert!(matches!(tokens("one", 60).read(&unsigned), Err(Error::Unauthenticated(_))));
    }

    #[test]
    fn a_download_is_of_one_export_until_it_ends() {
        let (export, session) = (Uuid::new_v4(), Uuid::new_v4());
        let now = i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap();
        let token = tokens("one", 60).download(export, session, now + 60).unwrap();
        assert_eq!(tokens("one", 60).download_of(export, &token), Ok(session));
        let refused = |secret, export, token: &str| {
            matches!(tokens(secret, 60).download_of(export, token), Err(Error::Unauthenticated(_)))
        };
        assert!(refused("two", export, &token), "another key");
        assert!(refused("one", session, &token), "another export");
        let access = tokens("one", 60).access(export, session).unwrap();
        assert!(refused("one", export, &access), "another kind of token");
        assert!(tokens("one", 60).read(&token).is_err(), "it opens nothing else");
        let ended = tokens("one", 60).download(export, session, now - 1).unwrap();
        assert!(matches!(tokens("one", 60).download_of(export, &ended), Err(Error::Precondition(_))), "ended");
    }

    /// A token of the same key with this header and these claims beside the usual ones.
    fn crafted(header: serde_json::Value, claims: serde_json::Value) -> String {
        let now = i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap();
        let mut all =
            serde_json::json!({ "iss": ISSUER, "sub": Uuid::nil(), "sid": Uuid::nil(), "iat": now, "exp": now + 60 });
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let signed = [header, all].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(b"one").unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    #[test]
    fn a_token_with_something_critical_or_of_the_future_is_refused() {
        use serde_json::json;
        let now = i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap();
        let read = |header, claims| tokens("one", 60).read(&crafted(header, claims));
        let plain = || json!({ "alg": "HS256", "typ": "JWT" });
        assert!(read(plain(), json!({})).is_ok());
        assert!(read(plain(), json!({ "nbf": now - 60 })).is_ok());
        assert!(read(plain(), json!({ "nbf": now })).is_ok());
        for nbf in [json!(now + 30), json!(i64::MAX), json!("tomorrow")] {
            assert!(matches!(read(plain(), json!({ "nbf": nbf })), Err(Error::Unauthenticated(_))), "{nbf}");
        }
        let Err(Error::Unauthenticated(message)) = read(plain(), json!({ "nbf": now + 30 })) else {
            panic!("it stands")
        };
        assert!(message.contains("not good yet"), "{message}");
        for crit in
            [json!(["exp"]), json!(["b64"]), json!(["http://example.com/must"]), json!([]), json!("exp"), json!([7])]
        {
            let header =
                json!({ "alg": "HS256", "typ": "JWT", "crit": crit, "b64": true, "http://example.com/must": 1 });
            assert!(matches!(read(header, json!({})), Err(Error::Unauthenticated(_))), "{crit}");
        }
    }

    #[test]
    fn a_device_is_known_to_its_user_by_its_own_kind_of_token() {
        let (user, device) = (Uuid::new_v4(), Uuid::new_v4());
        let token = tokens("one", 60).device(user, device).unwrap();
        assert_eq!(tokens("one", 60).device_of(user, &token), Some(device));
        assert_eq!(tokens("one", 60).device_of(Uuid::new_v4(), &token), None);
        assert_eq!(tokens("two", 60).device_of(user, &token), None);
        assert!(tokens("one", 60).read(&token).is_err(), "it opens nothing");
        let access = tokens("one", 60).access(user, device).unwrap();
        for other in [access.as_str(), "", "garbage", &format!("{token}x")] {
            assert_eq!(tokens("one", 60).device_of(user, other), None, "{other}");
        }
    }

    #[test]
    fn the_next_refresh_token_follows_from_the_last_for_the_gateway_only() {
        let (id, other) = (Uuid::new_v4(), Uuid::new_v4());
        let successor = |key, last, id| tokens(key, 60).successor(last, id).unwrap();
        let next = successor("one", "last", id);
        assert_eq!(next.len(), 43, "256 bits");
        assert_eq!(successor("one", "last", id), next);
        let others = [("two", "last", id), ("one", "lasts", id), ("one", "last", other)];
        assert!(others.iter().all(|(key, last, id)| successor(key, last, *id) != next));
    }

    #[test]
    fn an_expired_token_says_so() {
        let token = tokens("one", 0).access(Uuid::new_v4(), Uuid::new_v4()).unwrap();
        std::thread::sleep(Duration::from_millis(1100));
        let Err(Error::Unauthenticated(message)) = tokens("one", 0).read(&token) else { panic!("it still stands") };
        assert!(message.contains("expired"), "{message}");
    }
}
