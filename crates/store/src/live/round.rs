//! The rounds in which subscribers are told: what was committed since the last, to whom it may concern, once for all who see
//! the same.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;
use tracing::{Instrument, Span, field::Empty};
use uuid::Uuid;

use super::{
    event::Event,
    hub::Hub,
    plan::{Message, SubscriptionPlan, Tenant},
    queue::Delivery,
    source::Source,
    state::Subscriber,
    subscriber::{Audience, SharedBy, SubscriberIdentity},
};
use crate::error::{Error, Result};

/// How long a round takes at least, so that what comes in between is handled together.
const ROUND: Duration = Duration::from_millis(20);
/// How long to wait after a round that failed.
const AGAIN: Duration = Duration::from_millis(500);
/// How many messages are worked out at once.
const AT_ONCE: usize = 4;

/// The messages of one group of subscribers.
struct Deliveries {
    ids: Vec<u64>,
    /// Who has read for the others, and as what.
    reader: Option<(u64, SharedBy, Audience)>,
    messages: Result<Vec<Option<Message>>>,
}

impl Hub {
    /// Tells subscribers of what is committed, by this gateway and all others, as this source has it; for as long as it is
    /// polled.
    pub async fn run<S: Source>(self: Arc<Self>, source: S) {
        tokio::join!(self.tail(source), self.sweep());
    }

