//! The integrations domain: what is connected to the organization, and what is synchronized from there.

pub mod configuration;
pub mod synchronization;
pub mod syncs;
