//! Users as those who manage them change them: role, permissions, scope, and whether they may sign in at all.

use aether_entity::{
    sea_orm_active_enums::{UserRole, UserStatus},
    user_invitations, user_sessions, users,
};
use aether_store::{
    Error, Result,
    write::{Change, UseCase, action},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::rights;
use crate::{
    patch::{Patch, patch},
    reason::Reason,
};

/// What changes in the scope of a user: what is left out stays as it is.
pub struct UserScopeEdit {
    pub region: Patch<String>,
    pub department: Patch<String>,
}

/// Changes the role of a user, from the user's next request on.
pub fn change_role(id: Uuid, expected_version: i32, role: UserRole) -> UseCase<Uuid> {
    UseCase::new(&action::CHANGE_USER_ROLE, move |c| {
        Box::pin(async move {
            let user = rights::managed(c, id, expected_version).await?;
            rights::may_give(c, &role, &user.permissions, Some(&user))?;
            rights::may_take(c, &user, &role)?;
            rights::keep_a_manager(c, &user, Some(&role)).await?;
            c.update(user, |user| user.role = Set(role)).await?;
            Ok(id)
        })
    })
}

/// Replaces the permissions that a user is granted beyond its role, from the user's next request on.
pub fn change_permissions(id: Uuid, expected_version: i32, permissions: Vec<String>) -> UseCase<Uuid> {
    UseCase::new(&action::CHANGE_USER_PERMISSIONS, move |c| {
        Box::pin(async move {
            let granted = rights::permissions("permissions", permissions)?;
            let user = rights::managed(c, id, expected_version).await?;
            rights::may_give(c, &user.role, &granted, Some(&user))?;
            c.update(user, |user| user.permissions = Set(granted)).await?;
            Ok(id)
        })
    })
}

/// Changes the region and the department that a user is confined to, from the user's next request on.
pub fn change_scope(id: Uuid, expected_version: i32, input: UserScopeEdit) -> UseCase<Uuid> {
    UseCase::new(&action::CHANGE_USER_SCOPE, move |c| {
        Box::pin(async move {
            let region = rights::region(c, "input.region", input.region).await?;
            let department = rights::department(c, "input.department", input.department).await?;
            let user = rights::managed(c, id, expected_version).await?;
            let (new_region, new_department) = (after(&user.region, &region), after(&user.department, &department));
            rights::may_open(c, new_region, new_department)?;
            c.update(user, |user| {
                patch(&mut user.region, region);
                patch(&mut user.department, department);
            })
            .await?;
            Ok(id)
        })
    })
}

/// Deactivates a user: all sessions end at once, open invitations are withdrawn, and the user cannot sign in any more.
pub fn deactivate(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::DEACTIVATE_USER, move |c| {
        Box::pin(async move {
            reason.note(c)?;
            let user = rights::managed(c, id, expected_version).await?;
            if user.id == c.actor().user_id {
                return Err(Error::Precondition(
                    "You cannot deactivate yourself. Ask another who manages users.".into(),
                ));
            }
            if user.status == UserStatus::Inactive {
                return Err(Error::Precondition("The user is not active already.".into()));
            }
            rights::keep_a_manager(c, &user, None).await?;
            c.about::<users::Entity>(id);
            withdraw_invitations(c, id).await?;
            let ended = end_sessions(c, id, None).await?;
            c.note("sessionsEnded", ended);
            c.update(user, |user| user.status = Set(UserStatus::Inactive)).await?;
            Ok(id)
        })
    })
}

/// Lets a deactivated or locked user sign in again.
pub fn reactivate(id: Uuid, expected_version: i32) -> UseCase<Uuid> {
    UseCase::new(&action::REACTIVATE_USER, move |c| {
        Box::pin(async move {
            let user = rights::managed(c, id, expected_version).await?;
            let locked_for_a_while = user.locked_until.is_some_and(|until| until > c.now());
            match user.status {
                UserStatus::Pending => {
                    return Err(Error::Precondition(
                        "The user has not accepted the invitation yet. Invite the user anew.".into(),
                    ));
                }
                UserStatus::Active if !locked_for_a_while => {
                    return Err(Error::Precondition("The user is active already.".into()));
                }
                UserStatus::Active | UserStatus::Inactive | UserStatus::Locked => {}
            }
            let joined = user.password_hash.is_some() || user.identity_provider.is_some();
            c.update(user, |user| {
                user.status = Set(if joined { UserStatus::Active } else { UserStatus::Pending });
                user.failed_login_attempts = Set(0);
                user.locked_until = Set(None);
            })
            .await?;
            Ok(id)
        })
    })
}

/// What a patch leaves in a column.
fn after<'a>(before: &'a Option<String>, patch: &'a Patch<String>) -> Option<&'a str> {
    match patch {
        Patch::Absent => before.as_deref(),
        Patch::Null => None,
        Patch::Value(value) => Some(value),
    }
}

/// Ends the open sessions of a user but for one, and tells how many.
pub(super) async fn end_sessions(c: &Change, user: Uuid, but: Option<Uuid>) -> Result<usize> {
    let open = user_sessions::Entity::find()
        .filter(user_sessions::Column::UserId.eq(user))
        .filter(user_sessions::Column::RevokedAt.is_null())
        .filter(user_sessions::Column::ExpiresAt.gt(c.now()));
    let open: Vec<Uuid> =
        c.all(open).await?.into_iter().map(|session| session.id).filter(|id| Some(*id) != but).collect();
    c.end_sessions(&open).await?;
    Ok(open.len())
}

/// Takes back the invitations of a user that are still open.
pub(super) async fn withdraw_invitations(c: &Change, user: Uuid) -> Result<()> {
    let open = user_invitations::Entity::find()
        .filter(user_invitations::Column::UserId.eq(user))
        .filter(user_invitations::Column::AcceptedAt.is_null());
    for invitation in c.all(open).await? {
        c.delete(invitation).await?;
    }
    Ok(())
}
