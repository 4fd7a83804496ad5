//! From the selection of groups to the store's plan.

use std::hash::{DefaultHasher, Hash, Hasher};

use aether_entity::catalog::Kind;
use aether_operation::Selected;
use aether_store::{
    Error, Result,
    model::{ColumnField, Figure, Model, Relation, Source, Type},
    read::{
        Bucket, Cursor, Function, GroupKey, GroupValue, Grouping, Having, Measure, Position, PriorPeriod,
        plan::{
            ConnectionField, Fetch, Key, Page, PageInfoField, ResponseShape, RowSelector, SelectedColumn, Selection,
            Template, Term, Value, Writer,
        },
    },
};
use async_graphql::Value as Given;

use crate::{
    figures::{self, How},
    filter,
    plan::{Planner, Sets, no_field, quoted},
    scalar::items,
};

/// How many keys groups may have.
const MOST_KEYS: usize = 8;
/// Through how many relations a key may reach.
const MOST_STEPS: usize = 3;
/// How many terms an order of groups may have.
const MOST_TERMS: usize = 8;
/// How many values may be told of a group.
const MOST_VALUES: usize = 200;

/// Groups that are being planned.
struct Groups<'p, 'a> {
    planner: &'p Planner<'a>,
    selection: Selection,
    grouping: Grouping,
    /// How many groups there may be.
    rows: u64,
}

impl<'a> Planner<'a> {
    /// What is told of all rows of a page's filter.
    pub(crate) fn aggregate(
        &self,
        ty: &'static Type,
        rows: &Page,
        selected: &Selected<'a>,
        parents: u64,
    ) -> Result<Fetch> {
        self.count(parents)?;
        let grouping = Grouping::new(ty, rows.filter.clone(), Vec::new());
        let mut groups = Groups { planner: self, selection: Selection::new(ty), grouping, rows: parents };
        let shape = ResponseShape::One(groups.object(&selected.sets, None)?);
        groups.fetch(rows, Vec::new(), 1, None, shape)
    }

    /// The groups of all rows of a page's filter.
    pub(crate) fn groups(
        &self,
        ty: &'static Type,
        rows: &Page,
        selected: &Selected<'a>,
        parents: u64,
    ) -> Result<Fetch> {
        let arguments = self.arguments(selected)?;
        let argument = |name: &str| arguments.get(name).filter(|value| !matches!(value, Given::Null));
        let is_true = |name: &str| matches!(argument(name), Some(Given::Boolean(true)));
        let mut grouping = Grouping::new(ty, rows.filter.clone(), keys(ty, argument("by"))?);
        (grouping.rollup, grouping.fill) = (is_true("rollup"), is_true("fill"));
        if grouping.fill && (grouping.rollup || grouping.time().is_none()) {
            let message = if grouping.rollup {
                "Groups have subtotals or are filled up, not both: leave out rollup or fill."
            } else {
                "What is filled up are buckets of time: add a day or a moment to the keys."
            };
            return Err(Error::invalid("fill", message));
        }
        let size = self.size(argument("first"), "groups")?.unwrap_or(self.limits.default_page_size);
        let order = order(&mut grouping, argument("orderBy"))?;
        if let Some(having_) = argument("having") {
            let mut left = MOST_VALUES;
            grouping.having = having(&mut grouping, having_, "having", &mut left)?;
        }
        let fingerprint = fingerprint(rows, &grouping, &order);
        let after = match argument("after") {
            Some(Given::String(cursor)) => {
                let kind = |column| match column {
                    SelectedColumn::Group(place) => grouping.kind(place),
                    _ => Kind::Decimal,
                };
                Some(Cursor::decode("after", cursor, kind, fingerprint, &order)?)
            }
            Some(_) => return Err(Error::invalid("after", "A cursor is a string.")),
            None => None,
        };
        let all = parents.saturating_mul(size);
        let mut groups = Groups { planner: self, selection: Selection::new(ty), grouping, rows: all };
        if groups.grouping.fill {
            groups.grouping.value(GroupValue::Endless);
        }
        let mut cut = Cut { order, fingerprint, after, more: false, total: false, rows: false };
        let shape = groups.connection(selected, &mut cut)?;
        let order = std::mem::take(&mut cut.order);
        groups.fetch(rows, order, size, Some(cut), shape)
    }
}

