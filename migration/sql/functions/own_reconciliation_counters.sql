-- The counters move with the items only: what a client sends in them never counts. The triggers of the items update a session
-- from within a trigger, a client does not.
CREATE FUNCTION own_reconciliation_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.total_items := 0;
        NEW.applied_count := 0;
        NEW.rejected_count := 0;
        NEW.pending_count := 0;
    ELSIF pg_trigger_depth() = 1 THEN
        NEW.total_items := OLD.total_items;
        NEW.applied_count := OLD.applied_count;
        NEW.rejected_count := OLD.rejected_count;
        NEW.pending_count := OLD.pending_count;
    END IF;
    RETURN NEW;
END
$$;
