//! Rows as JSON and as CSV that a spreadsheet can open without harm.

use aether_store::{Error, Result};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::spreadsheet::text_cell;

/// The format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A JSON array of objects.
    Json,
    /// CSV by RFC 4180.
    Csv,
}

impl Format {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Csv => "CSV",
        }
    }
}

/// The rows in the format, and the SHA-256 hash of that in hexadecimal.
pub(super) fn encoded(format: Format, columns: &[&str], rows: &[Vec<Value>]) -> Result<(String, String)> {
    let content = match format {
        Format::Json => json(columns, rows),
        Format::Csv => csv(columns, rows),
    };
    let content = content.ok_or_else(|| Error::internal("an export that cannot be written"))?;
    let hash = format!("{:x}", Sha256::digest(&content));
    Ok((content, hash))
}

fn json(columns: &[&str], rows: &[Vec<Value>]) -> Option<String> {
    let objects = rows.iter().map(|row| {
        let entries = columns.iter().zip(row).map(|(column, value)| ((*column).to_owned(), value.clone()));
        Value::Object(entries.collect::<Map<_, _>>())
    });
    serde_json::to_string(&Value::Array(objects.collect())).ok()
}

fn csv(columns: &[&str], rows: &[Vec<Value>]) -> Option<String> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(columns).ok()?;
    for row in rows {
        writer.write_record(row.iter().map(cell)).ok()?;
    }
    String::from_utf8(writer.into_inner().ok()?).ok()
}

/// A value as the text of a cell.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text_cell(text).into_owned(),
        other => text_cell(&other.to_string()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_quoted_and_no_cell_is_a_formula() {
        let rows = [
            vec![json!("=HYPERLINK(\"http://x\")"), json!("+1"), json!("a,b"), json!("say \"no\"")],
            vec![json!("-2+3"), json!("@SUM(A1)"), json!("\tx"), json!({ "a": [1, "ü"] })],
            vec![json!(null), json!(true), json!("two\nlines"), json!(7)],
        ];
        let (content, hash) = encoded(Format::Csv, &["a", "b", "c", "d"], &rows).expect("CSV");
        assert_eq!(
            content,
            "a,b,c,d\r\n\"'=HYPERLINK(\"\"http://x\"\")\",'+1,\"a,b\",\"say \"\"no\"\"\"\r\n'-2+3,'@SUM(A1),'\tx,\
             \"{\"\"a\"\":[1,\"\"ü\"\"]}\"\r\n,true,\"two\nlines\",7\r\n"
        );
        assert_eq!(hash.len(), 64);
    }

    #[test]
    fn json_keeps_what_is_there() {
        let rows = [vec![json!("=1"), json!(null)]];
        let (content, hash) = encoded(Format::Json, &["a", "b"], &rows).expect("JSON");
        assert_eq!(content, r#"[{"a":"=1","b":null}]"#);
        assert_eq!(hash, format!("{:x}", Sha256::digest(content)));
    }
}
