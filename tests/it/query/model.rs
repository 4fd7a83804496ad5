//! The model against the database: every table, column, foreign key and enum label is in the graph, named and described.

use std::collections::BTreeSet;

use aether_store::model::Model;
use serde_json::Value;

use crate::support::{Gateway, Sdl};

/// The gateway's own tables: no client ever sees their rows.
pub const OWN: [&str; 13] = [
    "audit_leaves",
    "audit_nodes",
    "audit_pending",
    "audit_tree_heads",
    "clause_readings",
    "event_outbox",
    "event_streams",
    "graph_node_counts",
    "idempotency_keys",
    "metric_import_rows",
    "seaql_migrations",
    "user_invitations",
    "user_recovery_codes",
];

/// Words that mean nothing to an analyst.
const JARGON: [&str; 13] = [
    "jsonb",
    "json_agg",
    "varchar",
    "timestamptz",
    "bytea",
    "fk",
    "foreign key",
    "primary key",
    "not null",
    "on delete",
    "index",
    "sql",
    "todo",
];

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Every table and materialized view, partitions left out.
pub async fn tables(gateway: &Gateway) -> Vec<String> {
    let sql =
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'm', 'v')
        AND NOT relispartition ORDER BY 1";
    gateway.rows(sql).await.iter().map(|row| text(row, "relname").to_owned()).collect()
}

/// The GraphQL name of a table's type.
pub fn type_of(table: &str) -> &'static str {
    Model::get().by_table(table).unwrap_or_else(|| panic!("{table} has no type")).name
}

/// A column's name as a field's.
pub fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| all + &word[..1].to_uppercase() + &word[1..])
}

#[tokio::test]
async fn every_table_and_view_has_a_type_with_all_that_belongs_to_one() {
    let gateway = Gateway::demo().await;
    let sdl = Sdl::of(&gateway).await;
    let tables = tables(&gateway).await;
    let tables: Vec<_> = tables.iter().filter(|table| !OWN.contains(&table.as_str())).collect();
    let mut entities = BTreeSet::new();
    for table in &tables {
        let ty = type_of(table);
        let singular = ty[..1].to_lowercase() + &ty[1..];
        assert!(entities.insert(ty), "{ty} stands for two tables");
        let one = sdl.field("Query", &singular).unwrap_or_else(|| panic!("no root {singular}"));
        assert_eq!((one.ty, one.required), (ty, false), "{singular}");
        assert!(one.arguments.iter().any(|argument| argument.name == "id" && argument.required), "{singular}");
        let connection = format!("{ty}Connection");
        // What lists some rows of a type only, by a rule of its domain.
        let some = |name: &str| name == "stalledDeals";
        let lists: Vec<_> =
            sdl.fields("Query").into_iter().filter(|field| field.ty == connection && !some(field.name)).collect();
        assert_eq!(lists.len(), 1, "roots that list {ty}");
        for argument in ["first", "after", "last", "before", "filter", "orderBy"] {
            assert!(lists[0].arguments.iter().any(|known| known.name == argument), "{ty}: {argument}");
        }
        for (suffix, kind) in [
            ("Connection", "OBJECT"),
            ("Edge", "OBJECT"),
            ("Filter", "INPUT_OBJECT"),
            ("Order", "INPUT_OBJECT"),
            ("OrderField", "ENUM"),
        ] {
            assert_eq!(sdl.kind(&format!("{ty}{suffix}")), kind, "{ty}{suffix}");
        }
        for (field, of) in [("edges", format!("{ty}Edge")), ("nodes", ty.into()), ("pageInfo", "PageInfo".into())] {
            assert_eq!(
                sdl.field(&connection, field).map(|field| field.ty.to_owned()),
                Some(of),
                "{connection}.{field}"
            );
        }
        assert!(sdl.field(&connection, "totalCount").is_some(), "{connection}");
        assert_eq!(sdl.field(&format!("{ty}Edge"), "node").map(|field| field.ty.to_owned()), Some(ty.to_owned()));
    }
    assert_eq!(sdl.entities().into_iter().collect::<BTreeSet<_>>(), entities, "what implements Node");
    assert!(sdl.field("Query", "node").is_some());
}

