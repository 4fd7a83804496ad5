//! Clauses of the agreement: added, edited, moved, deleted.

use aether_entity::{
    clauses, covenants, drift_items, reconciliation_items,
    sea_orm_active_enums::{ClauseType, ReasonCategory},
    variables,
};
use aether_store::{
    Error,
    write::{Change, Writable, WritableRow, action},
};
use async_graphql::{Context, InputObject, Object, Result};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Select, Set};
use uuid::Uuid;

use super::guard;
use crate::{
    change::change,
    graph::Row,
    input::{Choice, set, text},
};

/// A clause to add.
#[derive(InputObject)]
struct ClauseInput {
    /// Heading, at most 255 characters.
    title: String,
    /// Text, at most 100,000 characters.
    body: String,
    /// What the clause is about.
    #[graphql(name = "type")]
    kind: Choice<ClauseType>,
    /// Whether the clause is commercially sensitive, so that edits may need a reason.
    #[graphql(default)]
    is_sensitive: bool,
    /// The place in the agreement, counted from 1; the clauses from there on move down by one. At the end unless given.
    position: Option<i32>,
}

/// What changes in a clause: what is left out stays as it is.
#[derive(InputObject)]
struct ClausePatch {
    /// Heading, at most 255 characters.
    title: Option<String>,
    /// Text, at most 100,000 characters.
    body: Option<String>,
    /// What the clause is about.
    #[graphql(name = "type")]
    kind: Option<Choice<ClauseType>>,
    /// Whether the clause is commercially sensitive, so that edits may need a reason.
    is_sensitive: Option<bool>,
}

/// Characters of a heading, at most.
const TITLE: usize = 255;
/// Characters of a text, at most.
const BODY: usize = 100_000;

/// Adding, editing, moving and deleting clauses.
#[derive(Default)]
pub(crate) struct ClauseMutation;

