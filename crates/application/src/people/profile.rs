//! Oneself: name, picture and preferences, the password, and where one is signed in.

use aether_entity::{user_sessions, users};
use aether_store::{
    Error, Result,
    identity::Proof,
    write::{UseCase, action},
};
use sea_orm::Set;
use serde_json::Value;
use uuid::Uuid;

use super::{
    document::{object, picture, put, put_within},
    users::end_sessions,
};
use crate::{
    check::{patch_text, text},
    patch::{Patch, patch, set},
};

const THEMES: [&str; 2] = ["light", "dark"];

/// What changes in one's own profile: what is left out stays as it is.
pub struct ProfileEdit {
    pub name: Option<String>,
    pub avatar_url: Patch<String>,
    pub preferences: Patch<UserPreferencesEdit>,
}

/// What changes in the preferences of a user: what is left out stays as it is, null resets.
pub struct UserPreferencesEdit {
    pub theme: Patch<String>,
    pub dashboard_layout: Patch<String>,
    pub notifications: Patch<NotificationPreferencesEdit>,
    pub default_filters: Patch<DefaultFiltersEdit>,
}

/// What changes in what a user is notified of.
pub struct NotificationPreferencesEdit {
    pub email: Patch<bool>,
    pub in_app: Patch<bool>,
    pub anomaly_alerts: Patch<bool>,
}

/// What changes in the filters that dashboards open with.
pub struct DefaultFiltersEdit {
    pub region: Patch<String>,
    pub date_range: Patch<String>,
}

/// Edits one's own profile and preferences.
pub fn edit(expected_version: i32, input: ProfileEdit) -> UseCase<Uuid> {
    UseCase::new(&action::EDIT_PROFILE, move |c| {
        Box::pin(async move {
            let name = input.name.map(|name| text("input.name", &name, 255)).transpose()?;
            let avatar = picture("input.avatarUrl", input.avatar_url)?;
            let user = c.edit::<users::Entity>(c.actor().user_id, expected_version).await?;
            let preferences = match input.preferences {
                Patch::Absent => None,
                Patch::Null => Some(Value::Object(Default::default())),
                Patch::Value(patch) => Some(preferences(&user.preferences, patch)?),
            };
            let id = user.id;
            c.update(user, |user| {
                set(&mut user.name, name);
                patch(&mut user.avatar_url, avatar);
                if let Some(preferences) = preferences {
                    user.preferences = Set(preferences);
                }
            })
            .await?;
            Ok(id)
        })
    })
}

/// Changes one's own password to one of this hash, and ends all other sessions.
pub fn change_password(proof: Proof, hash: String) -> UseCase<Uuid> {
    UseCase::new(&action::CHANGE_PASSWORD, move |c| {
        Box::pin(async move {
            let user = c.find::<users::Entity>(c.actor().user_id).await?;
            proof.holds(&user)?;
            let id = user.id;
            c.about::<users::Entity>(id);
            let ended = end_sessions(c, id, Some(c.actor().session_id)).await?;
            c.note("sessionsEnded", ended);
            c.update(user, |user| user.password_hash = Set(Some(hash))).await?;
            Ok(id)
        })
    })
}

/// Ends one of one's other sessions, such as that of a lost device; `logout` ends the one in use.
pub fn revoke_session(id: Uuid) -> UseCase<Uuid> {
    UseCase::new(&action::REVOKE_SESSION, move |c| {
        Box::pin(async move {
            let session = c.find::<user_sessions::Entity>(id).await?;
            // Those who manage users see the others' sessions as well.
            if session.user_id != c.actor().user_id {
                return Err(Error::NotFound("There is no user session with this id among yours.".into()));
            }
            if session.id == c.actor().session_id {
                return Err(Error::Precondition("This is the session that you use now. End it with logout.".into()));
            }
            if session.revoked_at.is_some() || session.expires_at <= c.now() {
                return Err(Error::Precondition("The session has ended already.".into()));
            }
            c.update(session, |session| session.revoked_at = Set(Some(c.now()))).await?;
            c.end_sessions(&[id]).await?;
            Ok(id)
        })
    })
}

/// The preferences with what changes.
fn preferences(before: &Value, patch: UserPreferencesEdit) -> Result<Value> {
    let field = |name: &str| format!("input.preferences.{name}");
    let mut preferences = object(before);
    if patch.theme.value().is_some_and(|theme| !THEMES.contains(&theme.as_str())) {
        return Err(Error::invalid(field("theme"), format!("A theme is one of: {}.", THEMES.join(", "))));
    }
    put(&mut preferences, "theme", patch.theme);
    let layout = patch_text(&field("dashboardLayout"), patch.dashboard_layout, 100)?;
    put(&mut preferences, "dashboardLayout", layout);
    put_within(&mut preferences, "notifications", patch.notifications, |inner, patch| {
        put(inner, "email", patch.email);
        put(inner, "inApp", patch.in_app);
        put(inner, "anomalyAlerts", patch.anomaly_alerts);
        Ok(())
    })?;
    put_within(&mut preferences, "defaultFilters", patch.default_filters, |inner, patch| {
        put(inner, "region", patch_text(&field("defaultFilters.region"), patch.region, 50)?);
        put(inner, "dateRange", patch_text(&field("defaultFilters.dateRange"), patch.date_range, 50)?);
        Ok(())
    })?;
    Ok(Value::Object(preferences))
}
