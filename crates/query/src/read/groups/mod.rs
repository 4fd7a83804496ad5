//! Groups of rows, and what is told of each: what a client asks for, and the statement that answers it.
//!
//! A group stands where a row would stand: the statement's `t` is then not a table, but what is written here, with a column for
//! each [`GroupValue`] (`g0`, `g1` …). So pages, orders, cursors and totals are those of rows.

mod between;
mod own_rows;

use aether_domain::metric::Nature;
use aether_entity::catalog::Kind;

use super::{
    buckets::{Bucket, PriorPeriod},
    filter::{Condition, Filter},
};
use crate::{
    actor::Audience,
    error::{Error, Result},
    model::{Figure, Kinds, Model, Relation, Type},
    rows::Rows,
    sql::{Alias, Sql},
};

/// How many buckets may be filled: a century by week.
const MOST_BUCKETS: u64 = 5_300;

/// What rows are grouped by, and what is told of each group. Without keys there is one group: all rows.
pub struct Grouping {
    /// The type of the rows.
    pub ty: &'static Type,
    /// By what.
    pub keys: Vec<GroupKey>,
    /// Whether there are subtotals: groups by the first keys only, and of all rows.
    pub rollup: bool,
    /// Whether buckets of time in which there is nothing have a group, too.
    pub fill: bool,
    /// What groups must satisfy.
    pub having: Having,
    /// What of the rows is known beforehand, by the filter of all of them.
    pub known: Filter,
    filters: Vec<Filter>,
    values: Vec<GroupValue>,
}

/// Something to group by: a column of the rows, or of what they refer to.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct GroupKey {
    /// The relations that lead there.
    pub path: Vec<Relation>,
    /// The column there.
    pub column: usize,
    /// Of days and moments: how long a time is one key.
    pub bucket: Option<Bucket>,
    /// Whether the group without a value comes first.
    pub nulls_first: bool,
}

/// Something told of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GroupValue {
    /// A key, by its place.
    Key(usize),
    /// How many keys the group has of its own.
    Depth,
    /// Worked out of the group's rows.
    Measure(Measure),
    /// The ids of its first rows, at most so many.
    Rows(u64),
    /// The share that a group has in the sum of all, of this measure.
    Share(usize),
    /// The sum of this measure with that of the groups before.
    Running(usize),
    /// Whether the rows of all groups differ in a column, of which these are the lowest and the highest value.
    Several(usize, usize),
    /// Whether there are more buckets to fill than may be.
    Endless,
    /// This value of the same group earlier.
    Prior(PriorPeriod, usize),
    /// Whether there is such a group.
    HasPrior(PriorPeriod),
}

/// A figure worked out of the rows of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// How.
    pub function: Function,
    /// Of which column; none: of the rows.
    pub column: Option<usize>,
    /// Of which rows only, by the filter's place.
    pub filter: Option<usize>,
}

/// How a figure is worked out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// How many there are; of a column, how many values.
    Count,
    /// How many different values.
    CountDistinct,
    /// Their sum.
    Sum,
    /// Their mean.
    Avg,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The standard deviation of a sample.
    Stddev,
    /// The variance of a sample.
    Variance,
    /// The median.
    Median,
    /// The least value that this share of the values does not exceed.
    Percentile(f64),
    /// Whether one is true.
    Any,
    /// Whether all are.
    Every,
    /// The first value, byte by byte.
    Lowest,
    /// The last value, byte by byte.
    Highest,
    /// Whether all values may be added over time, as the column of this place says.
    Flow,
}

/// What groups must satisfy.
#[derive(Debug, Clone, PartialEq, Hash)]
pub enum Having {
    /// All of them; none given is true.
    All(Vec<Having>),
    /// At least one of them; none given is false.
    Any(Vec<Having>),
    /// Not that, null included.
    Not(Box<Having>),
    /// A condition on a value of the group.
    Value(usize, Condition),
}

impl Grouping {
    /// Groups of rows of this type that satisfy this, of which nothing is told yet but their keys.
    pub fn new(ty: &'static Type, known: Filter, keys: Vec<GroupKey>) -> Self {
        let values = (0..keys.len()).map(GroupValue::Key).collect();
        let (rollup, fill, having) = (false, false, Having::All(Vec::new()));
        Self { ty, keys, rollup, fill, having, known, filters: Vec::new(), values }
    }

    /// The place of a value, told from now on if it was not yet.
    pub fn value(&mut self, value: GroupValue) -> usize {
        match value {
            GroupValue::Share(of) | GroupValue::Running(of) => {
                self.needs_nature(of);
                if self.rollup {
                    self.value(GroupValue::Depth);
                }
            }
            _ => {}
        }
        self.values.iter().position(|known| *known == value).unwrap_or_else(|| {
            self.values.push(value);
            self.values.len() - 1
        })
    }

