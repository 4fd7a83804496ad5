//! Introspection: what a document asks of the schema itself (specification, section 4).
//!
//! The types of a schema lead to one another without end, and aliases repeat what is large. So lists may nest as deep as
//! graphql-js lets them, and an answer has so many bytes at most, which are counted while they are written. apollo-compiler's own
//! introspection builds the whole answer first, and does not know `isOneOf`.

use std::cell::Cell;

use apollo_compiler::{
    ExecutableDocument, Name, Node, Schema,
    ast::{
        self, DirectiveDefinition, DirectiveList, DirectiveLocation, EnumValueDefinition, FieldDefinition,
        InputValueDefinition, Type,
    },
    executable::SelectionSet,
    introspection,
    schema::{Component, ExtendedType},
    validation::Valid,
};
use async_graphql_value::ConstValue;
use serde_json::json;

use crate::{
    Bound, Compiler, Selected,
    problem::{Problem, Stage, location},
};

/// How many bytes an answer may have. The whole schema, as tools ask for it, has 1.5 million.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// How many objects an answer may tell of. The whole schema, as tools ask for it, has 15,000.
const MOST_OBJECTS: usize = 60_000;

/// The meta-fields that apollo-compiler's types lack.
pub(crate) fn complete(schema: &mut Schema) {
    let Some(ExtendedType::Object(ty)) = schema.types.get_mut("__Type") else { return };
    let is_one_of = FieldDefinition {
        description: None,
        name: apollo_compiler::name!("isOneOf"),
        arguments: Vec::new(),
        ty: Type::Named(apollo_compiler::name!("Boolean")),
        directives: DirectiveList::default(),
    };
    ty.make_mut().fields.insert(is_one_of.name.clone(), Component::new(is_one_of));
}

/// Refuses what would unfold the schema into itself level by level.
pub(crate) fn check(document: &Valid<ExecutableDocument>) -> Result<(), Vec<Problem>> {
    for operation in document.operations.iter() {
        introspection::check_max_depth(document, operation).map_err(|error| {
            let told = "The introspection is nested too deep: lists of fields, types or arguments within three of the same. \
                        Ask for the types by their names instead.";
            let location = location(error.location(), &document.sources);
            vec![Problem { stage: Stage::Validation, message: told.into(), location }]
        })?;
    }
    Ok(())
}

impl Compiler {
    /// The answers to `__schema` and `__type` of this operation, as JSON by response key.
    pub fn introspect(&self, bound: &Bound<'_>) -> Result<Vec<(String, String)>, Problem> {
        let schema = &self.types.schema;
        let mut writer = Writer { compiler: self, bound, written: 0, objects: Cell::new(0) };
        let mut answers = Vec::new();
        for selected in bound.collect(&[bound.root()], "Query")? {
            let mut out = String::new();
            match &*selected.field.name {
                "__schema" => writer.object(&mut out, &selected.sets, &Meta::Schema)?,
                "__type" => {
                    let arguments = bound.arguments(selected.field)?;
                    let named = match arguments.get("name") {
                        Some(ConstValue::String(name)) => schema.types.get(name.as_str()),
                        _ => None,
                    };
                    match named {
                        Some(ty) => writer.object(&mut out, &selected.sets, &Meta::Named(ty))?,
                        None => out.push_str("null"),
                    }
                }
                _ => continue,
            }
            writer.written += out.len();
            answers.push((selected.key.to_owned(), out));
        }
        Ok(answers)
    }
}

