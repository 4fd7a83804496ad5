//! Markups reconciled with the draft: each change that a markup proposes is applied or rejected.

use std::collections::HashSet;

use aether_domain::term::same;
use aether_entity::{
    clauses, reconciliation_items, reconciliation_sessions,
    sea_orm_active_enums::{ReasonCategory, ReconciliationDecision},
    variables,
};
use aether_store::{
    Error,
    write::{Action, Change, Membership, action},
};
use async_graphql::{Context, InputObject, Object, Result};
use sea_orm::Set;
use uuid::Uuid;

use super::{
    guard::may_edit,
    term,
    variables::{LONGEST_REASON, LONGEST_VALUE},
};
use crate::{
    change::change,
    graph::Row,
    input::{Choice, optional_text, text},
};

/// How many items one mutation decides on at most.
const MOST_AT_ONCE: usize = 500;

/// A proposed change to decide on.
#[derive(InputObject)]
struct ReconciliationItemInput {
    /// The item.
    id: Uuid,
    /// The version of the item that you saw.
    expected_version: i32,
}

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
    ) -> Result<Row<reconciliation_items::Entity>> {
        change(ctx, &action::APPLY_RECONCILIATION, |c| async move {
            let reason = Reason::read(reason, reason_category)?;
            c.reason(reason.text.as_deref(), reason.category.clone());
            let (membership, _) = c.in_workspace::<reconciliation_items::Entity>(id).await?;
            let item = pending(&c, id, expected_version).await?;
            let clause = apply(&c, &membership, item, &reason).await?;
            term::refresh(&c, clause).await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Turns a proposed change down; the draft stays as it is.
    async fn reject_reconciliation_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The item.")] id: Uuid,
        #[graphql(desc = "The version of the item that you saw.")] expected_version: i32,
        #[graphql(desc = "Why.")] reason: Option<String>,
        #[graphql(desc = "The kind of the reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<reconciliation_items::Entity>> {
        change(ctx, &action::REJECT_RECONCILIATION, |c| async move {
            let reason = Reason::read(reason, reason_category)?;
            c.reason(reason.text.as_deref(), reason.category.clone());
            c.in_workspace::<reconciliation_items::Entity>(id).await?;
            let item = pending(&c, id, expected_version).await?;
            decide(&c, item, ReconciliationDecision::Rejected, &reason).await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Takes several proposed changes of one markup into the draft, in this order: all of them or, if one cannot be, none.
    async fn apply_reconciliation_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The items, at most 500.")] items: Vec<ReconciliationItemInput>,
        #[graphql(desc = "Why; a sensitive clause may need it.")] reason: Option<String>,
        #[graphql(desc = "The kind of the reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<reconciliation_sessions::Entity>> {
        change(ctx, &action::APPLY_RECONCILIATION, |c| async move {
            let reason = Reason::read(reason, reason_category)?;
            let mut batch = Batch::new(&c, &items).await?;
            let mut touched = Vec::new();
            for (at, item) in items.iter().enumerate() {
                let item = batch.next(&c, &action::APPLY_RECONCILIATION, at, item, &reason).await?;
                touched.push(placed(at, apply(&c, &batch.membership, item, &reason).await)?);
            }
            touched.sort_unstable();
            touched.dedup();
            c.refresh_graph(Some(&touched)).await?;
            Ok(Row::new(batch.session))
        })
        .await
    }

    /// Turns several proposed changes of one markup down: all of them or, if one cannot be, none.
    async fn reject_reconciliation_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The items, at most 500.")] items: Vec<ReconciliationItemInput>,
        #[graphql(desc = "Why.")] reason: Option<String>,
        #[graphql(desc = "The kind of the reason.")] reason_category: Option<Choice<ReasonCategory>>,
    ) -> Result<Row<reconciliation_sessions::Entity>> {
        change(ctx, &action::REJECT_RECONCILIATION, |c| async move {
            let reason = Reason::read(reason, reason_category)?;
            let mut batch = Batch::new(&c, &items).await?;
            for (at, item) in items.iter().enumerate() {
                let item = batch.next(&c, &action::REJECT_RECONCILIATION, at, item, &reason).await?;
                decide(&c, item, ReconciliationDecision::Rejected, &reason).await?;
            }
            Ok(Row::new(batch.session))
        })
        .await
    }
}

/// Why something is decided.
struct Reason {
    text: Option<String>,
    category: Option<ReasonCategory>,
}

impl Reason {
    fn read(reason: Option<String>, category: Option<Choice<ReasonCategory>>) -> aether_store::Result<Self> {
        Ok(Self {
            text: optional_text("reason", reason, LONGEST_REASON)?,
            category: category.map(|category| category.0),
        })
    }
}

/// Several items of one session.
struct Batch {
    membership: std::sync::Arc<Membership>,
    session: Uuid,
    seen: HashSet<Uuid>,
}

impl Batch {
    /// Locks the workspace of the first item.
    async fn new(c: &Change, items: &[ReconciliationItemInput]) -> aether_store::Result<Self> {
        let first = match items {
            [] => return Err(Error::invalid("items", "There is nothing to decide on. Name at least one item.")),
            [first, ..] if items.len() <= MOST_AT_ONCE => first,
            _ => return Err(Error::invalid("items", format!("At most {MOST_AT_ONCE} items are decided on at once."))),
        };
        let (membership, item) = c.in_workspace::<reconciliation_items::Entity>(first.id).await?;
        Ok(Self { membership, session: item.session_id, seen: HashSet::new() })
    }

    /// The next item, told by an audit row of its own.
    async fn next(
        &mut self,
        c: &Change,
        action: &'static Action,
        at: usize,
        item: &ReconciliationItemInput,
        reason: &Reason,
    ) -> aether_store::Result<reconciliation_items::Model> {
        if !self.seen.insert(item.id) {
            return Err(Error::invalid(format!("items.{at}.id"), "This item is named twice."));
        }
        c.under(action);
        c.reason(reason.text.as_deref(), reason.category.clone());
        let item = placed(at, pending(c, item.id, item.expected_version).await)?;
        if item.session_id != self.session {
            return Err(Error::invalid(
                format!("items.{at}.id"),
                "This item is of another markup than the first one. Decide on each markup by itself.",
            ));
        }
        Ok(item)
    }
}

/// Says which item of a batch stands in the way.
fn placed<T>(at: usize, answer: aether_store::Result<T>) -> aether_store::Result<T> {
    answer.map_err(|error| match error {
        Error::Precondition(message) => Error::Precondition(format!("Item {} of the batch: {message}", at + 1)),
        Error::NotFound(message) => Error::NotFound(format!("Item {} of the batch: {message}", at + 1)),
        other => other,
    })
}

/// The item in the version that the client saw, unless it has been decided on.
async fn pending(c: &Change, id: Uuid, expected: i32) -> aether_store::Result<reconciliation_items::Model> {
    let item = c.find::<reconciliation_items::Entity>(id).await?;
    let decided = match item.decision {
        ReconciliationDecision::Pending => {
            c.expect::<reconciliation_items::Entity>(&item, expected).await?;
            return Ok(item);
        }
        ReconciliationDecision::Applied => "applied",
        ReconciliationDecision::Rejected => "rejected",
    };
    Err(Error::Precondition(format!("This change was {decided} already, which is final. Edit the draft instead.")))
}

async fn decide(
    c: &Change,
    item: reconciliation_items::Model,
    decision: ReconciliationDecision,
    reason: &Reason,
) -> aether_store::Result<reconciliation_items::Model> {
    c.update(item, |item| {
        item.decision = Set(decision);
        item.decision_reason = Set(reason.text.clone());
        item.decided_by = Set(Some(c.actor().user_id));
        item.decided_at = Set(Some(c.now()));
    })
    .await
}

/// Takes what an item proposes into the draft, and tells in which clause.
async fn apply(
    c: &Change,
    membership: &Membership,
    item: reconciliation_items::Model,
    reason: &Reason,
) -> aether_store::Result<Uuid> {
    let clause = c.find::<clauses::Entity>(item.target_clause_id).await?;
    may_edit(c, membership, &clause, reason.text.as_deref()).await?;
    // First the decision, so that the audit row is about the item.
    let item = decide(c, item, ReconciliationDecision::Applied, reason).await?;
    let id = clause.id;
    match item.target_variable_id {
        Some(variable) => {
            let variable = c.find::<variables::Entity>(variable).await?;
            if !same(&variable.value, &item.current_value) {
                return Err(Error::Precondition(format!(
                    "The draft has changed since the markup was uploaded: \u{201c}{}\u{201d} was {}, and is {} now. Edit the \
                     variable instead, or reject the change.",
                    variable.label, item.current_value, variable.value
                )));
            }
            let value = text("proposedValue", &item.proposed_value, LONGEST_VALUE)?;
            term::edit(c, variable, |variable| variable.value = Set(value)).await?;
        }
        None => term::reword(c, clause, &item.current_value, &item.proposed_value).await?,
    }
    Ok(id)
}
