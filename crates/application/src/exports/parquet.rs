//! Apache Parquet, by the low-level writer of its own project: columns are buffered here, a row group at a time.

use std::{io, mem, sync::Arc};

use aether_store::{Error, Result};
use chrono::{DateTime, NaiveDate};
use parking_lot::Mutex;
use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical},
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, Int32Type,
        Int64Type,
    },
    file::{
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::{Type, TypePtr},
};
use rust_decimal::Decimal;
use serde_json::Value;

use super::column::{Column, ColumnKind};

/// How many rows a row group has at most, and how many bytes of text.
const GROUP: usize = 50_000;
const BYTES: usize = 16 * 1024 * 1024;
/// The digits of a decimal, and how many of them stand behind the point.
const DECIMAL: (i32, u32) = (38, 9);
/// How many bytes hold such a decimal.
const WIDTH: i32 = 16;

/// What was written and not yet taken.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is being written.
pub struct Writer {
    sink: Sink,
    file: SerializedFileWriter<Sink>,
    columns: Vec<(Column, Values)>,
    rows: usize,
    /// How many bytes of text wait.
    bytes: usize,
}

/// The values of a column that wait for their row group: those that are not null, and of each row whether it has one.
struct Values {
    given: Vec<i16>,
    of: OfKind,
}

enum OfKind {
    Boolean(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Double(Vec<f64>),
    Decimal(Vec<FixedLenByteArray>),
    Text(Vec<ByteArray>),
}

impl Writer {
    /// Begins a file of these columns.
    pub(super) fn new(columns: Vec<Column>) -> Result<Self> {
        let fields = columns.iter().map(field).collect::<Result<Vec<_>>>()?;
        let schema = Type::group_type_builder("row").with_fields(fields).build().map_err(failed)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("aether-nexus".to_owned())
            .build();
        let sink = Sink::default();
        let file = SerializedFileWriter::new(sink.clone(), Arc::new(schema), Arc::new(properties)).map_err(failed)?;
        let columns = columns.into_iter().map(|column| {
            let values = Values::new(column.kind);
            (column, values)
        });
        Ok(Self { sink, file, columns: columns.collect(), rows: 0, bytes: 0 })
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: &Value) -> Result<()> {
        for (column, values) in &mut self.columns {
            self.bytes += values.add(column, column.of(row))?;
        }
        self.rows += 1;
        if self.rows >= GROUP || self.bytes >= BYTES { self.group() } else { Ok(()) }
    }

    /// Writes what waits as a row group.
    fn group(&mut self) -> Result<()> {
        (self.rows, self.bytes) = (0, 0);
        let mut group = self.file.next_row_group().map_err(failed)?;
        for (_, values) in &mut self.columns {
            let mut column =
                group.next_column().map_err(failed)?.ok_or_else(|| Error::internal("a file with too few columns"))?;
            values.write(&mut column)?;
            column.close().map_err(failed)?;
        }
        group.close().map_err(failed)?;
        Ok(())
    }

    /// Appends what was written so far.
    pub(super) fn take(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.sink.0.lock());
    }

    /// Ends the file.
    pub(super) fn end(mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.rows > 0 {
            self.group()?;
        }
        let sink = self.sink.clone();
        self.file.close().map_err(failed)?;
        out.append(&mut sink.0.lock());
        Ok(())
    }
}

impl Values {
    fn new(kind: ColumnKind) -> Self {
        let of = match kind {
            ColumnKind::Boolean => OfKind::Boolean(Vec::new()),
            ColumnKind::Int | ColumnKind::Date => OfKind::Int32(Vec::new()),
            ColumnKind::BigInt | ColumnKind::DateTime => OfKind::Int64(Vec::new()),
            ColumnKind::Float => OfKind::Double(Vec::new()),
            ColumnKind::Decimal => OfKind::Decimal(Vec::new()),
            ColumnKind::Text | ColumnKind::Json => OfKind::Text(Vec::new()),
        };
        Self { given: Vec::new(), of }
    }

