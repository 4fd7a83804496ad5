//! Carrying out a plan: one statement per node, level by level.

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_graphql::dataloader::DataLoader;
use futures::future::{BoxFuture, FutureExt, try_join, try_join_all};
use tokio::runtime::{Handle, RuntimeFlavor};
use uuid::Uuid;

use super::{
    batch_scheduler::BatchScheduler,
    json,
    loaded::{Group, Loaded, NONE},
    plan::{Child, Fetch, Form, RowSelector, SelectedColumn},
    related::{ByKey, Found, Lookup},
    statement::{self, first_column},
};
use crate::{
    actor::{Actor, Audience},
    actors::{ended, live},
    database::{Connections, Party, Statement, give_way_blocking, limit_answers, on_behalf_of},
    error::{Error, Result},
    rows::Rows,
    source::Source,
    sql::Sql,
};

/// How often a root statement is tried when the actor changes under it.
const ATTEMPTS: usize = 3;

/// What one request reads with: everything it sees, it sees as its actor.
pub struct Reader {
    source: Source,
    session: Result<Option<Uuid>>,
    scheduler: BatchScheduler,
    /// There once something hangs off rows.
    by_key: OnceLock<DataLoader<ByKey>>,
    /// How many nodes of plans, and lookups for them, have a number.
    numbered: AtomicUsize,
    /// How many bytes may still be answered.
    room: AtomicUsize,
}

/// The rows of a root, with all that hangs off them: to be written by the plan that they were fetched by.
pub struct Fetched {
    loaded: Loaded,
    group: Group,
}

impl Reader {
    /// What a request of this session reads with.
    pub fn new(source: Source, session: Result<Option<Uuid>>) -> Self {
        Self::taking(BatchScheduler::default(), source, session)
    }

    fn taking(scheduler: BatchScheduler, source: Source, session: Result<Option<Uuid>>) -> Self {
        if let Ok(Some(session)) = session {
            let user = source.actors().cached(session).map(|actor| Party::User(actor.user_id));
            on_behalf_of(user.unwrap_or(Party::Session(session)));
        }
        Self {
            source,
            session,
            scheduler,
            by_key: OnceLock::new(),
            numbered: AtomicUsize::new(0),
            room: AtomicUsize::new(usize::MAX),
        }
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
        self.scheduler.run(request).await
    }

    fn by_key(&self) -> &DataLoader<ByKey> {
        self.by_key.get_or_init(|| {
            let queue = self.scheduler.clone();
            DataLoader::new(ByKey(self.database().clone()), move |batch| queue.queue(batch))
                .delay(Duration::ZERO)
                .max_batch_size(usize::MAX)
        })
    }

    pub(super) fn database(&self) -> &Connections {
        self.source.connections()
    }

    /// Who is asking, read anew.
    pub async fn actor(&self) -> Result<Arc<Actor>> {
        self.load(self.session()?).await
    }

    /// Reads the actor anew; from then on what is read is read on behalf of the user.
    async fn load(&self, session: Uuid) -> Result<Arc<Actor>> {
        let actor = self.source.actors().load(self.source.connections(), session).await?;
        on_behalf_of(Party::User(actor.user_id));
        Ok(actor)
    }

