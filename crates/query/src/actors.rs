//! Those who have asked lately, and the condition that makes it safe to remember them.

use std::sync::Arc;

use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::{
    actor::Actor,
    database::Connections,
    error::{Error, Result},
    policy::{Role, held},
    sql::{OfActor, Sql},
};

/// How many actors are remembered.
const REMEMBERED: usize = 100_000;

/// The actors seen lately, so that a request costs no statement of its own for its actor.
///
/// Nothing here is trusted: each root statement re-checks session and versions in its own snapshot (see [`live`]), so a
/// revoked session, a deactivated user or a changed role takes effect with the next statement, on every replica.
#[derive(Clone)]
pub struct Actors(Arc<Cache<Uuid, Arc<Actor>>>);

impl Actors {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Cache::new(REMEMBERED)))
    }

    /// The actor of this session, as it was read last.
    pub fn cached(&self, session_id: Uuid) -> Option<Arc<Actor>> {
        self.0.get(&session_id)
    }

    /// Reads the actor anew; a session that has ended, or a user or organization that is not active, has none.
    pub async fn load(&self, database: &Connections, session_id: Uuid) -> Result<Arc<Actor>> {
        let mut sql = Sql::new();
        sql.push(
            "SELECT u.id, u.name, u.email, u.organization_id, u.role::text AS role, u.permissions, u.region, u.department, \
             u.row_version AS user_version, o.row_version AS organization_version \
             FROM user_sessions s JOIN users u ON u.id = s.user_id JOIN organizations o ON o.id = u.organization_id \
             WHERE s.revoked_at IS NULL AND s.expires_at > now() AND u.status = 'active' AND u.deleted_at IS NULL \
             AND o.subscription_status = 'active' AND o.deleted_at IS NULL AND s.id = ",
        )
        .uuid(session_id);
        let rows = database.ask(&sql).await?;
        let Some(row) = rows.first() else {
            self.0.remove(&session_id);
            return Err(ended());
        };
        let role = Role::from_label(&row.get::<String>("role")?)
            .ok_or_else(|| Error::internal("a role the gateway does not know"))?;
        let actor = Arc::new(Actor {
            session_id,
            user_id: row.get("id")?,
            name: row.get("name")?,
            email: row.get("email")?,
            organization_id: row.get("organization_id")?,
            role,
            permissions: held(role, &row.get("permissions")?),
            region: row.get("region")?,
            department: row.get("department")?,
            versions: (row.get("user_version")?, row.get("organization_version")?),
        });
        self.0.insert(session_id, actor.clone());
        Ok(actor)
    }
}

/// The condition that the session still stands and that the actor is as it was read.
pub fn live() -> Sql {
    let mut sql = Sql::new();
    sql.push(
        "EXISTS (SELECT FROM user_sessions s JOIN users u ON u.id = s.user_id \
         JOIN organizations o ON o.id = u.organization_id \
         WHERE s.revoked_at IS NULL AND s.expires_at > now() AND s.id = ",
    )
    .actor(OfActor::Session)
    .push(" AND u.row_version = ")
    .actor(OfActor::UserVersion)
    .push(" AND o.row_version = ")
    .actor(OfActor::OrganizationVersion)
    .push(")");
    sql
}

/// The answer to a session that does not stand.
pub fn ended() -> Error {
    Error::Unauthenticated("The session has ended. Sign in again with the login mutation.".into())
}
