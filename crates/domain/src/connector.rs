//! Downstream connectors: where deliveries may go, how they are signed, and when they are tried again.

use std::{net::IpAddr, time::Duration};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use url::{Host, Url};

use crate::network::may_reach;

/// How often a delivery is tried before it is given up; after a redelivery as often again.
pub const ATTEMPTS: i32 = 8;

/// The pauses after the first and each further failed attempt, in units of the configured base.
const PAUSES: [u32; ATTEMPTS as usize - 1] = [1, 5, 30, 120, 600, 3_600, 21_600];

/// The longest address of a connector.
const MOST_LETTERS: usize = 2_000;

/// The pause after the failed attempt with this number, counted from 1; `None` when the delivery is given up. With a base of
/// a second: 1 s, 5 s, 30 s, 2 min, 10 min, 1 h, 6 h.
#[must_use]
pub fn pause_after(attempt: i32, base: Duration) -> Option<Duration> {
    let in_round = usize::try_from((attempt - 1).rem_euclid(ATTEMPTS)).ok()?;
    PAUSES.get(in_round).map(|units| base * *units)
}

/// The signature of a delivery: `v1=` and HMAC-SHA256 (RFC 2104) of the time, a point and the body, in hexadecimal.
#[must_use]
pub fn signature(secret: &[u8], timestamp: &str, body: &[u8]) -> String {
    let mut mac = match Hmac::<Sha256>::new_from_slice(secret) {
        Ok(mac) => mac,
        // HMAC takes keys of any length.
        Err(_) => return String::new(),
    };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("v1={:x}", mac.finalize().into_bytes())
}

/// Checks the address of a connector.
///
/// # Errors
/// A sentence that says what is wrong and what to do.
pub fn check_url(address: &str, allow_insecure: bool) -> Result<Url, &'static str> {
    if address.len() > MOST_LETTERS {
        return Err("The address has more than 2,000 letters. Give a shorter one.");
    }
    let url = Url::parse(address.trim())
        .map_err(|_| "This is no absolute address. Give one such as https://loans.example.com/golden-records.")?;
    let Some(host) = url.host() else { return Err("The address names no host.") };
    if !matches!(url.scheme(), "http" | "https") {
        return Err("Deliveries go by HTTP. Give an address that begins with https://.");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("The address is not secret, so it must not hold a user name or a password. Leave them out.");
    }
    if url.fragment().is_some() {
        return Err("The part of the address from # on is never sent. Leave it out.");
    }
    let literal = match host {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
        Host::Domain(_) => None,
    };
    if literal.is_some_and(|address| !may_reach(address)) {
        return Err(
            "Deliveries never go to link-local, metadata, multicast or unspecified addresses. Give another host.",
        );
    }
    let is_local = literal.is_some_and(|address| address.is_loopback())
        || matches!(host, Host::Domain(name) if name.eq_ignore_ascii_case("localhost"));
    if url.scheme() == "http" && !is_local && !allow_insecure {
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

    /// RFC 4231 has no key and text with a point in them; this one was computed with `openssl dgst -sha256 -hmac`.
    #[test]
    fn signatures_are_those_of_openssl() {
        assert_eq!(
            signature(b"a-secret-of-the-connector", "1790000000", b"{\"a\":1}"),
            "v1=a7a179e34cd2b19a00fd17462b4b475ae7b40d212c6462864b10b676bf1898bf"
        );
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
