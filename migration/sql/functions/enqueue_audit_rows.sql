-- Queues new audit rows to be sealed, whoever writes them; with its owner's rights, for nobody else may add to the queue.
-- Rows are only noted: no writer waits for another, or for a hash.
CREATE FUNCTION enqueue_audit_rows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO audit_pending (source, row_id, row_timestamp) SELECT TG_TABLE_NAME, id, "timestamp" FROM written;
    RETURN NULL;
END
$$;