impl Planner<'_> {
    /// How many of these are asked for.
    fn size(&self, value: Option<&Given>, what: &str) -> Result<Option<u64>> {
        let most = self.limits.max_page_size;
        match value.map(|value| if let Given::Number(number) = value { number.as_u64() } else { None }) {
            None => Ok(None),
            Some(Some(size)) if size <= most => Ok(Some(size)),
            Some(_) => Err(Error::invalid(
                "first",
                format!("`first` must be from 0 to {most}: so many {what} are told at once."),
            )),
        }
    }
}

/// How groups are cut into pages.
struct Cut {
    order: Vec<Term>,
    fingerprint: u64,
    after: Option<Position>,
    more: bool,
    total: bool,
    rows: bool,
}

impl<'a> Groups<'_, 'a> {
    /// What is fetched: a page of groups of the rows of this page's filter.
    fn fetch(
        mut self,
        rows: &Page,
        order: Vec<Term>,
        size: u64,
        cut: Option<Cut>,
        shape: ResponseShape,
    ) -> Result<Fetch> {
        if self.grouping.width() == 0 {
            self.measure(Function::Count, None, None);
        }
        if self.grouping.width() > MOST_VALUES {
            return Err(Error::invalid(
                "groups",
                format!("At most {MOST_VALUES} values are told of a group. Ask for less at once."),
            ));
        }
        for guard in self.grouping.guards() {
            self.selection.column(SelectedColumn::Group(guard));
        }
        let (fingerprint, after, more, total, is_read) = match cut {
            Some(cut) => (cut.fingerprint, cut.after, cut.more, cut.total, cut.rows),
            None => (0, None, false, false, true),
        };
        let page = Page {
            grouping: Some(Box::new(self.grouping)),
            filter: rows.filter.clone(),
            search: rows.search.clone(),
            order,
            size,
            backward: false,
            after,
            before: None,
            rows: is_read,
            more,
            total,
            fingerprint,
        };
        Ok(self.selection.fetch(RowSelector::Page(page), shape))
    }

    fn connection(&mut self, selected: &Selected<'a>, cut: &mut Cut) -> Result<ResponseShape> {
        let ty = self.selection.ty;
        let name = format!("{}GroupConnection", ty.name);
        let mut cursors = false;
        let mut all = Vec::new();
        for selected in self.planner.collect(&selected.sets, &name)? {
            let field = match selected.name() {
                "__typename" => ConnectionField::Literal(quoted(&name)),
                "totalCount" => {
                    cut.total = true;
                    ConnectionField::TotalCount
                }
                "nodes" => {
                    self.planner.count(self.rows)?;
                    cut.rows = true;
                    ConnectionField::Nodes(self.object(&selected.sets, None)?)
                }
                "pageInfo" => {
                    cut.rows = true;
                    let fields = self.planner.page_info(&selected.sets, &mut cursors)?;
                    cut.more |= fields.iter().any(|(_, field): &(Key, PageInfoField)| field.asks_for_more(false));
                    ConnectionField::PageInfo(fields)
                }
                other => return Err(no_field(&name, other)),
            };
            all.push((Key::new(selected.key), field));
        }
        if cursors {
            for term in &cut.order {
                self.selection.column(term.column);
            }
        }
        Ok(ResponseShape::Connection(all))
    }

    /// What is selected of a group, or of the one so much earlier.
    fn object(&mut self, sets: Sets<'a, '_>, prior: Option<PriorPeriod>) -> Result<Template> {
        let ty = self.selection.ty;
        let name = format!("{}Group", ty.name);
        let mut values = Vec::new();
        for selected in self.planner.collect(sets, &name)? {
            let value = match selected.name() {
                "__typename" => Value::Literal(quoted(&name)),
                "depth" => self.written(GroupValue::Depth, prior),
                "key" => Value::Object(None, self.key(&selected.sets, ty, &mut Vec::new(), prior)?),
                "count" => {
                    let filter = self.filter(&selected)?;
                    let place = self.measure(Function::Count, None, filter);
                    self.place(place, prior)
                }
                "prior" => self.prior(&selected, prior)?,
                "rows" => self.rows(&selected, prior)?,
                column => {
                    let (_, column, figure) = figures::columns(ty)
                        .find(|(name, ..)| *name == column)
                        .ok_or_else(|| no_field(&name, column))?;
                    let filter = self.filter(&selected)?;
                    Value::Object(None, self.told(&selected.sets, column, figure, filter, prior)?)
                }
            };
            values.push((Key::new(selected.key), value));
        }
        self.planner.count_values(self.rows, values.len())?;
        Ok(Template(values))
    }

    fn told(
        &mut self,
        sets: Sets<'a, '_>,
        column: ColumnField,
        figure: Figure,
        filter: Option<usize>,
        prior: Option<PriorPeriod>,
    ) -> Result<Template> {
        let name = figures::type_name(figure);
        let mut values = Vec::new();
        for selected in self.planner.collect(sets, name)? {
            let value = match selected.name() {
                "__typename" => Value::Literal(quoted(name)),
                field => {
                    let told = figures::all(figure)
                        .iter()
                        .find(|told| told.name == field)
                        .ok_or_else(|| no_field(name, field))?;
                    let at = match told.how {
                        How::Percentile => Some(share(self.planner.arguments(&selected)?.get("at"))?),
                        _ => None,
                    };
                    let place = figure_of(&mut self.grouping, told.how, at, column.index, filter);
                    self.place(place, prior)
                }
            };
            values.push((Key::new(selected.key), value));
        }
        self.planner.count_values(self.rows, values.len())?;
        Ok(Template(values))
    }

    fn key(
        &mut self,
        sets: Sets<'a, '_>,
        ty: &'static Type,
        path: &mut Vec<Relation>,
        prior: Option<PriorPeriod>,
    ) -> Result<Template> {
        let name = format!("{}GroupKey", ty.name);
        let mut values = Vec::new();
        for selected in self.planner.collect(sets, &name)? {
            let value = match (selected.name(), ty.field(selected.name()).map(|field| &field.source)) {
                ("__typename", _) => Value::Literal(quoted(&name)),
                (_, Some(Source::Column(column))) => {
                    let keys = &self.grouping.keys;
                    match keys.iter().position(|key| key.path == *path && key.column == column.index) {
                        Some(place) => self.written(GroupValue::Key(place), prior),
                        None => Value::Literal("null".into()),
                    }
                }
                (_, Some(Source::Relation(relation))) => {
                    path.push(*relation);
                    let to = &Model::get().types[relation.to];
                    let inner = self.key(&selected.sets, to, path, prior)?;
                    path.pop();
                    Value::Object(None, inner)
                }
                (other, None) => return Err(no_field(&name, other)),
            };
            values.push((Key::new(selected.key), value));
        }
        self.planner.count_values(self.rows, values.len())?;
        Ok(Template(values))
    }

    fn prior(&mut self, selected: &Selected<'a>, within: Option<PriorPeriod>) -> Result<Value> {
        let refuse = |message: &str| Err(Error::invalid("by", message));
        if within.is_some() {
            return refuse("The group before the group before is not told: ask for both of the group itself.");
        }
        let Some((_, bucket)) = self.grouping.time() else {
            return refuse("What is earlier is known by a key of time: add a day or a moment to the keys.");
        };
        let arguments = self.planner.arguments(selected)?;
        let by = arguments.get("by").map(name).unwrap_or_default();
        let known = PriorPeriod::ALL.iter().find(|(known, ..)| *known == by).map(|(_, period, _)| *period);
        let period = known.unwrap_or(PriorPeriod::Bucket);
        if !bucket.fits_into(period) {
            return refuse(
                "Such a time is no whole number of these buckets: take a longer time for prior, or shorter buckets for the key.",
            );
        }
        let template = self.object(&selected.sets, Some(period))?;
        let there = self.slot(GroupValue::HasPrior(period));
        Ok(Value::Object(Some(there), template))
    }

    /// The first rows of a group.
    fn rows(&mut self, selected: &Selected<'a>, prior: Option<PriorPeriod>) -> Result<Value> {
        let first = self.planner.size(self.planner.arguments(selected)?.get("first"), "rows of a group")?;
        let most = first.unwrap_or_default();
        let rows = self.rows.saturating_mul(most);
        self.planner.count(rows)?;
        let mut inner = Selection::new(self.selection.ty);
        let template = self.planner.object(&mut inner, &selected.sets, rows)?;
        let mut place = self.grouping.value(GroupValue::Rows(most));
        if let Some(period) = prior {
            place = self.grouping.value(GroupValue::Prior(period, place));
        }
        let slot = self.selection.column(SelectedColumn::Group(place));
        Ok(Value::Child(self.selection.child(slot, inner.fetch(RowSelector::Listed, ResponseShape::List(template)))))
    }

    /// The filter that a measure has of its own.
    fn filter(&mut self, selected: &Selected<'a>) -> Result<Option<usize>> {
        let arguments = self.planner.arguments(selected)?;
        let Some(given) = arguments.get("filter").filter(|value| !matches!(value, Given::Null)) else {
            return Ok(None);
        };
        let filter = filter::parse(self.selection.ty, Some(given))?;
        self.planner.count_filter(&filter)?;
        Ok(Some(self.grouping.filter(filter)))
    }

    fn measure(&mut self, function: Function, column: Option<usize>, filter: Option<usize>) -> usize {
        self.grouping.measure(Measure { function, column, filter })
    }

    /// How a value is written, of the group or of the one earlier.
    fn written(&mut self, value: GroupValue, prior: Option<PriorPeriod>) -> Value {
        let place = self.grouping.value(value);
        self.place(place, prior)
    }

    fn place(&mut self, place: usize, prior: Option<PriorPeriod>) -> Value {
        let place = match prior {
            Some(period) => self.grouping.value(GroupValue::Prior(period, place)),
            None => place,
        };
        let slot = self.selection.column(SelectedColumn::Group(place));
        Value::SelectedColumn(slot, Writer::new(self.grouping.kind(place)))
    }

    fn slot(&mut self, value: GroupValue) -> usize {
        let place = self.grouping.value(value);
        self.selection.column(SelectedColumn::Group(place))
    }
}

