//! Every change of the database, up and down, in the order in which they are made.
//!
//! A change is a pair of SQL files under `sql/`. The comments in them that describe tables, columns and enum values
//! become the database's own (see [`docs`]), and from there the entities' and the GraphQL schema's.
//!
//! To add one: write the pair, add its line below, run `cargo xtask generate`.

pub mod docs;

use sea_orm_migration::prelude::*;

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

changes! {
    "0001_foundations",
    "0002_identity",
    "0003_finance",
    "0004_sales",
    "0005_ai",
    "0006_scenarios",
    "0007_governance",
    "0008_integrations",
    "0009_documents",
    "0010_graph_and_drift",
    "0011_reconciliation",
    "0012_golden_record",
    "0013_audit_events",
    "0014_gateway",
    "0015_summaries",
    "0016_audit_log",
    "0017_writing",
    "0020_drafting",
    "0021_graph_upkeep",
    "0022_deliveries",
    "0023_sign_in",
    "0026_sync_lease",
    "0030_live",
    "0031_graph_warnings",
    "0036_first_day",
    "0037_audit_trees",
    "0038_graph_node_counts",
    "0039_graph_by_index",
}

/// Brings a database to the newest change, or back.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        CHANGES.iter().map(|&(name, up, down)| Box::new(Change { name, up, down }) as Box<dyn MigrationTrait>).collect()
    }
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
        let comments =
            docs::comments(self.up).map_err(|problem| DbErr::Migration(format!("{}: {problem}", self.name)))?;
        let connection = manager.get_connection();
        connection.execute_unprepared(self.up).await?;
        connection.execute_unprepared(&comments).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(self.down).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_described() {
        for (name, up, _) in CHANGES {
            if let Err(problem) = docs::comments(up) {
                panic!("{name}: {problem}");
            }
        }
    }
}
