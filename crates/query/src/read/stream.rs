//! All rows of a plan, however many: one state of the database, read a portion at a time.

use std::{mem, sync::Arc};

use futures::future::BoxFuture;

use super::{
    fetch::{Reader, check, stands},
    json,
    loaded::{Group, Loaded},
    plan::{ConnectionField, EdgeField, Fetch, Form, ResponseShape, RowSelector},
    statement::{self, first_column},
};
use crate::{
    actors::{ended, live},
    database::{Planning, ROOM, Snapshot, Statement, share_transaction, too_large},
    error::{Error, Result},
    sql::Sql,
};

/// How many rows are read at a time at most, and how many bytes they should have.
const PORTION: usize = 250;
const ENOUGH: usize = 1024 * 1024;
/// How many bytes of JSON are handed on at a time.
const PIECE: usize = 256 * 1024;

/// Rows as they come, each an object of JSON on a line of its own.
pub struct Portion {
    /// The lines.
    pub json: Vec<u8>,
    /// How many there are.
    pub rows: u64,
    /// How many there are in all portions together.
    pub total: u64,
}

/// A state of the database that is streamed from. It is given back when this is dropped.
pub struct Streaming(Arc<Snapshot>);

/// Who takes portions.
pub trait TakesPortions: Send {
    /// Takes one; the next is read only then.
    fn take(&mut self, portion: Portion) -> BoxFuture<'_, Result<()>>;
}

impl Fetch {
    /// The same without pages: all rows, or groups, each an object as it is selected of a node. None where no nodes are selected.
    pub fn unpaged(mut self) -> Option<Self> {
        let ResponseShape::Connection(fields) = self.shape else { return None };
        let mut fields = fields.into_iter().map(|(_, field)| field);
        let template = fields.find_map(|field| match field {
            ConnectionField::Nodes(template) => Some(Ok(template)),
            ConnectionField::Edges(fields) => fields.into_iter().find_map(|(_, field)| match field {
                EdgeField::Node(template) => Some(Ok(template)),
                _ => None,
            }),
            ConnectionField::Beside(place) => match self.beside[place].shape {
                ResponseShape::Connection(_) => Some(Err(place)),
                // What is told of all rows together has no nodes.
                ResponseShape::One(_) | ResponseShape::List(_) => None,
            },
            _ => None,
        })?;
        match template {
            Err(groups) => self.beside.swap_remove(groups).unpaged(),
            Ok(template) => {
                let RowSelector::Page(page) = &mut self.selector else { return None };
                (page.size, page.backward, page.after, page.before) = (i64::MAX.unsigned_abs(), false, None, None);
                (page.rows, page.more, page.total) = (true, false, true);
                self.beside.clear();
                self.shape = ResponseShape::One(template);
                Some(self)
            }
        }
    }
}

impl Reader {
    /// Takes the state that the database has now, to be streamed from.
    pub async fn begin_stream(&self) -> Result<Streaming> {
        // Whose it is, before anybody waits for a turn.
        self.known_actor().await?;
        Ok(Streaming(self.database().snapshot().await?))
    }

    /// Reads all rows of an unpaged plan ([`Fetch::unpaged`]) as they are in that state, and has each portion taken before the next is
    /// read. There is a first portion even where there are no rows.
    pub async fn stream(&self, from: &Streaming, fetch: &Fetch, to: &mut dyn TakesPortions) -> Result<()> {
        share_transaction(Some(from.0.clone()));
        let streamed = self.stream_snapshot(&from.0, fetch, to).await;
        share_transaction(None);
        streamed
    }

    async fn stream_snapshot(&self, from: &Snapshot, fetch: &Fetch, to: &mut dyn TakesPortions) -> Result<()> {
        let no_keys = Arc::default();
        let standing = |_| {
            let mut sql = Sql::new();
            sql.push("SELECT ").append(&live());
            Arc::new(Statement::planned(&sql, Planning::Each))
        };
        let (_, actor) = self.as_actor(standing, &no_keys, stands).await?;
        let mut sql = Sql::new();
        sql.push("DECLARE streamed NO SCROLL CURSOR FOR ");
        sql.append(&statement::root(fetch, Form::Planned, actor.audience()));
        let declare = Statement::planned(&sql, Planning::Each);
        self.database().read(&[declare.call(Some(&actor), &no_keys)]).await?;
        let RowSelector::Page(page) = &fetch.selector else { return Err(Error::internal("no page to stream")) };
        let first_column = first_column(fetch);
        // One at first: nobody knows how large they are.
        let (mut total, mut wanted) = (None, 1);
        loop {
            from.renew_room();
            let mut sql = Sql::new();
            sql.push("FETCH FORWARD ").number(wanted as u64).push(" FROM streamed");
            let next = Statement::planned(&sql, Planning::Each);
            let mut answers = self.database().read(&[next.call(None, &no_keys)]).await?;
            let rows = answers.pop().ok_or_else(|| Error::internal("a statement without an answer"))?;
            if rows.first().is_some_and(|row| row.at::<Option<bool>>(0).ok().flatten().is_none()) {
                return Err(ended());
            }
            let group = Group::root(&rows, Some(page))?;
            check(fetch, &rows, first_column)?;
            let total = *total.get_or_insert(group.total.unwrap_or_default().unsigned_abs());
            let groups = [group];
            let children = self.children(&fetch.children, &rows, first_column, &groups, &actor).await?;
            let (read, is_last) = (rows.len(), rows.len() < wanted);
            let loaded = Loaded { rows: Arc::new(rows), first_column, children, ..Loaded::default() };
            let (mut json, mut written, mut bytes) = (Vec::new(), 0, loaded.bytes());
            for place in groups[0].places() {
                let written_row = json::root(&mut json, fetch, &loaded, &Group::one(place), ROOM, || {});
                let size = written_row.map_err(|error| match error {
                    Error::Invalid { .. } => too_large(),
                    error => error,
                })?;
                if size > ROOM {
                    return Err(too_large());
                }
                json.push(b'\n');
                written += 1;
                if json.len() >= PIECE {
                    bytes += json.len();
                    to.take(Portion { json: mem::take(&mut json), rows: mem::take(&mut written), total }).await?;
                }
            }
            bytes += json.len();
            to.take(Portion { json, rows: written, total }).await?;
            if is_last {
                return Ok(());
            }
            // As many as are enough, were they as large as these; and not many more at once.
            wanted = (ENOUGH * read.max(1) / bytes.max(1)).min(wanted * 10).clamp(1, PORTION);
        }
    }
}
