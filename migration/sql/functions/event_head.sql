-- The last number that was given, and the transactions that may still commit numbers up to it; in this order.
CREATE FUNCTION event_head(OUT last bigint, OUT writers text[]) LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END INTO last FROM event_outbox_sequence_seq;
    writers := outstanding_event_writers();
END
$$;
