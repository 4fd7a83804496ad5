//! Oneself: name, picture and preferences, the password, and where one is signed in.

use aether_application::people::profile;
use aether_entity as entity;
use aether_store::{Error, identity};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result};
use uuid::Uuid;

use crate::{
    auth::prove,
    error::Failure,
    input::{Plain, plain},
    rows::Row,
    run::run,
};

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

plain!(ProfilePatch as profile::ProfileEdit { name, avatar_url, preferences });

plain!(UserPreferencesPatch as profile::UserPreferencesEdit { theme, dashboard_layout, notifications, default_filters });

plain!(NotificationPreferencesPatch as profile::NotificationPreferencesEdit { email, in_app, anomaly_alerts });

plain!(DefaultFiltersPatch as profile::DefaultFiltersEdit { region, date_range });

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
    ) -> Result<Row<entity::users::Entity>> {
        let id = run(ctx, profile::edit(expected_version, input.plain())).await?;
        Ok(Row::new(id))
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
    ) -> Result<Row<entity::users::Entity>> {
        let same = current == new;
        let (actor, proof) = prove(ctx, "current", current, None).await?;
        if same {
            let refused = Error::invalid("new", "This is the password that you have. Choose another.");
            return Err(Failure(refused).into());
        }
        // Takes long, so no transaction waits for it.
        let hash = identity::new_password("new", new, &actor.email, &actor.name).await.map_err(Failure)?;
        let id = run(ctx, profile::change_password(proof, hash)).await?;
        Ok(Row::new(id))
    }

    /// Ends one of one's other sessions, such as that of a lost device; `logout` ends the one in use. `me { user { sessions { … } } }` lists them.
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session.")] id: Uuid,
    ) -> Result<Row<entity::user_sessions::Entity>> {
        let id = run(ctx, profile::revoke_session(id)).await?;
        Ok(Row::new(id))
    }
}
