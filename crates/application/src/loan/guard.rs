//! What stands between a member and the text: locks, reasons for sensitive edits, approved definitions.
//!
//! Whoever changes a clause, or what is bound in one, asks [`may_edit`] after the workspace has been locked.

use aether_entity::{
    clauses, drift_items, golden_record_versions,
    sea_orm_active_enums::{ClauseType, DriftStatus},
    users,
};
use aether_store::{
    Error, Result,
    write::{Change, Membership},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

/// Refuses to change a clause that somebody else has locked, and says who.
pub(super) async fn unlocked(c: &Change, clause: &clauses::Model) -> Result<()> {
    let Some(holder) = clause.locked_by.filter(|holder| *holder != c.actor().user_id) else { return Ok(()) };
    let name = c.one(users::Entity::find_by_id(holder)).await?.map(|user| user.name);
    Err(Error::Precondition(format!(
        "The clause \u{201c}{}\u{201d} is locked by {}. Wait until it is unlocked, or ask an agent to unlock it.",
        clause.title,
        name.as_deref().unwrap_or("another member"),
    )))
}

/// Refuses a change of a clause's text, or of what is bound in it, that the actor may not make just now: the clause must be
/// unlocked, a sensitive one asks for a reason, an approved definition stays as it is. The last two are rules of the
/// workspace.
pub(super) async fn may_edit(
    c: &Change,
    membership: &Membership,
    clause: &clauses::Model,
    reason: Option<&str>,
) -> Result<()> {
    unlocked(c, clause).await?;
    if clause.is_sensitive && membership.rules.require_reason_for_sensitive_edits && reason.is_none() {
        return Err(Error::invalid(
            "reason",
            format!(
                "The clause \u{201c}{}\u{201d} is sensitive, and the rule requireReasonForSensitiveEdits asks for a reason. \
                 Give one.",
                clause.title
            ),
        ));
    }
    if membership.rules.definitions_locked_after_approval && is_approved_definition(c, clause).await? {
        return Err(Error::Governance {
            rule: "definitionsLockedAfterApproval",
            message: format!(
                "The definition \u{201c}{}\u{201d} has been approved, so it stays as it is. Have an admin switch the rule off \
                 to change it.",
                clause.title
            ),
        });
    }
    Ok(())
}

/// Whether the clause is a definition whose present text has been approved: since its last edit, a deviation of it or of a
/// term bound in it was approved or taken into the baseline, or a golden record with it was published.
async fn is_approved_definition(c: &Change, clause: &clauses::Model) -> Result<bool> {
    if clause.r#type != ClauseType::Definition {
        return Ok(false);
    }
    let settled = drift_items::Entity::find()
        .filter(drift_items::Column::ClauseId.eq(clause.id))
        .filter(drift_items::Column::Status.is_in([DriftStatus::Approved, DriftStatus::Overridden]))
        .filter(drift_items::Column::ApprovedAt.gte(clause.last_modified_at));
    if c.count(settled).await? > 0 {
        return Ok(true);
    }
    let published = golden_record_versions::Entity::find()
        .filter(golden_record_versions::Column::WorkspaceId.eq(clause.workspace_id))
        .filter(golden_record_versions::Column::PublishedAt.gte(clause.last_modified_at));
    Ok(c.count(published).await? > 0)
}
