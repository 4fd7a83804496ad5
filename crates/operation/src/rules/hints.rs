//! What may have been meant.
//!
//! Clients come from other gateways, where lists are rows, filters are `where` and a page is `limit`: these are answered with
//! what it is called here. Everything else is compared with what there is, within bounds: a name of a megabyte is not.

use apollo_compiler::{
    Name, Node,
    ast::{FieldDefinition, OperationType, Type, Value},
    schema::{EnumType, ExtendedType, InputObjectType, InputValueDefinition},
};

use super::Rules;
use crate::{Compiler, literal::written};

/// The longest name that is compared with others.
const LONGEST: usize = 64;
/// How many names of a document are.
const MOST: usize = 8;

/// What other gateways call arguments.
const ARGUMENTS: [(&str, &[&str]); 4] = [
    ("filter", &["where", "filters", "condition", "query"]),
    ("first", &["limit", "top", "take", "pagesize", "size", "perpage", "count"]),
    ("orderBy", &["order", "sort", "sortby", "order_by", "sort_by", "orderby"]),
    ("after", &["offset", "skip", "cursor", "page", "start"]),
];

/// What other services call what a query begins with.
const ROOTS: [(&str, &[&str]); 1] =
    [("me", &["currentuser", "viewer", "whoami", "myself", "self", "profile", "session"])];

/// What other gateways call operators.
const OPERATORS: [(&str, &[&str]); 12] = [
    ("eq", &["_eq", "equals", "equal", "is", "equalto"]),
    ("ne", &["_neq", "neq", "not", "notequals", "notequalto", "isnot"]),
    ("gt", &["_gt", "greaterthan", "after"]),
    ("gte", &["_gte", "ge", "greaterthanorequalto", "from", "since"]),
    ("lt", &["_lt", "lessthan", "before"]),
    ("lte", &["_lte", "le", "lessthanorequalto", "to", "until"]),
    ("in", &["_in", "any", "oneof"]),
    ("notIn", &["_nin", "nin", "not_in", "notin"]),
    ("isNull", &["_is_null", "is_null", "isnull", "null"]),
    ("contains", &["like", "ilike", "_like", "_ilike", "includes", "includesinsensitive", "matches", "search"]),
    ("startsWith", &["_starts_with", "starts_with", "startswith", "beginswith", "prefix"]),
    ("endsWith", &["_ends_with", "ends_with", "endswith", "suffix"]),
];

impl Compiler {
    /// The names that are nearest to one, as a question; nothing if none is near.
    fn nearest<'n>(&self, suggest: bool, name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
        if !suggest || name.len() > LONGEST {
            return None;
        }
        let lower = name.to_lowercase();
        let mut near: Vec<(usize, &str)> = known
            .filter(|known| known.len() <= LONGEST)
            .filter_map(|known| {
                let distance = strsim::osa_distance(&lower, &known.to_lowercase());
                let is_near = distance <= (name.len().max(known.len()) * 2 / 5).max(1);
                // Some write a part of the name: as near as a slip of the pen, or nearer where it stands there as it is.
                match is_part(&lower, known) {
                    true => Some((usize::from(!known.to_lowercase().ends_with(&lower)), known)),
                    false => is_near.then_some((distance, known)),
                }
            })
            .collect();
        near.sort_unstable();
        let near: Vec<_> = near.iter().take(3).map(|(_, known)| format!("`{known}`")).collect();
        (!near.is_empty()).then(|| format!(" Did you mean {}?", near.join(" or ")))
    }

    pub(crate) fn enum_hint(&self, suggest: bool, definition: &EnumType, label: &str) -> String {
        if !suggest {
            return String::new();
        }
        let shouted = label.replace([' ', '-'], "_").to_uppercase();
        if definition.values.contains_key(shouted.as_str()) {
            return format!(" Write {shouted}.");
        }
        let nearest = self.nearest(suggest, label, definition.values.keys().map(Name::as_str));
        nearest.unwrap_or_else(|| {
            let some: Vec<_> = definition.values.keys().take(12).map(Name::as_str).collect();
            let more = if definition.values.len() > some.len() { " and more" } else { "" };
            format!(" Its values are {}{more}.", some.join(", "))
        })
    }

    pub(crate) fn input_field_hint(&self, suggest: bool, definition: &InputObjectType, name: &str) -> String {
        if !suggest {
            return String::new();
        }
        let has = |field: &str| definition.fields.contains_key(field);
        if let Some(known) = translated(&OPERATORS, name).filter(|known| has(known)) {
            return format!(" Write `{known}`.");
        }
        self.nearest(suggest, name, definition.fields.keys().map(Name::as_str)).unwrap_or_default()
    }
}

