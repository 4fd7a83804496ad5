//! Where a request comes from.

use std::net::IpAddr;

use uuid::Uuid;

/// Where a request comes from, for the session and the audit log.
#[derive(Debug, Clone)]
pub struct Client {
    /// The peer's address.
    pub address: Option<IpAddr>,
    /// `User-Agent`
    pub user_agent: Option<String>,
    /// What the device says of itself.
    pub device: Option<serde_json::Value>,
    /// The request's id.
    pub request_id: Uuid,
}
