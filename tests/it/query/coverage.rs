//! A walk over the whole graph, by introspection: every field answers, and has something to show.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    support::sdl::{Sdl, SelectedColumn},
    support::{Gateway, HOME, User},
};

/// Who is asked, in turn, until every field has shown something. The first two walk through everything.
const READERS: [(&str, &str); 6] = [
    ("sarah.chen@aether-demo.com", HOME),
    ("agent@northgate-bank.example", "northgate-bank"),
    ("admin@aether-demo.com", HOME),
    ("analyst@aether-demo.com", HOME),
    ("legal@harrow-and-lane.example", "harrow-and-lane"),
    ("cfo@meridian-capital.example", "meridian-capital"),
];

/// Fields that are empty for everybody, and why. Only ever take from this list.
const EMPTY: [(&str, &str); 3] = [
    ("Organization.deletedAt", "a deleted organization is invisible"),
    ("User.deletedAt", "a deleted user is invisible"),
    ("Workspace.deletedAt", "a deleted workspace is invisible"),
];

/// Scalars that are strings on the wire, so that no digit is lost.
const EXACT: [&str; 2] = ["Decimal", "BigInt"];

/// What stands behind a field.
enum What {
    Value,
    Document,
    One,
    Many,
}

fn what(sdl: &Sdl, field: &SelectedColumn) -> What {
    match field.kind {
        "OBJECT" if field.ty.ends_with("Connection") => What::Many,
        "OBJECT" if sdl.field(field.ty, "nodeId").is_some() => What::One,
        "OBJECT" => What::Document,
        _ => What::Value,
    }
}

/// The field with all that one can ask of it without leaving the row.
fn selection(sdl: &Sdl, field: &SelectedColumn) -> String {
    match what(sdl, field) {
        What::Value => format!("{} ", field.name),
        What::Document => format!("{} {{ {}}} ", field.name, all(sdl, field.ty)),
        What::One => format!("{} {{ id }} ", field.name),
        What::Many => format!("{}(first: 1) {{ totalCount nodes {{ id }} }} ", field.name),
    }
}

fn all(sdl: &Sdl, ty: &str) -> String {
    sdl.fields(ty).iter().map(|field| selection(sdl, field)).collect()
}

/// The fields of the query root that list a type and that find one.
fn roots<'a>(sdl: &'a Sdl, ty: &str) -> (&'a str, &'a str) {
    let fields = sdl.fields("Query");
    let of =
        |ty: &str| fields.iter().find(|field| field.ty == ty && !field.arguments.is_empty()).map(|field| field.name);
    (of(&format!("{ty}Connection")).expect("a list"), of(ty).expect("a root by id"))
}

/// Notes which fields show something, and holds those that are exact numbers to be strings.
fn note(sdl: &Sdl, ty: &str, row: &Value, shown: &mut BTreeSet<String>) {
    for field in sdl.fields(ty) {
        let Some(value) = row.get(field.name).filter(|value| !value.is_null()) else { continue };
        let name = format!("{ty}.{}", field.name);
        let full = match what(sdl, &field) {
            What::Many => value["totalCount"] != 0,
            What::One => true,
            What::Document => {
                let each = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                each.iter().for_each(|item| note(sdl, field.ty, item, shown));
                !each.is_empty()
            }
            What::Value => {
                assert!(!EXACT.contains(&field.ty) || value.is_string(), "{name} is {value}");
                value.as_array().is_none_or(|items| !items.is_empty())
            }
        };
        if full {
            shown.insert(name);
        }
    }
}

/// A page of a type with all fields, and its first row by id and by global id.
async fn walk(sdl: &Sdl, user: &User<'_>, shown: &mut BTreeSet<String>, walked: &mut BTreeSet<String>) {
    for ty in sdl.entities() {
        let (list, one) = roots(sdl, ty);
        let fields = all(sdl, ty);
        let page = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { id } }";
        let data = user.data(&format!("{{ {list}(first: 20) {{ totalCount {page} nodes {{ {fields}}} }} }}")).await;
        let rows = data[list]["nodes"].as_array().expect("rows");
        rows.iter().for_each(|row| note(sdl, ty, row, shown));
        // The agent bank has no financial data of its own.
        let Some(row) = rows.first() else { continue };
        let (id, node_id) = (&row["id"], &row["nodeId"]);
        let again =
            format!("{{ {one}(id: {id}) {{ {fields}}} node(nodeId: {node_id}) {{ ... on {ty} {{ {fields}}} }} }}");
        let data = user.data(&again).await;
        walked.insert(ty.to_owned());
        assert_eq!(data[one], *row, "{ty} by id");
        assert_eq!(data["node"], *row, "{ty} by nodeId");
    }
}

