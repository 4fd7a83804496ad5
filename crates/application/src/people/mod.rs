//! The people domain: the organization, its users, their rights and their sessions.

mod document;
pub mod founding;
pub mod invitations;
pub mod mfa;
pub mod organization;
pub mod profile;
mod rights;
mod time_zone;
pub mod users;
