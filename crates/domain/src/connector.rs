//! Downstream connectors: where deliveries may go, how they are signed, and when they are tried again.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use url::{Host, Url};

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

/// Whether deliveries may go to this address of the network. Private networks may be reached, for the systems of a bank are
/// there; the addresses under which clouds hand out credentials to their machines, and those of no single host, may not.
#[must_use]
pub fn may_reach(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => may_reach_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => may_reach_v4(inner),
            None => {
                !(address.is_unspecified()
                    || address.is_multicast()
                    || address.is_unicast_link_local()
                    // The metadata services of AWS and GCP.
                    || [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)]
                        .contains(&address))
            }
        },
    }
}

fn may_reach_v4(address: Ipv4Addr) -> bool {
    // The metadata services of Alibaba and Oracle stand outside of 169.254.0.0/16.
    const METADATA: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
    !(address.octets()[0] == 0
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || METADATA.contains(&address))
}

/// The IPv4 address inside an IPv6 address: mapped, compatible, or behind NAT64 or 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match (a, b) {
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => Some(of(g, h)),
        (0x2002, _) => Some(of(b, c)),
        // ::1 is the loopback address, and :: is none.
        (0, 0) if [c, d, e, f] == [0; 4] && (g, h) != (0, 0) && (g, h) != (0, 1) => Some(of(g, h)),
        _ => address.to_ipv4_mapped(),
    }
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
    fn addresses_of_clouds_and_of_no_host_are_never_reached() {
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "100.100.100.200",
            "fe80::1",
            "febf::1",
            "::",
            "ff02::1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "::a9fe:a9fe",
            "fd00:ec2::254",
        ] {
            assert!(!may_reach(address.parse().expect("an address")), "{address}");
        }
        for address in
            ["10.1.2.3", "192.168.1.1", "172.16.0.1", "127.0.0.1", "::1", "203.0.113.9", "fd12::1", "2001:db8::1"]
        {
            assert!(may_reach(address.parse().expect("an address")), "{address}");
        }
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
