//! From a selection to the store's plan.

use std::sync::atomic::{AtomicU64, Ordering};

use aether_operation::{Arguments, Bound, Location, Problem, Selected, SelectionSet};
use aether_store::{
    Error, Result,
    model::{Leaf, Model, Relation, Shape, ShapeType, Source, Type},
    read::Filter,
    read::plan::{
        ConnectionField, EdgeField, Fetch, FieldValue, Key, Page, PageInfoField, ResponseShape, RowSelector,
        SelectedColumn, SelectedField, Selection, Template, Value, Writer,
    },
};

use parking_lot::Mutex;

use crate::{Limits, page};

/// Plans selections of one request.
pub(crate) struct Planner<'a> {
    bound: &'a Bound<'a>,
    pub(crate) limits: &'a Limits,
    /// Rows that the request could return in all, were every page of every plan full.
    rows: AtomicU64,
    /// Values that it could.
    values: AtomicU64,
    /// What its filters cost to plan.
    filters: AtomicU64,
    /// The innermost field that could not be planned, until somebody asks.
    failed: Mutex<Option<Location>>,
}

pub(crate) type Sets<'a, 's> = &'s [&'a SelectionSet];

impl<'a> Planner<'a> {
    pub(crate) fn new(bound: &'a Bound<'a>, limits: &'a Limits) -> Self {
        let zero = || AtomicU64::new(0);
        Self { bound, limits, rows: zero(), values: zero(), filters: zero(), failed: Mutex::default() }
    }

    /// Where the field stands that could not be planned, if it is not the one of the root.
    pub(crate) fn failed(&self) -> Option<Location> {
        self.failed.lock().take()
    }

    /// The coerced arguments of a field.
    pub(crate) fn arguments(&self, selected: &Selected<'a>) -> Result<Arguments> {
        self.bound.arguments(selected.field).map_err(invalid)
    }

