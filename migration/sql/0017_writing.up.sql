-- What the writing side needs beyond the documents: invitations and second factors, overrides that wait, what the graph warns
-- of, deliveries to connectors.

ALTER TABLE users ADD COLUMN mfa_pending_secret bytea; -- Secret of a second factor that is being enrolled, encrypted at rest and never readable. NULL when none is.
ALTER TABLE users ADD COLUMN mfa_last_step bigint; -- Time step of the last code of the second factor that was accepted, so that none is accepted twice; never readable. NULL before the first.

-- An invitation of a user to the organization, kept as the hash of its token.
CREATE TABLE user_invitations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the invitation.
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- The user who is invited.
    token_hash bytea NOT NULL, -- The hash of the token that accepts it, never readable.
    invited_by uuid NOT NULL REFERENCES users (id), -- The user who invited.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the user was invited.
    expires_at timestamptz NOT NULL, -- When the invitation stops being accepted.
    accepted_at timestamptz, -- When the invitation was accepted; NULL while it is open.
    CONSTRAINT uq_user_invitations_token_hash UNIQUE (token_hash),
    CONSTRAINT ck_user_invitations_expires_at CHECK (expires_at > created_at)
);

CREATE INDEX idx_user_invitations_user_id ON user_invitations (user_id, created_at DESC, id DESC);
CREATE INDEX idx_user_invitations_invited_by ON user_invitations (invited_by, created_at DESC, id DESC);

GRANT SELECT, INSERT, UPDATE, DELETE ON user_invitations TO aether_writer;

-- A code that stands in for the second factor once, for a user whose device is lost; kept as a hash.
CREATE TABLE user_recovery_codes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the code, which is not the code itself.
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- The user whose code it is.
    code_hash bytea NOT NULL, -- The hash of the code, never readable.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the code was made.
    used_at timestamptz, -- When the code was used; NULL while it is good.
    CONSTRAINT uq_user_recovery_codes_code_hash UNIQUE (user_id, code_hash)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON user_recovery_codes TO aether_writer;

ALTER TABLE drift_items ADD COLUMN override_requested_by uuid REFERENCES users (id) ON DELETE SET NULL; -- The user whose override of the baseline waits for the approval of risk; NULL when none waits.
ALTER TABLE drift_items ADD COLUMN override_requested_at timestamptz; -- When that override was asked for; NULL when none waits.
ALTER TABLE drift_items ADD COLUMN override_reason text; -- Why the override was asked for; NULL when none waits.
ALTER TABLE drift_items ADD COLUMN override_category reason_category; -- The kind of that reason; NULL when none waits or no kind was given.
ALTER TABLE drift_items ADD CONSTRAINT ck_drift_items_override CHECK (
    (override_requested_at IS NULL) = (override_reason IS NULL)
    AND (override_requested_by IS NULL OR override_requested_at IS NOT NULL)
    AND (override_category IS NULL OR override_requested_at IS NOT NULL)
);
CREATE INDEX idx_drift_items_override_requested_by ON drift_items (override_requested_by, current_modified_at DESC, id DESC)
    WHERE override_requested_by IS NOT NULL;
-- One term has one open deviation at a time; a settled one stays.
CREATE UNIQUE INDEX uq_drift_items_open_variable ON drift_items (variable_id) WHERE status = 'unresolved' AND variable_id IS NOT NULL;
GRANT SELECT (override_requested_by, override_requested_at, override_reason, override_category) ON drift_items TO aether_reader;

-- What is wrong at a node of the dependency graph.
CREATE TYPE graph_warning_kind AS ENUM (
    'DANGLING_REFERENCE', -- The text refers to a clause that is not there.
    'UNDEFINED_TERM', -- The text uses a term that is defined nowhere.
    'DUPLICATE_DEFINITION', -- The text defines a term that is defined elsewhere too.
    'CIRCULAR_DEFINITION', -- The definition of a term leads back to the term itself.
    'SENSITIVE_DRIFT' -- A commercially sensitive clause has unresolved drift.
);

-- A warning about a node of the dependency graph, as the last synchronization found it.
CREATE TABLE graph_warnings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the warning.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace, the same as that of the node.
    node_id uuid NOT NULL, -- The node that the warning is about.
    kind graph_warning_kind NOT NULL, -- What is wrong.
    subject text NOT NULL, -- What it is about: the reference, the term or the clause, as the text has it.
    message text NOT NULL, -- What is wrong, in a sentence.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the warning was found.
    CONSTRAINT fk_graph_warnings_node FOREIGN KEY (node_id, workspace_id) REFERENCES graph_nodes (id, workspace_id) ON DELETE CASCADE,
    CONSTRAINT uq_graph_warnings UNIQUE (node_id, kind, subject)
);

CREATE INDEX idx_graph_warnings_workspace_id ON graph_warnings (workspace_id, created_at, id);
CREATE INDEX idx_graph_warnings_node_id ON graph_warnings (node_id, created_at, id);

