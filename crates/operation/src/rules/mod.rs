//! The rules of fields, arguments, values, variables and directives (specification, section 5), each with what to write
//! instead. What is left, the rules of whole documents, is apollo-compiler's, which comes after.
//!
//! apollo-compiler has rules for these too, but it takes a variable wherever the innermost type fits, a field of an input
//! object twice, and any value for a custom scalar.

mod hints;
mod usage;
mod values;

use std::collections::{HashMap, HashSet};

use apollo_compiler::{
    Name, Node,
    ast::{Argument, Definition, DirectiveList, Document, Field, OperationDefinition, Selection, Type},
    parser::SourceSpan,
    schema::{ExtendedType, FieldDefinition, InputValueDefinition},
};

use crate::{
    Compiler,
    literal::written,
    problem::{MOST_PROBLEMS, Problem, Stage, shown},
};

use self::usage::Uses;

/// What is wrong with a document, as far as these rules tell.
pub(crate) fn check(compiler: &Compiler, document: &Document, suggest: bool) -> Vec<Problem> {
    let mut rules = Rules { compiler, document, fragments: HashMap::new(), problems: Vec::new(), suggest, hints: 0 };
    let mut uses = HashMap::new();
    for definition in &document.definitions {
        if let Definition::FragmentDefinition(fragment) = definition {
            rules.fragments.entry(fragment.name.as_str()).or_insert(fragment);
        }
    }
    for definition in &document.definitions {
        if let Definition::FragmentDefinition(fragment) = definition {
            let mut used = Uses::default();
            rules.directives(&fragment.directives, "FRAGMENT_DEFINITION", &mut used);
            let ty = rules.condition(&fragment.type_condition, &format!("The fragment `{}`", fragment.name));
            rules.set(ty, &fragment.selection_set, &mut used);
            uses.entry(fragment.name.as_str()).or_insert(used);
        }
    }
    for definition in &document.definitions {
        if let Definition::OperationDefinition(operation) = definition {
            rules.operation(operation, &uses);
        }
    }
    rules.problems
}

pub(crate) struct Rules<'a> {
    pub(super) compiler: &'a Compiler,
    document: &'a Document,
    fragments: HashMap<&'a str, &'a apollo_compiler::ast::FragmentDefinition>,
    problems: Vec<Problem>,
    /// Whether problems say what may have been meant.
    pub(super) suggest: bool,
    /// How many hints were looked for: each compares a name with many.
    pub(super) hints: usize,
}