/// The place of what is told of a column.
fn figure_of(grouping: &mut Grouping, how: How, at: Option<f64>, column: usize, filter: Option<usize>) -> usize {
    let mut measure = |function| grouping.measure(Measure { function, column: Some(column), filter });
    match how {
        How::Function(function) => measure(function),
        How::Percentile => measure(Function::Percentile(at.unwrap_or_default())),
        How::Share => {
            let sum = measure(Function::Sum);
            grouping.value(GroupValue::Share(sum))
        }
        How::Running => {
            let sum = measure(Function::Sum);
            grouping.value(GroupValue::Running(sum))
        }
    }
}

/// The keys that a client names.
fn keys(ty: &'static Type, value: Option<&Given>) -> Result<Vec<GroupKey>> {
    let items = value.map_or(&[][..], items);
    if items.is_empty() || items.len() > MOST_KEYS {
        return Err(Error::invalid(
            "by",
            format!("Groups have 1 to {MOST_KEYS} keys. For all rows together ask for aggregate."),
        ));
    }
    let mut keys: Vec<GroupKey> = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let path = format!("by.{i}");
        let key = key(ty, item, &path, Vec::new())?;
        if keys.iter().any(|known| known.path == key.path && known.column == key.column) {
            return Err(Error::invalid(path, "This is a key already. Each column can be a key once."));
        }
        if key.bucket.is_some() && keys.iter().any(|known| known.bucket.is_some()) {
            return Err(Error::invalid(path, "One key is of time. Take the other column as a filter, or ask twice."));
        }
        keys.push(key);
    }
    Ok(keys)
}

