//! Carrying the settled events of the outbox to the stream, by one gateway at a time.

use aether_store::live::{Event, Outbox, Source, source::BATCH};
use anyhow::{Context as _, Result, bail};
use async_nats::jetstream::{
    context::PublishAckFuture,
    message::PublishMessage,
    stream::{LastRawMessageErrorKind, Stream},
};
use serde::Serialize;

use super::{AGAIN, Broker, Relayed};

/// What the broker says of a message besides what is in it, at most.
const HEADERS: usize = 1_024;

/// Relays whenever it is this gateway's turn, until it is aborted.
pub(super) async fn run(mut outbox: Outbox, mut broker: Broker) {
    loop {
        broker.connected().await;
        if let Err(error) = term(&mut outbox, &mut broker).await {
            tracing::debug!(%error, "this gateway does not relay events any more");
        }
        // Another one may be luckier with the broker.
        tokio::time::sleep(AGAIN).await;
    }
}

/// Waits for the turn, and relays until it is lost or something fails.
async fn term(outbox: &mut Outbox, broker: &mut Broker) -> Result<()> {
    broker.changes.mark_unchanged();
    let turn = outbox.turn();
    let mut turn = tokio::select! {
        turn = turn => turn.ok().context("the database is away")?,
        () = broker.changed() => bail!("the connection to NATS has changed"),
    };
    let (stream, subject) = broker.stream(outbox).await?;
    let mut position = begin(outbox, &stream, &subject).await?;
    tracing::debug!(position, "this gateway relays events");
    loop {
        let events = tokio::select! {
            events = outbox.next(position) => events.ok().context("the database is away")?,
            () = turn.lost() => bail!("the turn is lost"),
            () = broker.changed() => bail!("the connection to NATS has changed"),
        };
        position = publish(broker, &subject, &events, position).await?;
    }
}

/// Behind which event to begin: the last one in the stream, unless there are so many behind it that nobody waits for them.
async fn begin(outbox: &mut Outbox, stream: &Stream, subject: &str) -> Result<i64> {
    match stream.get_last_raw_message_by_subject(subject).await {
        Ok(message) => {
            if let Ok(Relayed { sequence, .. }) = serde_json::from_slice(&message.payload)
                && outbox.read(sequence).await.is_ok_and(|events| events.len() < BATCH)
            {
                return Ok(sequence);
            }
        }
        Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => {}
        Err(error) => return Err(error.into()),
    }
    outbox.last().await.ok().context("the database is away")
}

/// Publishes these events behind this one and waits until the broker has them; the number of the last.
async fn publish(broker: &Broker, subject: &str, events: &[Event], after: i64) -> Result<i64> {
    let most = broker.client.server_info().max_payload.saturating_sub(HEADERS);
    let mut previous = after;
    let mut stored = Vec::with_capacity(events.len());
    for event in events {
        let sequence = event.sequence();
        let mut payload = serde_json::to_vec(&Message { sequence, previous, event: Some(event) })?;
        if payload.len() > most {
            payload = serde_json::to_vec(&Message { sequence, previous, event: None })?;
        }
        let message = PublishMessage::build().payload(payload.into()).message_id(sequence.to_string());
        let ack: PublishAckFuture = broker.jetstream.send_publish(subject.to_owned(), message).await?;
        stored.push(ack.into_future());
        previous = sequence;
    }
    futures::future::try_join_all(stored).await?;
    Ok(previous)
}

/// A [`Relayed`], borrowed.
#[derive(Serialize)]
struct Message<'e> {
    sequence: i64,
    previous: i64,
    event: Option<&'e Event>,
}