    /// Adds a value, and tells how many bytes of text that is.
    fn add(&mut self, column: &Column, value: &Value) -> Result<usize> {
        if value.is_null() {
            self.given.push(0);
            return Ok(0);
        }
        let other = || Error::internal("a value of another type than its column");
        let text = || value.as_str().ok_or_else(other);
        match (&mut self.of, column.kind) {
            (OfKind::Boolean(values), _) => values.push(value.as_bool().ok_or_else(other)?),
            (OfKind::Int32(values), ColumnKind::Date) => {
                let day: NaiveDate = text()?.parse().map_err(|_| other())?;
                values.push(i32::try_from((day - NaiveDate::default()).num_days()).map_err(|_| other())?);
            }
            (OfKind::Int32(values), _) => {
                values.push(value.as_i64().and_then(|number| number.try_into().ok()).ok_or_else(other)?);
            }
            (OfKind::Int64(values), ColumnKind::DateTime) => {
                let at = DateTime::parse_from_rfc3339(text()?).map_err(|_| other())?;
                values.push(at.timestamp_micros());
            }
            (OfKind::Int64(values), _) => values.push(text()?.parse().map_err(|_| other())?),
            (OfKind::Double(values), _) => values.push(value.as_f64().ok_or_else(other)?),
            (OfKind::Decimal(values), _) => values.push(decimal(column, text()?)?),
            (OfKind::Text(values), ColumnKind::Text) if value.is_string() => values.push(ByteArray::from(text()?)),
            (OfKind::Text(values), _) => values.push(ByteArray::from(value.to_string().into_bytes())),
        }
        self.given.push(1);
        Ok(if let OfKind::Text(values) = &self.of { values.last().map_or(0, ByteArray::len) } else { 0 })
    }

    fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let given = mem::take(&mut self.given);
        match &mut self.of {
            OfKind::Boolean(values) => write::<BoolType>(column, values, &given),
            OfKind::Int32(values) => write::<Int32Type>(column, values, &given),
            OfKind::Int64(values) => write::<Int64Type>(column, values, &given),
            OfKind::Double(values) => write::<DoubleType>(column, values, &given),
            OfKind::Decimal(values) => write::<FixedLenByteArrayType>(column, values, &given),
            OfKind::Text(values) => write::<ByteArrayType>(column, values, &given),
        }
    }
}

fn write<T: DataType>(column: &mut SerializedColumnWriter<'_>, values: &mut Vec<T::T>, given: &[i16]) -> Result<()> {
    column.typed::<T>().write_batch(values, Some(given), None).map_err(failed)?;
    values.clear();
    Ok(())
}

/// A column of the file's schema.
fn field(column: &Column) -> Result<TypePtr> {
    let (physical, logical) = match column.kind {
        ColumnKind::Boolean => (Physical::BOOLEAN, None),
        ColumnKind::Int => (Physical::INT32, None),
        ColumnKind::BigInt => (Physical::INT64, None),
        ColumnKind::Float => (Physical::DOUBLE, None),
        ColumnKind::Date => (Physical::INT32, Some(LogicalType::Date)),
        ColumnKind::DateTime => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        ColumnKind::Decimal => {
            let scale = i32::try_from(DECIMAL.1).unwrap_or_default();
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(scale, DECIMAL.0)))
        }
        ColumnKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnKind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
    };
    let name = column.name();
    let mut field =
        Type::primitive_type_builder(&name, physical).with_repetition(Repetition::OPTIONAL).with_logical_type(logical);
    if column.kind == ColumnKind::Decimal {
        let scale = i32::try_from(DECIMAL.1).unwrap_or_default();
        field = field.with_length(WIDTH).with_precision(DECIMAL.0).with_scale(scale);
    }
    Ok(Arc::new(field.build().map_err(failed)?))
}

/// A decimal as a whole number of its last places, big-endian.
fn decimal(column: &Column, text: &str) -> Result<FixedLenByteArray> {
    let unfit = || {
        Error::invalid(
            "format",
            format!(
                "{} has the value {text}, which is no DECIMAL({}, {}). Export as CSV or JSON_LINES.",
                column.name(),
                DECIMAL.0,
                DECIMAL.1
            ),
        )
    };
    let value: Decimal = text.parse().map_err(|_| unfit())?;
    let value = value.normalize();
    let places = DECIMAL.1.checked_sub(value.scale()).ok_or_else(unfit)?;
    let whole = 10_i128.checked_pow(places).and_then(|power| value.mantissa().checked_mul(power)).ok_or_else(unfit)?;
    Ok(FixedLenByteArray::from(ByteArray::from(whole.to_be_bytes().to_vec())))
}

fn failed(_: parquet::errors::ParquetError) -> Error {
    Error::internal("a file that cannot be written as Parquet")
}
