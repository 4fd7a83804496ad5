//! How much a document asks for once its fragments are unfolded.
//!
//! Validation walks into a fragment wherever it is spread, so twenty lines of fragments that spread each other twice keep
//! it busy for hours, before anybody has signed in. Here each fragment is measured once.

use std::collections::HashMap;

use async_graphql::{
    Request,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};

/// The most fields and fragments that a document may unfold to; the schema has a lower limit for the fields that cost.
pub const MOST_SELECTIONS: usize = 5_000;
/// How deep it may go, so that measuring it needs little of the stack; validation allows less.
const DEEPEST: usize = 100;

/// Whether the document unfolds to too much. One that is no GraphQL is small: it is refused when it is executed.
pub fn is_too_large(request: &mut Request) -> bool {
    let Ok(document) = request.parsed_query() else { return false };
    let mut measured = HashMap::new();
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    let sizes = operations.chain(fragments).map(|set| size(document, set, DEEPEST, &mut measured));
    sizes.fold(0, usize::saturating_add) > MOST_SELECTIONS
}

fn size<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    depth: usize,
    measured: &mut HashMap<&'a str, usize>,
) -> usize {
    let Some(depth) = depth.checked_sub(1) else { return usize::MAX };
    let mut sum = set.items.len();
    for item in &set.items {
        let inside = match &item.node {
            Selection::Field(field) => size(document, &field.node.selection_set.node, depth, measured),
            Selection::InlineFragment(fragment) => size(document, &fragment.node.selection_set.node, depth, measured),
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                match (measured.get(name), document.fragments.get(name)) {
                    (Some(known), _) => *known,
                    (None, None) => 0,
                    (None, Some(fragment)) => {
                        // Nothing while it is being measured: validation refuses circles by itself.
                        measured.insert(name, 0);
                        let inside = size(document, &fragment.node.selection_set.node, depth, measured);
                        measured.insert(name, inside);
                        inside
                    }
                }
            }
        };
        sum = sum.saturating_add(inside);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bomb(fragments: usize) -> Request {
        let spreads = (0..fragments).map(|i| format!("fragment F{i} on Query {{ ...F{0} ...F{0} }} ", i + 1));
        let spreads: String = spreads.collect();
        Request::new(format!("{{ ...F0 }} {spreads} fragment F{fragments} on Query {{ __typename }}"))
    }

    #[test]
    fn fragments_are_measured_unfolded() {
        assert!(!is_too_large(&mut bomb(5)));
        assert!(is_too_large(&mut bomb(30)));
        assert!(is_too_large(&mut bomb(20_000)));
    }

    #[test]
    fn circles_end() {
        assert!(!is_too_large(&mut Request::new(
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A ...B }"
        )));
    }
}
