-- The document, which grows with the agreement, is looked at only when it is written: PostgreSQL checks all constraints of a row that is
-- updated.
CREATE FUNCTION check_golden_record_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF jsonb_typeof(NEW.schema_json) <> 'object' THEN
        RAISE check_violation USING
            MESSAGE = 'new row for relation "golden_records" violates check constraint "ck_golden_records_schema_json"',
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = 'ck_golden_records_schema_json';
    END IF;
    RETURN NEW;
END
$$;