/// Whether this, in small letters, is some of the words that a name begins or ends with, singular or plural.
fn is_part(lower: &str, name: &str) -> bool {
    let stem = lower.trim_end_matches('s');
    let known = name.to_lowercase();
    let bounded = |at: usize| name[at..].starts_with(|letter: char| letter.is_uppercase());
    let ends = || {
        let rest = known.trim_end_matches('s').strip_suffix(stem)?;
        (!rest.is_empty() && bounded(rest.len())).then_some(())
    };
    let begins = || (known.len() > stem.len() && known.starts_with(stem) && bounded(stem.len())).then_some(());
    stem.len() >= 4 && name.is_ascii() && (ends().is_some() || begins().is_some())
}

/// What a name of another gateway is here.
fn translated(words: &[(&'static str, &[&str])], name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    words.iter().find(|(_, others)| others.contains(&lower.as_str())).map(|(known, _)| *known)
}

impl Rules<'_> {
    /// Whether there is still time for a hint.
    fn may_hint(&mut self) -> bool {
        self.hints += 1;
        self.suggest && self.hints <= MOST
    }

    pub(super) fn enum_hint(&mut self, definition: &EnumType, label: &str) -> String {
        if self.may_hint() { self.compiler.enum_hint(true, definition, label) } else { String::new() }
    }

    pub(super) fn type_hint(&mut self, name: &str) -> String {
        if !self.may_hint() {
            return String::new();
        }
        self.compiler.nearest(true, name, self.compiler.types.schema.types.keys().map(Name::as_str)).unwrap_or_default()
    }

    pub(super) fn field_hint(&mut self, parent: &Name, name: &Name) -> String {
        if !self.may_hint() {
            return String::new();
        }
        let fields = match self.compiler.types.schema.types.get(parent) {
            Some(ExtendedType::Object(ty)) => &ty.fields,
            Some(ExtendedType::Interface(ty)) => {
                let inner = self.compiler.types.implementers.get(parent);
                let inner = inner.into_iter().flat_map(|known| &known.objects);
                let has = |ty: &&Name| self.compiler.types.schema.type_field(ty, name).is_ok();
                if let Some(one) = inner.filter(has).min() {
                    return format!(" Ask for it by a fragment, as in `... on {one} {{ {name} }}`.");
                }
                &ty.fields
            }
            _ => return String::new(),
        };
        // What begins an operation decides what it can do.
        let roots = [
            (OperationType::Query, "query"),
            (OperationType::Mutation, "mutation"),
            (OperationType::Subscription, "subscription"),
        ];
        let root = |kind| self.compiler.types.schema.root_operation(kind);
        if roots.iter().any(|(kind, _)| root(*kind) == Some(parent)) {
            let other = roots.iter().find(|(kind, _)| {
                root(*kind)
                    .is_some_and(|root| root != parent && self.compiler.types.schema.type_field(root, name).is_ok())
            });
            if let Some((_, kind)) = other {
                return format!(" It is one of {kind}: write `{kind} {{ {name} … }}`.");
            }
            if let Some(known) = translated(&ROOTS, name).filter(|known| fields.contains_key(*known)) {
                return format!(" Write `{known}`.");
            }
        }
        // A row was taken for a page of rows.
        if ["nodes", "edges", "pageInfo", "totalCount"].contains(&name.as_str())
            && let Some(page) = self.page_of(parent)
        {
            return format!(" It is one {parent}; a page of them is `{page} {{ nodes {{ id }} }}`.");
        }
        // A row with its cursor was taken for the row.
        if let Ok(node) = self.compiler.types.schema.type_field(parent, "node")
            && self.compiler.types.schema.type_field(node.ty.inner_named_type(), name).is_ok()
        {
            return format!(" It is a field of the row: write `node {{ {name} }}`.");
        }
        // A page of rows was taken for the rows.
        if let Ok(nodes) = self.compiler.types.schema.type_field(parent, "nodes")
            && self.compiler.types.schema.type_field(nodes.ty.inner_named_type(), name).is_ok()
        {
            return format!(" It is a field of the rows of a page: write `nodes {{ {name} }}`.");
        }
        self.compiler.nearest(true, name, fields.keys().map(Name::as_str)).unwrap_or_default()
    }

    /// The field of the root that answers pages of this type.
    fn page_of(&self, ty: &Name) -> Option<&Name> {
        let schema = &self.compiler.types.schema;
        let ExtendedType::Object(query) = schema.types.get(schema.root_operation(OperationType::Query)?)? else {
            return None;
        };
        let nodes = |field: &FieldDefinition| schema.type_field(field.ty.inner_named_type(), "nodes").ok().cloned();
        query
            .fields
            .iter()
            .find(|(_, field)| nodes(field).is_some_and(|nodes| nodes.ty.inner_named_type() == ty))
            .map(|(name, _)| name)
    }

    pub(super) fn selection_hint(&self, field: &str, ty: &Name) -> String {
        let has = |name| self.compiler.types.schema.type_field(ty, name).is_ok();
        match () {
            () if !self.suggest => String::new(),
            () if has("nodes") => format!(", as in `{field} {{ nodes {{ id }} }}`"),
            () if has("id") => format!(", as in `{field} {{ id }}`"),
            () => format!(", as in `{field} {{ __typename }}`"),
        }
    }

    pub(super) fn argument_hint(&mut self, known: &[Node<InputValueDefinition>], name: &Name) -> String {
        if !self.may_hint() {
            return String::new();
        }
        let named = |name: &str| known.iter().any(|definition| definition.name == name);
        if let Some(here) = translated(&ARGUMENTS, name).filter(|here| named(here)) {
            let how = match here {
                "filter" => " as in `filter: { name: { eq: \"…\" } }`",
                "orderBy" => " as in `orderBy: { field: …, direction: DESC }`",
                "after" => " with the `endCursor` of the page before",
                _ => " as in `first: 10`",
            };
            return format!(" Write `{here}`,{how}.");
        }
        self.compiler.nearest(true, name, known.iter().map(|definition| definition.name.as_str())).unwrap_or_default()
    }

    /// What to write where a field is not one of the object's.
    pub(super) fn input_field_hint(
        &mut self,
        definition: &InputObjectType,
        name: &Name,
        value: Option<&Node<Value>>,
    ) -> String {
        if !self.may_hint() {
            return String::new();
        }
        if let Some(label) = self.ordering(definition, name) {
            let direction = match value.map(|value| &**value) {
                Some(Value::Enum(direction)) if *direction == "DESC" || *direction == "desc" => "DESC",
                _ => "ASC",
            };
            return format!(" Write `{{ field: {label}, direction: {direction} }}`.");
        }
        self.compiler.input_field_hint(true, definition, name)
    }

    /// What to write where an object is expected.
    pub(super) fn object_hint(&mut self, definition: &InputObjectType, value: &Node<Value>) -> String {
        if !self.may_hint() {
            return String::new();
        }
        let name = match &**value {
            Value::String(text) => text.as_str(),
            Value::Enum(name) => name.as_str(),
            _ => "",
        };
        let upper = name.to_uppercase();
        let (name, direction) = match (upper.strip_suffix("_DESC"), upper.strip_suffix("_ASC")) {
            (Some(field), _) => (field, ", direction: DESC"),
            (_, Some(field)) => (field, ", direction: ASC"),
            _ => (name, ""),
        };
        if let Some(label) = self.ordering(definition, name) {
            return format!(" Write `{{ field: {label}{direction} }}`.");
        }
        match definition.fields.get("eq").map(|eq| &*eq.ty) {
            Some(Type::Named(ty)) => {
                let enumeration = self.compiler.types.schema.get_enum(ty);
                let label = name.replace([' ', '-'], "_").to_uppercase();
                let label = enumeration.filter(|known| known.values.contains_key(label.as_str())).map(|_| label);
                format!(" Write `{{ eq: {} }}`.", label.unwrap_or_else(|| written(value)))
            }
            _ => String::new(),
        }
    }

    /// The label by which an order is given, if the object is a term of an order and this is a field that has one.
    fn ordering(&self, definition: &InputObjectType, name: &str) -> Option<String> {
        if !definition.fields.contains_key("direction") || name.len() > LONGEST {
            return None;
        }
        let labels = self.compiler.types.schema.get_enum(definition.fields.get("field")?.ty.inner_named_type())?;
        let mut label = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && label.chars().last().is_some_and(char::is_lowercase) {
                label.push('_');
            }
            label.push(letter);
        }
        let label = label.to_uppercase();
        labels.values.contains_key(label.as_str()).then_some(label)
    }
}