    /// The place of a measure; where its rows must agree in a column for it, that is looked at, too.
    pub fn measure(&mut self, measure: Measure) -> usize {
        if let Some(column) = measure.column.filter(|_| measure.function.is_of_amounts()) {
            for apart in self.apart(column, measure.filter) {
                let of =
                    |function| GroupValue::Measure(Measure { function, column: Some(apart), filter: measure.filter });
                let (lowest, highest) = (self.value(of(Function::Lowest)), self.value(of(Function::Highest)));
                self.value(GroupValue::Several(lowest, highest));
            }
        }
        self.value(GroupValue::Measure(measure))
    }

    /// The place of a filter of a measure.
    pub fn filter(&mut self, filter: Filter) -> usize {
        self.filters.iter().position(|known| *known == filter).unwrap_or_else(|| {
            self.filters.push(filter);
            self.filters.len() - 1
        })
    }

    /// How many values are told.
    pub fn width(&self) -> usize {
        self.values.len()
    }

    /// The type of a value.
    pub fn kind(&self, value: usize) -> Kind {
        match self.values[value] {
            GroupValue::Key(key) => self.keys[key].kind(self.ty),
            GroupValue::Depth => Kind::Int,
            GroupValue::Rows(_) => Kind::UuidList,
            GroupValue::Share(_) | GroupValue::Running(_) => Kind::Decimal,
            GroupValue::HasPrior(_) | GroupValue::Several(..) | GroupValue::Endless => Kind::Boolean,
            GroupValue::Prior(_, of) => self.kind(of),
            GroupValue::Measure(Measure { function, column, .. }) => match function {
                Function::Count | Function::CountDistinct => Kind::Int,
                Function::Any | Function::Every | Function::Flow => Kind::Boolean,
                Function::Min | Function::Max | Function::Lowest | Function::Highest => {
                    match column.map(|column| self.ty.column(column).kind) {
                        Some(Kind::Int | Kind::BigInt) if !column.is_some_and(|column| self.is_ordinal(column)) => {
                            Kind::Decimal
                        }
                        Some(kind) => kind,
                        None => Kind::Int,
                    }
                }
                _ => Kind::Decimal,
            },
        }
    }

    /// The column that is a bucket of time, if one is.
    pub fn time(&self) -> Option<(usize, Bucket)> {
        self.keys.iter().enumerate().find_map(|(place, key)| Some((place, key.bucket?)))
    }

    fn is_ordinal(&self, column: usize) -> bool {
        self.ty.columns().any(|(_, of)| of.index == column && self.ty.figure(&of) == Some(Figure::Ordinal))
    }

    fn is_known(&self, column: usize, filter: Option<usize>) -> bool {
        self.known.only(column).is_some() || filter.is_some_and(|filter| self.filters[filter].only(column).is_some())
    }

    fn key_of(&self, column: usize) -> Option<usize> {
        self.keys.iter().position(|key| key.path.is_empty() && key.column == column && key.bucket.is_none())
    }

    /// The columns in which the rows may differ, and must not for this column's values to be taken together.
    fn apart(&self, column: usize, filter: Option<usize>) -> Vec<usize> {
        self.ty.apart(column).filter(|apart| !self.is_known(*apart, filter) && self.key_of(*apart).is_none()).collect()
    }

    /// The places of the keys that keep rows apart of which this column's values must not be taken together.
    fn apart_keys(&self, column: usize) -> impl Iterator<Item = usize> {
        self.ty.apart(column).filter_map(|apart| self.key_of(apart))
    }

    /// The nature of all of a column's values, if it is known beforehand.
    fn nature(&self, kinds: Kinds, filter: Option<usize>) -> Option<Nature> {
        let own = filter.and_then(|filter| self.filters[filter].only(kinds.column));
        let label = own.or_else(|| self.known.only(kinds.column))?;
        aether_domain::metric::Kind::from_name(label).map(aether_domain::metric::Kind::nature)
    }

    /// Has it told what the sums over groups depend on.
    fn needs_nature(&mut self, of: usize) {
        let GroupValue::Measure(Measure { column: Some(column), filter, .. }) = self.values[of] else { return };
        let Some(kinds) = self.ty.kinds(column) else { return };
        self.value(GroupValue::Measure(Measure { function: Function::Flow, column: Some(kinds.column), filter }));
        for function in [Function::Min, Function::Max] {
            self.value(GroupValue::Measure(Measure { function, column: Some(kinds.date), filter }));
        }
    }

    fn place(&self, value: GroupValue) -> Option<usize> {
        self.values.iter().position(|known| *known == value)
    }

    /// Refuses what was worked out of rows that must not be taken together.
    pub(super) fn check(
        &self,
        rows: &Rows,
        first_column: usize,
        selected: impl Fn(usize) -> Option<usize>,
    ) -> Result<()> {
        for place in self.guards() {
            let Some(slot) = selected(place) else { continue };
            for row in rows.iter() {
                if row.at::<Option<bool>>(first_column + slot)? == Some(true) {
                    return Err(self.refusal(place));
                }
            }
        }
        Ok(())
    }

