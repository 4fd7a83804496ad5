//! From a document's text to a compiled operation.
//!
//! ```text
//! Compiler::compile      text → Compiled: parsed within limits, measured, validated; kept by its text
//! Compiled::operation    the operation that a request means
//! Operation::bind        the variables of a request, coerced once → Bound
//! Bound::collect         the one walker over selections: fragments opened, keys merged, conditions decided
//! Selected::arguments    coerced arguments, defaults included
//! ```
//!
//! Everything behind this crate (queries, mutations, subscriptions, introspection) sees coerced values only. Parsing, the
//! rules of whole documents (fragments, cycles, conflicts between keys) and introspection are apollo-compiler's; the rules
//! of fields, arguments and values are ours (`rules`), for they must be exact to the letter and say what to write instead.

mod bind;
mod collect;
mod compile;
mod complete;
mod grammar;
mod introspection;
mod json;
mod literal;
mod measure;
mod problem;
mod rules;
mod scalar;

pub use apollo_compiler::{
    Node,
    executable::{Field, OperationType, SelectionSet},
};

pub use self::{
    bind::Bound,
    collect::{Arguments, Selected},
    compile::{Cached, Compiled, Compiler, Operation, Types},
    json::Json,
    problem::{Location, Problem, Stage},
    scalar::Scalars,
};

/// What a document may be.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How many tokens it may have.
    pub tokens: usize,
    /// How deep its text may nest: selections, lists, objects and types alike.
    pub nesting: usize,
    /// How deep fields may nest.
    pub depth: usize,
    /// How many fields it may select, fragments unfolded.
    pub fields: usize,
    /// How many fields and fragments it may have, fragments unfolded.
    pub selections: usize,
    /// How many bytes of compiled operations are kept.
    pub cache_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { tokens: 40_000, nesting: 80, depth: 24, fields: 2_000, selections: 5_000, cache_bytes: 64 * 1024 * 1024 }
    }
}
