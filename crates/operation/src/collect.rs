//! The one walker over selections, as the specification reads them (section 6.3.2): fragments opened, conditions decided,
//! fields of one response key merged.

use std::collections::HashSet;

use apollo_compiler::{
    Node, ast,
    executable::{DirectiveList, Field, Selection, SelectionSet},
};
use async_graphql_value::{ConstValue, indexmap::IndexMap};

use crate::{
    Bound, Location,
    literal::Wrong,
    problem::{Problem, Stage, location},
};

/// A field with all that is selected under its response key.
pub struct Selected<'a> {
    /// The response key.
    pub key: &'a str,
    /// Its first occurrence.
    pub field: &'a Node<Field>,
    /// The selection sets of every occurrence, to be read as one.
    pub sets: Vec<&'a SelectionSet>,
}

/// Coerced arguments by name.
pub type Arguments = IndexMap<String, ConstValue>;

impl<'a> Bound<'a> {
    /// The fields that these selection sets select of an object type, in order.
    pub fn collect(&self, sets: &[&'a SelectionSet], ty: &str) -> Result<Vec<Selected<'a>>, Problem> {
        let (mut fields, mut seen) = (Vec::new(), HashSet::new());
        for set in sets {
            self.add(&mut fields, set, ty, &mut seen)?;
        }
        Ok(fields)
    }

    fn add(
        &self,
        fields: &mut Vec<Selected<'a>>,
        set: &'a SelectionSet,
        ty: &str,
        seen: &mut HashSet<&'a str>,
    ) -> Result<(), Problem> {
        for item in &set.selections {
            if !self.is_wanted(item.directives())? {
                continue;
            }
            match item {
                Selection::Field(field) => {
                    let key = field.response_key().as_str();
                    match fields.iter_mut().find(|known| known.key == key) {
                        Some(known) => known.sets.push(&field.selection_set),
                        None => fields.push(Selected { key, field, sets: vec![&field.selection_set] }),
                    }
                }
                Selection::InlineFragment(fragment) => {
                    if fragment.type_condition.as_ref().is_none_or(|on| self.applies(on, ty)) {
                        self.add(fields, &fragment.selection_set, ty, seen)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = self.operation.compiled.document.fragments.get(&spread.fragment_name) else {
                        continue;
                    };
                    if self.applies(&fragment.selection_set.ty, ty) && seen.insert(spread.fragment_name.as_str()) {
                        self.add(fields, &fragment.selection_set, ty, seen)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn applies(&self, condition: &str, ty: &str) -> bool {
        condition == ty || self.compiler.types.schema.is_subtype(condition, ty)
    }

    /// What `@skip` and `@include` decide.
    fn is_wanted(&self, directives: &DirectiveList) -> Result<bool, Problem> {
        for directive in directives.iter() {
            let unwanted = match directive.name.as_str() {
                "skip" => true,
                "include" => false,
                _ => continue,
            };
            let condition = match directive.specified_argument_by_name("if").map(|value| &**value) {
                Some(ast::Value::Boolean(value)) => Some(*value),
                Some(ast::Value::Variable(name)) => match self.variables.get(name.as_str()) {
                    Some(ConstValue::Boolean(value)) => Some(*value),
                    _ => None,
                },
                _ => None,
            };
            match condition {
                Some(condition) if condition == unwanted => return Ok(false),
                Some(_) => {}
                None => {
                    let told = format!("The condition of `@{}` must be true or false, and is null.", directive.name);
                    let problem = Problem::new(Stage::Variables, told);
                    return Err(problem.at(directive.location(), &self.operation.compiled.document.sources));
                }
            }
        }
        Ok(true)
    }

    /// The coerced arguments of a field, defaults included; one that is not given and has no default is not there.
    pub fn arguments(&self, field: &Field) -> Result<Arguments, Problem> {
        let mut arguments = Arguments::with_capacity(field.definition.arguments.len());
        for definition in &field.definition.arguments {
            let written = field.arguments.iter().find(|argument| argument.name == definition.name);
            let value = match written {
                Some(written) => self.compiler.literal(&definition.ty, &written.value, &self.variables),
                None => Ok(None),
            };
            let value = value
                .map_err(|wrong| wrong.under(&definition.name))
                .and_then(|given| self.compiler.or_default(definition, given))
                .map_err(|Wrong { path, why }| {
                    let problem = Problem::new(Stage::Variables, format!("The argument {path} cannot be taken: {why}"));
                    let span = written.and_then(|written| written.location());
                    problem.at(span.or(field.name.location()), &self.operation.compiled.document.sources)
                })?;
            if let Some(value) = value {
                arguments.insert(definition.name.to_string(), value);
            }
        }
        Ok(arguments)
    }

    /// Where a field stands in the document.
    pub fn location(&self, field: &Node<Field>) -> Option<Location> {
        location(field.location(), &self.operation.compiled.document.sources)
    }

    /// What tells this selection from others: the field with all that is selected, in one text, its variables put in. Fields
    /// of the root leave these arguments out.
    pub fn fingerprint(&self, selected: &Selected<'a>, leaving_out: &[&str]) -> Result<String, Problem> {
        let mut out = String::new();
        self.write(&mut out, selected, leaving_out)?;
        Ok(out)
    }

    fn write(&self, out: &mut String, selected: &Selected<'a>, leaving_out: &[&str]) -> Result<(), Problem> {
        use std::fmt::Write;
        _ = write!(out, "{}:{}(", selected.key, selected.field.name);
        for (name, value) in self.arguments(selected.field)? {
            if !leaving_out.contains(&name.as_str()) {
                _ = write!(out, "{name}:{value},");
            }
        }
        out.push(')');
        for set in &selected.sets {
            self.write_set(out, set)?;
        }
        Ok(())
    }

    fn write_set(&self, out: &mut String, set: &'a SelectionSet) -> Result<(), Problem> {
        out.push('{');
        for item in &set.selections {
            if !self.is_wanted(item.directives())? {
                continue;
            }
            match item {
                Selection::Field(field) => {
                    let sets = vec![&field.selection_set];
                    self.write(out, &Selected { key: field.response_key(), field, sets }, &[])?;
                }
                Selection::InlineFragment(fragment) => {
                    out.push_str("...");
                    out.push_str(fragment.type_condition.as_ref().map_or("", |on| on.as_str()));
                    self.write_set(out, &fragment.selection_set)?;
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.operation.compiled.document.fragments.get(&spread.fragment_name) {
                        out.push_str("...");
                        out.push_str(&fragment.selection_set.ty);
                        self.write_set(out, &fragment.selection_set)?;
                    }
                }
            }
            out.push(' ');
        }
        out.push('}');
        Ok(())
    }
}

impl<'a> Selected<'a> {
    /// The field's name.
    pub fn name(&self) -> &'a str {
        &self.field.name
    }

    /// The name of the field's type, without lists and non-nulls.
    pub fn ty(&self) -> &'a str {
        self.field.definition.ty.inner_named_type()
    }

    /// Whether fields of its own are selected.
    pub fn has_fields(&self) -> bool {
        self.sets.iter().any(|set| !set.selections.is_empty())
    }

    /// Whether the field is a list.
    pub fn is_list(&self) -> bool {
        self.field.definition.ty.is_list()
    }

    /// Whether the field is never null.
    pub fn is_non_null(&self) -> bool {
        self.field.definition.ty.is_non_null()
    }
}