    async fn tail<S: Source>(&self, mut source: S) {
        let mut handed = None;
        loop {
            if let Err(error) = self.round(&mut source, &mut handed).await {
                error.log();
                tracing::debug!(?error, "the events could not be told; next try soon");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }

    /// Waits for what comes behind what has been handed over, and hands it over.
    async fn round<S: Source>(&self, source: &mut S, handed: &mut Option<i64>) -> Result<()> {
        let position = match *handed {
            Some(position) => position,
            None => {
                let stream = self.store.stream().await?;
                _ = self.stream.set(stream.id);
                self.state().position = stream.last;
                *handed.insert(stream.last)
            }
        };
        let events = source.next(position).await?;
        let begun = Instant::now();
        if let Some(last) = events.last().map(Event::sequence) {
            self.follow_members(&events).await?;
            if self.hand_over(&events, last).await? {
                *handed = Some(last);
            }
        }
        tokio::time::sleep_until(begun + ROUND).await;
        Ok(())
    }

    /// Ends, or moves, the subscriptions of those whom these events concern themselves.
    async fn follow_members(&self, events: &[Event]) -> Result<()> {
        let mut concerned = HashSet::new();
        let mut moved = HashSet::new();
        {
            let state = self.state();
            for event in events {
                match event.topic.as_str() {
                    "user" => concerned.extend(state.of(|s| s.user == event.aggregate_id)),
                    "session" => concerned.extend(state.of(|s| s.session == event.aggregate_id)),
                    "organization" => concerned.extend(state.of(|s| s.organization == event.aggregate_id)),
                    "workspace" => {
                        concerned.extend(state.by_tenant.get(&event.aggregate_id).into_iter().flatten().copied());
                        moved.extend(event.facet("user_id").and_then(|id| id.parse::<Uuid>().ok()));
                    }
                    _ => {}
                }
            }
        }
        self.check(concerned.into_iter().collect()).await?;
        for user in moved {
            let everything = |s: &Subscriber| s.user == user && s.plan.tenant == Tenant::Everything;
            let ids: Vec<u64> = self.state().of(everything).collect();
            if !ids.is_empty() {
                let workspaces = self.store.workspaces_of(user).await?;
                let mut state = self.state();
                ids.into_iter().for_each(|id| state.move_to(id, &workspaces));
            }
        }
        Ok(())
    }

    /// Puts the messages of these events into the queues of those who see them. Not if one who read for others was not like
    /// them any more: then it is to be done once again.
    async fn hand_over(&self, events: &[Event], last: i64) -> Result<bool> {
        let mut wanted: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        {
            let mut state = self.state();
            // Who comes from now on is not told of these.
            state.position = last;
            for (place, event) in events.iter().enumerate() {
                let tenants = [event.organization_id, event.workspace_id];
                let ids: HashSet<u64> = tenants
                    .iter()
                    .flatten()
                    .filter_map(|tenant| state.by_tenant.get(tenant))
                    .flatten()
                    .copied()
                    .collect();
                for id in ids {
                    let subscriber = &state.subscribers[&id];
                    if subscriber.told.is_some_and(|told| event.sequence > told) && subscriber.plan.wants(event) {
                        wanted.entry(id).or_default().push(place);
                    }
                }
            }
        }
        let identity = self.check(wanted.keys().copied().collect()).await?;
        // Those who are of one class and want the same events of one watch are told by one message.
        let mut groups: HashMap<(usize, Audience, Vec<usize>), Vec<u64>> = HashMap::new();
        let mut plans: HashMap<usize, (Arc<SubscriptionPlan>, SharedBy)> = HashMap::new();
        {
            let state = self.state();
            for (id, places) in wanted {
                let (Some(now), Some(subscriber)) = (identity.get(&id), state.subscribers.get(&id)) else { continue };
                // By its address: it is shared by all who ask the same.
                let plan = Arc::as_ptr(&subscriber.plan) as usize;
                let known = plans.entry(plan);
                let (_, shared_by) = known.or_insert_with(|| (subscriber.plan.clone(), subscriber.plan.shared_by()));
                groups.entry((plan, now.audience(*shared_by), places)).or_default().push(id);
            }
        }
        let work = groups.into_iter().map(|((plan, audience, places), ids)| {
            let ((plan, shared_by), identity) = (plans[&plan].clone(), &identity);
            async move {
                let events: Vec<&Event> = places.iter().map(|place| &events[*place]).collect();
                let sequences = events.first().zip(events.last()).map(|(first, last)| (first.sequence, last.sequence));
                let span = tracing::error_span!("message", ?sequences, subscribers = ids.len(), user = Empty);
                self.messages(plan, ids, identity, &events, (shared_by, audience)).instrument(span).await
            }
        });
        let done: Vec<Deliveries> = stream::iter(work).buffer_unordered(AT_ONCE).try_collect().await?;
        // Whoever was demoted while it read saw too little for the others, and whoever was promoted too much.
        let readers: Vec<_> = done.iter().filter_map(|told| told.reader.as_ref()).collect();
        let now = self.check(readers.iter().map(|(id, ..)| *id).collect()).await?;
        if !readers
            .iter()
            .all(|(id, shared_by, audience)| now.get(id).is_some_and(|now| now.audience(*shared_by) == *audience))
        {
            return Ok(false);
        }
        // Only now that all are worked out: a round that fails is tried again as a whole, and nobody is told twice.
        let mut state = self.state();
        for Deliveries { ids, messages, .. } in done {
            for id in ids {
                let messages = match &messages {
                    Ok(messages) => messages,
                    // They resume by their cursors; what they ask for does not hold up the others.
                    Err(error) => {
                        if let Some(subscriber) = state.remove(id) {
                            subscriber.queue.offer(Delivery::Failed(subscriber.tag, error.clone()));
                        }
                        continue;
                    }
                };
                let Some(subscriber) = state.subscribers.get_mut(&id) else { continue };
                subscriber.told = Some(last);
                for message in messages.iter().flatten() {
                    if !subscriber.queue.offer(Delivery::next(&subscriber.tag, message.clone())) {
                        break;
                    }
                }
            }
        }
        Ok(true)
    }

    /// What these events are to those who see the same of them.
    async fn messages(
        &self,
        plan: Arc<SubscriptionPlan>,
        ids: Vec<u64>,
        identity: &HashMap<u64, SubscriberIdentity>,
        events: &[&Event],
        (shared_by, audience): (SharedBy, Audience),
    ) -> Result<Deliveries> {
        // Any of them may read for all; the first whose session stands does.
        for id in &ids {
            let actor = &identity[id].actor;
            Span::current().record("user", tracing::field::display(actor.user_id));
            let reader = self.store.reader(Ok(Some(actor.session_id)));
            match plan.messages(&self.store, &reader, self.stream(), events).await {
                Err(Error::Unauthenticated(_)) => continue,
                Err(Error::Unavailable) => return Err(Error::Unavailable),
                messages => {
                    let reader = (ids.len() > 1).then_some((*id, shared_by, audience));
                    return Ok(Deliveries { ids, reader, messages });
                }
            }
        }
        Ok(Deliveries { ids, reader: None, messages: Ok(Vec::new()) })
    }
}