#[tokio::test]
async fn every_foreign_key_is_a_relation_in_both_directions() {
    let gateway = Gateway::demo().await;
    let sdl = Sdl::of(&gateway).await;
    // Keys that carry the tenant along refer to an id all the same.
    let keys = gateway
        .rows(
            "SELECT c.conrelid::regclass::text AS child, a.attname AS column, c.confrelid::regclass::text AS parent,
                    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indisunique AND i.indpred IS NULL
                              AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS one
               FROM pg_constraint c
               JOIN pg_class t ON t.oid = c.conrelid AND NOT t.relispartition
              CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS k(at, refers)
               JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.at
               JOIN pg_attribute r ON r.attrelid = c.confrelid AND r.attnum = k.refers AND r.attname = 'id'
              WHERE c.contype = 'f' AND c.conparentid = 0 AND c.connamespace = 'public'::regnamespace
              ORDER BY 1, 2",
        )
        .await;
    assert!(keys.len() > 80, "{}", keys.len());
    for key in keys.iter().filter(|key| !OWN.contains(&text(key, "child"))) {
        let (child, column) = (Model::get().by_table(text(key, "child")).expect("a type"), text(key, "column"));
        let parent = Model::get().by_table(text(key, "parent")).expect("a type");
        let of = |index: usize| child.table.columns[index].name;
        let mut forward =
            child.relations().filter(|(_, r)| r.from == child.id && r.to == parent.id && of(r.from_column) == column);
        let (field, _) = forward.next().unwrap_or_else(|| panic!("{}.{column} leads nowhere", child.name));
        let shown = sdl.field(child.name, &field.name).unwrap_or_else(|| panic!("no {}.{}", child.name, field.name));
        assert_eq!((shown.ty, shown.list), (parent.name, false), "{}.{}", child.name, field.name);
        let mut back = parent.relations().filter(|(_, r)| {
            r.from == parent.id
                && r.to == child.id
                && of(r.to_column) == column
                && parent.table.columns[r.from_column].name == "id"
        });
        let (field, _) =
            back.next().unwrap_or_else(|| panic!("{} is not seen from {}.{column}", child.name, parent.name));
        let shown = sdl.field(parent.name, &field.name).unwrap_or_else(|| panic!("no {}.{}", parent.name, field.name));
        let expected = if key["one"] == true { child.name.to_owned() } else { format!("{}Connection", child.name) };
        assert_eq!(shown.ty, expected, "{}.{}", parent.name, field.name);
        let filter = sdl.field(&format!("{}Filter", parent.name), &field.name);
        assert!(filter.is_some(), "{} cannot be filtered by {}", parent.name, field.name);
    }
}

#[tokio::test]
async fn no_enum_label_is_lost_and_all_values_shout() {
    let gateway = Gateway::demo().await;
    let sdl = Sdl::of(&gateway).await;
    for name in sdl.names().filter(|name| sdl.kind(name) == "ENUM") {
        for (value, _) in sdl.values(name) {
            let shouts = value
                .split('_')
                .all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()));
            assert!(shouts, "{name}.{value}");
        }
    }
    let columns = gateway
        .rows(
            "SELECT c.relname AS table, a.attname AS column,
                    (SELECT json_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = a.atttypid) AS labels
               FROM pg_attribute a
               JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
               JOIN pg_type t ON t.oid = a.atttypid AND t.typtype = 'e'
              WHERE c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped",
        )
        .await;
    let letters = |label: &str| label.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_uppercase();
    for column in columns.iter().filter(|column| !OWN.contains(&text(column, "table"))) {
        let (table, name) = (text(column, "table"), text(column, "column"));
        let field = sdl.field(type_of(table), &camel(name)).unwrap_or_else(|| panic!("no field for {table}.{name}"));
        assert_eq!(field.kind, "ENUM", "{table}.{name}");
        let labels: Vec<_> =
            column["labels"].as_array().expect("labels").iter().map(|l| letters(l.as_str().expect("text"))).collect();
        let values: Vec<_> = sdl.values(field.ty).into_iter().map(|(value, _)| letters(value)).collect();
        assert_eq!(values, labels, "{}", field.ty);
    }
}

#[tokio::test]
async fn everything_is_described_in_words_for_an_analyst() {
    let gateway = Gateway::demo().await;
    let sdl = Sdl::of(&gateway).await;
    let mut wrong = Vec::new();
    let mut check = |what: String, description: &str| {
        let said = description.to_lowercase();
        let words: Vec<_> = said.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        if description.trim().is_empty() {
            wrong.push(format!("{what} has no description"));
        }
        for jargon in JARGON {
            let found = if jargon.contains(' ') { said.contains(jargon) } else { words.contains(&jargon) };
            if found {
                wrong.push(format!("{what} speaks of {jargon}: {description}"));
            }
        }
    };
    for name in sdl.names().filter(|name| !["Boolean", "Float", "ID", "Int", "String"].contains(name)) {
        check(name.to_owned(), sdl.description(name));
        for field in sdl.fields(name) {
            check(format!("{name}.{}", field.name), field.description);
            for argument in &field.arguments {
                check(format!("{name}.{}({})", field.name, argument.name), argument.description);
            }
        }
        for (value, description) in sdl.values(name) {
            check(format!("{name}.{value}"), description);
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// A row that is seen proves that those which refer to it are in the same workspace or organization only where the database sees to it.
#[tokio::test]
async fn a_reference_is_said_to_carry_its_tenant_where_the_database_keeps_it() {
    let gateway = Gateway::demo().await;
    let mut carried = 0;
    for table in aether_entity::catalog::TABLES {
        for key in table.foreign_keys.iter().filter(|key| key.carries_tenant) {
            let (table, column, parent) = (table.name, key.column, key.table);
            carried += 1;
            if column == "workspace_id" && parent == "workspaces" {
                continue;
            }
            let tenant = gateway
                .value(&format!(
                    "SELECT string_agg(a.attname, ',') FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)
                      WHERE c.contype = 'f' AND c.conparentid = 0 AND c.conrelid = '{table}'::regclass AND c.confrelid = '{parent}'::regclass
                        AND (SELECT attnum FROM pg_attribute WHERE attrelid = c.conrelid AND attname = '{column}') = ANY(c.conkey)"
                ))
                .await;
            let columns = tenant.as_str().unwrap_or_default();
            assert!(
                columns.contains("workspace_id") || columns.contains("organization_id"),
                "{table}.{column}: {columns}"
            );
        }
    }
    assert!(carried > 30, "{carried}");
}
