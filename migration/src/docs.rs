//! Descriptions, written where the thing they describe is.
//!
//! A block of `-- …` lines directly above `CREATE TABLE`, `CREATE TYPE … AS ENUM` or `CREATE MATERIALIZED VIEW` describes
//! it; a `-- …` at the end of a line describes the column, enum value or view column of that line, also after
//! `ALTER TABLE … ADD COLUMN`. None may lack one.

use std::fmt::Write;

/// What is being described.
enum Subject<'a> {
    Table(&'a str),
    View(&'a str),
    Enum(&'a str, String),
}

/// The `COMMENT ON` statements for what this SQL creates, or what lacks a description.
pub fn comments(sql: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut above = String::new();
    let mut subject: Option<Subject> = None;
    // Whether the line before ended in the middle of something.
    let mut continues = false;
    for (number, line) in sql.lines().enumerate() {
        let text = line.trim();
        let problem = |what: &str| format!("line {}: {what}: {text}", number + 1);
        match &mut subject {
            None => {
                if let Some(doc) = text.strip_prefix("--") {
                    if !above.is_empty() {
                        above.push(' ');
                    }
                    above.push_str(doc.trim());
                    continue;
                }
                let doc = std::mem::take(&mut above);
                if let Some((table, column)) = added(text) {
                    let doc = text.split_once("--").map(|(_, doc)| doc.trim()).filter(|doc| !doc.is_empty());
                    let doc = doc.ok_or_else(|| problem("no description at the end"))?;
                    comment(&mut out, "COLUMN", &format!("{table}.{column}"), doc);
                }
                subject = opened(text);
                if subject.is_some() && doc.is_empty() {
                    return Err(problem("no description above"));
                }
                match &mut subject {
                    Some(Subject::Table(name)) => comment(&mut out, "TABLE", name, &doc),
                    Some(Subject::View(name)) => comment(&mut out, "MATERIALIZED VIEW", name, &doc),
                    Some(Subject::Enum(_, all)) => *all = doc + "\n",
                    None => {}
                }
            }
            Some(open) => {
                if closes(open, text) {
                    continues = false;
                    if let Some(Subject::Enum(name, all)) = subject.take() {
                        comment(&mut out, "TYPE", name, all.trim_end());
                    }
                    continue;
                }
                let (code, doc) = text.split_once("--").map_or((text, ""), |(code, doc)| (code.trim(), doc.trim()));
                let inside =
                    std::mem::replace(&mut continues, !code.is_empty() && !code.ends_with(',') && code != "SELECT");
                let Some(name) = described(open, code).filter(|_| !inside) else { continue };
                if doc.is_empty() {
                    return Err(problem("no description at the end"));
                }
                match open {
                    Subject::Table(table) | Subject::View(table) => {
                        comment(&mut out, "COLUMN", &format!("{table}.{name}"), doc);
                    }
                    Subject::Enum(_, all) => {
                        let _ = write!(all, "\n- {}: {doc}", name.trim_matches('\''));
                    }
                }
            }
        }
    }
    Ok(out)
}

fn opened(text: &str) -> Option<Subject<'_>> {
    let name = |rest: &'static str| text.strip_prefix(rest).and_then(|rest| rest.split_whitespace().next());
    if let Some(table) = name("CREATE TABLE ").filter(|_| text.ends_with('(')) {
        return Some(Subject::Table(table.trim_end_matches('(')));
    }
    if let Some(ty) = name("CREATE TYPE ").filter(|_| text.contains("AS ENUM")) {
        return Some(Subject::Enum(ty, String::new()));
    }
    name("CREATE MATERIALIZED VIEW ").map(Subject::View)
}

/// The table and the column of `ALTER TABLE … ADD COLUMN …`.
fn added(text: &str) -> Option<(&str, &str)> {
    let (table, rest) = text.strip_prefix("ALTER TABLE ")?.split_once(" ADD COLUMN ")?;
    Some((table, rest.split_whitespace().next()?))
}

fn closes(open: &Subject, text: &str) -> bool {
    match open {
        Subject::Table(_) | Subject::Enum(..) => text.starts_with(')'),
        Subject::View(_) => text.starts_with("FROM "),
    }
}

/// What a line of the body describes, if it is a column, a value or a view's column.
fn described<'a>(open: &Subject, code: &'a str) -> Option<&'a str> {
    const CLAUSES: [&str; 8] = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE", "SELECT", "LIKE"];
    let first = code.split_whitespace().next()?;
    match open {
        Subject::Enum(..) => {
            let value = code.trim_end_matches(',').trim();
            (value.starts_with('\'')).then_some(value)
        }
        Subject::Table(_) => {
            let is_name = first.starts_with(|c: char| c.is_ascii_lowercase() || c == '"');
            (is_name && !CLAUSES.contains(&first)).then_some(first)
        }
        Subject::View(_) => {
            let code = code.trim_end_matches(',');
            let name = code.rsplit(' ').next()?;
            (!CLAUSES.contains(&first) || first == "SELECT" && code != "SELECT")
                .then_some(name.rsplit('.').next().unwrap_or(name))
                .filter(|_| !code.starts_with('('))
        }
    }
}

fn comment(out: &mut String, kind: &str, name: &str, doc: &str) {
    let _ = writeln!(out, "COMMENT ON {kind} {name} IS '{}';", doc.replace('\'', "''"));
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQL: &str = "\
-- How risky.
CREATE TYPE risk AS ENUM (
    'low', -- Hardly.
    'very high' -- It's much.
);

-- A vendor of the
-- organization.
CREATE TABLE vendors (
    id uuid PRIMARY KEY, -- The id.
    \"order\" integer NOT NULL, -- The place.
    CONSTRAINT ck CHECK (
        id IS NOT NULL
    )
);
-- Not a description.
CREATE INDEX i ON vendors (id);
ALTER TABLE vendors ADD COLUMN late text; -- What came later.
";

    #[test]
    fn comments_become_the_databases() {
        assert_eq!(
            comments(SQL).unwrap(),
            "COMMENT ON TYPE risk IS 'How risky.\n\n- low: Hardly.\n- very high: It''s much.';\n\
             COMMENT ON TABLE vendors IS 'A vendor of the organization.';\n\
             COMMENT ON COLUMN vendors.id IS 'The id.';\n\
             COMMENT ON COLUMN vendors.\"order\" IS 'The place.';\n\
             COMMENT ON COLUMN vendors.late IS 'What came later.';\n"
        );
    }

    #[test]
    fn what_lacks_a_description_is_refused() {
        assert!(comments(&SQL.replace(" -- Hardly.", "")).is_err());
        assert!(comments(&SQL.replace(" -- The id.", "")).is_err());
        assert!(comments(&SQL.replace("-- A vendor of the\n-- organization.\n", "")).is_err());
    }
}
