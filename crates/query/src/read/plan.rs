//! What to fetch and how to write it: the tree between a GraphQL selection and its statements.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use aether_entity::catalog::{ENUMS, EnumValue, Kind};
use parking_lot::RwLock;

pub use super::order::{SelectedColumn, Term};
use super::{cursor::Position, filter::Filter, groups::Grouping};
use crate::{
    actor::Audience,
    database::{Planning, Statement},
    model::{Relation, Shape, ShapeField, Type, enum_value_name},
    sql::Sql,
};

/// Rows of one type: which, what of them, and how they are written.
pub struct Fetch {
    /// The type.
    pub ty: &'static Type,
    /// Which rows.
    pub selector: RowSelector,
    /// What is selected of each row; a [`Template`] refers to it by place.
    pub selected: Vec<SelectedColumn>,
    /// What hangs off each row.
    pub children: Vec<Child>,
    /// What else is asked of the same parents: groups of the same rows.
    pub beside: Vec<Fetch>,
    /// How the rows are written.
    pub shape: ResponseShape,
    /// Its statements, as they were written for those who asked before.
    statements: Statements,
    /// How many bytes its last answer had; the next is likely to have as many.
    last_size: AtomicUsize,
}

/// What is selected of the rows of one type, as it is being found out.
pub struct Selection {
    /// The type.
    pub ty: &'static Type,
    selected: Vec<SelectedColumn>,
    children: Vec<Child>,
    beside: Vec<Fetch>,
}

/// What hangs off each row of a [`Fetch`].
pub struct Child {
    /// The slot that holds the key.
    pub key: usize,
    /// What is fetched by it.
    pub fetch: Fetch,
}

/// Which rows.
pub enum RowSelector {
    /// The one whose id is given when it is fetched.
    Id,
    /// A page of all.
    Page(Page),
    /// The one that each parent row refers to, or that refers to it.
    One(Relation),
    /// A page for each parent row.
    Pages(Relation, Page),
    /// Those whose ids each parent row lists.
    Listed,
}

/// A page: filtered, ordered, cut.
pub struct Page {
    /// What is on it: groups of the rows, or the rows.
    pub grouping: Option<Box<Grouping>>,
    /// What rows must satisfy.
    pub filter: Filter,
    /// Full-text search, in the syntax of `websearch_to_tsquery`.
    pub search: Option<String>,
    /// The order, ending with a term that is unique.
    pub order: Vec<Term>,
    /// How many rows.
    pub size: u64,
    /// Whether the page is counted from the end.
    pub backward: bool,
    /// Only rows behind this position.
    pub after: Option<Position>,
    /// Only rows before this position.
    pub before: Option<Position>,
    /// Whether rows are wanted at all, or only their number.
    pub rows: bool,
    /// Whether it is asked if there are more of them: then one more is looked for.
    pub more: bool,
    /// Whether all rows are counted.
    pub total: bool,
    /// What a cursor of this page must carry to be taken here again: type, order, filter.
    pub fingerprint: u64,
}

/// How the rows of a [`Fetch`] are written.
pub enum ResponseShape {
    /// One object, or null.
    One(Template),
    /// A list of objects.
    List(Template),
    /// A connection.
    Connection(Vec<(Key, ConnectionField)>),
}

/// A response key, ready to be written.
pub struct Key(String);

impl Key {
    /// The response key of that name.
    pub fn new(name: &str) -> Self {
        Self(format!(",\"{name}\":"))
    }

    /// `"name":`, with a comma before it unless it is the first of its object.
    pub fn written(&self, is_first: bool) -> &str {
        &self.0[usize::from(is_first)..]
    }
}

/// How a row is written: its keys and values.
pub struct Template(pub Vec<(Key, Value)>);

