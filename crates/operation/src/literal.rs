//! Values written in a document, as the values that they mean (specification, section 3: Input Coercion).

use apollo_compiler::{
    ast,
    collections::HashMap,
    schema::{ExtendedType, InputValueDefinition},
};
use async_graphql_value::{ConstValue, Name, indexmap::IndexMap};

use crate::{Compiler, problem::shown, scalar::json_number};

/// The variables of a request, coerced: one that was not given and has no default is not there.
pub(crate) type Variables = HashMap<String, ConstValue>;

/// Why a value cannot be taken, with the path to it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wrong {
    /// Where, such as `lines.0.q1Amount`; empty for the value itself.
    pub(crate) path: String,
    pub(crate) why: String,
}

impl Wrong {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self { path: String::new(), why: why.into() }
    }

    pub(crate) fn under(mut self, step: &str) -> Self {
        self.path = if self.path.is_empty() { step.to_owned() } else { format!("{step}.{}", self.path) };
        self
    }
}

impl Compiler {
    /// What a literal means as a value of this type; none if it is a variable that is not there.
    pub(crate) fn literal(
        &self,
        ty: &ast::Type,
        value: &ast::Value,
        variables: &Variables,
    ) -> Result<Option<ConstValue>, Wrong> {
        if let ast::Value::Variable(name) = value {
            return match variables.get(name.as_str()) {
                Some(ConstValue::Null) if ty.is_non_null() => Err(Wrong::new("This must not be null.")),
                known => Ok(known.cloned()),
            };
        }
        if value.is_null() {
            return if ty.is_non_null() {
                Err(Wrong::new("This must not be null."))
            } else {
                Ok(Some(ConstValue::Null))
            };
        }
        let value = match (ty, value) {
            (ast::Type::List(item) | ast::Type::NonNullList(item), ast::Value::List(items)) => {
                let items = items.iter().enumerate().map(|(i, value)| {
                    let known = self.literal(item, value, variables).map_err(|wrong| wrong.under(&i.to_string()))?;
                    match known {
                        None if item.is_non_null() => Err(Wrong::new("This must not be null.").under(&i.to_string())),
                        known => Ok(known.unwrap_or(ConstValue::Null)),
                    }
                });
                ConstValue::List(items.collect::<Result<_, _>>()?)
            }
            // One is a list of one.
            (ast::Type::List(item) | ast::Type::NonNullList(item), value) => {
                ConstValue::List(self.literal(item, value, variables)?.into_iter().collect())
            }
            (ast::Type::Named(name) | ast::Type::NonNullNamed(name), value) => self.named(name, value, variables)?,
        };
        Ok(Some(value))
    }

    fn named(&self, name: &str, value: &ast::Value, variables: &Variables) -> Result<ConstValue, Wrong> {
        match (self.types.schema.types.get(name), value) {
            (Some(ExtendedType::InputObject(definition)), ast::Value::Object(given)) => {
                let mut fields = IndexMap::with_capacity(given.len());
                for field in definition.fields.values() {
                    let written = given.iter().find(|(name, _)| *name == field.name);
                    let known = match written {
                        Some((_, value)) => {
                            self.literal(&field.ty, value, variables).map_err(|wrong| wrong.under(&field.name))?
                        }
                        None => None,
                    };
                    if let Some(value) = self.or_default(field, known)? {
                        fields.insert(Name::new(&field.name), value);
                    }
                }
                if definition.directives.has("oneOf") {
                    one_of(fields.iter().map(|(name, value)| (name.as_str(), value)))?;
                }
                Ok(ConstValue::Object(fields))
            }
            (Some(ExtendedType::Enum(definition)), ast::Value::Enum(label))
                if definition.values.contains_key(label) =>
            {
                Ok(ConstValue::Enum(Name::new(label)))
            }
            (Some(ExtendedType::Scalar(_)), value) => self.scalar(name, value, variables),
            _ => Err(Wrong::new(format!("This is no {name}."))),
        }
    }

