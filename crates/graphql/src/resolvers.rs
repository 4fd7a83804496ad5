//! From a compiled operation to hand-written resolvers: the request that async-graphql dispatches to them.
//!
//! It gets a document without variables, fragments and conditions, with every argument coerced and every default in its
//! place, so nothing is left for it to interpret. Where a row of the model is selected, the rest is planned already
//! (`rows::Plans`), and a stub stands for it.

use aether_operation::{Bound, OperationType, Problem, Selected};
use aether_store::model::Model;
use async_graphql::{
    Name, Pos, Positioned,
    parser::types::{DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet},
};

use crate::compiled::position;

/// The document that selects these fields of the root.
pub(crate) fn document(bound: &Bound<'_>, fields: &[&Selected<'_>]) -> Result<ExecutableDocument, Problem> {
    let items = fields.iter().map(|selected| field(bound, selected)).collect::<Result<_, _>>()?;
    let operation = OperationDefinition {
        ty: match bound.kind() {
            OperationType::Query => async_graphql::parser::types::OperationType::Query,
            OperationType::Mutation => async_graphql::parser::types::OperationType::Mutation,
            OperationType::Subscription => async_graphql::parser::types::OperationType::Subscription,
        },
        variable_definitions: Vec::new(),
        directives: Vec::new(),
        selection_set: nowhere(SelectionSet { items }),
    };
    Ok(ExecutableDocument { operations: DocumentOperations::Single(nowhere(operation)), fragments: Default::default() })
}

fn field(bound: &Bound<'_>, selected: &Selected<'_>) -> Result<Positioned<Selection>, Problem> {
    let at = bound.location(selected.field).map(position).unwrap_or_default();
    let placed = |name: &str| Positioned::new(Name::new(name), at);
    let arguments = bound.arguments(selected.field)?;
    let arguments = arguments.into_iter().map(|(name, value)| (placed(&name), Positioned::new(value.into_value(), at)));
    let ty = selected.ty();
    let items = if !selected.has_fields() {
        Vec::new()
    } else if is_row(ty) {
        vec![stub(at)]
    } else {
        bound.collect(&selected.sets, ty)?.iter().map(|inner| field(bound, inner)).collect::<Result<_, _>>()?
    };
    let field = Field {
        alias: (selected.key != selected.name()).then(|| placed(selected.key)),
        name: placed(selected.name()),
        arguments: arguments.collect(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet { items }, at),
    };
    Ok(Positioned::new(Selection::Field(Positioned::new(field, at)), at))
}

/// Whether a type's objects are rows of the model.
pub(crate) fn is_row(ty: &str) -> bool {
    Model::get().by_name(ty).is_some()
}

fn stub(at: Pos) -> Positioned<Selection> {
    let name = Positioned::new(Name::new("__typename"), at);
    let field =
        Field { alias: None, name, arguments: Vec::new(), directives: Vec::new(), selection_set: Default::default() };
    Positioned::new(Selection::Field(Positioned::new(field, at)), at)
}

fn nowhere<T>(node: T) -> Positioned<T> {
    Positioned::new(node, Pos::default())
}
