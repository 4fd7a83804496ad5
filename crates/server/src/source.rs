//! The synchronizer: begins synchronizations that are due, reads the sources and hands what they give to the store.
//!
//! Which one is due, who carries it out, and what becomes of it, is the store's (`aether_store::write::sync`); here is only
//! the reading. Nothing that is logged or told holds an address, a header, or a word of what a source answered.

use std::time::Duration;

use aether_application::integrations::synchronization::{self, Claimed, Outcome};
use aether_domain::{
    metric::parse_some_metrics,
    source::{Content, CsvOverHttp, MOST_BYTES},
};
use aether_store::{Result, Store, encryption::Encryption};
use reqwest::{
    Method, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};

use crate::{
    config::Config,
    outbound::{self, Client},
};

/// How often what is due is looked for.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a source may take to send its file whole.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long a gateway is given for one synchronization, on top of what the source may take.
const LEASE: Duration = Duration::from_secs(120);

/// Carries synchronizations out until it is dropped.
#[derive(Clone)]
pub struct Synchronizer {
    store: Store,
    encryption: Encryption,
    client: Client,
    patience: Duration,
}

impl Synchronizer {
    /// A synchronizer for this store, whose sources have so long to answer.
    pub fn new(store: Store, config: &Config, patience: Duration) -> anyhow::Result<Self> {
        Ok(Self { store, encryption: config.encryption()?, client: Client::new(patience, config.reach()?)?, patience })
    }

    /// Works until it is aborted; what it has in hand then is ended by another gateway.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.round().await {
                error.log();
                // Logged where it arose; the database may be back in a moment.
                tracing::warn!("synchronizations could not be carried out; next try in a moment");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Does everything that is due now, and tells how many synchronizations it ended.
    pub async fn round(&self) -> Result<usize> {
        let abandoned = synchronization::expire(&self.store, &self.encryption).await?;
        if abandoned > 0 {
            tracing::warn!(abandoned, "synchronizations of a gateway that has stopped were ended as failed");
        }
        synchronization::schedule(&self.store, &self.encryption).await?;
        let mut ended = abandoned;
        while let Some(claimed) = synchronization::claim(&self.store, self.patience + LEASE, &self.encryption).await? {
            let outcome = self.read(&claimed).await;
            if let Outcome::Failed { code, .. } = &outcome {
                tracing::warn!(sync = %claimed.sync_id, integration = %claimed.integration_id, code, "a source failed");
            }
            ended += usize::from(self.finish(&claimed, outcome).await?);
        }
        Ok(ended)
    }

    async fn finish(&self, claimed: &Claimed, outcome: Outcome) -> Result<bool> {
        match synchronization::finish(&self.store, claimed, outcome, &self.encryption).await {
            // It must not run for ever because its lines cannot be written.
            Err(error) => {
                error.log();
                let outcome =
                    failed("NOT_WRITTEN", "What the source gave could not be written. Nothing of it was taken.");
                synchronization::finish(&self.store, claimed, outcome, &self.encryption).await
            }
            finished => finished,
        }
    }

    async fn read(&self, claimed: &Claimed) -> Outcome {
        let source = claimed.config.as_ref().map(CsvOverHttp::read);
        let Some(Ok(source)) = source else {
            return failed(
                "CONFIGURATION_UNREADABLE",
                "The configuration cannot be read any more. Configure the integration anew.",
            );
        };
        let text = match self.fetch(&source).await {
            Ok(text) => text,
            Err(outcome) => return outcome,
        };
        let read = tokio::task::spawn_blocking(move || match source.content {
            Content::Metrics => parse_some_metrics(&text),
        });
        match read.await {
            Ok(Ok((lines, problems))) => Outcome::Read { lines, problems },
            Ok(Err(problems)) => {
                // The names in a header that is none are the source's own words.
                let known = problems.first().map(|problem| problem.message.as_str()).unwrap_or_default();
                let known = if known.starts_with("There are more than") { known } else { NO_METRICS };
                failed("UNEXPECTED_CONTENT", known)
            }
            Err(_) => failed("UNEXPECTED_CONTENT", NO_METRICS),
        }
    }

    /// The text that the source gives.
    async fn fetch(&self, source: &CsvOverHttp) -> std::result::Result<String, Outcome> {
        let mut headers = HeaderMap::new();
        for (name, value) in &source.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_str(value);
            let (Ok(name), Ok(mut value)) = (name, value) else {
                return Err(failed(
                    "CONFIGURATION_UNREADABLE",
                    "A header of the configuration cannot be sent. Configure it anew.",
                ));
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let broken = |error: reqwest::Error| {
            let (code, message) = outbound::explained(&error, "source");
            failed(code, &message)
        };
        let request = self.client.request(Method::GET, source.url.clone(), "source");
        let request = request.map_err(|(code, message)| failed(code, &message))?;
        let mut answer = request.headers(headers).send().await.map_err(broken)?;
        let status = answer.status();
        if status != StatusCode::OK {
            let message = match status.is_redirection() {
                true => format!(
                    "The source answered with the HTTP status {}, a redirect. Redirects are not followed: give the address of the file itself.",
                    status.as_u16()
                ),
                false => format!("The source answered with the HTTP status {}.", status.as_u16()),
            };
            return Err(failed("HTTP_STATUS", &message));
        }
        let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.to_ascii_lowercase().starts_with("text/html") {
            return Err(failed(
                "UNEXPECTED_CONTENT",
                "The source answered with a web page instead of CSV. Is it a page to sign in?",
            ));
        }
        let too_long = || failed("TOO_LONG", "The file is longer than 10 MiB. Divide it.");
        let announced = answer.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
        if announced > MOST_BYTES {
            return Err(too_long());
        }
        let mut bytes = Vec::with_capacity(announced);
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if bytes.len() + chunk.len() > MOST_BYTES {
                return Err(too_long());
            }
            bytes.extend_from_slice(&chunk);
        }
        String::from_utf8(bytes).map_err(|_| failed("UNEXPECTED_CONTENT", "The file is no text in UTF-8."))
    }
}

const NO_METRICS: &str = "The file is no CSV of metrics: its first line must name the columns, at least date and metric_type, and no \
                          others than an import of metrics has.";

fn failed(code: &'static str, message: &str) -> Outcome {
    Outcome::Failed { code, message: message.to_owned() }
}
