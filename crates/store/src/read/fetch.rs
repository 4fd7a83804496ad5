//! Carrying out a plan: one statement per node, level by level.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_graphql::dataloader::DataLoader;
use futures::future::{BoxFuture, FutureExt, try_join_all};
use sea_orm::QueryResult;
use tokio::runtime::{Handle, RuntimeFlavor};
use uuid::Uuid;

use super::{
    one::{ByKey, Row, Shape, Wanted},
    plan::{Child, Fetch, Page, Which},
    render,
    statement::{self, FIRST_SLOT, Find},
    turns::Turns,
};
use crate::{
    Store,
    actor::{Actor, ended},
    database::{Database, Party, limit_answers, on_behalf_of},
    error::{Error, Result},
    sql::Sql,
};

/// How often a root statement is tried when the actor changes under it.
const ATTEMPTS: usize = 3;

/// What one request reads with: everything it sees, it sees as its actor.
pub struct Reader {
    store: Store,
    session: Result<Option<Uuid>>,
    turns: Turns,
    by_key: DataLoader<ByKey>,
    /// How many bytes may still be answered.
    room: AtomicUsize,
}

/// The rows of a plan's node, and of what hangs off them.
pub(super) struct Loaded {
    pub(super) rows: Vec<Row>,
    groups: HashMap<Uuid, Group>,
    pub(super) children: Vec<Loaded>,
}

/// The rows of one key.
#[derive(Clone, Default)]
pub(super) struct Group {
    pub(super) range: Range<usize>,
    pub(super) more: bool,
    pub(super) total: Option<i64>,
}

impl Reader {
    pub(crate) fn new(store: Store, session: Result<Option<Uuid>>) -> Self {
        Self::taking(Turns::default(), store, session)
    }

    fn taking(turns: Turns, store: Store, session: Result<Option<Uuid>>) -> Self {
        if let Ok(Some(session)) = session {
            let user = store.actors().cached(session).map(|actor| Party::User(actor.user_id));
            on_behalf_of(user.unwrap_or(Party::Session(session)));
        }
        let queue = turns.clone();
        let by_key = DataLoader::new(ByKey(store.database().clone()), move |batch| queue.queue(batch))
            .delay(Duration::ZERO)
            .max_batch_size(usize::MAX);
        Self { store, session, turns, by_key, room: AtomicUsize::new(usize::MAX) }
    }

    /// The same, which answers at most so many bytes.
    pub fn limited(self, bytes: usize) -> Self {
        // Each value is written at least once, but for keys.
        limit_answers(bytes.saturating_mul(2));
        self.room.store(bytes, Ordering::Relaxed);
        self
    }

    /// Runs the request that reads with this; batches run between its turns.
    pub async fn run<T>(&self, request: impl Future<Output = T>) -> T {
        self.turns.run(request).await
    }

    pub(super) fn database(&self) -> &Database {
        self.store.database()
    }

    /// Who is asking, read anew.
    pub async fn actor(&self) -> Result<Arc<Actor>> {
        self.load(self.session()?).await
    }

    /// Reads the actor anew; from then on what is read is read on behalf of the user.
    async fn load(&self, session: Uuid) -> Result<Arc<Actor>> {
        let actor = self.store.actors().load(self.store.database(), session).await?;
        on_behalf_of(Party::User(actor.user_id));
        Ok(actor)
    }

    /// Who is asking, as last known: to be trusted only together with [`crate::actor::live`].
    pub(crate) async fn known_actor(&self) -> Result<Arc<Actor>> {
        let session = self.session()?;
        match self.store.actors().cached(session) {
            Some(actor) => {
                // Another request may have read it since this one began.
                on_behalf_of(Party::User(actor.user_id));
                Ok(actor)
            }
            None => self.load(session).await,
        }
    }

    /// The session that the request came with.
    fn session(&self) -> Result<Uuid> {
        self.session.clone()?.ok_or_else(|| {
            Error::Unauthenticated(
                "Sign in with the login mutation and send its accessToken in the header `Authorization: Bearer …`."
                    .into(),
            )
        })
    }

    /// The same reader for another session: what a mutation that opened it answers with.
    pub fn for_session(&self, session_id: Uuid) -> Self {
        Self::taking(self.turns.clone(), self.store.clone(), Ok(Some(session_id))).limited(self.room())
    }