    /// Who is asking, as last known: to be trusted only together with [`crate::actors::live`].
    pub async fn known_actor(&self) -> Result<Arc<Actor>> {
        let session = self.session()?;
        match self.source.actors().cached(session) {
            Some(actor) => {
                // Another request may have read it since this one began.
                on_behalf_of(Party::User(actor.user_id));
                Ok(actor)
            }
            None => Box::pin(self.load(session)).await,
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
        Self::taking(self.scheduler.clone(), self.source.clone(), Ok(Some(session_id))).limited(self.room())
    }

    /// Fetches a page.
    pub async fn fetch(&self, fetch: &Fetch) -> Result<Fetched> {
        let RowSelector::Page(_) = &fetch.selector else { return Err(Error::internal("no page at the root")) };
        match fetch.beside.is_empty() {
            true => self.root(fetch, Form::Planned, Arc::default()).await,
            false => Box::pin(self.root_with_groups(fetch)).await,
        }
    }

    /// Fetches the row with this id.
    pub async fn fetch_one(&self, fetch: &Fetch, id: Uuid) -> Result<Fetched> {
        let RowSelector::Id = &fetch.selector else { return Err(Error::internal("no row at the root")) };
        self.root(fetch, Form::Planned, Arc::new([id])).await
    }

    /// Appends the JSON of what was fetched by this plan. What fails leaves nothing.
    pub fn write(&self, json: &mut Vec<u8>, fetch: &Fetch, fetched: Fetched) -> Result<()> {
        let Fetched { loaded, group } = fetched;
        let size = beside(loaded.size(), |pause| {
            let size = json::root(json, fetch, &loaded, &group, self.room(), pause);
            // Thousands of rows take their time to be dropped, too.
            drop(loaded);
            size
        })?;
        self.room.fetch_sub(size.min(self.room()), Ordering::Relaxed);
        Ok(())
    }

    /// Fetches the rows with these ids and writes each as JSON; one that the actor does not see is not there. `key` is the
    /// slot of the id.
    pub async fn fetch_each(&self, fetch: &Fetch, key: usize, ids: &[Uuid]) -> Result<HashMap<Uuid, String>> {
        let Fetched { loaded, group } = self.root(fetch, Form::Each, ids.into()).await?;
        group
            .places()
            .map(|place| {
                let id = loaded.row(place).at::<Uuid>(loaded.first_column + key)?;
                let mut json = Vec::new();
                json::root(&mut json, fetch, &loaded, &Group::one(place), self.room(), || {})?;
                Ok((id, String::from_utf8(json).map_err(|_| Error::internal("an answer that is not UTF-8"))?))
            })
            .collect()
    }

    /// The rows of a root, with all that hangs off them.
    async fn root(&self, fetch: &Fetch, form: Form, keys: Arc<[Uuid]>) -> Result<Fetched> {
        let statement = |audience| fetch.statement(audience, form, || statement::root(fetch, form, audience));
        // Null: the session does not stand.
        let stands =
            |rows: &Rows| Ok(rows.first().map(|row| row.at::<Option<bool>>(0)).transpose()?.flatten().is_some());
        let (rows, actor) = self.as_actor(statement, &keys, stands).await?;
        let first_column = match form {
            Form::Planned => first_column(fetch),
            Form::Each => 1,
        };
        let group = match &fetch.selector {
            RowSelector::Page(page) => Group::root(&rows, Some(page))?,
            _ => Group::root(&rows, None)?,
        };
        check(fetch, &rows, first_column)?;
        let children =
            self.children(&fetch.children, &rows, first_column, std::slice::from_ref(&group), &actor).await?;
        let loaded = Loaded { rows: Arc::new(rows), first_column, children, ..Loaded::default() };
        Ok(Fetched { loaded, group })
    }

    /// The rows of a root, and what is asked of them besides, side by side.
    async fn root_with_groups(&self, fetch: &Fetch) -> Result<Fetched> {
        let rows = async {
            match fetch.is_wanted() {
                true => self.root(fetch, Form::Planned, Arc::default()).await,
                false => Ok(Fetched { loaded: Loaded::default(), group: Group::default() }),
            }
        };
        let beside = fetch.beside.iter().map(|fetch| self.root(fetch, Form::Planned, Arc::default()));
        let (mut fetched, beside) = try_join(rows, try_join_all(beside)).await?;
        let beside = beside.into_iter().map(|Fetched { loaded, group }| Loaded { groups: vec![group], ..loaded });
        fetched.loaded.beside = beside.collect();
        Ok(fetched)
    }

    /// The rows of a query of its own, asked in a session that stands, which the first column tells. Where there is none, one of nulls.
    pub async fn rooted(&self, write: impl Fn(Audience) -> Sql) -> Result<Rows> {
        let statement = |audience| {
            let mut sql = Sql::new();
            sql.push("SELECT g.live, q.* FROM (SELECT ").append(&live()).push(" AS live) g LEFT JOIN LATERAL (");
            sql.append(&write(audience)).push(") q ON g.live");
            Arc::new(Statement::new(&sql))
        };
        Ok(self.as_actor(statement, &Arc::default(), stands).await?.0)
    }

    /// Runs a root statement as the actor, and tells who that was.
    pub(super) async fn as_actor(
        &self,
        statement: impl Fn(Audience) -> Arc<Statement>,
        keys: &Arc<[Uuid]>,
        stands: impl Fn(&Rows) -> Result<bool>,
    ) -> Result<(Rows, Arc<Actor>)> {
        let session = self.session()?;
        let mut actor = self.known_actor().await?;
        for _ in 0..ATTEMPTS {
            let statement = statement(actor.audience());
            let mut answers = self.source.connections().read(&[statement.call(Some(&actor), keys)]).await?;
            if let Some(rows) = answers.pop()
                && stands(&rows)?
            {
                return Ok((rows, actor));
            }
            // The session ended, or the actor is no longer who it was: only in the second case there is another try.
            actor = Box::pin(self.load(session)).await?;
        }
        Err(ended())
    }

    fn room(&self) -> usize {
        self.room.load(Ordering::Relaxed)
    }

    fn number(&self) -> usize {
        self.numbered.fetch_add(1, Ordering::Relaxed)
    }

    /// What hangs off those of these rows that are in a group.
    pub(super) fn children<'a>(
        &'a self,
        children: &'a [Child],
        rows: &'a Rows,
        first_column: usize,
        groups: &'a [Group],
        actor: &'a Arc<Actor>,
    ) -> BoxFuture<'a, Result<Vec<Loaded>>> {
        if children.is_empty() {
            return std::future::ready(Ok(Vec::new())).boxed();
        }
        let parent = self.number();
        try_join_all(children.iter().map(move |child| {
            let id = self.number();
            async move {
                if let RowSelector::Listed = child.fetch.selector {
                    return self
                        .listed(&child.fetch, rows, first_column + child.key, groups, (id, parent), actor)
                        .await;
                }
                let (keys, of_parent) = keys(rows, first_column + child.key, groups)?;
                if child.fetch.beside.is_empty() {
                    return self.related(&child.fetch, keys, of_parent, (id, parent), actor).await;
                }
                let beside = child.fetch.beside.iter().map(|fetch| {
                    let id = self.number();
                    self.related(fetch, keys.clone(), of_parent.clone(), (id, parent), actor)
                });
                let beside = try_join_all(beside);
                if !child.fetch.is_wanted() {
                    return Ok(Loaded { of_parent: of_parent.clone(), beside: beside.await?, ..Loaded::default() });
                }
                let rows = self.related(&child.fetch, keys.clone(), of_parent.clone(), (id, parent), actor);
                let (mut loaded, beside) = try_join(rows, beside).await?;
                loaded.beside = beside;
                Ok(loaded)
            }
        }))
        .boxed()
    }

    /// The rows whose ids stand in this column, with all that hangs off them.
    async fn listed(
        &self,
        fetch: &Fetch,
        rows: &Rows,
        column: usize,
        groups: &[Group],
        (id, parent): (usize, usize),
        actor: &Arc<Actor>,
    ) -> Result<Loaded> {
        let (mut ids, mut ends, mut of_parent) = (Vec::new(), Vec::new(), vec![NONE; rows.len()]);
        for place in groups.iter().flat_map(Group::places) {
            let Some(list) = rows.row(place).raw(column)? else { continue };
            let list: Vec<Uuid> = serde_json::from_slice(list).map_err(|_| Error::internal("a list of no ids"))?;
            of_parent[place] = u32::try_from(ends.len()).unwrap_or(NONE);
            ids.extend(list);
            ends.push(ids.len());
        }
        if ids.is_empty() {
            return Ok(Loaded { of_parent, ..Loaded::default() });
        }
        let write = || statement::listed(fetch, actor.audience());
        let statement = fetch.statement(actor.audience(), Form::Planned, write);
        let lookup = Lookup { id, statement, keys: ids.into(), actor: actor.clone(), parent, many: true };
        let found = self.by_key().load_one(lookup).await?;
        let Found { rows, .. } = found.ok_or_else(|| Error::internal("a lookup without an answer"))?;
        let groups = Group::listed(&rows, &ends)?;
        let children = self.children(&fetch.children, &rows, 1, &groups, actor).await?;
        Ok(Loaded { rows, first_column: 1, groups, of_parent, children, beside: Vec::new() })
    }

    /// The rows related by these keys, with all that hangs off them.
    async fn related(
        &self,
        fetch: &Fetch,
        keys: Arc<[Uuid]>,
        of_parent: Vec<u32>,
        (id, parent): (usize, usize),
        actor: &Arc<Actor>,
    ) -> Result<Loaded> {
        if keys.is_empty() {
            return Ok(Loaded::default());
        }
        let write = |audience| match &fetch.selector {
            RowSelector::One(relation) => statement::one(fetch, relation, audience),
            RowSelector::Pages(relation, page) => statement::pages(fetch, relation, page, audience),
            RowSelector::Id | RowSelector::Page(_) | RowSelector::Listed => Sql::new(),
        };
        let audience = actor.audience();
        let statement = fetch.statement(audience, Form::Planned, || write(audience));
        let many = matches!(fetch.selector, RowSelector::Pages(..));
        let lookup = Lookup { id, statement, keys: keys.clone(), actor: actor.clone(), parent, many };
        let found = self.by_key().load_one(lookup).await?;
        let Found { rows, by_key } = found.ok_or_else(|| Error::internal("a lookup without an answer"))?;
        let groups = match &fetch.selector {
            RowSelector::Pages(_, page) => beside(rows.len(), |_| Group::pages(&rows, page, keys.len()))?,
            _ => keys
                .iter()
                .map(|key| by_key.get(key).map_or_else(Group::default, |place| Group::one(*place as usize)))
                .collect(),
        };
        let first_column = first_column(fetch);
        check(fetch, &rows, first_column)?;
        let children = self.children(&fetch.children, &rows, first_column, &groups, actor).await?;
        Ok(Loaded { rows, first_column, groups, of_parent, children, beside: Vec::new() })
    }
}

