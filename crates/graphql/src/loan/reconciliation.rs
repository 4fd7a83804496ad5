//! Markups reconciled with the draft: each change that a markup proposes is applied or rejected.

use aether_application::loan::reconciliation;
use aether_entity::{self as entity, sea_orm_active_enums::ReasonCategory};
use async_graphql::{Context, InputObject, Object, Result};
use uuid::Uuid;

use crate::{
    input::{Choice, Plain, plain, why},
    rows::Row,
    run::run,
};

/// A proposed change to decide on.
#[derive(InputObject)]
struct ReconciliationItemInput {
    /// The item.
    id: Uuid,
    /// The version of the item that you saw.
    expected_version: i32,
}

plain!(ReconciliationItemInput as reconciliation::ItemVersion { id, expected_version });

/// Deciding on what markups propose.
#[derive(Default)]
pub(crate) struct ReconciliationMutation;

#[Object]
impl ReconciliationMutation {
    /// Takes a proposed change into the draft: the proposed value becomes that of the term, or the words of the clause are
    /// replaced where they stand once. It has the effects and needs of an edit, and is refused when the draft has changed since
    /// the markup was uploaded.
    async fn apply_reconciliation_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The item.")] id: Uuid,
        #[graphql(desc = "The version of the item that you saw.")] expected_version: i32,
        #[graphql(desc = "Why; a sensitive clause may need it.")] reason: Option<String>,
        #[graphql(desc = "The kind of the reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<entity::reconciliation_items::Entity>> {
        let id = run(ctx, reconciliation::apply_item(id, expected_version, why(reason, reason_category))).await?;
        Ok(Row::new(id))
    }

    /// Turns a proposed change down; the draft stays as it is.
    async fn reject_reconciliation_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The item.")] id: Uuid,
        #[graphql(desc = "The version of the item that you saw.")] expected_version: i32,
        #[graphql(desc = "Why.")] reason: Option<String>,
        #[graphql(desc = "The kind of the reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<entity::reconciliation_items::Entity>> {
        let id = run(ctx, reconciliation::reject_item(id, expected_version, why(reason, reason_category))).await?;
        Ok(Row::new(id))
    }

    /// Takes several proposed changes of one markup into the draft, in this order: all of them or, if one cannot be, none.
    async fn apply_reconciliation_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The items, at most 500.")] items: Vec<ReconciliationItemInput>,
        #[graphql(desc = "Why; a sensitive clause may need it.")] reason: Option<String>,
        #[graphql(desc = "The kind of the reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<entity::reconciliation_sessions::Entity>> {
        let id = run(ctx, reconciliation::apply_items(items.plain(), why(reason, reason_category))).await?;
        Ok(Row::new(id))
    }

    /// Turns several proposed changes of one markup down: all of them or, if one cannot be, none.
    async fn reject_reconciliation_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The items, at most 500.")] items: Vec<ReconciliationItemInput>,
        #[graphql(desc = "Why.")] reason: Option<String>,
        #[graphql(desc = "The kind of the reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<entity::reconciliation_sessions::Entity>> {
        let id = run(ctx, reconciliation::reject_items(items.plain(), why(reason, reason_category))).await?;
        Ok(Row::new(id))
    }
}
