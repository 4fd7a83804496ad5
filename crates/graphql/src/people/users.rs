//! Users as those who manage them change them: role, permissions, scope, and whether they may sign in at all.

use aether_application::people::users;
use aether_entity::{self as entity, sea_orm_active_enums::UserRole};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use uuid::Uuid;

use crate::{
    input::{Choice, Plain, plain, why},
    rows::Row,
    run::run,
};

/// What changes in the scope of a user: what is left out stays as it is.
#[derive(InputObject)]
struct UserScopePatch {
    /// The region that the user is confined to, such as `Europe`; null lets the user see every region.
    region: MaybeUndefined<String>,
    /// The name of the department that the user is confined to, with all below it; null lets the user see every one.
    department: MaybeUndefined<String>,
}

plain!(UserScopePatch as users::UserScopeEdit { region, department });

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
    ) -> Result<Row<entity::users::Entity>> {
        let id = run(ctx, users::change_role(id, expected_version, role.plain())).await?;
        Ok(Row::new(id))
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
    ) -> Result<Row<entity::users::Entity>> {
        let id = run(ctx, users::change_permissions(id, expected_version, permissions)).await?;
        Ok(Row::new(id))
    }

    /// Changes the region and the department that a user is confined to, from the user's next request on. CFOs and
    /// administrators see everything whatever is set.
    async fn change_user_scope(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] id: Uuid,
        #[graphql(desc = "The version of the user that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: UserScopePatch,
    ) -> Result<Row<entity::users::Entity>> {
        let id = run(ctx, users::change_scope(id, expected_version, input.plain())).await?;
        Ok(Row::new(id))
    }

    /// Deactivates a user: all sessions end at once, open invitations are withdrawn, and the user cannot sign in any more. Not
    /// oneself, and not the last active CFO or administrator.
    async fn deactivate_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] id: Uuid,
        #[graphql(desc = "The version of the user that you saw.")] expected_version: i32,
        #[graphql(desc = "Why.")] reason: Option<String>,
    ) -> Result<Row<entity::users::Entity>> {
        let id = run(ctx, users::deactivate(id, expected_version, why(reason, None))).await?;
        Ok(Row::new(id))
    }

    /// Lets a deactivated or locked user sign in again. One who never chose a password is pending again: invite the user anew.
    async fn reactivate_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user.")] id: Uuid,
        #[graphql(desc = "The version of the user that you saw.")] expected_version: i32,
    ) -> Result<Row<entity::users::Entity>> {
        let id = run(ctx, users::reactivate(id, expected_version)).await?;
        Ok(Row::new(id))
    }
}
