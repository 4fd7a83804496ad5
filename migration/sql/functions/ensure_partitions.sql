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