fn key(ty: &'static Type, value: &Given, path: &str, mut steps: Vec<Relation>) -> Result<GroupKey> {
    let (field, value) = only(value, path)?;
    let path = format!("{path}.{field}");
    match ty.field(field).map(|field| &field.source) {
        Some(Source::Column(column)) if ty.figure(column).is_some() => {
            let Given::Object(options) = value else { return Err(Error::invalid(path, "A key has options: {}.")) };
            let is_time = matches!(column.kind, Kind::Date | Kind::Timestamp);
            let named = options.get("bucket").map(name).unwrap_or_default();
            let bucket = Bucket::ALL.iter().find(|(known, ..)| *known == named).map(|(_, bucket, _)| *bucket);
            Ok(GroupKey {
                path: steps,
                column: column.index,
                bucket: is_time.then_some(bucket.unwrap_or(Bucket::Day)),
                nulls_first: options.get("nulls").map(name).as_deref() == Some("FIRST"),
            })
        }
        Some(Source::Relation(relation)) if !relation.many => {
            if steps.len() == MOST_STEPS {
                return Err(Error::invalid(path, format!("A key may reach through {MOST_STEPS} relations.")));
            }
            steps.push(*relation);
            key(&Model::get().types[relation.to], value, &path, steps)
        }
        _ => Err(Error::invalid(path, format!("{} cannot be grouped by {field}.", ty.name))),
    }
}

