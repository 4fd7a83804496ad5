//! The HTTP client with which the gateway asks systems that users name: it follows no redirect, uses no proxy, and reaches no
//! address under which a cloud hands out credentials, whatever a name resolves to.

use std::{error::Error, fmt, net::SocketAddr, sync::Arc, time::Duration};

use aether_domain::connector;
use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

/// A client whose requests may take so long, from the look-up of the name to the end of the answer.
pub fn client(patience: Duration) -> anyhow::Result<Client> {
    // The one provider of cryptography in the program; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(Client::builder()
        .user_agent(concat!("aether-nexus/", env!("CARGO_PKG_VERSION")))
        .timeout(patience)
        // A redirect or a proxy would lead to addresses that nobody has checked.
        .redirect(Policy::none())
        .no_proxy()
        .dns_resolver(Arc::new(Resolver))
        .build()?)
}

/// Why a request had no answer: for programs, and in a sentence that names nothing of the request. `other` is what was asked,
/// such as `connector`.
pub fn explained(error: &reqwest::Error, other: &str) -> (&'static str, String) {
    let mut causes = std::iter::successors(Some(error as &dyn Error), |error| (*error).source());
    match causes.find_map(|cause| cause.downcast_ref::<Unreachable>()) {
        Some(Unreachable::Unknown) => return ("UNKNOWN_HOST", format!("The host of the {other} is not known.")),
        Some(Unreachable::Refused) => {
            return ("REFUSED_HOST", format!("The host of the {other} has only addresses that requests never go to."));
        }
        None => {}
    }
    if error.is_timeout() {
        return ("TIMEOUT", format!("The {other} did not answer in time."));
    }
    if error.is_connect() {
        return ("UNREACHABLE", format!("The {other} could not be reached, or its certificate is not good."));
    }
    ("BROKEN_OFF", format!("The connection to the {other} broke off."))
}

/// Looks names up and leaves out the addresses that the gateway never goes to, so that no name leads there either.
struct Resolver;

/// Why a name leads nowhere.
#[derive(Debug)]
enum Unreachable {
    Unknown,
    Refused,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "the host is not known",
            Self::Refused => "the host has only addresses that are never asked",
        })
    }
}

impl Error for Unreachable {}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The client puts the port of the address in place of 0.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| Unreachable::Unknown)?;
            Ok(Box::new(reachable(found)?.into_iter()) as Addrs)
        })
    }
}

fn reachable(found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, Unreachable> {
    let mut is_known = false;
    let addresses: Vec<_> = found.inspect(|_| is_known = true).filter(|to| connector::may_reach(to.ip())).collect();
    match (addresses.is_empty(), is_known) {
        (false, _) => Ok(addresses),
        (true, true) => Err(Unreachable::Refused),
        (true, false) => Err(Unreachable::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn names_do_not_lead_to_metadata() {
        let lookup = |addresses: &[&str]| {
            let found = addresses.iter().map(|address| SocketAddr::new(address.parse::<IpAddr>().unwrap(), 0));
            reachable(found.collect::<Vec<_>>().into_iter()).map(|found| found.len()).map_err(|e| e.to_string())
        };
        assert_eq!(lookup(&["10.0.0.1", "169.254.169.254"]), Ok(1));
        assert!(lookup(&["169.254.169.254", "fe80::1"]).unwrap_err().contains("never asked"));
        assert!(lookup(&[]).unwrap_err().contains("not known"));
    }
}
