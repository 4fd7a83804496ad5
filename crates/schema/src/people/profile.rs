//! Oneself: name, picture and preferences, the password, and where one is signed in.

use aether_entity::{user_sessions, users};
use aether_store::{Error, session, write::action};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use sea_orm::Set;
use serde_json::Value;
use uuid::Uuid;

use super::{
    document::{object, picture, put, put_within},
    users::end_sessions,
};
use crate::{
    auth::prove,
    change::change,
    error::Failure,
    graph::Row,
    input::{patch, patch_text, set, text},
};

const THEMES: [&str; 2] = ["light", "dark"];

/// What changes in one's own profile: what is left out stays as it is.
#[derive(InputObject)]
struct ProfilePatch {
    /// Full name.
    name: Option<String>,
    /// Address of a picture, beginning with `https://`; null removes it.
    avatar_url: MaybeUndefined<String>,
    /// Preferences; null resets them all.
    preferences: MaybeUndefined<UserPreferencesPatch>,
}

/// What changes in the preferences of a user: what is left out stays as it is, null resets.
#[derive(InputObject)]
struct UserPreferencesPatch {
    /// The colour theme: `light` or `dark`.
    theme: MaybeUndefined<String>,
    /// The name of the dashboard layout.
    dashboard_layout: MaybeUndefined<String>,
    /// What the user is notified of, and how.
    notifications: MaybeUndefined<NotificationPreferencesPatch>,
    /// The filters that dashboards open with.
    default_filters: MaybeUndefined<DefaultFiltersPatch>,
}

/// What changes in what a user is notified of.
#[derive(InputObject)]
struct NotificationPreferencesPatch {
    /// Whether by e-mail.
    email: MaybeUndefined<bool>,
    /// Whether inside the product.
    in_app: MaybeUndefined<bool>,
    /// Whether of new anomalies.
    anomaly_alerts: MaybeUndefined<bool>,
}

/// What changes in the filters that dashboards open with.
#[derive(InputObject)]
struct DefaultFiltersPatch {
    /// The region; null for all.
    region: MaybeUndefined<String>,
    /// The span of time, such as `last_30_days`.
    date_range: MaybeUndefined<String>,
}

/// One's own profile, password and sessions.
#[derive(Default)]
pub(crate) struct ProfileMutation;

#[Object]
impl ProfileMutation {
    /// Edits one's own profile and preferences.
    async fn edit_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version of your user that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: ProfilePatch,
    ) -> Result<Row<users::Entity>> {
        change(ctx, &action::EDIT_PROFILE, |c| async move {
            let name = input.name.map(|name| text("input.name", &name, 255)).transpose()?;
            let avatar = picture("input.avatarUrl", input.avatar_url)?;
            let user = c.edit::<users::Entity>(c.actor().user_id, expected_version).await?;
            let preferences = match input.preferences {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(Value::Object(Default::default())),
                MaybeUndefined::Value(patch) => Some(preferences(&user.preferences, patch)?),
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
            Ok(Row::new(id))
        })
        .await
    }

    /// Changes one's own password, and ends all other sessions. A wrong current password counts as a failed sign-in does. It
    /// cannot be part of a `@transaction`.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password until now.", secret)] current: String,
        #[graphql(
            desc = "The password from now on: 12 to 200 characters, not the name or e-mail address, and not the one until now.",
            secret
        )]
        new: String,
    ) -> Result<Row<users::Entity>> {
        let same = current == new;
        let (actor, proof) = prove(ctx, "current", current, None).await?;
        if same {
            let refused = Error::invalid("new", "This is the password that you have. Choose another.");
            return Err(Failure(refused).into());
        }
        // Takes long, so no transaction waits for it.
        let hash = session::new_password("new", new, &actor.email, &actor.name).await.map_err(Failure)?;
        change(ctx, &action::CHANGE_PASSWORD, |c| async move {
            let user = c.find::<users::Entity>(c.actor().user_id).await?;
            proof.holds(&user)?;
            let id = user.id;
            c.about::<users::Entity>(id);
            let ended = end_sessions(&c, id, Some(c.actor().session_id)).await?;
            c.note("sessionsEnded", ended);
            c.update(user, |user| user.password_hash = Set(Some(hash))).await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Ends one of one's other sessions, such as that of a lost device; `logout` ends the one in use. `me { user { sessions { … } } }` lists them.
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session.")] id: Uuid,
    ) -> Result<Row<user_sessions::Entity>> {
        change(ctx, &action::REVOKE_SESSION, |c| async move {
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
            Ok(Row::new(id))
        })
        .await
    }
}

/// The preferences with what changes.
fn preferences(before: &Value, patch: UserPreferencesPatch) -> aether_store::Result<Value> {
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
