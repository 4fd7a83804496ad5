//! CSV text (RFC 4180) read by the names in its header, and what is wrong with its lines.
//!
//! Every line is looked at before anything is refused, so that a file is corrected in one go.

mod cells;
mod quotes;

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::entry;

pub use self::cells::{Cells, read_amount, read_date, rows};

/// How many problems are told at most.
pub const MOST_PROBLEMS: usize = 100;

/// Something wrong in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// The line in the text, counting from 1, which is the header.
    pub line: u64,
    /// The column, by the name that it has in the header's list of columns; empty when it is about the whole line.
    pub field: String,
    /// What is wrong and what to do, one sentence or two.
    pub message: String,
}

impl LineError {
    /// A problem.
    pub fn new(line: u64, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { line, field: field.into(), message: message.into() }
    }
}

/// A column that a file may have.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Other names that it goes by. Case, spaces and punctuation never matter.
    pub aliases: &'static [&'static str],
    /// Whether a file without it is refused.
    pub required: bool,
}

/// One line of a file: its cells by column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it begins in the text, counting from 1, which is the header.
    pub number: u64,
    /// What it says for each of the columns that were asked for; `None` where it says nothing.
    cells: Vec<Option<String>>,
}

impl Line {
    /// What it says in the column with this index.
    #[must_use]
    pub fn cell(&self, column: usize) -> Option<&str> {
        self.cells.get(column)?.as_deref()
    }
}

/// Reads a text whose first line names its columns. Cells are trimmed, an empty one says nothing, and a line of nothing but
/// empty cells is passed over.
///
/// # Errors
/// All that is wrong with the header, or with the shape of the lines: at most [`MOST_PROBLEMS`].
pub fn read(text: &str, columns: &[Column], most_lines: usize) -> Result<Vec<Line>, Vec<LineError>> {
    let (lines, problems) = scan(text, columns, most_lines, MOST_PROBLEMS)?;
    if problems.is_empty() { Ok(lines) } else { Err(problems) }
}

/// The same, taking the lines that are well-formed although others are not.
///
/// # Errors
/// What is wrong with the header, or that there are too many lines: then no line can be taken.
pub fn read_some(
    text: &str,
    columns: &[Column],
    most_lines: usize,
) -> Result<(Vec<Line>, Vec<LineError>), Vec<LineError>> {
    let (lines, problems) = scan(text, columns, most_lines, usize::MAX)?;
    match problems.last() {
        Some(last) if lines.len() + problems.len() > most_lines => Err(vec![too_many(last.line, most_lines)]),
        _ => Ok((lines, problems)),
    }
}

/// The well-formed lines, and what is wrong with the shape of others, as far as the problems are counted.
fn scan(
    text: &str,
    columns: &[Column],
    most_lines: usize,
    most_problems: usize,
) -> Result<(Vec<Line>, Vec<LineError>), Vec<LineError>> {
    // What Excel puts in front of UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(text.as_bytes());
    let mut records = reader.records();
    let header = match records.next() {
        Some(Ok(header)) => header,
        _ => return Err(vec![LineError::new(1, "", "The text is empty. Its first line names the columns.")]),
    };
    // Spreadsheets save a last column that has no name and nothing in it.
    let width = header.iter().enumerate().filter(|(_, name)| !name.is_empty()).last().map_or(0, |(last, _)| last + 1);
    let header: StringRecord = header.iter().take(width).collect();
    let misquoted = quotes::misquoted(text);
    if let Some((at, problem)) = misquoted.get(&1) {
        return Err(vec![LineError::new(1, header.get(*at).unwrap_or_default(), problem.clone())]);
    }
    let places = places(&header, columns)?;
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    let mut counter = LineCounter { bytes: text.as_bytes(), offset: 0, line: 1 };
    for record in records {
        // Text is UTF-8 and any number of cells is let through, so that no record fails.
        let Ok(record) = record else { continue };
        let number = counter.line_of(record.position().map_or(0, csv::Position::byte));
        if record.iter().all(str::is_empty) && !misquoted.contains_key(&number) {
            continue;
        }
        if lines.len() == most_lines {
            problems.push(too_many(number, most_lines));
            break;
        }
        if let Some((at, problem)) = misquoted.get(&number) {
            problems.push(LineError::new(number, column_name(&header, *at), problem.clone()));
        } else if let Some((at, problem)) = misshapen(&record, &header) {
            problems.push(LineError::new(number, column_name(&header, at), problem));
        } else if let Some((at, problem)) = unreadable(&record) {
            problems.push(LineError::new(number, column_name(&header, at), problem));
        } else {
            lines.push(Line { number, cells: places.iter().map(|place| cell(&record, *place)).collect() });
        }
        if problems.len() >= most_problems {
            break;
        }
    }
    Ok((lines, problems))
}

