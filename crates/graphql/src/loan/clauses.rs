//! Clauses of the agreement: added, edited, moved, deleted.

use aether_application::loan::clauses;
use aether_entity::{
    self as entity,
    sea_orm_active_enums::{ClauseType, ReasonCategory},
};
use async_graphql::{Context, InputObject, Object, Result};
use uuid::Uuid;

use crate::{
    input::{Choice, Plain, plain, why},
    rows::Row,
    run::run,
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

plain!(ClauseInput as clauses::NewClause { title, body, kind, is_sensitive, position });
plain!(ClausePatch as clauses::ClauseEdit { title, body, kind, is_sensitive });

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
    ) -> Result<Row<entity::clauses::Entity>> {
        let id = run(ctx, clauses::add(workspace_id, input.plain(), why(reason, reason_category))).await?;
        Ok(Row::new(id))
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
    ) -> Result<Row<entity::clauses::Entity>> {
        run(ctx, clauses::edit(id, expected_version, input.plain(), why(reason, reason_category))).await?;
        Ok(Row::new(id))
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
    ) -> Result<Row<entity::clauses::Entity>> {
        run(ctx, clauses::move_to(id, expected_version, position, why(reason, reason_category))).await?;
        Ok(Row::new(id))
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
        run(ctx, clauses::delete(id, expected_version, why(reason, reason_category))).await?;
        Ok(id)
    }
}
