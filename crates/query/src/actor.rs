//! Who is asking: the user behind a session.

use std::collections::BTreeSet;

use aether_entity::users;
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    policy::{Permission, Role, held},
    value::label,
};

/// What of an actor decides the text of the statements that it reads by. No id is in it, so a statement that was written for one
/// actor cannot be about another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Audience {
    /// The permissions, a bit for each by its place among all.
    permissions: u64,
    region: bool,
    department: bool,
}

impl Audience {
    /// Whether it may.
    pub fn may(self, permission: Permission) -> bool {
        self.permissions & bit(permission) != 0
    }

    /// Whether its view is confined to a region.
    pub fn is_confined_to_a_region(self) -> bool {
        self.region
    }

    /// Whether its view is confined to a department, with what lies below it.
    pub fn is_confined_to_a_department(self) -> bool {
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
    pub versions: (i32, i32),
}

impl Actor {
    /// The gateway itself, at work for an organization.
    pub fn system(organization_id: Uuid) -> Self {
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
    pub fn invited(user: &users::Model, session_id: Uuid) -> Result<Self> {
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
    pub fn audience(&self) -> Audience {
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
