//! Addresses of the web that users name for the gateway to go to.

use std::net::IpAddr;

use url::{Host, Url};

use crate::network::may_reach;

/// The longest address, in bytes.
pub const MOST_LETTERS: usize = 2_000;

/// What the gateway goes there for, in the sentences of a refusal.
pub struct Purpose {
    /// An address such as one would give.
    pub absolute: &'static str,
    /// By which schemes it goes.
    pub schemes: &'static str,
    /// Why the address has no user name and password.
    pub credentials: &'static str,
    /// To which hosts it never goes.
    pub hosts: &'static str,
}

/// An absolute address by HTTP, encrypted or not, that holds no credentials and names a host that the gateway may reach.
///
/// # Errors
/// A sentence that says what is wrong and what to do.
pub fn read(text: &str, purpose: &Purpose) -> Result<Url, &'static str> {
    if text.len() > MOST_LETTERS {
        return Err("The address has more than 2,000 letters. Give a shorter one.");
    }
    let url = Url::parse(text.trim()).map_err(|_| purpose.absolute)?;
    let Some(host) = url.host() else { return Err("The address names no host. Give one that begins with https://.") };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(purpose.schemes);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(purpose.credentials);
    }
    if literal(&host).is_some_and(|address| !may_reach(address)) {
        return Err(purpose.hosts);
    }
    Ok(url)
}

/// Whether the address is of this machine.
#[must_use]
pub fn is_local(url: &Url) -> bool {
    url.host().is_some_and(|host| match host {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        _ => literal(&host).is_some_and(|address| address.is_loopback()),
    })
}

fn literal(host: &Host<&str>) -> Option<IpAddr> {
    match host {
        Host::Ipv4(address) => Some(IpAddr::V4(*address)),
        Host::Ipv6(address) => Some(IpAddr::V6(*address)),
        Host::Domain(_) => None,
    }
}
