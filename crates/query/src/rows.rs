//! The rows of an answer, as PostgreSQL sent them: one buffer for all, read in place.
//!
//! Values travel in PostgreSQL's binary format, whichever driver brought them, and are taken apart by whoever knows what they are:
//! by a type of Rust ([`FromCell`]), or written as JSON (`read/json.rs`).

use std::{num::TryFromIntError, sync::Arc};

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use sea_orm::{ActiveEnum, QueryResult, sqlx, sqlx::Row as _};
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    value::label,
};

/// The rows of an answer.
#[derive(Default)]
pub struct Rows {
    columns: Arc<Names>,
    width: usize,
    cells: Vec<Cell>,
    bytes: Vec<u8>,
    /// How many bytes their values have.
    size: usize,
}

/// How much space rows take: of values, and of bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Size {
    cells: usize,
    bytes: usize,
}

/// How much of it is taken beforehand at most.
const MOST_FORESEEN: usize = 1 << 22;

/// The names of the columns.
pub(crate) type Names = [Box<str>];

/// Where a value stands in the buffer.
#[derive(Clone, Copy)]
struct Cell {
    start: u32,
    /// [`NULL`] for null.
    length: u32,
}

/// What PostgreSQL sends for the length of null, too.
const NULL: u32 = u32::MAX;

fn too_large(_: TryFromIntError) -> Error {
    Error::internal("an answer beyond four gigabytes")
}

/// One of the rows.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    rows: &'a Rows,
    cells: &'a [Cell],
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.cells.len() / self.width.max(1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// How many bytes their values have.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The row at this place; there must be one.
    pub fn row(&self, place: usize) -> Row<'_> {
        Row { rows: self, cells: &self.cells[place * self.width..(place + 1) * self.width] }
    }

    /// The first.
    pub fn first(&self) -> Option<Row<'_>> {
        self.iter().next()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.cells.chunks_exact(self.width.max(1)).map(|cells| Row { rows: self, cells })
    }

    /// None yet, with space for as much as there was of others.
    pub(crate) fn with_space(Size { cells, bytes }: Size) -> Self {
        Self {
            cells: Vec::with_capacity(cells.min(MOST_FORESEEN / size_of::<Cell>())),
            bytes: Vec::with_capacity(bytes.min(MOST_FORESEEN)),
            ..Self::default()
        }
    }

    /// How much space they take.
    pub(crate) fn space(&self) -> Size {
        Size { cells: self.cells.len(), bytes: self.bytes.len() }
    }

    /// Appends a row as PostgreSQL sends it (`DataRow`): how many values there are, and each with its length before it. Tells how many
    /// bytes the values have.
    pub(crate) fn add(&mut self, row: &[u8]) -> Result<usize> {
        let cut = || Error::internal("a row that is cut off");
        let (width, mut rest) = row.split_first_chunk().ok_or_else(cut)?;
        self.width = u16::from_be_bytes(*width).into();
        // All at once, with the lengths.
        let mut start = u32::try_from(self.bytes.len()).map_err(too_large)?;
        u32::try_from(self.bytes.len() + rest.len()).map_err(too_large)?;
        self.bytes.extend_from_slice(rest);
        self.cells.reserve(self.width);
        let mut size = 0;
        for _ in 0..self.width {
            let (length, values) = rest.split_first_chunk().ok_or_else(cut)?;
            let length = u32::from_be_bytes(*length);
            start += 4;
            self.cells.push(Cell { start, length });
            let length = if length == NULL { 0 } else { length };
            rest = values.get(length as usize..).ok_or_else(cut)?;
            start += length;
            size += length as usize;
        }
        self.size += size;
        Ok(size)
    }

    /// Says what the columns are called.
    pub(crate) fn name(&mut self, columns: Arc<Names>) {
        self.columns = columns;
    }

    #[inline]
    fn value(&mut self, value: Option<&[u8]>) -> Result<()> {
        let start = u32::try_from(self.bytes.len()).map_err(too_large)?;
        let length = match value {
            None => NULL,
            Some(bytes) => {
                self.bytes.extend_from_slice(bytes);
                self.size += bytes.len();
                u32::try_from(bytes.len()).map_err(too_large)?
            }
        };
        self.cells.push(Cell { start, length });
        Ok(())
    }

    /// The rows of a statement that ran in a transaction that writes.
    pub fn of(answer: &[QueryResult]) -> Result<Self> {
        use sqlx::{Column, ValueRef};
        let mut rows = Self::default();
        for row in answer {
            let row = row.try_as_pg_row().ok_or_else(|| Error::internal("a row that is not PostgreSQL's"))?;
            if rows.width == 0 {
                rows.width = row.len();
                rows.columns = row.columns().iter().map(|column| column.name().into()).collect();
            }
            for place in 0..row.len() {
                let value = row.try_get_raw(place).map_err(|_| Error::internal("a row without its columns"))?;
                let value = match value.is_null() {
                    true => None,
                    false => Some(value.as_bytes().map_err(|_| Error::internal("a value without bytes"))?),
                };
                rows.value(value)?;
            }
        }
        Ok(rows)
    }
}

impl<'a> Row<'a> {
    /// The bytes at this place; none for null.
    pub fn raw(self, place: usize) -> Result<Option<&'a [u8]>> {
        let cell = *self.cells.get(place).ok_or_else(|| Error::internal("a column that the statement lacks"))?;
        if cell.length == NULL {
            return Ok(None);
        }
        let start = cell.start as usize;
        Ok(Some(&self.rows.bytes[start..start + cell.length as usize]))
    }

    /// The value at this place.
    pub fn at<T: FromCell>(self, place: usize) -> Result<T> {
        T::from_cell(self.raw(place)?)
    }

    /// The value of the column of that name.
    pub fn get<T: FromCell>(self, name: &str) -> Result<T> {
        let place = self.rows.columns.iter().position(|column| **column == *name);
        self.at(place.ok_or_else(|| Error::internal("a column that the statement lacks"))?)
    }

    /// The value of the column of that name, a label of an enum.
    pub fn label<T: ActiveEnum<Value: Into<sea_orm::Value>>>(self, name: &str) -> Result<T> {
        let text: String = self.get(name)?;
        T::iter().find(|value| label(value) == text).ok_or_else(|| Error::internal("a label that the enum lacks"))
    }
}

/// What a value can be read as, from PostgreSQL's binary format.
pub trait FromCell: Sized {
    /// The value; null is `None`.
    fn from_cell(bytes: Option<&[u8]>) -> Result<Self>;
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(bytes: Option<&[u8]>) -> Result<Self> {
        bytes.map(|bytes| T::from_cell(Some(bytes))).transpose()
    }
}

macro_rules! cells {
    ($($ty:ty => $sql:ident),+ $(,)?) => {
        $(impl FromCell for $ty {
            fn from_cell(bytes: Option<&[u8]>) -> Result<Self> {
                let bytes = bytes.ok_or_else(|| Error::internal("a null where there is none"))?;
                FromSql::from_sql(&Type::$sql, bytes).map_err(|_| Error::internal("a value of another type than is read"))
            }
        })+
    };
}

cells!(
    Uuid => UUID,
    Vec<Uuid> => UUID_ARRAY,
    bool => BOOL,
    i32 => INT4,
    i64 => INT8,
    String => TEXT,
    Vec<String> => TEXT_ARRAY,
    Vec<u8> => BYTEA,
    serde_json::Value => JSONB,
    NaiveDate => DATE,
    DateTime<FixedOffset> => TIMESTAMPTZ,
    DateTime<Utc> => TIMESTAMPTZ,
    rust_decimal::Decimal => NUMERIC,
);
