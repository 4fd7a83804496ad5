//! Locks of clauses: while a clause is locked, only the member who locked it edits it.

use aether_entity::clauses;
use aether_store::{Error, write::action};
use async_graphql::{Context, Object, Result};
use sea_orm::Set;
use uuid::Uuid;

use crate::{change::change, graph::Row};

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
    ) -> Result<Row<clauses::Entity>> {
        change(ctx, &action::LOCK_CLAUSE, |c| async move {
            c.reason(reason.as_deref(), None);
            let (_, clause) = c.edit_in_workspace::<clauses::Entity>(id, expected_version).await?;
            if clause.is_locked {
                return Err(Error::Precondition("The clause is locked already.".into()));
            }
            c.update(clause, |clause| {
                clause.is_locked = Set(true);
                clause.locked_by = Set(Some(c.actor().user_id));
                clause.locked_at = Set(Some(c.now()));
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Unlocks a clause, whoever locked it.
    async fn unlock_clause(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The clause.")] id: Uuid,
        #[graphql(desc = "The version of the clause that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it is unlocked.")] reason: Option<String>,
    ) -> Result<Row<clauses::Entity>> {
        change(ctx, &action::UNLOCK_CLAUSE, |c| async move {
            c.reason(reason.as_deref(), None);
            let (_, clause) = c.edit_in_workspace::<clauses::Entity>(id, expected_version).await?;
            if !clause.is_locked {
                return Err(Error::Precondition("The clause is not locked.".into()));
            }
            c.update(clause, |clause| {
                clause.is_locked = Set(false);
                clause.locked_by = Set(None);
                clause.locked_at = Set(None);
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }
}