/// The first cell at which a line has another shape than the header. Cells beyond it are let through when they say nothing.
fn misshapen(record: &StringRecord, header: &StringRecord) -> Option<(usize, String)> {
    let (width, letter) = (header.len(), column_letter);
    if record.len() < width {
        let told = format!(
            "This line ends before column {}: it has {} cells, and the header {width}. A cell that says nothing needs its comma, too.",
            letter(record.len()),
            record.len(),
        );
        return Some((record.len(), told));
    }
    let beyond = record.iter().enumerate().skip(width).find(|(_, cell)| !cell.is_empty());
    beyond.map(|(at, cell)| {
        let told = format!(
            "\"{}\" stands in column {}, and the header ends with column {}. Is a comma in this line not quoted, as in \"1,234\"?",
            shortened(cell),
            letter(at),
            letter(width.saturating_sub(1)),
        );
        (at, told)
    })
}

/// The column at this place as the header calls it; by its letter where it has no name.
fn column_name(header: &StringRecord, at: usize) -> String {
    match header.get(at) {
        Some(name) if !name.is_empty() => shortened(name),
        _ => column_letter(at),
    }
}

/// What spreadsheets call the column at this place: A to Z, AA to ZZ, and so on.
fn column_letter(at: usize) -> String {
    let last = char::from(b'A' + u8::try_from(at % 26).unwrap_or_default());
    match at / 26 {
        0 => last.to_string(),
        before => format!("{}{last}", column_letter(before - 1)),
    }
}

/// The first cell that has a character in it that no value has.
fn unreadable(record: &StringRecord) -> Option<(usize, String)> {
    let (at, problem) =
        record.iter().enumerate().find_map(|(at, cell)| Some((at, entry::text_problem(cell, entry::Lines::One)?)))?;
    // What is quoted and never closed swallows the lines that follow.
    let broken = record.get(at).is_some_and(|cell| cell.contains(['\n', '\r']));
    Some((at, if broken { format!("{problem} Is a quotation mark not closed?") } else { problem }))
}

fn too_many(line: u64, most: usize) -> LineError {
    LineError::new(line, "", format!("There are more than {most} lines. Divide the file and import its parts."))
}

/// A walk through a text, counting its lines. The reader's own count stops before the empty lines that it passes over.
struct LineCounter<'a> {
    bytes: &'a [u8],
    offset: usize,
    line: u64,
}

impl LineCounter<'_> {
    /// The line in which what is found from this byte on begins.
    fn line_of(&mut self, byte: u64) -> u64 {
        let from = usize::try_from(byte).unwrap_or(usize::MAX);
        while let Some(at) = self.bytes.get(self.offset).filter(|at| self.offset < from || matches!(at, b'\r' | b'\n'))
        {
            // A carriage return ends a line by itself, or together with the line feed after it.
            let ends = *at == b'\n' || *at == b'\r' && self.bytes.get(self.offset + 1) != Some(&b'\n');
            self.line += u64::from(ends);
            self.offset += 1;
        }
        self.line
    }
}

fn cell(record: &StringRecord, place: Option<usize>) -> Option<String> {
    record.get(place?).filter(|cell| !cell.is_empty()).map(ToOwned::to_owned)
}

/// Where each column stands in the header.
fn places(header: &StringRecord, columns: &[Column]) -> Result<Vec<Option<usize>>, Vec<LineError>> {
    let mut known = HashMap::new();
    for (index, column) in columns.iter().enumerate() {
        for name in column.aliases.iter().chain([&column.name]) {
            known.insert(letters(name), index);
        }
    }
    let (mut places, mut problems) = (vec![None; columns.len()], Vec::new());
    for (place, name) in header.iter().enumerate() {
        match known.get(&letters(name)) {
            Some(&index) if places[index].is_none() => places[index] = Some(place),
            Some(&index) => problems.push(LineError::new(1, columns[index].name, "This column is there twice.")),
            None if name.is_empty() => {
                let letter = column_letter(place);
                let told = format!("Column {letter} has no name. Name it, or take it out of the file.");
                problems.push(LineError::new(1, letter, told));
            }
            None => {
                let names: Vec<_> = columns.iter().map(|column| column.name).collect();
                let hint = if name.contains(';') { " Divide columns by commas, not semicolons." } else { "" };
                problems.push(LineError::new(
                    1,
                    shortened(name),
                    format!("There is no such column.{hint} Columns are: {}.", names.join(", ")),
                ));
            }
        }
        if problems.len() >= MOST_PROBLEMS {
            break;
        }
    }
    for (column, place) in columns.iter().zip(&places) {
        if column.required && place.is_none() && problems.len() < MOST_PROBLEMS {
            problems.push(LineError::new(1, column.name, "This column is missing from the header."));
        }
    }
    if problems.is_empty() { Ok(places) } else { Err(problems) }
}

