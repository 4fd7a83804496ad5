-- The gateway's own tables: what live subscribers are told, in one order that every gateway gives alike, for as long as it is kept; and
-- what requests may be repeated.

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
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(), -- The transaction of the change: the events of one change have the same.
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

CREATE INDEX idx_event_outbox_sequence ON event_outbox (sequence);
CREATE INDEX idx_event_outbox_aggregate ON event_outbox (aggregate_id, sequence);
-- A subscription that resumes reads the events of its organization or of its workspaces from where it was.
CREATE INDEX idx_event_outbox_organization ON event_outbox (organization_id, sequence) WHERE organization_id IS NOT NULL;
CREATE INDEX idx_event_outbox_workspace ON event_outbox (workspace_id, sequence) WHERE workspace_id IS NOT NULL;
CREATE INDEX idx_event_outbox_at ON event_outbox (at);

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
    changed boolean NOT NULL DEFAULT false, -- Whether a change of the request was committed.
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (actor_id, key),
    CONSTRAINT ck_idempotency_keys_key CHECK (key <> '' AND length(key) <= 255),
    CONSTRAINT ck_idempotency_keys_response CHECK ((status = 'completed') = (response IS NOT NULL)),
    CONSTRAINT ck_idempotency_keys_expires_at CHECK (expires_at > created_at)
);

CREATE INDEX idx_idempotency_keys_expires_at ON idempotency_keys (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO aether_writer;

\i functions/show_event_writer.sql
CREATE TRIGGER show_event_writer BEFORE INSERT ON event_outbox FOR EACH STATEMENT EXECUTE FUNCTION show_event_writer();

\i functions/outstanding_event_writers.sql

\i functions/event_head.sql

-- The gateway reads them with the role that can do nothing but read; no type of the graph shows them.
GRANT SELECT ON event_outbox TO aether_reader;
REVOKE ALL ON FUNCTION event_head(), outstanding_event_writers() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION event_head(), outstanding_event_writers() TO aether_reader;

-- The one stream of events of this database.
CREATE TABLE event_streams (
    id uuid NOT NULL DEFAULT gen_random_uuid(), -- The identifier of the stream, part of every cursor: one of another database is recognized.
    trimmed_through bigint NOT NULL DEFAULT 0, -- The highest sequence number that has been trimmed; a cursor below it cannot be resumed from.
    is_only boolean NOT NULL DEFAULT true, -- True: there is one stream.
    CONSTRAINT pk_event_streams PRIMARY KEY (id),
    CONSTRAINT uq_event_streams_is_only UNIQUE (is_only),
    CONSTRAINT ck_event_streams_is_only CHECK (is_only)
);
INSERT INTO event_streams DEFAULT VALUES;
GRANT SELECT ON event_streams TO aether_reader;

\i functions/trim_events.sql

\i functions/announce_kpi_refresh.sql

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION event_head() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION trim_events(interval) SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION announce_kpi_refresh() SET search_path = %I, pg_temp', current_schema());
END
$$;
REVOKE ALL ON FUNCTION trim_events(interval), announce_kpi_refresh() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trim_events(interval), announce_kpi_refresh() TO aether_writer;
