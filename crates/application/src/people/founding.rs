//! An organization with its first administrator: what the command line makes, for there is nobody yet who could be asked.

use aether_domain::entry::{is_email, is_slug};
use aether_entity::{
    organizations,
    sea_orm_active_enums::{UserRole, UserStatus},
    user_invitations, users,
};
use aether_store::{
    Error, Result, Store,
    encryption::Encryption,
    identity::{invitation::GOOD_FOR, new_password, token},
    write::{UseCase, action},
};
use chrono::{DateTime, FixedOffset};
use sea_orm::Set;
use uuid::Uuid;

use crate::check::text;

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

/// Makes an organization and its administrator, told in the organization's audit log as done by the system.
///
/// # Errors
/// [`Error::Invalid`] and [`Error::Taken`] by the name of the field.
pub async fn found(store: &Store, founding: Founding, encryption: &Encryption) -> Result<Founded> {
    let name = text("name", &founding.name, 255)?;
    let admin_name = text("admin_name", &founding.admin_name, 255)?;
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
    let organization =
        organizations::ActiveModel { id: Set(id), name: Set(name), slug: Set(slug), ..Default::default() };
    let admin = users::ActiveModel {
        organization_id: Set(id),
        email: Set(email),
        name: Set(admin_name),
        role: Set(UserRole::Admin),
        status: Set(if password_hash.is_some() { UserStatus::Active } else { UserStatus::Pending }),
        password_hash: Set(password_hash),
        ..Default::default()
    };
    store.run_as_system(id, encryption, create(organization, admin)).await
}

/// Writes both; a pending administrator is invited.
fn create(organization: organizations::ActiveModel, admin: users::ActiveModel) -> UseCase<Founded> {
    UseCase::new(&action::CREATE_ORGANIZATION, move |c| {
        Box::pin(async move {
            let slug = organization.slug.as_ref().clone();
            let organization = c.insert(organization).await.map_err(|error| match error {
                Error::Taken { .. } => Error::Taken {
                    field: "slug".into(),
                    message: format!("There is an organization with the slug {slug} already. Nothing was changed."),
                },
                error => error,
            })?;
            let admin = c.insert(admin).await?;
            let mut invitation = None;
            if admin.status == UserStatus::Pending {
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
            Ok(Founded { organization_id: organization.id, admin_id: admin.id, invitation })
        })
    })
}