/// Asks for rows in which the fields that have shown nothing are not null.
async fn look_for(sdl: &Sdl, user: &User<'_>, shown: &mut BTreeSet<String>) {
    for ty in sdl.entities() {
        let list = roots(sdl, ty).0;
        let mut query = String::new();
        for field in sdl.fields(ty).iter().filter(|field| field.name != "nodeId") {
            let what = what(sdl, field);
            let missing = match what {
                What::Document => {
                    sdl.fields(field.ty).iter().any(|inner| !shown.contains(&format!("{}.{}", field.ty, inner.name)))
                }
                _ => !shown.contains(&format!("{ty}.{}", field.name)),
            };
            if missing {
                let (condition, rows) = match what {
                    What::Value => ("isNull: false", 20),
                    What::Document => ("isNull: false", 500),
                    What::One => ("id: { isNull: false }", 1),
                    What::Many => ("some: {}", 1),
                };
                let filter = format!("{{ {}: {{ {condition} }} }}", field.name);
                query += &format!(
                    "{}: {list}(first: {rows}, filter: {filter}) {{ nodes {{ {}}} }} ",
                    field.name,
                    selection(sdl, field)
                );
            }
        }
        if !query.is_empty() {
            let data = user.data(&format!("{{ {query} }}")).await;
            for page in data.as_object().expect("data").values() {
                page["nodes"].as_array().expect("rows").iter().for_each(|row| note(sdl, ty, row, shown));
            }
        }
    }
}

#[tokio::test]
async fn every_field_answers_and_has_something_to_show() {
    let gateway = Gateway::demo().await;
    let sdl = Sdl::of(&gateway).await;
    let mut expected = BTreeSet::new();
    for ty in sdl.entities() {
        for field in sdl.fields(ty) {
            expected.insert(format!("{ty}.{}", field.name));
            let mut documents = if matches!(what(&sdl, &field), What::Document) { vec![field.ty] } else { vec![] };
            while let Some(document) = documents.pop() {
                for inner in sdl.fields(document) {
                    expected.insert(format!("{document}.{}", inner.name));
                    documents.extend(Some(inner.ty).filter(|_| inner.kind == "OBJECT"));
                }
            }
        }
    }
    assert!(expected.len() > 800, "{}", expected.len());
    let (mut shown, mut walked) = (BTreeSet::new(), BTreeSet::new());
    for (i, (email, organization)) in READERS.into_iter().enumerate() {
        let user = gateway.sign_in(email, organization).await;
        if i < 2 {
            walk(&sdl, &user, &mut shown, &mut walked).await;
        }
        look_for(&sdl, &user, &mut shown).await;
    }
    assert_eq!(walked.len(), sdl.entities().len(), "types of which a row was found again by id");
    let empty: Vec<_> = expected.difference(&shown).map(String::as_str).collect();
    let allowed: Vec<_> = EMPTY.iter().map(|(field, _)| *field).collect();
    assert_eq!(empty, allowed, "fields that are empty for everybody (see EMPTY)");
}

#[tokio::test]
async fn money_is_exact_and_every_order_answers() {
    let gateway = Gateway::demo().await;
    let sdl = Sdl::of(&gateway).await;
    let numeric = gateway
        .rows(
            "SELECT c.relname AS table, a.attname AS column FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
              WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
                AND a.atttypid = 'numeric'::regtype",
        )
        .await;
    assert!(numeric.len() > 60, "{}", numeric.len());
    for column in &numeric {
        let ty = crate::query::model::type_of(column["table"].as_str().expect("text"));
        let name = crate::query::model::camel(column["column"].as_str().expect("text"));
        assert_eq!(sdl.field(ty, &name).map(|field| field.ty), Some("Decimal"), "{ty}.{name}");
    }
    let user = gateway.cfo().await;
    for ty in sdl.entities() {
        let list = roots(&sdl, ty).0;
        let orders = sdl.values(&format!("{ty}OrderField"));
        let queries = orders.iter().map(|(field, _)| {
            format!(
                "{field}: {list}(first: 3, orderBy: [{{ field: {field}, direction: DESC, nulls: FIRST }}]) {{ nodes {{ id }} }}
                 {field}_BACK: {list}(last: 3, orderBy: [{{ field: {field} }}]) {{ nodes {{ id }} }} "
            )
        });
        user.data(&format!("{{ {} }}", queries.collect::<String>())).await;
    }
}