/// A value of a row's object.
pub enum Value {
    /// A slot.
    SelectedColumn(usize, Writer),
    /// A slot that holds JSON, of which only this is written.
    Shaped(usize, &'static Shape, Vec<SelectedField>),
    /// JSON known beforehand.
    Literal(String),
    /// The global id, from the slot that holds the row's id.
    NodeId(usize),
    /// What hangs off the row, by its place among the children.
    Child(usize),
    /// An object of more of the same row; null unless the slot at the place, if there is one, is true.
    Object(Option<usize>, Template),
}

/// How a slot's value is written as JSON.
#[derive(Clone, Copy)]
pub enum Writer {
    /// As its kind is.
    Plain(Kind),
    /// As an enum's name.
    Enum(&'static EnumNames),
}

/// The labels of an enum, each with its name as JSON.
pub type EnumNames = [(&'static str, String)];

impl Writer {
    /// The writer of a kind.
    pub fn new(kind: Kind) -> Self {
        static NAMES: LazyLock<HashMap<&'static str, Vec<(&'static str, String)>>> = LazyLock::new(|| {
            let names = |value: &EnumValue| (value.label, format!("\"{}\"", enum_value_name(value.label)));
            ENUMS.iter().map(|e| (e.name, e.values.iter().map(names).collect())).collect()
        });
        match kind {
            Kind::Enum(definition) => {
                NAMES.get(definition.name).map_or(Self::Plain(Kind::Text), |names| Self::Enum(names))
            }
            kind => Self::Plain(kind),
        }
    }
}

/// A field picked out of a JSON object.
pub struct SelectedField {
    /// The response key.
    pub key: Key,
    /// What is written.
    pub what: FieldValue,
}

/// What is written for a [`SelectedField`].
pub enum FieldValue {
    /// JSON known beforehand.
    Literal(String),
    /// The value under this name.
    Field(&'static ShapeField, Vec<SelectedField>),
}

/// A field of a connection.
pub enum ConnectionField {
    /// The rows.
    Nodes(Template),
    /// The rows, each with its cursor.
    Edges(Vec<(Key, EdgeField)>),
    /// Where the page stands.
    PageInfo(Vec<(Key, PageInfoField)>),
    /// How many rows there are on all pages.
    TotalCount,
    /// What is asked of the same parent besides, by its place.
    Beside(usize),
    /// JSON known beforehand.
    Literal(String),
}

/// A field of an edge.
pub enum EdgeField {
    /// The row.
    Node(Template),
    /// Its cursor.
    Cursor,
    /// How well it answers the search, from this slot.
    Rank(usize),
    /// What of its text answers the search, from this slot.
    Snippet(usize),
    /// JSON known beforehand.
    Literal(String),
}

/// A field of the page info.
pub enum PageInfoField {
    /// Whether rows follow the page.
    HasNextPage,
    /// Whether rows precede the page.
    HasPreviousPage,
    /// The first edge's cursor.
    StartCursor,
    /// The last edge's cursor.
    EndCursor,
    /// JSON known beforehand.
    Literal(String),
}

impl PageInfoField {
    /// Whether it asks if there are rows beyond the page, in the direction in which it is counted.
    pub fn asks_for_more(&self, backward: bool) -> bool {
        matches!((self, backward), (Self::HasNextPage, false) | (Self::HasPreviousPage, true))
    }
}

impl Page {
    /// The type of what is selected of a row.
    pub(super) fn kind(&self, ty: &Type, column: SelectedColumn) -> Kind {
        match column {
            SelectedColumn::Column(index) => ty.column(index).kind,
            SelectedColumn::Rank => Kind::Decimal,
            SelectedColumn::Snippet => Kind::Text,
            SelectedColumn::Group(place) => self.grouping.as_ref().map_or(Kind::Int, |grouping| grouping.kind(place)),
        }
    }
}

impl Fetch {
    /// The page, if it is of one.
    pub(super) fn page(&self) -> Option<&Page> {
        match &self.selector {
            RowSelector::Page(page) | RowSelector::Pages(_, page) => Some(page),
            RowSelector::Id | RowSelector::One(_) | RowSelector::Listed => None,
        }
    }

    /// Whether its rows are wanted, or their number, rather than only what is asked besides.
    pub(super) fn is_wanted(&self) -> bool {
        self.beside.is_empty() || self.page().is_none_or(|page| page.rows || page.total)
    }

    /// The type of what is selected of a row.
    pub(super) fn kind(&self, column: SelectedColumn) -> Kind {
        match (column, self.page()) {
            (_, Some(page)) => page.kind(self.ty, column),
            (SelectedColumn::Column(index), None) => self.ty.column(index).kind,
            (SelectedColumn::Snippet, None) => Kind::Text,
            (SelectedColumn::Rank | SelectedColumn::Group(_), None) => Kind::Decimal,
        }
    }

    /// How many bytes to take for the next answer: as many as the last had, and a few more.
    pub(super) fn last_size(&self) -> Option<usize> {
        let last = self.last_size.load(Ordering::Relaxed);
        (last > 0).then(|| last + last / 32 + 64)
    }

    pub(super) fn note_size(&self, size: usize) {
        self.last_size.store(size, Ordering::Relaxed);
    }

    /// The statement for this audience.
    pub(super) fn statement(&self, audience: Audience, form: Form, write: impl FnOnce() -> Sql) -> Arc<Statement> {
        let planning = match &self.selector {
            RowSelector::Page(page) if page.grouping.is_some() => Planning::Each,
            _ if self.ty.table.is_partitioned => Planning::Once,
            _ => Planning::Auto,
        };
        self.statements.of(audience, form, planning, write)
    }
}

impl Selection {
    /// Rows of this type with nothing selected yet.
    pub fn new(ty: &'static Type) -> Self {
        Self { ty, selected: Vec::new(), children: Vec::new(), beside: Vec::new() }
    }

    /// The place of this slot, selected if it was not yet.
    pub fn column(&mut self, column: SelectedColumn) -> usize {
        self.selected.iter().position(|known| *known == column).unwrap_or_else(|| {
            self.selected.push(column);
            self.selected.len() - 1
        })
    }

    /// The place of what hangs off each row by the key in this slot.
    pub fn child(&mut self, key: usize, fetch: Fetch) -> usize {
        self.children.push(Child { key, fetch });
        self.children.len() - 1
    }

    /// The place of what is asked of the same parents besides.
    pub fn beside(&mut self, fetch: Fetch) -> usize {
        self.beside.push(fetch);
        self.beside.len() - 1
    }

    /// What is fetched of these rows, and how they are written.
    pub fn fetch(self, selector: RowSelector, shape: ResponseShape) -> Fetch {
        let Self { ty, selected, children, beside } = self;
        Fetch {
            ty,
            selector,
            selected,
            children,
            beside,
            shape,
            statements: Statements::default(),
            last_size: AtomicUsize::new(0),
        }
    }
}

/// The statements of a [`Fetch`], one for each audience that asked so far.
#[derive(Default)]
struct Statements(RwLock<Vec<Written>>);

/// A statement, with whom and what it is for.
type Written = ((Audience, Form), Arc<Statement>);

/// What a statement finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// What its [`RowSelector`] says.
    Planned,
    /// The rows with given ids.
    Each,
}

/// How many audiences a [`Fetch`] has statements for at once.
const MOST_AUDIENCES: usize = 32;

impl Statements {
    /// The statement for this audience, written if it was not yet.
    fn of(&self, audience: Audience, form: Form, planning: Planning, write: impl FnOnce() -> Sql) -> Arc<Statement> {
        let key = (audience, form);
        if let Some((_, known)) = self.0.read().iter().find(|(known, _)| *known == key) {
            return known.clone();
        }
        let statement = Arc::new(Statement::planned(&write(), planning));
        let mut all = self.0.write();
        if all.len() >= MOST_AUDIENCES {
            all.clear();
        }
        all.push((key, statement.clone()));
        statement
    }
}
