//! An organization with its first administrator: what the command line makes, for there is nobody yet who could be asked.

use aether_domain::entry::{Lines, is_email, is_slug};
use aether_entity::{
    organizations,
    sea_orm_active_enums::{UserRole, UserStatus},
    user_invitations, users,
};
use chrono::{DateTime, FixedOffset};
use sea_orm::Set;
use uuid::Uuid;

use super::{
    action,
    entries::check_text,
    session::{invitation::GOOD_FOR, new_password},
};
use crate::{
    Store,
    error::{Error, Result},
    seal::Sealer,
    token,
};

/// An organization to make.
pub struct Founding {
    /// Its name.
    pub name: String,
    /// Its short name, unique among all.
    pub slug: String,
    /// The e-mail address of its administrator.
    pub admin_email: String,
    /// The administrator's name.
    pub admin_name: String,
    /// The administrator's password; without one there is an invitation to choose one.
    pub password: Option<String>,
}

/// An organization that was made.
pub struct Founded {
    /// The organization.
    pub organization_id: Uuid,
    /// Its administrator.
    pub admin_id: Uuid,
    /// The token with which the administrator accepts the invitation, and until when; none where a password was given.
    pub invitation: Option<(String, DateTime<FixedOffset>)>,
}

impl Store {
    /// Makes an organization and its administrator, told in the organization's audit log as done by the system.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Taken`] by the name of the field.
    pub async fn found(&self, founding: Founding, sealer: &Sealer) -> Result<Founded> {
        let name = named("name", &founding.name)?;
        let admin_name = named("admin_name", &founding.admin_name)?;
        let (slug, email) = (founding.slug, founding.admin_email);
        if !is_slug(&slug) {
            return Err(Error::invalid(
                "slug",
                "A slug has lower-case letters and digits, with single hyphens between them, and 100 characters at most, such as \
                 acme-bank.",
            ));
        }
        if !is_email(&email) || email.len() > 255 {
            return Err(Error::invalid("admin_email", "This is no e-mail address. Give one such as name@example.com."));
        }
        let password_hash = match founding.password {
            Some(password) => Some(new_password("password", password, &email, &admin_name).await?),
            None => None,
        };
        let id = Uuid::now_v7();
        self.system_change(id, &action::CREATE_ORGANIZATION, sealer, |c| async move {
            let organization = organizations::ActiveModel {
                id: Set(id),
                name: Set(name),
                slug: Set(slug.clone()),
                ..Default::default()
            };
            c.insert(organization).await.map_err(|error| match error {
                Error::Taken { .. } => Error::Taken {
                    field: "slug".into(),
                    message: format!("There is an organization with the slug {slug} already. Nothing was changed."),
                },
                error => error,
            })?;
            let status = if password_hash.is_some() { UserStatus::Active } else { UserStatus::Pending };
            let invited = password_hash.is_none();
            let admin = c
                .insert(users::ActiveModel {
                    organization_id: Set(id),
                    email: Set(email),
                    name: Set(admin_name),
                    role: Set(UserRole::Admin),
                    status: Set(status),
                    password_hash: Set(password_hash),
                    ..Default::default()
                })
                .await?;
            let mut invitation = None;
            if invited {
                let (token, token_hash) = token::one_time()?;
                let expires_at = c.now() + GOOD_FOR;
                c.insert(user_invitations::ActiveModel {
                    user_id: Set(admin.id),
                    token_hash: Set(token_hash),
                    created_at: Set(c.now()),
                    expires_at: Set(expires_at),
                    ..Default::default()
                })
                .await?;
                invitation = Some((token, expires_at));
            }
            Ok(Founded { organization_id: id, admin_id: admin.id, invitation })
        })
        .await
    }
}

/// A name: something, in one line of at most 255 characters.
fn named(field: &str, value: &str) -> Result<String> {
    let value = value.trim();
    if value.is_empty() {
        return Err(Error::invalid(field, "This must not be empty."));
    }
    if value.chars().count() > 255 {
        return Err(Error::invalid(field, "This must have at most 255 characters."));
    }
    check_text(field, value, Lines::One)?;
    Ok(value.to_owned())
}