    /// Fetches and writes the answer's JSON.
    pub async fn fetch(&self, fetch: &Fetch) -> Result<String> {
        let find = match &fetch.which {
            Which::Id(id) => Find::Id(*id),
            Which::Page(page) => Find::Page(page),
            Which::One(_) | Which::Pages(..) => return Err(Error::internal("a relation at the root")),
        };
        let (answer, actor) = self.as_actor(|actor| statement::root(fetch, actor, &find)).await?;
        self.complete(fetch, answer, &actor).await
    }

    /// Fetches the row with this id by a plan of one row, whichever it was made for, and writes its JSON.
    pub async fn fetch_one(&self, fetch: &Fetch, id: Uuid) -> Result<String> {
        let (answer, actor) = self.as_actor(|actor| statement::root(fetch, actor, &Find::Id(id))).await?;
        self.complete(fetch, answer, &actor).await
    }

    /// Fetches the rows with these ids and writes each as JSON; one that the actor does not see is not there. `key` is the
    /// slot of the id.
    pub(crate) async fn fetch_each(&self, fetch: &Fetch, key: usize, ids: &[Uuid]) -> Result<HashMap<Uuid, String>> {
        let (answer, actor) = self.as_actor(|actor| statement::root(fetch, actor, &Find::Ids(ids))).await?;
        let mut rows = Vec::with_capacity(answer.len());
        let group = group(answer, None, &mut rows)?;
        let children = self.children(&fetch.children, &rows, &actor).await?;
        let loaded = Loaded { rows, groups: HashMap::new(), children };
        group
            .range
            .map(|place| {
                let id = loaded.rows[place].try_get_by_index::<Uuid>(FIRST_SLOT + key)?;
                let group = Group { range: place..place + 1, more: false, total: None };
                Ok((id, render::root(fetch, &loaded, &group, self.room())?))
            })
            .collect()
    }

    /// The rows of a statement of its own, whose first column tells whether the session stands.
    pub(crate) async fn rooted(&self, statement: impl Fn(&Actor) -> Sql) -> Result<Vec<QueryResult>> {
        Ok(self.as_actor(statement).await?.0)
    }

    /// Runs a root statement as the actor, and tells who that was.
    async fn as_actor(&self, statement: impl Fn(&Actor) -> Sql) -> Result<(Vec<QueryResult>, Arc<Actor>)> {
        let session = self.session()?;
        let mut actor = self.known_actor().await?;
        for _ in 0..ATTEMPTS {
            let answer = self.store.database().read(&statement(&actor)).await?;
            let live = answer.first().map(|row| row.try_get_by_index::<bool>(0)).transpose()?;
            if live == Some(true) {
                return Ok((answer, actor));
            }
            // The session ended, or the actor is no longer who it was: only in the second case there is another try.
            actor = self.load(session).await?;
        }
        Err(ended())
    }

    async fn complete(&self, fetch: &Fetch, answer: Vec<QueryResult>, actor: &Actor) -> Result<String> {
        let page = match &fetch.which {
            Which::Page(page) => Some(page),
            _ => None,
        };
        let mut rows = Vec::with_capacity(answer.len());
        let group = group(answer, page, &mut rows)?;
        let children = self.children(&fetch.children, &rows, actor).await?;
        let loaded = Loaded { rows, groups: HashMap::new(), children };
        let json = beside(answer_size(&loaded), || {
            let json = render::root(fetch, &loaded, &group, self.room());
            // Thousands of rows take their time to be dropped, too.
            drop(loaded);
            json
        })?;
        self.room.fetch_sub(json.len().min(self.room()), Ordering::Relaxed);
        Ok(json)
    }

    fn room(&self) -> usize {
        self.room.load(Ordering::Relaxed)
    }

