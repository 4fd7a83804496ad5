//! Who is invited to a workspace: users of other organizations, too, whom the actor does not see.

#![expect(
    clippy::disallowed_methods,
    reason = "who is to be invited may be of another organization, whose users the actor does not see"
)]

use aether_store::{Result, sql::Sql, write::Change};
use uuid::Uuid;

/// Who is to be invited, of whatever organization.
#[derive(Debug, Clone)]
pub(super) enum Invitee {
    /// The user with this id.
    User(Uuid),
    /// The user with this address in the organization with this slug.
    Account {
        /// E-mail address, in any case.
        email: String,
        /// Slug of the organization.
        organization: String,
    },
}

/// The user, if it can act: it and its organization are active.
pub(super) async fn find(c: &Change, who: &Invitee) -> Result<Option<Uuid>> {
    let mut sql = Sql::new();
    sql.push(
        "SELECT u.id FROM users u JOIN organizations o ON o.id = u.organization_id \
         WHERE u.status = 'active' AND u.deleted_at IS NULL \
         AND o.subscription_status = 'active' AND o.deleted_at IS NULL AND ",
    );
    match who {
        Invitee::User(id) => sql.push("u.id = ").uuid(*id),
        Invitee::Account { email, organization } => {
            sql.push("lower(u.email) = lower(").text(email.trim()).push(") AND o.slug = ").text(organization.trim())
        }
    };
    let found = c.run_sql(&sql).await?;
    Ok(found.first().map(|row| row.try_get_by_index(0)).transpose()?)
}
