DROP FUNCTION ensure_partitions(date, date);
DROP FUNCTION is_append_only(regclass);
DROP FUNCTION refuse_truncate_on(regclass);
DROP FUNCTION refuse_change();
DROP FUNCTION keep_versions(regclass, text[]);
DROP FUNCTION count_version();
DROP FUNCTION grant_access(regclass, text[], text);
DROP COLLATION natural_order;

DO $$
BEGIN
    EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM aether_reader, aether_writer', current_schema());
END
$$;

-- The roles go with the last database that uses them.
DO $$
DECLARE
    unwanted name;
BEGIN
    FOREACH unwanted IN ARRAY ARRAY['aether_reader', 'aether_writer']::name[] LOOP
        BEGIN
            EXECUTE format('DROP ROLE IF EXISTS %I', unwanted);
        EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
            NULL;
        END;
    END LOOP;
END
$$;
