-- The AI domain: conversations with the assistant, the models, and what they did on their own.

-- Whether a conversation is in use.
CREATE TYPE conversation_status AS ENUM (
    'active', -- The conversation is in use.
    'archived' -- The conversation was put away and can only be read.
);

-- Who wrote a message of a conversation.
CREATE TYPE message_role AS ENUM (
    'user', -- The user wrote it.
    'assistant', -- The assistant answered it.
    'system' -- The platform instructs the assistant.
);

-- What a model is for.
CREATE TYPE ai_model_type AS ENUM (
    'forecasting', -- The model forecasts a series.
    'anomaly_detection', -- The model finds deviations in a series.
    'classification' -- The model sorts things into classes.
);

-- Where a model stands in its life.
CREATE TYPE model_status AS ENUM (
    'active', -- The model is in use.
    'inactive', -- The model is not in use at present.
    'training', -- The model is being trained.
    'deprecated' -- The model is retired and will not be used again.
);

-- What an autonomous action does.
CREATE TYPE action_type AS ENUM (
    'FORECAST_UPDATE', -- A forecast was updated.
    'ANOMALY_DETECTION', -- An anomaly was detected.
    'BUDGET_SUGGESTION', -- A change of a budget was suggested.
    'RCA_GENERATION', -- A root cause analysis (RCA) was written.
    'ACTION_PLAN_GENERATION', -- An action plan was written.
    'DATA_QUALITY_ALERT', -- A problem with the quality of data was reported.
    'INSIGHT_GENERATION', -- An insight was written.
    'SCENARIO_ANALYSIS' -- A scenario was analysed.
);

-- How an autonomous action went.
CREATE TYPE ai_action_status AS ENUM (
    'pending', -- The action was proposed or is under way.
    'completed', -- The action was completed.
    'failed', -- The action failed; the error message says why.
    'rejected' -- The action was rejected by a reviewer.
);

-- What a reviewer decided about an autonomous action.
CREATE TYPE review_outcome AS ENUM (
    'approved', -- The action was approved as it is.
    'rejected', -- The action was rejected.
    'modified' -- The action was approved with modifications.
);

-- A conversation of a user with the assistant.
CREATE TABLE ai_conversations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the conversation.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- Organization whose data the conversation is about.
    user_id uuid NOT NULL REFERENCES users (id), -- User who converses.
    title varchar(500), -- Title of the conversation. NULL when it was given none.
    summary text, -- Summary written by the assistant. NULL before there is one.
    status conversation_status NOT NULL DEFAULT 'active', -- Whether the conversation is in use.
    message_count integer NOT NULL DEFAULT 0, -- Number of messages, always that of the messages there are.
    total_tokens_used integer NOT NULL DEFAULT 0, -- Number of tokens that all messages used, always their sum.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the conversation began.
    archived_at timestamptz, -- When the conversation was archived. NULL while it is active.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the conversation was last edited; a message is no edit.
    row_version integer NOT NULL DEFAULT 1, -- Number of the current edit, counting up from 1, for optimistic concurrency; a message is no edit.
    CONSTRAINT ck_ai_conversations_archived CHECK (status <> 'archived' OR archived_at IS NOT NULL)
);

CREATE INDEX idx_ai_conversations_organization ON ai_conversations (organization_id, created_at DESC, id DESC);
CREATE INDEX idx_ai_conversations_user ON ai_conversations (user_id, created_at DESC, id DESC);

SELECT grant_access('ai_conversations');
-- A message is no edit of its conversation.
SELECT keep_versions('ai_conversations', ignoring => '{message_count,total_tokens_used}');