/// The order of groups: as asked for, and then by all keys.
fn order(grouping: &mut Grouping, value: Option<&Given>) -> Result<Vec<Term>> {
    let items = value.map_or(&[][..], items);
    if items.len() > MOST_TERMS {
        return Err(Error::invalid("orderBy", format!("An order has at most {MOST_TERMS} terms.")));
    }
    let mut terms: Vec<Term> = Vec::new();
    let mut push = |place: usize, descending: bool, nulls_first: bool| {
        let column = SelectedColumn::Group(place);
        if !terms.iter().any(|term| term.column == column) {
            terms.push(Term { column, descending, nulls_first, nullable: true });
        }
    };
    for (i, item) in items.iter().enumerate() {
        let (place, descending, nulls_first) =
            term(grouping, grouping.ty, item, &format!("orderBy.{i}"), &mut Vec::new())?;
        push(place, descending, nulls_first);
    }
    // Subtotals come behind what they are of.
    if grouping.rollup {
        for place in 0..grouping.keys.len() {
            push(place, false, grouping.keys[place].nulls_first);
        }
        push(grouping.value(GroupValue::Depth), true, false);
    }
    for place in 0..grouping.keys.len() {
        push(place, false, grouping.keys[place].nulls_first);
    }
    Ok(terms)
}

/// A term: the place of what is ordered by, whether it descends, and whether nulls come first.
fn term(
    grouping: &mut Grouping,
    ty: &'static Type,
    value: &Given,
    path: &str,
    steps: &mut Vec<Relation>,
) -> Result<(usize, bool, bool)> {
    let (field, value) = only(value, path)?;
    let path = format!("{path}.{field}");
    if field == "count" && steps.is_empty() {
        let count = grouping.measure(Measure { function: Function::Count, column: None, filter: None });
        return Ok((count, name(value) == "DESC", false));
    }
    match ty.field(field).map(|field| &field.source) {
        Some(Source::Column(column)) => {
            let (what, direction) = only(value, &path)?;
            let descending = name(direction) == "DESC";
            if what == "key" {
                let place = grouping.keys.iter().position(|key| key.path == *steps && key.column == column.index);
                let place = place.ok_or_else(|| {
                    Error::invalid(&path, "This is no key. Groups are ordered by their keys, or by figures.")
                })?;
                return Ok((place, descending, grouping.keys[place].nulls_first));
            }
            if !steps.is_empty() {
                return Err(Error::invalid(path, "Of what rows refer to, groups are ordered by the key only."));
            }
            let told = ty.figure(column).map(figures::all).unwrap_or_default().iter().find(|told| told.name == what);
            let told = told.ok_or_else(|| Error::invalid(&path, format!("Groups cannot be ordered by {what}.")))?;
            Ok((figure_of(grouping, told.how, None, column.index, None), descending, false))
        }
        Some(Source::Relation(relation)) if !relation.many => {
            steps.push(*relation);
            let term = term(grouping, &Model::get().types[relation.to], value, &path, steps);
            steps.pop();
            term
        }
        _ => Err(Error::invalid(path, format!("Groups cannot be ordered by {field}."))),
    }
}

