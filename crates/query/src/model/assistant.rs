//! Conversations, models and what the assistant did on its own.

use super::{Entity, entity, shapes};
use crate::model::{Restriction, Scope};

pub(super) fn entities() -> Vec<Entity> {
    vec![
        entity("ai_conversations", "AiConversation", "aiConversations", Scope::Organization)
            .order(&["-created_at"])
            .restrict(Restriction::Own("user_id"))
            .refers("organization_id", "organization", "aiConversations")
            .refers("user_id", "user", "aiConversations"),
        entity("ai_messages", "AiMessage", "aiMessages", Scope::Via("conversation_id"))
            .order(&["created_at"])
            .shape("citations", &shapes::CITATIONS)
            .refers("conversation_id", "conversation", "messages"),
        entity("ai_models", "AiModel", "aiModels", Scope::Models)
            .order(&["name", "version"])
            .ratios(&[
                "accuracy",
                "precision_score",
                "recall_score",
                "f1_score",
                "mape",
                "bias_score",
                "drift_magnitude",
            ])
            .shape("training_data_range", &shapes::DATE_RANGE)
            .refers("organization_id", "organization", "aiModels"),
        entity("ai_model_metrics", "AiModelMetric", "aiModelMetrics", Scope::Via("model_id"))
            .order(&["-recorded_at"])
            .ratios(&["accuracy", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "gpu_utilization"])
            .refers("model_id", "model", "metrics"),
        entity("ai_actions", "AiAction", "aiActions", Scope::Organization)
            .order(&["-created_at"])
            .ratios(&["confidence_score"])
            .refers("organization_id", "organization", "aiActions")
            .refers("model_id", "model", "actions")
            .refers("reviewed_by", "reviewedByUser", "aiActionsReviewed")
            .refers("overridden_by", "overriddenByUser", "aiActionsOverridden"),
    ]
}
