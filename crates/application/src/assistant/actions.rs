//! What the assistant did on its own, as people review and override it.

use aether_entity::{
    ai_actions,
    sea_orm_active_enums::{AiActionStatus, ReviewOutcome},
};
use aether_store::{
    Error,
    write::{UseCase, action},
};
use sea_orm::Set;
use uuid::Uuid;

use crate::{check::optional_text, reason::Reason};

/// Reviews an action of the assistant, once.
pub fn review(id: Uuid, expected_version: i32, outcome: ReviewOutcome, feedback: Option<String>) -> UseCase<Uuid> {
    UseCase::new(&action::REVIEW_AI_ACTION, move |c| {
        Box::pin(async move {
            let feedback = optional_text("feedback", feedback, 2_000)?;
            if feedback.is_none() && outcome != ReviewOutcome::Approved {
                return Err(Error::invalid("feedback", "Say why it is rejected, or what is modified."));
            }
            c.reason(feedback.as_deref(), None);
            let (now, reviewer) = (c.now(), c.actor().user_id);
            let taken = c.edit::<ai_actions::Entity>(id, expected_version).await?;
            if taken.reviewed_at.is_some() {
                return Err(Error::Precondition(
                    "The action has been reviewed already. Override it with overrideAiAction if it must not stand."
                        .into(),
                ));
            }
            c.update(taken, |taken| {
                if outcome == ReviewOutcome::Rejected {
                    taken.status = Set(AiActionStatus::Rejected);
                }
                taken.review_outcome = Set(Some(outcome));
                taken.review_feedback = Set(feedback);
                taken.reviewed_by = Set(Some(reviewer));
                taken.reviewed_at = Set(Some(now));
            })
            .await?;
            Ok(id)
        })
    })
}

/// Overrides an action of the assistant, once, with a reason: a person has decided otherwise.
pub fn override_action(id: Uuid, expected_version: i32, reason: Reason) -> UseCase<Uuid> {
    UseCase::new(&action::OVERRIDE_AI_ACTION, move |c| {
        Box::pin(async move {
            let reason = reason.demand(c)?;
            let by = c.actor().user_id;
            let taken = c.edit::<ai_actions::Entity>(id, expected_version).await?;
            if taken.was_overridden {
                return Err(Error::Precondition("The action has been overridden already.".into()));
            }
            if matches!(taken.status, AiActionStatus::Failed | AiActionStatus::Rejected) {
                return Err(Error::Precondition(
                    "The action failed or was rejected, so there is nothing to override.".into(),
                ));
            }
            c.update(taken, |taken| {
                taken.was_overridden = Set(true);
                taken.overridden_by = Set(Some(by));
                taken.override_reason = Set(Some(reason));
            })
            .await?;
            Ok(id)
        })
    })
}
