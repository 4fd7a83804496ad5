//! What refers to a department by its name: users who are confined to it, and anomalies of it. Neither need be visible to who
//! edits the department.

#![expect(
    clippy::disallowed_methods,
    reason = "who refers to a department by name need not be visible to who renames it"
)]

use aether_store::{error::Result, sql::Sql, write::Change};
use serde_json::json;
use uuid::Uuid;

/// Has users and anomalies follow a department of the actor's organization to its new name. The audit row names them.
pub async fn rename(c: &Change, from: &str, to: &str) -> Result<()> {
    for (table, column, note) in
        [("users", "department", "usersConfined"), ("anomalies", "affected_department", "anomaliesOfIt")]
    {
        let mut sql = Sql::new();
        sql.push("UPDATE ").push(table).push(" SET ").push(column).push(" = ").text(to);
        sql.push(" WHERE organization_id = ").uuid(c.actor().organization_id);
        sql.push(" AND ").push(column).push(" = ").text(from).push(" RETURNING id");
        let rows = c.run_sql(&sql).await?;
        let ids = rows.iter().map(|row| row.try_get_by_index::<Uuid>(0)).collect::<Result<Vec<_>, _>>()?;
        if ids.is_empty() {
            continue;
        }
        let topic = if table == "users" { "user" } else { "anomaly" };
        for id in &ids {
            c.announce(topic, *id, "updated", json!({ "type": topic, "id": id }));
        }
        c.note(note, json!(ids));
    }
    Ok(())
}

/// How many users of the actor's organization are confined to the department of this name.
pub async fn confined_to(c: &Change, department: &str) -> Result<i64> {
    let mut sql = Sql::new();
    sql.push("SELECT count(*) FROM users WHERE deleted_at IS NULL AND organization_id = ");
    sql.uuid(c.actor().organization_id).push(" AND department = ").text(department);
    let rows = c.run_sql(&sql).await?;
    Ok(rows.first().map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default())
}
