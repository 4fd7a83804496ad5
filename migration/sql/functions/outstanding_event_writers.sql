-- The transactions that show the lock now.
CREATE FUNCTION outstanding_event_writers() RETURNS text[] LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(array_agg(virtualtransaction), '{}') FROM pg_locks
     WHERE locktype = 'advisory' AND classid = 30 AND objid = 1 AND objsubid = 2
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
$$;
