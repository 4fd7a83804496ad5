//! Every change of the database, up and down, in the order in which they are made.
//!
//! A change is a pair of SQL files under `sql/`. The comments in them that describe tables, columns and enum values
//! become the database's own (see [`docs`]), and from there the entities' and the GraphQL schema's. A function stands in a file of its
//! own under `sql/functions/` with its current text, and a line `\i functions/name.sql` of a change takes it in, as psql would.
//!
//! To add one: write the pair, add its line below, run `cargo xtask generate`.

pub mod docs;

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement},
};

pub use sea_orm_migration::MigratorTrait;

macro_rules! changes {
    ($($name:literal,)+) => {
        /// The changes: name, up, down.
        const CHANGES: &[(&str, &str, &str)] = &[$((
            $name,
            include_str!(concat!("../sql/", $name, ".up.sql")),
            include_str!(concat!("../sql/", $name, ".down.sql")),
        ),)+];
    };
}

macro_rules! functions {
    ($($name:literal,)+) => {
        /// The functions: name, text.
        const FUNCTIONS: &[(&str, &str)] = &[$((
            $name,
            include_str!(concat!("../sql/functions/", $name, ".sql")),
        ),)+];
    };
}

changes! {
    "01_foundations",
    "02_identity",
    "03_finance",
    "04_sales",
    "05_ai",
    "06_scenarios",
    "07_governance",
    "08_integrations",
    "09_documents",
    "10_graph_and_drift",
    "11_reconciliation",
    "12_golden_record",
    "13_audit_events",
    "14_gateway",
    "15_summaries",
    "16_audit_log",
    "17_summaries_by_currency",
    "18_metric_imports",
    "19_row_exports",
}

functions! {
    "announce_kpi_refresh",
    "check_golden_record_document",
    "count_added_messages",
    "count_changed_graph_node",
    "count_edited_messages",
    "count_golden_record_document",
    "count_golden_record_version",
    "count_gone_graph_nodes",
    "count_high_drift",
    "count_new_graph_nodes",
    "count_reconciliation_items",
    "count_removed_messages",
    "count_version",
    "enqueue_audit_rows",
    "ensure_partitions",
    "enter_deal_stage",
    "event_head",
    "grant_access",
    "is_additive",
    "is_append_only",
    "keep_versions",
    "link_variables",
    "outstanding_event_writers",
    "own_budget_total",
    "own_conversation_counters",
    "own_high_drift",
    "own_reconciliation_counters",
    "refresh_graph",
    "refresh_kpi_summary",
    "refresh_pipeline_summary",
    "refuse_audit_log_change",
    "refuse_audited_delete",
    "refuse_change",
    "refuse_department_cycle",
    "refuse_truncate_on",
    "refuse_unsealed",
    "renumber_clauses",
    "show_event_writer",
    "sum_budgets",
    "sum_budgets_of_edited_lines",
    "sum_budgets_of_lines",
    "trim_events",
}

/// A change's text with the functions that it takes in.
fn with_functions(sql: &str) -> Result<String, String> {
    let mut whole = String::with_capacity(sql.len());
    for line in sql.lines() {
        match line.strip_prefix("\\i functions/").and_then(|rest| rest.strip_suffix(".sql")) {
            Some(wanted) => {
                let found = FUNCTIONS.iter().find(|(name, _)| *name == wanted);
                whole.push_str(found.ok_or_else(|| format!("there is no function {wanted}"))?.1);
            }
            None => {
                whole.push_str(line);
                whole.push('\n');
            }
        }
    }
    Ok(whole)
}

/// Brings a database to the newest change, or back.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        CHANGES.iter().map(|&(name, up, down)| Box::new(Change { name, up, down }) as Box<dyn MigrationTrait>).collect()
    }
}

/// What a database is that has changes which this program does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// It was made by a version under development whose changes have been put together since, before there was a release.
    Earlier,
    /// It was made by a newer version.
    Newer,
}

