//! Where changes begin and end.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use sea_orm::{ConnectionTrait, QueryResult};
use uuid::Uuid;

use super::{
    Action, Change, Client, KEY, action::Needs, idempotency, shared_transaction::SharedTransaction, use_case::UseCase,
};
use crate::{
    Store,
    database::{AuditBatch, Transaction},
    encryption::Encryption,
    error::{Error, Result},
    read::Reader,
    sql::Sql,
};
use aether_query::{
    actor::Actor,
    actors::{ended, live},
};

/// How often a change is begun anew when the actor changes under it.
const ATTEMPTS: usize = 3;

/// What one request changes things with.
pub struct Executor {
    store: Store,
    reader: Arc<Reader>,
    client: Client,
    encryption: Encryption,
    together: SharedTransaction,
    /// The idempotency key of the request, if it has one.
    key: Mutex<Option<idempotency::Held>>,
    secret: AtomicBool,
    committed: AtomicBool,
}

impl Executor {
    /// The executor for a request: what it changes, it changes as the reader's actor.
    pub fn new(store: Store, reader: Arc<Reader>, client: Client, encryption: Encryption) -> Self {
        Self {
            store,
            reader,
            client,
            encryption,
            together: SharedTransaction::default(),
            key: Mutex::default(),
            secret: AtomicBool::new(false),
            committed: AtomicBool::new(false),
        }
    }

    /// Has the request's changes marked as those of an idempotency key.
    pub fn hold(&self, key: idempotency::Held) {
        *self.key.lock() = Some(key);
    }

    /// Has the request's answer kept from being stored for repeats: it shows secrets, which only their owner may keep.
    pub fn keep_secret(&self) {
        self.secret.store(true, Ordering::Relaxed);
    }

    /// Whether the request's answer shows secrets.
    pub fn is_secret(&self) -> bool {
        self.secret.load(Ordering::Relaxed)
    }

    /// Whether something that this request changed is committed, so that a failure from now on must not have it repeated.
    pub fn has_committed(&self) -> bool {
        self.committed.load(Ordering::Relaxed)
    }

    /// Who changes, as last known; each change checks it again.
    pub async fn actor_id(&self) -> Result<Uuid> {
        Ok(self.reader.known_actor().await?.user_id)
    }

    /// The encryption at rest.
    pub fn encryption(&self) -> &Encryption {
        &self.encryption
    }

    /// Carries out a use case: checks that the actor may, opens the transaction, runs, writes audit rows and events, commits. What
    /// fails leaves nothing behind, but for the audit row of what was refused.
    pub async fn run<T>(&self, case: UseCase<T>) -> Result<T> {
        let UseCase { action, run } = case;
        if self.together.has_failed() {
            return Err(Error::Precondition(
                "This was not done, for an earlier mutation of the same @transaction failed. Mend that one and send all again."
                    .into(),
            ));
        }
        let change = self.begin(action).await?;
        let answer = match action.needs {
            Needs::Organization(permission) if !change.actor().may(permission) => {
                Err(Error::forbidden(permission.name()))
            }
            _ => run(&change).await,
        };
        match answer {
            Ok(answer) => match self.finish(change).await {
                Ok(()) => Ok(answer),
                Err(error) => {
                    self.together.fail();
                    Err(error)
                }
            },
            Err(error) => {
                let on = change.membership().map(|membership| membership.workspace.id);
                let actor = change.actor.clone();
                // Given back before another is taken: a request must not hold two connections.
                drop(change);
                self.together.fail();
                if error.is_refusal() || matches!(error, Error::NotFound(_)) {
                    let refusal = AuditBatch::of_refusal(&actor, action, &error, &self.client, on);
                    if let Some(refusal) = self.together.keep(refusal) {
                        self.record_refusal(refusal).await?;
                    }
                }
                Err(error)
            }
        }
    }

    /// Has all further changes of the request succeed or fail as one.
    pub async fn begin_together(&self) -> Result<()> {
        self.together.begin(Arc::new(self.store.database().begin(KEY).await?));
        Ok(())
    }