    /// The fields that these sets select of a type.
    pub(crate) fn collect(&self, sets: Sets<'a, '_>, ty: &str) -> Result<Vec<Selected<'a>>> {
        self.bound.collect(sets, ty).map_err(invalid)
    }

    /// One row by its id.
    pub(crate) fn one(&self, ty: &'static Type, sets: Sets<'a, '_>) -> Result<Fetch> {
        self.count(1)?;
        let mut selection = Selection::new(ty);
        let shape = ResponseShape::One(self.object(&mut selection, sets, 1)?);
        Ok(selection.fetch(RowSelector::Id, shape))
    }

    /// Rows by their ids, which are read, too.
    pub(crate) fn identified(&self, ty: &'static Type, sets: Sets<'a, '_>) -> Result<Fetch> {
        self.count(1)?;
        let mut selection = Selection::new(ty);
        let shape = ResponseShape::One(self.object(&mut selection, sets, 1)?);
        selection.column(SelectedColumn::Column(id_column(ty)?));
        Ok(selection.fetch(RowSelector::Id, shape))
    }

    /// A page of all rows, or of those that satisfy `base`.
    pub(crate) fn list(&self, ty: &'static Type, base: Option<Filter>, selected: &Selected<'a>) -> Result<Fetch> {
        let page = self.page(ty, None, base, selected)?;
        self.connection(ty, page, &selected.sets, 1, &RowSelector::Page)
    }

    /// A page as its arguments ask for it.
    fn page(
        &self,
        ty: &'static Type,
        relation: Option<&Relation>,
        base: Option<Filter>,
        selected: &Selected<'a>,
    ) -> Result<Page> {
        let page = page::parse(ty, relation, base, &self.arguments(selected)?, self.limits)?;
        self.count_filter(&page.filter)?;
        Ok(page)
    }

    /// Refuses filters that the database takes long to plan.
    pub(crate) fn count_filter(&self, filter: &Filter) -> Result<()> {
        let most = self.limits.max_filter_cost;
        if add(&self.filters, filter.cost(), most) {
            return Err(Error::invalid(
                "filter",
                format!(
                    "The filters of this request reach through too many relations, which the database takes long to plan: the \
                     squares of the relations of each filter may sum up to {most}. Ask for less at once."
                ),
            ));
        }
        Ok(())
    }

    /// Refuses a plan whose pages multiply beyond what one request may return.
    pub(crate) fn count(&self, rows: u64) -> Result<()> {
        let most = self.limits.max_rows;
        if add(&self.rows, rows, most) {
            return Err(Error::invalid(
                "first",
                format!(
                    "This query could return more than {most} rows, for the pages of each level multiply. Ask for smaller \
                     pages with first, or for fewer levels at once."
                ),
            ));
        }
        Ok(())
    }

    /// Refuses a plan with more values than one request may return: fields of each row, aliases counted.
    pub(crate) fn count_values(&self, rows: u64, fields: usize) -> Result<()> {
        let most = self.limits.max_values;
        if add(&self.values, rows.saturating_mul(fields as u64), most) {
            return Err(Error::invalid(
                "first",
                format!(
                    "This query could return more than {most} values, for each row has all that is selected of it. Ask for \
                     smaller pages with first, or for fewer fields at once."
                ),
            ));
        }
        Ok(())
    }

    /// What is selected of a row, of which there may be `rows`.
    pub(crate) fn object(&self, selection: &mut Selection, sets: Sets<'a, '_>, rows: u64) -> Result<Template> {
        let ty = selection.ty;
        let mut values = Vec::new();
        for selected in self.collect(sets, ty.name)? {
            let value = match selected.name() {
                "__typename" => Value::Literal(quoted(ty.name)),
                "nodeId" => Value::NodeId(selection.column(SelectedColumn::Column(id_column(ty)?))),
                name => {
                    let field = ty.field(name).ok_or_else(|| no_field(ty.name, name))?;
                    match &field.source {
                        Source::Column(column) => {
                            let place = selection.column(SelectedColumn::Column(column.index));
                            match column.shape {
                                Some(shape) => Value::Shaped(place, shape, self.shaped(shape, &selected.sets)?),
                                None => Value::SelectedColumn(place, Writer::new(column.kind)),
                            }
                        }
                        Source::Relation(relation) => Value::Child(self.child(selection, *relation, &selected, rows)?),
                    }
                }
            };
            values.push((Key::new(selected.key), value));
        }
        self.count_values(rows, values.len())?;
        Ok(Template(values))
    }

    fn child(
        &self,
        selection: &mut Selection,
        relation: Relation,
        selected: &Selected<'a>,
        rows: u64,
    ) -> Result<usize> {
        let key = selection.column(SelectedColumn::Column(relation.from_column));
        let child = self.related(relation, selected, rows).inspect_err(|_| {
            let mut failed = self.failed.lock();
            *failed = failed.or_else(|| self.bound.location(selected.field));
        })?;
        Ok(selection.child(key, child))
    }

    fn related(&self, relation: Relation, selected: &Selected<'a>, rows: u64) -> Result<Fetch> {
        let to = &Model::get().types[relation.to];
        if relation.many {
            let page = self.page(to, Some(&relation), None, selected)?;
            return self.connection(to, page, &selected.sets, rows, &|page| RowSelector::Pages(relation, page));
        }
        self.count(rows)?;
        let mut child = Selection::new(to);
        let shape = ResponseShape::One(self.object(&mut child, &selected.sets, rows)?);
        Ok(child.fetch(RowSelector::One(relation), shape))
    }

    fn connection(
        &self,
        ty: &'static Type,
        mut page: Page,
        sets: Sets<'a, '_>,
        parents: u64,
        selector: &dyn Fn(Page) -> RowSelector,
    ) -> Result<Fetch> {
        let rows = parents.saturating_mul(page.size);
        let mut selection = Selection::new(ty);
        let mut fields = Vec::new();
        let mut cursors = false;
        let mut counted = false;
        for selected in self.collect(sets, &format!("{}Connection", ty.name))? {
            let field = match selected.name() {
                "__typename" => ConnectionField::Literal(quoted(&format!("{}Connection", ty.name))),
                "totalCount" => {
                    page.total = true;
                    ConnectionField::TotalCount
                }
                name @ ("aggregate" | "groups") => {
                    let mut fetch = if name == "groups" {
                        self.groups(ty, &page, &selected, parents)?
                    } else {
                        self.aggregate(ty, &page, &selected, parents)?
                    };
                    if let RowSelector::Page(page) = fetch.selector {
                        fetch.selector = selector(page);
                    }
                    ConnectionField::Beside(selection.beside(fetch))
                }
                name => {
                    page.rows = true;
                    if !std::mem::replace(&mut counted, true) {
                        self.count(rows)?;
                    }
                    match name {
                        "nodes" => ConnectionField::Nodes(self.object(&mut selection, &selected.sets, rows)?),
                        "edges" => {
                            ConnectionField::Edges(self.edge(&mut selection, &selected.sets, rows, &mut cursors)?)
                        }
                        "pageInfo" => {
                            let fields = self.page_info(&selected.sets, &mut cursors)?;
                            page.more |= fields.iter().any(|(_, field)| field.asks_for_more(page.backward));
                            ConnectionField::PageInfo(fields)
                        }
                        name => return Err(no_field("connection", name)),
                    }
                }
            };
            fields.push((Key::new(selected.key), field));
        }
        if cursors {
            for term in &page.order {
                selection.column(term.column);
            }
        }
        Ok(selection.fetch(selector(page), ResponseShape::Connection(fields)))
    }

    fn edge(
        &self,
        selection: &mut Selection,
        sets: Sets<'a, '_>,
        rows: u64,
        cursors: &mut bool,
    ) -> Result<Vec<(Key, EdgeField)>> {
        let name = format!("{}Edge", selection.ty.name);
        let mut fields = Vec::new();
        for selected in self.collect(sets, &name)? {
            let field = match selected.name() {
                "__typename" => EdgeField::Literal(quoted(&name)),
                "node" => EdgeField::Node(self.object(selection, &selected.sets, rows)?),
                "cursor" => {
                    *cursors = true;
                    EdgeField::Cursor
                }
                "rank" => EdgeField::Rank(selection.column(SelectedColumn::Rank)),
                "snippet" => EdgeField::Snippet(selection.column(SelectedColumn::Snippet)),
                other => return Err(no_field(&name, other)),
            };
            fields.push((Key::new(selected.key), field));
        }
        Ok(fields)
    }

    pub(crate) fn page_info(&self, sets: Sets<'a, '_>, cursors: &mut bool) -> Result<Vec<(Key, PageInfoField)>> {
        let mut fields = Vec::new();
        for selected in self.collect(sets, "PageInfo")? {
            let field = match selected.name() {
                "__typename" => PageInfoField::Literal(quoted("PageInfo")),
                "hasNextPage" => PageInfoField::HasNextPage,
                "hasPreviousPage" => PageInfoField::HasPreviousPage,
                name => {
                    *cursors = true;
                    match name {
                        "startCursor" => PageInfoField::StartCursor,
                        "endCursor" => PageInfoField::EndCursor,
                        other => return Err(no_field("PageInfo", other)),
                    }
                }
            };
            fields.push((Key::new(selected.key), field));
        }
        Ok(fields)
    }

    fn shaped(&self, shape: &'static Shape, sets: Sets<'a, '_>) -> Result<Vec<SelectedField>> {
        match shape {
            Shape::Object(ty) | Shape::List(ty) | Shape::Entries(_, ty) => self.selected_fields(ty, sets),
            Shape::Strings => Ok(Vec::new()),
        }
    }

    fn selected_fields(&self, ty: &'static ShapeType, sets: Sets<'a, '_>) -> Result<Vec<SelectedField>> {
        let mut selected_fields = Vec::new();
        for selected in self.collect(sets, ty.name)? {
            let what = match selected.name() {
                "__typename" => FieldValue::Literal(quoted(ty.name)),
                name => {
                    let field =
                        ty.fields.iter().find(|field| field.name == name).ok_or_else(|| no_field(ty.name, name))?;
                    let inner = match field.leaf {
                        Leaf::Object(inner) => self.selected_fields(inner, &selected.sets)?,
                        _ => Vec::new(),
                    };
                    FieldValue::Field(field, inner)
                }
            };
            selected_fields.push(SelectedField { key: Key::new(selected.key), what });
        }
        Ok(selected_fields)
    }
}

pub(crate) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

fn id_column(ty: &Type) -> Result<usize> {
    ty.table.column("id").map(|(index, _)| index).ok_or_else(|| no_field(ty.name, "id"))
}

/// Validation has refused such a selection before; this only keeps a gap in it from becoming a panic.
pub(crate) fn no_field(ty: &str, name: &str) -> Error {
    Error::invalid(name, format!("{ty} has no field {name}."))
}

/// Adds to a sum, and tells whether it is more than it may be.
fn add(sum: &AtomicU64, more: u64, most: u64) -> bool {
    let before = sum.fetch_add(more.min(most + 1), Ordering::Relaxed);
    before.saturating_add(more) > most
}

/// A problem with what a field is given, known only with the variables at hand.
pub(crate) fn invalid(problem: Problem) -> Error {
    Error::invalid("variables", problem.message)
}
