//! Invitations: how somebody becomes a user of the organization.

use aether_domain::entry::is_email;
use aether_entity::{
    organizations,
    sea_orm_active_enums::{UserRole, UserStatus},
    user_invitations, users,
};
use aether_store::{
    Error, Result,
    identity::{invitation::GOOD_FOR, token},
    write::{UseCase, action},
};
use chrono::{DateTime, FixedOffset};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set, prelude::Expr, sea_query::LockType};
use uuid::Uuid;

use super::{rights, users::withdraw_invitations};
use crate::{check::text, patch::Patch};

/// Somebody to invite.
pub struct NewUser {
    pub email: String,
    pub name: String,
    pub role: UserRole,
    pub region: Option<String>,
    pub department: Option<String>,
    pub permissions: Vec<String>,
}

/// An invitation to pass on.
pub struct Invitation {
    /// Who is invited.
    pub user_id: Uuid,
    /// What the invitation is accepted with; only its hash is kept.
    pub token: String,
    pub expires_at: DateTime<FixedOffset>,
}

/// Invites somebody to the organization and answers with the token to pass on, good for seven days.
pub fn invite(input: NewUser) -> UseCase<Invitation> {
    UseCase::new(&action::INVITE_USER, move |c| {
        Box::pin(async move {
            let email = email("input.email", &input.email)?;
            let name = text("input.name", &input.name, 255)?;
            let role = input.role;
            let granted = rights::permissions("input.permissions", input.permissions)?;
            let given = |value: Option<String>| value.map_or(Patch::Null, Patch::Value);
            let region = rights::region(c, "input.region", given(input.region)).await?.take();
            let department = rights::department(c, "input.department", given(input.department)).await?.take();
            // One who is pending may have been given more than this actor holds, and the token would be all it takes.
            let is_first =
                granted.as_array().is_some_and(Vec::is_empty) && rights::may_invite_first_cfo(c, &role).await?;
            if !is_first {
                rights::may_give(c, &role, &granted, None)?;
            }
            rights::may_open(c, region.as_deref(), department.as_deref())?;
            let organization = c.find::<organizations::Entity>(c.actor().organization_id).await?;
            let known = users::Entity::find()
                .filter(users::Column::OrganizationId.eq(organization.id))
                .filter(Expr::cust_with_values("lower(users.email) = lower($1)", [email.clone()]))
                .lock(LockType::NoKeyUpdate);
            let user = match c.one(known).await? {
                Some(user) if user.status == UserStatus::Pending => {
                    withdraw_invitations(c, user.id).await?;
                    c.update(user, |user| {
                        user.name = Set(name);
                        user.role = Set(role);
                        user.permissions = Set(granted);
                        user.region = Set(region);
                        user.department = Set(department);
                    })
                    .await?
                }
                Some(user) => {
                    return Err(Error::Taken {
                        field: "input.email".into(),
                        message: match user.status {
                            UserStatus::Inactive => {
                                "There is a deactivated user with this e-mail address. Reactivate the user instead."
                            }
                            _ => "There is a user with this e-mail address already. Choose another.",
                        }
                        .into(),
                    });
                }
                None => {
                    c.insert(users::ActiveModel {
                        organization_id: Set(organization.id),
                        email: Set(email),
                        name: Set(name),
                        role: Set(role),
                        permissions: Set(granted),
                        region: Set(region),
                        department: Set(department),
                        status: Set(UserStatus::Pending),
                        ..Default::default()
                    })
                    .await?
                }
            };
            c.about::<users::Entity>(user.id);
            let (token, token_hash) = token::one_time()?;
            let expires_at = c.now() + GOOD_FOR;
            c.insert(user_invitations::ActiveModel {
                user_id: Set(user.id),
                token_hash: Set(token_hash),
                invited_by: Set(Some(c.actor().user_id)),
                created_at: Set(c.now()),
                expires_at: Set(expires_at),
                ..Default::default()
            })
            .await?;
            Ok(Invitation { user_id: user.id, token, expires_at })
        })
    })
}

/// An e-mail address such as the database takes.
fn email(field: &str, value: &str) -> Result<String> {
    let value = text(field, value, 255)?;
    match is_email(&value) {
        true => Ok(value),
        false => Err(Error::invalid(field, "This is no e-mail address. Give one such as name@example.com.")),
    }
}
