//! The HTTP client with which the gateway asks systems that users name: it follows no redirect, uses no proxy, and reaches no
//! address under which a cloud hands out credentials and, in production, none that is private and not allowed; whatever a
//! name resolves to, for the addresses that were checked are those that are connected to.

use std::{error::Error, fmt, net::SocketAddr, sync::Arc, time::Duration};

use aether_domain::network::{Reach, Refused};
use reqwest::{
    ClientBuilder, Method, RequestBuilder, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

/// A client that goes no further than it may.
#[derive(Clone)]
pub struct Client {
    client: reqwest::Client,
    reach: Reach,
}

impl Client {
    /// One whose requests may take so long, from the look-up of the name to the end of the answer.
    pub fn new(patience: Duration, reach: Reach) -> anyhow::Result<Self> {
        let client = builder(patience).dns_resolver(Arc::new(Resolver(reach.clone()))).build()?;
        Ok(Self { client, reach })
    }

    /// A request to where users say.
    ///
    /// # Errors
    /// As [`explained`], where it may not go.
    pub fn request(&self, method: Method, url: Url, other: &str) -> Result<RequestBuilder, (&'static str, String)> {
        // What is an address already is connected to without being looked up.
        self.reach.check_literal(&url).map_err(|refused| Unreachable::Refused(refused).explained(other))?;
        Ok(self.client.request(method, url))
    }
}

/// What every client is built from: it follows no redirect, uses no proxy, and its requests may take so long in all.
pub fn builder(patience: Duration) -> ClientBuilder {
    // The one provider of cryptography in the program; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(concat!("aether-nexus/", env!("CARGO_PKG_VERSION")))
        .timeout(patience)
        // A redirect or a proxy would lead to addresses that nobody has checked.
        .redirect(Policy::none())
        .no_proxy()
}

/// Why a request had no answer: for programs, and in a sentence that names nothing of the request. `other` is what was asked,
/// such as `connector`.
pub fn explained(error: &reqwest::Error, other: &str) -> (&'static str, String) {
    let mut causes = std::iter::successors(Some(error as &dyn Error), |error| (*error).source());
    if let Some(unreachable) = causes.find_map(|cause| cause.downcast_ref::<Unreachable>()) {
        return unreachable.explained(other);
    }
    if error.is_timeout() {
        return ("TIMEOUT", format!("The {other} did not answer in time."));
    }
    if error.is_connect() {
        return ("UNREACHABLE", format!("The {other} could not be reached, or its certificate is not good."));
    }
    ("BROKEN_OFF", format!("The connection to the {other} broke off."))
}

/// Looks names up and leaves out the addresses that the gateway does not go to, so that no name leads there either.
struct Resolver(Reach);

/// Why a name or an address leads nowhere.
#[derive(Debug)]
enum Unreachable {
    Unknown,
    Refused(Refused),
}

impl Unreachable {
    fn explained(&self, other: &str) -> (&'static str, String) {
        match self {
            Self::Unknown => ("UNKNOWN_HOST", format!("The host of the {other} is not known.")),
            Self::Refused(refused) => ("REFUSED_HOST", format!("The address of the {other} {refused}.")),
        }
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the host is not known"),
            Self::Refused(refused) => write!(f, "the address {refused}"),
        }
    }
}

impl Error for Unreachable {}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0.clone();
        Box::pin(async move {
            // The client puts the port of the address in place of 0.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| Unreachable::Unknown)?;
            Ok(Box::new(reachable(&reach, name.as_str(), found)?.into_iter()) as Addrs)
        })
    }
}

/// Those of the addresses of this name that may be connected to.
fn reachable(
    reach: &Reach,
    name: &str,
    found: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, Unreachable> {
    let (mut addresses, mut why) = (Vec::new(), Unreachable::Unknown);
    for address in found {
        match (reach.check(Some(name), address.ip()), &why) {
            (Ok(()), _) => addresses.push(address),
            // What can be allowed is told rather than what cannot.
            (Err(Refused::Never), Unreachable::Refused(_)) => {}
            (Err(refused), _) => why = Unreachable::Refused(refused),
        }
    }
    if addresses.is_empty() { Err(why) } else { Ok(addresses) }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn lookup(reach: &Reach, addresses: &[&str]) -> Result<usize, String> {
        let found = addresses.iter().map(|address| SocketAddr::new(address.parse::<IpAddr>().unwrap(), 0));
        let found = reachable(reach, "name.internal", found.collect::<Vec<_>>().into_iter());
        found.map(|found| found.len()).map_err(|e| e.explained("connector").1)
    }

    #[test]
    fn names_do_not_lead_to_metadata() {
        let reach = Reach::everywhere();
        assert_eq!(lookup(&reach, &["10.0.0.1", "169.254.169.254"]), Ok(1));
        assert!(lookup(&reach, &["169.254.169.254", "fe80::1"]).unwrap_err().contains("never go"));
        assert!(lookup(&reach, &[]).unwrap_err().contains("not known"));
    }

    #[test]
    fn in_production_names_do_not_lead_to_what_is_private_unless_it_is_allowed() {
        let closed = Reach::internet_and([]);
        assert_eq!(lookup(&closed, &["10.0.0.1", "1.1.1.1", "::1"]), Ok(1));
        for private in [&["10.0.0.1"][..], &["::1", "169.254.169.254"], &["169.254.169.254", "127.0.0.1"]] {
            let error = lookup(&closed, private).unwrap_err();
            assert!(error.contains("AETHER_ALLOWED_PRIVATE_NETWORKS"), "{error}");
        }
        for allowed in ["10.0.0.0/8", "name.internal"] {
            assert_eq!(lookup(&Reach::internet_and([allowed.parse().unwrap()]), &["10.0.0.1", "169.254.0.1"]), Ok(1));
        }
    }
}
