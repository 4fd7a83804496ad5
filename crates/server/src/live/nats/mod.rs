//! Events by way of NATS JetStream, for more gateways than one PostgreSQL can tell.
//!
//! The outbox remains the truth, and the broker only carries what one gateway has read there to all the others. Each message
//! names the event before its own. Whatever a gateway misses, it sees by that, and reads it in PostgreSQL: after it has joined
//! the stream, where the chain has a gap, where something was committed and no message comes, and for as long as there is no
//! broker. So the broker may lose everything, and be away, without anybody noticing but PostgreSQL.

mod relay;

use std::{pin::Pin, time::Duration};

use aether_store::{
    Result,
    live::{Event, Outbox, Source, source::BATCH},
};
use anyhow::Context as _;
use async_nats::{
    ConnectOptions, ServerAddr,
    connection::State,
    jetstream::{
        self,
        consumer::{
            DeliverPolicy,
            push::{Ordered, OrderedConfig},
        },
        stream::{Config, StorageType, Stream},
    },
};
use futures::{FutureExt, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, task::JoinSet, time::Instant};

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long after something was committed its message may come, before PostgreSQL is asked.
const LATE: Duration = Duration::from_millis(500);
/// After how long without a message PostgreSQL is asked in any case.
const SILENCE: Duration = Duration::from_secs(5);
/// How long to wait before what failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long messages are kept: they are for those who are there, and PostgreSQL is for those who are not.
const KEPT: Duration = Duration::from_secs(3_600);
/// How many bytes of messages are kept.
const MOST_BYTES: i64 = 64 * 1024 * 1024;

/// A message.
#[derive(Serialize, Deserialize)]
struct Relayed {
    sequence: i64,
    /// The number of the event before it.
    previous: i64,
    /// Left out where it is too large for a message.
    event: Option<Event>,
}

/// The events as JetStream brings them, with the outbox behind it.
pub(super) struct Nats {
    outbox: Outbox,
    broker: Broker,
    link: Link,
    /// The last event that was given.
    given: Option<i64>,
    /// When PostgreSQL is asked unless a message comes.
    look: Instant,
    /// When the last message came, or the stream was joined.
    heard: Instant,
    _relay: JoinSet<()>,
}

enum Link {
    /// PostgreSQL is read, until this is done.
    Away(Joining),
    Joined {
        messages: Box<Ordered>,
        /// Whether what came before the messages, or was missed, has been read.
        caught_up: bool,
    },
}

type Joining = Pin<Box<dyn Future<Output = Ordered> + Send>>;

/// A connection to the broker, which is made again by itself.
#[derive(Clone)]
struct Broker {
    client: async_nats::Client,
    jetstream: jetstream::Context,
    /// Changes whenever the connection begins or ends.
    changes: watch::Receiver<()>,
}

impl Nats {
    /// Begins to relay, and to read.
    pub(super) async fn connect(servers: Vec<ServerAddr>, outbox: Outbox) -> anyhow::Result<Self> {
        let (change, changes) = watch::channel(());
        let client = ConnectOptions::new()
            .name("aether-nexus")
            .retry_on_initial_connect()
            .reconnect_delay_callback(|attempts| (Duration::from_millis(50) * attempts as u32).min(AGAIN))
            .event_callback(move |event| {
                match &event {
                    async_nats::Event::Connected => tracing::info!("connected to NATS"),
                    event => tracing::debug!(%event, "NATS"),
                }
                change.send_replace(());
                std::future::ready(())
            })
            .connect(servers)
            .await
            .context("No client for the servers in AETHER_NATS_URL could be made.")?;
        let mut jetstream = jetstream::new(client.clone());
        jetstream.set_timeout(PATIENCE);
        let broker = Broker { client, jetstream, changes };
        let mut relay = JoinSet::new();
        relay.spawn(relay::run(outbox.clone(), broker.clone()));
        let link = Link::Away(join(outbox.clone(), broker.clone()));
        Ok(Self { outbox, broker, link, given: None, look: Instant::now(), heard: Instant::now(), _relay: relay })
    }

    /// Reads PostgreSQL until the stream can be read, and then that.
    fn leave(&mut self) {
        self.link = Link::Away(join(self.outbox.clone(), self.broker.clone()));
    }

    fn give(&mut self, events: Vec<Event>) -> Vec<Event> {
        self.given = events.last().map(Event::sequence).or(self.given);
        self.look = Instant::now() + SILENCE;
        events
    }
}

