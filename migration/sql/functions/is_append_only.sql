-- Whether a partitioned table is append-only, which its partitions then must be too.
CREATE FUNCTION is_append_only(target regclass) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = target AND tgname = 'refuse_truncate')
$$;
