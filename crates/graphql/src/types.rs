//! The GraphQL types of the graph, read off the model.
//!
//! The only place that touches async-graphql's registry by hand: its derives need a Rust type per GraphQL type, and here
//! the types are data.

use std::collections::BTreeMap;

use aether_entity::catalog::{ENUMS, Kind};
use aether_store::model::{
    ColumnField, Leaf, Model, Relation, Shape, ShapeType, Source, Type, enum_type_name, enum_value_name, orderable,
};
use async_graphql::{
    indexmap::IndexMap,
    registry::{MetaField, MetaInputValue, MetaType, Registry},
};
use heck::AsShoutySnakeCase;

use crate::{
    figures,
    filter::operators,
    meta::{add, enumeration, field, fields, input, input_object, object, owned, with_default},
    sales::stalled,
    scalar,
};

/// The interface that every type with a `nodeId` implements.
pub(crate) const NODE: &str = "Node";

type Fields = IndexMap<String, MetaField>;

/// Registers every type and returns the root's fields.
pub(crate) fn register(registry: &mut Registry) -> Fields {
    let mut types = Types { registry, shapes: BTreeMap::new() };
    types.scalars();
    types.enums();
    types.common();
    figures::common(&mut |ty| types.insert(ty));
    let mut root = Fields::new();
    for ty in &Model::get().types {
        types.entity(ty);
        add(&mut root, one(ty));
        add(&mut root, list(ty));
        if ty.table.name == "deals" {
            let mut arguments = page_arguments(ty);
            let days =
                input(stalled::ARGUMENT, "Only deals of which nothing has changed for more than so many days.", "Int");
            arguments.push(with_default(days, &stalled::DAYS.to_string()));
            add(&mut root, field(stalled::FIELD, stalled::DOC, format!("{}Connection", ty.name), arguments));
        }
    }
    types.shapes();
    add(
        &mut root,
        field(
            "node",
            "Any row by its global id.",
            NODE.into(),
            [input("nodeId", "The global id, as `nodeId` gave it.", "ID!")],
        ),
    );
    root
}

fn one(ty: &Type) -> MetaField {
    let id = input("id", &format!("The id of the {}.", ty.words()), "UUID!");
    field(
        &ty.singular,
        &format!("The {} with this id; null where there is none that you may see.", ty.words()),
        ty.name.into(),
        [id],
    )
}

fn list(ty: &Type) -> MetaField {
    let doc = format!("{} You see those that you may, a page at a time.", ty.table.doc);
    field(ty.plural, &doc, format!("{}Connection", ty.name), page_arguments(ty))
}

/// The arguments of a connection.
fn page_arguments(ty: &Type) -> Vec<MetaInputValue> {
    let mut arguments = vec![
        input("first", "At most this many rows from the start, or behind `after`. 20 unless said.", "Int"),
        input("after", "Only rows behind this cursor.", "String"),
        input("last", "At most this many rows from the end, or before `before`.", "Int"),
        input("before", "Only rows before this cursor.", "String"),
        input("filter", "Only rows that satisfy this.", &format!("{}Filter", ty.name)),
        input("orderBy", &order_doc(ty), &format!("[{}Order!]", ty.name)),
    ];
    if ty.search.is_some() {
        arguments.push(input(
            "search",
            "Only rows whose text answers this full-text search, the best first: words, \"phrases\", OR, and - to leave \
             out.",
            "String",
        ));
    }
    arguments
}

fn order_doc(ty: &Type) -> String {
    let terms: Vec<_> = ty
        .order
        .iter()
        .map(|(index, descending)| {
            let name = AsShoutySnakeCase(ty.table.columns[*index].name).to_string();
            if *descending { format!("{name} descending") } else { name }
        })
        .collect();
    format!("The order, the first term first; by {} unless said.", terms.join(", "))
}

struct Types<'a> {
    registry: &'a mut Registry,
    shapes: BTreeMap<&'static str, &'static ShapeType>,
}

