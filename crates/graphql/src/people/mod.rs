//! People: users and what they may do, how they sign in, and the organization that they belong to.

mod invitations;
mod mfa;
mod organization;
mod profile;
mod users;

use async_graphql::MergedObject;

/// Users, second factors, profiles and the organization.
#[derive(MergedObject, Default)]
pub(crate) struct PeopleMutation(
    users::UserMutation,
    invitations::InvitationMutation,
    profile::ProfileMutation,
    mfa::MfaMutation,
    organization::OrganizationMutation,
);
