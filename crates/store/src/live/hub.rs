//! The subscribers of one gateway.
//!
//! One task reads the outbox for all of them. Each round takes what was committed since, asks once who all that may be
//! concerned are by now, works out each message once for all who see the same, and puts it into their queues.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, stream};
use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};
use uuid::Uuid;

use super::{
    cursor::Cursor,
    event::Event,
    standing::{self, Alike, Class, Standing},
    watch::{Message, Tenant, Watch},
};
use crate::{
    Store,
    actor::ended,
    error::{Error, Result},
};

/// How many messages wait for a connection at most; one that falls further behind is cut off, to resume by its cursor.
pub const QUEUE: usize = 256;
/// How long a round takes at least, so that what comes in between is handled together.
const ROUND: Duration = Duration::from_millis(20);
/// How often is looked for what nobody has said.
const POLL: Duration = Duration::from_millis(500);
/// How often all subscribers are checked, for what ends without an event: sessions that expire.
const SWEEP: Duration = Duration::from_secs(5);
/// How many messages are worked out at once.
const AT_ONCE: usize = 4;
/// Where gateways tell each other that there is something to read.
const CHANNEL: &str = "aether_events";

/// What a connection is handed.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// A message for the subscription of this tag.
    Next(Arc<str>, Message),
    /// The subscription of this tag has ended, and why.
    Failed(Arc<str>, Error),
}

impl Delivery {
    pub(super) fn next(tag: &Arc<str>, message: Message) -> Self {
        Self::Next(tag.clone(), message)
    }
}

/// Where the deliveries of one connection go.
#[derive(Debug)]
pub struct Line {
    sender: mpsc::Sender<Delivery>,
    overflowed: AtomicBool,
    cut: Notify,
}

impl Line {
    /// A line, and what comes out of it.
    pub fn new() -> (Arc<Self>, mpsc::Receiver<Delivery>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Arc::new(Self { sender, overflowed: AtomicBool::new(false), cut: Notify::new() }), receiver)
    }

    /// Waits until the connection has fallen so far behind that it must be closed.
    pub async fn overflow(&self) {
        if !self.overflowed.load(Ordering::Acquire) {
            self.cut.notified().await;
        }
    }

    pub(super) async fn send(&self, delivery: Delivery) -> bool {
        self.sender.send(delivery).await.is_ok()
    }

    /// Hands over without waiting. Once something did not fit, nothing follows: what is sent has no gaps.
    fn offer(&self, delivery: Delivery) -> bool {
        if self.overflowed.load(Ordering::Acquire) {
            return false;
        }
        match self.sender.try_send(delivery) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.overflowed.store(true, Ordering::Release);
                self.cut.notify_one();
                false
            }
        }
    }
}

/// A subscription: ends when it is dropped.
pub struct Subscription {
    hub: Arc<Hub>,
    id: u64,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.remove(self.id);
    }
}

/// One subscriber, as far as replaying needs to know it.
pub(super) struct Place {
    pub(super) id: u64,
    pub(super) watch: Arc<Watch>,
    pub(super) session: Uuid,
    pub(super) organization: Option<Uuid>,
    pub(super) workspaces: Vec<Uuid>,
    pub(super) line: Arc<Line>,
    pub(super) tag: Arc<str>,
}

/// One subscriber.
struct Subscriber {
    watch: Arc<Watch>,
    session: Uuid,
    user: Uuid,
    organization: Uuid,
    /// The tenants under which it is found.
    tenants: Vec<Uuid>,
    line: Arc<Line>,
    tag: Arc<str>,
    /// It has been told up to this number; none while it is being brought up to date.
    told: Option<i64>,
}

impl Subscriber {
    fn place(&self) -> standing::Place {
        match self.watch.tenant {
            Tenant::Workspace(workspace) => (self.session, Some(workspace)),
            Tenant::Organization | Tenant::Everything => (self.session, None),
        }
    }
}

/// What subscribers who are alike are told, and who read it for them: as what.
type Answer = (Vec<u64>, Option<(u64, (Alike, Class))>, Result<Vec<Option<Message>>>);

#[derive(Default)]
struct State {
    /// All events up to this number have been handed over, or are being.
    position: i64,
    next: u64,
    subscribers: HashMap<u64, Subscriber>,
    by_tenant: HashMap<Uuid, HashSet<u64>>,
    watches: HashMap<String, std::sync::Weak<Watch>>,
}

/// The subscribers of one gateway.
pub struct Hub {
    store: Store,
    /// What this gateway signs with when it tells the others.
    name: String,
    stream: OnceLock<Uuid>,
    state: Mutex<State>,
    begun: Notify,
}