-- A message of a conversation, by the user, the assistant or the platform.
CREATE TABLE ai_messages (
    id uuid NOT NULL DEFAULT gen_random_uuid(), -- Identifier of the message.
    conversation_id uuid NOT NULL REFERENCES ai_conversations (id) ON DELETE CASCADE, -- Conversation that the message belongs to.
    role message_role NOT NULL, -- Who wrote the message.
    content text NOT NULL, -- Text of the message.
    model_version varchar(50), -- Version of the model that answered. NULL for a message that the assistant did not write.
    tokens_used integer, -- Number of tokens that the message used. NULL when they were not counted.
    latency_ms integer, -- Response time (latency) of the assistant, in milliseconds. NULL for a message that the assistant did not write.
    citations jsonb, -- Sources cited, as an array of objects with id, sourceType, sourceName and timestamp. NULL when none were cited.
    context_used jsonb, -- Context that the answer was built on (retrieval-augmented generation, RAG), as free JSON. NULL when there was none.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the message was written.
    CONSTRAINT pk_ai_messages PRIMARY KEY (id, created_at),
    CONSTRAINT ck_ai_messages_tokens_used CHECK (tokens_used >= 0),
    CONSTRAINT ck_ai_messages_latency CHECK (latency_ms >= 0),
    CONSTRAINT ck_ai_messages_citations CHECK (jsonb_typeof(citations) = 'array')
) PARTITION BY RANGE (created_at);

CREATE TABLE ai_messages_default PARTITION OF ai_messages DEFAULT;

CREATE INDEX idx_ai_messages_conversation ON ai_messages (conversation_id, created_at, id);

SELECT grant_access('ai_messages');

\i functions/own_conversation_counters.sql

CREATE TRIGGER own_counters BEFORE INSERT OR UPDATE ON ai_conversations
    FOR EACH ROW EXECUTE FUNCTION own_conversation_counters();

\i functions/count_added_messages.sql

\i functions/count_removed_messages.sql

\i functions/count_edited_messages.sql

CREATE TRIGGER count_added AFTER INSERT ON ai_messages
    REFERENCING NEW TABLE AS new_messages FOR EACH STATEMENT EXECUTE FUNCTION count_added_messages();
CREATE TRIGGER count_edited AFTER UPDATE ON ai_messages
    REFERENCING OLD TABLE AS old_messages NEW TABLE AS new_messages FOR EACH STATEMENT EXECUTE FUNCTION count_edited_messages();
CREATE TRIGGER count_removed AFTER DELETE ON ai_messages
    REFERENCING OLD TABLE AS old_messages FOR EACH STATEMENT EXECUTE FUNCTION count_removed_messages();

-- A model in one version, with how well it performs, whether it drifts and where it runs (model registry).
CREATE TABLE ai_models (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the model version.
    organization_id uuid REFERENCES organizations (id), -- Organization that the model belongs to. NULL for a system-wide model, which serves every organization.
    name varchar(255) NOT NULL, -- Name of the model.
    version varchar(50) NOT NULL, -- Label of the model version, unique for the name.
    type ai_model_type NOT NULL, -- What the model is for.
    description text, -- What the model does. NULL when nothing was written.
    status model_status NOT NULL DEFAULT 'active', -- Where the model stands in its life.
    accuracy numeric(5,4), -- Accuracy: the share of right answers, ratio 0-1. NULL when it was not measured.
    precision_score numeric(5,4), -- Precision: the share of positive answers that are right, ratio 0-1. NULL when it was not measured.
    recall_score numeric(5,4), -- Recall: the share of true positives that are found, ratio 0-1. NULL when it was not measured.
    f1_score numeric(5,4), -- F1 score: the harmonic mean of precision and recall, ratio 0-1. NULL when it was not measured.
    mape numeric(9,4), -- Mean absolute percentage error (MAPE) of a forecasting model, as a ratio, where 0.05 is 5 percent; it may exceed 1. NULL when it was not measured.
    bias_score numeric(5,4), -- Bias of the model over all segments, ratio 0-1, where 0 is none. NULL when it was not measured.
    bias_by_segment jsonb, -- Bias by segment, as an object that maps each segment to a ratio 0-1. NULL when it was not measured.
    drift_detected boolean NOT NULL DEFAULT false, -- Whether the data have moved away from what the model was trained on (model drift).
    drift_detected_at timestamptz, -- When drift was detected. NULL when there is none.
    drift_magnitude numeric(5,4), -- Magnitude of the drift, ratio 0-1. NULL when there is none.
    last_trained_at timestamptz, -- When the model was last trained. NULL when it never was.
    training_duration_minutes integer, -- How long the training took, in minutes. NULL when it is unknown.
    training_dataset_size integer, -- Number of rows that the model was trained on. NULL when it is unknown.
    training_data_range jsonb, -- Dates of the training data, as an object with start and end. NULL when they are unknown.
    deployed_at timestamptz, -- When the model was deployed. NULL when it is not.
    endpoint_url varchar(500), -- Address that the model is called at. NULL when it runs within the platform or is not deployed.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the model was registered.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the model was last edited.
    row_version integer NOT NULL DEFAULT 1, -- Number of the current edit, counting up from 1, for optimistic concurrency. It is not the version label.
    CONSTRAINT uq_ai_models_version UNIQUE NULLS NOT DISTINCT (organization_id, name, version),
    CONSTRAINT ck_ai_models_accuracy CHECK (accuracy BETWEEN 0 AND 1),
    CONSTRAINT ck_ai_models_precision_score CHECK (precision_score BETWEEN 0 AND 1),
    CONSTRAINT ck_ai_models_recall_score CHECK (recall_score BETWEEN 0 AND 1),
    CONSTRAINT ck_ai_models_f1_score CHECK (f1_score BETWEEN 0 AND 1),
    CONSTRAINT ck_ai_models_mape CHECK (mape >= 0),
    CONSTRAINT ck_ai_models_bias_score CHECK (bias_score BETWEEN 0 AND 1),
    CONSTRAINT ck_ai_models_drift_magnitude CHECK (drift_magnitude BETWEEN 0 AND 1),
    CONSTRAINT ck_ai_models_training CHECK (training_duration_minutes >= 0 AND training_dataset_size >= 0)
);

