//! Connections to other systems, their syncs and logs.

use super::{Entity, entity};
use crate::model::Scope;

pub(super) fn entities() -> Vec<Entity> {
    vec![
        entity("integrations", "Integration", "integrations", Scope::Organization)
            .order(&["name"])
            .refers("organization_id", "organization", "integrations")
            .refers("owner_id", "owner", "integrationsOwned"),
        entity("integration_syncs", "IntegrationSync", "integrationSyncs", Scope::Via("integration_id"))
            .order(&["-started_at"])
            .refers("integration_id", "integration", "syncs")
            .refers("triggered_by", "triggeredByUser", "integrationSyncsTriggered"),
        entity("integration_logs", "IntegrationLog", "integrationLogs", Scope::Via("integration_id"))
            .order(&["-at"])
            .refers("integration_id", "integration", "logs")
            .refers("sync_id", "sync", "logs"),
    ]
}