impl Hub {
    /// A hub without subscribers. It tells nothing until it [runs](Self::run).
    pub fn new(store: Store) -> Arc<Self> {
        let name = Uuid::new_v4().to_string();
        Arc::new(Self { store, name, stream: OnceLock::new(), state: Mutex::default(), begun: Notify::new() })
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn stream(&self) -> Uuid {
        self.stream.get().copied().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// How many subscriptions there are.
    pub fn len(&self) -> usize {
        self.state().subscribers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the stream of events is now: whoever reads something and then subscribes behind this misses nothing.
    pub async fn cursor(store: &Store) -> Result<Cursor> {
        let stream = store.stream().await?;
        Ok(Cursor::new(stream.id, stream.last))
    }

    /// Begins a subscription of this session: from now on, or behind a cursor.
    pub async fn subscribe(
        self: &Arc<Self>,
        watch: Watch,
        session: Uuid,
        after: Option<Cursor>,
        line: &Arc<Line>,
        tag: Arc<str>,
    ) -> Result<Subscription> {
        let workspace = match watch.tenant {
            Tenant::Workspace(workspace) => Some(workspace),
            _ => None,
        };
        let standing = self.store.standings(&[(session, workspace)]).await?.remove(&(session, workspace));
        let standing = standing.ok_or_else(ended)?;
        if workspace.is_some() && standing.role.is_none() {
            return Err(no_workspace());
        }
        // Nobody who lacks one of them waits for what never comes; of several tables one that is seen is enough.
        let mut missing = watch.permissions().filter(|permission| !standing.actor.may(*permission));
        if let (Some(permission), true) = (missing.next(), workspace.is_none()) {
            return Err(Error::forbidden(permission.name()));
        }
        drop(missing);
        if self.stream.get().is_none() {
            // The first round has yet to find out where the stream is.
            self.begun.notify_one();
            let stream = self.store.stream().await?;
            _ = self.stream.set(stream.id);
        }
        let after = match after {
            Some(cursor) => Some(self.resume(cursor).await?),
            None => None,
        };
        let organization = standing.actor.organization_id;
        let (organization, workspaces) = match watch.tenant {
            Tenant::Workspace(workspace) => (None, vec![workspace]),
            Tenant::Organization => (Some(organization), Vec::new()),
            Tenant::Everything => (Some(organization), self.store.workspaces_of(standing.actor.user_id).await?),
        };
        let mut state = self.state();
        let watch = state.share(watch);
        let id = state.next;
        state.next += 1;
        let told = after.is_none().then_some(state.position);
        let tenants: Vec<Uuid> = organization.iter().chain(&workspaces).copied().collect();
        for tenant in &tenants {
            state.by_tenant.entry(*tenant).or_default().insert(id);
        }
        let subscriber = Subscriber {
            watch: watch.clone(),
            session,
            user: standing.actor.user_id,
            organization: standing.actor.organization_id,
            tenants,
            line: line.clone(),
            tag: tag.clone(),
            told,
        };
        state.subscribers.insert(id, subscriber);
        drop(state);
        if let Some(after) = after {
            let place = Place { id, watch, session, organization, workspaces, line: line.clone(), tag };
            tokio::spawn(self.clone().replay(place, after));
        }
        Ok(Subscription { hub: self.clone(), id })
    }

    /// The number behind which a cursor resumes.
    async fn resume(&self, cursor: Cursor) -> Result<i64> {
        let stream = self.store.stream().await?;
        if !cursor.is_of(stream.id) || cursor.sequence > stream.last {
            return Err(Error::invalid(
                "after",
                "This cursor is of another database. Read what you need again, and subscribe behind `eventCursor`.",
            ));
        }
        if cursor.sequence < stream.trimmed_through {
            return Err(Error::CursorExpired);
        }
        Ok(cursor.sequence)
    }

    /// Lets a subscriber in that has been told up to this number; not if more has been handed over meanwhile.
    pub(super) fn let_in(&self, id: u64, through: i64) -> bool {
        let mut state = self.state();
        let position = state.position;
        let Some(subscriber) = state.subscribers.get_mut(&id) else { return true };
        if position > through {
            return false;
        }
        subscriber.told = Some(through);
        true
    }

    /// Ends a subscription and says why.
    pub(super) fn end(&self, id: u64, why: Error) {
        if let Some(subscriber) = self.state().remove(id) {
            subscriber.line.offer(Delivery::Failed(subscriber.tag, why));
        }
    }

    fn remove(&self, id: u64) {
        self.state().remove(id);
    }

    /// Tells subscribers of what is committed, by this gateway and all others, for as long as it is polled.
    pub async fn run(self: Arc<Self>) {
        let woken = Notify::new();
        tokio::join!(self.tail(&woken), self.listen(&woken), self.tell(&woken), self.sweep());
    }

    /// Hears of what other gateways have committed. Without it, polling finds it a little later.
    async fn listen(&self, woken: &Notify) {
        loop {
            if let Ok(mut listener) = self.store.database().listen(CHANNEL).await {
                while let Ok(told) = listener.recv().await {
                    // What was committed here is known.
                    if told.payload() != self.name {
                        woken.notify_one();
                    }
                }
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Tells this gateway's tail and, seldom enough that nobody queues for it, all other gateways' that something was
    /// committed here. PostgreSQL lets one transaction at a time commit a notification, so those who write never send any.
    async fn tell(&self, woken: &Notify) {
        loop {
            self.store.database().committed().notified().await;
            woken.notify_one();
            _ = self.store.database().notify(CHANNEL, &self.name).await;
            tokio::time::sleep(ROUND).await;
        }
    }

    async fn tail(&self, woken: &Notify) {
        let mut handed = None;
        loop {
            let begun = Instant::now();
            match self.round(&mut handed).await {
                // More may be waiting.
                Ok(true) => {}
                Ok(false) => {
                    tokio::select! {
                        () = woken.notified() => {}
                        () = self.begun.notified() => {}
                        () = tokio::time::sleep(POLL) => {}
                    }
                }
                Err(error) => {
                    tracing::debug!(?error, "the events could not be read; next try soon");
                    tokio::time::sleep(POLL).await;
                }
            }
            tokio::time::sleep_until(begun + ROUND).await;
        }
    }

    /// Reads on behind what has been handed over, and hands over; whether there was anything.
    async fn round(&self, handed: &mut Option<i64>) -> Result<bool> {
        let position = match *handed {
            Some(position) => position,
            None => {
                let stream = self.store.stream().await?;
                _ = self.stream.set(stream.id);
                self.state().position = stream.last;
                *handed.insert(stream.last)
            }
        };
        let read = self.store.events(position, None).await?;
        let Some(last) = read.events.last().map(|event| event.sequence) else { return Ok(false) };
        self.follow_members(&read.events).await?;
        if self.hand_over(&read.events, last).await? {
            *handed = Some(last);
        }
        Ok(true)
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
            let everything = |s: &Subscriber| s.user == user && s.watch.tenant == Tenant::Everything;
            let ids: Vec<u64> = self.state().of(everything).collect();
            if !ids.is_empty() {
                let workspaces = self.store.workspaces_of(user).await?;
                let mut state = self.state();
                ids.into_iter().for_each(|id| state.move_to(id, &workspaces));
            }
        }
        Ok(())
    }

    /// Checks all subscribers now and then.
    async fn sweep(&self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            let ids: Vec<u64> = self.state().subscribers.keys().copied().collect();
            for some in ids.chunks(2_000) {
                _ = self.check(some.to_vec()).await;
            }
        }
    }

    /// Ends those of these subscriptions whose subscriber may not have them any more, and tells who the others are now.
    async fn check(&self, ids: Vec<u64>) -> Result<HashMap<u64, Standing>> {
        let places: Vec<(u64, standing::Place)> = {
            let state = self.state();
            ids.into_iter().filter_map(|id| Some((id, state.subscribers.get(&id)?.place()))).collect()
        };
        if places.is_empty() {
            return Ok(HashMap::new());
        }
        let asked: Vec<_> = places.iter().map(|(_, place)| *place).collect::<HashSet<_>>().into_iter().collect();
        let standings = self.store.standings(&asked).await?;
        let mut standing = HashMap::with_capacity(places.len());
        for (id, place) in places {
            match standings.get(&place) {
                None => self.end(id, ended()),
                Some(now) if place.1.is_some() && now.role.is_none() => self.end(id, no_workspace()),
                Some(now) => _ = standing.insert(id, now.clone()),
            }
        }
        Ok(standing)
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
                    if subscriber.told.is_some_and(|told| event.sequence > told) && subscriber.watch.wants(event) {
                        wanted.entry(id).or_default().push(place);
                    }
                }
            }
        }
        let standing = self.check(wanted.keys().copied().collect()).await?;
        // Those who are of one class and want the same events of one watch are told by one message.
        let mut groups: HashMap<(usize, Class, Vec<usize>), Vec<u64>> = HashMap::new();
        let mut watches: HashMap<usize, (Arc<Watch>, Alike)> = HashMap::new();
        {
            let state = self.state();
            for (id, places) in wanted {
                let (Some(now), Some(subscriber)) = (standing.get(&id), state.subscribers.get(&id)) else { continue };
                // By its address: it is shared by all who ask the same.
                let watch = Arc::as_ptr(&subscriber.watch) as usize;
                let known = watches.entry(watch);
                let (_, alike) = known.or_insert_with(|| (subscriber.watch.clone(), subscriber.watch.alike()));
                groups.entry((watch, now.class(*alike), places)).or_default().push(id);
            }
        }
        let mut readers: HashMap<u64, (Alike, Class)> = HashMap::new();
        let mut work = stream::iter(groups.into_iter().map(|((watch, class, places), ids)| {
            let ((watch, alike), standing) = (watches[&watch].clone(), &standing);
            async move {
                let events: Vec<&Event> = places.iter().map(|place| &events[*place]).collect();
                // Any of them may read for all; the first whose session stands does.
                for id in &ids {
                    let session = standing[id].actor.session_id;
                    let reader = self.store.reader(Ok(Some(session)));
                    match watch.messages(&self.store, &reader, self.stream(), &events).await {
                        Err(Error::Unauthenticated(_)) => continue,
                        Err(Error::Unavailable) => return Err(Error::Unavailable),
                        messages => {
                            let reader = (*id, (alike, class));
                            return Ok((ids, Some(reader), messages));
                        }
                    }
                }
                Ok((ids, None, Ok(Vec::new())))
            }
        }))
        .buffer_unordered(AT_ONCE);
        let mut done = Vec::new();
        while let Some(answer) = work.next().await {
            let answer: Result<Answer> = answer;
            let (ids, reader, messages) = answer?;
            readers.extend(reader.filter(|_| ids.len() > 1));
            done.push((ids, messages));
        }
        drop(work);
        // Whoever was demoted while it read saw too little for the others, and whoever was promoted too much.
        let now = self.check(readers.keys().copied().collect()).await?;
        let is_as_before =
            |(id, (alike, class)): (&u64, &(Alike, Class))| now.get(id).is_some_and(|now| now.class(*alike) == *class);
        if !readers.iter().all(is_as_before) {
            return Ok(false);
        }
        // Only now that all are worked out: a round that fails is tried again as a whole, and nobody is told twice.
        let mut state = self.state();
        for (ids, messages) in done {
            for id in ids {
                let messages = match &messages {
                    Ok(messages) => messages,
                    // They resume by their cursors; what they ask for does not hold up the others.
                    Err(error) => {
                        if let Some(subscriber) = state.remove(id) {
                            subscriber.line.offer(Delivery::Failed(subscriber.tag, error.clone()));
                        }
                        continue;
                    }
                };
                let Some(subscriber) = state.subscribers.get_mut(&id) else { continue };
                subscriber.told = Some(last);
                for message in messages.iter().flatten() {
                    if !subscriber.line.offer(Delivery::next(&subscriber.tag, message.clone())) {
                        break;
                    }
                }
            }
        }
        Ok(true)
    }
}

impl State {
    /// The same watch for all who ask the same.
    fn share(&mut self, watch: Watch) -> Arc<Watch> {
        if let Some(known) = self.watches.get(&watch.key).and_then(std::sync::Weak::upgrade) {
            return known;
        }
        if self.watches.len() > 2 * self.subscribers.len() + 64 {
            self.watches.retain(|_, watch| watch.strong_count() > 0);
        }
        let watch = Arc::new(watch);
        self.watches.insert(watch.key.clone(), Arc::downgrade(&watch));
        watch
    }

