//! How much a document asks for once its fragments are unfolded.
//!
//! Whatever walks into a fragment wherever it is spread can be kept busy for hours by twenty lines of fragments that spread
//! each other twice. Here each fragment is measured once, before anything else looks at the document.

use std::collections::HashMap;

use apollo_compiler::ast::{Definition, Document, FragmentDefinition, Selection};

use crate::{
    Limits,
    problem::{Problem, Stage},
};

/// How deep fragments may spread one another.
const DEEPEST: usize = 100;

/// What a selection amounts to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Size {
    fields: usize,
    /// Fields and fragments.
    selections: usize,
    /// How deep fields nest.
    depth: usize,
}

impl Size {
    const TOO_LARGE: Self = Self { fields: usize::MAX, selections: usize::MAX, depth: 0 };

    fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.selections = self.selections.saturating_add(other.selections);
        self.depth = self.depth.max(other.depth);
    }
}

/// What is too much about a document, if anything is.
pub(crate) fn too_much(document: &Document, limits: &Limits) -> Option<Problem> {
    let mut measure = Measure { fragments: HashMap::new(), known: HashMap::new() };
    for definition in &document.definitions {
        if let Definition::FragmentDefinition(fragment) = definition {
            measure.fragments.entry(fragment.name.as_str()).or_insert(fragment);
        }
    }
    let mut whole = Size::default();
    for definition in &document.definitions {
        whole.add(match definition {
            Definition::OperationDefinition(operation) => measure.set(&operation.selection_set, DEEPEST),
            // A fragment that nothing spreads is refused later; until then it must not be large either.
            Definition::FragmentDefinition(fragment) => {
                Size { depth: 0, fields: 0, ..measure.fragment(&fragment.name, DEEPEST) }
            }
            _ => Size::default(),
        });
    }
    let Limits { depth, fields, selections, .. } = limits;
    let refuse = |what: String| Some(Problem::new(Stage::Validation, what));
    match whole {
        whole if whole.selections > *selections => refuse(format!(
            "The query is too complex: unfolded, it has more than {selections} fields and fragments. Ask for less at once."
        )),
        whole if whole.fields > *fields => refuse(format!(
            "The query is too complex: it selects {} fields, and {fields} are allowed. Ask for less at once.",
            whole.fields
        )),
        whole if whole.depth > *depth => {
            refuse(format!("The query is nested too deep: {} levels of fields, and {depth} are allowed.", whole.depth))
        }
        _ => None,
    }
}

struct Measure<'a> {
    fragments: HashMap<&'a str, &'a FragmentDefinition>,
    known: HashMap<&'a str, Size>,
}

impl<'a> Measure<'a> {
    fn set(&mut self, set: &'a [Selection], left: usize) -> Size {
        let Some(left) = left.checked_sub(1) else { return Size::TOO_LARGE };
        let mut sum = Size { selections: set.len(), ..Size::default() };
        for selection in set {
            match selection {
                Selection::Field(field) => {
                    let inside = self.set(&field.selection_set, left);
                    sum.add(Size { depth: inside.depth.saturating_add(1), ..inside });
                    sum.fields = sum.fields.saturating_add(1);
                }
                Selection::InlineFragment(fragment) => sum.add(self.set(&fragment.selection_set, left)),
                Selection::FragmentSpread(spread) => sum.add(self.fragment(&spread.fragment_name, left)),
            }
        }
        sum
    }

    fn fragment(&mut self, name: &'a str, left: usize) -> Size {
        match (self.known.get(name), self.fragments.get(name).copied()) {
            (Some(size), _) => *size,
            (None, None) => Size::default(),
            (None, Some(fragment)) => {
                // Nothing while it is being measured: circles are refused by the rules.
                self.known.insert(&fragment.name, Size::default());
                let size = self.set(&fragment.selection_set, left);
                self.known.insert(&fragment.name, size);
                size
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Option<String> {
        let document = Document::parse(text, "").unwrap();
        too_much(&document, &Limits::default()).map(|problem| problem.message)
    }

    fn bomb(fragments: usize) -> String {
        let spreads = (0..fragments).map(|i| format!("fragment F{i} on Query {{ ...F{0} ...F{0} }} ", i + 1));
        let spreads: String = spreads.collect();
        format!("{{ ...F0 }} {spreads} fragment F{fragments} on Query {{ __typename }}")
    }

    #[test]
    fn fragments_are_measured_unfolded() {
        assert_eq!(problem(&bomb(5)), None);
        assert!(problem(&bomb(30)).unwrap().contains("too complex"));
        assert!(problem(&bomb(20_000)).unwrap().contains("too complex"));
    }

    #[test]
    fn circles_end() {
        assert_eq!(problem("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A ...B }"), None);
    }

    #[test]
    fn depth_goes_through_fragments() {
        let nested = |levels: usize| {
            format!("{{ ...F }} fragment F on Q {{ {} a {} }}", "a {".repeat(levels), "}".repeat(levels))
        };
        assert_eq!(problem(&nested(23)), None);
        assert!(problem(&nested(24)).unwrap().contains("25 levels"));
    }

    #[test]
    fn fields_are_counted() {
        let fields = |count: usize| format!("{{ {} }}", (0..count).map(|i| format!("a{i} ")).collect::<String>());
        assert_eq!(problem(&fields(2_000)), None);
        assert!(problem(&fields(2_001)).unwrap().contains("2001 fields"));
    }
}
