//! To which addresses of the network the gateway goes when users name where.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::Arc,
};

use ipnet::IpNet;
use url::{Host, Url};

/// Networks that are nobody's on the internet: loopback, private, shared by carriers, and others that lead into one's own house or
/// to no one at all (the registries of RFC 6890).
const PRIVATE: [&str; 15] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::1/128",
    "fc00::/7",
    "fec0::/10",
    "64:ff9b:1::/48",
];

/// Where the gateway goes.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// The networks that it does not go to unless they are allowed; empty where it goes everywhere.
    private: Arc<[IpNet]>,
    allowed: Arc<[Allowed]>,
}

/// What a setting allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// A network, or one address.
    Network(IpNet),
    /// A host by its name, wherever that leads.
    Host(String),
}

/// Why the gateway does not go to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nobody may have it go there.
    Never,
    /// Its network is private, and not allowed.
    Private,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Never => "is link-local, metadata, multicast or unspecified, where requests never go",
            Self::Private => {
                "is private, where requests go only if AETHER_ALLOWED_PRIVATE_NETWORKS lists its network or its name"
            }
        })
    }
}

impl FromStr for Allowed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self::Network(network.trunc()));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Network(address.into()));
        }
        // What looks like a number is meant as one.
        let is_name = text.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-_".contains(&letter))
        });
        let last = text.rsplit('.').next().unwrap_or_default();
        match is_name && !last.bytes().all(|letter| letter.is_ascii_digit()) {
            true => Ok(Self::Host(text.to_ascii_lowercase())),
            false => Err("this is neither a network such as 10.20.0.0/16, nor an address, nor the name of a host"),
        }
    }
}

impl Reach {
    /// Everywhere but where nobody may have the gateway go.
    #[must_use]
    pub fn everywhere() -> Self {
        Self::default()
    }

    /// The internet, and what is allowed besides.
    #[must_use]
    pub fn internet_and(allowed: impl IntoIterator<Item = Allowed>) -> Self {
        let private = PRIVATE.iter().filter_map(|network| network.parse().ok()).collect();
        Self { private, allowed: allowed.into_iter().collect() }
    }

    /// Whether the gateway goes to this address, to which `host` has led if that is a name.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check(&self, host: Option<&str>, address: IpAddr) -> Result<(), Refused> {
        if !may_reach(address) {
            return Err(Refused::Never);
        }
        // An address in an address leads to the inner one.
        let inner = match address {
            IpAddr::V6(outer) => embedded(outer).map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        let is_private = self.private.iter().any(|network| network.contains(&address) || network.contains(&inner));
        let is_allowed = || {
            self.allowed.iter().any(|allowed| match allowed {
                Allowed::Network(network) => network.contains(&address) || network.contains(&inner),
                Allowed::Host(name) => host.is_some_and(|host| host.trim_end_matches('.').eq_ignore_ascii_case(name)),
            })
        };
        match is_private && !is_allowed() {
            true => Err(Refused::Private),
            false => Ok(()),
        }
    }

    /// The same for a URL whose host is an address: it is connected to without being looked up.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check_literal(&self, url: &Url) -> Result<(), Refused> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.check(None, address.into()),
            Some(Host::Ipv6(address)) => self.check(None, address.into()),
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }
}

/// Whether requests may go to this address of the network at all. The addresses under which clouds hand out credentials to their
/// machines, and those of no single host, are out of reach whatever is allowed.
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

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
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
    fn in_production_what_is_private_is_reached_where_it_is_allowed_only() {
        let closed = Reach::internet_and([]);
        for private in [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.254",
            "198.18.0.1",
            "240.0.0.1",
            "fc00::1",
            "fd12:3456::1",
            "fec0::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:a00:1::1",
            "2002:7f00:1::",
            "::10.0.0.1",
        ] {
            assert_eq!(closed.check(None, address(private)), Err(Refused::Private), "{private}");
            assert_eq!(Reach::everywhere().check(None, address(private)), Ok(()), "{private}");
        }
        for never in
            ["169.254.169.254", "fe80::1", "224.0.0.1", "ff02::1", "0.0.0.0", "::", "100.100.100.200", "fd00:ec2::254"]
        {
            let all = ["0.0.0.0/0", "::/0"].map(|network| network.parse().expect("a network"));
            for reach in [&closed, &Reach::internet_and(all), &Reach::everywhere()] {
                assert_eq!(reach.check(Some("host"), address(never)), Err(Refused::Never), "{never}");
            }
        }
        for public in
            ["1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::101:101"]
        {
            assert_eq!(closed.check(None, address(public)), Ok(()), "{public}");
        }
    }

    #[test]
    fn networks_addresses_and_hosts_are_allowed() {
        let allowed =
            ["10.20.0.0/16", "192.168.7.9", "fd12::/32", " Ledger.Internal "].map(|one| one.parse().expect("one"));
        let reach = Reach::internet_and(allowed);
        for (host, to, may) in [
            (None, "10.20.3.4", true),
            (None, "::ffff:10.20.3.4", true),
            (None, "10.21.0.1", false),
            (None, "192.168.7.9", true),
            (None, "192.168.7.8", false),
            (None, "fd12::5", true),
            (None, "fd13::5", false),
            (Some("ledger.internal"), "172.16.3.3", true),
            (Some("LEDGER.internal."), "127.0.0.1", true),
            (Some("other.internal"), "172.16.3.3", false),
            (Some("evil-ledger.internal"), "172.16.3.3", false),
        ] {
            assert_eq!(reach.check(host, address(to)).is_ok(), may, "{host:?} {to}");
        }
        for wrong in ["", "10.20.0.0/33", "10.20.0", "300.1.1.1", "http://x", "a b", "a..b", "*.internal"] {
            assert!(wrong.parse::<Allowed>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_url_with_an_address_is_checked_however_it_is_written() {
        let reach = Reach::internet_and([]);
        let check = |url: &str| reach.check_literal(&Url::parse(url).expect("a URL"));
        for url in [
            "https://127.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
        ] {
            assert_eq!(check(url), Err(Refused::Private), "{url}");
        }
        assert_eq!(check("https://localhost/"), Ok(()), "names are checked when they are looked up");
        assert_eq!(check("https://1.1.1.1/"), Ok(()));
    }
}
