//! Markups reconciled with the draft: each change that a markup proposes is applied or rejected.

use std::collections::HashSet;

use aether_domain::term::same;
use aether_entity::{clauses, reconciliation_items, sea_orm_active_enums::ReconciliationDecision, variables};
use aether_store::{
    Error, Result,
    write::{Action, Change, Membership, UseCase, action},
};
use sea_orm::Set;
use uuid::Uuid;

use super::{dependency_graph, guard::may_edit, term, variables::LONGEST_VALUE};
use crate::{check::text, reason::Reason};

/// How many items one mutation decides on at most.
const MOST_AT_ONCE: usize = 500;

/// A proposed change to decide on.
pub struct ItemVersion {
    pub id: Uuid,
    pub expected_version: i32,
}

/// Takes a proposed change into the draft: the proposed value becomes that of the term, or the words of the clause are replaced where they stand once.
pub fn apply_item(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::APPLY_RECONCILIATION, move |c| {
        Box::pin(async move {
            let why = reason.note(c)?;
            let (membership, _) = c.in_workspace::<reconciliation_items::Entity>(id).await?;
            let item = pending(c, id, expected_version).await?;
            let clause = apply(c, &membership, item, why.as_deref()).await?;
            term::refresh(c, clause).await?;
            Ok(id)
        })
    })
}

/// Turns a proposed change down; the draft stays as it is.
pub fn reject_item(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::REJECT_RECONCILIATION, move |c| {
        Box::pin(async move {
            let why = reason.note(c)?;
            c.in_workspace::<reconciliation_items::Entity>(id).await?;
            let item = pending(c, id, expected_version).await?;
            decide(c, item, ReconciliationDecision::Rejected, why.as_deref()).await?;
            Ok(id)
        })
    })
}

/// Takes several proposed changes of one markup into the draft, in this order: all of them or, if one cannot be, none.
pub fn apply_items(items: Vec<ItemVersion>, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::APPLY_RECONCILIATION, move |c| {
        Box::pin(async move {
            let mut batch = Batch::new(c, &items).await?;
            let mut touched = Vec::new();
            for (at, item) in items.iter().enumerate() {
                let (item, why) = batch.next(c, &action::APPLY_RECONCILIATION, at, item, &reason).await?;
                touched.push(placed(at, apply(c, &batch.membership, item, why.as_deref()).await)?);
            }
            touched.sort_unstable();
            touched.dedup();
            dependency_graph::refresh(c, Some(&touched)).await?;
            Ok(batch.session)
        })
    })
}

/// Turns several proposed changes of one markup down: all of them or, if one cannot be, none.
pub fn reject_items(items: Vec<ItemVersion>, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::REJECT_RECONCILIATION, move |c| {
        Box::pin(async move {
            let mut batch = Batch::new(c, &items).await?;
            for (at, item) in items.iter().enumerate() {
                let (item, why) = batch.next(c, &action::REJECT_RECONCILIATION, at, item, &reason).await?;
                decide(c, item, ReconciliationDecision::Rejected, why.as_deref()).await?;
            }
            Ok(batch.session)
        })
    })
}

/// Several items of one session.
struct Batch {
    membership: std::sync::Arc<Membership>,
    session: Uuid,
    seen: HashSet<Uuid>,
}

impl Batch {
    /// Locks the workspace of the first item.
    async fn new(c: &Change, items: &[ItemVersion]) -> Result<Self> {
        let first = match items {
            [] => return Err(Error::invalid("items", "There is nothing to decide on. Name at least one item.")),
            [first, ..] if items.len() <= MOST_AT_ONCE => first,
            _ => return Err(Error::invalid("items", format!("At most {MOST_AT_ONCE} items are decided on at once."))),
        };
        let (membership, item) = c.in_workspace::<reconciliation_items::Entity>(first.id).await?;
        Ok(Self { membership, session: item.session_id, seen: HashSet::new() })
    }

    /// The next item, told by an audit row of its own, and why it is decided so.
    async fn next(
        &mut self,
        c: &Change,
        action: &'static Action,
        at: usize,
        item: &ItemVersion,
        reason: &Reason,
    ) -> Result<(reconciliation_items::Model, Option<String>)> {
        if !self.seen.insert(item.id) {
            return Err(Error::invalid(format!("items.{at}.id"), "This item is named twice."));
        }
        c.under(action);
        let why = reason.note(c)?;
        let item = placed(at, pending(c, item.id, item.expected_version).await)?;
        if item.session_id != self.session {
            return Err(Error::invalid(
                format!("items.{at}.id"),
                "This item is of another markup than the first one. Decide on each markup by itself.",
            ));
        }
        Ok((item, why))
    }
}

/// Says which item of a batch stands in the way.
fn placed<T>(at: usize, answer: Result<T>) -> Result<T> {
    answer.map_err(|error| match error {
        Error::Precondition(message) => Error::Precondition(format!("Item {} of the batch: {message}", at + 1)),
        Error::NotFound(message) => Error::NotFound(format!("Item {} of the batch: {message}", at + 1)),
        other => other,
    })
}

/// The item in the version that the client saw, unless it has been decided on.
async fn pending(c: &Change, id: Uuid, expected: i32) -> Result<reconciliation_items::Model> {
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
    reason: Option<&str>,
) -> Result<reconciliation_items::Model> {
    c.update(item, |item| {
        item.decision = Set(decision);
        item.decision_reason = Set(reason.map(ToOwned::to_owned));
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
    reason: Option<&str>,
) -> Result<Uuid> {
    let clause = c.find::<clauses::Entity>(item.target_clause_id).await?;
    may_edit(c, membership, &clause, reason).await?;
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
