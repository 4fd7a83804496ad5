//! A request's variables, coerced once (specification, section 6.1.2).

use apollo_compiler::{Node, ast, executable, schema::ExtendedType};
use async_graphql_value::{ConstValue, Name, indexmap::IndexMap};

use crate::{
    Compiler, Json, Operation,
    literal::{Variables, Wrong, float, one_of},
    problem::{MOST_PROBLEMS, Problem, Stage, shown},
    scalar::{digits, json_number},
};

/// An operation with its variables: what is executed.
pub struct Bound<'a> {
    pub(crate) compiler: &'a Compiler,
    pub(crate) operation: &'a Operation,
    pub(crate) variables: Variables,
}

impl<'a> Bound<'a> {
    pub(crate) fn new(
        compiler: &'a Compiler,
        operation: &'a Operation,
        given: Option<&Json>,
        suggest: bool,
    ) -> Result<Self, Vec<Problem>> {
        let mut variables = Variables::default();
        let mut problems = Vec::new();
        for definition in &operation.node.variables {
            match (Coercion { compiler, suggest }).variable(definition, given) {
                Ok(Some(value)) => _ = variables.insert(definition.name.to_string(), value),
                Ok(None) => {}
                Err(wrong) if problems.len() < MOST_PROBLEMS => {
                    let path = if wrong.path.is_empty() { String::new() } else { format!(" at {}", wrong.path) };
                    let told = format!("The variable `${}` cannot be taken{path}: {}", definition.name, wrong.why);
                    let sources = &operation.compiled.document.sources;
                    problems.push(Problem::new(Stage::Variables, told).at(definition.location(), sources));
                }
                Err(_) => break,
            }
        }
        if problems.is_empty() { Ok(Self { compiler, operation, variables }) } else { Err(problems) }
    }

    /// The operation.
    pub fn operation(&self) -> &'a Operation {
        self.operation
    }

    /// What kind of operation it is.
    pub fn kind(&self) -> executable::OperationType {
        self.operation.kind()
    }

    /// What is selected of the root.
    pub fn root(&self) -> &'a executable::SelectionSet {
        &self.operation.node.selection_set
    }

    /// The value of a variable as it was coerced; none when it is not given.
    pub fn variable(&self, name: &str) -> Option<&ConstValue> {
        self.variables.get(name)
    }

    /// The variables as they were coerced.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &ConstValue)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// What coerces JSON.
#[derive(Clone, Copy)]
struct Coercion<'a> {
    compiler: &'a Compiler,
    suggest: bool,
}

