//! Every column is exposed or hidden, on purpose: `columns.txt` says which, and schema and privileges agree.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    query::model::{OWN, camel, type_of},
    support::{Gateway, Sdl},
};

/// `table.column exposed` or `table.column hidden`, a line each.
const CLASSIFIED: &str = include_str!("columns.txt");

/// Names that must not occur in the schema at all, whatever they would stand for.
const SECRETS: [&str; 8] = [
    "password_hash",
    "mfa_secret",
    "mfa_pending_secret",
    "mfa_last_step",
    "token_hash",
    "connection_config",
    "encrypted_secret",
    "leased_until",
];

/// What nobody but a migration ever deletes.
const KEPT: [&str; 3] = ["organizations", "users", "workspaces"];

const AUDIT: [&str; 2] = ["audit_logs", "audit_events"];

/// The classified columns: whether each is exposed.
fn classified() -> BTreeMap<(&'static str, &'static str), bool> {
    let lines = CLASSIFIED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, class) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
            let (table, column) = name.split_once('.').unwrap_or_else(|| panic!("{line}"));
            let exposed = match class.trim() {
                "exposed" => true,
                "hidden" => false,
                class => panic!("{name} is neither exposed nor hidden but {class}"),
            };
            ((table, column), exposed)
        })
        .collect()
}

/// All columns of the database, partitions left out. The information schema leaves out materialized views.
async fn columns(gateway: &Gateway) -> BTreeSet<(String, String)> {
    let rows = gateway
        .rows(
            "SELECT c.table_name AS table, c.column_name AS column FROM information_schema.columns c
              WHERE c.table_schema = 'public'
                AND NOT (SELECT relispartition FROM pg_class WHERE oid = format('%I.%I', c.table_schema, c.table_name)::regclass)
              UNION
             SELECT m.matviewname, a.attname FROM pg_matviews m
               JOIN pg_attribute a ON a.attrelid = format('%I.%I', m.schemaname, m.matviewname)::regclass AND a.attnum > 0
              WHERE m.schemaname = 'public'",
        )
        .await;
    let text = |row: &Value, key: &str| row[key].as_str().expect("text").to_owned();
    rows.iter().map(|row| (text(row, "table"), text(row, "column"))).collect()
}

#[tokio::test]
async fn every_column_is_classified_and_every_classified_column_exists() {
    let gateway = Gateway::demo().await;
    let there = columns(&gateway).await;
    let classified: BTreeSet<_> =
        classified().into_keys().map(|(table, column)| (table.to_owned(), column.to_owned())).collect();
    let lines = |left: &BTreeSet<(String, String)>, right| {
        left.difference(right).map(|(table, column)| format!("{table}.{column}")).collect::<Vec<_>>()
    };
    assert_eq!(lines(&there, &classified), [""; 0], "exposed or hidden? Say so in tests/it/query/columns.txt");
    assert_eq!(lines(&classified, &there), [""; 0], "gone, but still in tests/it/query/columns.txt");
}

#[tokio::test]
async fn exposed_columns_are_described_fields_and_hidden_ones_are_nowhere() {
    let gateway = Gateway::demo().await;
    let sdl = Sdl::of(&gateway).await;
    for ((table, column), exposed) in classified().into_iter().filter(|((table, _), _)| !OWN.contains(table)) {
        let (ty, name) = (type_of(table), camel(column));
        let field = sdl.field(ty, &name);
        assert_eq!(field.is_some(), exposed, "{ty}.{name}");
        assert_eq!(sdl.field(&format!("{ty}Filter"), &name).is_some(), exposed, "{ty}Filter.{name}");
        if let Some(field) = field {
            assert!(!field.description.is_empty(), "{ty}.{name} has no description");
        }
    }
    // Nothing anywhere is named after a secret, and the gateway's own tables have no part in the graph.
    let mut names = Vec::new();
    for ty in sdl.names() {
        names.push(ty.to_owned());
        names.extend(sdl.values(ty).into_iter().map(|(value, _)| format!("{ty}.{value}")));
        for field in sdl.fields(ty) {
            names.extend(field.arguments.iter().map(|argument| format!("{ty}.{}.{}", field.name, argument.name)));
            names.push(format!("{ty}.{}", field.name));
        }
    }
    assert!(names.len() > 5_000, "only {} names", names.len());
    let letters = |name: &str| name.replace('_', "").to_lowercase();
    let secrets = SECRETS.into_iter().chain(OWN).chain(["outbox", "idempotency", "seaql"]).map(letters);
    for secret in secrets {
        let named: Vec<_> = names.iter().filter(|name| letters(name).contains(&secret)).collect();
        assert!(named.is_empty(), "{secret}: {named:?}");
    }
    // Hidden is what these say, and no more.
    let hidden: BTreeSet<_> = classified().into_iter().filter(|(_, exposed)| !exposed).map(|(name, _)| name).collect();
    for (table, column) in hidden {
        assert!(OWN.contains(&table) || SECRETS.contains(&column), "{table}.{column} is hidden, but why?");
    }
}

