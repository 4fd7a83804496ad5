-- Numbers the clauses of a workspace from 1 without gaps, in their order, and returns how many have changed their place. One
-- clause can be left out, to be placed by the caller, and one place left free for it.
CREATE FUNCTION renumber_clauses(of_workspace uuid, without uuid, free integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    changed bigint;
BEGIN
    -- Until the clause that was left out is in its place, two may share one.
    SET CONSTRAINTS uq_clauses_workspace_order DEFERRED;
    PERFORM set_config('aether.renumbering', 'on', true);
    UPDATE clauses c
       SET order_index = n.place
      FROM (
        SELECT id, rank + CASE WHEN rank >= free THEN 1 ELSE 0 END AS place
          FROM (
            SELECT id, row_number() OVER (ORDER BY order_index, id) AS rank
              FROM clauses
             WHERE workspace_id = of_workspace AND id IS DISTINCT FROM without
          ) ranked
      ) n
     WHERE c.id = n.id AND c.order_index <> n.place;
    GET DIAGNOSTICS changed = ROW_COUNT;
    PERFORM set_config('aether.renumbering', 'off', true);
    RETURN changed;
END
$$;
