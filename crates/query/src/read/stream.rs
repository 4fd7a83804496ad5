//! All rows of a plan, however many: one state of the database, read a portion at a time.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::{
    fetch::{Reader, check},
    json,
    loaded::{Group, Loaded},
    plan::{ConnectionField, EdgeField, Fetch, Form, ResponseShape, RowSelector},
    statement::{self, first_column},
};
use crate::{
    actors::{ended, live},
    database::{Planning, Statement, share_transaction},
    error::{Error, Result},
    rows::Rows,
    sql::Sql,
};

/// How many rows are read at a time.
const PORTION: u64 = 1_000;

/// Rows as they come, each an object of JSON on a line of its own.
pub struct Portion {
    /// The lines.
    pub json: Vec<u8>,
    /// How many there are.
    pub rows: u64,
    /// How many there are in all portions together.
    pub total: u64,
}

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
    /// Reads all rows of an unpaged plan ([`Fetch::unpaged`]) as they are at one moment, and has each portion taken before the next is
    /// read. There is a first portion even where there are no rows.
    pub async fn stream(&self, fetch: &Fetch, to: &mut dyn TakesPortions) -> Result<()> {
        share_transaction(Some(self.database().snapshot().await?));
        let streamed = self.stream_snapshot(fetch, to).await;
        share_transaction(None);
        streamed
    }

    async fn stream_snapshot(&self, fetch: &Fetch, to: &mut dyn TakesPortions) -> Result<()> {
        let no_keys = Arc::default();
        let standing = |_| {
            let mut sql = Sql::new();
            sql.push("SELECT ").append(&live());
            Arc::new(Statement::planned(&sql, Planning::Each))
        };
        let stands =
            |rows: &Rows| Ok(rows.first().map(|row| row.at::<Option<bool>>(0)).transpose()?.flatten() == Some(true));
        let (_, actor) = self.as_actor(standing, &no_keys, stands).await?;
        let mut sql = Sql::new();
        sql.push("DECLARE streamed NO SCROLL CURSOR FOR ");
        sql.append(&statement::root(fetch, Form::Planned, actor.audience()));
        let declare = Statement::planned(&sql, Planning::Each);
        self.database().read(&[declare.call(Some(&actor), &no_keys)]).await?;
        let mut sql = Sql::new();
        sql.push("FETCH FORWARD ").number(PORTION).push(" FROM streamed");
        let next = Statement::planned(&sql, Planning::Each);
        let RowSelector::Page(page) = &fetch.selector else { return Err(Error::internal("no page to stream")) };
        let first_column = first_column(fetch);
        let mut total = None;
        loop {
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
            let is_last = (rows.len() as u64) < PORTION;
            let loaded = Loaded { rows: Arc::new(rows), first_column, children, ..Loaded::default() };
            let (mut json, mut written) = (Vec::new(), 0);
            for place in groups[0].places() {
                json::root(&mut json, fetch, &loaded, &Group::one(place), usize::MAX, || {})?;
                json.push(b'\n');
                written += 1;
            }
            to.take(Portion { json, rows: written, total }).await?;
            if is_last {
                return Ok(());
            }
        }
    }
}
