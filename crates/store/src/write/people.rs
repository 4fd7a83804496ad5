//! What changing people and their organization takes beyond single rows.

use uuid::Uuid;

use super::{Change, session::revoke};
use crate::{error::Result, sql::Sql};

impl Change {
    /// Ends these sessions and their refresh tokens. Their next request is refused.
    pub async fn end_sessions(&self, sessions: &[Uuid]) -> Result<()> {
        revoke(self.transaction(), self.actor().organization_id, sessions, self.now()).await
    }

    /// Whether PostgreSQL, which works out local days by it, knows the time zone of this IANA name.
    pub async fn knows_time_zone(&self, name: &str) -> Result<bool> {
        let mut sql = Sql::new();
        sql.push("SELECT FROM pg_timezone_names WHERE name !~ '^(posix/|right/|posixrules$|localtime$|Factory$)' AND name = ")
            .text(name);
        Ok(!self.query(&sql).await?.is_empty())
    }
}