impl<'a> Rules<'a> {
    /// Whether enough is wrong, so that nothing more needs to be looked for.
    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= MOST_PROBLEMS
    }

    /// Refuses what is given under a name twice, and tells whether to look at it: not when enough is wrong already.
    pub(super) fn goes_on(&mut self, what: &str, name: &'a Name, seen: &mut HashSet<&'a str>) -> bool {
        if self.is_full() {
            return false;
        }
        if !seen.insert(name.as_str()) {
            self.refuse(name.location(), format!("The {what} `{name}` is given twice."));
        }
        true
    }

    pub(super) fn refuse(&mut self, span: Option<SourceSpan>, message: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem::new(Stage::Validation, message).at(span, &self.document.sources));
        }
    }

    fn operation(&mut self, operation: &'a Node<OperationDefinition>, fragments: &HashMap<&'a str, Uses<'a>>) {
        let kind = operation.operation_type;
        let mut used = Uses::default();
        let location = match kind {
            apollo_compiler::ast::OperationType::Query => "QUERY",
            apollo_compiler::ast::OperationType::Mutation => "MUTATION",
            apollo_compiler::ast::OperationType::Subscription => "SUBSCRIPTION",
        };
        self.directives(&operation.directives, location, &mut used);
        for variable in &operation.variables {
            // Neither its default nor its directives know variables.
            let mut none = Uses::default();
            self.directives(&variable.directives, "VARIABLE_DEFINITION", &mut none);
            let known = self.compiler.types.schema.types.get(variable.ty.inner_named_type());
            match known {
                Some(ty) if ty.is_input_type() => {
                    if let Some(default) = &variable.default_value {
                        self.value(&variable.ty, default, false, &mut none);
                    }
                }
                Some(ty) => self.refuse(
                    variable.location(),
                    format!("The variable `${}` is a {}, which is no type of input.", variable.name, ty.name()),
                ),
                None => {
                    let name = variable.ty.inner_named_type().clone();
                    let hint = self.type_hint(&name);
                    self.refuse(variable.location(), format!("There is no type `{}`.{hint}", shown(&name)));
                }
            }
        }
        let root = self.compiler.types.schema.root_operation(kind);
        self.set(root, &operation.selection_set, &mut used);
        self.variables(operation, &used, fragments);
    }

    /// The type of a fragment's condition, if it can have fields.
    fn condition(&mut self, condition: &'a Name, whose: &str) -> Option<&'a Name> {
        match self.compiler.types.schema.types.get(condition) {
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_)) => Some(condition),
            Some(_) => {
                self.refuse(condition.location(), format!("{whose} is on {condition}, which has no fields."));
                None
            }
            None => {
                let hint = self.type_hint(condition);
                self.refuse(
                    condition.location(),
                    format!("{whose} is on `{}`, and there is no such type.{hint}", shown(condition)),
                );
                None
            }
        }
    }

    fn set(&mut self, parent: Option<&'a Name>, set: &'a [Selection], used: &mut Uses<'a>) {
        for selection in set {
            if self.is_full() {
                return;
            }
            match selection {
                Selection::Field(field) => self.field(parent, field, used),
                Selection::InlineFragment(fragment) => {
                    self.directives(&fragment.directives, "INLINE_FRAGMENT", used);
                    let inner = match &fragment.type_condition {
                        None => parent,
                        Some(on) => {
                            let inner = self.condition(on, "A fragment");
                            self.possible(parent, inner, fragment.location());
                            inner
                        }
                    };
                    self.set(inner, &fragment.selection_set, used);
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.directives, "FRAGMENT_SPREAD", used);
                    used.fragments.push(spread.fragment_name.as_str());
                    match self.fragments.get(spread.fragment_name.as_str()) {
                        None => {
                            let name = shown(&spread.fragment_name);
                            self.refuse(spread.location(), format!("There is no fragment `{name}` in the document."));
                        }
                        Some(fragment) => {
                            let known = self.compiler.types.schema.types.contains_key(&fragment.type_condition);
                            self.possible(parent, known.then_some(&fragment.type_condition), spread.location());
                        }
                    }
                }
            }
        }
    }

    /// Whether a row can be of both types.
    fn possible(&mut self, parent: Option<&Name>, inner: Option<&Name>, span: Option<SourceSpan>) {
        let (Some(parent), Some(inner)) = (parent, inner) else { return };
        let possible = |name: &Name| -> HashSet<Name> {
            match self.compiler.types.implementers.get(name) {
                Some(known) => known.objects.iter().cloned().collect(),
                None => HashSet::from([name.clone()]),
            }
        };
        if parent != inner && possible(parent).is_disjoint(&possible(inner)) {
            self.refuse(
                span,
                format!("A fragment on {inner} cannot be spread here, for a {parent} is never a {inner}."),
            );
        }
    }

    fn field(&mut self, parent: Option<&'a Name>, field: &'a Node<Field>, used: &mut Uses<'a>) {
        self.directives(&field.directives, "FIELD", used);
        let Some(parent) = parent else {
            self.arguments(&field.arguments, None, "", used);
            return self.set(None, &field.selection_set, used);
        };
        let Ok(definition) = self.compiler.types.schema.type_field(parent, &field.name) else {
            let hint = self.field_hint(parent, &field.name);
            self.refuse(field.name.location(), format!("{parent} has no field `{}`.{hint}", shown(&field.name)));
            self.arguments(&field.arguments, None, "", used);
            return self.set(None, &field.selection_set, used);
        };
        let definition: &'a FieldDefinition = definition;
        self.arguments(&field.arguments, Some(&definition.arguments), &format!("`{}`", field.name), used);
        self.required(&definition.arguments, &field.arguments, field.name.location(), &format!("`{}`", field.name));
        let ty = definition.ty.inner_named_type();
        let is_leaf = self.compiler.types.schema.types.get(ty).is_some_and(ExtendedType::is_leaf);
        match (is_leaf, field.selection_set.is_empty()) {
            (true, false) => {
                self.refuse(
                    field.name.location(),
                    format!("`{}` is a {ty}, which has no fields: leave out what is in braces.", field.name),
                );
                self.set(None, &field.selection_set, used);
            }
            (false, true) => {
                let hint = self.selection_hint(&field.name, ty);
                self.refuse(
                    field.name.location(),
                    format!("`{}` is a {ty}: say which of its fields you want{hint}.", field.name),
                );
            }
            (false, false) => self.set(Some(ty), &field.selection_set, used),
            (true, true) => {}
        }
    }

    fn arguments(
        &mut self,
        given: &'a [Node<Argument>],
        known: Option<&'a [Node<InputValueDefinition>]>,
        whose: &str,
        used: &mut Uses<'a>,
    ) {
        let mut seen = HashSet::with_capacity(given.len());
        for argument in given {
            if !self.goes_on("argument", &argument.name, &mut seen) {
                return;
            }
            let definition = known.and_then(|known| known.iter().find(|definition| definition.name == argument.name));
            match (definition, known) {
                (Some(definition), _) => {
                    let problems = self.problems.len();
                    self.value(&definition.ty, &argument.value, definition.default_value.is_some(), used);
                    for problem in self.problems.iter_mut().skip(problems) {
                        problem.message = format!("The argument `{}`: {}", argument.name, problem.message);
                    }
                }
                (None, Some(known)) => {
                    let hint = self.argument_hint(known, &argument.name);
                    self.refuse(
                        argument.location(),
                        format!("{whose} has no argument `{}`.{hint}", shown(&argument.name)),
                    );
                    self.untyped(&argument.value, used);
                }
                (None, None) => self.untyped(&argument.value, used),
            }
        }
    }

    fn required(
        &mut self,
        known: &[Node<InputValueDefinition>],
        given: &[Node<Argument>],
        span: Option<SourceSpan>,
        whose: &str,
    ) {
        for definition in known.iter().filter(|definition| definition.is_required()) {
            if !given.iter().any(|argument| argument.name == definition.name) {
                self.refuse(
                    span,
                    format!("{whose} needs the argument `{}`, of type {}.", definition.name, definition.ty),
                );
            }
        }
    }

    fn directives(&mut self, directives: &'a DirectiveList, location: &str, used: &mut Uses<'a>) {
        let mut seen = HashSet::new();
        for directive in directives.iter() {
            if self.is_full() {
                return;
            }
            let Some(definition) = self.compiler.types.schema.directive_definitions.get(&directive.name) else {
                self.refuse(directive.location(), format!("There is no directive `@{}`.", shown(&directive.name)));
                self.arguments(&directive.arguments, None, "", used);
                continue;
            };
            if !definition.locations.iter().any(|known| known.name() == location) {
                let places: Vec<_> = definition.locations.iter().map(|known| known.name()).collect();
                let told = format!("`@{}` cannot stand here, only at {}.", directive.name, places.join(", "));
                self.refuse(directive.location(), told);
            }
            if !seen.insert(directive.name.as_str()) && !definition.repeatable {
                self.refuse(directive.location(), format!("`@{}` stands here twice.", directive.name));
            }
            let whose = format!("`@{}`", directive.name);
            self.arguments(&directive.arguments, Some(&definition.arguments), &whose, used);
            self.required(&definition.arguments, &directive.arguments, directive.location(), &whose);
        }
    }

    /// The refusal of a value that is of another type.
    pub(super) fn mismatch(&mut self, ty: &Type, value: &Node<apollo_compiler::ast::Value>, hint: &str) {
        self.refuse(value.location(), format!("{ty} is expected, and this is {}.{hint}", written(value)));
    }
}
