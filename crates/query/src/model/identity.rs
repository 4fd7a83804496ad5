//! Organizations, users and their sessions.

use super::{Entity, entity, shapes};
use crate::model::{Mask, Scope};

pub(super) fn entities() -> Vec<Entity> {
    vec![
        entity("organizations", "Organization", "organizations", Scope::Organizations)
            .order(&["name"])
            .shape("settings", &shapes::ORGANIZATION_SETTINGS)
            .mask(Mask::SameOrganization("id"), &["settings", "subscription_tier", "subscription_status"]),
        entity("users", "User", "users", Scope::Users)
            .order(&["name"])
            .shape("permissions", &shapes::PERMISSIONS)
            .shape("preferences", &shapes::USER_PREFERENCES)
            .mask(Mask::SameOrganization("organization_id"), &["role", "region", "department", "status"])
            .mask(
                Mask::SelfOrManager,
                &[
                    "permissions",
                    "preferences",
                    "mfa_enabled",
                    "last_login_at",
                    "failed_login_attempts",
                    "locked_until",
                    "external_id",
                    "identity_provider",
                ],
            )
            .refers("organization_id", "organization", "users"),
        entity("user_sessions", "UserSession", "userSessions", Scope::Sessions)
            .order(&["-created_at"])
            .shape("device_info", &shapes::DEVICE_INFO)
            .refers("user_id", "user", "sessions"),
        entity("refresh_tokens", "RefreshToken", "refreshTokens", Scope::Via("session_id"))
            .order(&["-created_at"])
            .refers("session_id", "session", "refreshTokens")
            .refers("replaced_by_id", "replacedBy", "replaces"),
    ]
}
