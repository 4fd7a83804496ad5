//! Users as those who manage them change them: role, permissions, scope, and whether they may sign in at all.

use aether_entity::{
    sea_orm_active_enums::{UserRole, UserStatus},
    user_invitations, user_sessions, users,
};
use aether_store::{
    Error,
    write::{Change, action},
};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::rights;
use crate::{
    change::change,
    graph::Row,
    input::{Choice, patch},
};

/// What changes in the scope of a user: what is left out stays as it is.
#[derive(InputObject)]
struct UserScopePatch {
    /// The region that the user is confined to, such as `Europe`; null lets the user see every region.
    region: MaybeUndefined<String>,
    /// The name of the department that the user is confined to, with all below it; null lets the user see every one.
    department: MaybeUndefined<String>,
}

/// Managing users.
#[derive(Default)]
pub(crate) struct UserMutation;

#[Object]
impl UserMutation {
    /// Changes the role of a user, from the user's next request on. Nobody can give a role with permissions that they do not
    /// hold themselves, and the last active CFO or administrator stays one.
    async fn change_user_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] id: Uuid,
        #[graphql(desc = "The version of the user that you saw.")] expected_version: i32,
        #[graphql(desc = "The new role.")] role: Choice<UserRole>,
    ) -> Result<Row<users::Entity>> {
        change(ctx, &action::CHANGE_USER_ROLE, |c| async move {
            let user = rights::managed(&c, id, expected_version).await?;
            rights::may_give(&c, &role, &user.permissions, Some(&user))?;
            rights::keep_a_manager(&c, &user, Some(&role)).await?;
            c.update(user, |user| user.role = Set(role.0)).await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Replaces the permissions that a user is granted beyond its role, from the user's next request on. Nobody can grant what
    /// they do not hold themselves.
    async fn change_user_permissions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] id: Uuid,
        #[graphql(desc = "The version of the user that you saw.")] expected_version: i32,
        #[graphql(
            desc = "All that is granted from now on, such as `[\"audit:read\"]`; an empty list takes every grant back."
        )]
        permissions: Vec<String>,
    ) -> Result<Row<users::Entity>> {
        change(ctx, &action::CHANGE_USER_PERMISSIONS, |c| async move {
            let granted = rights::permissions("permissions", permissions)?;
            let user = rights::managed(&c, id, expected_version).await?;
            rights::may_give(&c, &user.role, &granted, Some(&user))?;
            c.update(user, |user| user.permissions = Set(granted)).await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Changes the region and the department that a user is confined to, from the user's next request on. CFOs and
    /// administrators see everything whatever is set.
    async fn change_user_scope(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] id: Uuid,
        #[graphql(desc = "The version of the user that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: UserScopePatch,
    ) -> Result<Row<users::Entity>> {
        change(ctx, &action::CHANGE_USER_SCOPE, |c| async move {
            let region = rights::region(&c, "input.region", input.region).await?;
            let department = rights::department(&c, "input.department", input.department).await?;
            let user = rights::managed(&c, id, expected_version).await?;
            let (new_region, new_department) = (after(&user.region, &region), after(&user.department, &department));
            rights::may_open(&c, new_region, new_department)?;
            c.update(user, |user| {
                patch(&mut user.region, region);
                patch(&mut user.department, department);
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Deactivates a user: all sessions end at once, open invitations are withdrawn, and the user cannot sign in any more. Not
    /// oneself, and not the last active CFO or administrator.
    async fn deactivate_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] id: Uuid,
        #[graphql(desc = "The version of the user that you saw.")] expected_version: i32,
        #[graphql(desc = "Why.")] reason: Option<String>,
    ) -> Result<Row<users::Entity>> {
        change(ctx, &action::DEACTIVATE_USER, |c| async move {
            c.reason(reason.as_deref(), None);
            let user = rights::managed(&c, id, expected_version).await?;
            if user.id == c.actor().user_id {
                return Err(Error::Precondition(
                    "You cannot deactivate yourself. Ask another who manages users.".into(),
                ));
            }
            if user.status == UserStatus::Inactive {
                return Err(Error::Precondition("The user is not active already.".into()));
            }
            rights::keep_a_manager(&c, &user, None).await?;
            c.about::<users::Entity>(id);
            withdraw_invitations(&c, id).await?;
            let ended = end_sessions(&c, id, None).await?;
            c.note("sessionsEnded", ended);
            c.update(user, |user| user.status = Set(UserStatus::Inactive)).await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Lets a deactivated or locked user sign in again. One who never chose a password is pending again: invite the user anew.
    async fn reactivate_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] id: Uuid,
        #[graphql(desc = "The version of the user that you saw.")] expected_version: i32,
    ) -> Result<Row<users::Entity>> {
        change(ctx, &action::REACTIVATE_USER, |c| async move {
            let user = rights::managed(&c, id, expected_version).await?;
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
            Ok(Row::new(id))
        })
        .await
    }
}

/// What a patch leaves in a column.
fn after<'a>(before: &'a Option<String>, patch: &'a MaybeUndefined<String>) -> Option<&'a str> {
    match patch {
        MaybeUndefined::Undefined => before.as_deref(),
        MaybeUndefined::Null => None,
        MaybeUndefined::Value(value) => Some(value),
    }
}

/// Ends the open sessions of a user but for one, and tells how many.
pub(super) async fn end_sessions(c: &Change, user: Uuid, but: Option<Uuid>) -> aether_store::Result<usize> {
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
pub(super) async fn withdraw_invitations(c: &Change, user: Uuid) -> aether_store::Result<()> {
    let open = user_invitations::Entity::find()
        .filter(user_invitations::Column::UserId.eq(user))
        .filter(user_invitations::Column::AcceptedAt.is_null());
    for invitation in c.all(open).await? {
        c.delete(invitation).await?;
    }
    Ok(())
}
