//! The catalog: what the migrated database says of itself, as Rust statics.

use std::{collections::BTreeMap, fmt::Write};

use anyhow::{Context, Result, bail};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, FromQueryResult, Statement};

const HEAD: &str = include_str!("catalog_head.rs");

#[derive(FromQueryResult)]
struct Column {
    relation: String,
    relation_doc: Option<String>,
    is_view: bool,
    is_partitioned: bool,
    name: String,
    doc: Option<String>,
    sql_type: String,
    is_enum: bool,
    nullable: bool,
    generated: bool,
    readable: bool,
}

const COLUMNS: &str = "\
SELECT c.relname::text AS relation, obj_description(c.oid, 'pg_class') AS relation_doc, c.relkind = 'm' AS is_view, \
       c.relkind = 'p' AS is_partitioned, \
       a.attname::text AS name, col_description(c.oid, a.attnum) AS doc, format_type(a.atttypid, NULL) AS sql_type, \
       t.typtype = 'e' AS is_enum, a.attgenerated <> '' AS generated, \
       NOT (a.attnotnull OR c.relkind = 'm' AND EXISTS (SELECT FROM pg_index i \
            WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY(i.indkey))) AS nullable, \
       has_column_privilege('aether_reader', c.oid, a.attnum, 'SELECT') AS readable \
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid \
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition \
   AND c.relname <> 'seaql_migrations' AND a.attnum > 0 AND NOT a.attisdropped \
 ORDER BY c.relname, a.attnum";

#[derive(FromQueryResult)]
struct EnumValue {
    name: String,
    doc: Option<String>,
    label: String,
}

const ENUMS: &str = "\
SELECT t.typname::text AS name, obj_description(t.oid, 'pg_type') AS doc, e.enumlabel::text AS label \
  FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid WHERE t.typnamespace = 'public'::regnamespace \
 ORDER BY t.typname, e.enumsortorder";

#[derive(FromQueryResult)]
struct ForeignKey {
    relation: String,
    column: String,
    referenced: String,
    is_unique: bool,
    carries_tenant: bool,
}

/// A reference may carry its tenant along: the column that counts is the one that refers to an id.
const FOREIGN_KEYS: &str = "\
SELECT k.conrelid::regclass::text AS relation, a.attname::text AS column, k.confrelid::regclass::text AS referenced, \
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indisunique AND i.indpred IS NULL \
               AND i.indkey::text = a.attnum::text) AS is_unique, \
       a.attname = 'workspace_id' AND k.confrelid = 'workspaces'::regclass OR EXISTS ( \
           SELECT FROM unnest(k.conkey, k.confkey) AS c(here, there) \
             JOIN pg_attribute own ON own.attrelid = k.conrelid AND own.attnum = c.here \
             JOIN pg_attribute theirs ON theirs.attrelid = k.confrelid AND theirs.attnum = c.there \
            WHERE own.attname IN ('workspace_id', 'organization_id') AND theirs.attname = own.attname) AS carries_tenant \
  FROM pg_constraint k CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS p(here, there) \
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = p.here \
  JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = p.there AND b.attname = 'id' \
  JOIN pg_class c ON c.oid = k.conrelid \
 WHERE k.contype = 'f' AND k.conparentid = 0 AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace \
 ORDER BY 1, a.attnum";

async fn rows<T: FromQueryResult>(database: &DatabaseConnection, sql: &str) -> Result<Vec<T>> {
    let rows = database.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    Ok(rows.iter().map(|row| T::from_query_result(row, "")).collect::<Result<_, _>>()?)
}

pub async fn write(database: &DatabaseConnection) -> Result<String> {
    let mut out = HEAD.to_owned();
    enums(&mut out, rows(database, ENUMS).await?)?;
    tables(&mut out, rows(database, COLUMNS).await?, rows(database, FOREIGN_KEYS).await?)?;
    // The comments speak to whoever reads the database; what is read of them here is spoken in GraphQL.
    Ok(out.replace("NULL", "null").replace("Whether it may be null", "Whether it may be NULL"))
}

