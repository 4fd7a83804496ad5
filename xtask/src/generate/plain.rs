//! The migrated scratch database, made plain: only what SeaORM's generator knows.

use anyhow::Result;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

/// Statements, each row of whose answer is a statement to run.
const REBUILDS: &[&str] = &[
    // Partitions are their parent's business.
    "SELECT format('DROP TABLE %s', oid::regclass) FROM pg_class WHERE relispartition AND relkind IN ('r', 'p')",
    "SELECT 'DROP TABLE seaql_migrations'",
    // A generated column is a plain one without its expression.
    "SELECT format('ALTER TABLE %s ALTER COLUMN %I DROP EXPRESSION', attrelid::regclass, attname) \
       FROM pg_attribute JOIN pg_class c ON c.oid = attrelid \
      WHERE attgenerated <> '' AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace",
    // A materialized view is a table of its columns, keyed by id; those of its unique indexes are never null.
    "SELECT format('CREATE TABLE %I AS SELECT * FROM %s WITH NO DATA', 'plain_' || relname, oid::regclass) \
       FROM pg_class WHERE relkind = 'm'",
    "SELECT format('ALTER TABLE %I ALTER COLUMN %I SET NOT NULL', 'plain_' || v.relname, a.attname) \
       FROM pg_class v JOIN pg_index i ON i.indrelid = v.oid AND i.indisunique \
       JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum = ANY(i.indkey) WHERE v.relkind = 'm'",
    "SELECT format('DROP MATERIALIZED VIEW %s', oid::regclass) FROM pg_class WHERE relkind = 'm'",
    "SELECT format('ALTER TABLE %I ADD PRIMARY KEY (id)', relname) FROM pg_class WHERE relname LIKE 'plain\\_mv%' AND relkind = 'r'",
    "SELECT format('ALTER TABLE %I RENAME TO %I', relname, substr(relname, 7)) FROM pg_class \
      WHERE relname LIKE 'plain\\_mv%' AND relkind = 'r'",
    // A reference that carries its tenant along is a reference all the same.
    "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I, ADD FOREIGN KEY (%I) REFERENCES %s (id)', conrelid::regclass, conname, \
            (SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]), confrelid::regclass) \
       FROM pg_constraint WHERE contype = 'f' AND array_length(conkey, 1) > 1 AND conparentid = 0",
];

pub async fn rebuild(database: &DatabaseConnection) -> Result<()> {
    for rebuild in REBUILDS {
        let rows = database.query_all_raw(Statement::from_string(DbBackend::Postgres, *rebuild)).await?;
        for row in rows {
            database.execute_unprepared(&row.try_get_by_index::<String>(0)?).await?;
        }
    }
    Ok(())
}
