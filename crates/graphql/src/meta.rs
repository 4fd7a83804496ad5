//! Types and fields as async-graphql's registry has them, with what ours never set left out.

use async_graphql::{
    indexmap::IndexMap,
    registry::{Deprecation, MetaEnumValue, MetaField, MetaInputValue, MetaType},
};

type Fields = IndexMap<String, MetaField>;
type Inputs = IndexMap<String, MetaInputValue>;

pub(crate) fn owned((name, doc): (&str, &str)) -> (String, String) {
    (name.into(), doc.into())
}

pub(crate) fn add(fields: &mut Fields, field: MetaField) {
    fields.insert(field.name.clone(), field);
}

pub(crate) fn fields(all: impl IntoIterator<Item = MetaField>) -> Fields {
    all.into_iter().map(|field| (field.name.clone(), field)).collect()
}

pub(crate) fn field(
    name: &str,
    doc: &str,
    ty: String,
    arguments: impl IntoIterator<Item = MetaInputValue>,
) -> MetaField {
    MetaField {
        name: name.into(),
        description: Some(doc.into()),
        args: arguments.into_iter().map(|argument| (argument.name.clone(), argument)).collect(),
        ty,
        deprecation: Deprecation::NoDeprecated,
        cache_control: Default::default(),
        external: false,
        requires: None,
        provides: None,
        visible: None,
        shareable: false,
        inaccessible: false,
        tags: vec![],
        override_from: None,
        compute_complexity: None,
        directive_invocations: vec![],
        requires_scopes: vec![],
    }
}

pub(crate) fn input(name: &str, doc: &str, ty: &str) -> MetaInputValue {
    MetaInputValue {
        name: name.into(),
        description: Some(doc.into()),
        ty: ty.into(),
        deprecation: Deprecation::NoDeprecated,
        default_value: None,
        visible: None,
        inaccessible: false,
        tags: vec![],
        is_secret: false,
        directive_invocations: vec![],
    }
}

pub(crate) fn with_default(mut input: MetaInputValue, default: &str) -> MetaInputValue {
    input.default_value = Some(default.into());
    input
}

/// An object type.
pub(crate) fn object(name: &str, doc: &str, fields: Fields) -> MetaType {
    MetaType::Object {
        name: name.into(),
        description: Some(doc.into()),
        fields,
        cache_control: Default::default(),
        extends: false,
        shareable: false,
        resolvable: true,
        inaccessible: false,
        interface_object: false,
        tags: vec![],
        keys: None,
        visible: None,
        is_subscription: false,
        rust_typename: None,
        directive_invocations: vec![],
        requires_scopes: vec![],
    }
}

pub(crate) fn input_object(name: &str, doc: &str, inputs: impl IntoIterator<Item = MetaInputValue>) -> MetaType {
    let input_fields: Inputs = inputs.into_iter().map(|input| (input.name.clone(), input)).collect();
    MetaType::InputObject {
        name: name.into(),
        description: Some(doc.into()),
        input_fields,
        visible: None,
        inaccessible: false,
        tags: vec![],
        rust_typename: None,
        oneof: false,
        directive_invocations: vec![],
    }
}

pub(crate) fn enumeration(name: &str, doc: &str, values: impl IntoIterator<Item = (String, String)>) -> MetaType {
    let enum_values = values
        .into_iter()
        .map(|(name, doc)| {
            let value = MetaEnumValue {
                name: name.clone(),
                description: Some(doc),
                deprecation: Deprecation::NoDeprecated,
                visible: None,
                inaccessible: false,
                tags: vec![],
                directive_invocations: vec![],
            };
            (name, value)
        })
        .collect();
    MetaType::Enum {
        name: name.into(),
        description: Some(doc.into()),
        enum_values,
        visible: None,
        inaccessible: false,
        tags: vec![],
        rust_typename: None,
        directive_invocations: vec![],
        requires_scopes: vec![],
    }
}
