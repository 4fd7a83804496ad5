//! What of an audit row is hashed: the content of its leaf.
//!
//! The content is the name of the row's table, a line feed, and the row as the text of a `jsonb` object in UTF-8 with the
//! time zone UTC, but for the columns that record its review and for those that are null. Leaving nulls out lets a
//! migration add a column to an audit table without touching what is sealed, as long as old rows have null there.

use super::tree::{Hash, leaf_hash};
use crate::sql::Sql;

/// The tables whose rows are sealed.
pub(super) const SOURCES: [&str; 2] = ["audit_logs", "audit_events"];

/// SQL for the row `alias` of an audit table as it is hashed, in a session of the pools, whose time zone is UTC. What is
/// left out is what the trigger `refuse_audit_log_change` lets change once.
pub(super) fn sql(alias: &'static str) -> Sql {
    let mut sql = Sql::new();
    sql.push("(SELECT jsonb_object_agg(f.key, f.value) FROM jsonb_each(to_jsonb(")
        .alias(alias)
        .push(")) AS f WHERE f.value <> 'null' AND f.key NOT IN ('reviewed', 'reviewed_by', 'reviewed_at'))::text");
    sql
}

/// SQL for the tree that seals the row `alias` of this table: its workspace's, or else its organization's, which for what is
/// done outside of both (signing in and out of loan documents) is the actor's.
pub(super) fn tree(source: &str, alias: &str) -> String {
    match source {
        "audit_events" => format!(
            "coalesce({alias}.workspace_id, (SELECT u.organization_id FROM users u WHERE u.id = {alias}.actor_id))"
        ),
        _ => format!("{alias}.organization_id"),
    }
}

/// SQL for the audit row that `alias` names by its `source`, `row_id` and `row_timestamp`, as it is hashed; NULL where it is
/// gone. The timestamp leads to the row's partition.
pub(super) fn named_by(alias: &str) -> String {
    of_named(alias, |_| sql("r").finish().0)
}

/// SQL for the tree that seals the audit row that `alias` names, as [`named_by`] does.
pub(super) fn tree_of_named(alias: &str) -> String {
    of_named(alias, |source| tree(source, "r"))
}

fn of_named(alias: &str, wanted: impl Fn(&str) -> String) -> String {
    let row = |source: &str| {
        let wanted = wanted(source);
        format!(
            "WHEN '{source}' THEN (SELECT {wanted} FROM {source} r \
             WHERE r.id = {alias}.row_id AND r.\"timestamp\" = {alias}.row_timestamp)"
        )
    };
    format!("CASE {alias}.source {} END", SOURCES.map(row).join(" "))
}

/// The content of a leaf: of a row of this table that [`sql`] gave.
pub(super) fn content(source: &str, entry: &str) -> String {
    format!("{source}\n{entry}")
}

/// The leaf hash of a row of this table that [`sql`] gave.
pub(super) fn hash(source: &str, entry: &str) -> Hash {
    leaf_hash(content(source, entry).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_hashed_with_its_table() {
        // printf '\0audit_logs\n{"id": "x"}' | sha256sum
        let known = "75f2f5ba751816dc8597e0ab31224b42eade742ea6ae838362121286712be33c";
        assert_eq!(hex::encode(hash("audit_logs", r#"{"id": "x"}"#)), known);
        assert_ne!(hash("audit_events", r#"{"id": "x"}"#), hash("audit_logs", r#"{"id": "x"}"#));
    }
}