    /// Refuses what cannot be a part of a transaction.
    pub fn alone(&self) -> Result<()> {
        match self.together.transaction() {
            None => Ok(()),
            Some(_) => {
                self.together.fail();
                Err(Error::Precondition("This mutation cannot be part of a @transaction. Send it by itself.".into()))
            }
        }
    }

    /// Has the request's transaction, if it has one, fail: something of it could not be read.
    pub fn fail_together(&self) {
        self.together.fail();
    }

    /// Ends what [`begin_together`](Self::begin_together) began, and tells whether it was committed.
    pub async fn end_together(&self, succeeded: bool) -> Result<bool> {
        let (transaction, failed, refusals) = self.together.end();
        let Some(transaction) = transaction else { return Ok(true) };
        if failed || !succeeded {
            drop(transaction);
            for refusal in refusals {
                self.record_refusal(refusal).await?;
            }
            return Ok(false);
        }
        self.commit(transaction).await?;
        Ok(true)
    }

    async fn begin(&self, action: &'static Action) -> Result<Change> {
        for _ in 0..ATTEMPTS {
            let actor = self.reader.known_actor().await?;
            let mut asked = Sql::new();
            asked.push("now(), ").append(&live());
            let asked = asked.for_actor(&actor);
            let (transaction, row) = match self.together.transaction() {
                Some(transaction) => {
                    let row = transaction.ask(&asked).await?;
                    (transaction, row)
                }
                None => {
                    let (transaction, row) = self.store.database().begin_asking(KEY, &asked).await?;
                    (Arc::new(transaction), row)
                }
            };
            if !row.try_get_by_index::<bool>(2)? {
                // The session ended, or the actor is no longer who it was: only in the second case there is another try.
                drop(transaction);
                self.reader.actor().await?;
                continue;
            }
            return Ok(Change::begun(
                transaction,
                actor,
                action,
                self.client.clone(),
                self.encryption.clone(),
                row.try_get_by_index(1)?,
            ));
        }
        Err(ended())
    }

    async fn finish(&self, change: Change) -> Result<()> {
        if change.flush()? {
            let key = self.key.lock().clone();
            if let Some(key) = key {
                idempotency::mark(&key, change.transaction()).await?;
            }
        }
        let transaction = change.end();
        if self.together.transaction().is_some() {
            return transaction.write_audit().await;
        }
        self.commit(transaction).await
    }

    async fn commit(&self, transaction: Arc<Transaction>) -> Result<()> {
        self.store.database().commit_shared(transaction).await?;
        self.committed.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Writes the trail of a refusal, in a transaction of its own.
    async fn record_refusal(&self, refusal: AuditBatch) -> Result<()> {
        let transaction = self.store.database().begin(KEY).await?;
        transaction.leave(refusal);
        self.store.database().commit(transaction).await
    }
}

impl Store {
    /// Runs a statement of the gateway's own work, across organizations, in a transaction of its own: which jobs are due, whose turn
    /// it is. Neither scope nor audit know of it. `clippy.toml` bans it, so each who uses it says why.
    pub async fn run_sql(&self, sql: &Sql) -> Result<Vec<QueryResult>> {
        let transaction = self.database().begin(KEY).await?;
        let rows = transaction.query_all_raw(sql.statement()?).await?;
        self.database().commit(transaction).await?;
        Ok(rows)
    }

    /// Carries out a use case that no user asks for: what a background job does for an organization.
    pub async fn run_as_system<T>(
        &self,
        organization_id: Uuid,
        encryption: &Encryption,
        case: UseCase<T>,
    ) -> Result<T> {
        let mut asked = Sql::new();
        asked.push("now()");
        let (transaction, row) = self.database().begin_asking(KEY, &asked).await?;
        let client = Client { address: None, user_agent: None, device: None, request_id: Uuid::now_v7() };
        let actor = Arc::new(Actor::system(organization_id));
        let now = row.try_get_by_index(1)?;
        let change = Change::begun(Arc::new(transaction), actor, case.action, client, encryption.clone(), now);
        let answer = (case.run)(&change).await?;
        change.finish(self.database()).await?;
        Ok(answer)
    }
}
