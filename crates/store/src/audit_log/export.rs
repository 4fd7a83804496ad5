//! The two audit trails, read as a whole for an export.

use aether_entity::{audit_events, audit_logs};
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    policy::WorkspacePermission,
    write::{Change, Membership},
};

/// From when, inclusive, to when, exclusive.
pub type Period = (DateTime<FixedOffset>, DateTime<FixedOffset>);

impl Change {
    /// The audit trail of a workspace that the actor may export, oldest first; refused when it has more than so many rows.
    pub async fn audit_events(&self, of: &Membership, period: Period, most: u64) -> Result<Vec<audit_events::Model>> {
        of.require(WorkspacePermission::AuditExport)?;
        let rows = audit_events::Entity::find()
            .filter(audit_events::Column::WorkspaceId.eq(of.workspace.id))
            .filter(audit_events::Column::Timestamp.gte(period.0))
            .filter(audit_events::Column::Timestamp.lt(period.1))
            .order_by_asc(audit_events::Column::Timestamp)
            .order_by_asc(audit_events::Column::Id)
            .limit(most + 1)
            .all(self.transaction())
            .await?;
        few(rows, most)
    }

    /// The audit log of the actor's organization, oldest first; refused when it has more than so many rows.
    pub async fn audit_logs(&self, period: Period, most: u64) -> Result<Vec<audit_logs::Model>> {
        let organization: Uuid = self.actor().organization_id;
        let rows = audit_logs::Entity::find()
            .filter(audit_logs::Column::OrganizationId.eq(organization))
            .filter(audit_logs::Column::Timestamp.gte(period.0))
            .filter(audit_logs::Column::Timestamp.lt(period.1))
            .order_by_asc(audit_logs::Column::Timestamp)
            .order_by_asc(audit_logs::Column::Id)
            .limit(most + 1)
            .all(self.transaction())
            .await?;
        few(rows, most)
    }
}

fn few<T>(rows: Vec<T>, most: u64) -> Result<Vec<T>> {
    if rows.len() as u64 > most {
        return Err(Error::invalid("to", format!("There are more than {most} entries. Choose a shorter period.")));
    }
    Ok(rows)
}
