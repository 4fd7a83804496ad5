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
