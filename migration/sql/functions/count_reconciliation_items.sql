-- Keeps the counters of the sessions whose items a statement has touched. The sessions are locked before they are counted,
-- in the order of their ids, so that of two statements at once the later one counts what the earlier one has done.
CREATE FUNCTION count_reconciliation_items() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT session_id) INTO touched FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT session_id) INTO touched FROM old_rows;
    ELSE
        -- An item that only its text has changed in makes no difference.
        SELECT array_agg(DISTINCT session_id) INTO touched
          FROM (
            (SELECT id, session_id, decision FROM new_rows EXCEPT ALL SELECT id, session_id, decision FROM old_rows)
            UNION ALL
            (SELECT id, session_id, decision FROM old_rows EXCEPT ALL SELECT id, session_id, decision FROM new_rows)
          ) changed;
    END IF;
    IF touched IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM reconciliation_sessions WHERE id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;
    UPDATE reconciliation_sessions s
       SET total_items = c.total, applied_count = c.applied, rejected_count = c.rejected, pending_count = c.pending
      FROM (
        SELECT t.id,
               count(i.id) AS total,
               count(i.id) FILTER (WHERE i.decision = 'applied') AS applied,
               count(i.id) FILTER (WHERE i.decision = 'rejected') AS rejected,
               count(i.id) FILTER (WHERE i.decision = 'pending') AS pending
          FROM unnest(touched) AS t (id)
          LEFT JOIN reconciliation_items i ON i.session_id = t.id
         GROUP BY t.id
      ) c
     WHERE s.id = c.id
       AND (s.total_items, s.applied_count, s.rejected_count, s.pending_count)
           IS DISTINCT FROM (c.total, c.applied, c.rejected, c.pending);
    RETURN NULL;
END
$$;
