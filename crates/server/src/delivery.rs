//! The courier: takes what was published to the connectors, over HTTP.
//!
//! Which delivery is due, and what became of it, is the store's (`aether_store::write::delivery`); here is only the sending.

use std::{
    error::Error,
    fmt,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use aether_domain::connector;
use aether_store::{
    Store,
    seal::Sealer,
    write::delivery::{Attempt, Due},
};
use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    header::CONTENT_TYPE,
    redirect::Policy,
};
use tokio::task::JoinSet;

use crate::config::Config;

/// How long the queue is left alone when nothing is due.
const PAUSE: Duration = Duration::from_millis(500);
/// How long an attempt may take, from the look-up of the name to the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many deliveries are sent at once.
const AT_ONCE: u64 = 16;

/// Sends what is due, until told to stop.
#[derive(Clone)]
pub struct Courier {
    store: Store,
    sealer: Sealer,
    /// None where the machine knows no certificate authorities.
    client: Option<Client>,
    base: Duration,
    allow_insecure: bool,
}

impl Courier {
    /// A courier for this store.
    pub fn new(store: Store, config: &Config) -> anyhow::Result<Self> {
        // The one provider of cryptography in the program; a second call changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("aether-nexus/", env!("CARGO_PKG_VERSION")))
            .timeout(PATIENCE)
            // A redirect or a proxy would lead to addresses that nobody has checked.
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Resolver))
            .build();
        // Everything else can be served without.
        let client = client.inspect_err(|error| tracing::warn!(?error, "nothing can be delivered to connectors")).ok();
        Ok(Self {
            store,
            sealer: config.sealer()?,
            client,
            base: Duration::from_millis(config.delivery_retry_milliseconds),
            allow_insecure: config.allow_insecure_connectors,
        })
    }

    /// Works the queue off until `stop` is over; what is on its way then is finished.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let pause = match self.round().await {
                Ok(0) => PAUSE,
                // There may be more.
                Ok(_) => Duration::ZERO,
                // Logged where it arose; the database may be back in a moment.
                Err(_) => PAUSE * 4,
            };
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sends what is due now, and tells how much that was.
    async fn round(&self) -> aether_store::Result<usize> {
        let due = self.store.claim_deliveries(AT_ONCE, &self.sealer, self.base).await?;
        let count = due.len();
        let mut sending = JoinSet::new();
        for due in due {
            let courier = self.clone();
            sending.spawn(async move {
                let attempt = courier.send(&due).await;
                match &attempt.error {
                    None => tracing::info!(delivery = %due.id, "delivered"),
                    Some(error) => tracing::warn!(delivery = %due.id, error, "not delivered"),
                }
                courier.store.settle_delivery(&due, &attempt, courier.base).await
            });
        }
        let mut outcome = Ok(count);
        while let Some(settled) = sending.join_next().await {
            match settled {
                Ok(Ok(())) => {}
                Ok(Err(error)) => outcome = Err(error),
                Err(error) => tracing::error!(%error, "a delivery that broke off"),
            }
        }
        outcome
    }

    async fn send(&self, due: &Due) -> Attempt {
        let begun = Instant::now();
        let (status, error) = match self.post(due).await {
            Ok(status) if (200..300).contains(&status) => (Some(status), None),
            Ok(status) => (Some(status), Some(format!("The connector answered with the HTTP status {status}."))),
            Err(error) => (None, Some(error)),
        };
        Attempt { status, error, took: begun.elapsed() }
    }

    /// The status of the answer, or why there is none, in a sentence for the members of the workspace.
    async fn post(&self, due: &Due) -> Result<u16, String> {
        let Some(secret) = &due.secret else {
            return Err("The secret of the connector cannot be read any more. Set it anew.".into());
        };
        // Checked when it was set; but the settings of the gateway may have changed since.
        let url = connector::check_url(&due.url, self.allow_insecure)?;
        let Some(client) = &self.client else {
            return Err("The gateway knows no certificate authorities. Install ca-certificates where it runs.".into());
        };
        let timestamp = due.timestamp.to_string();
        let signature = connector::signature(secret, &timestamp, due.body.as_bytes());
        let answer = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("Aether-Delivery", due.id.to_string())
            .header("Aether-Event", "golden_record.published")
            .header("Aether-Timestamp", timestamp)
            .header("Aether-Signature", signature)
            .body(due.body.clone())
            .send()
            .await;
        // The body of the answer is not read: nobody needs it, and it may have no end.
        answer.map(|answer| answer.status().as_u16()).map_err(|error| explained(&error))
    }
}

fn explained(error: &reqwest::Error) -> String {
    let mut causes = std::iter::successors(Some(error as &dyn Error), |error| (*error).source());
    if let Some(named) = causes.find_map(|cause| cause.downcast_ref::<Unreachable>()) {
        return named.to_string();
    }
    if error.is_timeout() {
        return format!("The connector did not answer within {} seconds.", PATIENCE.as_secs());
    }
    if error.is_connect() {
        return "The connector could not be reached, or its certificate is not good.".into();
    }
    "The connection to the connector broke off.".into()
}

/// Looks names up and leaves out the addresses that deliveries never go to, so that no name leads there either.
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
            Self::Unknown => "The host of the connector's address is not known.",
            Self::Refused => "The host of the connector's address has only addresses that deliveries never go to.",
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
        assert!(lookup(&["169.254.169.254", "fe80::1"]).unwrap_err().contains("never go to"));
        assert!(lookup(&[]).unwrap_err().contains("not known"));
    }
}
