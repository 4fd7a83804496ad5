-- What is pending goes only when it has its leaf.
CREATE FUNCTION refuse_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM taken t
         WHERE NOT EXISTS (
             SELECT FROM audit_leaves l
              WHERE l.row_id = t.row_id AND l.row_timestamp = t.row_timestamp AND l.source = t.source
         )
    ) THEN
        RAISE EXCEPTION 'audit_pending keeps what is not sealed: DELETE is refused' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