SELECT grant_access('graph_warnings');

-- What a clause says by itself, as the last synchronization of the graph read it, so that only changed clauses are read again.
CREATE TABLE clause_readings (
    clause_id uuid PRIMARY KEY REFERENCES clauses (id) ON DELETE CASCADE, -- The clause.
    text_hash bytea NOT NULL, -- The SHA-256 hash of the title, the type and the text that were read.
    reading jsonb NOT NULL, -- The reading, as JSON.
    read_at timestamptz NOT NULL DEFAULT now() -- When the clause was read.
);

GRANT SELECT, INSERT, UPDATE, DELETE ON clause_readings TO aether_writer;

ALTER TABLE downstream_connectors ADD COLUMN url text; -- The address that deliveries are sent to; NULL while none is set.
ALTER TABLE downstream_connectors ADD COLUMN sealed_secret bytea; -- The secret that signs deliveries, encrypted at rest and never readable. NULL while none is set.
GRANT SELECT (url) ON downstream_connectors TO aether_reader;

-- How a delivery stands.
CREATE TYPE delivery_status AS ENUM (
    'pending', -- The delivery is to be made, or to be tried again.
    'delivered', -- The connector has taken the delivery.
    'failed' -- The connector has not taken the delivery, and it is not tried any more.
);

-- The delivery of a published golden record to a connector, which is made once.
CREATE TABLE connector_deliveries (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the delivery, which the connector gets with it.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace that published.
    connector_id uuid NOT NULL REFERENCES downstream_connectors (id) ON DELETE CASCADE, -- The connector that receives.
    version_id uuid NOT NULL REFERENCES golden_record_versions (id) ON DELETE CASCADE, -- The published version that is delivered.
    status delivery_status NOT NULL DEFAULT 'pending', -- How the delivery stands.
    attempts integer NOT NULL DEFAULT 0, -- How often the delivery was tried.
    next_attempt_at timestamptz, -- When the delivery is tried next; NULL once it is delivered or given up.
    delivered_at timestamptz, -- When the connector took the delivery; NULL before.
    last_error text, -- Why the last attempt failed; NULL when none did.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the version was published.
    CONSTRAINT uq_connector_deliveries UNIQUE (connector_id, version_id),
    CONSTRAINT ck_connector_deliveries_attempts CHECK (attempts >= 0),
    CONSTRAINT ck_connector_deliveries_status CHECK (
        (status = 'pending') = (next_attempt_at IS NOT NULL) AND (status = 'delivered') = (delivered_at IS NOT NULL)
    )
);

CREATE INDEX idx_connector_deliveries_workspace_id ON connector_deliveries (workspace_id, created_at DESC, id DESC);
CREATE INDEX idx_connector_deliveries_connector_id ON connector_deliveries (connector_id, created_at DESC, id DESC);
CREATE INDEX idx_connector_deliveries_version_id ON connector_deliveries (version_id, created_at DESC, id DESC);
CREATE INDEX idx_connector_deliveries_due ON connector_deliveries (next_attempt_at) WHERE status = 'pending';

SELECT grant_access('connector_deliveries');

-- One attempt of a delivery: the delivery log.
CREATE TABLE delivery_attempts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), -- The unique identifier of the attempt.
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE, -- The workspace that published.
    delivery_id uuid NOT NULL REFERENCES connector_deliveries (id) ON DELETE CASCADE, -- The delivery that was tried.
    attempt integer NOT NULL, -- The number of the attempt, counted upwards from 1.
    at timestamptz NOT NULL DEFAULT now(), -- When it was tried.
    response_status integer, -- The HTTP status that the connector answered; NULL when it did not answer.
    error text, -- What went wrong; NULL when the connector took the delivery.
    duration_ms integer NOT NULL, -- How long the attempt took, in milliseconds.
    CONSTRAINT uq_delivery_attempts_attempt UNIQUE (delivery_id, attempt),
    CONSTRAINT ck_delivery_attempts_attempt CHECK (attempt > 0),
    CONSTRAINT ck_delivery_attempts_duration CHECK (duration_ms >= 0)
);

CREATE INDEX idx_delivery_attempts_workspace_id ON delivery_attempts (workspace_id, at DESC, id DESC);
CREATE INDEX idx_delivery_attempts_delivery_id ON delivery_attempts (delivery_id, at DESC, id DESC);

SELECT grant_access('delivery_attempts', writer => 'INSERT');

-- Whether a request repeated by its key has had its effect, though the answer may be lost.
ALTER TABLE idempotency_keys ADD COLUMN changed boolean NOT NULL DEFAULT false; -- Whether a change of the request was committed.

CREATE INDEX idx_audit_events_target ON audit_events (target_id, "timestamp" DESC, id DESC) WHERE target_id IS NOT NULL;
