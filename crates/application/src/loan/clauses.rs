//! Clauses of the agreement: added, edited, moved, deleted.

use aether_entity::{
    clauses, covenants, drift_items, reconciliation_items, sea_orm_active_enums::ClauseType, variables,
};
use aether_store::{
    Error, Result,
    write::{Change, UseCase, Writable, WritableRow, action},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select, Set};
use uuid::Uuid;

use super::{dependency_graph, guard, order};
use crate::{check::text, patch::set, reason::Reason};

/// A clause to add.
pub struct NewClause {
    pub title: String,
    pub body: String,
    pub kind: ClauseType,
    pub is_sensitive: bool,
    /// Counted from 1; at the end unless given.
    pub position: Option<i32>,
}

/// What changes in a clause: what is none stays as it is.
pub struct ClauseEdit {
    pub title: Option<String>,
    pub body: Option<String>,
    pub kind: Option<ClauseType>,
    pub is_sensitive: Option<bool>,
}

/// Characters of a heading, at most.
const TITLE: usize = 255;
/// Characters of a text, at most.
const BODY: usize = 100_000;

/// Adds a clause to the agreement.
pub fn add(workspace_id: Uuid, input: NewClause, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::ADD_CLAUSE, move |c| {
        Box::pin(async move {
            reason.note(c)?;
            c.workspace(workspace_id).await?;
            let title = text("input.title", &input.title, TITLE)?;
            let body = text("input.body", &input.body, BODY)?;
            let place = place(c, workspace_id, "input.position", input.position, 1).await?;
            // Before the clause itself, which counts: the target of an audit row is what was written first.
            let moved = order::renumber(c, None, Some(place)).await?;
            let clause = c
                .insert(clauses::ActiveModel {
                    workspace_id: Set(workspace_id),
                    title: Set(title),
                    body: Set(body),
                    r#type: Set(input.kind),
                    order_index: Set(place),
                    is_sensitive: Set(input.is_sensitive),
                    last_modified_at: Set(c.now()),
                    last_modified_by: Set(c.actor().user_id),
                    ..Default::default()
                })
                .await?;
            if moved > 0 {
                c.note("clausesMovedAlong", moved);
            }
            Ok(clause.id)
        })
    })
}

/// Edits a clause. What of it is the wording makes the one who edits it its last author.
pub fn edit(id: Uuid, expected_version: i32, input: ClauseEdit, reason: Reason) -> UseCase<()> {
    UseCase::new(&action::EDIT_CLAUSE, move |c| {
        Box::pin(async move {
            let reason = reason.note(c)?;
            let (membership, clause) = c.edit_in_workspace::<clauses::Entity>(id, expected_version).await?;
            guard::may_edit(c, &membership, &clause, reason.as_deref()).await?;
            let title = input.title.map(|title| text("input.title", &title, TITLE)).transpose()?;
            let body = input.body.map(|body| text("input.body", &body, BODY)).transpose()?;
            // Whether it is sensitive is no part of what the clause says.
            let rewritten = title.as_ref().is_some_and(|title| *title != clause.title)
                || body.as_ref().is_some_and(|body| *body != clause.body)
                || input.kind.as_ref().is_some_and(|kind| *kind != clause.r#type);
            let sensitive = clause.is_sensitive;
            let after = c
                .update(clause, |clause| {
                    set(&mut clause.title, title);
                    set(&mut clause.body, body);
                    set(&mut clause.r#type, input.kind);
                    set(&mut clause.is_sensitive, input.is_sensitive);
                    if rewritten {
                        clause.last_modified_at = Set(c.now());
                        clause.last_modified_by = Set(c.actor().user_id);
                    }
                })
                .await?;
            // What the text tells is left to the synchronization; that a sensitive clause drifts is warned of at once.
            if after.is_sensitive != sensitive {
                dependency_graph::refresh(c, Some(&[id])).await?;
            }
            Ok(())
        })
    })
}

/// Moves a clause to another place in the agreement; the others keep their order.
pub fn move_to(id: Uuid, expected_version: i32, position: i32, reason: Reason) -> UseCase<()> {
    UseCase::new(&action::MOVE_CLAUSE, move |c| {
        Box::pin(async move {
            reason.note(c)?;
            let (_, clause) = c.edit_in_workspace::<clauses::Entity>(id, expected_version).await?;
            guard::unlocked(c, &clause).await?;
            let place = place(c, clause.workspace_id, "position", Some(position), 0).await?;
            if place != clause.order_index {
                let moved = order::renumber(c, Some(id), Some(place)).await?;
                c.update(clause, |clause| clause.order_index = Set(place)).await?;
                c.note("clausesMovedAlong", moved);
            }
            Ok(())
        })
    })
}

/// Deletes a clause with its variables, covenants, drift and proposed changes, all of which the audit trail keeps.
pub fn delete(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<()> {
    UseCase::new(&action::DELETE_CLAUSE, move |c| {
        Box::pin(async move {
            let reason = reason.note(c)?;
            let (membership, clause) = c.edit_in_workspace::<clauses::Entity>(id, expected_version).await?;
            guard::may_edit(c, &membership, &clause, reason.as_deref()).await?;
            c.about::<clauses::Entity>(id);
            order::remove_from_graph(c, id).await?;
            // One by one, so that the audit trail has each as it was.
            let proposals = reconciliation_items::Entity::find();
            delete_all(c, proposals.filter(reconciliation_items::Column::TargetClauseId.eq(id))).await?;
            delete_all(c, drift_items::Entity::find().filter(drift_items::Column::ClauseId.eq(id))).await?;
            delete_all(c, covenants::Entity::find().filter(covenants::Column::ClauseId.eq(id))).await?;
            delete_all(c, variables::Entity::find().filter(variables::Column::ClauseId.eq(id))).await?;
            c.delete(clause).await?;
            let moved = order::renumber(c, None, None).await?;
            if moved > 0 {
                c.note("clausesMovedAlong", moved);
            }
            // Only the whole has changed: there is one node less.
            dependency_graph::refresh(c, Some(&[])).await?;
            Ok(())
        })
    })
}

/// A place in the agreement that is there, once there are so many clauses more; the last one unless said.
async fn place(c: &Change, workspace: Uuid, field: &str, position: Option<i32>, more: i32) -> Result<i32> {
    let clauses = c.count(clauses::Entity::find().filter(clauses::Column::WorkspaceId.eq(workspace))).await?;
    let last = i32::try_from(clauses).unwrap_or(i32::MAX).saturating_add(more);
    let place = position.unwrap_or(last);
    if (1..=last).contains(&place) {
        return Ok(place);
    }
    Err(Error::invalid(field, format!("A position is a place in the agreement, here from 1 to {last}.")))
}

async fn delete_all<E>(c: &Change, rows: Select<E>) -> Result<()>
where
    E: Writable<Model: WritableRow<Table = E>>,
{
    for row in c.all(rows).await? {
        c.delete(row).await?;
    }
    Ok(())
}