#[Object]
impl ClauseMutation {
    /// Adds a clause to the agreement.
    async fn add_clause(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace.")] workspace_id: Uuid,
        #[graphql(desc = "The clause.")] input: ClauseInput,
        #[graphql(desc = "Why it is added.")] reason: Option<String>,
        #[graphql(desc = "The kind of that reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<clauses::Entity>> {
        change(ctx, &action::ADD_CLAUSE, |c| async move {
            c.reason(reason.as_deref(), reason_category.map(|category| category.0));
            c.workspace(workspace_id).await?;
            let title = text("input.title", &input.title, TITLE)?;
            let body = text("input.body", &input.body, BODY)?;
            let place = place(&c, workspace_id, "input.position", input.position, 1).await?;
            // Before the clause itself, which counts: the target of an audit row is what was written first.
            let moved = c.renumber_clauses(None, Some(place)).await?;
            let clause = c
                .insert(clauses::ActiveModel {
                    workspace_id: Set(workspace_id),
                    title: Set(title),
                    body: Set(body),
                    r#type: Set(input.kind.0),
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
            Ok(Row::new(clause.id))
        })
        .await
    }

    /// Edits a clause. It must not be locked by somebody else; a sensitive one may need a reason, and an approved definition
    /// may not be changed, as the rules of the workspace say.
    async fn edit_clause(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The clause.")] id: Uuid,
        #[graphql(desc = "The version of the clause that you saw.")] expected_version: i32,
        #[graphql(desc = "What changes.")] input: ClausePatch,
        #[graphql(desc = "Why it changes.")] reason: Option<String>,
        #[graphql(desc = "The kind of that reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<clauses::Entity>> {
        change(ctx, &action::EDIT_CLAUSE, |c| async move {
            c.reason(reason.as_deref(), reason_category.map(|category| category.0));
            let (membership, clause) = c.edit_in_workspace::<clauses::Entity>(id, expected_version).await?;
            guard::may_edit(&c, &membership, &clause, reason.as_deref()).await?;
            let title = input.title.map(|title| text("input.title", &title, TITLE)).transpose()?;
            let body = input.body.map(|body| text("input.body", &body, BODY)).transpose()?;
            // Whether it is sensitive is no part of what the clause says.
            let rewritten = title.as_ref().is_some_and(|title| *title != clause.title)
                || body.as_ref().is_some_and(|body| *body != clause.body)
                || input.kind.as_ref().is_some_and(|kind| kind.0 != clause.r#type);
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
                c.refresh_graph(Some(&[id])).await?;
            }
            Ok(Row::new(id))
        })
        .await
    }

    /// Moves a clause to another place in the agreement; the others keep their order. It must not be locked by somebody else.
    async fn move_clause(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The clause.")] id: Uuid,
        #[graphql(desc = "The version of the clause that you saw.")] expected_version: i32,
        #[graphql(desc = "The place that it has then, counted from 1.")] position: i32,
        #[graphql(desc = "Why it is moved.")] reason: Option<String>,
        #[graphql(desc = "The kind of that reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<clauses::Entity>> {
        change(ctx, &action::MOVE_CLAUSE, |c| async move {
            c.reason(reason.as_deref(), reason_category.map(|category| category.0));
            let (_, clause) = c.edit_in_workspace::<clauses::Entity>(id, expected_version).await?;
            guard::unlocked(&c, &clause).await?;
            let place = place(&c, clause.workspace_id, "position", Some(position), 0).await?;
            if place != clause.order_index {
                let moved = c.renumber_clauses(Some(id), Some(place)).await?;
                c.update(clause, |clause| clause.order_index = Set(place)).await?;
                c.note("clausesMovedAlong", moved);
            }
            Ok(Row::new(id))
        })
        .await
    }

    /// Deletes a clause with its variables, covenants, drift and proposed changes, all of which the audit trail keeps, and
    /// tells its id. It must not be locked by somebody else; a sensitive one may need a reason, and an approved definition may
    /// not be deleted, as the rules of the workspace say.
    async fn delete_clause(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The clause.")] id: Uuid,
        #[graphql(desc = "The version of the clause that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it is deleted.")] reason: Option<String>,
        #[graphql(desc = "The kind of that reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Uuid> {
        change(ctx, &action::DELETE_CLAUSE, |c| async move {
            c.reason(reason.as_deref(), reason_category.map(|category| category.0));
            let (membership, clause) = c.edit_in_workspace::<clauses::Entity>(id, expected_version).await?;
            guard::may_edit(&c, &membership, &clause, reason.as_deref()).await?;
            c.about::<clauses::Entity>(id);
            c.remove_clause_from_graph(id).await?;
            // One by one, so that the audit trail has each as it was.
            let proposals = reconciliation_items::Entity::find();
            delete_all(&c, proposals.filter(reconciliation_items::Column::TargetClauseId.eq(id))).await?;
            delete_all(&c, drift_items::Entity::find().filter(drift_items::Column::ClauseId.eq(id))).await?;
            delete_all(&c, covenants::Entity::find().filter(covenants::Column::ClauseId.eq(id))).await?;
            delete_all(&c, variables::Entity::find().filter(variables::Column::ClauseId.eq(id))).await?;
            c.delete(clause).await?;
            let moved = c.renumber_clauses(None, None).await?;
            if moved > 0 {
                c.note("clausesMovedAlong", moved);
            }
            // Only the whole has changed: there is one node less.
            c.refresh_graph(Some(&[])).await?;
            Ok(id)
        })
        .await
    }
}

/// A place in the agreement that is there, once there are so many clauses more; the last one unless said.
async fn place(
    c: &Change,
    workspace: Uuid,
    field: &str,
    position: Option<i32>,
    more: i32,
) -> aether_store::Result<i32> {
    let clauses = c.count(clauses::Entity::find().filter(clauses::Column::WorkspaceId.eq(workspace))).await?;
    let last = i32::try_from(clauses).unwrap_or(i32::MAX).saturating_add(more);
    let place = position.unwrap_or(last);
    if (1..=last).contains(&place) {
        return Ok(place);
    }
    Err(Error::invalid(field, format!("A position is a place in the agreement, here from 1 to {last}.")))
}

async fn delete_all<E>(c: &Change, rows: Select<E>) -> aether_store::Result<()>
where
    E: Writable<Model: WritableRow<Table = E>>,
{
    for row in c.all(rows).await? {
        c.delete(row).await?;
    }
    Ok(())
}
