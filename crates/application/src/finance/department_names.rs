//! Names of departments: no two are spellings of one, for users who are confined to a department, and anomalies of it, refer to it by
//! name. Neither these nor the other departments need be visible to who edits the department.

#![expect(
    clippy::disallowed_methods,
    reason = "departments, and who refers to one by name, need not be visible to who names one"
)]

use aether_domain::spelling;
use aether_entity::organizations;
use aether_store::{Error, error::Result, sql::Sql, write::Change};
use serde_json::json;
use uuid::Uuid;

/// The department of the actor's organization whose name this is in any spelling, with its name as it is kept.
pub(crate) async fn named(c: &Change, name: &str) -> Result<Option<(Uuid, String)>> {
    let mut sql = Sql::new();
    sql.push("SELECT id, name FROM departments WHERE organization_id = ").uuid(c.actor().organization_id);
    let key = spelling::key(name);
    for row in c.run_sql(&sql).await? {
        let kept: String = row.try_get_by_index(1)?;
        if spelling::key(&kept) == key {
            return Ok(Some((row.try_get_by_index(0)?, kept)));
        }
    }
    Ok(None)
}

/// Refuses a name that another department than this one has in any spelling. Until the change ends, nobody else names one.
pub(super) async fn is_free(c: &Change, name: &str, this: Option<Uuid>) -> Result<()> {
    c.find::<organizations::Entity>(c.actor().organization_id).await?;
    match named(c, name).await? {
        Some((id, kept)) if Some(id) != this => Err(Error::Taken {
            field: "name".into(),
            message: format!("There is a department \"{kept}\" already. Choose another name, or edit that department."),
        }),
        _ => Ok(()),
    }
}

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