impl Coercion<'_> {
    fn variable(
        self,
        definition: &Node<executable::VariableDefinition>,
        given: Option<&Json>,
    ) -> Result<Option<ConstValue>, Wrong> {
        let given = match given {
            Some(Json::Object(fields)) => {
                let mut given = fields.iter().filter(|(name, _)| *name == *definition.name);
                let value = given.next();
                if given.next().is_some() {
                    return Err(Wrong::new("It is given twice."));
                }
                value.map(|(_, value)| value)
            }
            _ => None,
        };
        match (given, &definition.default_value) {
            (Some(value), _) => self.json(&definition.ty, value).map(Some),
            (None, Some(default)) => self.compiler.literal(&definition.ty, default, &Variables::default()),
            (None, None) if definition.ty.is_non_null() => {
                Err(Wrong::new(format!("A {} is needed, and none is given.", definition.ty)))
            }
            (None, None) => Ok(None),
        }
    }

    /// What JSON means as a value of this type.
    fn json(self, ty: &ast::Type, value: &Json) -> Result<ConstValue, Wrong> {
        if *value == Json::Null {
            return if ty.is_non_null() { Err(Wrong::new("This must not be null.")) } else { Ok(ConstValue::Null) };
        }
        match (ty, value) {
            (ast::Type::List(item) | ast::Type::NonNullList(item), Json::List(items)) => {
                let items = items.iter().enumerate();
                let items = items.map(|(i, value)| self.json(item, value).map_err(|wrong| wrong.under(&i.to_string())));
                Ok(ConstValue::List(items.collect::<Result<_, _>>()?))
            }
            // One is a list of one.
            (ast::Type::List(item) | ast::Type::NonNullList(item), value) => {
                Ok(ConstValue::List(vec![self.json(item, value)?]))
            }
            (ast::Type::Named(name) | ast::Type::NonNullNamed(name), value) => self.json_named(name, value),
        }
    }

    fn json_named(self, name: &str, value: &Json) -> Result<ConstValue, Wrong> {
        match (self.compiler.types.schema.types.get(name), value) {
            (Some(ExtendedType::InputObject(definition)), Json::Object(given)) => {
                for (at, (name, _)) in given.iter().enumerate() {
                    if given[..at].iter().any(|(other, _)| other == name) {
                        return Err(Wrong::new(format!("The field `{}` is given twice.", shown(name))));
                    }
                    if !definition.fields.contains_key(name.as_str()) {
                        let hint = self.compiler.input_field_hint(self.suggest, definition, name);
                        return Err(Wrong::new(format!("{} has no field `{}`.{hint}", definition.name, shown(name))));
                    }
                }
                let mut fields = IndexMap::with_capacity(given.len());
                for field in definition.fields.values() {
                    let known = given.iter().find(|(name, _)| *name == *field.name);
                    let known =
                        known.map(|(_, value)| self.json(&field.ty, value).map_err(|wrong| wrong.under(&field.name)));
                    if let Some(value) = self.compiler.or_default(field, known.transpose()?)? {
                        fields.insert(Name::new(&field.name), value);
                    }
                }
                if definition.directives.has("oneOf") {
                    one_of(fields.iter().map(|(name, value)| (name.as_str(), value)))?;
                }
                Ok(ConstValue::Object(fields))
            }
            (Some(ExtendedType::InputObject(definition)), value) => {
                Err(Wrong::new(format!("{} is an object, and this is {}.", definition.name, kind(value))))
            }
            (Some(ExtendedType::Enum(definition)), Json::String(label)) => {
                if definition.values.contains_key(label.as_str()) {
                    return Ok(ConstValue::Enum(Name::new(label)));
                }
                let hint = self.compiler.enum_hint(self.suggest, definition, label);
                Err(Wrong::new(format!("{} has no value `{}`.{hint}", definition.name, shown(label))))
            }
            (Some(ExtendedType::Scalar(_)), value) => self.json_scalar(name, value),
            (_, value) => Err(Wrong::new(format!("{name} is expected, and this is {}.", kind(value)))),
        }
    }

    fn json_scalar(self, name: &str, value: &Json) -> Result<ConstValue, Wrong> {
        let wrong = || Wrong::new(format!("{name} is expected, and this is {}.", kind(value)));
        Ok(match (name, value) {
            ("Int", Json::Number(text)) => whole(text)
                .and_then(|number| i32::try_from(number).ok())
                .ok_or_else(|| Wrong::new(format!("Int is a whole number of 32 bits, and {} is none.", shown(text))))?
                .into(),
            ("Float", Json::Number(text)) => float(text).ok_or_else(wrong)?,
            ("String" | "ID", Json::String(text)) => text.as_str().into(),
            // Of any size, as in a document.
            ("ID", Json::Number(text)) if text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) => {
                text.as_str().into()
            }
            ("ID", Json::Number(text)) => whole(text).ok_or_else(wrong)?.to_string().into(),
            ("Boolean", Json::Boolean(value)) => (*value).into(),
            ("Int" | "Float" | "String" | "ID" | "Boolean", _) => return Err(wrong()),
            (name, value) => {
                let value = match value {
                    Json::Number(text) if self.compiler.scalars.is_exact(name) => text.as_str().into(),
                    value => untyped(value)?,
                };
                self.compiler.scalars.check(name, &value).map_err(Wrong::new)?;
                value
            }
        })
    }
}

/// A number without a fraction, however it is written: `1.0` and `1e2` are whole.
fn whole(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().or_else(|| {
        let (negative, digits, before) = digits(text);
        let zeros = usize::try_from(before).ok()?.checked_sub(digits.len()).filter(|zeros| *zeros < 20)?;
        let number: i64 = if digits.is_empty() { 0 } else { format!("{digits}{}", "0".repeat(zeros)).parse().ok()? };
        Some(if negative { -number } else { number })
    })
}

fn untyped(value: &Json) -> Result<ConstValue, Wrong> {
    Ok(match value {
        Json::Null => ConstValue::Null,
        Json::Boolean(value) => (*value).into(),
        Json::Number(text) => json_number(text).map_err(Wrong::new)?,
        Json::String(text) => text.as_str().into(),
        Json::List(items) => ConstValue::List(items.iter().map(untyped).collect::<Result<_, _>>()?),
        Json::Object(fields) => {
            let mut all = IndexMap::with_capacity(fields.len());
            for (name, value) in fields {
                all.insert(Name::new(name), untyped(value).map_err(|wrong| wrong.under(name))?);
            }
            ConstValue::Object(all)
        }
    })
}

/// What JSON is, for people.
fn kind(value: &Json) -> String {
    match value {
        Json::Null => "null".into(),
        Json::Boolean(value) => value.to_string(),
        Json::Number(text) => format!("the number {}", shown(text)),
        Json::String(text) => format!("the text {:?}", shown(text)),
        Json::List(_) => "a list".into(),
        Json::Object(_) => "an object".into(),
    }
}