/// Refuses groups that tell what must not be told of their rows.
pub(super) fn check(fetch: &Fetch, rows: &Rows, first_column: usize) -> Result<()> {
    let Some(grouping) = fetch.page().and_then(|page| page.grouping.as_ref()) else { return Ok(()) };
    grouping.check(rows, first_column, |place| {
        fetch.selected.iter().position(|known| *known == SelectedColumn::Group(place))
    })
}

/// The keys in this column of the rows that are in a group, each once; and for each row which of them it has.
fn keys(rows: &Rows, column: usize, groups: &[Group]) -> Result<(Arc<[Uuid]>, Vec<u32>)> {
    let mut keys = Vec::with_capacity(rows.len());
    let mut places = HashMap::with_capacity(rows.len());
    let mut of_parent = vec![NONE; rows.len()];
    for place in groups.iter().flat_map(Group::places) {
        if let Some(key) = rows.row(place).at::<Option<Uuid>>(column)? {
            of_parent[place] = *places.entry(key).or_insert_with(|| {
                keys.push(key);
                u32::try_from(keys.len() - 1).unwrap_or(NONE)
            });
        }
    }
    Ok((keys.into(), of_parent))
}

/// How many rows are written without a thread of their own having to be seen to: about a millisecond's work.
const QUICKLY_WRITTEN: usize = 1_000;

/// Does something that takes as long as there are rows. Where they are many, whatever else this thread has to do is given to
/// another first, so that nobody waits for it. Meanwhile it is to be asked now and then, by what `work` is given, to pause.
fn beside<T>(rows: usize, work: impl FnOnce(fn()) -> T) -> T {
    let threads = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    match threads {
        Ok(RuntimeFlavor::MultiThread) if rows > QUICKLY_WRITTEN => {
            tokio::task::block_in_place(|| work(give_way_blocking))
        }
        _ => work(|| {}),
    }
}

/// Whether the session stands, by the first column of the first row.
pub(super) fn stands(rows: &Rows) -> Result<bool> {
    Ok(rows.first().map(|row| row.at::<Option<bool>>(0)).transpose()?.flatten() == Some(true))
}
