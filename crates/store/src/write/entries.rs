//! What people may enter, checked where every row that is written passes: a mutation that forgets to check its input says the
//! field less exactly, and that is all.

use aether_domain::entry::{Lines, date_problem, text_problem};
use heck::ToLowerCamelCase;
use sea_orm::{ActiveModelTrait, ActiveValue, ColumnTrait, ColumnType, Iden, Iterable, Value};

use super::Writable;
use crate::error::{Error, Result};

/// Refuses texts with characters that nobody sees, and days of another age. Columns of type `text` may have many lines, those of
/// type `varchar` are names.
pub(super) fn check<E: Writable>(row: &E::ActiveModel) -> Result<()> {
    for column in E::Column::iter() {
        let ActiveValue::Set(value) = row.get(column) else { continue };
        let field = || Iden::unquoted(&column).to_lower_camel_case();
        match value {
            Value::String(Some(text)) => {
                let lines = match column.def().get_column_type() {
                    ColumnType::Text => Lines::Many,
                    _ => Lines::One,
                };
                check_text(&field(), &text, lines)?;
            }
            Value::Array(_, Some(items)) => {
                for item in *items {
                    if let Value::String(Some(text)) = item {
                        check_text(&field(), &text, Lines::One)?;
                    }
                }
            }
            Value::ChronoDate(Some(date)) => check_date(&field(), date)?,
            Value::ChronoDateTimeWithTimeZone(Some(at)) => check_date(&field(), at.date_naive())?,
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a text with a character that nobody sees.
pub(super) fn check_text(field: &str, text: &str, lines: Lines) -> Result<()> {
    text_problem(text, lines).map_or(Ok(()), |problem| Err(Error::invalid(field, problem)))
}

fn check_date(field: &str, date: chrono::NaiveDate) -> Result<()> {
    date_problem(date).map_or(Ok(()), |problem| Err(Error::invalid(field, problem)))
}
