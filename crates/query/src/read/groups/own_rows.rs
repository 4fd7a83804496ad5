//! What is told of a group by its own rows: keys and measures.

use aether_domain::metric::Nature;
use aether_entity::catalog::Kind;

use super::{Function, GroupValue, Grouping, Measure};
use crate::{
    actor::Audience,
    model::{Kinds, Model, Relation},
    scope,
    sql::{Alias, NATURAL_ORDER, Sql},
};

impl Grouping {
    /// What is worked out of a group's own rows, with a place each. The first is always one of these.
    pub(super) fn of_rows(&self) -> impl Iterator<Item = (usize, GroupValue)> {
        self.values.iter().copied().enumerate().filter(|(_, value)| value.is_of_rows())
    }

    /// The rows: their keys, and the columns that measures look at.
    pub(super) fn rows(&self, alias: Alias, condition: &Sql, audience: Audience) -> Sql {
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

    pub(super) fn of_row(&self, sql: &mut Sql, value: GroupValue) {
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

    /// That values are ratios, which are neither added nor averaged; and where they are `added`, that they are stocks of several days.
    fn not_added(&self, sql: &mut Sql, kinds: Kinds, filter: Option<usize>, added: bool) {
        let nature = self.nature(kinds, filter);
        let or = |sql: &mut Sql| {
            sql.push(if *sql == Sql::new() { "" } else { " OR " });
        };
        if nature.is_none_or(|nature| nature == Nature::Ratio) {
            or(sql);
            of_nature(sql, "bool_or", kinds.column, Nature::Ratio, filter);
        }
        if added && nature.is_none_or(|nature| nature == Nature::Stock) {
            or(sql);
            if nature.is_none() {
                of_nature(sql, "bool_or", kinds.column, Nature::Stock, filter);
                sql.push(" AND ");
            }
            sql.push("min(r.c").number(kinds.date as u64).push(")");
            only(sql, filter);
            sql.push(" IS DISTINCT FROM max(r.c").number(kinds.date as u64).push(")");
            only(sql, filter);
        }
    }
}

impl Function {
    /// Whether it is meaningless where amounts differ in their unit.
    pub(super) fn is_of_amounts(self) -> bool {
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
            Self::Flow => of_nature(sql, "bool_and", column, Nature::Flow, filter),
        }
    }
}

/// How text is compared where its order is of no interest.
pub(super) fn bytewise(kind: Kind) -> &'static str {
    if matches!(kind, Kind::Text) { " COLLATE \"C\"" } else { "" }
}

/// To six places, which is finer than what the figures are recorded in.
fn rounded(sql: &mut Sql, figure: impl FnOnce(&mut Sql)) {
    sql.push("round(");
    figure(sql);
    sql.push(", 6)");
}

/// Restricts an aggregate to the rows of a filter.
fn only(sql: &mut Sql, filter: Option<usize>) {
    if let Some(filter) = filter {
        sql.push(" FILTER (WHERE r.f").number(filter as u64).push(")");
    }
}

/// Whether any, or all, of the rows are of this nature, as this column says.
fn of_nature(sql: &mut Sql, any_or_all: &'static str, column: usize, nature: Nature, filter: Option<usize>) {
    sql.push(any_or_all).push("(r.c").number(column as u64).push(" IN (");
    Kinds::labels(sql, nature);
    sql.push("))");
    only(sql, filter);
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
