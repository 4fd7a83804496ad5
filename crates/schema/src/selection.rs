//! Selections as the specification reads them: fragments opened, fields of one response key merged, variables resolved.

use std::collections::HashSet;

use aether_store::{Error, Result};
use async_graphql::{
    Name, Positioned, QueryEnv, Value,
    indexmap::IndexMap,
    parser::types::{Field, Selection, SelectionSet},
};

/// The interface that every type with a `nodeId` implements.
pub(crate) const NODE: &str = "Node";

/// A field with all that is selected under its response key.
pub(crate) struct Selected<'a> {
    pub(crate) key: &'a str,
    pub(crate) field: &'a Positioned<Field>,
    /// The selection sets of every occurrence, to be read as one.
    pub(crate) sets: Vec<&'a SelectionSet>,
}

/// The fields that these selection sets select of a type, in order.
pub(crate) fn collect<'a>(env: &'a QueryEnv, sets: &[&'a SelectionSet], ty: &str) -> Result<Vec<Selected<'a>>> {
    let (mut fields, mut seen) = (Vec::new(), HashSet::new());
    for set in sets {
        add(&mut fields, env, set, ty, &mut seen)?;
    }
    Ok(fields)
}

fn add<'a>(
    fields: &mut Vec<Selected<'a>>,
    env: &'a QueryEnv,
    set: &'a SelectionSet,
    ty: &str,
    seen: &mut HashSet<&'a str>,
) -> Result<()> {
    let applies = |condition: &str| condition == ty || condition == NODE;
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => {
                let key = field.node.response_key().node.as_str();
                match fields.iter_mut().find(|known| known.key == key) {
                    Some(known) if asks_the_same(&known.field.node, &field.node) => {
                        known.sets.push(&field.node.selection_set.node);
                    }
                    Some(_) => {
                        return Err(Error::invalid(
                            key,
                            format!(
                                "{key} is selected twice with different fields or arguments. Give one of them an alias."
                            ),
                        ));
                    }
                    None => fields.push(Selected { key, field, sets: vec![&field.node.selection_set.node] }),
                }
            }
            Selection::InlineFragment(fragment) => {
                if fragment.node.type_condition.as_ref().is_none_or(|on| applies(&on.node.on.node)) {
                    add(fields, env, &fragment.node.selection_set.node, ty, seen)?;
                }
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                let fragment = env
                    .fragments
                    .get(name)
                    .ok_or_else(|| Error::invalid(name.as_str(), format!("There is no fragment {name}.")))?;
                if applies(&fragment.node.type_condition.node.on.node) && seen.insert(name) {
                    add(fields, env, &fragment.node.selection_set.node, ty, seen)?;
                }
            }
        }
    }
    Ok(())
}

/// Whether two fields of one response key can be read as one. async-graphql checks this within one selection set only.
fn asks_the_same(one: &Field, other: &Field) -> bool {
    one.name == other.name
        && one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(|argument| other.arguments.contains(argument))
}

impl Selected<'_> {
    pub(crate) fn name(&self) -> &str {
        &self.field.node.name.node
    }

    /// The arguments given, variables resolved; an argument that is a variable without a value is not given.
    pub(crate) fn arguments(&self, env: &QueryEnv) -> IndexMap<String, Value> {
        self.field
            .node
            .arguments
            .iter()
            .filter_map(|(name, value)| Some((name.node.to_string(), resolve(env, &value.node)?)))
            .collect()
    }
}

fn resolve(env: &QueryEnv, value: &async_graphql_value::Value) -> Option<Value> {
    use async_graphql_value::Value as Written;
    Some(match value {
        Written::Variable(name) => return variable(env, name),
        Written::Null => Value::Null,
        Written::Number(number) => Value::Number(number.clone()),
        Written::String(text) => Value::String(text.clone()),
        Written::Boolean(value) => Value::Boolean(*value),
        Written::Binary(bytes) => Value::Binary(bytes.clone()),
        Written::Enum(name) => Value::Enum(name.clone()),
        Written::List(items) => {
            Value::List(items.iter().map(|item| resolve(env, item).unwrap_or(Value::Null)).collect())
        }
        Written::Object(fields) => Value::Object(
            fields.iter().filter_map(|(name, value)| Some((name.clone(), resolve(env, value)?))).collect(),
        ),
    })
}

fn variable(env: &QueryEnv, name: &Name) -> Option<Value> {
    let definition =
        env.operation.node.variable_definitions.iter().find(|definition| definition.node.name.node == *name)?;
    env.variables.get(name).cloned().or_else(|| definition.node.default_value.as_ref().map(|value| value.node.clone()))
}
