//! Rows as they come, objects of JSON, made into a file.

use aether_entity::sea_orm_active_enums::RowFormat;
use aether_store::{Error, Result};
use serde_json::Value;

use super::{
    column::{Column, ColumnKind},
    parquet,
};
use crate::spreadsheet::text_cell;

/// Writes a file of some format.
pub enum Encoder {
    Csv(Vec<Column>),
    JsonLines,
    Parquet(Box<parquet::Writer>),
}

impl Encoder {
    /// Begins a file of these columns, and appends what it begins with.
    pub fn begin(format: &RowFormat, columns: Vec<Column>, out: &mut Vec<u8>) -> Result<Self> {
        Ok(match format {
            RowFormat::Csv => {
                record(columns.iter().map(|column| text_cell(&column.name()).into_owned()), out)?;
                Self::Csv(columns)
            }
            RowFormat::JsonLines => Self::JsonLines,
            RowFormat::Parquet => Self::Parquet(Box::new(parquet::Writer::new(columns)?)),
        })
    }

    /// Appends rows, each an object of JSON on a line of its own.
    pub fn rows(&mut self, lines: Vec<u8>, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::JsonLines if out.is_empty() => *out = lines,
            Self::JsonLines => out.extend_from_slice(&lines),
            Self::Csv(columns) => {
                for row in rows(&lines) {
                    let row = row?;
                    record(columns.iter().map(|column| cell(column, column.of(&row))), out)?;
                }
            }
            Self::Parquet(writer) => {
                for row in rows(&lines) {
                    writer.add(&row?)?;
                }
                writer.take(out);
            }
        }
        Ok(())
    }

    /// Appends what the file ends with.
    pub fn end(self, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Csv(_) | Self::JsonLines => Ok(()),
            Self::Parquet(writer) => writer.end(out),
        }
    }
}

fn rows(lines: &[u8]) -> impl Iterator<Item = Result<Value>> {
    serde_json::Deserializer::from_slice(lines)
        .into_iter::<Value>()
        .map(|row| row.map_err(|_| Error::internal("a row that is no JSON")))
}

fn record(cells: impl Iterator<Item = String>, out: &mut Vec<u8>) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut *out);
    writer.write_record(cells).and_then(|()| Ok(writer.flush()?)).map_err(|_| Error::internal("a line that is no CSV"))
}

/// A value as the text of a cell. Numbers are what they are, also where they begin with a minus.
fn cell(column: &Column, value: &Value) -> String {
    match (column.kind, value) {
        (_, Value::Null) => String::new(),
        (ColumnKind::Text, Value::String(text)) => text_cell(text).into_owned(),
        (ColumnKind::Json | ColumnKind::Text, other) => text_cell(&other.to_string()).into_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}
