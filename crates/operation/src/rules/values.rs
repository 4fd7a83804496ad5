//! Values written in a document: of the right type, complete, each field once (specification, section 5.6).

use std::collections::HashSet;

use apollo_compiler::{
    Node,
    ast::{Type, Value},
    schema::{ExtendedType, InputObjectType},
};

use super::{Rules, usage::Uses};
use crate::{
    literal::{Variables, written},
    problem::shown,
};

impl<'a> Rules<'a> {
    /// A value where one of this type is expected; whether the place has a default matters to variables.
    pub(super) fn value(&mut self, ty: &'a Type, value: &'a Node<Value>, has_default: bool, used: &mut Uses<'a>) {
        if let Value::Variable(name) = &**value {
            return used.variable(name, value, Some(ty), has_default);
        }
        if value.is_null() {
            if ty.is_non_null() {
                self.refuse(value.location(), format!("{ty} is expected, and this is null."));
            }
            return;
        }
        let named = ty.inner_named_type();
        match (self.compiler.types.schema.types.get(named), &**value) {
            (_, Value::List(items)) if ty.is_list() => {
                for item in items {
                    if self.is_full() {
                        return;
                    }
                    self.value(ty.item_type(), item, false, used);
                }
            }
            (Some(ExtendedType::InputObject(definition)), Value::Object(fields)) => {
                self.object(definition, fields, value, used);
            }
            (Some(ExtendedType::InputObject(definition)), _) => {
                let hint = self.object_hint(definition, value);
                self.mismatch(ty, value, &hint);
                self.untyped(value, used);
            }
            (Some(ExtendedType::Enum(definition)), Value::Enum(label)) => {
                if !definition.values.contains_key(label) {
                    let hint = self.enum_hint(definition, label);
                    self.refuse(value.location(), format!("{named} has no value `{}`.{hint}", shown(label)));
                }
            }
            (Some(ExtendedType::Enum(definition)), _) => {
                let hint = match &**value {
                    Value::String(label) if self.suggest && definition.values.contains_key(label.as_str()) => {
                        format!(" Write {label} without quotes.")
                    }
                    Value::String(label) => self.enum_hint(definition, label),
                    _ => String::new(),
                };
                self.mismatch(ty, value, &hint);
                self.untyped(value, used);
            }
            (Some(ExtendedType::Scalar(_)), _) => self.scalar(ty, value, used),
            // A type that is not there is told of where it is named.
            _ => self.untyped(value, used),
        }
    }

    fn object(
        &mut self,
        definition: &'a InputObjectType,
        fields: &'a [(apollo_compiler::Name, Node<Value>)],
        whole: &'a Node<Value>,
        used: &mut Uses<'a>,
    ) {
        let mut seen = HashSet::with_capacity(fields.len());
        for (name, value) in fields {
            if !self.goes_on("field", name, &mut seen) {
                return;
            }
            match definition.fields.get(name) {
                Some(field) => self.value(&field.ty, value, field.default_value.is_some(), used),
                None => {
                    let hint = self.input_field_hint(definition, name, Some(value));
                    self.refuse(name.location(), format!("{} has no field `{}`.{hint}", definition.name, shown(name)));
                    self.untyped(value, used);
                }
            }
        }
        for field in definition.fields.values().filter(|field| field.is_required()) {
            if !fields.iter().any(|(name, _)| *name == field.name) {
                let told = format!("{} needs the field `{}`, of type {}.", definition.name, field.name, field.ty);
                self.refuse(whole.location(), told);
            }
        }
        if definition.directives.has("oneOf") {
            match fields {
                [(name, value)] if value.is_null() => {
                    self.refuse(
                        value.location(),
                        format!("`{name}` must not be null: exactly one field is to be given."),
                    );
                }
                [(_, value)] => {
                    if let Value::Variable(name) = &**value {
                        used.must_not_be_null(name, value);
                    }
                }
                _ => self.refuse(whole.location(), format!("{} takes exactly one of its fields.", definition.name)),
            }
        }
    }

    fn scalar(&mut self, ty: &'a Type, value: &'a Node<Value>, used: &mut Uses<'a>) {
        let name = ty.inner_named_type();
        let is_built_in = matches!(name.as_str(), "Int" | "Float" | "String" | "ID" | "Boolean");
        self.within_scalar(ty, value, used);
        // A variable inside counts as null here; what it stands for is checked when it is given.
        let nullable = Type::Named(name.clone());
        if let Err(wrong) = self.compiler.literal(&nullable, value, &Variables::default()) {
            let bare = match &**value {
                Value::String(text) => match name.as_str() {
                    "Int" => text.parse::<i32>().is_ok(),
                    "Float" => text.parse::<f64>().is_ok(),
                    "Boolean" => text == "true" || text == "false",
                    _ => false,
                },
                _ => false,
            };
            let told = match is_built_in {
                true if bare => {
                    format!("{ty} is expected, and this is {}. Write it without quotes.", written(value))
                }
                true if name == "Int" && matches!(&**value, Value::Int(_)) => {
                    format!("{ty} is a whole number of 32 bits, and {} is none.", written(value))
                }
                true => format!("{ty} is expected, and this is {}.", written(value)),
                false => format!("{ty} is expected, and this is {}. {}", written(value), wrong.why),
            };
            self.refuse(value.location(), told);
        }
    }

    /// The variables within a scalar's value, and fields that are given twice.
    fn within_scalar(&mut self, ty: &'a Type, value: &'a Node<Value>, used: &mut Uses<'a>) {
        match &**value {
            // A list stands for itself, so that its items are of the scalar as well.
            Value::List(items) => {
                for item in items {
                    match &**item {
                        Value::Variable(name) => used.variable(name, item, Some(ty), false),
                        _ => self.within_scalar(ty, item, used),
                    }
                }
            }
            _ => self.untyped(value, used),
        }
    }

    /// A value of which no type is known: its variables, and fields that are given twice.
    pub(super) fn untyped(&mut self, value: &'a Node<Value>, used: &mut Uses<'a>) {
        match &**value {
            Value::Variable(name) => used.variable(name, value, None, false),
            Value::List(items) => items.iter().for_each(|item| self.untyped(item, used)),
            Value::Object(fields) => {
                let mut seen = HashSet::with_capacity(fields.len());
                for (name, value) in fields {
                    if !self.goes_on("field", name, &mut seen) {
                        return;
                    }
                    self.untyped(value, used);
                }
            }
            _ => {}
        }
    }
}
