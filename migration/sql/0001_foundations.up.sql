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

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;

-- Makes a table append-only for everybody, its owner included. Partitions take the row triggers from their parent, but
-- TRUNCATE must be refused on each of them.
CREATE FUNCTION refuse_truncate_on(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', target
    );
END
$$;

-- Whether a partitioned table is append-only, which its partitions then must be too.
CREATE FUNCTION is_append_only(target regclass) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = target AND tgname = 'refuse_truncate')
$$;

-- Makes the monthly partitions of every partitioned table for the months from the first through the last, and moves into
-- them what the DEFAULT partition caught in the meantime. Idempotent; one caller at a time.
CREATE FUNCTION ensure_partitions(first_month date, last_month date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    parent record;
    month date;
    month_after date;
    partition_name text;
    caught boolean;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('ensure_partitions'));
    FOR parent IN
        SELECT c.oid::regclass AS name, c.relname, d.oid::regclass AS default_name, a.attname AS key
          FROM pg_partitioned_table p
          JOIN pg_class c ON c.oid = p.partrelid AND c.relnamespace = current_schema()::regnamespace
          JOIN pg_class d ON d.oid = p.partdefid
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0]
    LOOP
        month := date_trunc('month', first_month)::date;
        WHILE month <= last_month LOOP
            month_after := (month + interval '1 month')::date;
            partition_name := format('%s_%s', parent.relname, to_char(month, 'YYYY_MM'));
            IF to_regclass(quote_ident(partition_name)) IS NULL THEN
                EXECUTE format(
                    'SELECT EXISTS (SELECT FROM %s WHERE %I >= %L AND %I < %L)',
                    parent.default_name, parent.key, month, parent.key, month_after
                ) INTO caught;
                IF caught THEN
                    EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', parent.name, parent.default_name);
                END IF;
                EXECUTE format(
                    'CREATE TABLE %I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                    partition_name, parent.name, month, month_after
                );
                IF is_append_only(parent.name) THEN
                    PERFORM refuse_truncate_on(partition_name::regclass);
                END IF;
                IF caught THEN
                    -- Detached, the partition has lost the triggers that refuse to delete; attached, it has them again.
                    EXECUTE format(
                        'WITH moved AS (DELETE FROM %s WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO %I %s SELECT * FROM moved',
                        parent.default_name, parent.key, month, parent.key, month_after, partition_name,
                        CASE WHEN EXISTS (
                            SELECT FROM pg_attribute WHERE attrelid = parent.name AND attidentity = 'a'
                        ) THEN 'OVERRIDING SYSTEM VALUE' ELSE '' END
                    );
                    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s DEFAULT', parent.name, parent.default_name);
                END IF;
                made := made + 1;
            END IF;
            month := month_after;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;

-- A function that acts with its owner's rights looks names up where it was made, not where its caller points it.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION ensure_partitions(date, date) SET search_path = %I, pg_temp', current_schema());
END
$$;
REVOKE ALL ON FUNCTION ensure_partitions(date, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_partitions(date, date) TO aether_writer;
