//! The rotation of the keys that encrypt at rest: what older keys have encrypted is encrypted anew with the newest.

use sea_orm::{ConnectionTrait, Value};
use serde_json::{Map, json};
use uuid::Uuid;

use crate::{
    Store,
    encryption::Encryption,
    error::{Error, Result},
    sql::Sql,
    write::{Change, UseCase, action},
};

/// Every encrypted column, with the condition that a row `t` is of the organization `$1`.
const ENCRYPTED: [(&str, &str, &str); 4] = [
    ("integrations", "connection_config", "t.organization_id = $1"),
    ("users", "mfa_secret", "t.organization_id = $1"),
    ("users", "mfa_pending_secret", "t.organization_id = $1"),
    (
        "downstream_connectors",
        "encrypted_secret",
        "t.workspace_id IN (SELECT w.id FROM workspaces w WHERE w.organization_id = $1)",
    ),
];

impl Store {
    /// Encrypts anew what is encrypted with an older key, an organization at a time, each told in its audit log; tells how many
    /// values that were.
    ///
    /// # Errors
    /// `Internal` where a value is encrypted with a key that is not configured: then its organization is left as it is.
    pub async fn rotate_keys(&self, encryption: &Encryption) -> Result<usize> {
        let mut sql = Sql::new();
        sql.push("SELECT id FROM organizations ORDER BY id");
        let mut count = 0;
        #[expect(clippy::disallowed_methods, reason = "keys are rotated for all organizations")]
        let organizations = self.run_sql(&sql).await?;
        for row in organizations {
            let organization: Uuid = row.try_get_by_index(0)?;
            count += self.run_as_system(organization, encryption, reencrypt(organization)).await?;
        }
        Ok(count)
    }
}

/// Encrypts anew what an organization has.
fn reencrypt(organization: Uuid) -> UseCase<usize> {
    UseCase::new(&action::ROTATE_KEYS, move |c| {
        Box::pin(async move {
            let mut counts = Map::new();
            for (table, column, of) in ENCRYPTED {
                let encrypted_anew = c.encrypt_anew(table, column, of).await?;
                if encrypted_anew > 0 {
                    counts.insert(format!("{table}.{column}"), json!(encrypted_anew));
                }
            }
            let total: usize = counts.values().filter_map(|n| n.as_u64()).filter_map(|n| usize::try_from(n).ok()).sum();
            if total > 0 {
                c.about::<aether_entity::organizations::Entity>(organization);
                c.note("encrypted_anew", counts);
            }
            Ok(total)
        })
    })
}

impl Change {
    async fn encrypt_anew(&self, table: &str, column: &str, of: &str) -> Result<usize> {
        let newest = self.encryption().newest().ok_or_else(|| Error::internal("no key to encrypt with"))?;
        let statement = |text: String, values: Vec<Value>| {
            sea_orm::Statement::from_sql_and_values(sea_orm::DbBackend::Postgres, text, values)
        };
        let older = statement(
            format!(
                "SELECT t.id, t.{column} FROM {table} t WHERE {of} AND t.{column} IS NOT NULL \
                 ORDER BY t.id FOR NO KEY UPDATE OF t"
            ),
            vec![self.actor().organization_id.into()],
        );
        let rows = self.transaction().query_all_raw(older).await?;
        let mut encrypted_anew = 0;
        for row in &rows {
            let (id, encrypted): (Uuid, Vec<u8>) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            // Also what has the newest key's number: it may have been another key of that number.
            let opened = self.encryption().decrypt(&encrypted);
            let opened = opened.inspect_err(|_| tracing::error!(table, column, %id, "no key opens this"))?;
            if encrypted.first() == Some(&newest) {
                continue;
            }
            encrypted_anew += 1;
            let anew = self.encryption().encrypt(&opened)?;
            let write = format!("UPDATE {table} SET {column} = $1 WHERE id = $2");
            self.transaction().execute_raw(statement(write, vec![anew.into(), id.into()])).await?;
        }
        Ok(encrypted_anew)
    }
}
