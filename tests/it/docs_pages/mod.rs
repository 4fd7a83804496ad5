//! The pages: whatever GraphQL they show fits the schema, and what they say somebody runs, runs.

mod answers;
mod fit;
mod run;

use std::{fs, path::Path};

use async_graphql::parser::{parse_query, types::Type};

pub use self::run::run;

/// A page of the documentation.
pub struct Page {
    pub name: String,
    pub text: String,
}

/// A block of GraphQL on a page.
struct Block {
    /// Where it stands: the page, and the line on it.
    place: String,
    /// Who runs it, where the page says so after `graphql`.
    who: Option<String>,
    /// The code of the error that it is an example of, where the page says so after that.
    code: Option<String>,
    /// Its operations, each of which begins a line.
    operations: Vec<String>,
}

/// Every page there is: README and its neighbours, and all in `docs/`.
fn pages() -> Vec<Page> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = Vec::new();
    for folder in [top.clone(), top.join("docs")] {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("a file").path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
                pages.push(Page { name, text: fs::read_to_string(&path).expect("a page") });
            }
        }
    }
    pages.sort_by(|a, b| a.name.cmp(&b.name));
    pages
}

/// The page in `docs/` with this name.
pub fn page(name: &str) -> Page {
    pages().into_iter().find(|page| page.name == name).unwrap_or_else(|| panic!("no page {name}"))
}

impl Page {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        for (line, (words, body)) in self.fenced() {
            let mut words = words.split_whitespace();
            if words.next() != Some("graphql") {
                continue;
            }
            let place = format!("{}:{line}", self.name);
            let operations = operations(&place, body);
            let [who, code] = [words.next(), words.next()].map(|word| word.map(str::to_owned));
            assert_eq!(words.next(), None, "{place}");
            blocks.push(Block { place, who, code, operations });
        }
        assert_eq!(blocks.len(), self.text.matches("```graphql").count(), "{}", self.name);
        blocks
    }

    /// The first block in this language.
    fn first(&self, language: &str) -> Option<&str> {
        self.fenced().into_iter().find_map(|(_, (words, body))| (words == language).then_some(body))
    }

    /// What is fenced: the line where it begins, the words after the fence, and what is between.
    fn fenced(&self) -> Vec<(usize, (&str, &str))> {
        let mut parts = self.text.split("```");
        let mut line = 1 + parts.next().unwrap_or_default().matches('\n').count();
        let mut fenced = Vec::new();
        while let Some(block) = parts.next() {
            let after = parts.next().unwrap_or_else(|| panic!("{}:{line} has no end", self.name));
            fenced.push((line, block.split_once('\n').unwrap_or_else(|| panic!("{}:{line} is one line", self.name))));
            line += block.matches('\n').count() + after.matches('\n').count();
        }
        fenced
    }
}

fn operations(place: &str, block: &str) -> Vec<String> {
    let mut operations: Vec<String> = Vec::new();
    for line in block.lines() {
        if ["mutation", "query", "subscription", "{"].iter().any(|start| line.starts_with(start)) {
            operations.push(String::new());
        }
        let last = operations.last_mut().unwrap_or_else(|| panic!("{place} begins with no operation"));
        last.push_str(line);
        last.push('\n');
    }
    assert!(!operations.is_empty(), "{place} has no operation");
    operations
}

/// The variables that an operation declares, each with its type. There are none in what is no GraphQL.
fn declared(operation: &str) -> Vec<(String, Type)> {
    let Ok(document) = parse_query(operation) else { return Vec::new() };
    let variables = document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
    variables.map(|variable| (variable.node.name.node.to_string(), variable.node.var_type.node.clone())).collect()
}
