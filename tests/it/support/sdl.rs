//! The schema as any client can ask for it, taken apart.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Gateway;

const INTROSPECTION: &str = "{ __schema {
    queryType { name } mutationType { name }
    types { kind name description interfaces { name } enumValues(includeDeprecated: true) { name description }
        inputFields { ...input } fields(includeDeprecated: true) { name description args { ...input } type { ...type } } }
} }
fragment input on __InputValue { name description type { ...type } }
fragment type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// The schema, as any client can ask for it.
pub struct Sdl {
    types: BTreeMap<String, Value>,
}

/// A field, an argument or a field of an input.
pub struct SelectedColumn<'a> {
    pub name: &'a str,
    pub description: &'a str,
    pub arguments: Vec<SelectedColumn<'a>>,
    /// The name and the kind of its type, without lists and non-nulls.
    pub ty: &'a str,
    pub kind: &'a str,
    pub list: bool,
    pub required: bool,
}

impl Sdl {
    pub async fn of(gateway: &Gateway) -> Self {
        let data = gateway.stranger().data(INTROSPECTION).await;
        let types = data["__schema"]["types"].as_array().expect("types").iter();
        let types = types.map(|ty| (ty["name"].as_str().expect("a name").to_owned(), ty.clone()));
        Self { types: types.filter(|(name, _)| !name.starts_with("__")).collect() }
    }

    /// The names of its types.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    pub fn kind(&self, name: &str) -> &str {
        self.ty(name)["kind"].as_str().expect("a kind")
    }

    pub fn description(&self, name: &str) -> &str {
        self.ty(name)["description"].as_str().unwrap_or_default()
    }

    /// The fields of an object or interface, or those of an input.
    pub fn fields(&self, name: &str) -> Vec<SelectedColumn<'_>> {
        let ty = self.ty(name);
        [&ty["fields"], &ty["inputFields"]].into_iter().flat_map(slots).collect()
    }

    pub fn field(&self, ty: &str, name: &str) -> Option<SelectedColumn<'_>> {
        self.fields(ty).into_iter().find(|field| field.name == name)
    }

    /// The values of an enum, each with its description.
    pub fn values(&self, name: &str) -> Vec<(&str, &str)> {
        let values = self.ty(name)["enumValues"].as_array().into_iter().flatten();
        values.map(|value| (text(value, "name"), text(value, "description"))).collect()
    }

    /// The types that rows have: those that can be looked up by a global id.
    pub fn entities(&self) -> Vec<&str> {
        let is_node =
            |ty: &&Value| ty["interfaces"].as_array().is_some_and(|all| all.iter().any(|i| i["name"] == "Node"));
        self.types.values().filter(is_node).map(|ty| text(ty, "name")).collect()
    }

    fn ty(&self, name: &str) -> &Value {
        self.types.get(name).unwrap_or_else(|| panic!("no type {name}"))
    }
}

fn slots(value: &Value) -> Vec<SelectedColumn<'_>> {
    let all = value.as_array().into_iter().flatten();
    all.map(|slot| {
        let (mut ty, mut list) = (&slot["type"], false);
        while !ty["ofType"].is_null() {
            list |= ty["kind"] == "LIST";
            ty = &ty["ofType"];
        }
        SelectedColumn {
            name: text(slot, "name"),
            description: text(slot, "description"),
            arguments: slots(&slot["args"]),
            ty: text(ty, "name"),
            kind: text(ty, "kind"),
            list,
            required: slot["type"]["kind"] == "NON_NULL",
        }
    })
    .collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
