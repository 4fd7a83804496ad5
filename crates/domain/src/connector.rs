//! Downstream connectors: where deliveries may go, how they are signed, and when they are tried again.

use std::{collections::HashSet, time::Duration};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use url::Url;

use crate::web_address::{self, Purpose};

/// How often a delivery is tried before it is given up; after a redelivery as often again.
pub const ATTEMPTS: i32 = 8;

/// The pauses after the first and each further failed attempt, in units of the configured base.
const PAUSES: [u32; ATTEMPTS as usize - 1] = [1, 5, 30, 120, 600, 3_600, 21_600];

/// The pause after the failed attempt with this number, counted from 1; `None` when the delivery is given up. With a base of
/// a second: 1 s, 5 s, 30 s, 2 min, 10 min, 1 h, 6 h.
#[must_use]
pub fn pause_after(attempt: i32, base: Duration) -> Option<Duration> {
    let in_round = usize::try_from((attempt - 1).rem_euclid(ATTEMPTS)).ok()?;
    PAUSES.get(in_round).map(|units| base * *units)
}

/// How many different characters a secret has at least.
const FEWEST_CHARACTERS: usize = 8;

/// What a secret begins with that is written as Standard Webhooks say.
const STANDARD: &str = "whsec_";

/// Checks a secret that is entered.
///
/// # Errors
/// A sentence that says what is wrong with it and what to do.
pub fn check_secret(secret: &str) -> Result<(), &'static str> {
    signing_key(secret)?;
    if secret.trim() != secret || secret.contains(char::is_control) {
        return Err("This secret begins or ends with white space, or has a line break in it. Take that out.");
    }
    if secret.chars().collect::<HashSet<_>>().len() < FEWEST_CHARACTERS {
        return Err(
            "This secret is of too few different characters, so it can be guessed. Make one with `openssl rand -hex 32`.",
        );
    }
    Ok(())
}

/// The key that a secret stands for. Behind `whsec_` it is written in base64, as Standard Webhooks say; of any other text it is the bytes.
///
/// # Errors
/// A sentence that says what is wrong with the secret.
pub fn signing_key(secret: &str) -> Result<Vec<u8>, &'static str> {
    match secret.strip_prefix(STANDARD) {
        None if (16..=200).contains(&secret.chars().count()) => Ok(secret.as_bytes().to_vec()),
        None => Err("A secret has 16 to 200 characters. Make one with `openssl rand -hex 32`."),
        Some(base64) => match BASE64_STANDARD.decode(base64) {
            Ok(key) if (24..=64).contains(&key.len()) => Ok(key),
            Ok(_) => {
                Err("Behind whsec_ a secret has 24 to 64 bytes. Make one with `echo whsec_$(openssl rand -base64 32)`.")
            }
            Err(_) => Err(
                "Behind whsec_ a secret is in base64, with its padding. Make one with `echo whsec_$(openssl rand -base64 32)`.",
            ),
        },
    }
}

/// The signature of a delivery by Standard Webhooks 1.0: `v1,` and HMAC-SHA256 (RFC 2104) of the identifier, the time and the body, with
/// points between them, in base64.
#[must_use]
pub fn signature(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> String {
    let mut mac = match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac,
        // HMAC takes keys of any length.
        Err(_) => return String::new(),
    };
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

/// What a connector's address is for.
const DELIVERY: Purpose = Purpose {
    absolute: "This is no absolute address. Give one such as https://loans.example.com/golden-records.",
    schemes: "Deliveries go by HTTP. Give an address that begins with https://.",
    credentials: "The address is not secret, so it must not hold a user name or a password. Leave them out.",
    hosts: "Deliveries never go to link-local, metadata, multicast or unspecified addresses. Give another host.",
};

/// Checks the address of a connector.
///
/// # Errors
/// A sentence that says what is wrong and what to do.
pub fn check_url(address: &str, allow_insecure: bool) -> Result<Url, &'static str> {
    let url = web_address::read(address, &DELIVERY)?;
    if url.fragment().is_some() {
        return Err("The part of the address from # on is never sent. Leave it out.");
    }
    if url.scheme() == "http" && !web_address::is_local(&url) && !allow_insecure {
        return Err("Deliveries leave this machine encrypted only. Give an address that begins with https://.");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_and_begin_anew() {
        let base = Duration::from_secs(1);
        let pauses: Vec<_> = (1..=ATTEMPTS).map(|attempt| pause_after(attempt, base).map(|p| p.as_secs())).collect();
        assert_eq!(pauses, [Some(1), Some(5), Some(30), Some(120), Some(600), Some(3_600), Some(21_600), None]);
        assert_eq!(pause_after(9, base), Some(base));
        assert_eq!(pause_after(16, base), None);
    }

    /// The example of the specification's own libraries (`libraries/javascript/src/index.test.ts`).
    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        let key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a key");
        assert_eq!(
            signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn secrets_are_text_or_base64_behind_their_prefix() {
        assert_eq!(signing_key("a-secret-between-the-two"), Ok(b"a-secret-between-the-two".to_vec()));
        let right = format!("whsec_{}", BASE64_STANDARD.encode([7; 32]));
        assert_eq!(signing_key(&right), Ok(vec![7; 32]));
        for wrong in ["short", &"x".repeat(201), "whsec_", "whsec_not base64, surely", "whsec_c2hvcnQ="] {
            assert!(signing_key(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_that_is_entered_cannot_be_guessed_and_one_that_is_kept_still_signs() {
        assert_eq!(check_secret("a-secret-between-the-two"), Ok(()));
        for weak in
            ["aaaaaaaaaaaaaaaaaaaa", " padded-secret-1234567 ", "two-lines-in\na-secret-12", "                    "]
        {
            assert!(check_secret(weak).is_err(), "{weak:?}");
            assert_eq!(signing_key(weak), Ok(weak.as_bytes().to_vec()), "{weak:?}");
        }
        assert!(check_secret("whsec_c2hvcnQ=").is_err_and(|why| why.contains("24 to 64 bytes")));
        assert!(check_secret("whsec_not base64").is_err_and(|why| why.contains("base64, with its padding")));
    }

    #[test]
    fn urls_are_http_and_encrypted_outside_of_the_machine() {
        let ok = |address: &str| check_url(address, false).is_ok();
        assert!(
            ok("https://loans.example.com/golden-records?site=1")
                && ok("http://localhost:9000/")
                && ok("http://127.0.0.1/x")
        );
        assert!(ok("http://[::1]:9000/"));
        for refused in [
            "loans.example.com",
            "/golden",
            "ftp://loans.example.com/",
            "file:///etc/passwd",
            "http://loans.example.com/",
            "https://me:secret@loans.example.com/",
            "https://loans.example.com/#top",
            "http://169.254.169.254/latest",
            "https://2852039166/",
            "https://0xa9fea9fe/",
            "https://[::ffff:a9fe:a9fe]/",
            "http://10.0.0.1/",
            "",
        ] {
            assert!(!ok(refused), "{refused}");
        }
        assert!(check_url("http://loans.example.com/", true).is_ok());
        assert!(check_url("http://169.254.169.254/", true).is_err());
        assert!(!ok(&format!("https://loans.example.com/{}", "a".repeat(2_000))));
    }
}
