-- Lets the reader select a table, but for hidden columns, and the writer change it.
CREATE FUNCTION grant_access(target regclass, hidden text[] DEFAULT '{}', writer text DEFAULT 'INSERT, UPDATE, DELETE')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'GRANT SELECT (%s) ON %s TO aether_reader',
        (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
           FROM pg_attribute
          WHERE attrelid = target AND attnum > 0 AND NOT attisdropped AND attname <> ALL (hidden)),
        target
    );
    EXECUTE format('GRANT SELECT ON %s TO aether_writer', target);
    IF writer <> '' THEN
        EXECUTE format('GRANT %s ON %s TO aether_writer', writer, target);
    END IF;
END
$$;