/// What groups must satisfy, as a client wrote it.
fn having(grouping: &mut Grouping, value: &Given, path: &str, left: &mut usize) -> Result<Having> {
    let Given::Object(entries) = value else { return Err(Error::invalid(path, "A condition is an object.")) };
    let mut all = Vec::new();
    for (field, value) in entries {
        let path = format!("{path}.{field}");
        *left = left.checked_sub(1).ok_or_else(|| {
            Error::invalid(&path, format!("Groups may have {MOST_VALUES} conditions. Ask for less at once."))
        })?;
        if matches!(value, Given::Null) {
            return Err(Error::invalid(
                &path,
                "A condition must not be null: leave it out, or ask for nulls with isNull.",
            ));
        }
        all.push(match field.as_str() {
            "and" => Having::All(listed(grouping, value, &path, left)?),
            "or" => Having::Any(listed(grouping, value, &path, left)?),
            "not" => Having::Not(Box::new(having(grouping, value, &path, left)?)),
            "count" => {
                let count = grouping.measure(Measure { function: Function::Count, column: None, filter: None });
                conditions(grouping, count, value, &path)?
            }
            name => {
                let (_, column, figure) = figures::columns(grouping.ty)
                    .find(|(known, ..)| *known == name)
                    .ok_or_else(|| no_field(grouping.ty.name, name))?;
                let Given::Object(entries) = value else {
                    return Err(Error::invalid(path, "A condition is an object."));
                };
                let mut of_column = Vec::new();
                for (what, value) in entries {
                    let path = format!("{path}.{what}");
                    let told = figures::all(figure).iter().find(|told| told.name == what.as_str());
                    let told = told.ok_or_else(|| no_field(figures::type_name(figure), what))?;
                    let place = figure_of(grouping, told.how, None, column.index, None);
                    of_column.push(conditions(grouping, place, value, &path)?);
                }
                Having::All(of_column)
            }
        });
    }
    Ok(Having::All(all))
}

fn listed(grouping: &mut Grouping, value: &Given, path: &str, left: &mut usize) -> Result<Vec<Having>> {
    items(value).iter().enumerate().map(|(i, item)| having(grouping, item, &format!("{path}.{i}"), left)).collect()
}

fn conditions(grouping: &Grouping, place: usize, value: &Given, path: &str) -> Result<Having> {
    let conditions = filter::conditions(grouping.kind(place), value, path)?;
    Ok(Having::All(conditions.into_iter().map(|condition| Having::Value(place, condition)).collect()))
}

/// What a cursor of these groups must carry to be taken again.
fn fingerprint(rows: &Page, grouping: &Grouping, order: &[Term]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (grouping.ty.name, &rows.filter, &rows.search, &grouping.keys, grouping.rollup, grouping.fill).hash(&mut hasher);
    grouping.having.hash(&mut hasher);
    for term in order {
        (term.column, term.descending, term.nulls_first).hash(&mut hasher);
    }
    hasher.finish()
}

/// The only entry of an object.
fn only<'v>(value: &'v Given, path: &str) -> Result<(&'v str, &'v Given)> {
    let entries = match value {
        Given::Object(entries) => entries.iter().filter(|(_, value)| !matches!(value, Given::Null)).collect(),
        _ => Vec::new(),
    };
    match entries.as_slice() {
        [(name, value)] => Ok((name.as_str(), value)),
        _ => Err(Error::invalid(
            path,
            "Each object names exactly one field: for several, write a list of objects with one field each.",
        )),
    }
}

fn name(value: &Given) -> String {
    match value {
        Given::Enum(name) => name.to_string(),
        Given::String(name) => name.clone(),
        _ => String::new(),
    }
}

/// A share, from 0 to 1.
fn share(value: Option<&Given>) -> Result<f64> {
    let share = match value {
        Some(Given::Number(number)) => number.as_f64(),
        _ => None,
    };
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| Error::invalid("at", "This must be a number from 0 to 1: 0.9 for the ninth decile."))
}
