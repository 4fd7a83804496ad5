//! Drift settled: the baseline follows the draft, the draft goes back to the baseline, or risk accepts that they differ.

use std::sync::Arc;

use aether_entity::{
    clauses, drift_items,
    sea_orm_active_enums::{DriftStatus, ReasonCategory},
    variables,
};
use aether_store::{
    Error, Result,
    write::{Change, Membership, UseCase, action},
};
use sea_orm::Set;
use uuid::Uuid;

use super::{
    guard::unlocked,
    term::{self, no_override},
};
use crate::reason::Reason;

/// Overrides the agreed baseline with the drafted value.
pub fn override_drift(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::OVERRIDE_DRIFT, move |c| {
        Box::pin(async move {
            let (reason, category) = (reason.demand(c)?, reason.category());
            let (membership, item) = unresolved(c, id, expected_version).await?;
            if item.override_requested_at.is_some() {
                return Err(Error::Precondition(
                    "An override of this item waits already. Have a risk member approve it, or edit the value to withdraw it.".into(),
                ));
            }
            if membership.rules.risk_approval_required_for_override {
                c.update(item, |item| {
                    item.override_requested_by = Set(Some(c.actor().user_id));
                    item.override_requested_at = Set(Some(c.now()));
                    item.override_reason = Set(Some(reason));
                    item.override_category = Set(category);
                })
                .await?;
                c.note("overridePending", true);
                return Ok(id);
            }
            let item = settle(c, item, DriftStatus::Overridden, reason, category).await?;
            take_into_baseline(c, &item).await?;
            term::refresh(c, item.clause_id).await?;
            Ok(id)
        })
    })
}

/// Approves what deviates, as a risk member: completes an override that waits, or else accepts that draft and baseline stay apart.
pub fn approve(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::APPROVE_DRIFT, move |c| {
        Box::pin(async move {
            let (reason, category) = (reason.demand(c)?, reason.category());
            let (_, item) = unresolved(c, id, expected_version).await?;
            let asked = item.override_requested_at.is_some();
            let (first, because) = match asked {
                true => {
                    (item.override_requested_by, "you asked for this override, so somebody else has to approve it.")
                }
                false => (Some(item.current_modified_by), "you drafted this value, so somebody else has to accept it."),
            };
            if first == Some(c.actor().user_id) {
                return Err(Error::Forbidden { permission: "drift:approve", because: Some(because) });
            }
            let status = if asked { DriftStatus::Overridden } else { DriftStatus::Approved };
            let (clause, asking) = (item.clause_id, item.clone());
            let item = settle(c, item, status, reason, category).await?;
            if asked {
                // What was asked for takes effect now: told as the override that it is, with the reason of whoever asked.
                c.under(&action::OVERRIDE_DRIFT);
                c.about::<drift_items::Entity>(id);
                c.reason(asking.override_reason.as_deref(), asking.override_category);
                c.note("overrideRequestedBy", asking.override_requested_by.map(|id| id.to_string()));
                take_into_baseline(c, &item).await?;
            }
            term::refresh(c, clause).await?;
            Ok(id)
        })
    })
}

/// Reverts the draft to the agreed baseline.
pub fn revert(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::REVERT_DRIFT, move |c| {
        Box::pin(async move {
            let (reason, category) = (reason.demand(c)?, reason.category());
            let (_, item) = unresolved(c, id, expected_version).await?;
            let clause = c.find::<clauses::Entity>(item.clause_id).await?;
            unlocked(c, &clause).await?;
            let item = settle(c, item, DriftStatus::Reverted, reason, category).await?;
            match item.variable_id {
                Some(variable) => {
                    let variable = c.find::<variables::Entity>(variable).await?;
                    let baseline = item.baseline_value.clone();
                    term::edit(c, variable, |variable| variable.value = Set(baseline)).await?;
                }
                None => term::reword(c, clause, &item.current_value, &item.baseline_value).await?,
            }
            term::refresh(c, item.clause_id).await?;
            Ok(id)
        })
    })
}

/// The item in the version that the client saw, unless it is settled: that tells more than that its version is old.
async fn unresolved(c: &Change, id: Uuid, expected: i32) -> Result<(Arc<Membership>, drift_items::Model)> {
    let (membership, item) = c.in_workspace::<drift_items::Entity>(id).await?;
    let settled = match item.status {
        DriftStatus::Unresolved => {
            c.expect::<drift_items::Entity>(&item, expected).await?;
            return Ok((membership, item));
        }
        DriftStatus::Overridden => "overridden",
        DriftStatus::Reverted => "reverted",
        DriftStatus::Approved => "approved",
    };
    Err(Error::Precondition(format!(
        "This item is settled: it was {settled}, and never changes again. A later edit of the value opens a new item."
    )))
}

async fn settle(
    c: &Change,
    item: drift_items::Model,
    status: DriftStatus,
    reason: String,
    category: Option<ReasonCategory>,
) -> Result<drift_items::Model> {
    c.update(item, |item| {
        item.status = Set(status);
        item.approved_by = Set(Some(c.actor().user_id));
        item.approved_at = Set(Some(c.now()));
        item.approval_reason = Set(Some(reason));
        item.reason_category = Set(category);
        no_override(item);
    })
    .await
}

/// The agreed value of the term is what was drafted. Words of a clause have no baseline of their own.
async fn take_into_baseline(c: &Change, item: &drift_items::Model) -> Result<()> {
    if let Some(variable) = item.variable_id {
        let variable = c.find::<variables::Entity>(variable).await?;
        c.update(variable, |variable| variable.baseline_value = Set(Some(item.current_value.clone()))).await?;
    }
    Ok(())
}
