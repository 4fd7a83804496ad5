//! The graph, declared once as data: each type's table, relations, default order and scope.
//!
//! Columns, kinds, nullability and descriptions come from the generated catalog; what a database cannot say (names of
//! relations, who sees a row, which order is natural) is one line each in this folder. Statements, GraphQL types, filters
//! and orders are all read off this model.

mod assistant;
mod documents;
mod exports;
mod figures;
mod finance;
mod governance;
mod identity;
mod integrations;
mod sales;
mod scenarios;
mod shapes;
mod visibility;

use std::{collections::HashMap, sync::LazyLock};

use aether_entity::catalog::{self, Column, ForeignKey, Kind, Table};
use heck::{ToLowerCamelCase, ToPascalCase};

pub use self::{
    figures::{Figure, Kinds},
    shapes::{Leaf, Shape, ShapeField, ShapeType},
    visibility::{Mask, Restriction, Scope},
};

/// A type's place in the model.
pub type TypeId = usize;

/// Every type of the graph.
pub struct Model {
    /// The types, by [`TypeId`].
    pub types: Vec<Type>,
    by_name: HashMap<&'static str, TypeId>,
}

/// One type: a table or a summary view.
pub struct Type {
    /// Its place in the model.
    pub id: TypeId,
    /// Its GraphQL name.
    pub name: &'static str,
    /// The root field that finds one by id.
    pub singular: String,
    /// The root field that lists them.
    pub plural: &'static str,
    /// Its table.
    pub table: &'static Table,
    /// Its fields, in order: columns, then relations.
    pub fields: Vec<Field>,
    by_field: HashMap<String, usize>,
    /// Who sees a row.
    pub scope: Scope,
    /// What takes rows away.
    pub restrictions: Vec<Restriction>,
    /// The natural order: column and whether it descends. The id follows as the last word.
    pub order: Vec<(usize, bool)>,
    /// The column that full-text search reads, if any.
    pub search: Option<usize>,
    /// What hides columns of rows that one sees, by their places in the table.
    pub masks: HashMap<usize, Mask>,
    /// What its numbers are, by their places in the table, where they are not quantities.
    figures: HashMap<usize, Figure>,
    /// Columns in which rows must agree for these columns to be taken together.
    apart: Vec<(usize, Vec<usize>)>,
    /// The column that says what becomes of these columns when they are taken together.
    kinds: Option<(Kinds, Vec<usize>)>,
}

/// One field of a type.
pub struct Field {
    /// Its GraphQL name.
    pub name: String,
    /// Its description.
    pub doc: String,
    /// What stands behind it.
    pub source: Source,
}

/// What stands behind a field.
pub enum Source {
    /// A column.
    Column(ColumnField),
    /// Rows of a type that belong to this one, or that it belongs to.
    Relation(Relation),
}

/// A column as a field.
#[derive(Clone, Copy)]
pub struct ColumnField {
    /// Its place in [`Table::columns`].
    pub index: usize,
    /// The type of its values.
    pub kind: Kind,
    /// Whether a client may see null.
    pub nullable: bool,
    /// For JSON: the shape that its documents have.
    pub shape: Option<&'static Shape>,
}

/// A relation as a field: the rows of `to` whose `to_column` equals this row's `from_column`.
#[derive(Debug, Clone, Copy, PartialEq, Hash)]
pub struct Relation {
    /// The type on this side.
    pub from: TypeId,
    /// The type on the other side.
    pub to: TypeId,
    /// The column on this side.
    pub from_column: usize,
    /// The column on the other side.
    pub to_column: usize,
    /// Whether there can be many.
    pub many: bool,
    /// Whether a single one may be absent or invisible.
    pub nullable: bool,
    /// Whether seeing the row on this side proves that the other side is visible, so that its scope need not be asked.
    pub implied: bool,
}