    /// What is said where nothing may be told, for the first of the reasons that there may be.
    pub(super) fn refused(&self) -> Error {
        self.guards()
            .next()
            .map_or_else(|| Error::internal("groups that were refused for nothing"), |place| self.refusal(place))
    }

    fn refusal(&self, guard: usize) -> Error {
        let column = match self.values[guard] {
            GroupValue::Several(lowest, _) => match self.values[lowest] {
                GroupValue::Measure(Measure { column, .. }) => column,
                _ => None,
            },
            _ => None,
        };
        match column {
            Some(column) => self.several(column),
            None => Error::invalid(
                "fill",
                format!(
                    "Between the first and the last bucket there are more than {MOST_BUCKETS}. Filter by the days that you are \
                     interested in, or take longer buckets."
                ),
            ),
        }
    }

    fn several(&self, column: usize) -> Error {
        let field = self.ty.columns().find(|(_, known)| known.index == column).map_or("", |(field, _)| &field.name);
        let how = if self.keys.is_empty() {
            format!("Ask for groups by {field}, or filter by one")
        } else {
            format!("Add {field} to the keys, or filter by one")
        };
        Error::Mixed {
            field: field.into(),
            message: format!(
                "These are figures of rows that differ in {field}, which must not be taken together or compared. {how}."
            ),
        }
    }

    /// The values that are to be selected beside what the client asked for: whether rows were mixed.
    pub fn guards(&self) -> impl Iterator<Item = usize> {
        self.values.iter().enumerate().filter(|(_, value)| value.is_guard()).map(|(place, _)| place)
    }

    /// The condition on groups, over `t`.
    pub(super) fn condition(&self) -> Sql {
        let mut sql = Sql::new();
        if self.having == Having::All(Vec::new()) {
            sql.push("true");
            return sql;
        }
        sql.push("(");
        self.having.sql(&mut sql, self);
        // What was mixed is not left out, but refused.
        for guard in self.guards() {
            sql.push(" OR t.g").number(guard as u64);
        }
        sql.push(")");
        sql
    }

    /// The groups of the rows `r` of its type that satisfy a condition, as a table.
    pub(super) fn table(&self, rows: Alias, condition: &Sql, audience: Audience) -> Sql {
        let mut grouped = Sql::new();
        grouped.push("SELECT ");
        for (place, value) in self.of_rows() {
            if place > 0 {
                grouped.push(", ");
            }
            self.of_row(&mut grouped, value);
            grouped.push(" AS g").number(place as u64);
        }
        grouped.push(" FROM (").append(&self.rows(rows, condition, audience)).push(") r");
        for place in 0..self.keys.len() {
            grouped.push(match (place, self.rollup) {
                (0, true) => " GROUP BY ROLLUP (r.k",
                (0, false) => " GROUP BY r.k",
                _ => ", r.k",
            });
            grouped.number(place as u64);
        }
        if self.rollup && !self.keys.is_empty() {
            grouped.push(")");
        }
        if self.values.iter().all(GroupValue::is_of_rows) && !self.fill {
            return grouped;
        }
        self.compared(grouped)
    }
}

impl GroupValue {
    fn is_of_rows(&self) -> bool {
        matches!(self, Self::Key(_) | Self::Depth | Self::Measure(_) | Self::Rows(_))
    }

    fn is_guard(&self) -> bool {
        matches!(self, Self::Several(..) | Self::Endless)
    }
}

impl GroupKey {
    /// The type that the column is of.
    pub fn ty(&self, from: &'static Type) -> &'static Type {
        self.path.last().map_or(from, |relation| &Model::get().types[relation.to])
    }

    /// The type of the key's values.
    fn kind(&self, from: &'static Type) -> Kind {
        match self.bucket {
            Some(_) => Kind::Date,
            None => self.ty(from).column(self.column).kind,
        }
    }
}

impl Having {
    fn sql(&self, sql: &mut Sql, grouping: &Grouping) {
        let listed = |sql: &mut Sql, all: &[Self], with: &'static str, empty: &'static str| {
            sql.push("(").push(if all.is_empty() { empty } else { "" });
            for (i, one) in all.iter().enumerate() {
                sql.push(if i > 0 { with } else { "" });
                one.sql(sql, grouping);
            }
            sql.push(")");
        };
        match self {
            Self::All(all) => listed(sql, all, " AND ", "true"),
            Self::Any(all) => listed(sql, all, " OR ", "false"),
            Self::Not(inner) => {
                sql.push("(");
                inner.sql(sql, grouping);
                sql.push(") IS NOT TRUE");
            }
            Self::Value(place, condition) => {
                let mut column = Sql::new();
                column.push("t.g").number(*place as u64);
                condition.sql(sql, &column, grouping.kind(*place));
            }
        }
    }
}
