//! What may be asked of a column over many rows, as a type declares it: what its numbers are, and when they must not be taken
//! together.

use std::collections::HashMap;

use aether_domain::metric::{Kind as Metric, Nature};
use aether_entity::catalog::{Kind, Table};

use super::{ColumnField, Type, column_index};
use crate::sql::Sql;

/// What may be asked of a column's values over many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Numbers that add up.
    Quantity,
    /// Numbers that do not: percentages, scores, figures per head.
    Ratio,
    /// Whole numbers that put things in order: years, versions.
    Ordinal,
    /// Text.
    Text,
    /// Days.
    Date,
    /// Moments.
    Moment,
    /// Yes or no.
    Boolean,
    /// Values that can only be told apart.
    Value,
}

/// A column that says what becomes of figures when they are taken together: the kind of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Kinds {
    /// The column.
    pub column: usize,
    /// The day that a figure is of.
    pub date: usize,
}

impl Kinds {
    /// The labels whose figures are of this nature, as a list in SQL.
    pub(crate) fn labels(sql: &mut Sql, nature: Nature) {
        let kinds = Metric::ALL.into_iter().filter(|kind| kind.nature() == nature);
        for (i, kind) in kinds.enumerate() {
            sql.push(if i > 0 { ", '" } else { "'" }).push(kind.as_str()).push("'");
        }
    }
}

impl Type {
    /// What may be asked of a column over many rows; `None` for documents, lists, and the id.
    pub fn figure(&self, column: &ColumnField) -> Option<Figure> {
        if column.index == self.id_column() {
            return None;
        }
        match self.figures.get(&column.index) {
            // Numbers of that size only tell apart.
            Some(Figure::Ordinal) if matches!(column.kind, Kind::BigInt) => return Some(Figure::Value),
            Some(figure) => return Some(*figure),
            None => {}
        }
        match column.kind {
            Kind::Int | Kind::BigInt | Kind::Decimal => Some(Figure::Quantity),
            Kind::Text => Some(Figure::Text),
            Kind::Date => Some(Figure::Date),
            Kind::Timestamp => Some(Figure::Moment),
            Kind::Boolean => Some(Figure::Boolean),
            Kind::Uuid | Kind::Inet | Kind::Enum(_) => Some(Figure::Value),
            Kind::Json | Kind::Bytes | Kind::UuidList | Kind::TextList => None,
        }
    }

    /// The columns in which rows must agree for this one to be taken together.
    pub fn apart(&self, column: usize) -> impl Iterator<Item = usize> {
        self.apart.iter().filter(move |(_, figures)| figures.contains(&column)).map(|(apart, _)| *apart)
    }

    /// The column that says what becomes of this one when it is taken together.
    pub fn kinds(&self, column: usize) -> Option<Kinds> {
        self.kinds.as_ref().filter(|(_, figures)| figures.contains(&column)).map(|(kinds, _)| *kinds)
    }
}

/// The figures as declared, with the versions that every row that people edit has.
pub(super) fn of(table: &'static Table, declared: &[(&str, Figure)]) -> HashMap<usize, Figure> {
    let version = table.column("row_version").map(|(index, _)| (index, Figure::Ordinal));
    declared.iter().map(|(name, figure)| (column_index(table, name), *figure)).chain(version).collect()
}