CREATE INDEX idx_ai_models_organization ON ai_models (organization_id, name COLLATE natural_order, id);

SELECT grant_access('ai_models');
SELECT keep_versions('ai_models');

-- A measurement of a model in operation: its performance, its use and its cost at one time.
CREATE TABLE ai_model_metrics (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the measurement.
    model_id uuid NOT NULL REFERENCES ai_models (id) ON DELETE CASCADE, -- Model that was measured.
    recorded_at timestamptz NOT NULL DEFAULT now(), -- When it was measured.
    accuracy numeric(5,4), -- Accuracy: the share of right answers, ratio 0-1. NULL when it was not measured.
    latency_p50_ms integer, -- Median response time (50th percentile), in milliseconds. NULL when it was not measured.
    latency_p95_ms integer, -- Response time that 95 percent of the requests kept within (95th percentile), in milliseconds. NULL when it was not measured.
    latency_p99_ms integer, -- Response time that 99 percent of the requests kept within (99th percentile), in milliseconds. NULL when it was not measured.
    requests_count integer, -- Number of requests. NULL when they were not counted.
    error_count integer, -- Number of requests that failed. NULL when they were not counted.
    gpu_utilization numeric(9,2), -- GPU utilization, percent 0-100. NULL when it was not measured.
    memory_usage_mb integer, -- Memory in use, in megabytes. NULL when it was not measured.
    token_usage integer, -- Number of tokens used. NULL when they were not counted.
    cost_usd numeric(14,4), -- Cost of running the model, in US dollars. NULL when it is unknown.
    CONSTRAINT ck_ai_model_metrics_accuracy CHECK (accuracy BETWEEN 0 AND 1),
    CONSTRAINT ck_ai_model_metrics_latency CHECK (latency_p50_ms >= 0 AND latency_p50_ms <= latency_p95_ms AND latency_p95_ms <= latency_p99_ms),
    CONSTRAINT ck_ai_model_metrics_counts CHECK (requests_count >= 0 AND error_count >= 0 AND error_count <= requests_count),
    CONSTRAINT ck_ai_model_metrics_gpu_utilization CHECK (gpu_utilization BETWEEN 0 AND 100),
    CONSTRAINT ck_ai_model_metrics_usage CHECK (memory_usage_mb >= 0 AND token_usage >= 0 AND cost_usd >= 0)
);