/// Something that introspection tells of.
enum Meta<'s> {
    Schema,
    Named(&'s ExtendedType),
    /// A list or a non-null of another type.
    Wrapping(Type),
    Field(&'s FieldDefinition),
    Input(&'s InputValueDefinition),
    Value(&'s EnumValueDefinition),
    Directive(&'s DirectiveDefinition),
}

/// What a field of these is.
enum Answer<'s> {
    Leaf(serde_json::Value),
    One(Option<Meta<'s>>),
    Many(Option<Vec<Meta<'s>>>),
}

impl Answer<'_> {
    fn text(text: Option<&str>) -> Self {
        Self::Leaf(text.into())
    }
}

struct Writer<'c> {
    compiler: &'c Compiler,
    bound: &'c Bound<'c>,
    /// How much was written of the answers before this one.
    written: usize,
    /// How many objects were told of.
    objects: Cell<usize>,
}

impl<'c> Writer<'c> {
    fn object(&self, out: &mut String, sets: &[&'c SelectionSet], meta: &Meta<'c>) -> Result<(), Problem> {
        let name = match meta {
            Meta::Schema => "__Schema",
            Meta::Named(_) | Meta::Wrapping(_) => "__Type",
            Meta::Field(_) => "__Field",
            Meta::Input(_) => "__InputValue",
            Meta::Value(_) => "__EnumValue",
            Meta::Directive(_) => "__Directive",
        };
        out.push('{');
        for (at, selected) in self.bound.collect(sets, name)?.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push('"');
            out.push_str(selected.key);
            out.push_str("\":");
            let told = match &*selected.field.name {
                "__typename" => Answer::text(Some(name)),
                _ => self.answer(meta, selected)?,
            };
            match told {
                Answer::Leaf(json) => out.push_str(&json.to_string()),
                Answer::One(None) | Answer::Many(None) => out.push_str("null"),
                Answer::One(Some(inner)) => self.object(out, &selected.sets, &inner)?,
                Answer::Many(Some(all)) => {
                    out.push('[');
                    for (at, inner) in all.iter().enumerate() {
                        if at > 0 {
                            out.push(',');
                        }
                        self.object(out, &selected.sets, inner)?;
                    }
                    out.push(']');
                }
            }
        }
        out.push('}');
        self.objects.set(self.objects.get() + 1);
        if self.written + out.len() > MOST_BYTES || self.objects.get() > MOST_OBJECTS {
            let told = format!(
                "The introspection is too large: more than {MOST_BYTES} bytes or {MOST_OBJECTS} objects. Ask for less at once."
            );
            return Err(Problem::new(Stage::Validation, told));
        }
        Ok(())
    }

    fn answer(&self, meta: &Meta<'c>, selected: &Selected<'c>) -> Result<Answer<'c>, Problem> {
        let schema: &'c Schema = &self.compiler.types.schema;
        let named = |name: &Name| schema.types.get(name).map(Meta::Named);
        let deprecated =
            self.bound.arguments(selected.field)?.get("includeDeprecated") == Some(&ConstValue::Boolean(true));
        let wanted = |directives: &DirectiveList| deprecated || !directives.has("deprecated");
        let inputs = |all: &'c [Node<InputValueDefinition>]| {
            Answer::Many(Some(
                all.iter().filter(|input| wanted(&input.directives)).map(|input| Meta::Input(input)).collect(),
            ))
        };
        let root = &schema.schema_definition;
        Ok(match (meta, &*selected.field.name) {
            (Meta::Schema, "description") => Answer::text(root.description.as_deref()),
            (Meta::Schema, "types") => Answer::Many(Some(schema.types.values().map(Meta::Named).collect())),
            (Meta::Schema, "queryType") => Answer::One(root.query.as_ref().and_then(|ty| named(&ty.name))),
            (Meta::Schema, "mutationType") => Answer::One(root.mutation.as_ref().and_then(|ty| named(&ty.name))),
            (Meta::Schema, "subscriptionType") => {
                Answer::One(root.subscription.as_ref().and_then(|ty| named(&ty.name)))
            }
            (Meta::Schema, "directives") => {
                Answer::Many(Some(schema.directive_definitions.values().map(|known| Meta::Directive(known)).collect()))
            }
            (Meta::Named(ty), field) => self.named(ty, field, &wanted),
            (Meta::Wrapping(ty), "kind") => Answer::text(Some(if ty.is_non_null() { "NON_NULL" } else { "LIST" })),
            (Meta::Wrapping(ty), "ofType") => Answer::One(self.type_of(&inside(ty))),
            (Meta::Field(field), "name") => Answer::text(Some(&field.name)),
            (Meta::Field(field), "description") => Answer::text(field.description.as_deref()),
            (Meta::Field(field), "args") => inputs(&field.arguments),
            (Meta::Field(field), "type") => Answer::One(self.type_of(&field.ty)),
            (Meta::Input(input), "name") => Answer::text(Some(&input.name)),
            (Meta::Input(input), "description") => Answer::text(input.description.as_deref()),
            (Meta::Input(input), "type") => Answer::One(self.type_of(&input.ty)),
            (Meta::Input(input), "defaultValue") => {
                let default = input.default_value.as_ref().map(|value| value.serialize().no_indent().to_string());
                Answer::text(default.as_deref())
            }
            (Meta::Value(value), "name") => Answer::text(Some(&value.value)),
            (Meta::Value(value), "description") => Answer::text(value.description.as_deref()),
            (Meta::Directive(directive), "name") => Answer::text(Some(&directive.name)),
            (Meta::Directive(directive), "description") => Answer::text(directive.description.as_deref()),
            (Meta::Directive(directive), "isRepeatable") => Answer::Leaf(directive.repeatable.into()),
            (Meta::Directive(directive), "locations") => {
                Answer::Leaf(directive.locations.iter().map(|known: &DirectiveLocation| json!(known.name())).collect())
            }
            (Meta::Directive(directive), "args") => inputs(&directive.arguments),
            (Meta::Field(ast::FieldDefinition { directives, .. }), field)
            | (Meta::Input(InputValueDefinition { directives, .. }), field)
            | (Meta::Value(EnumValueDefinition { directives, .. }), field) => self.deprecation(directives, field),
            _ => Answer::Leaf(serde_json::Value::Null),
        })
    }

    fn named(&self, ty: &'c ExtendedType, field: &str, wanted: &dyn Fn(&DirectiveList) -> bool) -> Answer<'c> {
        let schema: &'c Schema = &self.compiler.types.schema;
        let types = |names: Vec<&Name>| {
            Answer::Many(Some(names.into_iter().filter_map(|name| schema.types.get(name)).map(Meta::Named).collect()))
        };
        match (ty, field) {
            (_, "name") => Answer::text(Some(ty.name())),
            (_, "description") => Answer::text(ty.description().map(|text| text.as_str())),
            (_, "kind") => Answer::text(Some(match ty {
                ExtendedType::Scalar(_) => "SCALAR",
                ExtendedType::Object(_) => "OBJECT",
                ExtendedType::Interface(_) => "INTERFACE",
                ExtendedType::Union(_) => "UNION",
                ExtendedType::Enum(_) => "ENUM",
                ExtendedType::InputObject(_) => "INPUT_OBJECT",
            })),
            (ExtendedType::Object(_) | ExtendedType::Interface(_), "fields") => {
                let fields = match ty {
                    ExtendedType::Object(ty) => ty.fields.values(),
                    ExtendedType::Interface(ty) => ty.fields.values(),
                    _ => return Answer::Many(None),
                };
                Answer::Many(Some(
                    fields.filter(|field| wanted(&field.directives)).map(|field| Meta::Field(field)).collect(),
                ))
            }
            (ExtendedType::Object(ty), "interfaces") => {
                types(ty.implements_interfaces.iter().map(|known| &known.name).collect())
            }
            (ExtendedType::Interface(ty), "interfaces") => {
                types(ty.implements_interfaces.iter().map(|known| &known.name).collect())
            }
            (ExtendedType::Interface(ty), "possibleTypes") => {
                let known = self.compiler.types.implementers.get(&ty.name);
                types(known.into_iter().flat_map(|known| &known.objects).collect())
            }
            (ExtendedType::Union(ty), "possibleTypes") => types(ty.members.iter().map(|known| &known.name).collect()),
            (ExtendedType::Enum(ty), "enumValues") => Answer::Many(Some(
                ty.values.values().filter(|value| wanted(&value.directives)).map(|value| Meta::Value(value)).collect(),
            )),
            (ExtendedType::InputObject(ty), "inputFields") => Answer::Many(Some(
                ty.fields.values().filter(|field| wanted(&field.directives)).map(|field| Meta::Input(field)).collect(),
            )),
            (ExtendedType::InputObject(ty), "isOneOf") => Answer::Leaf(ty.directives.has("oneOf").into()),
            (ExtendedType::Scalar(ty), "specifiedByURL") => {
                let url = ty.directives.get("specifiedBy").and_then(|known| known.specified_argument_by_name("url"));
                Answer::text(url.and_then(|url| url.as_str()))
            }
            _ => Answer::Leaf(serde_json::Value::Null),
        }
    }

    fn type_of(&self, ty: &Type) -> Option<Meta<'c>> {
        let schema: &'c Schema = &self.compiler.types.schema;
        match ty {
            Type::Named(name) => schema.types.get(name).map(Meta::Named),
            wrapping => Some(Meta::Wrapping(wrapping.clone())),
        }
    }

    fn deprecation(&self, directives: &DirectiveList, field: &str) -> Answer<'c> {
        let deprecated = directives.get("deprecated");
        match field {
            "isDeprecated" => Answer::Leaf(deprecated.is_some().into()),
            "deprecationReason" => Answer::Leaf(deprecated.map_or(serde_json::Value::Null, |known| {
                let reason = known.specified_argument_by_name("reason").and_then(|reason| reason.as_str());
                reason.unwrap_or("No longer supported").into()
            })),
            _ => Answer::Leaf(serde_json::Value::Null),
        }
    }
}

/// The type that a list or a non-null is of.
fn inside(ty: &Type) -> Type {
    match ty {
        Type::NonNullNamed(_) | Type::NonNullList(_) => ty.clone().nullable(),
        Type::List(item) => (**item).clone(),
        Type::Named(_) => ty.clone(),
    }
}
