//! The review of an entry of the audit log: the one thing that may still be written there, and once.

use aether_entity::audit_logs;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    sql::Sql,
    write::Change,
};

impl Change {
    /// Marks an entry of the organization's audit log as reviewed by the actor, who must not have done what it tells.
    pub async fn review_audit_log(&self, id: Uuid, comment: Option<String>) -> Result<()> {
        let entry = audit_logs::Entity::find()
            .filter(audit_logs::Column::Id.eq(id))
            .filter(audit_logs::Column::OrganizationId.eq(self.actor().organization_id))
            .lock(LockType::NoKeyUpdate)
            .one(self.transaction())
            .await?
            .ok_or_else(|| Error::NotFound("There is no audit log with this id.".into()))?;
        if entry.actor_id == Some(self.actor().user_id) {
            return Err(Error::Forbidden {
                permission: "audit:export",
                because: Some("you did this yourself, so somebody else has to review it."),
            });
        }
        if entry.reviewed {
            return Err(Error::Precondition("This entry has been reviewed already.".into()));
        }
        let mut sql = Sql::new();
        sql.push("UPDATE audit_logs SET reviewed = true, reviewed_at = now(), reviewed_by = ")
            .uuid(self.actor().user_id)
            .push(" WHERE NOT reviewed AND id = ")
            .uuid(id)
            .push(" AND \"timestamp\" = ")
            .value(aether_entity::catalog::Kind::Timestamp, entry.timestamp.to_rfc3339())
            .push(" RETURNING true");
        #[expect(
            clippy::disallowed_methods,
            reason = "the one column of an append-only table that may be set, and once"
        )]
        let reviewed = self.run_sql(&sql).await?;
        if reviewed.is_empty() {
            return Err(Error::Precondition("This entry has been reviewed already.".into()));
        }
        self.note("reviewed", true);
        self.note("reviewedAction", entry.action);
        self.reason(comment.as_deref(), None);
        self.about::<audit_logs::Entity>(id);
        Ok(())
    }
}
