//! Variables: each is defined once, used, and fits where it is used (specification, section 5.8).

use std::collections::{HashMap, HashSet};

use apollo_compiler::{
    Name, Node,
    ast::{OperationDefinition, Type, Value},
};

use super::Rules;
use crate::problem::shown;

/// What an operation or a fragment uses.
#[derive(Default)]
pub(super) struct Uses<'a> {
    variables: Vec<Use<'a>>,
    pub(super) fragments: Vec<&'a str>,
}

struct Use<'a> {
    name: &'a Name,
    value: &'a Node<Value>,
    /// What is expected there, if that is known.
    ty: Option<&'a Type>,
    has_default: bool,
    /// Whether null is refused there although the type would allow it.
    never_null: bool,
}

impl<'a> Uses<'a> {
    pub(super) fn variable(&mut self, name: &'a Name, value: &'a Node<Value>, ty: Option<&'a Type>, has_default: bool) {
        self.variables.push(Use { name, value, ty, has_default, never_null: false });
    }

    pub(super) fn must_not_be_null(&mut self, name: &'a Name, value: &'a Node<Value>) {
        self.variables.push(Use { name, value, ty: None, has_default: false, never_null: true });
    }
}

impl<'a> Rules<'a> {
    /// The variables of an operation, with what its fragments use.
    pub(super) fn variables(
        &mut self,
        operation: &'a Node<OperationDefinition>,
        own: &Uses<'a>,
        fragments: &HashMap<&'a str, Uses<'a>>,
    ) {
        let mut defined = HashMap::new();
        for variable in &operation.variables {
            if defined.insert(variable.name.as_str(), variable).is_some() {
                self.refuse(variable.location(), format!("The variable `${}` is defined twice.", variable.name));
            }
        }
        let mut used = HashSet::new();
        let mut seen = HashSet::new();
        let mut left = vec![own];
        while let Some(uses) = left.pop() {
            for name in &uses.fragments {
                if let Some(inner) = fragments.get(name).filter(|_| seen.insert(*name)) {
                    left.push(inner);
                }
            }
            for place in &uses.variables {
                used.insert(place.name.as_str());
                match defined.get(place.name.as_str()) {
                    None => {
                        let name = shown(place.name);
                        let kind = operation.operation_type.name();
                        let told =
                            format!("The variable `${name}` is not defined: write `{kind}(${name}: …) {{ … }}`.");
                        self.refuse(place.value.location(), told);
                    }
                    Some(variable) => {
                        let default = variable.default_value.as_ref().is_some_and(|default| !default.is_null());
                        let given = &variable.ty;
                        if place.never_null && !given.is_non_null() {
                            let told =
                                format!("The variable `${}` must be of a type that is never null here.", place.name);
                            self.refuse(place.value.location(), told);
                        }
                        if let Some(ty) = place.ty
                            && !fits(given, ty, default, place.has_default)
                        {
                            let told = format!(
                                "The variable `${}` is {given}, and {ty} is expected here. Define it as `${}: {ty}`.",
                                place.name, place.name
                            );
                            self.refuse(place.value.location(), told);
                        }
                    }
                }
            }
        }
        for variable in &operation.variables {
            if !used.contains(variable.name.as_str()) {
                let told = format!("The variable `${}` is defined and never used.", variable.name);
                self.refuse(variable.location(), told);
            }
        }
    }
}

/// Whether a variable of the given type may stand where another is expected (`AreTypesCompatible` and
/// `IsVariableUsageAllowed` of the specification).
fn fits(given: &Type, expected: &Type, has_default: bool, place_has_default: bool) -> bool {
    if expected.is_non_null() && !given.is_non_null() {
        return (has_default || place_has_default) && compatible(given, &expected.clone().nullable());
    }
    compatible(given, expected)
}

fn compatible(given: &Type, expected: &Type) -> bool {
    match (given, expected) {
        (Type::NonNullNamed(given), Type::NonNullNamed(expected) | Type::Named(expected))
        | (Type::Named(given), Type::Named(expected)) => given == expected,
        (Type::NonNullList(given), Type::NonNullList(expected) | Type::List(expected))
        | (Type::List(given), Type::List(expected)) => compatible(given, expected),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_fits_as_the_specification_says() {
        let ty = |text: &str| Type::parse(text, "").unwrap();
        for (given, expected, default, place_default, whether) in [
            ("Int", "Int", false, false, true),
            ("Int!", "Int", false, false, true),
            ("Int", "Int!", false, false, false),
            ("Int", "Int!", true, false, true),
            ("Int", "Int!", false, true, true),
            ("Int", "[Int]", false, false, false),
            ("[Int!]", "[Int]", false, false, true),
            ("[Int]", "[Int!]", false, false, false),
            ("[Int]!", "[Int!]", true, true, false),
            ("[[Int!]!]!", "[[Int]]", false, false, true),
            ("String", "Int", true, true, false),
        ] {
            let found = fits(&ty(given), &ty(expected), default, place_default);
            assert_eq!(found, whether, "{given} for {expected}");
        }
    }
}
