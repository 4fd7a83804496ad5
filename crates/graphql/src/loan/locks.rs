//! Locks of clauses: while a clause is locked, only the member who locked it edits it.

use aether_application::loan::locks;
use aether_entity as entity;
use async_graphql::{Context, Object, Result};
use uuid::Uuid;

use crate::{input::why, rows::Row, run::run};

/// Locking and unlocking clauses.
#[derive(Default)]
pub(crate) struct LockMutation;

#[Object]
impl LockMutation {
    /// Locks a clause: from now on only you can edit it and its variables.
    async fn lock_clause(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The clause.")] id: Uuid,
        #[graphql(desc = "The version of the clause that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it is locked.")] reason: Option<String>,
    ) -> Result<Row<entity::clauses::Entity>> {
        let id = run(ctx, locks::lock(id, expected_version, why(reason, None))).await?;
        Ok(Row::new(id))
    }

    /// Unlocks a clause, whoever locked it.
    async fn unlock_clause(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The clause.")] id: Uuid,
        #[graphql(desc = "The version of the clause that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it is unlocked.")] reason: Option<String>,
    ) -> Result<Row<entity::clauses::Entity>> {
        let id = run(ctx, locks::unlock(id, expected_version, why(reason, None))).await?;
        Ok(Row::new(id))
    }
}
