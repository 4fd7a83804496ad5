//! What is wrong with a request before anything of it is executed.

use apollo_compiler::parser::{SourceMap, SourceSpan};

/// How many problems of a request are told: whoever made a thousand mistakes made the same one a thousand times.
pub(crate) const MOST_PROBLEMS: usize = 20;

/// Where in the document, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// What was being done when it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The document is no GraphQL.
    Parsing,
    /// The document does not fit the schema, or asks for too much.
    Validation,
    /// The variables do not fit the operation.
    Variables,
}

/// Something wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What was being done.
    pub stage: Stage,
    /// What is wrong and what to do, for people.
    pub message: String,
    /// Where in the document.
    pub location: Option<Location>,
}

impl Problem {
    pub(crate) fn new(stage: Stage, message: impl Into<String>) -> Self {
        Self { stage, message: message.into(), location: None }
    }

    pub(crate) fn at(mut self, span: Option<SourceSpan>, sources: &SourceMap) -> Self {
        self.location = location(span, sources);
        self
    }
}

pub(crate) fn location(span: Option<SourceSpan>, sources: &SourceMap) -> Option<Location> {
    let start = span?.line_column(sources)?;
    Some(Location { line: start.line, column: start.column })
}

/// What somebody wrote, short enough to be repeated.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