/// A name without what people spell differently: case, spaces and punctuation.
#[must_use]
pub fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Something a client wrote, short enough to be repeated to it.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 2] = [
        Column { name: "date", aliases: &["metric_date"], required: true },
        Column { name: "actual", aliases: &[], required: false },
    ];

    fn problems(text: &str) -> Vec<(u64, String)> {
        let problems = read(text, &COLUMNS, 3).expect_err(text);
        problems.into_iter().map(|problem| (problem.line, problem.field)).collect()
    }

    #[test]
    fn columns_are_found_by_any_of_their_names_in_any_order() {
        let lines = read("\u{feff}Actual, Metric Date\r\n\r\n 1 ,\"2026-01-01\"\n,\n", &COLUMNS, 3).expect("it is CSV");
        assert_eq!(lines.len(), 1);
        assert_eq!((lines[0].number, lines[0].cell(0), lines[0].cell(1)), (3, Some("2026-01-01"), Some("1")));
    }

    #[test]
    fn what_is_wrong_is_told_by_line_and_column() {
        assert_eq!(problems(""), [(1, String::new())]);
        assert_eq!(problems("date;actual\n"), [(1, "date;actual".into()), (1, "date".into())]);
        assert_eq!(problems("date,Date,x\n"), [(1, "date".into()), (1, "x".into())]);
        assert_eq!(problems("date\na\na,b\nc,d,e\n"), [(3, "B".into()), (4, "B".into())]);
        assert_eq!(problems("date,actual\na,\"b\nc,d\n"), [(2, "actual".into())]);
        assert_eq!(problems("date,actual\na\n"), [(2, "actual".into())]);
        assert_eq!(problems("date,,actual\na,b,1\n"), [(1, "B".into())]);
        assert_eq!(problems("date\na\nb\nc\nd\n"), [(5, String::new())]);
    }

    #[test]
    fn what_spreadsheets_leave_behind_says_nothing() {
        for text in ["date,actual,\na,1,\n", "date,actual\na,1,,\n", "date,actual,,\na,1\n", "date,actual\na,1,\n,,,\n"]
        {
            let lines = read(text, &COLUMNS, 3).expect(text);
            assert_eq!((lines.len(), lines[0].cell(0), lines[0].cell(1)), (1, Some("a"), Some("1")), "{text:?}");
        }
        let told = read("date,actual,\na,1,\na,1,234\n", &COLUMNS, 3).expect_err("a number without a column");
        assert!(told[0].message.starts_with("\"234\" stands in column C") && told[0].field == "C", "{told:?}");
        assert_eq!([0, 25, 26, 51, 52, 701, 702].map(column_letter), ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }

    #[test]
    fn what_is_misquoted_is_refused_by_line_and_column() {
        for (text, line, field) in [
            ("date,actual\na,\"12\"34\n", 2, "actual"),
            ("date,actual\na,1\nb,12\"34\n", 3, "actual"),
            ("date,actual\n\"a\"b\",1\n", 2, "date"),
            ("date,actual\na,1\nb,\"2\n", 3, "actual"),
            ("date,actual\n\"a\nb\"c,1\n", 2, "date"),
            ("date,\"actual\n", 1, "actual"),
            ("date,actual\na,1\n\"", 3, "date"),
        ] {
            assert_eq!(problems(text), [(line, field.into())], "{text:?}");
        }
        for (text, cell) in [
            ("date,actual\n\"a\"\"b\",1\n", "a\"b"),
            ("date,actual\n\"\",1\n", ""),
            ("date,actual\n\"a,b\" ,1\n", "a,b"),
            ("date,actual\r\n\"a\",\"1\"\r\n", "a"),
            ("date,actual\n\"a\",\"1\"", "a"),
        ] {
            assert_eq!(read(text, &COLUMNS, 3).expect(text)[0].cell(0).unwrap_or_default(), cell, "{text:?}");
        }
        let (lines, problems) = read_some("date,actual\na,1\nb\"b,2\nc,3\n", &COLUMNS, 5).expect("a header");
        assert_eq!((lines.len(), problems.len(), problems[0].line), (2, 1, 3));
    }

    #[test]
    fn lines_can_be_taken_although_others_are_wrong() {
        let (lines, problems) = read_some("date,actual\na,1\nb\nc,3\n", &COLUMNS, 3).expect("a header");
        assert_eq!((lines.len(), problems.len(), problems[0].line), (2, 1, 3));
        assert_eq!(read_some("date\na\nb,1\nc\nd\n", &COLUMNS, 3).expect_err("too many").len(), 1);
        assert!(read_some("<html>\n", &COLUMNS, 3).is_err());
    }

    #[test]
    fn problems_are_counted_no_further_than_anybody_reads() {
        let text = format!("date\n{}", "a,b\n".repeat(1_000));
        assert_eq!(read(&text, &COLUMNS, 5_000).expect_err("a comma too many").len(), MOST_PROBLEMS);
    }
}
