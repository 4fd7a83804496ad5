-- What live subscribers are told, in one order that every gateway gives alike, for as long as it is kept.

-- The order of events is their sequence. A number may be taken before another and committed after it, so whoever reads must know
-- up to which number nothing is outstanding. Each transaction therefore shows a lock, shared and never waited for, from before
-- it takes its first number until it has ended: events up to the last number given are settled once those who showed the
-- lock at that moment have gone. The trigger, not the code that writes, takes the lock: it cannot be forgotten.
CREATE FUNCTION show_event_writer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(30, 1);
    RETURN NULL;
END
$$;
CREATE TRIGGER show_event_writer BEFORE INSERT ON event_outbox FOR EACH STATEMENT EXECUTE FUNCTION show_event_writer();

-- The transactions that show the lock now.
CREATE FUNCTION outstanding_event_writers() RETURNS text[] LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(array_agg(virtualtransaction), '{}') FROM pg_locks
     WHERE locktype = 'advisory' AND classid = 30 AND objid = 1 AND objsubid = 2
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
$$;

-- The last number that was given, and the transactions that may still commit numbers up to it; in this order.
CREATE FUNCTION event_head(OUT last bigint, OUT writers text[]) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END INTO last FROM event_outbox_sequence_seq;
    writers := outstanding_event_writers();
END
$$;

-- The gateway reads them with the role that can do nothing but read; no type of the graph shows them.
GRANT SELECT ON event_outbox TO aether_reader;
REVOKE ALL ON FUNCTION event_head(), outstanding_event_writers() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION event_head(), outstanding_event_writers() TO aether_reader;

-- Superseded by the lock: a transaction that only stays open holds nothing up.
DROP INDEX idx_event_outbox_transaction;
COMMENT ON COLUMN event_outbox.transaction_id IS 'The transaction of the change: the events of one change have the same.';

-- A subscription that resumes reads the events of its organization or of its workspaces from where it was.
CREATE INDEX idx_event_outbox_organization ON event_outbox (organization_id, sequence) WHERE organization_id IS NOT NULL;
CREATE INDEX idx_event_outbox_workspace ON event_outbox (workspace_id, sequence) WHERE workspace_id IS NOT NULL;
CREATE INDEX idx_event_outbox_at ON event_outbox (at);

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

-- Deletes the events that are older than this and drops the partitions that were emptied; tells how many events went.
CREATE FUNCTION trim_events(older_than interval) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    part record;
    through bigint;
    gone bigint;
BEGIN
    WITH trimmed AS (DELETE FROM event_outbox WHERE at < now() - older_than RETURNING sequence)
    SELECT max(sequence), count(*) INTO through, gone FROM trimmed;
    IF gone > 0 THEN
        UPDATE event_streams SET trimmed_through = greatest(trimmed_through, through);
    END IF;
    -- Whoever reads or writes just now is not made to wait for the sake of an empty partition.
    SET LOCAL lock_timeout = '200ms';
    FOR part IN
        SELECT c.oid::regclass AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'event_outbox'::regclass AND c.relname ~ '_[0-9]{4}_[0-9]{2}$'
           AND to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' < now() - older_than
    LOOP
        BEGIN
            EXECUTE format('DROP TABLE %s', part.name);
        EXCEPTION WHEN lock_not_available THEN NULL;
        END;
    END LOOP;
    SET LOCAL lock_timeout = 0;
    RETURN gone;
END
$$;

-- Tells every organization that the summaries of its metrics are fresh.
CREATE FUNCTION announce_kpi_refresh() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
    INSERT INTO event_outbox (topic, aggregate_type, aggregate_id, organization_id, kind, payload)
    SELECT 'kpi', 'kpi_summary', id, id, 'refreshed', jsonb_build_object('type', 'organization', 'id', id)
      FROM organizations WHERE deleted_at IS NULL AND subscription_status = 'active'
$$;

DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION event_head() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION trim_events(interval) SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION announce_kpi_refresh() SET search_path = %I, pg_temp', current_schema());
END
$$;
REVOKE ALL ON FUNCTION trim_events(interval), announce_kpi_refresh() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trim_events(interval), announce_kpi_refresh() TO aether_writer;