    /// What hangs off these rows.
    fn children<'a>(
        &'a self,
        children: &'a [Child],
        rows: &'a [Row],
        actor: &'a Actor,
    ) -> BoxFuture<'a, Result<Vec<Loaded>>> {
        try_join_all(children.iter().map(move |child| async move {
            let mut seen = HashSet::with_capacity(rows.len());
            let mut keys = Vec::with_capacity(rows.len());
            for row in rows {
                if let Some(key) = row.try_get_by_index::<Option<Uuid>>(FIRST_SLOT + child.key)?
                    && seen.insert(key)
                {
                    keys.push(key);
                }
            }
            let (rows, groups) = if keys.is_empty() {
                Default::default()
            } else {
                self.related(&child.fetch, keys, children.as_ptr() as usize, actor).await?
            };
            let children = self.children(&child.fetch.children, &rows, actor).await?;
            Ok(Loaded { rows, groups, children })
        }))
        .boxed()
    }

    /// The rows related by these keys.
    async fn related(
        &self,
        fetch: &Fetch,
        keys: Vec<Uuid>,
        parent: usize,
        actor: &Actor,
    ) -> Result<(Vec<Row>, HashMap<Uuid, Group>)> {
        match &fetch.which {
            Which::One(relation) => {
                let shape = Arc::new(Shape::new(statement::one(fetch, relation, actor), parent));
                let wanted = keys.into_iter().map(|key| Wanted { shape: shape.clone(), key });
                let found = self.by_key.load_many(wanted).await?;
                let mut rows = Vec::with_capacity(found.len());
                let mut groups = HashMap::with_capacity(found.len());
                for (wanted, row) in found {
                    groups.insert(wanted.key, Group { range: rows.len()..rows.len() + 1, more: false, total: None });
                    rows.push(row);
                }
                Ok((rows, groups))
            }
            Which::Pages(relation, page) => {
                let answer = self.store.database().read(&statement::pages(fetch, relation, page, actor, keys)).await?;
                beside(answer.len(), || grouped(answer, page))
            }
            Which::Id(_) | Which::Page(_) => Err(Error::internal("a root below the root")),
        }
    }
}

/// The rows of pages, by the key in their first column.
fn grouped(answer: Vec<QueryResult>, page: &Page) -> Result<(Vec<Row>, HashMap<Uuid, Group>)> {
    let (mut rows, mut groups) = (Vec::with_capacity(answer.len()), HashMap::new());
    let mut answer = answer.into_iter().peekable();
    while let Some(row) = answer.next() {
        let key = row.try_get_by_index::<Uuid>(0)?;
        let mut same = vec![row];
        while let Some(next) = answer.peek() {
            if next.try_get_by_index::<Uuid>(0)? != key {
                break;
            }
            same.extend(answer.next());
        }
        groups.insert(key, group(same, Some(page), &mut rows)?);
    }
    Ok((rows, groups))
}

/// How many rows are written without a thread of their own having to be seen to: about a millisecond's work.
const QUICKLY_WRITTEN: usize = 1_000;

/// How many rows were loaded.
fn answer_size(loaded: &Loaded) -> usize {
    loaded.rows.len() + loaded.children.iter().map(answer_size).sum::<usize>()
}

/// Does something that takes as long as there are rows. Where they are many, whatever else this thread has to do is given to
/// another first, so that nobody waits for it.
fn beside<T>(rows: usize, work: impl FnOnce() -> T) -> T {
    let threads = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    match threads {
        Ok(RuntimeFlavor::MultiThread) if rows > QUICKLY_WRITTEN => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// Cuts a group's rows to the page and appends them.
fn group(mut answer: Vec<QueryResult>, page: Option<&Page>, rows: &mut Vec<Row>) -> Result<Group> {
    let first = answer.first();
    let total = first.map(|row| row.try_get_by_index::<Option<i64>>(1)).transpose()?.flatten();
    if first.map(|row| row.try_get_by_index::<Option<bool>>(2)).transpose()?.flatten() != Some(true) {
        answer.clear();
    }
    let mut more = false;
    if let Some(page) = page {
        more = answer.len() as u64 > page.size;
        answer.truncate(usize::try_from(page.size).unwrap_or(usize::MAX));
        if page.backward {
            answer.reverse();
        }
    }
    let start = rows.len();
    rows.extend(answer.into_iter().map(Arc::new));
    Ok(Group { range: start..rows.len(), more, total })
}

impl Loaded {
    /// The rows of this key.
    pub(super) fn group(&self, key: Uuid) -> Option<&Group> {
        self.groups.get(&key)
    }
}
