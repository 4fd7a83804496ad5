//! What the assistant did on its own, as people review and override it.

use aether_entity::{
    ai_actions,
    sea_orm_active_enums::{AiActionStatus, ReviewOutcome},
};
use aether_store::{Error, write::action};
use async_graphql::{Context, Object, Result};
use sea_orm::Set;
use uuid::Uuid;

use crate::{
    change::change,
    graph::Row,
    input::{Choice, optional_text, text},
};

/// Overseeing the assistant's actions.
#[derive(Default)]
pub(crate) struct AiActionMutation;

#[Object]
impl AiActionMutation {
    /// Reviews an action of the assistant, once. A rejected action has the status REJECTED.
    async fn review_ai_action(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The action.")] id: Uuid,
        #[graphql(desc = "The version of the action that you saw.")] expected_version: i32,
        #[graphql(desc = "What you decide.")] outcome: Choice<ReviewOutcome>,
        #[graphql(desc = "What you remark; needed unless you approve the action as it is.")] feedback: Option<String>,
    ) -> Result<Row<ai_actions::Entity>> {
        change(ctx, &action::REVIEW_AI_ACTION, |c| async move {
            let feedback = optional_text("feedback", feedback, 2_000)?;
            if feedback.is_none() && outcome.0 != ReviewOutcome::Approved {
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
                if outcome.0 == ReviewOutcome::Rejected {
                    taken.status = Set(AiActionStatus::Rejected);
                }
                taken.review_outcome = Set(Some(outcome.0));
                taken.review_feedback = Set(feedback);
                taken.reviewed_by = Set(Some(reviewer));
                taken.reviewed_at = Set(Some(now));
            })
            .await?;
            Ok(Row::new(id))
        })
        .await
    }

    /// Overrides an action of the assistant, once, with a reason: a person has decided otherwise. An action that failed or was
    /// rejected did nothing, so there is nothing to override.
    async fn override_ai_action(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The action.")] id: Uuid,
        #[graphql(desc = "The version of the action that you saw.")] expected_version: i32,
        #[graphql(desc = "Why it is overridden.")] reason: String,
    ) -> Result<Row<ai_actions::Entity>> {
        change(ctx, &action::OVERRIDE_AI_ACTION, |c| async move {
            let reason = text("reason", &reason, 2_000)?;
            c.reason(Some(&reason), None);
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
            Ok(Row::new(id))
        })
        .await
    }
}
