-- What every later migration leans on: the two roles of the gateway, row versions, append-only tables, partitions.

-- Roles belong to the whole cluster and outlive a database, so they are made only where they are missing.
DO $$
DECLARE
    wanted name;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['aether_reader', 'aether_writer']::name[] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- another database of the cluster was migrated at the same moment
        END;
        -- From version 16 on, whoever makes a role may grant it but not take it.
        IF NOT pg_has_role(
            current_user, wanted,
            CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END
        ) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        END IF;
    END LOOP;
END
$$;

DO $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO aether_reader, aether_writer', current_schema());
END
$$;

-- Text is sorted as people sort it, whatever the database's own collation is: apple, Äpfel, Zebra; Clause 2, Clause 10. Deterministic:
-- texts that differ are different, and one of them is first.
DO $$
BEGIN
    CREATE COLLATION natural_order (provider = icu, locale = 'und-u-kn-true');
EXCEPTION WHEN feature_not_supported THEN
    RAISE WARNING 'This PostgreSQL is built without ICU: text is sorted by code points, capitals before small letters.';
    CREATE COLLATION natural_order FROM "C";
END
$$;

\i functions/grant_access.sql

\i functions/count_version.sql

\i functions/keep_versions.sql

\i functions/refuse_change.sql

\i functions/refuse_truncate_on.sql

\i functions/is_append_only.sql

\i functions/ensure_partitions.sql

-- A function that acts with its owner's rights looks names up where it was made, not where its caller points it.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION ensure_partitions(date, date) SET search_path = %I, pg_temp', current_schema());
END
$$;
REVOKE ALL ON FUNCTION ensure_partitions(date, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_partitions(date, date) TO aether_writer;
