//! How far a download of an export has come. That is no change that the audit trail tells of: its beginning and its end are.

use aether_entity::catalog::Kind;
use chrono::{DateTime, FixedOffset};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    Store,
    database::{Party, as_party},
    error::Result,
    sql::Sql,
    write::KEY,
};

impl Store {
    /// Notes that a download, known by when it began, has written so many of so many rows, and so many bytes; whether it may go on:
    /// it must not once its session has ended.
    pub async fn note_export(
        &self,
        (export, session): (Uuid, Uuid),
        began_at: DateTime<FixedOffset>,
        (rows, total): (u64, u64),
        bytes: u64,
    ) -> Result<bool> {
        let mut sql = Sql::new();
        sql.push("WITH noted AS (UPDATE row_exports SET rows_written = ").number(rows);
        sql.push(", total_rows = ").number(total).push(", bytes_written = ").number(bytes);
        sql.append(&of_download(export, began_at));
        sql.push(
            ") SELECT EXISTS (SELECT FROM user_sessions WHERE revoked_at IS NULL AND expires_at > now() AND id = ",
        );
        sql.uuid(session).push(") AS stands");
        self.write_export(&sql).await
    }

    /// Ends a download as failed, where whoever downloads could not: the session has ended.
    pub async fn fail_export(&self, export: Uuid, began_at: DateTime<FixedOffset>, why: &str) -> Result<()> {
        let mut sql = Sql::new();
        sql.push("UPDATE row_exports SET status = 'FAILED', finished_at = now(), failure = ").text(why);
        sql.append(&of_download(export, began_at)).push(" RETURNING true AS stands");
        self.write_export(&sql).await.map(drop)
    }

    async fn write_export(&self, sql: &Sql) -> Result<bool> {
        // The gateway's own doing: what the user may do at once is not used up by it.
        let written = async {
            let transaction = self.database().begin(KEY).await?;
            let row = transaction.query_one_raw(sql.clone().statement()?).await?;
            let stands = row.map(|row| row.try_get("", "stands")).transpose()?;
            self.database().commit(transaction).await?;
            Ok(stands.unwrap_or_default())
        };
        as_party(Party::Gateway, written).await
    }
}

fn of_download(export: Uuid, began_at: DateTime<FixedOffset>) -> Sql {
    let mut sql = Sql::new();
    sql.push(" WHERE id = ").uuid(export).push(" AND started_at = ").value(Kind::Timestamp, began_at.to_rfc3339());
    sql
}
