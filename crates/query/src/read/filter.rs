//! Filters as SQL.

use aether_entity::catalog::Kind;

use crate::{
    actor::Audience,
    model::{Model, Relation, Type},
    scope,
    sql::{Alias, NATURAL_ORDER, Sql},
};

/// What rows must satisfy. Values are the canonical text of the column's kind.
#[derive(Debug, Clone, PartialEq, Hash)]
pub enum Filter {
    /// All of them; none given is true.
    All(Vec<Filter>),
    /// At least one of them; none given is false.
    Any(Vec<Filter>),
    /// Not that, null included.
    Not(Box<Filter>),
    /// A condition on a column.
    Column(usize, Condition),
    /// A condition on related rows that the actor sees: there is one (or, for `false`, none) that satisfies the filter.
    Related(Relation, bool, Box<Filter>),
}

/// A condition on a column.
#[derive(Debug, Clone, PartialEq, Hash)]
pub enum Condition {
    /// Against one value.
    Compare(Operator, String),
    /// Among these values, or (for `false`) not.
    In(bool, Vec<String>),
    /// Null, or (for `false`) not.
    IsNull(bool),
    /// Text that contains this, without case.
    Contains(String),
    /// Text that starts with this, without case.
    StartsWith(String),
    /// Text that ends with this, without case.
    EndsWith(String),
    /// A list that has all of these.
    HasAll(Vec<String>),
    /// A list that has at least one of these.
    HasAny(Vec<String>),
    /// JSON that contains this JSON.
    JsonContains(String),
    /// JSON that has this key.
    HasKey(String),
    /// A time more than so many days ago.
    OlderThanDays(u32),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`
    Eq,
    /// `<>`; null is not equal to anything, so rows with null satisfy it.
    Ne,
    /// `>`
    Gt,
    /// `>=`
    Gte,
    /// `<`
    Lt,
    /// `<=`
    Lte,
}

impl Filter {
    /// How long it takes to plan, as a number: the square of the relations that it reaches through, for each is a join, and
    /// what is planned is their order.
    pub fn cost(&self) -> u64 {
        self.relations().pow(2)
    }

    fn relations(&self) -> u64 {
        match self {
            Self::All(all) | Self::Any(all) => all.iter().map(Self::relations).sum(),
            Self::Not(inner) => inner.relations(),
            Self::Column(..) => 0,
            Self::Related(_, _, inner) => 1 + inner.relations(),
        }
    }

    /// The only value that a column has in the rows that satisfy it, if it says so on top.
    pub fn only(&self, column: usize) -> Option<&str> {
        match self {
            Self::All(all) => all.iter().find_map(|filter| filter.only(column)),
            Self::Column(of, Condition::Compare(Operator::Eq, value)) if *of == column => Some(value),
            Self::Column(of, Condition::In(true, values)) if *of == column && values.len() == 1 => {
                values.first().map(String::as_str)
            }
            _ => None,
        }
    }

    /// What every row satisfies.
    pub fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// Whether it leaves anything out.
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::All(filters) if filters.iter().all(Self::is_everything))
    }

    pub(crate) fn sql(&self, sql: &mut Sql, ty: &Type, alias: Alias, audience: Audience) {
        match self {
            Self::All(filters) => joined(filters, " AND ", "true", sql, ty, alias, audience),
            Self::Any(filters) => joined(filters, " OR ", "false", sql, ty, alias, audience),
            Self::Not(filter) => {
                sql.push("(");
                filter.sql(sql, ty, alias, audience);
                sql.push(") IS NOT TRUE");
            }
            Self::Column(index, condition) => {
                condition.sql(sql, &scope::column(ty, *index, alias, audience), ty.column(*index).kind);
            }
            Self::Related(relation, some, filter) => {
                let to = &Model::get().types[relation.to];
                let inner = alias.inner();
                sql.push(if *some { "EXISTS" } else { "NOT EXISTS" });
                sql.push(" (SELECT FROM ").push(to.table.name).push(" ").alias(inner).push(" WHERE ");
                // A reference that is masked leads nowhere, from either side.
                let from = scope::column(ty, relation.from_column, alias, audience);
                scope::refers(sql, to, relation.to_column, inner, audience, &from);
                sql.push(" AND ").append(&scope::condition(to, inner, audience)).push(" AND ");
                filter.sql(sql, to, inner, audience);
                sql.push(")");
            }
        }
    }
}

fn joined(
    filters: &[Filter],
    with: &'static str,
    empty: &'static str,
    sql: &mut Sql,
    ty: &Type,
    alias: Alias,
    audience: Audience,
) {
    if filters.is_empty() {
        sql.push(empty);
        return;
    }
    sql.push("(");
    for (i, filter) in filters.iter().enumerate() {
        if i > 0 {
            sql.push(with);
        }
        filter.sql(sql, ty, alias, audience);
    }
    sql.push(")");
}

impl Condition {
    /// The condition on this expression, whose values are of this kind.
    pub(super) fn sql(&self, sql: &mut Sql, column: &Sql, kind: Kind) {
        match self {
            Self::Compare(Operator::Ne, value) => {
                sql.append(column).push(" IS DISTINCT FROM ").value(kind, value);
            }
            Self::Compare(operator, value) => {
                sql.append(column);
                // What is greater comes later: where the rows are sorted, too.
                if matches!(kind, Kind::Text) && !matches!(operator, Operator::Eq) {
                    sql.push(NATURAL_ORDER);
                }
                sql.push(match operator {
                    Operator::Eq | Operator::Ne => " = ",
                    Operator::Gt => " > ",
                    Operator::Gte => " >= ",
                    Operator::Lt => " < ",
                    Operator::Lte => " <= ",
                });
                sql.value(kind, value);
            }
            Self::In(true, values) => {
                sql.append(column).push(" = ANY(").values(kind, values.clone()).push(")");
            }
            Self::In(false, values) => {
                sql.push("(").append(column).push(" = ANY(").values(kind, values.clone()).push(")) IS NOT TRUE");
            }
            Self::IsNull(null) => {
                sql.push("(").append(column).push(if *null { ") IS NULL" } else { ") IS NOT NULL" });
            }
            Self::Contains(text) => like(sql, column, &format!("%{}%", escaped(text))),
            Self::StartsWith(text) => like(sql, column, &format!("{}%", escaped(text))),
            Self::EndsWith(text) => like(sql, column, &format!("%{}", escaped(text))),
            Self::HasAll(values) => {
                sql.append(column).push("::text[] @> ").values(Kind::Text, values.clone());
            }
            Self::HasAny(values) => {
                sql.append(column).push("::text[] && ").values(Kind::Text, values.clone());
            }
            Self::JsonContains(json) => {
                sql.append(column).push(" @> ").value(kind, json);
            }
            Self::HasKey(key) => {
                sql.append(column).push(" ? ").text(key);
            }
            Self::OlderThanDays(days) => {
                sql.append(column).push(" < now() - make_interval(days => ").number((*days).into()).push(")");
            }
        }
    }
}

fn like(sql: &mut Sql, column: &Sql, pattern: &str) {
    sql.append(column).push(" ILIKE ").text(pattern);
}

/// Takes the meaning from `LIKE`'s wildcards.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_plain_text() {
        assert_eq!(escaped(r"50%_\"), r"50\%\_\\");
    }
}
