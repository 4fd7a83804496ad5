-- Makes a table append-only for everybody, its owner included. Partitions take the row triggers from their parent, but
-- TRUNCATE must be refused on each of them.
CREATE FUNCTION refuse_truncate_on(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', target
    );
END
$$;