    /// A field's or argument's value, or else its default.
    pub(crate) fn or_default(
        &self,
        definition: &InputValueDefinition,
        given: Option<ConstValue>,
    ) -> Result<Option<ConstValue>, Wrong> {
        match (given, &definition.default_value) {
            (None, Some(default)) => self.literal(&definition.ty, default, &Variables::default()),
            (None, None) if definition.ty.is_non_null() => Err(Wrong::new("This is needed.").under(&definition.name)),
            (given, _) => Ok(given),
        }
    }

    fn scalar(&self, name: &str, value: &ast::Value, variables: &Variables) -> Result<ConstValue, Wrong> {
        let wrong = || Wrong::new(format!("This is no {name}."));
        Ok(match (name, value) {
            ("Int", ast::Value::Int(number)) => number.try_to_i32().map_err(|_| wrong())?.into(),
            ("Float", ast::Value::Int(number)) => float(number.as_str()).ok_or_else(wrong)?,
            ("Float", ast::Value::Float(number)) => float(number.as_str()).ok_or_else(wrong)?,
            ("String" | "ID", ast::Value::String(text)) => text.as_str().into(),
            ("ID", ast::Value::Int(number)) => number.as_str().into(),
            ("Boolean", ast::Value::Boolean(value)) => (*value).into(),
            ("Int" | "Float" | "String" | "ID" | "Boolean", _) => return Err(wrong()),
            (name, value) => {
                let value = match value {
                    ast::Value::Int(number) if self.scalars.is_exact(name) => number.as_str().into(),
                    ast::Value::Float(number) if self.scalars.is_exact(name) => number.as_str().into(),
                    value => untyped(value, variables)?,
                };
                self.scalars.check(name, &value).map_err(Wrong::new)?;
                value
            }
        })
    }
}

/// Exactly one field of a `@oneOf` object is given, and not as null.
pub(crate) fn one_of<'a>(fields: impl Iterator<Item = (&'a str, &'a ConstValue)>) -> Result<(), Wrong> {
    let mut fields = fields;
    match (fields.next(), fields.next()) {
        (Some((name, ConstValue::Null)), None) => Err(Wrong::new("This must not be null.").under(name)),
        (Some(_), None) => Ok(()),
        _ => Err(Wrong::new("Give exactly one of these fields.")),
    }
}

pub(crate) fn float(text: &str) -> Option<ConstValue> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    match text.parse::<i64>() {
        Ok(whole) => Some(whole.into()),
        Err(_) => serde_json::Number::from_f64(number).map(ConstValue::Number),
    }
}

/// A value of a scalar that may be anything.
fn untyped(value: &ast::Value, variables: &Variables) -> Result<ConstValue, Wrong> {
    Ok(match value {
        ast::Value::Null => ConstValue::Null,
        ast::Value::Enum(name) => name.as_str().into(),
        ast::Value::Variable(name) => variables.get(name.as_str()).cloned().unwrap_or(ConstValue::Null),
        ast::Value::String(text) => text.as_str().into(),
        ast::Value::Float(number) => json_number(number.as_str()).map_err(Wrong::new)?,
        ast::Value::Int(number) => json_number(number.as_str()).map_err(Wrong::new)?,
        ast::Value::Boolean(value) => (*value).into(),
        ast::Value::List(items) => {
            ConstValue::List(items.iter().map(|item| untyped(item, variables)).collect::<Result<_, _>>()?)
        }
        ast::Value::Object(fields) => {
            let mut all = IndexMap::with_capacity(fields.len());
            for (name, value) in fields {
                // A variable that is not there leaves its field out.
                let absent = matches!(&**value, ast::Value::Variable(name) if !variables.contains_key(name.as_str()));
                if !absent {
                    all.insert(Name::new(name), untyped(value, variables).map_err(|wrong| wrong.under(name))?);
                }
            }
            ConstValue::Object(all)
        }
    })
}

/// A literal as it is written, short.
pub(crate) fn written(value: &ast::Value) -> String {
    shown(&value.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
}
