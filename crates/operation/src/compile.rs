//! Compiling documents, and keeping what was compiled.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use apollo_compiler::{
    ExecutableDocument, Node, Schema, ast,
    collections::HashMap,
    executable,
    schema::Implementers,
    validation::{DiagnosticList, Valid},
};

use quick_cache::{Weighter, sync::Cache};

use crate::{
    Limits, Scalars,
    bind::Bound,
    grammar, introspection,
    json::Json,
    measure,
    problem::{Location, MOST_PROBLEMS, Problem, Stage, shown},
    rules,
};

/// How many bytes of memory a byte of a document's text becomes when it is compiled, about: measured on the documents of the
/// benchmark and of GraphiQL.
const GROWTH: usize = 40;
/// About how many documents are kept. The cache has parts of 32 documents at least, and keeps nothing larger than a part.
const EXPECTED: usize = 128;

/// The types of a schema, read once.
pub struct Types {
    pub(crate) schema: Valid<Schema>,
    pub(crate) implementers: HashMap<apollo_compiler::Name, Implementers>,
}

impl Types {
    /// The types that a text in GraphQL's own language defines.
    pub fn read(sdl: &str) -> Result<Self, String> {
        let schema = Schema::parse_and_validate(sdl, "schema.graphql").map_err(|wrong| wrong.errors.to_string())?;
        let mut schema = schema.into_inner();
        introspection::complete(&mut schema);
        Ok(Self { implementers: schema.implementers_map(), schema: Valid::assume_valid(schema) })
    }
}

/// Compiles documents against one schema.
pub struct Compiler {
    pub(crate) types: Arc<Types>,
    pub(crate) scalars: Box<dyn Scalars>,
    pub(crate) limits: Limits,
    kept: Cache<Arc<str>, Arc<Compiled>, Weight>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// What a compiled document weighs: its memory in bytes, about.
#[derive(Clone)]
struct Weight;

impl Weighter<Arc<str>, Arc<Compiled>> for Weight {
    fn weight(&self, text: &Arc<str>, _: &Arc<Compiled>) -> u64 {
        u64::try_from(text.len().saturating_mul(GROWTH)).unwrap_or(u64::MAX)
    }
}

/// A document that may be executed.
pub struct Compiled {
    pub(crate) document: Valid<ExecutableDocument>,
    /// Its number, different for each.
    id: u64,
    /// How many bytes its text has.
    size: usize,
    /// How often each variable is named in the text.
    mentions: HashMap<String, usize>,
}

/// One operation of a compiled document.
#[derive(Clone)]
pub struct Operation {
    pub(crate) compiled: Arc<Compiled>,
    pub(crate) node: Node<executable::Operation>,
}

/// How well the kept operations serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cached {
    /// Documents that were kept when they were asked for.
    pub hits: u64,
    /// Documents that had to be compiled.
    pub misses: u64,
    /// How many are kept.
    pub documents: u64,
    /// Their memory in bytes, about.
    pub bytes: u64,
}

impl Compiler {
    /// A compiler for the schema with these types.
    pub fn new(types: Arc<Types>, scalars: impl Scalars + 'static, limits: Limits) -> Self {
        let kept = Cache::with_weighter(EXPECTED, limits.cache_bytes, Weight);
        Self { types, scalars: Box::new(scalars), limits, kept, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// The document of this text, ready to be executed, and whether it was known before. Problems say what may have been meant
    /// only if they are to suggest that: it tells of the schema.
    pub fn compile(&self, text: &str, suggest: bool) -> Result<(Arc<Compiled>, bool), Vec<Problem>> {
        if let Some(known) = self.kept.get(text) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok((known, true));
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let compiled = Arc::new(self.compile_anew(text, suggest)?);
        self.kept.insert(text.into(), compiled.clone());
        Ok((compiled, false))
    }

    fn compile_anew(&self, text: &str, suggest: bool) -> Result<Compiled, Vec<Problem>> {
        let text = grammar::check(text, &self.limits).map_err(|problem| vec![problem])?;
        let (size, mentions) = (text.len(), mentions(&text));
        // The grammar is right and the limits hold; apollo-parser counts levels of its own.
        let mut parser = ast::Document::parser().recursion_limit(4 * self.limits.nesting + 16);
        let document = parser.parse_ast(text, "").map_err(|wrong| problems_of(&wrong.errors, Stage::Parsing))?;
        if let Some(problem) = measure::too_much(&document, &self.limits) {
            return Err(vec![problem]);
        }
        let problems = rules::check(self, &document, suggest);
        if !problems.is_empty() {
            return Err(problems);
        }
        let document = document
            .to_executable_validate(&self.types.schema)
            .map_err(|wrong| problems_of(&wrong.errors, Stage::Validation))?;
        introspection::check(&document)?;
        static NUMBERED: AtomicU64 = AtomicU64::new(0);
        let id = NUMBERED.fetch_add(1, Ordering::Relaxed);
        Ok(Compiled { document, id, size, mentions })
    }

    /// Binds a request's variables to its operation.
    pub fn bind<'a>(
        &'a self,
        operation: &'a Operation,
        variables: Option<&Json>,
        suggest: bool,
    ) -> Result<Bound<'a>, Vec<Problem>> {
        Bound::new(self, operation, variables, suggest)
    }

