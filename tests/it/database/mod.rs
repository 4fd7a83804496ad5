//! What the database guarantees, and how it comes to be.

pub mod guarantees;
pub mod migrations;
