//! The compiler of operations against this schema.

use std::sync::Arc;

use aether_entity::catalog::Kind;
use aether_operation::{Compiler, Location, Problem, Scalars, Stage, Types};
use async_graphql::{Pos, ServerError, Value};

use crate::{
    Limits,
    error::code,
    scalar::{self, SCALARS},
};

/// The scalars of the schema that GraphQL itself does not have.
struct Custom;

fn kind(scalar: &str) -> Option<Kind> {
    SCALARS.iter().find(|(name, ..)| *name == scalar).map(|(_, _, kind)| *kind)
}

impl Scalars for Custom {
    fn check(&self, scalar: &str, value: &Value) -> Result<(), String> {
        kind(scalar).map_or(Ok(()), |kind| scalar::parse(kind, value).map(drop))
    }

    fn is_exact(&self, scalar: &str) -> bool {
        matches!(kind(scalar), Some(Kind::Decimal | Kind::BigInt))
    }
}

/// A compiler of operations over these types, with these limits.
pub(crate) fn compiler(types: Arc<Types>, limits: &Limits) -> Compiler {
    let limits = aether_operation::Limits {
        depth: limits.max_depth,
        fields: limits.max_fields,
        ..aether_operation::Limits::default()
    };
    Compiler::new(types, Custom, limits)
}

/// Problems as clients see them.
pub(crate) fn errors(problems: Vec<Problem>) -> Vec<ServerError> {
    problems.into_iter().map(error).collect()
}

/// A problem as clients see it.
pub(crate) fn error(problem: Problem) -> ServerError {
    let mut error = ServerError::new(problem.message, problem.location.map(position));
    let code = match problem.stage {
        Stage::Parsing => code::GRAPHQL_PARSE_FAILED,
        Stage::Validation | Stage::Variables => code::GRAPHQL_VALIDATION_FAILED,
    };
    error.extensions.get_or_insert_default().set("code", code);
    error
}

/// A place in the document as async-graphql has it.
pub(crate) fn position(location: Location) -> Pos {
    Pos { line: location.line, column: location.column }
}
