//! The order of an answer's root fields: as they were asked for (specification, section 7.2.2), not as they were done.

use std::collections::HashSet;

use async_graphql::{
    Request, Value,
    parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet},
};

/// The response keys of the root, in the order of the document.
pub(crate) fn of_request(request: &mut Request) -> Vec<String> {
    let name = request.operation_name.clone();
    let Ok(document) = request.parsed_query() else { return Vec::new() };
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name.as_str()),
        (DocumentOperations::Multiple(_), None) => None,
    };
    let mut keys = Vec::new();
    if let Some(operation) = operation {
        add(&mut keys, document, &operation.node.selection_set.node, &mut HashSet::new());
    }
    keys
}

/// Each fragment is read once: this runs before validation, so they may refer to each other in circles.
fn add<'a>(
    keys: &mut Vec<String>,
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    seen: &mut HashSet<&'a str>,
) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => keys.push(field.node.response_key().node.to_string()),
            Selection::InlineFragment(fragment) => {
                add(keys, document, &fragment.node.selection_set.node, seen);
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                if let Some(fragment) = document.fragments.get(name).filter(|_| seen.insert(name)) {
                    add(keys, document, &fragment.node.selection_set.node, seen);
                }
            }
        }
    }
}

/// Puts an answer's root fields into this order.
pub(crate) fn restore(data: &mut Value, keys: &[String]) {
    if let Value::Object(fields) = data
        && fields.len() > 1
    {
        let place = |name: &str| keys.iter().position(|key| key == name);
        fields.sort_by(|a, _, b, _| place(a).cmp(&place(b)));
    }
}
