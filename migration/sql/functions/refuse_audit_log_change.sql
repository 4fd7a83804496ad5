-- Lets exactly one change through: the review of an entry that was not reviewed before, and nothing else with it. The rows are
-- compared byte by byte (*=), so that not even 1.0 can become 1 in the details.
CREATE FUNCTION refuse_audit_log_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed record;
BEGIN
    IF TG_OP = 'UPDATE' AND NOT OLD.reviewed AND NEW.reviewed
        AND NEW.reviewed_by IS NOT NULL AND NEW.reviewed_at IS NOT NULL
    THEN
        allowed := OLD;
        allowed.reviewed := NEW.reviewed;
        allowed.reviewed_by := NEW.reviewed_by;
        allowed.reviewed_at := NEW.reviewed_at;
        IF allowed *= NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit_logs is append-only: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
