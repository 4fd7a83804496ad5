//! Groups of rows, and what is told of each: what a client asks for, and the statement that answers it.
//!
//! A group stands where a row would stand: the statement's `t` is then not a table, but what is written here, with a column for
//! each [`GroupValue`] (`g0`, `g1` …). So pages, orders, cursors and totals are those of rows.

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
    scope,
    sql::{Alias, NATURAL_ORDER, Sql},
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

    /// What is worked out of a group's own rows, with a place each. The first is always one of these.
    fn of_rows(&self) -> impl Iterator<Item = (usize, GroupValue)> {
        self.values.iter().copied().enumerate().filter(|(_, value)| value.is_of_rows())
    }

    /// The rows: their keys, and the columns that measures look at.
    fn rows(&self, alias: Alias, condition: &Sql, audience: Audience) -> Sql {
        let mut columns = Sql::new();
        let mut joins = Sql::new();
        let mut paths: Vec<&[Relation]> = Vec::new();
        for (place, key) in self.keys.iter().enumerate() {
            let at = joined(&mut joins, &mut paths, &key.path, alias, audience);
            let to = key.ty(self.ty);
            let column = scope::column(to, key.column, at, audience);
            columns.push(if place > 0 { ", " } else { "" });
            match key.bucket {
                Some(bucket) => columns.append(&bucket.of(&column, to.column(key.column).kind)),
                None => columns.append(&column),
            };
            columns.push(" AS k").number(place as u64);
        }
        let mut known: Vec<usize> = Vec::new();
        for (_, value) in self.of_rows() {
            for column in self.columns_of(value) {
                if known.contains(&column) {
                    continue;
                }
                columns.push(if columns == Sql::new() { "" } else { ", " });
                columns.append(&scope::column(self.ty, column, alias, audience));
                columns.push(" AS c").number(column as u64);
                known.push(column);
            }
        }
        for (place, filter) in self.filters.iter().enumerate() {
            columns.push(if columns == Sql::new() { "" } else { ", " }).push("(");
            filter.sql(&mut columns, self.ty, alias, audience);
            columns.push(") AS f").number(place as u64);
        }
        let mut sql = Sql::new();
        sql.push("SELECT ").append(&columns).push(" FROM ").push(self.ty.table.name).push(" ").alias(alias);
        sql.append(&joins).push(" WHERE ").append(condition);
        sql
    }

    /// The columns that a value is worked out of.
    fn columns_of(&self, value: GroupValue) -> Vec<usize> {
        match value {
            GroupValue::Measure(Measure { column: Some(column), .. }) => {
                let kinds = self.ty.kinds(column).map(|kinds| [kinds.column, kinds.date]);
                std::iter::once(column).chain(kinds.into_iter().flatten()).collect()
            }
            GroupValue::Rows(_) => {
                std::iter::once(self.ty.id_column()).chain(self.ty.order.iter().map(|(column, _)| *column)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The ids of the first rows, in the order of the type.
    fn first_rows(&self, sql: &mut Sql, most: u64) {
        let id = self.ty.id_column();
        sql.push("(array_agg(r.c").number(id as u64).push(" ORDER BY ");
        for (column, descending) in &self.ty.order {
            sql.push("r.c").number(*column as u64);
            if matches!(self.ty.column(*column).kind, Kind::Text) {
                sql.push(NATURAL_ORDER);
            }
            sql.push(if *descending { " DESC NULLS LAST, " } else { ", " });
        }
        sql.push("r.c").number(id as u64).push("))[1:").number(most).push("]");
    }

    fn of_row(&self, sql: &mut Sql, value: GroupValue) {
        match value {
            GroupValue::Key(key) => {
                sql.push("r.k").number(key as u64);
            }
            GroupValue::Depth => {
                sql.number(self.keys.len() as u64);
                if self.rollup {
                    for place in 0..self.keys.len() {
                        sql.push(" - GROUPING(r.k").number(place as u64).push(")");
                    }
                }
            }
            GroupValue::Measure(measure) => self.worked_out(sql, measure),
            GroupValue::Rows(most) => self.first_rows(sql, most),
            GroupValue::Share(_)
            | GroupValue::Running(_)
            | GroupValue::Several(..)
            | GroupValue::Endless
            | GroupValue::Prior(..)
            | GroupValue::HasPrior(_) => {}
        }
    }

    /// A measure; null where its values must not be taken together.
    fn worked_out(&self, sql: &mut Sql, measure: Measure) {
        let Measure { function, column, filter } = measure;
        let Some(column) = column else {
            sql.push("count(*)");
            only(sql, filter);
            sql.push("::integer");
            return;
        };
        let mut never = Sql::new();
        if function.is_of_amounts() && self.rollup {
            // Of a subtotal over currencies nobody could say in which it is.
            for place in self.apart_keys(column) {
                never
                    .push(if never == Sql::new() { "" } else { " OR " })
                    .push("GROUPING(r.k")
                    .number(place as u64)
                    .push(") = 1");
            }
        }
        if let (true, Some(kinds)) = (function.adds_up(), self.ty.kinds(column)) {
            self.not_added(&mut never, kinds, filter, function == Function::Sum);
        }
        if never != Sql::new() {
            sql.push("CASE WHEN ").append(&never).push(" THEN NULL ELSE ");
        }
        function.sql(sql, column, self.kind_of(column), filter);
        if never != Sql::new() {
            sql.push(" END");
        }
    }

    fn kind_of(&self, column: usize) -> Kind {
        match self.ty.column(column).kind {
            kind @ (Kind::Int | Kind::BigInt) if self.is_ordinal(column) => kind,
            Kind::Int | Kind::BigInt => Kind::Decimal,
            kind => kind,
        }
    }

    fn bytewise(&self, place: usize) -> &'static str {
        bytewise(self.kind(place))
    }

    /// That values are ratios, which are neither added nor averaged; and where they are `added`, that they are stocks of several days.
    fn not_added(&self, sql: &mut Sql, kinds: Kinds, filter: Option<usize>, added: bool) {
        let nature = self.nature(kinds, filter);
        let or = |sql: &mut Sql| {
            sql.push(if *sql == Sql::new() { "" } else { " OR " });
        };
        if nature.is_none_or(|nature| nature == Nature::Ratio) {
            or(sql);
            of_nature(sql, "bool_or", kinds, Nature::Ratio, filter);
        }
        if added && nature.is_none_or(|nature| nature == Nature::Stock) {
            or(sql);
            if nature.is_none() {
                of_nature(sql, "bool_or", kinds, Nature::Stock, filter);
                sql.push(" AND ");
            }
            sql.push("min(r.c").number(kinds.date as u64).push(")");
            only(sql, filter);
            sql.push(" IS DISTINCT FROM max(r.c").number(kinds.date as u64).push(")");
            only(sql, filter);
        }
    }

    /// The groups with what is known only of several of them: shares, running sums, empty buckets, the groups before.
    fn compared(&self, grouped: Sql) -> Sql {
        let mut sql = Sql::new();
        sql.push("WITH g AS (").append(&grouped).push(")");
        let mut from = "g";
        if let (true, Some((time, bucket))) = (self.fill, self.time()) {
            sql.push(", s AS (SELECT generate_series(min(g").number(time as u64).push(")::timestamp, max(g");
            sql.number(time as u64).push(")::timestamp, '").push(bucket.length()).push("')::date AS at FROM g LIMIT ");
            sql.number(MOST_BUCKETS + 1).push("), f AS (").append(&self.filled(time)).push(")");
            from = "f";
        }
        sql.push(", w AS (SELECT ").push(from).push(".*");
        for (place, value) in self.values.iter().enumerate() {
            match *value {
                GroupValue::Share(of) => self.share(sql.push(", "), of),
                GroupValue::Running(of) => self.running(sql.push(", "), of),
                GroupValue::Several(lowest, highest) => {
                    sql.push(", min(g")
                        .number(lowest as u64)
                        .push(self.bytewise(lowest))
                        .push(") OVER () IS DISTINCT FROM max(g");
                    sql.number(highest as u64).push(self.bytewise(highest)).push(") OVER ()");
                }
                GroupValue::Endless => {
                    sql.push(", (SELECT count(*) FROM s) > ").number(MOST_BUCKETS);
                }
                _ => continue,
            }
            sql.push(" AS g").number(place as u64);
        }
        sql.push(" FROM ").push(from).push(") SELECT w.*");
        let mut periods: Vec<PriorPeriod> = Vec::new();
        let time = self.time().map_or(0, |(time, _)| time);
        for (place, value) in self.values.iter().enumerate() {
            let (period, of) = match *value {
                GroupValue::Prior(period, of) => (period, Some(of)),
                GroupValue::HasPrior(period) => (period, None),
                _ => continue,
            };
            let known = periods.iter().position(|known| *known == period).unwrap_or_else(|| {
                periods.push(period);
                periods.len() - 1
            });
            match of {
                Some(of) => sql.push(", p").number(known as u64).push(".g").number(of as u64),
                None => sql.push(", p").number(known as u64).push(".g").number(time as u64).push(" IS NOT NULL"),
            };
            sql.push(" AS g").number(place as u64);
        }
        sql.push(" FROM w");
        for (place, period) in periods.iter().enumerate() {
            let Some((time, bucket)) = self.time() else { continue };
            sql.push(" LEFT JOIN w p")
                .number(place as u64)
                .push(" ON p")
                .number(place as u64)
                .push(".g")
                .number(time as u64);
            sql.push(" = (w.g").number(time as u64).push(" - interval '").push(period.length(bucket)).push("')::date");
            let others = self.others(time);
            if !others.is_empty() {
                sql.push(" AND ");
                together(&mut sql, &others, "w", None);
                sql.push(" = ");
                together(&mut sql, &others, "p", Some(place as u64));
            }
        }
        sql
    }

    /// The places of all keys but that of time, and of the depth.
    fn others(&self, time: usize) -> Vec<usize> {
        let keys = (0..self.keys.len()).filter(|place| *place != time);
        keys.chain(self.place(GroupValue::Depth)).collect()
    }

    /// The groups, and one without rows for each bucket between the first and the last in which another has none.
    fn filled(&self, time: usize) -> Sql {
        let others: Vec<usize> = (0..self.keys.len()).filter(|place| *place != time).collect();
        let mut sql = Sql::new();
        let list = |sql: &mut Sql, filled: bool| {
            for (i, (place, value)) in self.of_rows().enumerate() {
                sql.push(if i > 0 { ", " } else { "" });
                let is_count = matches!(
                    value,
                    GroupValue::Measure(Measure { function: Function::Count | Function::CountDistinct, .. })
                );
                match value {
                    _ if !filled => sql.push("g.g").number(place as u64),
                    GroupValue::Key(key) if key == time => sql.push("s.at"),
                    GroupValue::Key(_) => sql.push("o.g").number(place as u64),
                    GroupValue::Depth => sql.number(self.keys.len() as u64),
                    _ if is_count => sql.push("coalesce(g.g").number(place as u64).push(", 0)"),
                    _ => sql.push("g.g").number(place as u64),
                };
                sql.push(" AS g").number(place as u64);
            }
        };
        sql.push("SELECT ");
        list(&mut sql, true);
        sql.push(" FROM (SELECT ");
        if others.is_empty() {
            sql.push("1");
        } else {
            sql.push("DISTINCT ");
            for (i, place) in others.iter().enumerate() {
                sql.push(if i > 0 { ", g" } else { "g" }).number(*place as u64);
            }
            sql.push(" FROM g WHERE g").number(time as u64).push(" IS NOT NULL");
        }
        sql.push(") o CROSS JOIN s LEFT JOIN g ON g.g");
        sql.number(time as u64).push(" = s.at");
        if !others.is_empty() {
            sql.push(" AND ");
            together(&mut sql, &others, "g", None);
            sql.push(" = ");
            together(&mut sql, &others, "o", None);
        }
        sql.push(" UNION ALL SELECT ");
        list(&mut sql, false);
        sql.push(" FROM g WHERE g.g").number(time as u64).push(" IS NULL");
        sql
    }

    /// The keys within which sums of a measure over groups are meaningful, by which they are therefore kept apart.
    fn partition(&self, sql: &mut Sql, of: usize, by: impl Iterator<Item = usize>) {
        let mut places = self.apart_keys_of(of);
        places.extend(by);
        places.extend(self.place(GroupValue::Depth).filter(|_| self.rollup));
        places.sort_unstable();
        places.dedup();
        for (i, place) in places.iter().enumerate() {
            sql.push(if i > 0 { ", g" } else { "PARTITION BY g" }).number(*place as u64);
        }
    }

    /// The places of the keys that keep the rows of a measure apart.
    fn apart_keys_of(&self, of: usize) -> Vec<usize> {
        match self.values[of] {
            GroupValue::Measure(Measure { column: Some(column), .. }) => self.apart_keys(column).collect(),
            _ => Vec::new(),
        }
    }

    fn share(&self, sql: &mut Sql, of: usize) {
        let mut over = Sql::new();
        over.push(" OVER (");
        self.partition(&mut over, of, std::iter::empty());
        over.push(")");
        if let Some([flow, first, last]) = self.nature_places(of) {
            sql.push("CASE WHEN bool_and(g").number(flow).push(")").append(&over);
            sql.push(" OR min(g").number(first).push(")").append(&over).push(" = max(g").number(last).push(")");
            sql.append(&over).push(" THEN ");
        }
        sql.push("round(g")
            .number(of as u64)
            .push(" / nullif(sum(g")
            .number(of as u64)
            .push(")")
            .append(&over)
            .push(", 0), 6)");
        sql.push(if self.nature_places(of).is_some() { " END" } else { "" });
    }

    fn running(&self, sql: &mut Sql, of: usize) {
        let nature = self.nature_places(of);
        let time = self.time().map(|(time, _)| time);
        let spans = self.place(GroupValue::Depth).zip(self.apart_keys_of(of).into_iter().max()).filter(|_| self.rollup);
        if let Some((depth, last)) = spans {
            sql.push("CASE WHEN g").number(depth as u64).push(" > ").number(last as u64).push(" THEN ");
        }
        sql.push("sum(");
        if let Some([flow, ..]) = nature {
            sql.push("CASE WHEN g").number(flow).push(" THEN ");
        }
        sql.push("g").number(of as u64).push(if nature.is_some() { " END" } else { "" }).push(") OVER (");
        match time {
            Some(time) => self.partition(sql, of, (0..self.keys.len()).filter(move |place| *place != time)),
            None => self.partition(sql, of, std::iter::empty()),
        }
        sql.push(" ORDER BY ");
        for (i, place) in time.map_or_else(|| (0..self.keys.len()).collect(), |time| vec![time]).into_iter().enumerate()
        {
            sql.push(if i > 0 { ", g" } else { "g" }).number(place as u64);
            if matches!(self.kind(place), Kind::Text) {
                sql.push(NATURAL_ORDER);
            }
            sql.push(if self.keys[place].nulls_first { " NULLS FIRST" } else { "" });
        }
        if self.keys.is_empty() {
            sql.push("1");
        }
        sql.push(" ROWS UNBOUNDED PRECEDING)").push(if spans.is_some() { " END" } else { "" });
    }

    /// Where it is told whether sums over groups of this measure are meaningful: whether it is a flow, of which days first and last.
    fn nature_places(&self, of: usize) -> Option<[u64; 3]> {
        let GroupValue::Measure(Measure { column: Some(column), filter, .. }) = self.values[of] else { return None };
        let kinds = self.ty.kinds(column)?;
        let place = |function, column| {
            self.place(GroupValue::Measure(Measure { function, column: Some(column), filter }))
                .map(|place| place as u64)
        };
        Some([
            place(Function::Flow, kinds.column)?,
            place(Function::Min, kinds.date)?,
            place(Function::Max, kinds.date)?,
        ])
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

impl Function {
    /// Whether it is meaningless where amounts differ in their unit.
    fn is_of_amounts(self) -> bool {
        !matches!(
            self,
            Self::Count | Self::CountDistinct | Self::Any | Self::Every | Self::Lowest | Self::Highest | Self::Flow
        )
    }

    /// Whether it is meaningless for what does not add up.
    fn adds_up(self) -> bool {
        matches!(self, Self::Sum | Self::Avg)
    }

    /// Over the values `r.c…` of these rows.
    fn sql(self, sql: &mut Sql, column: usize, kind: Kind, filter: Option<usize>) {
        let cast = if matches!(kind, Kind::Decimal) { "::numeric" } else { "" };
        let order = if matches!(kind, Kind::Text) { NATURAL_ORDER } else { "" };
        let call = |sql: &mut Sql, head: &'static str, tail: &'static str| {
            sql.push(head).push("r.c").number(column as u64).push(cast).push(order).push(tail);
            only(sql, filter);
        };
        match self {
            Self::Count => {
                call(sql, "count(", ")");
                sql.push("::integer");
            }
            Self::CountDistinct => {
                sql.push("count(DISTINCT r.c").number(column as u64).push(")");
                only(sql, filter);
                sql.push("::integer");
            }
            Self::Sum => call(sql, "sum(", ")"),
            // A mean has as many digits as one cares to write.
            Self::Avg => rounded(sql, |sql| call(sql, "avg(", ")")),
            Self::Min => call(sql, "min(", ")"),
            Self::Max => call(sql, "max(", ")"),
            Self::Stddev => rounded(sql, |sql| call(sql, "stddev_samp(", ")")),
            Self::Variance => rounded(sql, |sql| call(sql, "var_samp(", ")")),
            // The middle one from either end: the same where their number is odd.
            Self::Median => rounded(sql, |sql| {
                call(sql, "(percentile_disc(0.5) WITHIN GROUP (ORDER BY ", ")");
                call(sql, " + percentile_disc(0.5) WITHIN GROUP (ORDER BY ", " DESC)");
                sql.push(") / 2");
            }),
            Self::Percentile(at) => {
                sql.push("percentile_disc(").value(Kind::Decimal, at.to_string()).push("::double precision");
                call(sql, ") WITHIN GROUP (ORDER BY ", ")");
            }
            Self::Any => call(sql, "bool_or(", ")"),
            Self::Every => call(sql, "bool_and(", ")"),
            Self::Lowest | Self::Highest => {
                let head = if self == Self::Lowest { "min(" } else { "max(" };
                sql.push(head).push("r.c").number(column as u64).push(bytewise(kind)).push(")");
                only(sql, filter);
            }
            Self::Flow => {
                sql.push("bool_and(r.c").number(column as u64).push(" IN (");
                labels(sql, Nature::Flow);
                sql.push("))");
                only(sql, filter);
            }
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

/// To six places, which is finer than what the figures are recorded in.
fn rounded(sql: &mut Sql, figure: impl FnOnce(&mut Sql)) {
    sql.push("round(");
    figure(sql);
    sql.push(", 6)");
}

/// How text is compared where its order is of no interest.
fn bytewise(kind: Kind) -> &'static str {
    if matches!(kind, Kind::Text) { " COLLATE \"C\"" } else { "" }
}

/// Restricts an aggregate to the rows of a filter.
fn only(sql: &mut Sql, filter: Option<usize>) {
    if let Some(filter) = filter {
        sql.push(" FILTER (WHERE r.f").number(filter as u64).push(")");
    }
}

fn of_nature(sql: &mut Sql, function: &'static str, kinds: Kinds, nature: Nature, filter: Option<usize>) {
    sql.push(function).push("(r.c").number(kinds.column as u64).push(" IN (");
    labels(sql, nature);
    sql.push("))");
    only(sql, filter);
}

fn labels(sql: &mut Sql, nature: Nature) {
    for (i, label) in Kinds::of(nature).enumerate() {
        sql.push(if i > 0 { ", '" } else { "'" }).push(label).push("'");
    }
}

/// These values of a group as one, to be compared with those of another: null equals null, and rows can be hashed by it.
fn together(sql: &mut Sql, places: &[usize], table: &'static str, number: Option<u64>) {
    sql.push("jsonb_build_array(");
    for (i, place) in places.iter().enumerate() {
        sql.push(if i > 0 { ", " } else { "" }).push(table);
        if let Some(number) = number {
            sql.number(number);
        }
        sql.push(".g").number(*place as u64);
    }
    sql.push(")");
}

/// The name of the table that a path leads to, joined if it was not yet. Of what the actor does not see nothing is joined.
fn joined<'a>(
    joins: &mut Sql,
    paths: &mut Vec<&'a [Relation]>,
    path: &'a [Relation],
    alias: Alias,
    audience: Audience,
) -> Alias {
    let Some((relation, before)) = path.split_last() else { return alias };
    let from = joined(joins, paths, before, alias, audience);
    if let Some(place) = paths.iter().position(|known| *known == path) {
        return Alias::numbered("j", place);
    }
    let at = Alias::numbered("j", paths.len());
    paths.push(path);
    let types = &Model::get().types;
    let (source, to) = (&types[relation.from], &types[relation.to]);
    joins.push(" LEFT JOIN ").push(to.table.name).push(" ").alias(at).push(" ON ");
    let key = scope::column(source, relation.from_column, from, audience);
    scope::refers(joins, to, relation.to_column, at, audience, &key);
    joins.push(" AND ").append(&scope::condition(to, at, audience));
    at
}
