-- Whether a golden record has changed is asked without its document, which grows with the agreement, unless that is what is written.
CREATE FUNCTION count_golden_record_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- What a client sends in these two columns never counts.
    NEW.row_version := OLD.row_version;
    NEW.updated_at := OLD.updated_at;
    IF (NEW.id, NEW.workspace_id, NEW.status, NEW.integrity_score, NEW.last_export_at, NEW.last_publish_at, NEW.created_at)
        IS DISTINCT FROM
       (OLD.id, OLD.workspace_id, OLD.status, OLD.integrity_score, OLD.last_export_at, OLD.last_publish_at, OLD.created_at) THEN
        NEW.row_version := OLD.row_version + 1;
        NEW.updated_at := now();
    END IF;
    RETURN NEW;
END
$$;