impl Model {
    /// The model of this gateway.
    pub fn get() -> &'static Self {
        static MODEL: LazyLock<Model> = LazyLock::new(|| {
            build(
                [
                    identity::entities(),
                    finance::entities(),
                    sales::entities(),
                    assistant::entities(),
                    scenarios::entities(),
                    governance::entities(),
                    integrations::entities(),
                    documents::entities(),
                    exports::entities(),
                ]
                .into_iter()
                .flatten()
                .collect(),
            )
        });
        &MODEL
    }

    /// The type of that GraphQL name.
    pub fn by_name(&self, name: &str) -> Option<&Type> {
        self.by_name.get(name).map(|&id| &self.types[id])
    }

    /// The type of that table.
    pub fn by_table(&self, table: &str) -> Option<&Type> {
        self.types.iter().find(|ty| ty.table.name == table)
    }
}

impl Type {
    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.by_field.get(name).map(|&index| &self.fields[index])
    }

    /// The fields that are columns.
    pub fn columns(&self) -> impl Iterator<Item = (&Field, ColumnField)> {
        self.fields.iter().filter_map(|field| match field.source {
            Source::Column(column) => Some((field, column)),
            Source::Relation(_) => None,
        })
    }

    /// The fields that are relations.
    pub fn relations(&self) -> impl Iterator<Item = (&Field, Relation)> {
        self.fields.iter().filter_map(|field| match field.source {
            Source::Relation(relation) => Some((field, relation)),
            Source::Column(_) => None,
        })
    }

    /// Whether only some who see a row see this column of it.
    pub fn is_masked(&self, column: usize) -> bool {
        self.masks.contains_key(&column)
    }

    /// The place of the primary key's column.
    pub fn id_column(&self) -> usize {
        self.column_index("id")
    }

    /// What the catalog says of a column.
    pub fn column(&self, index: usize) -> &'static Column {
        &self.table.columns[index]
    }

    fn column_index(&self, name: &str) -> usize {
        column_index(self.table, name)
    }

    /// Its name as words: `golden record versions`.
    pub fn words(&self) -> String {
        words(&self.singular)
    }

    /// Its name as one word, as audit rows and events have it: `golden_record_version`.
    pub fn one_word(&self) -> String {
        self.words().replace(' ', "_")
    }
}

