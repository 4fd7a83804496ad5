//! Rows on their way into a table, already written as the text of PostgreSQL's `COPY … FROM STDIN`.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

/// One cell of a row.
#[derive(Clone, Debug)]
pub enum Cell {
    /// SQL NULL.
    Null,
    /// Text, an enum's spelling, an address: whatever PostgreSQL reads from text.
    Text(String),
    /// A key.
    Uuid(Uuid),
    /// Any integer.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// Money, a score, a percentage.
    Decimal(Decimal),
    /// A calendar day.
    Date(NaiveDate),
    /// A moment.
    Time(DateTime<Utc>),
    /// A JSON document.
    Json(Value),
    /// `uuid[]`
    Uuids(Vec<Uuid>),
    /// `text[]`
    Texts(Vec<String>),
    /// `bytea`
    Bytes(Vec<u8>),
}

macro_rules! cells {
    ($($from:ty => |$value:ident| $cell:expr),* $(,)?) => {$(
        impl From<$from> for Cell {
            fn from($value: $from) -> Self {
                $cell
            }
        }
    )*};
}

cells! {
    &str => |v| Self::Text(v.to_owned()),
    String => |v| Self::Text(v),
    &String => |v| Self::Text(v.clone()),
    Uuid => |v| Self::Uuid(v),
    i32 => |v| Self::Int(v.into()),
    i64 => |v| Self::Int(v),
    u32 => |v| Self::Int(v.into()),
    bool => |v| Self::Bool(v),
    Decimal => |v| Self::Decimal(v),
    NaiveDate => |v| Self::Date(v),
    DateTime<Utc> => |v| Self::Time(v),
    Value => |v| Self::Json(v),
    Vec<Uuid> => |v| Self::Uuids(v),
    Vec<String> => |v| Self::Texts(v),
    Vec<u8> => |v| Self::Bytes(v),
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row from expressions of any type that a [`Cell`] can be made of.
macro_rules! row {
    ($($cell:expr),* $(,)?) => { vec![$($crate::copy::Cell::from($cell)),*] };
}
pub(crate) use row;

/// Rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The table's name.
    pub table: &'static str,
    /// The columns that every row fills, in the order of its cells.
    pub columns: Vec<&'static str>,
    /// The rows as COPY text.
    pub text: String,
    /// How many rows there are.
    pub count: u64,
}

impl Rows {
    /// No rows yet.
    #[must_use]
    pub fn new(table: &'static str, columns: &[&'static str]) -> Self {
        Self { table, columns: columns.to_vec(), text: String::new(), count: 0 }
    }

    /// Adds a row, one cell per column.
    ///
    /// # Panics
    /// When the number of cells is not the number of columns.
    pub fn push(&mut self, cells: Vec<Cell>) {
        assert_eq!(cells.len(), self.columns.len(), "cells of a row of {}", self.table);
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.text.push('\t');
            }
            write_cell(&mut self.text, cell);
        }
        self.text.push('\n');
        self.count += 1;
    }

    /// The statement that takes the text.
    #[must_use]
    pub fn statement(&self) -> String {
        format!("COPY {} ({}) FROM STDIN", self.table, self.columns.join(", "))
    }
}

fn write_cell(out: &mut String, cell: &Cell) {
    let written = match cell {
        Cell::Null => write!(out, "\\N"),
        Cell::Text(text) => {
            escape(out, text);
            Ok(())
        }
        Cell::Uuid(id) => write!(out, "{id}"),
        Cell::Int(number) => write!(out, "{number}"),
        Cell::Bool(yes) => write!(out, "{}", if *yes { 't' } else { 'f' }),
        Cell::Decimal(number) => write!(out, "{number}"),
        Cell::Date(day) => write!(out, "{day}"),
        Cell::Time(time) => write!(out, "{}", time.format("%Y-%m-%d %H:%M:%S%.6f+00")),
        Cell::Json(value) => {
            escape(out, &value.to_string());
            Ok(())
        }
        Cell::Uuids(ids) => {
            let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
            write!(out, "{{{}}}", ids.join(","))
        }
        Cell::Texts(texts) => {
            let quoted: Vec<String> =
                texts.iter().map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))).collect();
            escape(out, &format!("{{{}}}", quoted.join(",")));
            Ok(())
        }
        Cell::Bytes(bytes) => {
            out.push_str("\\\\x");
            bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
        }
    };
    written.expect("writing to a string cannot fail");
}

fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_escaped_as_copy_wants_them() {
        let mut rows = Rows::new("t", &["a", "b", "c", "d", "e", "f"]);
        rows.push(row![
            "tab\tback\\slash\nend",
            None::<i32>,
            true,
            vec!["say \"hi\"".to_owned(), "a,b".to_owned()],
            vec![0_u8, 255],
            serde_json::json!({ "text": "two\nlines" }),
        ]);
        assert_eq!(
            rows.text,
            "tab\\tback\\\\slash\\nend\t\\N\tt\t{\"say \\\\\"hi\\\\\"\",\"a,b\"}\t\\\\x00ff\t{\"text\":\"two\\\\nlines\"}\n"
        );
        assert_eq!(rows.count, 1);
        assert_eq!(rows.statement(), "COPY t (a, b, c, d, e, f) FROM STDIN");
    }
}