impl Types<'_> {
    fn insert(&mut self, ty: MetaType) {
        let name = ty.name().to_owned();
        if let Some(known) = self.registry.types.get(&name) {
            assert!(is_stand_in(known), "two types are called {name}");
        }
        self.registry.types.insert(name, ty);
    }

    fn scalars(&mut self) {
        for &(name, doc, kind) in scalar::SCALARS {
            // Some are async-graphql's own too, where hand-written resolvers use their Rust types.
            self.registry.types.insert(
                name.into(),
                MetaType::Scalar {
                    name: name.into(),
                    description: Some(doc.into()),
                    is_valid: Some(std::sync::Arc::new(move |value| scalar::parse(kind, value).is_ok())),
                    visible: None,
                    inaccessible: false,
                    tags: vec![],
                    specified_by_url: None,
                    directive_invocations: vec![],
                    requires_scopes: vec![],
                },
            );
        }
    }

    fn enums(&mut self) {
        for definition in ENUMS {
            let name = enum_type_name(definition.name);
            let values = definition.values.iter().map(|value| (enum_value_name(value.label), value.doc.to_owned()));
            self.insert(enumeration(&name, definition.doc, values));
        }
    }

    /// What all entities share.
    fn common(&mut self) {
        let kinds = [Kind::Uuid, Kind::Text, Kind::Boolean, Kind::Int, Kind::BigInt, Kind::Decimal, Kind::Date];
        let more = [Kind::Timestamp, Kind::Json, Kind::Inet, Kind::UuidList, Kind::TextList];
        for kind in kinds.into_iter().chain(more).chain(ENUMS.iter().map(|definition| Kind::Enum(definition))) {
            let name = scalar::filter_name(kind);
            let subject = name.trim_end_matches("Filter");
            let fields = operators(kind).into_iter().map(|(name, ty, doc)| input(name, doc, &ty));
            self.insert(input_object(
                &name,
                &format!("Conditions on {subject} values; all that are given must hold."),
                fields,
            ));
        }
        let directions = [("ASC", "From the least to the greatest."), ("DESC", "From the greatest to the least.")];
        self.insert(enumeration("OrderDirection", "The direction of an order.", directions.map(owned)));
        let nulls = [("FIRST", "Nulls before all values."), ("LAST", "Nulls behind all values.")];
        self.insert(enumeration("NullsOrder", "Where an order puts nulls.", nulls.map(owned)));
        let page_info = [
            field(
                "hasNextPage",
                "Whether rows follow this page, as far as `before` lets them; of a page counted from the end (`last`), whether there is a `before`.",
                "Boolean!".into(),
                [],
            ),
            field(
                "hasPreviousPage",
                "Whether rows precede this page, as far as `after` lets them, if it is counted from the end (`last`); else whether there is an `after`.",
                "Boolean!".into(),
                [],
            ),
            field("startCursor", "The cursor of the first row; null on an empty page.", "String".into(), []),
            field("endCursor", "The cursor of the last row, for `after`; null on an empty page.", "String".into(), []),
        ];
        self.insert(object("PageInfo", "Where a page stands among all pages.", fields(page_info)));
        let node = fields([node_id()]);
        self.insert(MetaType::Interface {
            name: NODE.into(),
            description: Some("Whatever has a global id.".into()),
            fields: node,
            possible_types: Model::get().types.iter().map(|ty| ty.name.to_owned()).collect(),
            extends: false,
            inaccessible: false,
            tags: vec![],
            keys: None,
            visible: None,
            rust_typename: None,
            directive_invocations: vec![],
            requires_scopes: vec![],
        });
    }

    fn entity(&mut self, ty: &'static Type) {
        let mut all = fields([node_id()]);
        for known in &ty.fields {
            match &known.source {
                Source::Column(column) => add(&mut all, field(&known.name, &known.doc, self.column_type(column), [])),
                Source::Relation(relation) => add(&mut all, related(&known.name, &known.doc, relation)),
            }
        }
        self.insert(object(ty.name, ty.table.doc, all));
        self.registry.add_implements(ty.name, NODE);
        self.connection(ty);
        self.filter(ty);
        self.order(ty);
        figures::register(&mut |ty| self.insert(ty), ty);
    }

    fn column_type(&mut self, column: &ColumnField) -> String {
        let name = match column.shape {
            None => scalar::type_name(column.kind),
            Some(shape) => match shape {
                Shape::Strings => "[String!]".into(),
                Shape::Object(ty) => self.shape(ty),
                Shape::List(ty) | Shape::Entries(_, ty) => format!("[{}!]", self.shape(ty)),
            },
        };
        // A document may be of another shape than its column's; then the object is null.
        let nullable = column.nullable || matches!(column.shape, Some(Shape::Object(_) | Shape::Strings));
        if nullable { name } else { format!("{name}!") }
    }

    fn shape(&mut self, ty: &'static ShapeType) -> String {
        if self.shapes.insert(ty.name, ty).is_none() {
            for field in ty.fields {
                if let Leaf::Object(inner) = field.leaf {
                    self.shape(inner);
                }
            }
        }
        ty.name.into()
    }

    fn shapes(&mut self) {
        for ty in std::mem::take(&mut self.shapes).into_values() {
            let all = ty.fields.iter().map(|known| {
                let name = match known.leaf {
                    Leaf::String => "String".into(),
                    Leaf::Enum(name) => enum_type_name(name),
                    Leaf::Boolean => "Boolean".into(),
                    Leaf::Switch(_) => "Boolean!".into(),
                    Leaf::Int => "Int".into(),
                    Leaf::Decimal => "Decimal".into(),
                    Leaf::Json => "JSON".into(),
                    Leaf::Strings => "[String!]".into(),
                    Leaf::Object(inner) => inner.name.into(),
                };
                field(known.name, known.doc, name, [])
            });
            self.insert(object(ty.name, ty.doc, fields(all)));
        }
    }

    fn connection(&mut self, ty: &Type) {
        let (name, words) = (ty.name, ty.words());
        let connection = [
            field("edges", "The rows of this page, each with its cursor.", format!("[{name}Edge!]!"), []),
            field("nodes", "The rows of this page.", format!("[{name}!]!"), []),
            field("pageInfo", "Where this page stands.", "PageInfo!".into(), []),
            field(
                "totalCount",
                "How many rows there are on all pages; counted only when asked for.",
                "Int!".into(),
                [],
            ),
            figures::aggregate(ty),
            figures::groups(ty),
        ];
        self.insert(object(&format!("{name}Connection"), &format!("A page of {words} rows."), fields(connection)));
        let mut edge = fields([
            field("node", "The row.", format!("{name}!"), []),
            field("cursor", "Where the row stands in this order, for `after` and `before`.", "String!".into(), []),
        ]);
        if ty.search.is_some() {
            add(&mut edge, field("rank", "How well the row answers the search; null without one.", "Float".into(), []));
            let doc = "What of the row's text answers the search, the words found between `**`; null without one.";
            add(&mut edge, field("snippet", doc, "String".into(), []));
        }
        self.insert(object(&format!("{name}Edge"), &format!("A row of a page of {words} rows."), edge));
    }

    fn filter(&mut self, ty: &Type) {
        let name = format!("{}Filter", ty.name);
        let mut inputs = vec![
            input("and", "All of these hold.", &format!("[{name}!]")),
            input("or", "At least one of these holds.", &format!("[{name}!]")),
            input("not", "This does not hold.", &name),
        ];
        for (known, column) in ty.columns() {
            inputs.push(input(&known.name, &known.doc, &scalar::filter_name(column.kind)));
        }
        for (known, relation) in ty.relations() {
            let to = &Model::get().types[relation.to];
            let filter = if relation.many { format!("{}ListFilter", to.name) } else { format!("{}Filter", to.name) };
            inputs.push(input(&known.name, &known.doc, &filter));
        }
        self.insert(input_object(
            &name,
            &format!("What a {} must satisfy; all that is given must hold.", ty.words()),
            inputs,
        ));
        let list = [
            input("some", "At least one that you may see satisfies this.", &name),
            input("none", "None that you may see satisfies this.", &name),
        ];
        let doc = format!("What related {} rows must satisfy.", ty.words());
        self.insert(input_object(&format!("{}ListFilter", ty.name), &doc, list));
    }

    fn order(&mut self, ty: &Type) {
        let name = format!("{}Order", ty.name);
        let inputs = [
            input("field", "What to order by.", &format!("{name}Field!")),
            with_default(input("direction", "The direction.", "OrderDirection"), "ASC"),
            with_default(input("nulls", "Where nulls go.", "NullsOrder"), "LAST"),
        ];
        self.insert(input_object(&name, &format!("A term of an order of {} rows.", ty.words()), inputs));
        let values = ty.columns().filter(|(_, column)| orderable(column.kind)).map(|(known, column)| {
            (AsShoutySnakeCase(ty.table.columns[column.index].name).to_string(), known.doc.clone())
        });
        self.insert(enumeration(
            &format!("{name}Field"),
            &format!("What {} rows can be ordered by.", ty.words()),
            values,
        ));
    }
}

fn related(name: &str, doc: &str, relation: &Relation) -> MetaField {
    let to = &Model::get().types[relation.to];
    if relation.many {
        return field(name, doc, format!("{}Connection!", to.name), page_arguments(to));
    }
    let ty = if relation.nullable { to.name.to_owned() } else { format!("{}!", to.name) };
    field(name, doc, ty, [])
}

fn node_id() -> MetaField {
    field("nodeId", "The global id: opaque, unique over all types, for `node`.", "ID!".into(), [])
}

/// Whether the registry's entry is a stand-in.
fn is_stand_in(ty: &MetaType) -> bool {
    matches!(ty, MetaType::Object { fields, .. } if fields.is_empty())
}
