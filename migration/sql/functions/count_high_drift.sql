-- Keeps the number of unresolved HIGH drift items of the workspaces whose drift a statement has touched; the golden records
-- are locked before the count, as with the reconciliation sessions.
CREATE FUNCTION count_high_drift() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT workspace_id) INTO touched
          FROM new_rows WHERE severity = 'HIGH' AND status = 'unresolved';
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT workspace_id) INTO touched
          FROM old_rows WHERE severity = 'HIGH' AND status = 'unresolved';
    ELSE
        SELECT array_agg(DISTINCT workspace_id) INTO touched
          FROM (
            SELECT workspace_id FROM new_rows WHERE severity = 'HIGH' AND status = 'unresolved'
            UNION ALL
            SELECT workspace_id FROM old_rows WHERE severity = 'HIGH' AND status = 'unresolved'
          ) counted;
    END IF;
    IF touched IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM golden_records WHERE workspace_id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;
    UPDATE golden_records g
       SET unresolved_high_drift_count = c.total
      FROM (
        SELECT t.workspace_id, count(d.id) AS total
          FROM unnest(touched) AS t (workspace_id)
          LEFT JOIN drift_items d
            ON d.workspace_id = t.workspace_id AND d.severity = 'HIGH' AND d.status = 'unresolved'
         GROUP BY t.workspace_id
      ) c
     WHERE g.workspace_id = c.workspace_id AND g.unresolved_high_drift_count <> c.total;
    RETURN NULL;
END
$$;