    fn of(&self, is: impl Fn(&Subscriber) -> bool) -> impl Iterator<Item = u64> {
        self.subscribers.iter().filter(move |(_, subscriber)| is(subscriber)).map(|(id, _)| *id)
    }

    fn remove(&mut self, id: u64) -> Option<Subscriber> {
        let subscriber = self.subscribers.remove(&id)?;
        for tenant in &subscriber.tenants {
            self.leave(*tenant, id);
        }
        Some(subscriber)
    }

    fn leave(&mut self, tenant: Uuid, id: u64) {
        if let Some(ids) = self.by_tenant.get_mut(&tenant) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_tenant.remove(&tenant);
            }
        }
    }

    /// Has a subscriber of everything found under these workspaces, and its organization as before.
    fn move_to(&mut self, id: u64, workspaces: &[Uuid]) {
        let Some(subscriber) = self.subscribers.get(&id) else { return };
        let Some(organization) = subscriber.tenants.first().copied() else { return };
        for tenant in subscriber.tenants.clone() {
            self.leave(tenant, id);
        }
        let tenants: Vec<Uuid> = std::iter::once(organization).chain(workspaces.iter().copied()).collect();
        for tenant in &tenants {
            self.by_tenant.entry(*tenant).or_default().insert(id);
        }
        if let Some(subscriber) = self.subscribers.get_mut(&id) {
            subscriber.tenants = tenants;
        }
    }
}

fn no_workspace() -> Error {
    Error::NotFound("There is no workspace with this id, or you are no active member of it any more.".into())
}
