-- Keeps row_version and updated_at of a table that people edit.
CREATE FUNCTION keep_versions(target regclass, ignoring text[] DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- Generated columns are still empty when the trigger looks, so they would always seem changed.
    ignoring := ignoring || ARRAY(
        SELECT attname FROM pg_attribute WHERE attrelid = target AND attgenerated <> '' AND NOT attisdropped
    );
    -- The name sorts last, so that it sees what the other triggers have made of the row.
    EXECUTE format(
        'CREATE TRIGGER zz_count_version BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION count_version(%s)',
        target, (SELECT string_agg(quote_literal(name), ', ') FROM unnest(ignoring) AS name)
    );
END
$$;
