//! Who subscribers are at this moment: asked before each event they get.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use uuid::Uuid;

use crate::{
    Store,
    actor::Actor,
    error::Result,
    policy::{Permission, Role},
    sql::Sql,
};

/// A session, and the workspace that it is asked about, if it is.
pub(super) type IdentityKey = (Uuid, Option<Uuid>);

/// Who a subscriber is now.
#[derive(Debug, Clone)]
pub(super) struct SubscriberIdentity {
    pub(super) actor: Arc<Actor>,
    /// Its role in the workspace that was asked about, if it is an active member.
    pub(super) role: Option<String>,
}

/// Who sees the same of what is asked for, from many to few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SharedBy {
    /// All members of the workspace.
    Members,
    /// Those of them who have the same role in it.
    Role,
    /// Those who are alike in their organization, too.
    Audience,
    /// Each user something else.
    Nobody,
}

/// What decides what a subscriber sees: subscribers of one class see the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Audience {
    User(Uuid),
    SharedBy {
        organization: Uuid,
        role: Role,
        permissions: BTreeSet<Permission>,
        region: Option<String>,
        department: Option<String>,
        in_workspace: Option<String>,
    },
    Member {
        role: Option<String>,
        /// Whether its view is confined: it sees nothing of what is about many rows at once.
        confined: bool,
    },
}

impl SubscriberIdentity {
    /// Its class, where this is who sees the same.
    pub(super) fn audience(&self, shared_by: SharedBy) -> Audience {
        let actor = &self.actor;
        let confined = actor.confining_region().is_some() || actor.confining_department().is_some();
        match shared_by {
            SharedBy::Members => Audience::Member { role: None, confined },
            SharedBy::Role => Audience::Member { role: self.role.clone(), confined },
            SharedBy::Audience => Audience::SharedBy {
                organization: actor.organization_id,
                role: actor.role,
                permissions: actor.permissions.clone(),
                region: actor.region.clone(),
                department: actor.department.clone(),
                in_workspace: self.role.clone(),
            },
            SharedBy::Nobody => Audience::User(actor.user_id),
        }
    }
}

impl Store {
    /// Who these are now, by one statement; a session that has ended is not there.
    pub(super) async fn identities(&self, keys: &[IdentityKey]) -> Result<HashMap<IdentityKey, SubscriberIdentity>> {
        let mut sql = Sql::new();
        sql.push("SELECT c.session, c.workspace, u.row_version, o.row_version, m.role::text FROM unnest(")
            .uuids(keys.iter().map(|(session, _)| *session).collect::<Vec<_>>())
            .push(", ")
            .uuids(keys.iter().map(|(_, workspace)| workspace.unwrap_or_default()).collect::<Vec<_>>())
            .push(
                ") AS c(session, workspace) \
                 JOIN user_sessions s ON s.id = c.session AND s.revoked_at IS NULL AND s.expires_at > now() \
                 JOIN users u ON u.id = s.user_id AND u.status = 'active' AND u.deleted_at IS NULL \
                 JOIN organizations o ON o.id = u.organization_id AND o.subscription_status = 'active' AND o.deleted_at IS NULL \
                 LEFT JOIN (workspace_members m JOIN workspaces w ON w.id = m.workspace_id AND w.deleted_at IS NULL) \
                   ON m.workspace_id = c.workspace AND m.user_id = u.id AND m.status = 'active'",
            );
        let mut identities = HashMap::with_capacity(keys.len());
        for row in self.connections().ask(&sql).await?.iter() {
            let (session, workspace): (Uuid, Uuid) = (row.at(0)?, row.at(1)?);
            let versions = (row.at(2)?, row.at(3)?);
            let actor = match self.actors().cached(session).filter(|actor| actor.versions == versions) {
                Some(actor) => actor,
                None => match self.actors().load(self.connections(), session).await {
                    Err(crate::Error::Unauthenticated(_)) => continue,
                    actor => actor?,
                },
            };
            let workspace = (!workspace.is_nil()).then_some(workspace);
            identities.insert((session, workspace), SubscriberIdentity { actor, role: row.at(4)? });
        }
        Ok(identities)
    }

    /// The workspaces of which this user is an active member.
    pub(super) async fn workspaces_of(&self, user: Uuid) -> Result<Vec<Uuid>> {
        let mut sql = Sql::new();
        sql.push("SELECT m.workspace_id FROM workspace_members m JOIN workspaces w ON w.id = m.workspace_id AND w.deleted_at IS NULL \
                  WHERE m.status = 'active' AND m.user_id = ")
            .uuid(user);
        self.connections().ask(&sql).await?.iter().map(|row| row.at(0)).collect()
    }
}