CREATE INDEX idx_ai_model_metrics_model ON ai_model_metrics (model_id, recorded_at DESC, id DESC);

SELECT grant_access('ai_model_metrics');

-- An action that the AI agent took on its own, with its reasoning, its review by people and its impact (autonomous action log).
CREATE TABLE ai_actions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- Identifier of the action.
    organization_id uuid NOT NULL REFERENCES organizations (id), -- Organization that the action was taken for.
    action_type action_type NOT NULL, -- What the action does.
    action_category varchar(100), -- Category of the action. NULL when it was given none.
    description text NOT NULL, -- What was done.
    reasoning text, -- Why the model did it. NULL when it gave no reason.
    confidence_score numeric(9,2), -- Confidence of the model in the action, percent 0-100. NULL when it gave none.
    inputs jsonb NOT NULL, -- Data that the action was based on, as free JSON.
    outputs jsonb, -- Data that the action produced, as free JSON. NULL when it produced none.
    model_id uuid REFERENCES ai_models (id), -- Model that took the action. NULL when it is not registered.
    model_version varchar(50), -- Version of the model at that time. NULL when it is unknown.
    status ai_action_status NOT NULL DEFAULT 'completed', -- How the action went.
    error_message text, -- Why the action failed. NULL when it did not.
    requires_review boolean NOT NULL DEFAULT false, -- Whether a person has to review the action (human in the loop).
    reviewed_by uuid REFERENCES users (id), -- User who reviewed the action. NULL before the review.
    reviewed_at timestamptz, -- When the action was reviewed. NULL before the review.
    review_outcome review_outcome, -- What the reviewer decided. NULL before the review.
    review_feedback text, -- What the reviewer remarked. NULL when nothing was.
    was_overridden boolean NOT NULL DEFAULT false, -- Whether a person overrode what the action did.
    overridden_by uuid REFERENCES users (id), -- User who overrode the action. NULL when nobody did.
    override_reason text, -- Why the action was overridden. NULL when it was not.
    affected_entities jsonb, -- What the action affected, as an object that maps a kind of entity to an array of identifiers. NULL when it affected nothing.
    estimated_impact_value numeric(20,2), -- Impact that was estimated, in the currency of the organization; negative for a loss. NULL when it was not estimated.
    actual_impact_value numeric(20,2), -- Impact that came about, in the currency of the organization; negative for a loss. NULL when it was not measured.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the action was taken.
    completed_at timestamptz, -- When the action was completed. NULL while it is under way.
    updated_at timestamptz NOT NULL DEFAULT now(), -- When the action was last edited.
    row_version integer NOT NULL DEFAULT 1, -- Number of the current edit, counting up from 1, for optimistic concurrency.
    CONSTRAINT ck_ai_actions_confidence_score CHECK (confidence_score BETWEEN 0 AND 100),
    CONSTRAINT ck_ai_actions_review CHECK (num_nonnulls(reviewed_by, reviewed_at, review_outcome) IN (0, 3)),
    CONSTRAINT ck_ai_actions_override CHECK (NOT was_overridden OR (overridden_by IS NOT NULL AND override_reason IS NOT NULL))
);

CREATE INDEX idx_ai_actions_organization ON ai_actions (organization_id, created_at DESC, id DESC);
CREATE INDEX idx_ai_actions_model ON ai_actions (model_id, created_at DESC, id DESC);
CREATE INDEX idx_ai_actions_reviewed_by ON ai_actions (reviewed_by, created_at DESC, id DESC);
CREATE INDEX idx_ai_actions_overridden_by ON ai_actions (overridden_by, created_at DESC, id DESC);
CREATE INDEX idx_ai_actions_org_type ON ai_actions (organization_id, action_type);
CREATE INDEX idx_ai_actions_review ON ai_actions (organization_id) WHERE requires_review AND reviewed_at IS NULL;

SELECT grant_access('ai_actions');
SELECT keep_versions('ai_actions');
