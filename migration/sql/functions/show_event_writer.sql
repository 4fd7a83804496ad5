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
