//! The cells of a line, read into values, and lines into rows.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{Column, Line, LineError};
use crate::{entry::date_problem, spelling, term};

/// The cells of a line, read into values; whatever is wrong with one is noted. A cell that says nothing is `None`.
pub struct Cells<'a> {
    line: &'a Line,
    columns: &'a [Column],
    problems: &'a mut Vec<LineError>,
    /// How many problems other lines have.
    before: usize,
}

impl<'a> Cells<'a> {
    /// The line in the text, counting from 1, which is the header.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line.number
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn are_right(&self) -> bool {
        self.problems.len() == self.before
    }

    /// What the cell says.
    #[must_use]
    pub fn cell(&self, column: usize) -> Option<&'a str> {
        self.line.cell(column)
    }

    /// The name of the column.
    #[must_use]
    pub fn name(&self, column: usize) -> &'static str {
        self.columns[column].name
    }

    /// Notes that something is wrong with a cell.
    pub fn wrong(&mut self, column: usize, message: impl Into<String>) {
        self.problems.push(LineError::new(self.line.number, self.name(column), message));
    }

    /// What a cell says that must not be empty.
    pub fn needed(&mut self, column: usize) -> Option<&'a str> {
        let cell = self.cell(column);
        if cell.is_none() {
            self.wrong(column, "A value is needed here.");
        }
        cell
    }

    /// A text of at most so many characters.
    pub fn text(&mut self, column: usize, most: usize) -> Option<String> {
        let cell = self.cell(column)?;
        if cell.chars().count() > most {
            self.wrong(column, format!("This has more than {most} characters."));
        }
        Some(cell.to_owned())
    }

    /// A name of at most so many characters, as it is kept: see [`spelling::clean`].
    pub fn spelled(&mut self, column: usize, most: usize) -> Option<String> {
        let name = spelling::clean(self.cell(column)?);
        // Composed, a name may have more characters than it was written with.
        if name.chars().count() > most {
            self.wrong(column, format!("This has more than {most} characters."));
        }
        Some(name)
    }

    /// A value that is read like this; the message is for what cannot be.
    pub fn value<T>(&mut self, column: usize, read: impl FnOnce(&str) -> Option<T>, message: &str) -> Option<T> {
        let value = read(self.cell(column)?);
        if value.is_none() {
            self.wrong(column, message);
        }
        value
    }

    /// An amount.
    pub fn amount(&mut self, column: usize) -> Option<Decimal> {
        self.value(
            column,
            read_amount,
            "A number is written as -1234.56: at most 18 digits and two decimals, without separators, signs of currency or \
             percent.",
        )
    }

    /// A day.
    pub fn day(&mut self, column: usize) -> Option<NaiveDate> {
        let read = |text: &str| if text.len() == 10 { read_date(text) } else { None };
        self.value(column, read, "A date is written as 2026-01-31, of the years 1900 to 2200.")
    }

    /// A day, or the first day of a month.
    pub fn date(&mut self, column: usize) -> Option<NaiveDate> {
        self.value(
            column,
            read_date,
            "A date is written as 2026-01-31, or 2026-01 for the first day of a month, of the years 1900 to 2200.",
        )
    }

    /// A currency by its code, ISO 4217.
    pub fn currency(&mut self, column: usize) -> Option<String> {
        let read = |text: &str| term::is_currency(text).then(|| text.to_owned());
        self.value(column, read, term::NO_CURRENCY)
    }
}

/// Reads lines into rows: those with which nothing is wrong, and what is wrong with others, counted as far as said. No two
/// rows have the same key; a further one is refused, with its line and that of the first.
pub fn rows<T, K: Hash + Eq>(
    lines: &[Line],
    columns: &[Column],
    most_problems: usize,
    mut read: impl FnMut(&mut Cells<'_>) -> Option<T>,
    key: impl Fn(&T) -> K,
    twice: impl Fn(u64, u64) -> LineError,
) -> (Vec<T>, Vec<LineError>) {
    let mut problems = Vec::new();
    let mut rows = Vec::with_capacity(lines.len());
    let mut seen = HashMap::with_capacity(lines.len());
    for line in lines {
        let before = problems.len();
        let row = read(&mut Cells { line, columns, problems: &mut problems, before });
        if let Some(row) = row.filter(|_| problems.len() == before) {
            match seen.entry(key(&row)) {
                Entry::Occupied(first) => problems.push(twice(line.number, *first.get())),
                Entry::Vacant(place) => {
                    place.insert(line.number);
                    rows.push(row);
                }
            }
        }
        if problems.len() >= most_problems {
            problems.truncate(most_problems);
            break;
        }
    }
    (rows, problems)
}

/// A day, or the first day of a month.
#[must_use]
pub fn read_date(text: &str) -> Option<NaiveDate> {
    let is_date = |text: &str| text.bytes().all(|c| c.is_ascii_digit() || c == b'-');
    let date = match text.len() {
        10 if is_date(text) => text.parse().ok()?,
        7 if is_date(text) => format!("{text}-01").parse().ok()?,
        _ => return None,
    };
    Some(date).filter(|date| date_problem(*date).is_none())
}

/// A number that `NUMERIC(20,2)` holds exactly.
#[must_use]
pub fn read_amount(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, cents) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    if !is_digits(whole) || !is_digits(cents) || whole.len() > 18 || cents.trim_end_matches('0').len() > 2 {
        return None;
    }
    Decimal::from_str_exact(text.trim_end_matches('.'))
        .ok()
        .map(|value| if value.is_zero() { Decimal::ZERO } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::read;

    #[test]
    fn numbers_and_dates_are_read_strictly() {
        for (text, number) in [("1", "1"), ("-0.50", "-0.50"), ("0012.3", "12.3"), ("-0", "0"), ("1.500", "1.500")] {
            assert_eq!(read_amount(text).map(|n| n.to_string()).as_deref(), Some(number), "{text}");
        }
        for text in
            ["", "-", "1,000", "1e3", "1_000", "+1", "1.", ".5", "1.234", "$1", "5%", "1234567890123456789", "١"]
        {
            assert_eq!(read_amount(text), None, "{text}");
        }
        assert_eq!(read_date("2026-02").map(|date| date.to_string()).as_deref(), Some("2026-02-01"));
        for text in
            ["2026-02-30", "2026-2-1", "26-02-01", "01.02.2026", "1899-12-31", "2201-01-01", "2026-13", "+026-01-01"]
        {
            assert_eq!(read_date(text), None, "{text}");
        }
    }

    #[test]
    fn rows_are_told_apart_by_their_keys() {
        let columns = [
            Column { name: "key", aliases: &[], required: true },
            Column { name: "amount", aliases: &[], required: false },
        ];
        let lines = read("key,amount\na,1\nb,x\na,2\na,3\n,4\n", &columns, 10).expect("it is CSV");
        let rows = |most| {
            rows(
                &lines,
                &columns,
                most,
                |cells| Some((cells.needed(0)?.to_owned(), cells.amount(1))),
                |(key, _)| key.clone(),
                |line, first| LineError::new(line, "", first.to_string()),
            )
        };
        let (right, problems) = rows(usize::MAX);
        assert_eq!(right, [("a".to_owned(), Some(Decimal::ONE))]);
        let told: Vec<_> = problems.iter().map(|problem| (problem.line, problem.field.as_str())).collect();
        assert_eq!(told, [(3, "amount"), (4, ""), (5, ""), (6, "key")]);
        assert_eq!((problems[1].message.as_str(), problems[2].message.as_str()), ("2", "2"));
        assert_eq!(rows(2).1, problems[..2]);
    }
}
