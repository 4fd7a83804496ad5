-- The gateway's own tables. Only the writer sees them: the reader has no right to either.

-- Where a request with an idempotency key stands.
CREATE TYPE idempotency_status AS ENUM (
    'in_progress', -- The request is being served.
    'completed' -- The request has been served and its response is kept.
);

-- The changes that live subscribers and connectors still have to hear of, written in the transaction of the change itself.
CREATE TABLE event_outbox (
    id uuid NOT NULL DEFAULT gen_random_uuid(), -- The unique identifier of the event.
    at timestamptz NOT NULL DEFAULT now(), -- When the transaction of the change started.
    sequence bigint GENERATED ALWAYS AS IDENTITY, -- The number of the event; numbers rise, with gaps, in the order of writing.
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(), -- The transaction of the change; events below the oldest open one are final.
    topic text NOT NULL, -- The topic under which the event is published.
    aggregate_type text NOT NULL, -- The kind of thing that changed, such as deal or drift_item.
    aggregate_id uuid NOT NULL, -- The identifier of the thing that changed.
    organization_id uuid, -- The organization whose users may see the event; NULL when it belongs to a workspace only.
    workspace_id uuid, -- The workspace whose members may see the event; NULL when it belongs to an organization only.
    kind text NOT NULL, -- What happened to it, such as created, updated or deleted.
    changed_fields text[] NOT NULL DEFAULT '{}', -- The names of the fields that changed; empty when that is not said.
    payload jsonb NOT NULL DEFAULT '{}', -- What else a subscriber needs, as a JSON object.
    actor_id uuid, -- The user who made the change; NULL when no user did.
    CONSTRAINT pk_event_outbox PRIMARY KEY (id, at),
    CONSTRAINT ck_event_outbox_tenant CHECK (organization_id IS NOT NULL OR workspace_id IS NOT NULL)
) PARTITION BY RANGE (at);

CREATE TABLE event_outbox_default PARTITION OF event_outbox DEFAULT;

CREATE INDEX idx_event_outbox_transaction ON event_outbox (transaction_id, sequence);
CREATE INDEX idx_event_outbox_sequence ON event_outbox (sequence);
CREATE INDEX idx_event_outbox_aggregate ON event_outbox (aggregate_id, sequence);

GRANT SELECT, INSERT, DELETE ON event_outbox TO aether_writer;

-- The requests that clients may repeat without effect, with the response of the first time.
CREATE TABLE idempotency_keys (
    actor_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE, -- The user who made the request.
    key text NOT NULL, -- The key that the client chose for the request.
    request_hash bytea NOT NULL, -- The hash of the request, which shows whether the key is used for another one.
    response jsonb, -- The response to repeat, as JSON; NULL while the request is in progress.
    status idempotency_status NOT NULL DEFAULT 'in_progress', -- Where the request stands.
    created_at timestamptz NOT NULL DEFAULT now(), -- When the request was first made.
    expires_at timestamptz NOT NULL, -- When the key may be forgotten.
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (actor_id, key),
    CONSTRAINT ck_idempotency_keys_key CHECK (key <> '' AND length(key) <= 255),
    CONSTRAINT ck_idempotency_keys_response CHECK ((status = 'completed') = (response IS NOT NULL)),
    CONSTRAINT ck_idempotency_keys_expires_at CHECK (expires_at > created_at)
);

CREATE INDEX idx_idempotency_keys_expires_at ON idempotency_keys (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO aether_writer;
