//! Who is asking: the user behind a session, as the database has it now.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use aether_entity::users;
use moka::sync::Cache;
use uuid::Uuid;

use crate::{
    database::Database,
    error::{Error, Result},
    policy::{Permission, Role, held},
    sql::{OfActor, Sql},
    value::label,
};

/// What of an actor decides the text of the statements that it reads by. No id is in it, so a statement that was written for one
/// actor cannot be about another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Audience {
    /// The permissions, a bit for each by its place among all.
    permissions: u64,
    region: bool,
    department: bool,
}

impl Audience {
    /// Whether it may.
    pub(crate) fn may(self, permission: Permission) -> bool {
        self.permissions & bit(permission) != 0
    }

    /// Whether its view is confined to a region.
    pub(crate) fn is_confined_to_a_region(self) -> bool {
        self.region
    }

    /// Whether its view is confined to a department, with what lies below it.
    pub(crate) fn is_confined_to_a_department(self) -> bool {
        self.department
    }
}

fn bit(permission: Permission) -> u64 {
    const { assert!(Permission::ALL.len() <= 64) };
    1 << permission as u32
}

/// A signed-in user with everything that decides what it may see and do.
#[derive(Debug, Clone, PartialEq)]
pub struct Actor {
    /// The session it came by.
    pub session_id: Uuid,
    /// The user.
    pub user_id: Uuid,
    /// The user's name.
    pub name: String,
    /// The user's e-mail address.
    pub email: String,
    /// The user's organization.
    pub organization_id: Uuid,
    /// Its role there.
    pub role: Role,
    /// What it may do: by role and by grants of its own.
    pub permissions: BTreeSet<Permission>,
    /// The region its view is narrowed to.
    pub region: Option<String>,
    /// The department its view is narrowed to, with all below it.
    pub department: Option<String>,
    /// The versions of the user's and the organization's row that the above was read from.
    pub(crate) versions: (i32, i32),
}

impl Actor {
    /// The gateway itself, at work for an organization.
    pub(crate) fn system(organization_id: Uuid) -> Self {
        Self {
            session_id: Uuid::nil(),
            user_id: Uuid::nil(),
            name: "System".into(),
            email: String::new(),
            organization_id,
            role: Role::Admin,
            permissions: Permission::ALL.iter().copied().collect(),
            region: None,
            department: None,
            versions: (0, 0),
        }
    }

    /// A user who accepts the invitation to the organization, in the session that is being opened.
    pub(crate) fn invited(user: &users::Model, session_id: Uuid) -> Result<Self> {
        let role =
            Role::from_label(&label(&user.role)).ok_or_else(|| Error::internal("a role the gateway does not know"))?;
        Ok(Self {
            session_id,
            user_id: user.id,
            name: user.name.clone(),
            email: user.email.clone(),
            organization_id: user.organization_id,
            role,
            permissions: held(role, &user.permissions),
            region: user.region.clone(),
            department: user.department.clone(),
            versions: (user.row_version, 0),
        })
    }

    /// Whether it is the gateway itself and no user.
    pub fn is_system(&self) -> bool {
        self.user_id.is_nil()
    }

    /// The region that its view is confined to, if it is.
    pub fn confining_region(&self) -> Option<&str> {
        self.region.as_deref().filter(|_| !self.role.sees_every_region())
    }

    /// The department that its view is confined to, with what lies below it, if it is.
    pub fn confining_department(&self) -> Option<&str> {
        self.department.as_deref().filter(|_| !self.role.sees_every_region())
    }

    /// What of it decides the text of the statements that it reads by.
    pub(crate) fn audience(&self) -> Audience {
        Audience {
            permissions: self.permissions.iter().fold(0, |all, permission| all | bit(*permission)),
            region: self.confining_region().is_some(),
            department: self.confining_department().is_some(),
        }
    }

    /// Whether it may.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }
}

/// The actors seen lately, so that a request costs no statement of its own for its actor.
///
/// Nothing here is trusted: each root statement re-checks session and versions in its own snapshot (see [`live`]), so a
/// revoked session, a deactivated user or a changed role takes effect with the next statement, on every replica.
#[derive(Clone)]
pub(crate) struct Actors(Cache<Uuid, Arc<Actor>>);

impl Actors {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(100_000).time_to_idle(Duration::from_secs(900)).build())
    }

    pub(crate) fn cached(&self, session_id: Uuid) -> Option<Arc<Actor>> {
        self.0.get(&session_id)
    }

    /// Reads the actor anew; a session that has ended, or a user or organization that is not active, has none.
    pub(crate) async fn load(&self, database: &Database, session_id: Uuid) -> Result<Arc<Actor>> {
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
            self.0.invalidate(&session_id);
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
pub(crate) fn live() -> Sql {
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
pub(crate) fn ended() -> Error {
    Error::Unauthenticated("The session has ended. Sign in again with the login mutation.".into())
}
