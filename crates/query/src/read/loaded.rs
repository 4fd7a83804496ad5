//! Rows as they were loaded: those of each node of a plan, and which of them belong to which row above.

use std::sync::Arc;

use super::plan::Page;
use crate::{
    error::{Error, Result},
    rows::{Row, Rows},
};

/// The place of what is not there.
pub(super) const NONE: u32 = u32::MAX;

/// The rows of a plan's node, and of what hangs off them.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) rows: Arc<Rows>,
    /// Where the slots of a row begin.
    pub(super) first_column: usize,
    /// The rows of each key.
    pub(super) groups: Vec<Group>,
    /// For each row above which of the groups is its own.
    pub(super) of_parent: Vec<u32>,
    pub(super) children: Vec<Loaded>,
    /// What was asked of the same parents besides.
    pub(super) beside: Vec<Loaded>,
}

/// The rows of one key.
#[derive(Clone, Copy, Default)]
pub(super) struct Group {
    start: usize,
    end: usize,
    /// Whether the last comes first.
    reversed: bool,
    /// Whether there are more than the page has.
    pub(super) more: bool,
    /// How many there are on all pages, if that was asked for.
    pub(super) total: Option<i64>,
}

impl Loaded {
    /// How many rows were loaded.
    pub(super) fn size(&self) -> usize {
        self.rows.len() + self.children.iter().chain(&self.beside).map(Self::size).sum::<usize>()
    }

    /// How many bytes their values have.
    pub(super) fn bytes(&self) -> usize {
        self.rows.size() + self.children.iter().chain(&self.beside).map(Self::bytes).sum::<usize>()
    }

    pub(super) fn row(&self, place: usize) -> Row<'_> {
        self.rows.row(place)
    }

    /// What belongs to the row at this place above.
    pub(super) fn group(&self, parent: usize) -> Option<&Group> {
        self.groups.get(*self.of_parent.get(parent)? as usize)
    }
}

/// The number of all rows or groups, unless it may not be told.
fn total(page: &Page, row: Row<'_>) -> Result<i64> {
    row.at::<Option<i64>>(1)?.ok_or_else(|| match &page.grouping {
        Some(grouping) => grouping.refused(),
        None => Error::internal("a count that is null"),
    })
}

impl Group {
    /// The row at this place, alone.
    pub(super) fn one(place: usize) -> Self {
        Self { start: place, end: place + 1, ..Self::default() }
    }

    /// The rows of a root.
    pub(super) fn root(rows: &Rows, page: Option<&Page>) -> Result<Self> {
        let Some(first) = rows.first() else { return Ok(Self::default()) };
        let total = match page {
            Some(page) if page.total => Some(total(page, first)?),
            _ => None,
        };
        let is_present = first.at::<Option<bool>>(0)? == Some(true);
        let end = if is_present { rows.len() } else { 0 };
        Ok(Self { start: 0, end, total, ..Self::default() }.cut(page))
    }

    /// The rows of each of so many keys.
    pub(super) fn pages(rows: &Rows, page: &Page, keys: usize) -> Result<Vec<Self>> {
        let mut groups = vec![Self::default(); keys];
        let mut start = 0;
        while start < rows.len() {
            let row = rows.row(start);
            let key = row.raw(0)?;
            let mut end = start + 1;
            while end < rows.len() && rows.row(end).raw(0)? == key {
                end += 1;
            }
            let place = row.at::<i64>(0)?.checked_sub(1).and_then(|place| usize::try_from(place).ok());
            let group = place.and_then(|place| groups.get_mut(place));
            let group = group.filter(|group| group.end == 0).ok_or_else(|| Error::internal("rows of no key"))?;
            let total = if page.total { Some(total(page, row)?) } else { None };
            let is_present = page.rows && (!page.total || row.at::<Option<bool>>(2)? == Some(true));
            let end_shown = if is_present { end } else { start };
            *group = Self { start, end: end_shown, total, ..Self::default() }.cut(Some(page));
            start = end;
        }
        Ok(groups)
    }

    /// The rows whose places, in their first column, lie before each of these ends and not before the one before.
    pub(super) fn listed(rows: &Rows, ends: &[usize]) -> Result<Vec<Self>> {
        let mut start = 0;
        let group = |end: &usize| {
            let mut last = start;
            while last < rows.len() && rows.row(last).at::<i64>(0)? <= i64::try_from(*end).unwrap_or(i64::MAX) {
                last += 1;
            }
            let group = Self { start, end: last, ..Self::default() };
            start = last;
            Ok(group)
        };
        ends.iter().map(group).collect()
    }

    /// Without what is beyond the page.
    fn cut(mut self, page: Option<&Page>) -> Self {
        if let Some(page) = page {
            let size = usize::try_from(page.size).unwrap_or(usize::MAX);
            self.more = self.end - self.start > size;
            self.end = self.end.min(self.start.saturating_add(size));
            self.reversed = page.backward;
        }
        self
    }

    /// The places of the rows, in the order in which they are answered.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let Self { start, end, reversed, .. } = *self;
        (start..end).map(move |place| if reversed { start + end - 1 - place } else { place })
    }

    /// The first of the rows, or the last.
    pub(super) fn edge(&self, last: bool) -> Option<usize> {
        let (first, final_) = if self.reversed { (self.end, self.start + 1) } else { (self.start + 1, self.end) };
        (self.start < self.end).then(|| if last { final_ - 1 } else { first - 1 })
    }
}
