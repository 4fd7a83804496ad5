//! The subscribers of one gateway.
//!
//! They come with what they watch and where they want to begin, and go when they leave or may not have it any more. In
//! between they are told, all in one [round](super::round) after the other.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock},
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};
use tracing::Instrument;
use uuid::Uuid;

use super::{
    cursor::Cursor,
    plan::{SubscriptionPlan, Tenant},
    queue::{ConnectionQueue, Delivery},
    state::{State, Subscriber},
    subscriber::{self, SubscriberIdentity},
};
use crate::{
    Store,
    database::{Party, as_party},
    error::{Error, Result},
};
use aether_query::actors::ended;

/// How often all subscribers are checked, for what ends without an event: sessions that expire.
const SWEEP: Duration = Duration::from_secs(5);

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
pub(super) struct Registration {
    pub(super) id: u64,
    pub(super) plan: Arc<SubscriptionPlan>,
    pub(super) session: Uuid,
    pub(super) organization: Option<Uuid>,
    pub(super) workspaces: Vec<Uuid>,
    pub(super) queue: Arc<ConnectionQueue>,
    pub(super) tag: Arc<str>,
}

/// The subscribers of one gateway.
pub struct Hub {
    pub(super) store: Store,
    pub(super) stream: OnceLock<Uuid>,
    state: Mutex<State>,
}

impl Hub {
    /// A hub without subscribers. It tells nothing until it [runs](Self::run).
    pub fn new(store: Store) -> Arc<Self> {
        Arc::new(Self { store, stream: OnceLock::new(), state: Mutex::default() })
    }

    pub(super) fn stream(&self) -> Uuid {
        self.stream.get().copied().unwrap_or_default()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Where the stream of events is now: whoever reads something and then subscribes behind this misses nothing.
    pub async fn cursor(store: &Store) -> Result<Cursor> {
        let stream = store.stream().await?;
        Ok(Cursor::new(stream.id, stream.last))
    }

    /// Begins a subscription of this session: from now on, or behind a cursor.
    pub async fn subscribe(
        self: &Arc<Self>,
        plan: SubscriptionPlan,
        session: Uuid,
        after: Option<Cursor>,
        queue: &Arc<ConnectionQueue>,
        tag: Arc<str>,
    ) -> Result<Subscription> {
        let workspace = match plan.tenant {
            Tenant::Workspace(workspace) => Some(workspace),
            _ => None,
        };
        let identity = self.store.identities(&[(session, workspace)]).await?.remove(&(session, workspace));
        let identity = identity.ok_or_else(ended)?;
        if workspace.is_some() && identity.role.is_none() {
            return Err(no_workspace());
        }
        // Nobody who lacks one of them waits for what never comes; of several tables one that is seen is enough.
        let mut missing = plan.permissions().filter(|permission| !identity.actor.may(*permission));
        if let (Some(permission), true) = (missing.next(), workspace.is_none()) {
            return Err(Error::forbidden(permission.name()));
        }
        drop(missing);
        if self.stream.get().is_none() {
            // The first round has yet to find out where the stream is.
            let stream = self.store.stream().await?;
            _ = self.stream.set(stream.id);
        }
        let after = match after {
            Some(cursor) => Some(self.resume(cursor).await?),
            None => None,
        };
        let (user, organization) = (identity.actor.user_id, identity.actor.organization_id);
        let (organization, workspaces) = match plan.tenant {
            Tenant::Workspace(workspace) => (None, vec![workspace]),
            Tenant::Organization => (Some(organization), Vec::new()),
            Tenant::Everything => (Some(organization), self.store.workspaces_of(identity.actor.user_id).await?),
        };
        let mut state = self.state();
        let plan = state.share(plan);
        let id = state.next;
        state.next += 1;
        let told = after.is_none().then_some(state.position);
        let tenants: Vec<Uuid> = organization.iter().chain(&workspaces).copied().collect();
        for tenant in &tenants {
            state.by_tenant.entry(*tenant).or_default().insert(id);
        }
        let subscriber = Subscriber {
            plan: plan.clone(),
            session,
            user: identity.actor.user_id,
            organization: identity.actor.organization_id,
            tenants,
            queue: queue.clone(),
            tag: tag.clone(),
            told,
        };
        state.subscribers.insert(id, subscriber);
        drop(state);
        if let Some(after) = after {
            let registration = Registration { id, plan, session, organization, workspaces, queue: queue.clone(), tag };
            // What a subscriber missed is read on its own account.
            // What was missed is told as a part of the request that asks for it.
            tokio::spawn(as_party(Party::User(user), self.clone().replay(registration, after)).in_current_span());
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
            subscriber.queue.offer(Delivery::Failed(subscriber.tag, why));
        }
    }

    fn remove(&self, id: u64) {
        self.state().remove(id);
    }

    /// Checks all subscribers now and then.
    pub(super) async fn sweep(&self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            let ids: Vec<u64> = self.state().subscribers.keys().copied().collect();
            for some in ids.chunks(2_000) {
                _ = self.check(some.to_vec()).await;
            }
        }
    }

    /// Ends those of these subscriptions whose subscriber may not have them any more, and tells who the others are now.
    pub(super) async fn check(&self, ids: Vec<u64>) -> Result<HashMap<u64, SubscriberIdentity>> {
        let keys: Vec<(u64, subscriber::IdentityKey)> = {
            let state = self.state();
            ids.into_iter().filter_map(|id| Some((id, state.subscribers.get(&id)?.identity_key()))).collect()
        };
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let asked: Vec<_> = keys.iter().map(|(_, key)| *key).collect::<HashSet<_>>().into_iter().collect();
        let identities = self.store.identities(&asked).await?;
        let mut identity = HashMap::with_capacity(keys.len());
        for (id, key) in keys {
            match identities.get(&key) {
                None => self.end(id, ended()),
                Some(now) if key.1.is_some() && now.role.is_none() => self.end(id, no_workspace()),
                Some(now) => _ = identity.insert(id, now.clone()),
            }
        }
        Ok(identity)
    }
}

fn no_workspace() -> Error {
    Error::NotFound("There is no workspace with this id, or you are no active member of it any more.".into())
}
