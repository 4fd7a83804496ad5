//! Locks of clauses: while a clause is locked, only the member who locked it edits it.

use aether_entity::clauses;
use aether_store::{
    Error,
    write::{UseCase, action},
};
use sea_orm::Set;
use uuid::Uuid;

use crate::reason::Reason;

/// Locks a clause: from now on only you can edit it and its variables.
pub fn lock(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::LOCK_CLAUSE, move |c| {
        Box::pin(async move {
            reason.note(c)?;
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
            Ok(id)
        })
    })
}

/// Unlocks a clause, whoever locked it.
pub fn unlock(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::UNLOCK_CLAUSE, move |c| {
        Box::pin(async move {
            reason.note(c)?;
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
            Ok(id)
        })
    })
}
