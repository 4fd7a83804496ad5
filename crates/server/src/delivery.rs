//! The courier: takes what was published to the connectors, over HTTP.
//!
//! Which delivery is due, and what became of it, is the store's (`aether_store::write::delivery`); here is only the sending.

use std::time::{Duration, Instant};

use aether_domain::connector;
use aether_store::{
    Store,
    encryption::Encryption,
    write::delivery::{Attempt, Due},
};
use reqwest::{Method, header::CONTENT_TYPE};
use tokio::task::JoinSet;

use crate::{
    config::Config,
    outbound::{self, Client},
};

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
    encryption: Encryption,
    /// None where the machine knows no certificate authorities.
    client: Option<Client>,
    base: Duration,
    allow_insecure: bool,
}

impl Courier {
    /// A courier for this store.
    pub fn new(store: Store, config: &Config) -> anyhow::Result<Self> {
        // Everything else can be served without.
        let client = Client::new(PATIENCE, config.reach()?);
        let client = client.inspect_err(|error| tracing::warn!(?error, "nothing can be delivered to connectors")).ok();
        Ok(Self {
            store,
            encryption: config.encryption()?,
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
                // The database may be back in a moment.
                Err(error) => {
                    error.log();
                    PAUSE * 4
                }
            };
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sends what is due now, and tells how much that was.
    async fn round(&self) -> aether_store::Result<usize> {
        let due = self.store.claim_deliveries(AT_ONCE, &self.encryption, self.base).await?;
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
        let (id, timestamp) = (due.id.to_string(), due.timestamp.to_string());
        let key = std::str::from_utf8(secret).ok().and_then(|secret| connector::signing_key(secret).ok());
        let key = key.ok_or("The secret of the connector cannot sign. Set it anew.")?;
        let signature = connector::signature(&key, &id, &timestamp, due.body.as_bytes());
        let request = client.request(Method::POST, url, "connector").map_err(|(_, why)| why)?;
        let answer = request
            .header(CONTENT_TYPE, "application/json")
            .header("Webhook-Id", id)
            .header("Webhook-Timestamp", timestamp)
            .header("Webhook-Signature", signature)
            .header("Aether-Event", "golden_record.published")
            .body(due.body.clone())
            .send()
            .await;
        // The body of the answer is not read: nobody needs it, and it may have no end.
        answer.map(|answer| answer.status().as_u16()).map_err(|error| outbound::explained(&error, "connector").1)
    }
}