/// Whether the database has changes that this program does not know.
pub async fn unknown(database: &DatabaseConnection) -> Result<Option<Unknown>, DbErr> {
    let rows = |sql: &str| database.query_all_raw(Statement::from_string(DbBackend::Postgres, sql));
    let made = rows("SELECT FROM pg_class WHERE oid = to_regclass('seaql_migrations')").await?;
    if made.is_empty() {
        return Ok(None);
    }
    let mut unknown = None;
    for row in rows("SELECT version FROM seaql_migrations").await? {
        let name: String = row.try_get_by_index(0)?;
        if CHANGES.iter().all(|(known, ..)| *known != name) {
            // Their numbers had four digits.
            let is_earlier = name.starts_with("00") && name.as_bytes().get(4) == Some(&b'_');
            unknown = Some(if is_earlier { Unknown::Earlier } else { Unknown::Newer });
        }
    }
    // The changes have made the one as of 27 November 2026, and not made the other as of the 28th.
    let incomplete = "SELECT FROM seaql_migrations WHERE to_regcollation('natural_order') IS NULL \
                      OR to_regproc('graph_integrity') IS NOT NULL LIMIT 1";
    if unknown.is_none() && !rows(incomplete).await?.is_empty() {
        unknown = Some(Unknown::Earlier);
    }
    Ok(unknown)
}

/// Builds the indexes of sorted text anew where the library that knows how text is sorted (ICU) has changed under the database, as
/// with a newer operating system: what they hold is in the order of the old one. Says how many, or `None` where nothing has changed.
pub async fn follow_collation(database: &DatabaseConnection) -> Result<Option<usize>, DbErr> {
    let rows = |sql: &str| database.query_all_raw(Statement::from_string(DbBackend::Postgres, sql));
    let changed = "SELECT FROM pg_collation WHERE oid = to_regcollation('natural_order') AND collversion <> pg_collation_actual_version(oid)";
    if rows(changed).await?.is_empty() {
        return Ok(None);
    }
    let indexes = rows(
        "SELECT DISTINCT i.indexrelid::regclass::text FROM pg_index i JOIN pg_depend d ON d.objid = i.indexrelid \
         WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_collation'::regclass \
         AND d.refobjid = to_regcollation('natural_order')",
    )
    .await?;
    for row in &indexes {
        let index: String = row.try_get_by_index(0)?;
        database.execute_unprepared(&format!("REINDEX INDEX {index}")).await?;
    }
    database.execute_unprepared("ALTER COLLATION natural_order REFRESH VERSION").await?;
    Ok(Some(indexes.len()))
}

struct Change {
    name: &'static str,
    up: &'static str,
    down: &'static str,
}

impl MigrationName for Change {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Change {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let failed = |problem| DbErr::Migration(format!("{}: {problem}", self.name));
        let up = with_functions(self.up).map_err(failed)?;
        let comments = docs::comments(&up).map_err(failed)?;
        let connection = manager.get_connection();
        connection.execute_unprepared(&up).await?;
        connection.execute_unprepared(&comments).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // What is made again as it was is described again.
        let comments =
            docs::comments(self.down).map_err(|problem| DbErr::Migration(format!("{}: {problem}", self.name)))?;
        let connection = manager.get_connection();
        connection.execute_unprepared(self.down).await?;
        connection.execute_unprepared(&comments).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_described() {
        for (name, up, _) in CHANGES {
            if let Err(problem) = with_functions(up).and_then(|up| docs::comments(&up)) {
                panic!("{name}: {problem}");
            }
        }
    }

    #[test]
    fn each_function_stands_in_one_file_and_is_taken_in_once() {
        for (name, text) in FUNCTIONS {
            assert_eq!(text.matches("CREATE FUNCTION").count(), 1, "{name}");
            assert!(text.contains(&format!("CREATE FUNCTION {name}(")), "{name}");
            let uses = |sql: &str| sql.lines().filter(|line| *line == format!("\\i functions/{name}.sql")).count();
            assert_eq!(CHANGES.iter().map(|(_, up, _)| uses(up)).sum::<usize>(), 1, "{name}");
        }
        for (name, up, _) in CHANGES {
            assert!(!up.contains("CREATE FUNCTION") && !up.contains("OR REPLACE FUNCTION"), "{name}");
        }
    }
}
