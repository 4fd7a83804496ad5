//! Who may give what: nobody gives others more than they hold themselves, and somebody always manages the users.

use aether_entity::{
    organizations,
    sea_orm_active_enums::{DealRegion, UserRole, UserStatus},
    users,
};
use aether_store::{
    Error, Result,
    policy::{Permission, Role, held},
    value::label,
    write::Change,
};
use sea_orm::{ColumnTrait, EntityTrait, Iterable, QueryFilter};
use serde_json::Value;
use uuid::Uuid;

use crate::{check::text, finance::spelling, patch::Patch};

/// A user of the actor's organization in the version that the client saw; until the change ends, nobody else changes who
/// manages the organization.
pub(super) async fn managed(c: &Change, id: Uuid, expected: i32) -> Result<users::Model> {
    c.find::<organizations::Entity>(c.actor().organization_id).await?;
    c.edit::<users::Entity>(id, expected).await
}

/// The names as they are kept, without repetition; unknown ones are refused.
pub(super) fn permissions(field: &str, names: Vec<String>) -> Result<Value> {
    let mut known = std::collections::BTreeSet::new();
    for (at, name) in names.iter().enumerate() {
        let permission = Permission::from_name(name).ok_or_else(|| {
            let all: Vec<&str> = Permission::ALL.iter().map(|permission| permission.name()).collect();
            Error::invalid(
                format!("{field}.{at}"),
                format!("There is no such permission. Choose among: {}.", all.join(", ")),
            )
        })?;
        known.insert(permission);
    }
    Ok(known.into_iter().map(|permission| permission.name()).collect())
}

/// Refuses to give a role and permissions that go beyond what the actor holds; what the user had before is not given.
pub(super) fn may_give(c: &Change, role: &UserRole, granted: &Value, before: Option<&users::Model>) -> Result<()> {
    let mut given = held(role_of(role)?, granted);
    if let Some(before) = before {
        for permission in held(role_of(&before.role)?, &before.permissions) {
            given.remove(&permission);
        }
    }
    match given.into_iter().all(|permission| c.actor().may(permission)) {
        true => Ok(()),
        false => {
            Err(beyond("you can give only roles and permissions that you hold yourself. Ask a CFO, who holds all."))
        }
    }
}

/// Whether the actor may invite a CFO without being one: an administrator may while nobody has joined the organization as CFO. A
/// new organization has an administrator only, and nobody else could ever give what a CFO holds.
pub(super) async fn may_invite_first_cfo(c: &Change, role: &UserRole) -> Result<bool> {
    if *role != UserRole::Cfo || c.actor().role != Role::Admin {
        return Ok(false);
    }
    let joined = users::Entity::find()
        .filter(users::Column::OrganizationId.eq(c.actor().organization_id))
        .filter(users::Column::Role.eq(UserRole::Cfo))
        .filter(users::Column::Status.ne(UserStatus::Pending));
    Ok(c.count(joined).await? == 0)
}

/// Refuses to let anybody see more regions or departments than the actor does.
pub(super) fn may_open(c: &Change, region: Option<&str>, department: Option<&str>) -> Result<()> {
    let actor = c.actor();
    let within = |own: &Option<String>, given: Option<&str>| own.is_none() || own.as_deref() == given;
    match actor.role.sees_every_region() || within(&actor.region, region) && within(&actor.department, department) {
        true => Ok(()),
        false => Err(beyond("you can let others see only the region and department that you see yourself.")),
    }
}

fn beyond(because: &'static str) -> Error {
    Error::Forbidden { permission: Permission::UsersManage.name(), because: Some(because) }
}

fn role_of(role: &UserRole) -> Result<Role> {
    Role::from_label(&label(role)).ok_or_else(|| Error::internal("a role the gateway does not know"))
}

fn manages(role: &UserRole) -> bool {
    matches!(role, UserRole::Cfo | UserRole::Admin)
}

/// Refuses to let the last active CFO or administrator go, by this role or altogether.
pub(super) async fn keep_a_manager(c: &Change, user: &users::Model, becomes: Option<&UserRole>) -> Result<()> {
    if user.status != UserStatus::Active || !manages(&user.role) || becomes.is_some_and(manages) {
        return Ok(());
    }
    let others = users::Entity::find()
        .filter(users::Column::OrganizationId.eq(user.organization_id))
        .filter(users::Column::Id.ne(user.id))
        .filter(users::Column::Status.eq(UserStatus::Active))
        .filter(users::Column::Role.is_in([UserRole::Cfo, UserRole::Admin]));
    match c.count(others).await? {
        0 => Err(Error::Precondition(
            "This is the last active CFO or administrator, and somebody has to manage the users. Make another user one first."
                .into(),
        )),
        _ => Ok(()),
    }
}

/// Refuses to let anybody but a CFO take the role from a CFO: an organization that had none left could have its first one invited.
pub(super) fn may_take(c: &Change, user: &users::Model, becomes: &UserRole) -> Result<()> {
    if user.role != UserRole::Cfo || *becomes == UserRole::Cfo || c.actor().role == Role::Cfo {
        return Ok(());
    }
    Err(beyond("only a CFO takes the role from a CFO. Ask one, or deactivate the user."))
}

/// A region that rows have: one of the deals' regions, or one that metrics use.
pub(super) async fn region(c: &Change, field: &str, value: Patch<String>) -> Result<Patch<String>> {
    let value = value.try_map(|region| text(field, &region, 50))?;
    let Patch::Value(region) = &value else { return Ok(value) };
    let (region, is_used) = spelling::region(c, region).await?;
    if is_used {
        return Ok(Patch::Value(region));
    }
    let known: Vec<String> = DealRegion::iter().map(|region| label(&region)).collect();
    Err(Error::invalid(
        field,
        format!("There is no such region. Choose among {}, or one that metrics have.", known.join(", ")),
    ))
}

/// The name of a department of the organization, which is given in any spelling. Nothing but null takes a confinement away.
pub(super) async fn department(c: &Change, field: &str, value: Patch<String>) -> Result<Patch<String>> {
    let value = value.try_map(|name| text(field, &name, 100))?;
    let Patch::Value(name) = &value else { return Ok(value) };
    match spelling::named(c, "departments", name).await? {
        Some((_, name)) => Ok(Patch::Value(name)),
        None => Err(Error::invalid(
            field,
            "There is no department of this name. Give the name of one, as `departments` lists it.",
        )),
    }
}
