//! Who subscribes at this gateway, and where they are found.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
};

use uuid::Uuid;

use super::{
    plan::{SubscriptionPlan, Tenant},
    queue::ConnectionQueue,
    subscriber,
};

/// One subscriber.
pub(super) struct Subscriber {
    pub(super) plan: Arc<SubscriptionPlan>,
    pub(super) session: Uuid,
    pub(super) user: Uuid,
    pub(super) organization: Uuid,
    /// The tenants under which it is found.
    pub(super) tenants: Vec<Uuid>,
    pub(super) queue: Arc<ConnectionQueue>,
    pub(super) tag: Arc<str>,
    /// It has been told up to this number; none while it is being brought up to date.
    pub(super) told: Option<i64>,
}

impl Subscriber {
    pub(super) fn identity_key(&self) -> subscriber::IdentityKey {
        match self.plan.tenant {
            Tenant::Workspace(workspace) => (self.session, Some(workspace)),
            Tenant::Organization | Tenant::Everything => (self.session, None),
        }
    }
}

#[derive(Default)]
pub(super) struct State {
    /// All events up to this number have been handed over, or are being.
    pub(super) position: i64,
    pub(super) next: u64,
    pub(super) subscribers: HashMap<u64, Subscriber>,
    pub(super) by_tenant: HashMap<Uuid, HashSet<u64>>,
    pub(super) plans: HashMap<String, Weak<SubscriptionPlan>>,
}

impl State {
    /// The same watch for all who ask the same.
    pub(super) fn share(&mut self, plan: SubscriptionPlan) -> Arc<SubscriptionPlan> {
        if let Some(known) = self.plans.get(&plan.key).and_then(Weak::upgrade) {
            return known;
        }
        if self.plans.len() > 2 * self.subscribers.len() + 64 {
            self.plans.retain(|_, plan| plan.strong_count() > 0);
        }
        let plan = Arc::new(plan);
        self.plans.insert(plan.key.clone(), Arc::downgrade(&plan));
        plan
    }

    pub(super) fn of(&self, is: impl Fn(&Subscriber) -> bool) -> impl Iterator<Item = u64> {
        self.subscribers.iter().filter(move |(_, subscriber)| is(subscriber)).map(|(id, _)| *id)
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Subscriber> {
        let subscriber = self.subscribers.remove(&id)?;
        for tenant in &subscriber.tenants {
            self.leave(*tenant, id);
        }
        Some(subscriber)
    }

    pub(super) fn leave(&mut self, tenant: Uuid, id: u64) {
        if let Some(ids) = self.by_tenant.get_mut(&tenant) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_tenant.remove(&tenant);
            }
        }
    }

    /// Has a subscriber of everything found under these workspaces, and its organization as before.
    pub(super) fn move_to(&mut self, id: u64, workspaces: &[Uuid]) {
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
