-- Counts an edit: clients name the version that they saw, and a stale one is refused. Its arguments are columns whose
-- change is no edit.
CREATE FUNCTION count_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- What a client sends in these two columns never counts.
    NEW.row_version := OLD.row_version;
    NEW.updated_at := OLD.updated_at;
    IF NEW IS DISTINCT FROM OLD
        AND (TG_NARGS = 0 OR to_jsonb(NEW) - TG_ARGV IS DISTINCT FROM to_jsonb(OLD) - TG_ARGV) THEN
        NEW.row_version := OLD.row_version + 1;
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END
$$;
