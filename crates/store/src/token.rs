//! Tokens: short-lived access tokens that a gateway can check by itself, and refresh tokens that only their hash recalls.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, errors::ErrorKind};
use rand::{TryRngCore, rngs::OsRng};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{Error, Result};

const ISSUER: &str = "aether-nexus";

/// What an access token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: Uuid,
    sid: Uuid,
    iat: i64,
    exp: i64,
}

/// What an access token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
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
    /// How long an access token is good for.
    pub access_lifetime: Duration,
    /// How long a session lives without being refreshed.
    pub refresh_lifetime: Duration,
}

impl Tokens {
    /// Tokens signed with this secret.
    pub fn new(secret: &[u8], access_lifetime: Duration, refresh_lifetime: Duration) -> Self {
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            access_lifetime,
            refresh_lifetime,
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
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.leeway = 0;
        decode::<Claims>(token, &self.decoding, &validation)
            .map(|token| Access { session: token.claims.sid, expires_at: token.claims.exp })
            .map_err(|error| {
                Error::Unauthenticated(match error.kind() {
                    ErrorKind::ExpiredSignature => {
                        "The access token has expired. Get a new one with the refresh mutation.".into()
                    }
                    _ => "This is no access token of this gateway. Sign in with the login mutation.".to_owned(),
                })
            })
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
    fn an_expired_token_says_so() {
        let token = tokens("one", 0).access(Uuid::new_v4(), Uuid::new_v4()).unwrap();
        std::thread::sleep(Duration::from_millis(1100));
        let Err(Error::Unauthenticated(message)) = tokens("one", 0).read(&token) else { panic!("it still stands") };
        assert!(message.contains("expired"), "{message}");
    }
}