/// `camelCase` as words.
fn words(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push(' ');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Whether a client can order by columns of this kind.
pub fn orderable(kind: Kind) -> bool {
    !matches!(kind, Kind::Json | Kind::Bytes | Kind::UuidList | Kind::TextList | Kind::Inet)
}

/// The GraphQL name of an enum's label: `Legal Review` is `LEGAL_REVIEW`, `LoanIQ` is `LOAN_IQ`.
pub fn enum_value_name(label: &str) -> String {
    heck::AsShoutySnakeCase(label).to_string()
}

/// The GraphQL name of a native enum type.
pub fn enum_type_name(name: &str) -> String {
    name.to_pascal_case()
}

/// A type's declaration.
pub struct Entity {
    table: &'static str,
    name: &'static str,
    plural: &'static str,
    scope: Scope,
    restrictions: Vec<Restriction>,
    order: Vec<&'static str>,
    references: Vec<Reference>,
    shapes: Vec<(&'static str, &'static Shape)>,
    masks: Vec<(&'static str, Mask)>,
    search: Option<&'static str>,
    figures: Vec<(&'static str, Figure)>,
    apart: Vec<(&'static str, &'static [&'static str])>,
    kinds: Option<(&'static str, &'static str, &'static [&'static str])>,
}

struct Reference {
    column: &'static str,
    forward: &'static str,
    back: &'static str,
}

/// Declares the type `name` over `table`, listed at the root as `plural`, whose rows are seen as `scope` says.
pub fn entity(table: &'static str, name: &'static str, plural: &'static str, scope: Scope) -> Entity {
    Entity {
        table,
        name,
        plural,
        scope,
        restrictions: Vec::new(),
        order: Vec::new(),
        references: Vec::new(),
        shapes: Vec::new(),
        masks: Vec::new(),
        search: None,
        figures: Vec::new(),
        apart: Vec::new(),
        kinds: None,
    }
}

impl Entity {
    /// The natural order; a leading `-` descends.
    pub fn order(mut self, columns: &[&'static str]) -> Self {
        self.order = columns.to_vec();
        self
    }

    /// A foreign key, as a field on this side and one on the other.
    pub fn refers(mut self, column: &'static str, forward: &'static str, back: &'static str) -> Self {
        self.references.push(Reference { column, forward, back });
        self
    }

    /// A condition on top of the scope.
    pub fn restrict(mut self, restriction: Restriction) -> Self {
        self.restrictions.push(restriction);
        self
    }

    /// The shape of a JSON column.
    pub fn shape(mut self, column: &'static str, shape: &'static Shape) -> Self {
        self.shapes.push((column, shape));
        self
    }

    /// Columns that only some who see the row may see.
    pub fn mask(mut self, mask: Mask, columns: &[&'static str]) -> Self {
        self.masks.extend(columns.iter().map(|column| (*column, mask)));
        self
    }

    /// Numbers that are ratios: they have a least and a greatest, but no sum.
    pub fn ratios(mut self, columns: &[&'static str]) -> Self {
        self.figures.extend(columns.iter().map(|column| (*column, Figure::Ratio)));
        self
    }

    /// Numbers that only tell things apart or put them in order.
    pub fn ordinals(mut self, columns: &[&'static str]) -> Self {
        self.figures.extend(columns.iter().map(|column| (*column, Figure::Ordinal)));
        self
    }

    /// Figures that must not be taken together where rows differ in this column, as amounts of several currencies.
    pub fn apart(mut self, column: &'static str, figures: &'static [&'static str]) -> Self {
        self.apart.push((column, figures));
        self
    }

    /// Figures of which this column says what becomes of them when they are taken together; `date` is the day that they are of.
    pub fn kinds(mut self, column: &'static str, date: &'static str, figures: &'static [&'static str]) -> Self {
        self.kinds = Some((column, date, figures));
        self
    }

    /// Offers full-text search over a column.
    pub fn search(mut self, column: &'static str) -> Self {
        self.search = Some(column);
        self
    }
}

fn column_index(table: &'static Table, name: &str) -> usize {
    table.column(name).unwrap_or_else(|| panic!("{}.{name} is declared but not in the database", table.name)).0
}

fn indexes(table: &'static Table, names: &[&str]) -> Vec<usize> {
    names.iter().map(|name| column_index(table, name)).collect()
}

fn build(entities: Vec<Entity>) -> Model {
    let mut model = Model { types: Vec::new(), by_name: HashMap::new() };
    for (id, entity) in entities.iter().enumerate() {
        let table = catalog::table(entity.table).unwrap_or_else(|| panic!("no table {}", entity.table));
        let masks: HashMap<_, _> = entity.masks.iter().map(|(name, mask)| (column_index(table, name), *mask)).collect();
        let fields = table
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.readable && !matches!(column.kind, Kind::Bytes))
            .map(|(index, column)| Field {
                name: column.name.to_lower_camel_case(),
                doc: masks.get(&index).map_or(column.doc.into(), |mask| format!("{} {}", column.doc, mask.doc())),
                source: Source::Column(ColumnField {
                    index,
                    kind: column.kind,
                    nullable: column.nullable || masks.contains_key(&index),
                    shape: entity.shapes.iter().find(|(name, _)| *name == column.name).map(|(_, shape)| *shape),
                }),
            })
            .collect();
        let order = entity
            .order
            .iter()
            .map(|term| match term.strip_prefix('-') {
                Some(name) => (column_index(table, name), true),
                None => (column_index(table, term), false),
            })
            .collect();
        model.by_name.insert(entity.name, id);
        model.types.push(Type {
            id,
            name: entity.name,
            singular: entity.name.to_lower_camel_case(),
            plural: entity.plural,
            table,
            fields,
            by_field: HashMap::new(),
            scope: entity.scope,
            restrictions: entity.restrictions.clone(),
            order,
            search: entity.search.map(|name| column_index(table, name)),
            masks,
            figures: figures::of(table, &entity.figures),
            apart: entity.apart.iter().map(|(name, of)| (column_index(table, name), indexes(table, of))).collect(),
            kinds: entity.kinds.map(|(kind, date, of)| {
                (Kinds { column: column_index(table, kind), date: column_index(table, date) }, indexes(table, of))
            }),
        });
    }
    for (id, entity) in entities.iter().enumerate() {
        for reference in &entity.references {
            relate(&mut model, id, reference);
        }
    }
    for ty in &mut model.types {
        for (index, field) in ty.fields.iter().enumerate() {
            let previous = ty.by_field.insert(field.name.clone(), index);
            assert!(previous.is_none(), "{}.{} is declared twice", ty.name, field.name);
            assert!(field.name != "nodeId", "{}.nodeId is the global id: call the column otherwise", ty.name);
            let of_groups = ["key", "depth", "count", "prior", "rows"];
            assert!(!of_groups.contains(&field.name.as_str()), "{}.{} is a field of groups", ty.name, field.name);
        }
    }
    model
}

/// Adds both directions of a foreign key.
fn relate(model: &mut Model, child: TypeId, reference: &Reference) {
    let table = model.types[child].table;
    let key = table
        .foreign_keys
        .iter()
        .find(|key| key.column == reference.column)
        .unwrap_or_else(|| panic!("{}.{} is no foreign key", table.name, reference.column));
    let parent = model.by_table(key.table).unwrap_or_else(|| panic!("{} is not in the graph", key.table)).id;
    let fk = column_index(table, reference.column);
    let (from, to) = (&model.types[child], &model.types[parent]);
    let guaranteed = guarantees(from, reference.column, to);
    let forward = Field {
        name: reference.forward.to_owned(),
        doc: table.columns[fk].doc.to_owned(),
        source: Source::Relation(Relation {
            from: child,
            to: parent,
            from_column: fk,
            to_column: to.id_column(),
            many: false,
            nullable: table.columns[fk].nullable || from.masks.contains_key(&fk) || !guaranteed,
            implied: false,
        }),
    };
    let back = Field {
        name: reference.back.to_owned(),
        doc: if key.unique {
            format!("The {} of this {}.", from.words(), to.words())
        } else {
            format!("The {} whose `{}` is this {}.", words(from.plural), reference.forward, to.words())
        },
        source: Source::Relation(Relation {
            from: parent,
            to: child,
            from_column: to.id_column(),
            to_column: fk,
            many: !key.unique,
            nullable: true,
            implied: is_implied(from, key, to),
        }),
    };
    model.types[child].fields.push(forward);
    model.types[parent].fields.push(back);
}

/// Whether seeing a row of `child` proves that the row which `column` refers to is visible too. Foreign keys that
/// carry the tenant (`(clause_id, workspace_id)`) keep both sides in one workspace or organization.
fn guarantees(child: &Type, column: &str, parent: &Type) -> bool {
    let parent_is_plain = parent.restrictions.is_empty();
    match (child.scope, parent.scope) {
        (Scope::Via(via), _) if via == column => true,
        (Scope::Workspace(_), Scope::Workspace(_)) => parent_is_plain,
        (Scope::Organization, Scope::Organizations) => true,
        (Scope::Organization, Scope::Organization) => parent_is_plain && parent.table.name != "users",
        _ => false,
    }
}

/// Whether a row of `child` is in the actor's scope when that is so of the row which this key refers to, for both are in one
/// workspace or organization. What narrows the scope is still to be asked.
fn is_implied(child: &Type, key: &ForeignKey, parent: &Type) -> bool {
    match (child.scope, parent.scope) {
        (Scope::Via(via), _) => via == key.column,
        (Scope::Workspace(_), Scope::Workspace(_)) | (Scope::Organization, Scope::Organization) => key.carries_tenant,
        _ => false,
    }
}
