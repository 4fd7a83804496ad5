//! Time zones.

#![expect(clippy::disallowed_methods, reason = "which time zones there are, PostgreSQL's catalog knows")]

use aether_store::{Result, sql::Sql, write::Change};

/// Whether PostgreSQL, which works out local days by it, knows the time zone of this IANA name.
pub(super) async fn is_known(c: &Change, name: &str) -> Result<bool> {
    let mut sql = Sql::new();
    sql.push(
        "SELECT FROM pg_timezone_names WHERE name !~ '^(posix/|right/|posixrules$|localtime$|Factory$)' AND name = ",
    )
    .text(name);
    Ok(!c.run_sql(&sql).await?.is_empty())
}