fn enums(out: &mut String, values: Vec<EnumValue>) -> Result<()> {
    let mut by_name: BTreeMap<String, Vec<EnumValue>> = BTreeMap::new();
    for value in values {
        by_name.entry(value.name.clone()).or_default().push(value);
    }
    for (name, values) in &by_name {
        let doc = values[0].doc.as_deref().with_context(|| format!("enum {name} has no description"))?;
        let (doc, of_values) =
            doc.split_once("\n\n").with_context(|| format!("enum {name} does not describe its values"))?;
        writeln!(out, "static {}: Enum = Enum {{ name: {name:?}, doc: {doc:?}, values: &[", constant(name))?;
        for EnumValue { label, .. } in values {
            let doc = of_values
                .lines()
                .find_map(|line| line.strip_prefix(&format!("- {label}: ")))
                .with_context(|| format!("enum {name} does not describe {label}"))?;
            writeln!(out, "EnumValue {{ label: {label:?}, doc: {doc:?} }},")?;
        }
        writeln!(out, "] }};\n")?;
    }
    writeln!(out, "/// Every enum.\npub static ENUMS: &[&Enum] = &[")?;
    for name in by_name.keys() {
        writeln!(out, "&{},", constant(name))?;
    }
    writeln!(out, "];\n")?;
    Ok(())
}

fn tables(out: &mut String, columns: Vec<Column>, keys: Vec<ForeignKey>) -> Result<()> {
    let mut by_name: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for column in columns {
        by_name.entry(column.relation.clone()).or_default().push(column);
    }
    for (name, columns) in &by_name {
        let doc = columns[0].relation_doc.as_deref().with_context(|| format!("{name} has no description"))?;
        let Column { is_view, is_partitioned, .. } = columns[0];
        writeln!(
            out,
            "static {}: Table = Table {{ name: {name:?}, doc: {doc:?}, is_view: {is_view}, is_partitioned: {is_partitioned}, columns: &[",
            constant(name)
        )?;
        for Column { name: column, doc, nullable, generated, readable, .. } in columns {
            let doc = doc.as_deref().with_context(|| format!("{name}.{column} has no description"))?;
            let of = columns.iter().find(|c| c.name == *column).context("a column is its own")?;
            let kind = kind(of).with_context(|| format!("{name}.{column}"))?;
            writeln!(
                out,
                "Column {{ name: {column:?}, doc: {doc:?}, kind: {kind}, nullable: {nullable}, generated: {generated}, readable: {readable} }},"
            )?;
        }
        writeln!(out, "], foreign_keys: &[")?;
        for key in keys.iter().filter(|key| key.relation == *name) {
            let ForeignKey { column, referenced, is_unique, carries_tenant, .. } = key;
            writeln!(
                out,
                "ForeignKey {{ column: {column:?}, table: {referenced:?}, unique: {is_unique}, carries_tenant: {carries_tenant} }},"
            )?;
        }
        writeln!(out, "] }};\n")?;
    }
    writeln!(out, "/// Every table and materialized view.\npub static TABLES: &[&Table] = &[")?;
    for name in by_name.keys() {
        writeln!(out, "&{},", constant(name))?;
    }
    writeln!(out, "];")?;
    Ok(())
}

fn kind(column: &Column) -> Result<String> {
    if column.is_enum {
        return Ok(format!("Kind::Enum(&{})", constant(&column.sql_type)));
    }
    Ok(match column.sql_type.as_str() {
        "uuid" => "Kind::Uuid",
        "text" | "character varying" => "Kind::Text",
        "boolean" => "Kind::Boolean",
        "integer" | "smallint" => "Kind::Int",
        "bigint" => "Kind::BigInt",
        "numeric" => "Kind::Decimal",
        "date" => "Kind::Date",
        "timestamp with time zone" => "Kind::Timestamp",
        "jsonb" => "Kind::Json",
        "bytea" | "xid8" => "Kind::Bytes",
        "inet" => "Kind::Inet",
        "uuid[]" => "Kind::UuidList",
        "text[]" | "character varying[]" => "Kind::TextList",
        other => bail!("the catalog has no kind for the type {other}"),
    }
    .to_owned())
}

fn constant(name: &str) -> String {
    name.to_uppercase()
}