    /// How well the kept operations serve.
    pub fn cached(&self) -> Cached {
        Cached {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            documents: self.kept.len() as u64,
            bytes: self.kept.weight(),
        }
    }
}

impl Compiled {
    /// The operation with this name; or without one the only one.
    pub fn operation(self: &Arc<Self>, name: Option<&str>) -> Result<Operation, Problem> {
        let all = &self.document.operations;
        let found = match name {
            Some(name) => all.named.get(name).ok_or_else(|| {
                let name = shown(name);
                format!("The document has no operation named `{name}`. Send one of its names as `operationName`.")
            }),
            None => match (&all.anonymous, all.named.len()) {
                (Some(operation), _) => Ok(operation),
                (None, 1) => all.named.values().next().ok_or_else(String::new),
                (None, 0) => Err("The document has no operation, only fragments.".into()),
                (None, _) => {
                    let names: Vec<_> = all.named.keys().take(5).map(|name| format!("`{name}`")).collect();
                    Err(format!(
                        "The document has several operations: say which one as `operationName`, such as {}.",
                        names.join(" or ")
                    ))
                }
            },
        };
        found
            .map(|node| Operation { compiled: self.clone(), node: node.clone() })
            .map_err(|why| Problem::new(Stage::Validation, why))
    }
}

/// How often each variable is named in a text, strings and comments included. Where something stands between a dollar and its
/// name, as the grammar allows, nothing is known.
fn mentions(text: &str) -> HashMap<String, usize> {
    let mut mentions = HashMap::default();
    for after in text.split('$').skip(1) {
        let name = after.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        if name.is_empty() {
            return HashMap::default();
        }
        *mentions.entry(name.to_owned()).or_default() += 1;
    }
    mentions
}

impl Operation {
    /// The number of its document, different for each that is compiled.
    pub fn document(&self) -> u64 {
        self.compiled.id
    }

    /// How many bytes the document's text has.
    pub fn size(&self) -> usize {
        self.compiled.size
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.node.name.as_ref().map(|name| name.as_str())
    }

    /// The variable that this argument of a field is, if it is nothing else in the whole document.
    pub fn only_here<'a>(&'a self, field: &'a executable::Field, argument: &str) -> Option<&'a str> {
        let written = field.arguments.iter().find(|written| written.name == argument)?;
        let ast::Value::Variable(name) = &*written.value else { return None };
        // Where it is defined, and here.
        (self.compiled.mentions.get(name.as_str()) == Some(&2)).then_some(name.as_str())
    }

    /// The fields that the operation itself selects of the root, those of its fragments left out.
    pub fn root_fields(&self) -> impl Iterator<Item = &Node<executable::Field>> {
        self.node.selection_set.selections.iter().filter_map(|selection| match selection {
            executable::Selection::Field(field) => Some(field),
            _ => None,
        })
    }

    /// What kind of operation it is.
    pub fn kind(&self) -> executable::OperationType {
        self.node.operation_type
    }

    /// Whether a directive of this name stands at the operation.
    pub fn has_directive(&self, name: &str) -> bool {
        self.node.directives.has(name)
    }
}

/// Problems that apollo-compiler found.
fn problems_of(list: &DiagnosticList, stage: Stage) -> Vec<Problem> {
    list.iter()
        .take(MOST_PROBLEMS)
        .map(|problem| Problem {
            stage,
            message: sentence(&problem.error.to_string()),
            location: problem
                .line_column_range()
                .map(|range| Location { line: range.start.line, column: range.start.column }),
        })
        .collect()
}

/// As a sentence: with a capital and an end.
fn sentence(text: &str) -> String {
    let mut all: String = text.chars().take(400).collect();
    if let Some(first) = all.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if !all.ends_with(['.', '!', '?', '…']) {
        all.push('.');
    }
    all
}