impl Source for Nats {
    async fn next(&mut self, after: i64) -> Result<Vec<Event>> {
        // What was given and is asked for again is no message any more.
        if self.given.replace(after) != Some(after)
            && let Link::Joined { caught_up, .. } = &mut self.link
        {
            *caught_up = false;
        }
        loop {
            match &mut self.link {
                Link::Away(joining) => tokio::select! {
                    messages = joining => {
                        tracing::debug!("events come by NATS");
                        self.broker.changes.mark_unchanged();
                        self.heard = Instant::now();
                        self.link = Link::Joined { messages: Box::new(messages), caught_up: false };
                    }
                    events = self.outbox.next(after) => return Ok(self.give(events?)),
                },
                Link::Joined { caught_up, .. } if !*caught_up => {
                    // All that is not among the messages to come was settled before this read.
                    let events = self.outbox.read(after).await?;
                    *caught_up = events.len() < BATCH;
                    self.look = Instant::now() + SILENCE;
                    if !events.is_empty() {
                        return Ok(self.give(events));
                    }
                }
                Link::Joined { messages, caught_up } => tokio::select! {
                    // An ordered consumer would resume by itself, by a number of the broker's; where the broker has begun anew
                    // it would wait for that number in vain.
                    _ = self.broker.changes.changed() => self.leave(),
                    message = messages.next() => {
                        self.heard = Instant::now();
                        let chain = Chain::of(message, messages, after);
                        *caught_up = !chain.gap;
                        if chain.ended {
                            self.leave();
                        }
                        if !chain.events.is_empty() {
                            return Ok(self.give(chain.events));
                        }
                    }
                    () = self.outbox.woken() => self.look = self.look.min(Instant::now() + LATE),
                    () = tokio::time::sleep_until(self.look) => {
                        let events = self.outbox.read(after).await?;
                        self.look = Instant::now() + SILENCE;
                        if !events.is_empty() {
                            tracing::debug!("events were late and have been read from PostgreSQL");
                            // Nobody may relay just now, but the stream may also be another one by now.
                            if self.heard.elapsed() > SILENCE {
                                self.leave();
                            }
                            return Ok(self.give(events));
                        }
                    }
                },
            }
        }
    }
}

/// The messages that there are at once.
struct Chain {
    events: Vec<Event>,
    /// Something is missing behind the events.
    gap: bool,
    /// No more messages come.
    ended: bool,
}

type Received = Option<std::result::Result<jetstream::Message, async_nats::jetstream::consumer::push::OrderedError>>;

impl Chain {
    /// This message, and those that have come behind it.
    fn of(first: Received, messages: &mut Ordered, after: i64) -> Self {
        let mut chain = Self { events: Vec::new(), gap: false, ended: false };
        let mut at = after;
        let mut message = first;
        loop {
            match message {
                Some(Ok(message)) => match serde_json::from_slice::<Relayed>(&message.payload) {
                    Ok(relayed) if relayed.sequence <= at => {}
                    Ok(Relayed { sequence, previous, event: Some(event) }) if previous <= at => {
                        at = sequence;
                        chain.events.push(event);
                    }
                    // What is missing is read, and this one with it. What a gateway of another version wrote may not be legible.
                    _ => chain.gap = true,
                },
                _ => chain.ended = true,
            }
            if chain.gap || chain.ended || chain.events.len() == BATCH {
                return chain;
            }
            message = match messages.next().now_or_never() {
                Some(message) => message,
                None => return chain,
            };
        }
    }
}

impl Broker {
    /// Waits until there is a connection.
    async fn connected(&mut self) {
        while self.client.connection_state() != State::Connected {
            self.changed().await;
        }
    }

    /// Waits until the connection has begun or ended.
    async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// The stream of the database's events, made if it is not there, and its subject.
    async fn stream(&self, outbox: &Outbox) -> anyhow::Result<(Stream, String)> {
        let Ok(history) = outbox.history().await else { anyhow::bail!("the database is away") };
        let subject = format!("aether.events.{history}");
        let config = Config {
            name: format!("aether-events-{history}"),
            subjects: vec![subject.clone()],
            storage: StorageType::Memory,
            max_age: KEPT,
            max_bytes: MOST_BYTES,
            ..Config::default()
        };
        Ok((self.jetstream.get_or_create_stream(config).await?, subject))
    }

    async fn join(&self, outbox: &Outbox) -> anyhow::Result<Ordered> {
        let (stream, subject) = self.stream(outbox).await?;
        let config = OrderedConfig {
            deliver_subject: self.client.new_inbox(),
            filter_subject: subject,
            // What came before is read from PostgreSQL, whose numbers are not the stream's.
            deliver_policy: DeliverPolicy::New,
            ..OrderedConfig::default()
        };
        Ok(stream.create_consumer(config).await?.messages().await?)
    }
}

/// Joins the stream, however often it must be tried.
fn join(outbox: Outbox, mut broker: Broker) -> Joining {
    Box::pin(async move {
        let mut told = false;
        loop {
            if tokio::time::timeout(PATIENCE, broker.connected()).await.is_err() {
                tracing::warn!("NATS does not answer: events are read from PostgreSQL until it does");
                broker.connected().await;
            }
            match broker.join(&outbox).await {
                Ok(messages) => return messages,
                Err(error) if told => tracing::debug!(%error, "no stream of events"),
                Err(error) => tracing::warn!(%error, "NATS gives no stream of events: they are read from PostgreSQL"),
            }
            told = true;
            tokio::time::sleep(AGAIN).await;
        }
    })
}