#[tokio::test]
async fn the_reader_selects_what_is_exposed_and_can_do_nothing_else() {
    let gateway = Gateway::demo().await;
    let readable = gateway
        .rows(
            "SELECT c.relname AS table, a.attname AS column FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
              WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm', 'v')
                AND a.attnum > 0 AND NOT a.attisdropped AND has_column_privilege('aether_reader', c.oid, a.attnum, 'SELECT')",
        )
        .await;
    let readable: BTreeSet<_> = readable
        .iter()
        .map(|row| (row["table"].as_str().expect("text"), row["column"].as_str().expect("text")))
        .collect();
    let exposed: BTreeSet<_> = classified().into_iter().filter(|(_, exposed)| *exposed).map(|(name, _)| name).collect();
    // What it tells subscribers, the gateway reads as the reader too; no type of the graph shows it.
    let told: BTreeSet<_> =
        readable.iter().filter(|(table, _)| ["event_outbox", "event_streams"].contains(table)).copied().collect();
    assert_eq!(readable.difference(&told).copied().collect::<BTreeSet<_>>(), exposed);
    // Partitions and sequences included.
    let may = gateway
        .rows(
            "SELECT c.relname, p.privilege FROM pg_class c
              CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p(privilege)
              WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm', 'v')
                AND (has_table_privilege('aether_reader', c.oid, p.privilege)
                     OR p.privilege IN ('INSERT', 'UPDATE') AND has_any_column_privilege('aether_reader', c.oid, p.privilege))
              UNION ALL
             SELECT sequencename, 'USAGE' FROM pg_sequences
              WHERE has_sequence_privilege('aether_reader', format('%I.%I', schemaname, sequencename), 'USAGE, UPDATE')",
        )
        .await;
    assert_eq!(may, [] as [Value; 0]);
    // No function that acts with its owner's rights but the one that tells how far events are settled, no schema to create in, no other role's rights.
    let functions = gateway
        .rows(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
                AND proname <> 'event_head' AND has_function_privilege('aether_reader', oid, 'EXECUTE')",
        )
        .await;
    assert_eq!(functions, [] as [Value; 0]);
    for role in ["aether_reader", "aether_writer"] {
        let sql = format!("SELECT has_schema_privilege('{role}', 'public', 'CREATE')");
        assert_eq!(gateway.value(&sql).await, false, "{role}");
        let sql = format!("SELECT count(*) FROM pg_auth_members WHERE member = '{role}'::regrole");
        assert_eq!(gateway.value(&sql).await, 0, "{role}");
        let sql = format!(
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles WHERE rolname = '{role}'"
        );
        assert_eq!(gateway.value(&sql).await, false, "{role}");
    }
}

#[tokio::test]
async fn the_writer_cannot_rewrite_history() {
    let gateway = Gateway::demo().await;
    let may = async |table: &str, privilege: &str| {
        let sql = format!("SELECT has_table_privilege('aether_writer', '{table}', '{privilege}')");
        gateway.value(&sql).await == true
    };
    for table in AUDIT {
        assert!(may(table, "INSERT").await, "{table}");
        assert!(!may(table, "UPDATE").await && !may(table, "DELETE").await, "{table}");
    }
    let partitions = gateway
        .rows(
            "SELECT inhrelid::regclass::text AS name FROM pg_inherits JOIN pg_class ON oid = inhparent WHERE relkind = 'p'",
        )
        .await;
    for partition in &partitions {
        let name = partition["name"].as_str().expect("text");
        for privilege in ["SELECT", "INSERT", "UPDATE", "DELETE"] {
            assert!(!may(name, privilege).await, "{privilege} past the parent of {name}");
        }
    }
    // Of an audit row, only the review can be written.
    let updatable = gateway
        .rows(
            "SELECT attrelid::regclass::text || '.' || attname AS name FROM pg_attribute
              WHERE attrelid IN ('audit_logs'::regclass, 'audit_events'::regclass) AND attnum > 0
                AND has_column_privilege('aether_writer', attrelid, attnum, 'UPDATE') ORDER BY 1",
        )
        .await;
    let names: Vec<_> = updatable.iter().map(|row| row["name"].as_str().expect("text")).collect();
    assert_eq!(names, ["audit_logs.reviewed", "audit_logs.reviewed_at", "audit_logs.reviewed_by"]);
    for table in KEPT {
        assert!(!may(table, "DELETE").await, "{table}");
    }
    let truncatable = gateway
        .rows(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'm')
                AND has_table_privilege('aether_writer', oid, 'TRUNCATE, TRIGGER, REFERENCES')",
        )
        .await;
    assert_eq!(truncatable, [] as [Value; 0]);
}
